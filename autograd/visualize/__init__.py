"""Pictures of the recorded graph: values, gradients, local derivatives, shapes, parameters.

draw(f)                   a picture that shows itself in a notebook
draw(f).write("f.svg")    ... or .png, .pdf, .dot, .txt
make_dot(f)               the same, with torchviz's signature
with watch(): ...         what is computed inside, a picture can tell in full
"""

from .draw import draw, make_dot
from .graph import Graph
from .render import LayoutCrashed, LayoutTimeout, RendererNotFound
from .watch import watch

__all__ = [
    "Graph",
    "LayoutCrashed",
    "LayoutTimeout",
    "RendererNotFound",
    "draw",
    "make_dot",
    "watch",
]
