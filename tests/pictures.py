"""Graphs to draw, and what can be read in the XML of their pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import autograd as torch
import nn
from autograd.visualize import draw

NBSP = "\N{NO-BREAK SPACE}"


def scalar(x):
    return torch.tensor(float(x), requires_grad=True)


def textbook():
    """(x + y) * z at x = -2, y = 5, z = -4."""
    x, y, z = scalar(-2), scalar(5), scalar(-4)
    q = x + y
    f = q * z
    return f, {"x": x, "y": y, "z": z, "q": q, "f": f}


def fan_out():
    """x x + x y at x = 3, y = 2."""
    x, y = scalar(3), scalar(2)
    f = x * x + x * y
    return f, x


def parse(graph):
    return ET.fromstring(graph.svg())


def groups(root, kind):
    return [g for g in root.iter() if tag(g) == "g" and g.get("class") == kind]


def tag(element):
    return element.tag.rpartition("}")[2]


def inner_text(element, css_class=None):
    words = [
        (t.text or "").replace(NBSP, " ").strip()
        for t in element.iter()
        if tag(t) == "text" and (css_class is None or t.get("class") == css_class)
    ]
    return " ".join(words)


def by_node(root, css_class):
    found = {g.get("data-node"): inner_text(g, css_class) for g in groups(root, "node")}
    return {name: text for name, text in found.items() if text}


def text_sizes(root):
    """The font sizes of all texts."""
    return [float(e.get("font-size")) for e in root.iter() if tag(e) == "text"]


# -- one picture of each kind ----------------------------------------------------------------------


class Block(nn.Module):
    """Half of a transformer block: enough for frames in frames and an edge around them."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        return x + self.mlp(self.norm(x))


def tower(blocks=4, width=8):
    """A network of equal blocks, its loss, and the data."""
    torch.manual_seed(0)
    net = nn.Sequential(*[Block(width) for _ in range(blocks)], nn.Linear(width, 3))
    x, target = torch.randn(5, width, requires_grad=True), torch.tensor([0, 1, 2, 0, 1])
    return nn.functional.cross_entropy(net(x), target), net


def recurrence(steps=300):
    """A recurrent network written by hand: the same weights at every step."""
    torch.manual_seed(0)
    params = {"W": torch.randn(8, 8) * 0.3, "U": torch.randn(4, 8), "b": torch.zeros(8)}
    for p in params.values():
        p.requires_grad_()
    h = torch.zeros(2, 8)
    for _ in range(steps):
        x = torch.randn(2, 4)
        h = torch.tanh(h @ params["W"] + x @ params["U"] + params["b"])
    return (h * h).mean(), params


def vanishing(depth=8):
    """A network of sigmoids, through which hardly any gradient comes back."""
    torch.manual_seed(0)
    layers = [layer for _ in range(depth) for layer in (nn.Linear(8, 8), nn.Sigmoid())]
    net = nn.Sequential(*layers, nn.Linear(8, 1))
    return net(torch.randn(4, 8)).square().mean(), net


def second_order():
    """The derivative of x³, which has a graph of its own."""
    x = scalar(2)
    y = x * x * x
    (dy,) = torch.autograd.grad(y, x, create_graph=True)
    return dy


def not_a_number():
    """A network with a ReLU that died and a logarithm of 0."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 10))
    with torch.no_grad():
        net[0].bias.fill_(-100.0)
        net[2].bias[3] = -300.0
    return -torch.log(torch.softmax(net(torch.rand(4, 6)), 1)).mean(), net


def _of(loss_and_net, **options):
    def picture(**more):
        loss, net = loss_and_net()
        return draw(loss, params=net, **{"grad": True, **options, **more})

    return picture


PICTURES = {
    "circuit": lambda **more: draw(textbook()[0], grad=True, **more),
    "fan-out": lambda **more: draw(fan_out()[0], grad=True, **more),
    "top-down": lambda **more: draw(fan_out()[0], grad=True, direction="TB", **more),
    "cards": _of(tower),
    "saved": _of(tower, detail="saved"),
    "collapsed": _of(tower, depth=1),
    "folded": _of(recurrence),
    "nearest": _of(recurrence, fold=False, max_nodes=40),
    "trouble": _of(not_a_number),
    "flow": _of(vanishing, view="flow"),
    "flow-circuit": lambda **more: draw(fan_out()[0], view="flow", **more),
    "forward": _of(tower, view="forward", grad=None),
    "backward": _of(tower, view="backward"),
    "backward-circuit": lambda **more: draw(fan_out()[0], grad=True, view="backward", **more),
    "second-order": lambda **more: draw(second_order(), grad=True, **more),
    "second-order-backward": lambda **more: draw(
        second_order(), grad=True, view="backward", **more
    ),
}
