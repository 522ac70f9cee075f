"""All works, one family a file."""

from benchmarks.work import Work
from benchmarks.works import convolution, deep_chain, networks, op_chain, scalar_mlp, single_ops

WORKS: dict[str, Work] = {
    work.name: work
    for family in (op_chain, scalar_mlp, networks, convolution, deep_chain, single_ops)
    for work in family.WORKS
}
