"""One library in a process of its own.

`python -m benchmarks.worker LIBRARY` answers requests, one JSON object a line, until its input
ends: `{"work": NAME, "times": N}` with the seconds per run, by phase;
`{"work": NAME}` with the bytes by which the process grows at most (ask a fresh process).
"""

from __future__ import annotations

import importlib
import json
import sys

from benchmarks.work import Step, peak_bytes, seconds
from benchmarks.works import WORKS


def main() -> None:
    """Answer requests."""
    library = importlib.import_module(sys.argv[1])
    current = ""
    step: Step
    for line in sys.stdin:
        request = json.loads(line)
        work = WORKS[request["work"]]
        answer: object
        if "times" not in request:
            answer = peak_bytes(work, library)
        else:
            if work.name != current:
                current, step = work.name, work.prepare(library)
            answer = seconds(step, request["times"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
