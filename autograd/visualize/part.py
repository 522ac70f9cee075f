"""Which part of a graph is drawn: all of it, or what is nearest to its outputs."""

from __future__ import annotations

from autograd.reading.recorded import Recorded, Step


class Part:
    """The operations that are drawn, in order.

    Operations are taken breadth first from the outputs until `limit` nodes are reached (None: no
    limit). A node is a tensor; in a circuit, where tensors and operations are drawn apart, an
    operation is one too, as is a number.
    """

    def __init__(self, recorded: Recorded, circuit: bool, limit: int | None) -> None:
        seen = {id(output) for output in recorded.outputs}
        queue = [output.step for output in recorded.outputs if output.step is not None]
        queued = {id(step) for step in queue}
        drawn: set[int] = set()
        self.total = self.shown = len(seen)
        for step in queue:  # grows as we go
            operands = [value for _, value in step.operands if circuit or not value.is_number]
            more = len({id(value) for value in operands} - seen) + circuit
            seen |= {id(value) for value in operands}
            if self.shown == self.total and (limit is None or self.total + more <= limit):
                self.shown += more
                drawn.add(id(step))
            self.total += more
            for value in operands:
                if value.step is not None and id(value.step) not in queued:
                    queued.add(id(value.step))
                    queue.append(value.step)
        self.steps: list[Step] = [step for step in recorded.steps if id(step) in drawn]

    @property
    def note(self) -> str:
        """What is hidden, and how to see it."""
        if self.shown == self.total:
            return ""
        return (
            f"{self.total:,} nodes: showing the {self.shown:,} nearest the output, "
            f'{self.total - self.shown:,} hidden behind "…". See all with max_nodes=None.'
        )
