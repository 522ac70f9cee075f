"""The five texts this project teaches from, number by number.

Each function is a row, or a few, of the inventory of what the texts compute; a row's name is the
test's id. S0 is the essay "Exploring Architectures: CNN II", S1 a blog post on the backpropagation
equations of a CNN, S2 lesson 3 of a PyTorch course, S3 the slides "Backpropagations in Deep Neural
Network", S4 chapters 10 to 12 of the COS 324 textbook. Where a text errs, the row tests what is
right and says so (erratum).
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, array

torch, autograd, nn, F = OURS.torch, OURS.autograd, OURS.nn, OURS.functional
grad = autograd.grad

ROWS: dict[str, Callable[[], None]] = {}


def row(*names: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def enter(check: Callable[[], None]) -> Callable[[], None]:
        for name in names:
            assert name not in ROWS
            ROWS[name] = check
        return check

    return enter


def T(values: Any, grad: bool = False) -> Any:
    return torch.tensor(np.asarray(values, float), requires_grad=grad)


def P(values: Any) -> Any:
    """A tensor to differentiate by."""
    return T(values, grad=True)


def is_(actual: Any, expected: Any, rtol: float = 1e-10, atol: float = 1e-12) -> None:
    """Equal shapes and numbers, of tensors, arrays or lists."""
    actual = array(actual) if hasattr(actual, "requires_grad") else np.asarray(actual)
    expected = array(expected) if hasattr(expected, "requires_grad") else np.asarray(expected)
    assert actual.shape == expected.shape, f"{actual.shape}, not {expected.shape}"
    np.testing.assert_allclose(actual, expected, rtol, atol)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


def image(rows: Any) -> Any:
    """A matrix as a batch of one picture with one channel, to be differentiated by."""
    return P(np.asarray(rows, float)[None, None])


def jacobian(function: Callable[[Any], Any], x: Any) -> np.ndarray:
    """∂y_i/∂x_j, row by row by backward."""
    y = function(x).reshape(-1)
    rows = [grad(y[i], x, retain_graph=True, allow_unused=True)[0] for i in range(y.shape[0])]
    return np.array([np.zeros(x.numel()) if r is None else array(r).reshape(-1) for r in rows])


def names(root: Any) -> list[str]:
    """The names of all nodes of a graph, each node once."""
    seen, stack = {}, [root.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen[node] = re.sub(r"\d+$", "", node.name()).rpartition("::")[2]
            stack += [parent for parent, _ in node.next_functions]
    return list(seen.values())


def paths(root: Any, leaf: Any) -> int:
    """The number of ways from the output back to the leaf."""
    count: dict[Any, int] = {}

    def ways(node: Any) -> int:
        if node not in count:
            if getattr(node, "variable", None) is leaf:
                count[node] = 1
            else:
                count[node] = sum(
                    ways(parent) for parent, _ in node.next_functions if parent is not None
                )
        return count[node]

    return ways(root.grad_fn)


def plain(text: str) -> str:
    """PyTorch numbers its nodes, this project does not: AddBackward0 is AddBackward."""
    return re.sub(r"Backward\d", "Backward", text)


# S0: a convolution, two linear layers and a softmax, by hand --------------------------------------

M = 5
I_ = random(20, 20, seed=1)
TARGET = np.array([[0.0, 1.0, 0.0]])


def s0_parameters() -> dict[str, Any]:
    shapes = {"K": (3, 3), "W1": (400, M), "B1": (1, M), "W2": (M, 3), "B2": (1, 3)}
    return {
        name: P(random(*shape, seed=2) * (0.1 if name == "W1" else 0.5))
        for name, shape in shapes.items()
    }


def s0_forward(p: dict[str, Any]) -> dict[str, Any]:
    """Every sub-variable of the essay's graph."""
    C = F.conv2d(T(I_[None, None]), p["K"].view(1, 1, 3, 3), padding=1).view(20, 20)
    v = {"C": C, "CF": C.reshape(1, 400)}
    v["H"] = v["CF"] @ p["W1"]
    v["HB"] = v["H"] + p["B1"]
    v["R"] = 0.5 * (v["HB"] + v["HB"].abs())
    v["O"] = v["R"] @ p["W2"]
    v["OB"] = v["O"] + p["B2"]
    v["OS"] = F.softmax(v["OB"], dim=1)
    v["OL"] = v["OS"].log()
    v["L"] = -(T(TARGET) * v["OL"]).sum()  # erratum: the minus sign is missing in the text
    return v


def s0_patches() -> np.ndarray:
    """Row ij is the 3x3 patch of the padded image around pixel ij (erratum: not entries of C)."""
    padded = np.pad(I_, 1)
    return np.array([padded[i : i + 3, j : j + 3].ravel() for i in range(20) for j in range(20)])


def s0_by_hand(p: dict[str, Any]) -> dict[str, np.ndarray]:
    """The five gradients by the chain rule in NumPy."""
    K, W1, B1, W2, B2 = (array(p[name]) for name in ("K", "W1", "B1", "W2", "B2"))
    CF = (s0_patches() @ K.ravel())[None]
    HB = CF @ W1 + B1
    R = np.maximum(HB, 0)
    exponentials = np.exp(R @ W2 + B2)
    dOB = exponentials / exponentials.sum() - TARGET
    dHB = dOB @ W2.T * (HB > 0)
    return {
        "B2": dOB,
        "W2": R.T @ dOB,
        "B1": dHB,
        "W1": CF.T @ dHB,
        "K": (s0_patches().T @ (dHB @ W1.T).ravel()).reshape(3, 3),
    }


@row("S0-Net", "S0-ChainB2", "S0-ChainW2", "S0-ChainB1", "S0-ChainW1", "S0-ChainK")
def s0_net() -> None:
    """All five gradients: the hand formulas to 1e-10, finite differences to 1e-7."""
    p = s0_parameters()
    s0_forward(p)["L"].backward()
    for name, expected in s0_by_hand(p).items():
        is_(p[name].grad, expected)
    for name, entry in [
        ("K", (1, 2)),
        ("W1", (37, 3)),
        ("B1", (0, 1)),
        ("W2", (2, 0)),
        ("B2", (0, 2)),
    ]:
        sides = []
        for step in (1e-6, -1e-6):
            moved = {n: T(array(t)) for n, t in p.items()}
            moved[name][entry] += step
            sides.append(s0_forward(moved)["L"].item())
        assert p[name].grad[entry].item() == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-7)


@row("S0-Conv")
def s0_conv() -> None:
    p = s0_parameters()
    C = s0_forward(p)["C"]
    assert tuple(C.shape) == (20, 20)
    is_(C.reshape(-1), s0_patches() @ array(p["K"]).ravel())
    is_(F.conv2d(T(I_[None, None]), p["K"].view(1, 1, 3, 3), padding="same")[0, 0], C)


@row("S0-Flatten")
def s0_flatten() -> None:
    C = P(random(20, 20))
    for flat in (C.view(1, -1), C.reshape(1, 400), torch.flatten(C)[None], nn.Flatten(0)(C)[None]):
        assert tuple(flat.shape) == (1, 400)
        is_(flat[0, 20], array(C)[1, 0])
    g = random(1, 400, seed=3)
    is_(grad(C.view(1, -1), C, T(g))[0], g.reshape(20, 20))


@row("S0-FC1", "S0-FC2")
def s0_linear() -> None:
    x, W, B, g = P(random(1, 400)), P(random(400, M)), P(random(1, M)), random(1, M, seed=4)
    dx, dW, dB = grad(x @ W + B, (x, W, B), T(g))
    is_(dx, g @ array(W).T)
    is_(dW, array(x).T @ g)
    is_(dB, g)


@row("S0-ReLUabs")
def s0_relu() -> None:
    """½(x+|x|) is ReLU, but for the gradient at 0: ½ there, 0 for relu."""
    x = P([-3.0, -0.5, 0.25, 4.0, 0.0])
    is_(0.5 * (x + x.abs()), [0, 0, 0.25, 4, 0])
    is_(grad((0.5 * (x + x.abs())).sum(), x)[0], [0, 0, 1, 1, 0.5])
    is_(grad(x.relu().sum(), x)[0], [0, 0, 1, 1, 0])


@row("S0-Softmax")
def s0_softmax() -> None:
    o = P([0.3, -1.2, 2.0])
    p = F.softmax(o, dim=0)
    assert p.sum().item() == pytest.approx(1, rel=1e-15)
    is_(p, torch.exp(o) / torch.exp(o).sum())
    is_(
        jacobian(lambda o: F.softmax(o, dim=0), o), np.diag(array(p)) - np.outer(array(p), array(p))
    )


@row("S0-Theta", "S0-Size")
def s0_sizes() -> None:
    for m, count in ((5, 2032), (16, 6476)):
        assert 9 + 400 * m + m + 3 * m + 3 == count
    assert sum(t.numel() for t in s0_parameters().values()) == 2032


@row("S0-CE")
def s0_cross_entropy() -> None:
    for target in ([0.0, 1.0, 0.0], [0.2, 0.5, 0.3]):
        o = P([[0.3, -1.2, 2.0]])
        p = F.softmax(o, 1)
        loss = -(T([target]) * torch.log(p)).sum()
        is_(loss, F.cross_entropy(o, T([target])))
        is_(grad(loss, o)[0], array(p) - [target])
    o = P([[0.3, -1.2, 2.0]])
    is_(F.cross_entropy(o, torch.tensor([1])).item(), 3.40, rtol=1e-2)


@row("S0-Loss1")
def s0_one_expression() -> None:
    p = s0_parameters()
    K, W1, B1, W2, B2 = p.values()
    pre = F.conv2d(T(I_[None, None]), K.view(1, 1, 3, 3), padding=1).view(1, 400) @ W1 + B1
    e = torch.exp((pre + pre.abs()) / 2 @ W2 + B2)
    loss = -(T(TARGET) * torch.log(e / e.sum())).sum()
    is_(loss, s0_forward(p)["L"])
    for g, name in zip(grad(loss, list(p.values())), p, strict=True):
        is_(g, s0_by_hand(p)[name])


@row("S0-Graph")
def s0_graph() -> None:
    p = s0_parameters()
    found = names(s0_forward(p)["L"])
    assert found.count("AccumulateGrad") == 5
    operations = [name.lower() for name in found if name != "AccumulateGrad"]
    assert len(operations) >= 9
    for operation in ("conv", "m", "add", "abs", "softmax", "log"):
        assert any(name.startswith(operation) for name in operations), operation


@row("S0-Local")
def s0_local_gradients() -> None:
    p = s0_parameters()
    v = s0_forward(p)

    def local(y: str, x: Any) -> np.ndarray:
        outputs = v[y].reshape(-1)
        return np.array([array(*grad(out, x, retain_graph=True)).ravel() for out in outputs])

    probability = array(v["OS"])[0]
    is_(local("L", v["OL"]), -TARGET)
    is_(local("OL", v["OS"]), np.diag(1 / probability))
    is_(local("OS", v["OB"]), np.diag(probability) - np.outer(probability, probability))
    is_(local("O", p["W2"]), np.kron(array(v["R"]), np.eye(3)))
    is_(local("R", v["HB"]), np.diag((array(v["HB"])[0] > 0) * 1.0))
    is_(local("C", p["K"]), s0_patches())
    is_(local("H", v["CF"]), array(p["W1"]).T)
    is_(local("O", v["R"]), array(p["W2"]).T)
    for y, x in (("HB", v["H"]), ("HB", p["B1"]), ("OB", v["O"]), ("OB", p["B2"])):
        is_(local(y, x), np.eye(v[y].numel()))


@row("S0-FewLines")
def s0_layers() -> None:
    p = s0_parameters()
    net = nn.Sequential(
        nn.Conv2d(1, 1, 3, padding=1, bias=False),
        nn.Flatten(),
        nn.Linear(400, M),
        nn.ReLU(),
        nn.Linear(M, 3),
    ).double()
    values = [
        array(p["K"])[None, None],
        array(p["W1"]).T,
        array(p["B1"])[0],
        array(p["W2"]).T,
        array(p["B2"])[0],
    ]
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), values, strict=True):
            parameter.copy_(T(value))
    loss = nn.CrossEntropyLoss()(net(T(I_[None, None])), torch.tensor([1]))
    is_(loss, s0_forward(p)["L"])
    loss.backward()
    g = s0_by_hand(p)
    for parameter, expected in zip(
        net.parameters(),
        [g["K"][None, None], g["W1"].T, g["B1"][0], g["W2"].T, g["B2"][0]],
        strict=True,
    ):
        is_(parameter.grad, expected)


@row("S0-GD")
def s0_descent() -> None:
    """Three bars, told apart in 200 steps against the gradient (erratum: not along it)."""
    torch.manual_seed(0)
    pictures = np.zeros((3, 1, 20, 20))
    pictures[0, 0, :, 8:12] = pictures[1, 0, 8:12, :] = 1
    pictures[2, 0] = np.maximum(np.eye(20), np.eye(20, k=1))
    net = nn.Sequential(
        nn.Conv2d(1, 1, 3, padding=1, bias=False),
        nn.Flatten(),
        nn.Linear(400, M),
        nn.ReLU(),
        nn.Linear(M, 3),
    ).double()
    losses = []
    for _ in range(200):
        loss = F.cross_entropy(net(T(pictures)), torch.tensor([0, 1, 2]))
        losses.append(loss.item())
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
    assert losses[0] > 0.5
    assert losses[-1] < 0.05


# S1: the equations of a convolution ---------------------------------------------------------------

X9, W4 = np.arange(1.0, 10).reshape(3, 3), np.array([[1.0, 2.0], [3.0, 4.0]])


def conv_loops(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """The naive forward pass: (N,C,H,W), (D,C,f,f) -> (N,D,H',W')."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    f = w.shape[2]
    rows, cols = (x.shape[2] - f) // stride + 1, (x.shape[3] - f) // stride + 1
    z = np.zeros((len(x), len(w), rows, cols))
    for n, d, i, j in np.ndindex(z.shape):
        z[n, d, i, j] = (
            x[n, :, i * stride : i * stride + f, j * stride : j * stride + f] * w[d]
        ).sum() + b[d]
    return z


def conv_loops_backward(
    x: np.ndarray, w: np.ndarray, dz: np.ndarray, stride: int, pad: int
) -> tuple[np.ndarray, ...]:
    """dA += W·dZ, dW += slice·dZ, db += dZ, cell by cell and example by example."""
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    da, dw, db, f = np.zeros_like(padded), np.zeros_like(w), np.zeros(len(w)), w.shape[2]
    for n, d, i, j in np.ndindex(dz.shape):
        place = (
            n,
            slice(None),
            slice(i * stride, i * stride + f),
            slice(j * stride, j * stride + f),
        )
        da[place] += w[d] * dz[n, d, i, j]
        dw[d] += padded[place] * dz[n, d, i, j]
        db[d] += dz[n, d, i, j]
    return da[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]], dw, db


def conv_grid() -> list[tuple[Any, ...]]:
    sizes = itertools.product((1, 2, 3, 5), (1, 2, 3), (0, 1, 2), ((7, 7), (6, 8)))
    return [
        (random(2, 3, *size), random(4, 3, f, f, seed=1), random(4, seed=2), s, p)
        for f, s, p, size in sizes
    ]


@row("S1-Million")
def s1_million() -> None:
    assert nn.Linear(10000, 100, bias=False).weight.numel() == 1_000_000
    assert nn.Conv2d(1, 1, 3, bias=False).weight.numel() == 9


@row("S1-Z", "S1-dWconv")
def s1_z() -> None:
    is_(F.conv2d(image(X9), image(W4))[0, 0], [[37, 47], [67, 77]])


@row("S1-Zbias")
def s1_bias() -> None:
    is_(F.conv2d(image(X9), image(W4), P([0.5]))[0, 0], [[37.5, 47.5], [67.5, 77.5]])


@row("S1-Filters")
def s1_filters() -> None:
    w = np.zeros((2, 3, 3, 3))
    w[0, :, 1, 1] = [0.3, 0.6, 0.1]
    w[1, 2] = [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]
    picture = np.zeros((1, 3, 6, 6))
    picture[0, 2, :3], picture[0, 2, 3:] = 200, 50
    picture[0, 0] = 10
    y = F.conv2d(T(picture), T(w), padding=1)
    is_(y[0, 0, 0, 0], 0.3 * 10 + 0.1 * 200)
    is_(y[0, 1, 2, 1:5], [600] * 4)
    is_(F.conv2d(T(picture), T(w), T([0.0, 128.0]), padding=1)[0, 1, 2, 2], 728)


@row("S1-MaxPool", "S1-AvgPool", "S2-PoolFig")
def s1_pool() -> None:
    x = image([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
    is_(F.max_pool2d(x, 2)[0, 0], [[6, 8], [3, 4]])
    is_(F.avg_pool2d(x, 2)[0, 0], [[3.25, 5.25], [2, 2]])


@row("S1-ZeroPad", "S2-PadZeros")
def s1_zero_pad() -> None:
    x = random(2, 3, 4, 5)
    is_(F.pad(T(x), (2, 2, 2, 2)), np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2))))
    w = T(random(2, 3, 3, 3))
    is_(F.conv2d(T(x), w, padding=1), F.conv2d(F.pad(T(x), (1, 1, 1, 1)), w))


@row("S1-SingleStep")
def s1_single_step() -> None:
    a, w, b = random(1, 3, 2, 2), random(1, 3, 2, 2, seed=1), random(1)
    is_(F.conv2d(T(a), T(w), T(b)).reshape(()), (a * w).sum() + b[0])


@row("S1-ConvForward")
def s1_conv_forward() -> None:
    for x, w, b, stride, pad in conv_grid():
        is_(
            F.conv2d(T(x), T(w), T(b), stride=stride, padding=pad), conv_loops(x, w, b, stride, pad)
        )


@row("S1-ConvBackward", "S1-Batch")
def s1_conv_backward() -> None:
    for x, w, b, stride, pad in conv_grid():
        tensors = P(x), P(w), P(b)
        y = F.conv2d(*tensors, stride=stride, padding=pad)
        dz = random(*y.shape, seed=3)
        for actual, expected in zip(
            grad(y, tensors, T(dz)), conv_loops_backward(x, w, dz, stride, pad), strict=True
        ):
            is_(actual, expected)


@row("S1-dW11", "S1-db", "S1-dX11")
def s1_gradients() -> None:
    x, w, b = image(X9), image(W4), P([0.5])
    F.conv2d(x, w, b).backward(T([[[[1.0, 2.0], [3.0, 4.0]]]]))
    is_(w.grad[0, 0], [[37, 47], [67, 77]])
    assert b.grad.item() == 10
    assert x.grad[0, 0, 0, 0].item() == 1


@row("S1-FullConv")
def s1_full() -> None:
    """Erratum: the filter must be rotated by 180 degrees; unrotated the result is another."""
    x, w, dz = image(X9), image(W4), image(W4)
    (dx,) = grad(F.conv2d(x, w), x, dz)
    is_(dx[0, 0], [[1, 4, 4], [6, 20, 16], [9, 24, 16]])
    is_(F.conv2d(F.pad(dz, (1, 1, 1, 1)), torch.flip(w, [2, 3])), dx)
    is_(F.conv2d(F.pad(dz, (1, 1, 1, 1)), w)[0, 0], [[4, 11, 6], [14, 30, 14], [6, 11, 4]])


@row("S1-FullConvStride")
def s1_full_stride() -> None:
    """For stride 2 the gradient is first spread with zeros (erratum)."""
    x, w = P(random(1, 1, 7, 7)), P(random(1, 1, 3, 3))
    y = F.conv2d(x, w, stride=2)
    dz = random(*y.shape, seed=1)
    spread = np.zeros((1, 1, 5, 5))
    spread[..., ::2, ::2] = dz
    is_(F.conv2d(F.pad(T(spread), (2, 2, 2, 2)), torch.flip(w, [2, 3])), grad(y, x, T(dz))[0])


@row("S1-PoolForward", "S1-PoolBackward")
def s1_pool_loops() -> None:
    for f, stride in itertools.product((2, 3), (1, 2, 3)):
        values = random(2, 3, 7, 6)
        for pool in (F.max_pool2d, F.avg_pool2d):
            x = P(values)
            y = pool(x, f, stride)
            dy = random(*y.shape, seed=1)
            expected, dx = np.zeros(y.shape), np.zeros_like(values)
            for n, c, i, j in np.ndindex(expected.shape):
                place = (n, c, slice(i * stride, i * stride + f), slice(j * stride, j * stride + f))
                window = values[place]
                mask = window == window.max() if pool is F.max_pool2d else np.full((f, f), 1 / f**2)
                expected[n, c, i, j] = (window * mask).sum()
                dx[place] += mask * dy[n, c, i, j]
            is_(y, expected)
            is_(grad(y, x, T(dy))[0], dx)


@row("S1-PoolMask", "S1-PoolTies")
def s1_mask() -> None:
    """Erratum: of equal maxima the first gets the whole gradient; a mask would multiply it."""
    for window, expected in (
        ([[1, 3], [4, 2]], [[0, 0], [7, 0]]),
        ([[5, 5], [5, 5]], [[7, 0], [0, 0]]),
    ):
        x = image(window)
        F.max_pool2d(x, 2).backward(T([[[[7.0]]]]))
        is_(x.grad[0, 0], expected)


@row("S1-PoolNoParam", "S1-Overfit")
def s1_no_parameters() -> None:
    assert list(nn.MaxPool2d(2).parameters()) == []
    x = P(random(1, 2, 6, 6))
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.sum().item() == 2 * 9
    assert sum(p.numel() for p in nn.Conv2d(3, 7, 3).parameters()) == 196


# S2: a lesson on backpropagation in PyTorch -------------------------------------------------------


@row("S2-Chain")
def s2_chain() -> None:
    x = P(0.7)
    y = x.sin()
    z = y**3
    (by_y,), (dy_by_x,) = grad(z, y, retain_graph=True), grad(y, x, retain_graph=True)
    z.backward()
    is_(x.grad, 3 * math.sin(0.7) ** 2 * math.cos(0.7))
    is_(by_y * dy_by_x, x.grad)


def toy() -> tuple[Any, ...]:
    x, y, z = P(-2.0), P(5.0), P(-4.0)
    q = x + y
    return x, y, z, q, q * z


@row("S2-Func", "S2-Fig3", "S2-Fig4", "S2-Fig5")
def s2_function() -> None:
    x, y, z, q, f = toy()
    assert (q.item(), f.item()) == (3, -12)
    f.retain_grad()
    q.retain_grad()
    f.backward()
    assert [t.grad.item() for t in (f, q, x, y, z)] == [1, -4, -4, -4, 3]
    v = P([-2.0, 5.0, -4.0])
    is_(jacobian(lambda v: ((v[0] + v[1]) * v[2])[None], v), [[-4, -4, 3]])


@row("S2-Fig1", "S2-Fig2")
def s2_figures() -> None:
    x, y, _, q, f = toy()
    assert plain(q.grad_fn.name()) == "AddBackward"
    assert [
        node.variable is t for (node, _), t in zip(q.grad_fn.next_functions, (x, y), strict=True)
    ] == [True, True]
    assert sorted(names(f)) == ["AccumulateGrad"] * 3 + ["AddBackward", "MulBackward"]


@row("S2-ProductRule", "S2-SumRule", "S2-Local")
def s2_rules() -> None:
    u, v = P(3.0), P(-4.0)
    assert [g.item() for g in grad(u * v, (u, v))] == [-4, 3]
    assert [g.item() for g in grad(u + v, (u, v))] == [1, 1]
    t = P(0.8)
    is_(grad(t.sin() * t**2, t)[0], math.cos(0.8) * 0.64 + math.sin(0.8) * 1.6)


@row("S2-PyToy")
def s2_session() -> None:
    """The console session, as printed."""
    x = torch.tensor(-2., requires_grad = True)  # fmt: skip
    y = torch.tensor(5. , requires_grad = True)  # fmt: skip
    z = torch.tensor(-4., requires_grad = True)  # fmt: skip
    assert (
        repr((x, y, z)) == "(tensor(-2., requires_grad=True), tensor(5., requires_grad=True), "
        "tensor(-4., requires_grad=True))"
    )
    q = x + y
    f = q * z
    assert (
        plain(repr((q, f)))
        == "(tensor(3., grad_fn=<AddBackward>), tensor(-12., grad_fn=<MulBackward>))"
    )
    f.backward()
    assert repr((x.grad, y.grad, z.grad)) == "(tensor(-4.), tensor(-4.), tensor(3.))"


@row("S2-DefineByRun")
def s2_define_by_run() -> None:
    for start, power in ((3.0, 5), (11.0, 2)):
        x = P(start)
        y, n = x, 1
        while y.item() < 100:
            y, n = y * x, n + 1
        assert n == power
        y.backward()
        is_(x.grad, power * start ** (power - 1))


@row("S2-GradStored")
def s2_stored() -> None:
    x = P(2.0)
    q = x**2
    (q + 1).backward()
    assert x.grad.item() == 4
    assert x.is_leaf
    with pytest.warns(UserWarning, match="not a leaf"):
        assert q.grad is None


@row("S2-Linear")
def s2_linear() -> None:
    torch.manual_seed(0)
    lin = nn.Linear(3, 5)
    assert tuple(lin.weight.shape) == (5, 3)
    assert tuple(lin.bias.shape) == (5,)
    assert isinstance(lin.weight, nn.Parameter)
    assert repr(lin.weight).startswith("Parameter containing:\ntensor([[")
    assert repr(lin.weight).endswith("requires_grad=True)")
    assert max(lin.weight.abs().max().item(), lin.bias.abs().max().item()) <= 1 / math.sqrt(3)


@row("S2-LinearRepr")
def s2_linear_repr() -> None:
    numbers = [
        [-0.0033, 0.5535, 0.1779],
        [0.3713, -0.0790, 0.1122],
        [-0.0505, 0.1339, -0.5534],
        [0.3604, 0.5361, 0.1966],
        [-0.1884, -0.4768, 0.0522],
    ]
    assert repr(nn.Parameter(torch.tensor(numbers))) == (
        "Parameter containing:\n"
        "tensor([[-0.0033,  0.5535,  0.1779],\n"
        "        [ 0.3713, -0.0790,  0.1122],\n"
        "        [-0.0505,  0.1339, -0.5534],\n"
        "        [ 0.3604,  0.5361,  0.1966],\n"
        "        [-0.1884, -0.4768,  0.0522]], requires_grad=True)"
    )
    assert repr(nn.Parameter(torch.tensor([-0.0224, 0.2585, 0.4717, 0.1976, -0.4478]))) == (
        "Parameter containing:\n"
        "tensor([-0.0224,  0.2585,  0.4717,  0.1976, -0.4478], requires_grad=True)"
    )


@row("S2-NoGrad")
def s2_no_grad() -> None:
    """Erratum: no tensor loses its flag, only results are not recorded."""
    lin, p = nn.Linear(2, 2), P(1.0)
    with torch.no_grad():
        assert not (p * 2).requires_grad
        assert p.requires_grad
        assert lin.weight.requires_grad


@row("S2-Strict", "S2-SlideMap")
def s2_strict() -> None:
    x = P(random(1, 1, 7, 7))
    y = F.conv2d(x, T(np.ones((1, 1, 3, 3))))
    assert tuple(y.shape) == (1, 1, 5, 5)
    for i, j in np.ndindex(5, 5):
        expected = np.zeros((7, 7))
        expected[i : i + 3, j : j + 3] = 1
        is_(grad(y[0, 0, i, j], x, retain_graph=True)[0][0, 0], expected)


@row("S2-Sobel")
def s2_sobel() -> None:
    step = np.zeros((6, 6))
    step[:, 3:] = 1
    vertical = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    is_(F.conv2d(image(step), image(vertical))[0, 0, 0], [0, 4, 4, 0])
    is_(F.conv2d(image(step), image(vertical.T))[0, 0], np.zeros((4, 4)))


@row("S2-SharedParam")
def s2_shared() -> None:
    x, k = P(random(1, 1, 5, 5)), P(random(1, 1, 3, 3))
    (dk,) = grad(F.conv2d(x, k).sum(), k)
    is_(
        dk[0, 0], [[array(x)[0, 0, i : i + 3, j : j + 3].sum() for j in range(3)] for i in range(3)]
    )


@row("S2-MultiChannel")
def s2_channels() -> None:
    x, w = random(1, 3, 5, 5), random(1, 3, 2, 2)
    is_(
        F.conv2d(T(x), T(w)),
        sum(array(F.conv2d(T(x[:, c : c + 1]), T(w[:, c : c + 1]))) for c in range(3)),
    )


@row("S2-ConvSession", "S2-PadSession")
def s2_conv_session() -> None:
    img_batch = torch.randn(5, 3, 50, 50)
    assert repr(img_batch.shape) == "torch.Size([5, 3, 50, 50])"
    convolution = nn.Conv2d(in_channels=3, out_channels=7, kernel_size=(3, 3))
    assert repr(convolution) == "Conv2d(3, 7, kernel_size=(3, 3), stride=(1, 1))"
    assert repr(convolution(img_batch).shape) == "torch.Size([5, 7, 48, 48])"
    assert tuple(convolution.weight.shape) == (7, 3, 3, 3)
    convolution = nn.Conv2d(in_channels=3, out_channels=7, kernel_size=(3, 3), padding=(1, 1))
    assert repr(convolution) == "Conv2d(3, 7, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"
    assert repr(convolution(img_batch).shape) == "torch.Size([5, 7, 50, 50])"
    if OURS is not THEIRS:
        assert convolution(img_batch).grad_fn.name() == "Conv2dBackward"


@row("S2-SizeFree")
def s2_size_free() -> None:
    layer = nn.Conv2d(3, 7, 3)
    for size, out in (((50, 50), (48, 48)), ((8, 21), (6, 19)), ((3, 3), (1, 1))):
        assert tuple(layer(torch.zeros(1, 3, *size)).shape) == (1, 7, *out)


@row("S2-PoolSession", "S2-PoolGrad", "S2-PoolModule")
def s2_pool_session() -> None:
    img_batch = torch.arange(16).float().view(1, 1, 4, 4)
    img_batch.requires_grad = True
    assert repr(img_batch) == (
        "tensor([[[[ 0.,  1.,  2.,  3.],\n"
        "          [ 4.,  5.,  6.,  7.],\n"
        "          [ 8.,  9., 10., 11.],\n"
        "          [12., 13., 14., 15.]]]], requires_grad=True)"
    )
    output = F.max_pool2d(img_batch, kernel_size = [2, 2])  # fmt: skip
    node = "MaxPool2DWithIndicesBackward" if OURS is THEIRS else "MaxPoolBackward"
    assert (
        plain(repr(output)) == f"tensor([[[[ 5.,  7.],\n          [13., 15.]]]], grad_fn=<{node}>)"
    )
    assert repr(output.shape) == "torch.Size([1, 1, 2, 2])"
    is_(nn.MaxPool2d([2, 2])(img_batch), output)
    output.sum().backward()
    assert [i for i, g in enumerate(img_batch.grad.view(-1).tolist()) if g] == [5, 7, 13, 15]


@row("S2-TransInv")
def s2_invariance() -> None:
    maps = []
    for place in ((0, 2), (1, 3)):
        picture = np.zeros((1, 1, 6, 6))
        picture[(0, 0, *place)] = 1
        maps.append(F.max_pool2d(T(picture), 2))
    is_(*maps)


@row("S2-VGG16")
def s2_vgg16() -> None:
    """The thirteen convolutions, counted; one channel in place of 64 where they are run."""
    plan = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]
    weights, channels = 0, 3
    for width in filter(None, plan):
        weights, channels = weights + 9 * channels * width + width, width
    linear = (512 * 7 * 7 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    assert (weights, weights + linear) == (14_714_688, 138_357_544)
    layers, channels = [], 3
    for width in plan:
        layers += (
            [nn.MaxPool2d(2)]
            if not width
            else [nn.Conv2d(channels, width // 64, 3, padding=1), nn.ReLU()]
        )
        channels = width // 64 or channels
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 7 * 7, 1000), nn.Softmax(dim=1))
    probabilities = net(torch.rand(1, 3, 224, 224))
    assert tuple(probabilities.shape) == (1, 1000)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)


# S3: backpropagation as a walk over paths ---------------------------------------------------------


@row("S3-Nested")
def s3_nested() -> None:
    w = P(0.0)
    f = torch.sigmoid(torch.sigmoid(w))
    assert f.item() == pytest.approx(0.6224593312, abs=1e-10)
    s, outer = 0.5, f.item()
    is_(grad(f, w)[0], outer * (1 - outer) * s * (1 - s))


@row("S3-Cos")
def s3_cos() -> None:
    w = P(1.0)
    assert grad(torch.cos(w**2), w)[0].item() == pytest.approx(-1.6829419696, abs=1e-10)


@row("S3-Multi")
def s3_multi() -> None:
    w = P(0.9)
    inner = [w.sin(), w**2, w.exp(), w.tanh()]
    f = inner[0] * inner[1] + inner[2] * inner[3]
    outer = grad(f, inner, retain_graph=True)
    total = sum(
        o.item() * grad(g, w, retain_graph=True)[0].item()
        for o, g in zip(outer, inner, strict=True)
    )
    is_(grad(f, w)[0], total)


@row("S3-TwoPaths", "S3-TopDown")
def s3_two_paths() -> None:
    w = P(1.0)
    y = w**2
    o = torch.cos(y) + torch.sin(y)
    assert paths(o, w) == 2
    assert len(names(o)) == 5  # w, w², sin, cos and the sum: w² is there once
    assert grad(o, w)[0].item() == pytest.approx(-0.6023373579, abs=1e-10)


@row("S3-PathLemma", "S3-Exptime")
def s3_path_lemma() -> None:
    """On random graphs of nine nodes; a local derivative is ∂y(j)/∂y(i) (erratum)."""
    kinds = [
        lambda a, b: a.sin(),
        lambda a, b: a * b,
        lambda a, b: a + b,
        lambda a, b: a.exp() * b.cos(),
    ]
    for seed in range(10):
        r = np.random.default_rng(seed)
        w = P(0.7)
        values, parents, local = [w], [()], [()]
        for k in range(1, 9):
            kind, pair = kinds[r.integers(4)], r.integers(k, size=2)
            values.append(kind(*[values[i] for i in pair]))
            alone = [P(values[i].item()) for i in pair]
            slopes = grad(kind(*alone), alone, allow_unused=True)
            parents.append(tuple(pair))
            local.append(tuple(0.0 if z is None else z.item() for z in slopes))

        def along_all_paths(j: int, parents: Any = parents, local: Any = local) -> float:
            return (
                1.0
                if j == 0
                else sum(z * along_all_paths(i) for i, z in zip(parents[j], local[j], strict=True))
            )

        is_(grad(values[8], w)[0], along_all_paths(8))


@row("S3-Product")
def s3_product() -> None:
    w = P(1.1)
    layer = [w, w]
    for _ in range(5):
        layer = [layer[0] * layer[1]] * 2
    o = layer[0]
    assert paths(o, w) == 32
    is_(o, 1.1**32)
    (g,) = grad(o, w)
    is_(g, 32 * 1.1**31)
    assert g.item() == pytest.approx(614.218960, abs=1e-6)


@row("S3-MillionPaths")
def s3_million() -> None:
    W = [T(random(100, 100, seed=i) / 10) for i in range(2)] + [T(random(1, 100, seed=3))]
    x = P(random(100))
    (g,) = grad((W[2] @ (W[1] @ (W[0] @ x))).sum(), x)
    is_(g, (array(W[2]) @ array(W[1]) @ array(W[0]))[0])


@row("S3-DP")
def s3_dynamic_programming() -> None:
    w = P(1.0)
    y = w
    for _ in range(30):
        y = y + y
    assert grad(y, w)[0].item() == 1073741824


@row("S3-DeepPath")
def s3_deep() -> None:
    w, value, slope = P(1.0), 1.0, 1.0
    y = w
    for _ in range(5000):
        y, slope, value = y.sin(), slope * math.cos(value), math.sin(value)
    is_(y, value)
    is_(grad(y, w)[0], slope)


@row("S3-Pre", "S3-Post", "S3-Both", "S3-WeightGrad", "S3-Vector")
def s3_layers() -> None:
    """δ and Δ by the slides' recursions (erratum: δ of the node that the weight leads to)."""
    W = [P(random(4, 3)), P(random(3, 4)), P(random(1, 3))]
    x = T(random(3, seed=5))
    hs, zs = [x], []
    for weight in W:
        zs.append(weight @ hs[-1])
        hs.append(torch.sigmoid(zs[-1]))
        zs[-1].retain_grad()
        hs[-1].retain_grad()
    loss = ((hs[-1] - 0.3) ** 2).sum()
    loss.backward()
    slopes = [array(h) * (1 - array(h)) for h in hs[1:]]
    post = 2 * (array(hs[-1]) - 0.3)
    for level in reversed(range(3)):
        is_(hs[level + 1].grad, post)
        pre = slopes[level] * post
        is_(zs[level].grad, pre)
        is_(W[level].grad, np.outer(pre, array(hs[level])))
        post = array(W[level]).T @ pre


@row("S3-JacDef", "S3-Sparse")
def s3_jacobian() -> None:
    W, x = T(random(2, 4)), P(random(4))
    J = jacobian(lambda x: torch.tanh(W @ x), x)
    assert J.shape == (2, 4)
    is_(J, (1 - np.tanh(array(W) @ array(x)) ** 2)[:, None] * array(W))
    diagonal = jacobian(torch.tanh, x)
    assert not (diagonal - np.diag(np.diag(diagonal))).any()
    pooled = jacobian(lambda x: F.max_pool2d(x, 2), P(random(1, 1, 4, 4)))
    is_(pooled.sum(1), np.ones(4))
    assert set(np.unique(pooled)) == {0, 1}


@row("S3-JacEx")
def s3_jacobian_example() -> None:
    v = P([1.0, 2.0])
    J = jacobian(lambda v: torch.stack((v[0] ** 2 * v[1], 5 * v[0] + v[1].sin())), v)
    is_(J, [[4, 1], [5, -0.4161468365]], rtol=1e-9)


@row("S3-TabLinear", "S3-TabSigmoid", "S3-TabTanh", "S3-TabReLU", "S3-TabArbitrary")
def s3_table() -> None:
    g, z = random(7, seed=1), P(np.linspace(-3, 3, 7))
    for function, rule in (
        (torch.sigmoid, lambda g, y: g * y * (1 - y)),
        (torch.tanh, lambda g, y: g * (1 - y * y)),
        (torch.relu, lambda g, y: g * (y > 0)),
    ):
        y = function(z)
        is_(grad(y, z, T(g))[0], rule(g, array(y)))
    W, x = P(random(4, 3)), P(random(4))
    is_(grad(W.t() @ x, x, T(g[:3]))[0], array(W) @ g[:3])
    lin = nn.Linear(4, 3, bias=False).double()
    assert tuple(lin.weight.shape) == (3, 4)
    mixed = lambda x: torch.stack((x[0] * x[1], x[1].exp() + x[2], (x * x).sum()))  # noqa: E731
    v = P([0.5, -1.0, 2.0])
    is_(grad(mixed(v), v, T(g[:3]))[0], jacobian(mixed, v).T @ g[:3])


@row("S3-TabHardTanh")
def s3_hardtanh() -> None:
    """At exactly ±1 (erratum): hardtanh's gradient is 0, clamp's is 1."""
    z = P([-1.01, -1.0, -0.99, 0.0, 0.99, 1.0, 1.01])
    is_(F.hardtanh(z), [-1, -1, -0.99, 0, 0.99, 1, 1])
    is_(grad(F.hardtanh(z).sum(), z)[0], [0, 0, 1, 1, 1, 0, 0])
    is_(grad(z.clamp(-1, 1).sum(), z)[0], [0, 1, 1, 1, 1, 1, 0])


@row("S3-TabMax")
def s3_max() -> None:
    z = P([1.0, 4.0, 2.0])
    is_(grad(z.max() * 5, z)[0], [0, 5, 0])
    ones = P([1.0] * 4)
    is_(grad(ones.max(), ones)[0], [0.25] * 4)
    is_(grad(ones.amax(), ones)[0], [0.25] * 4)
    is_(grad(ones.max(0)[0], ones)[0], [1, 0, 0, 0])


@row("S3-Bowls")
def s3_bowls() -> None:
    for factor, slope, cosine in ((1, [4, 2], 1.0), (4, [4, 8], 0.8)):
        v = P([2.0, 1.0])
        (g,) = grad(v[0] ** 2 + factor * v[1] ** 2, v)
        is_(g, slope)
        is_((g * v).sum() / (g.norm() * v.norm()), cosine)
    for lr, factors in ((0.1, (0.8, 0.2)), (0.3, (0.4, -1.4)), (0.25, (0.5, -1.0))):
        v = P([2.0, 1.0])
        for k in range(1, 6):
            (g,) = grad(v[0] ** 2 + 4 * v[1] ** 2, v)
            with torch.no_grad():
                v -= lr * g
            is_(v, [2 * factors[0] ** k, factors[1] ** k])


@row("S3-Vanish", "S3-Explode")
def s3_vanish() -> None:
    x, value, slope = P(0.5), 0.5, 1.0
    y, r = x, x
    for _ in range(12):
        y, r = torch.sigmoid(y), torch.relu(r)
        value = 1 / (1 + math.exp(-value))
        slope *= value * (1 - value)
    is_(grad(y, x)[0], slope)
    assert 0 < slope < 0.25**12
    assert grad(r, x)[0].item() == 1
    for weight, expected in ((2.0, 2.0**20), (0.5, 2.0**-20)):
        z = x = P(1.0)
        for _ in range(20):
            z = z * weight
        assert grad(z, x)[0].item() == expected


@row("S3-SecondOrder")
def s3_newton() -> None:
    v = P([2.0, 1.0])
    (g,) = grad(v[0] ** 2 + 4 * v[1] ** 2, v, create_graph=True)
    hessian = np.array([array(grad(g[i], v, retain_graph=True)[0]) for i in range(2)])
    is_(hessian, np.diag([2, 8]))
    is_(array(v) - np.linalg.solve(hessian, array(g)), [0, 0])


@row("S3-XCorr", "S3-ConvDef", "S3-Conv5")
def s3_correlation() -> None:
    """conv2d is cross-correlation; convolution flips the kernel (erratum: (4) and (5) do not)."""
    X, K = random(6, 5), random(3, 2)
    is_(
        F.conv2d(image(X), image(K))[0, 0],
        [[(X[i : i + 3, j : j + 2] * K).sum() for j in range(4)] for i in range(4)],
    )
    true = [
        [
            sum(X[i + 2 - m, j + 1 - n] * K[m, n] for m in range(3) for n in range(2))
            for j in range(4)
        ]
        for i in range(4)
    ]
    is_(F.conv2d(image(X), torch.flip(image(K), [2, 3]))[0, 0], true)
    is_(F.conv2d(image(X), image(K), T([0.25])), F.conv2d(image(X), image(K)) + 0.25)


@row("S3-FlipSym")
def s3_symmetric() -> None:
    X = image(random(5, 5))
    gauss = image(np.outer([1, 2, 1], [1, 2, 1]) / 16)
    sobel = image([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    is_(F.conv2d(X, gauss), F.conv2d(X, gauss.flip([2, 3])))
    is_(F.conv2d(X, sobel), -F.conv2d(X, sobel.flip([2, 3])))


@row("S3-ConvMat", "S3-ConvMatT")
def s3_matrix() -> None:
    K, x = image(random(3, 3)), image(random(4, 4))
    J = jacobian(lambda x: F.conv2d(x, K), x)
    assert J.shape == (4, 16)
    expected = np.zeros((4, 4, 4))
    for out, (i, j) in enumerate(np.ndindex(2, 2)):
        expected[out, i : i + 3, j : j + 3] = array(K)[0, 0]
    is_(J, expected.reshape(4, 16))
    dy = random(4)
    is_(grad(F.conv2d(x, K), x, T(dy.reshape(1, 1, 2, 2)))[0].reshape(-1), J.T @ dy)


@row("S3-ConvTranspose")
def s3_transpose() -> None:
    for stride in (1, 2):
        x, K = P(random(1, 1, 7, 5)), T(random(1, 1, 3, 3))
        y = F.conv2d(x, K, stride=stride)
        dy = T(random(*y.shape, seed=1))
        is_(F.conv_transpose2d(dy, K, stride=stride), grad(y, x, dy)[0])


@row("S3-Im2col", "S3-Conv4")
def s3_im2col() -> None:
    x, w, b = T(random(2, 3, 6, 5)), T(random(4, 3, 3, 2)), T(random(4))
    columns = F.unfold(x, (3, 2))
    assert tuple(columns.shape) == (2, 18, 16)
    is_((w.view(4, 18) @ columns + b.view(4, 1)).view(2, 4, 4, 4), F.conv2d(x, w, b))


def s3_net() -> tuple[Any, ...]:
    """Two convolutional layers, 6x6 -> 4x4 -> 3x3, with tanh; E = ½Σ(t-y)²."""
    o0, w1, w2, b1, b2 = (
        image(random(6, 6)),
        image(random(3, 3)),
        image(random(2, 2)),
        P([0.1]),
        P([-0.2]),
    )
    x1 = F.conv2d(o0, w1, b1)
    o1 = torch.tanh(x1)
    x2 = F.conv2d(o1, w2, b2)
    o2 = torch.tanh(x2)
    for t in (x1, o1, x2, o2):
        t.retain_grad()
    error = 0.5 * ((T(random(3, 3, seed=7)) - o2) ** 2).sum()
    error.backward()
    return o0, w1, w2, b1, b2, x1, o1, x2


@row("S3-Notation", "S3-Eq13", "S3-Eq14", "S3-Eq15", "S3-Eq20", "S3-Eq21")
def s3_equations() -> None:
    """Erratum: (14) and (21) use two meanings of ∗; here each in the one that makes it true."""
    o0, w1, w2, b1, b2, x1, o1, x2 = s3_net()
    assert (tuple(x1.shape[2:]), tuple(x2.shape[2:])) == ((4, 4), (3, 3))
    delta1, delta2 = array(x1.grad)[0, 0], array(x2.grad)[0, 0]
    for o, w, delta in ((o0, w1, delta1), (o1, w2, delta2)):
        signal = array(o)[0, 0]
        rows, cols = delta.shape
        expected = [
            [(delta * signal[m : m + rows, n : n + cols]).sum() for n in range(w.shape[3])]
            for m in range(w.shape[2])
        ]
        is_(w.grad[0, 0], expected)  # (13)
        is_(
            F.conv2d(T(signal[None, None]), T(delta[None, None]))[0, 0], expected
        )  # (14), as a cross-correlation
    is_(b1.grad, [delta1.sum()])
    is_(b2.grad, [delta2.sum()])
    slope, w = 1 - array(o1)[0, 0] ** 2, array(w2)[0, 0]
    by_20 = np.zeros((4, 4))
    for i, j in np.ndindex(4, 4):
        by_20[i, j] = slope[i, j] * sum(
            delta2[i - m, j - n] * w[m, n]
            for m in range(2)
            for n in range(2)
            if 0 <= i - m < 3 and 0 <= j - n < 3
        )
    is_(x1.grad[0, 0], by_20)
    by_21 = F.conv2d(F.pad(x2.grad, (1, 1, 1, 1)), torch.flip(w2.detach(), [2, 3]))[0, 0]
    is_(by_21 * T(slope), by_20)
    is_(torch.flip(T([[11, 12], [21, 22]]), [0, 1]), [[22, 21], [12, 11]])


@row("S3-Error")
def s3_error() -> None:
    t, y = T([1.0, 0.0, 2.0]), P([0.5, 0.25, 3.0])
    error = 0.5 * ((t - y) ** 2).sum()
    assert error.item() == 0.65625
    is_(grad(error, y)[0], array(y) - array(t))
    assert F.mse_loss(y, t).item() == 0.4375
    is_(F.mse_loss(y, t, reduction="sum"), 2 * 0.65625)


@row("S3-OutSize")
def s3_sizes() -> None:
    for size, kernel, out in (
        ((7, 9), (3, 3), (5, 7)),
        ((6, 6), (2, 5), (5, 2)),
        ((5, 8), (5, 1), (1, 8)),
    ):
        assert (
            tuple(F.conv2d(torch.zeros(1, 1, *size), torch.zeros(1, 1, *kernel)).shape[2:]) == out
        )


@row("S3-Eq10")
def s3_filter_jacobian() -> None:
    o, w = random(4, 4), image(random(2, 2))
    J = jacobian(lambda w: F.conv2d(T(o[None, None]), w), w)
    is_(
        J,
        [[o[i + m, j + n] for m in range(2) for n in range(2)] for i in range(3) for j in range(3)],
    )


@row("S3-Eq16")
def s3_region() -> None:
    x = image(random(6, 6))
    J = jacobian(lambda x: F.conv2d(x, T(np.ones((1, 1, 3, 2)))), x).reshape(4, 5, 6, 6)
    region = np.zeros((4, 5))
    region[1:4, 2:4] = 1  # rows i'-k1+1..i', columns j'-k2+1..j' of the pixel (3, 3)
    is_(J[:, :, 3, 3], region)


@row("S3-MaxPoolErr", "S3-AvgPoolErr")
def s3_pool_errors() -> None:
    """Erratum: average pooling divides the error by N·N."""
    values = np.arange(16.0).reshape(4, 4)
    x = image(values)
    errors = T([[[[10.0, 20.0], [30.0, 40.0]]]])
    (dx,) = grad(F.max_pool2d(x, 2), x, errors)
    is_(dx[0, 0][[1, 1, 3, 3], [1, 3, 1, 3]], [10, 20, 30, 40])
    assert dx.sum().item() == 100
    (dx,) = grad(F.avg_pool2d(x, 2), x, errors)
    is_(dx[0, 0], np.kron([[2.5, 5], [7.5, 10]], np.ones((2, 2))))


# S4, chapter 10: neurons --------------------------------------------------------------------------


@row("S4-Eq10.1", "S4-Ex10.2.1", "S4-P10.2.2")
def s4_neuron() -> None:
    neuron = nn.Linear(5, 1, bias=False)
    with torch.no_grad():
        neuron.weight.fill_(1)
    x = torch.tensor([-2.0, -1, 0, 1, 2])
    assert torch.sigmoid(neuron(x)).item() == 0.5
    assert torch.relu(neuron(x)).item() == 0
    w = T([1, 1, 5, 1, 1])
    assert [torch.relu(w @ T(v)).item() for v in ([-2, -2, 0, 1, 2], [2, -1, 0, 1, 2])] == [0, 4]


@row("S4-Eq10.2")
def s4_sigmoid() -> None:
    z = P([-800.0, 800.0, 0.0])
    y = torch.sigmoid(z)
    is_(y, [0, 1, 0.5])
    is_(grad(y.sum(), z)[0], [0, 0, 0.25])


@row("S4-Eq10.3")
def s4_tanh() -> None:
    z = P(np.linspace(-3, 3, 9))
    for other in (2 * torch.sigmoid(2 * z) - 1, (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())):
        is_(torch.tanh(z), other)
        is_(grad(torch.tanh(z).sum(), z)[0], grad(other.sum(), z)[0])


@row("S4-Eq10.4", "S4-Vanish")
def s4_relu() -> None:
    """Erratum: ReLU keeps its gradient for positive z only."""
    z = P([1000.0, -1000.0, 0.0])
    for relu in (torch.relu, F.relu, nn.ReLU(), lambda z: torch.clamp(z, min=0)):
        is_(relu(z), [1000, 0, 0])
    is_(grad(torch.relu(z).sum(), z)[0], [1, 0, 0])
    z = P(10.0)
    assert grad(torch.sigmoid(z), z)[0].item() == pytest.approx(4.5396e-5, rel=1e-4)
    assert grad(torch.tanh(z), z)[0].item() == pytest.approx(8.24e-9, rel=1e-3)


@row("S4-Eq10.5")
def s4_step() -> None:
    z = P([-1.0, 0.0, 2.0])
    step = z > 0
    assert step.tolist() == [False, False, True]
    assert not step.requires_grad
    is_(torch.where(z > 0, T(1.0), T(0.0)), [0, 0, 1])


@row("S4-Prop10.3.1")
def s4_no_linear_xor() -> None:
    """0 of 21³ neurons; logistic loss can reach ln 2 and no less."""
    inputs = T([[0, 0], [0, 1], [1, 0], [1, 1]])
    grid = np.array(list(itertools.product(np.linspace(-2, 2, 21), repeat=3)))
    outputs = (inputs @ T(grid[:, :2].T) + T(grid[:, 2])) > 0
    assert not (outputs == torch.tensor([[False], [True], [True], [False]])).all(0).any().item()
    w = P(np.zeros(3))
    loss = F.binary_cross_entropy_with_logits(inputs @ w[:2] + w[2], T([0, 1, 1, 0]))
    assert loss.item() == pytest.approx(math.log(2), rel=1e-15)
    is_(grad(loss, w)[0], [0, 0, 0])


@row("S4-P10.3.2", "S2-AND")
def s4_and_or() -> None:
    inputs = T([[0, 0], [0, 1], [1, 0], [1, 1]])
    for bias, expected in ((-1.5, [0, 0, 0, 1]), (-0.5, [0, 1, 1, 1])):
        assert ((inputs @ T([1, 1]) + bias) > 0).long().tolist() == expected


def xor_net() -> Any:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU())
    with torch.no_grad():
        for parameter, value in zip(
            net.parameters(), ([[1.0, 1], [1, 1]], [0.0, -1], [[1.0, -2]], [0.0]), strict=True
        ):
            parameter.copy_(torch.tensor(value))
    return net


@row("S4-P10.3.3", "S4-Fig10.7")
def s4_xor() -> None:
    net, inputs = xor_net(), torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    assert net(inputs).reshape(-1).tolist() == [0, 1, 1, 0]
    hidden = net[1](net[0](inputs))
    assert hidden.tolist() == [[0, 0], [1, 0], [1, 0], [2, 1]]
    assert ((hidden @ torch.tensor([1.0, -2])) > 0.5).tolist() == [False, True, True, False]


@row("S4-XORtrain")
def s4_learn_xor() -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    inputs, target = (
        torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]),
        torch.tensor([[0.0], [1], [1], [0]]),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    for _ in range(500):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(inputs), target)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


@row("S4-Ex10.4.1", "S4-Ex10.4.2", "S4-P10.4.3")
def s4_softmax() -> None:
    o = P([3.0, 0.0, 1.0])
    p = F.softmax(o, dim=0)
    is_(p, [0.843795, 0.042010, 0.114195], rtol=1e-5)
    for shift in (2.0, 1000.0, -1000.0):
        is_(F.softmax(o + shift, dim=0), p)
        is_(F.log_softmax(o + shift, dim=0), p.log(), rtol=1e-9)
    is_(jacobian(lambda o: F.softmax(o, 0), o).sum(1), [0, 0, 0])


# S4, chapter 11: feedforward networks -------------------------------------------------------------

W1 = np.array([[2.0, -3, 0], [-1, 1, 2]])
W2 = np.array([[1.0, 2], [2, -2]])
WO = np.array([[-1.0, 2], [2, 1], [1, 2]])


def s4_net(x: Any, w1: Any = W1, w2: Any = W2, wo: Any = WO) -> tuple[Any, Any, Any]:
    tensor = lambda w: w if hasattr(w, "requires_grad") else T(w)  # noqa: E731
    h1 = torch.relu(tensor(w1) @ T(x))
    h2 = torch.relu(tensor(w2) @ h1)
    return h1, h2, tensor(wo) @ h2


@row("S4-Ex11.1.1", "S4-Ex11.1.2", "S4-Ex11.1.3", "S4-Ex11.2.2")
def s4_forward() -> None:
    h1, h2, o = s4_net([1, 1, 1])
    assert (h1.tolist(), h2.tolist(), o.tolist()) == ([0, 2], [4, 0], [-4, 8, 4])
    is_(F.softmax(o, 0), [6.03e-6, 0.982008, 0.017986], rtol=1e-3)
    single = P(-4.0)
    loss = F.mse_loss(single, T(0.0), reduction="sum")
    assert (loss.item(), grad(loss, single)[0].item()) == (16, -8)


@row("S4-Eq11.9", "S4-Ex11.2.1")
def s4_general() -> None:
    net = nn.Sequential(
        nn.Linear(3, 2, bias=False),
        nn.ReLU(),
        nn.Linear(2, 2, bias=False),
        nn.ReLU(),
        nn.Linear(2, 3, bias=False),
    ).double()
    assert sum(p.numel() for p in net.parameters()) == 16
    with torch.no_grad():
        for p, w in zip(net.parameters(), (W1, W2, WO), strict=True):
            p.copy_(T(w))
    is_(F.softmax(net(T([[1, 1, 1], [3, 1, 2]])), 1), F.softmax(T([[-4, 8, 4], [-3, 16, 11]]), 1))


@row("S4-Sec11.2.2")
def s4_linear() -> None:
    is_(T(WO) @ T(W2) @ T(W1), [[12, -15, -12], [6, -10, 4], [12, -17, -4]])


@row("S4-Ex11.2.3", "S4-CEsum")
def s4_cross_entropy() -> None:
    """Erratum: the loss of label 2 is 0.0182; the printed 4.02 is that of label 3."""
    o = P([[-4.0, 8, 4]])
    for label, expected in ((0, 12.018156), (1, 0.018156), (2, 4.018156)):
        target = torch.tensor([label])
        assert F.cross_entropy(o, target).item() == pytest.approx(expected, abs=1e-6)
        is_(F.nll_loss(F.log_softmax(o, 1), target), -F.softmax(o, 1).log()[0, label])
    logits, target = T(random(6, 3)), torch.tensor([0, 1, 2, 0, 1, 2])
    is_(F.cross_entropy(logits, target, reduction="sum"), 6 * F.cross_entropy(logits, target))
    assert F.cross_entropy(T([[1000.0, -1000.0]]), torch.tensor([1])).item() == 2000


@row("S4-Fig11.3", "S4-Ex11.3.1", "S4-Ex11.3.2", "S4-P11.3.3", "S4-P11.3.4")
def s4_delta_method() -> None:
    w1 = P(W1)
    h1, h2, o = s4_net([3, 1, 2], w1=w1)
    assert (h1.tolist(), h2.tolist(), o.tolist()) == ([3, 2], [7, 2], [-3, 16, 11])
    for i, slope in enumerate((-6, 2, -2)):
        assert grad(o[i], w1, retain_graph=True)[0][1, 1].item() == slope
    step = 1e-3
    moved = W1.copy()
    moved[1, 1] += step
    is_(s4_net([3, 1, 2], w1=moved)[2], [-3 - 6 * step, 16 + 2 * step, 11 - 2 * step])
    is_(grad(o[0], h2, retain_graph=True)[0], [-1, 2])
    assert [grad(h2[i], w1, retain_graph=True)[0][1, 1].item() for i in range(2)] == [2, -2]
    assert [grad(h2[i], h1, retain_graph=True)[0][1].item() for i in range(2)] == [2, -2]
    assert grad(h1[1], w1, retain_graph=True)[0][1, 1].item() == 1


@row("S4-Jacobian", "S4-Ex11.4.1", "S4-P11.4.2", "S4-Ex11.4.3", "S4-Def11.4.4", "S4-Ex11.4.5")
def s4_jacobians() -> None:
    """Errata: the chain's Jacobian is ℓ×n; ReLU(Ax)'s is that of z."""
    A, x = T([[2, -1, 3], [-1, 0, 2]]), P(random(3))
    is_(jacobian(lambda x: A @ x, x), A)
    v = P([1.5, -2.0, 0.0, 3.0])
    is_(jacobian(torch.relu, v), np.diag([1, 0, 0, 1]))
    B = T(random(4, 3))
    is_(jacobian(lambda x: torch.relu(B @ x), x), ((array(B) @ array(x)) > 0)[:, None] * array(B))
    y = P(array(B) @ array(x))
    outer = lambda y: torch.stack((y.sin().sum(), (y * y).sum()))  # noqa: E731
    whole = jacobian(lambda x: outer(B @ x), x)
    assert whole.shape == (2, 3)
    is_(whole, jacobian(outer, y) @ jacobian(lambda x: B @ x, x))
    delta = 1e-6 * random(3, seed=9)
    function = lambda x: (B @ x).sin()  # noqa: E731
    is_(
        function(T(array(x) + delta)), array(function(x)) + jacobian(function, x) @ delta, rtol=1e-9
    )


@row("S4-Eq11.13", "S4-Eq11.14", "S4-Eq11.15", "S4-Eq11.17")
def s4_output_layer() -> None:
    """Erratum: ∂ℓ/∂o = ô − e_y with the hat."""
    o = P([-3.0, 16, 11])
    loss = -o[1] + o.exp().sum().log()
    is_(loss, F.cross_entropy(o, torch.tensor(1)))
    is_(grad(loss, o)[0], [5.57e-9, -0.00669286, 0.00669285], rtol=1e-3)
    w1, w2, wo = P(W1), P(W2), P(WO)
    h1, h2, o = s4_net([3, 1, 2], w1, w2, wo)
    h1.retain_grad()
    h2.retain_grad()
    F.cross_entropy(o, torch.tensor(2)).backward()
    e = np.exp(array(o) - 16)
    do = e / e.sum() - [0, 0, 1]
    is_(h2.grad, do @ WO)
    is_(h1.grad, (do @ WO) @ W2)
    is_(wo.grad, np.outer(do, [7, 2]))
    is_(w2.grad, np.outer(do @ WO, [3, 2]))
    is_(w1.grad, np.outer(do @ WO @ W2, [3, 1, 2]))
    optimizer = torch.optim.SGD([w1, w2, wo], lr=0.1)
    before = [array(w).copy() for w in (w1, w2, wo)]
    optimizer.step()
    for w, old in zip((w1, w2, wo), before, strict=True):
        is_(w, old - 0.1 * array(w.grad))


@row("S4-FullBackprop")
def s4_full_backpropagation() -> None:
    """The four steps in NumPy against the engine, for two nets and all labels."""
    for sizes in ((5, 7, 6, 4), (3, 8, 8, 8, 2)):
        weights = [P(random(b, a, seed=a + b)) for a, b in itertools.pairwise(sizes)]
        x = random(sizes[0], seed=1)
        for label in range(sizes[-1]):
            h, hs = T(x), [x]
            for w in weights[:-1]:
                h = torch.relu(w @ h)
                hs.append(array(h))
            o = weights[-1] @ h
            grads = grad(F.cross_entropy(o, torch.tensor(label)), weights)
            e = np.exp(array(o) - array(o).max())
            flow = e / e.sum() - np.eye(sizes[-1])[label]
            for level in reversed(range(len(weights))):
                is_(grads[level], np.outer(flow, hs[level]))
                flow = flow @ array(weights[level]) * (hs[level] > 0)


@row("S4-P11.4.6")
def s4_cost() -> None:
    """The graph does not grow with the width of the layers."""
    sizes = set()
    for width in (2, 50):
        w, v, x = P(random(width, 3)), P(random(1, width)), T(random(3))
        sizes.add(len(names(v @ torch.relu(w @ x))))
    assert len(sizes) == 1


@row("S4-Eq11.19", "S4-P11.4.7", "S4-P11.4.8")
def s4_slopes() -> None:
    """Errata: σ' is not σ; g is taken at h, not at Wh."""
    z = P([0.0, 1.0])
    is_(grad(torch.sigmoid(z).sum(), z)[0], [0.25, 0.196612], rtol=1e-5)
    z = P([-2.0, -0.5, 0.0, 1.5])
    is_(grad(torch.tanh(z).sum(), z)[0], 1 - np.tanh(array(z)) ** 2)
    W, h, g = P(random(2, 3)), P(random(3)), random(2, seed=3)
    for function, rule in (
        (torch.sigmoid, lambda y: y * (1 - y)),
        (torch.tanh, lambda y: 1 - y * y),
    ):
        out = function(W @ h)
        dW, dh = grad(out, (W, h), T(g))
        is_(dh, (g * rule(array(out))) @ array(W))
        is_(dW, np.outer(g * rule(array(out)), array(h)))


@row("S4-Init")
def s4_two_valleys() -> None:
    for start, end in ((0.5, 0.967), (-0.5, -1.030)):
        w = P(start)
        for _ in range(500):
            (g,) = grad(w**4 - 2 * w**2 + w / 4, w)
            with torch.no_grad():
                w -= 0.05 * g
        assert w.item() == pytest.approx(end, abs=1e-3)


PROGRAM_11_5 = """
# import necessary packages
import numpy as np
import torch
import torch.nn as nn

# define the neural network
class Net(nn.Module):
    def __init__(self, input_size=2, hidden_dim1=2, hidden_dim2=3,
                 hidden_dim3=2):
        super(Net, self).__init__()

        self.hidden1 = nn.Linear(input_size, hidden_dim1, bias=False)
        self.hidden1.weight = nn.Parameter(torch.tensor([[-2., 1.], [3., -1.]]))

        self.hidden2 = nn.Linear(hidden_dim1, hidden_dim2, bias=False)
        self.hidden2.weight = nn.Parameter(torch.tensor([[0., 1.], [2., -1.], [1., 2.]]))

        self.hidden3 = nn.Linear(hidden_dim2, hidden_dim3, bias=False)
        self.hidden3.weight = nn.Parameter(torch.tensor([[-1., 2., 1.], [3., 0., 0.]]))

        self.activation = nn.ReLU()

    # single step of forward propagation
    def forward(self, x):
        h1 = self.hidden1(x)
        h1 = self.activation(h1)
        h2 = self.hidden2(h1)
        h2 = self.activation(h2)
        h3 = self.hidden3(h2)
        return h3

net = Net()

# forward propagation with sample input
x = torch.tensor([3., 1.])
y_pred = net.forward(x)
print('Predicted value:', y_pred)

# backpropagation with sample input
loss = nn.functional.cross_entropy(y_pred.unsqueeze(0), torch.LongTensor([1]))
loss.backward()
print(loss)
print(net.hidden1.weight.grad)
"""


def run_11_5() -> tuple[dict[str, Any], str]:
    """The book's program with the imports swapped."""
    program = PROGRAM_11_5
    if OURS is not THEIRS:
        program = program.replace("import torch.nn as nn", "import nn").replace(
            "import torch\n", "import autograd as torch\n"
        )
    namespace: dict[str, Any] = {"__name__": "program"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, namespace)
    return namespace, printed.getvalue()


@row("S4-Code11.5")
def s4_program() -> None:
    """In float32 the loss prints as one unit in the last place of 1 (erratum: that is rounding)."""
    namespace, printed = run_11_5()
    first, second, *rest = printed.splitlines()
    assert re.fullmatch(r"Predicted value: tensor\(\[ 8\., 24\.\], grad_fn=<\w+>\)", first)
    assert re.fullmatch(r"tensor\(1\.1921e-07, grad_fn=<\w+>\)", second)
    assert rest[0].startswith("tensor([[ 0.0000e+00,  0.0000e+00],") or rest[0].startswith(
        "tensor([[0.0000e+00, 0.0000e+00],"
    )
    g = namespace["net"].hidden1.weight.grad
    assert not g[0].any().item()
    is_(g[1].double(), [-6.75e-7, -2.25e-7], rtol=0.1)


@row("S4-Code11.5exact")
def s4_program_exact() -> None:
    namespace, _ = run_11_5()
    net = namespace["net"].double()
    net.zero_grad()
    loss = F.cross_entropy(net(T([3, 1]))[None], torch.tensor([1]))
    assert loss.item() == pytest.approx(1.12535168e-07, rel=1e-8)
    loss.backward()
    p = 1.12535162e-07
    is_(net.hidden1.weight.grad, p * np.array([[0, 0], [-6, -2]]), rtol=1e-8)
    is_(net.hidden2.weight.grad, p * np.array([[0, -32], [0, 0], [0, 8]]), rtol=1e-8)
    is_(net.hidden3.weight.grad, p * np.array([[8, 0, 16], [-8, 0, -16]]), rtol=1e-8)


@row("S4-Accumulate")
def s4_accumulate() -> None:
    """Erratum: a second backward() of the same loss raises unless the graph was retained."""
    w = P([1.0, 2.0])
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    once = array(w.grad).copy()
    loss.backward()
    is_(w.grad, 2 * once)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()


# S4, chapter 12: convolutional networks -----------------------------------------------------------


@row("S4-Ex12.1.1", "S4-Ex12.1.2")
def s4_conv1d() -> None:
    x, w = T([[[2, 1, 1, 7, -1, 2, 3, 1]]]), T([[[3, 2, -1]]])
    y = F.conv1d(x, w)[0, 0]
    assert y.tolist() == [7, -2, 18, 17, -2, 11]
    assert not np.allclose(array(y), np.convolve(array(x)[0, 0], array(w)[0, 0], "valid"))
    is_(F.conv1d(x, T([[[1 / 3] * 3]]))[0, 0, :2], [4 / 3, 3])


@row("S4-P12.1.3")
def s4_learn_filter() -> None:
    x = random(1, 1, 30)
    target = F.conv1d(T(x), T([[[2, 0, -1]]]))
    w = P(np.zeros((1, 1, 3)))
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(400):
        optimizer.zero_grad()
        F.mse_loss(F.conv1d(T(x), w), target).backward()
        optimizer.step()
    is_(w[0, 0], [2, 0, -1], atol=1e-6)


@row("S4-Ex12.2.1", "S4-Ex12.2.2", "S4-Fig12.5")
def s4_filters() -> None:
    """Erratum: pixel minus local mean finds edges; its kernel sums to 0."""
    box = np.full((3, 3), 1 / 9)
    picture = np.zeros((5, 6))
    picture[:, 3:] = 90
    edges = np.eye(3)[1][:, None] * np.eye(3)[1] - box
    assert abs(edges.sum()) < 1e-15
    is_(F.conv2d(image(picture), image(edges))[0, 0], [[0, -30, 30, 0]] * 3, atol=1e-10)
    line = np.array([1.0, 4, 6, 4, 1])
    gauss5 = np.outer(line, line) / 256
    unsharp = -gauss5.copy()
    unsharp[2, 2] = 476 / 256
    identity = np.zeros((5, 5))
    identity[2, 2] = 1
    is_(unsharp, 2 * identity - gauss5)
    for kernel in (box, np.outer([1, 2, 1], [1, 2, 1]) / 16, gauss5, unsharp):
        assert kernel.sum() == pytest.approx(1, rel=1e-15)
        constant = F.conv2d(image(np.full((7, 7), 3.0)), image(kernel))
        is_(constant, np.full(constant.shape, 3.0))


@row("S4-Eq12.1", "S4-Ex12.2.3", "S4-P12.2.4")
def s4_conv2d() -> None:
    X = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    W = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    is_(F.conv2d(image(X), image(W))[0, 0], [[4, 3, 4], [2, 4, 3], [2, 3, 4]])
    for k in (1, 2, 3):
        assert tuple(
            F.conv2d(torch.zeros(1, 1, 9, 10), torch.zeros(1, 1, 2 * k + 1, 2 * k + 1)).shape[2:]
        ) == (9 - 2 * k, 10 - 2 * k)
    assert tuple(F.conv2d(torch.zeros(1, 1, 10, 10), torch.zeros(1, 1, 5, 5)).shape[2:]) == (6, 6)


@row("S4-Sec12.2.2", "S4-ReplicateGrad")
def s4_padding() -> None:
    """Erratum: the book's "same" padding is `replicate`; padding='same' pads with zeros."""
    x = image(X9)
    is_(F.pad(x, (1, 1, 1, 1))[0, 0], np.pad(X9, 1))
    edge = F.pad(x, (1, 1, 1, 1), mode="replicate")
    is_(edge[0, 0], np.pad(X9, 1, mode="edge"))
    is_(grad(edge.sum(), x)[0][0, 0], [[4, 2, 4], [2, 1, 2], [4, 2, 4]])
    assert tuple(F.pad(x, (1, 0, 2, 0)).shape[2:]) == (5, 4)
    ones = image(np.ones((3, 3)))
    assert F.conv2d(ones, ones, padding="same")[0, 0, 0, 0].item() == 4
    assert F.conv2d(F.pad(ones, (1, 1, 1, 1), mode="replicate"), ones)[0, 0, 0, 0].item() == 9


@row("S4-Stride", "S4-Ex12.2.5")
def s4_stride() -> None:
    for m, k, s in itertools.product(range(5, 12), (1, 2), (1, 2, 3)):
        x, w = torch.zeros(1, 1, m, m), torch.zeros(1, 1, 2 * k + 1, 2 * k + 1)
        assert F.conv2d(x, w, stride=s, padding=k).shape[2] == (m + s - 1) // s
        assert F.conv2d(x, w, stride=s).shape[2] == (m + s - 2 * k - 1) // s
    x, w = image(random(5, 5)), image(random(3, 3))
    is_(F.conv2d(x, w, stride=2, padding=1), F.conv2d(x, w, padding=1)[..., ::2, ::2])


@row("S4-Eq12.2")
def s4_two_filters_are_one() -> None:
    x, a, b = image(random(7, 7)), image(random(3, 3, seed=1)), image(random(3, 3, seed=2))
    both = F.conv2d(F.pad(a, (2, 2, 2, 2)), b.flip([2, 3]))
    assert tuple(both.shape[2:]) == (5, 5)
    is_(F.conv2d(F.conv2d(x, a), b), F.conv2d(x, both))


@row("S4-Eq12.3", "S4-Ex12.2.6")
def s4_channels() -> None:
    x, w = random(1, 3, 5, 5), random(4, 3, 3, 3)
    y = F.conv2d(T(x), T(w))
    for v in range(4):
        is_(
            y[0, v],
            sum(
                array(F.conv2d(T(x[:, u : u + 1]), T(w[v, u][None, None])))[0, 0] for u in range(3)
            ),
        )
    layer = nn.Conv2d(6, 3, 5)
    assert tuple(layer.weight.shape) == (3, 6, 5, 5)
    assert (layer.weight.numel(), sum(p.numel() for p in layer.parameters())) == (450, 453)


@row("S4-Pooling", "S4-Ex12.2.7")
def s4_pooling() -> None:
    for m, n, window in ((6, 6, 2), (7, 5, 2), (8, 7, 3)):
        x = random(m, n)
        rows, cols = m // window, n // window
        blocks = x[: rows * window, : cols * window].reshape(rows, window, cols, window)
        is_(F.max_pool2d(image(x), window)[0, 0], blocks.max((1, 3)))
        is_(F.avg_pool2d(image(x), window)[0, 0], blocks.mean((1, 3)))


@row("S4-Fig12.11")
def s4_full_network() -> None:
    """All gradients of a conv-pool-conv-pool-linear net by finite differences."""
    shapes = [(2, 1, 3, 3), (2,), (3, 2, 2, 2), (3,), (4, 3), (4,)]
    parameters = [P(random(*shape, seed=i)) for i, shape in enumerate(shapes)]
    x = T(random(1, 1, 8, 8))

    def net(w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
        h = F.max_pool2d(torch.tanh(F.conv2d(x, w1, b1)), 2)
        h = F.avg_pool2d(torch.tanh(F.conv2d(h, w2, b2)), 2)
        return F.cross_entropy(F.linear(h.flatten(1), w3, b3), torch.tensor([2]))

    assert autograd.gradcheck(net, tuple(parameters))


@row("S4-Ex12.2.8", "S4-Fig12.13", "S4-DetectorScale")
def s4_detector() -> None:
    """A pixel of 255 anywhere; on pictures scaled to [0, 1] it never fires (erratum)."""
    conv1, conv2 = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 8)
    with torch.no_grad():
        for p, value in (
            (conv1.weight, 1),
            (conv1.bias, -254),
            (conv2.weight, 10),
            (conv2.bias, -5),
        ):
            p.fill_(value)
    net = nn.Sequential(conv1, nn.ReLU(), conv2)
    picture = torch.full((1, 1, 8, 8), 100.0)
    assert net(picture).item() == -5
    assert torch.sigmoid(net(picture)).item() == pytest.approx(0.0067, abs=1e-4)
    for place, expected in (((0, 0, 2, 3), 5), ((0, 0, 7, 7), 15)):
        picture[place] = 255
        assert net(picture).item() == expected
    assert torch.sigmoid(torch.tensor(5.0)).item() == pytest.approx(0.9933, abs=1e-4)
    assert torch.sigmoid(net(picture / 255)).item() == pytest.approx(0.0067, abs=1e-4)
    portion = torch.tensor([[0.0, 100, 200], [50, 150, 250], [55, 155, 255]])[None, None]
    assert conv1(portion)[0, 0].tolist() == [[-254, -154, -54], [-204, -104, -4], [-199, -99, 1]]
    assert torch.relu(conv1(portion)).sum().item() == 1


@row("S4-Ex12.2.9", "S4-Fig12.14")
def s4_plus_detector() -> None:
    plus = image([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    for centre, value in ((250, -4), (255, 1)):
        sample = image([[0, 255, 0], [255, centre, 255], [0, 255, 0]])
        y = F.conv2d(sample, plus, T([-1274]))
        assert y.item() == value
        assert torch.relu(y).item() == max(value, 0)
    picture = np.zeros((8, 8))
    picture[3, 2:5] = picture[2:5, 3] = 255
    y = torch.relu(F.conv2d(image(picture), plus, T([-1274])))
    assert tuple(y.shape[2:]) == (6, 6)
    assert F.conv2d(y, T(np.full((1, 1, 6, 6), 10.0)), T([-5])).item() == 5


@row("S4-Fig12.15")
def s4_weight_sharing() -> None:
    w, x = P(0.7), T([1.0, 2.0, 3.0])
    copies = [w * 1 for _ in range(4)]
    ys = [copies[0] * x[0], copies[1] * x[1], copies[2] * x[1], copies[3] * x[2]]
    o = ys[0].sin() + ys[1] * ys[2] + ys[3].exp()
    assert paths(o, w) == 4
    parts = grad(o, copies, retain_graph=True)
    is_(grad(o, w)[0], sum(p.item() for p in parts))


@row("S4-FCvsConv")
def s4_pooled_gradient() -> None:
    """The gradient of a filter is the pooled gradient of the dense matrix that does the same."""
    w, x = image(random(2, 2)), image(random(4, 4))
    place = np.zeros((9, 16, 4))
    for out, (i, j) in enumerate(np.ndindex(3, 3)):
        for tap, (m, n) in enumerate(np.ndindex(2, 2)):
            place[out, (i + m) * 4 + j + n, tap] = 1
    dense = P(place @ array(w).ravel())
    dy = random(9)
    (by_dense,) = grad(dense @ x.reshape(-1), dense, T(dy))
    (by_filter,) = grad(F.conv2d(x, w), w, T(dy.reshape(1, 1, 3, 3)))
    is_(by_filter.reshape(-1), np.einsum("oi,oit->t", array(by_dense), place))


@row("S4-Eq12.5", "S4-Eq12.6")
def s4_conv_gradients() -> None:
    for k in (1, 2):
        x, w = image(random(5, 6)), image(random(2 * k + 1, 2 * k + 1))
        y = F.conv2d(x, w, padding=k)
        dy = image(random(5, 6, seed=3))
        dx, dw = grad(y, (x, w), dy)
        is_(F.conv2d(x, dy, padding=k), dw)
        is_(F.conv2d(dy, torch.flip(w, [2, 3]), padding=k), dx)


def conv_net() -> Any:
    class ConvNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 3, 5)
            self.pool1 = nn.MaxPool2d(2, 2)
            self.conv2 = nn.Conv2d(3, 16, 5)
            self.pool2 = nn.AvgPool2d(2, 2)
            self.fc1 = nn.Linear(16 * 5 * 5, 120)
            self.fc2 = nn.Linear(120, 10)

        def forward(self, x: Any) -> Any:
            x = self.pool1(F.relu(self.conv1(x)))
            x = self.pool2(F.relu(self.conv2(x)))
            return self.fc2(F.relu(self.fc1(x.view(-1, 16 * 5 * 5))))

    return ConvNet()


@row("S4-Code12.4", "S4-Seeds")
def s4_conv_net() -> None:
    """The book's network and one step (erratum: net before optimizer), twice alike."""
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        net = conv_net()
        assert [
            sum(p.numel() for p in layer.parameters())
            for layer in (net.conv1, net.conv2, net.fc1, net.fc2)
        ] == [228, 1216, 48120, 1210]
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        output = net(torch.randn(1, 3, 32, 32))
        assert tuple(output.shape) == (1, 10)
        loss = torch.norm(output - torch.ones(output.shape[1])) ** 2
        loss.backward()
        expected = [array(p) - np.float32(0.01) * array(p.grad) for p in net.parameters()]
        optimizer.step()
        for p, value in zip(net.parameters(), expected, strict=True):
            is_(p, value, rtol=1e-6, atol=1e-8)
        optimizer.zero_grad()
        assert all(p.grad is None for p in net.parameters())
        runs.append([array(p).copy() for p in net.parameters()])
    assert sum(p.numel() for p in net.parameters()) == 50_774
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)


@row("S4-Norm2")
def s4_norm() -> None:
    o = P(random(1, 10))
    loss = torch.norm(o - torch.ones(10)) ** 2
    is_(loss, ((array(o) - 1) ** 2).sum())
    is_(grad(loss, o)[0], 2 * (array(o) - 1))
    o = P(np.ones((1, 10)))
    is_(grad(torch.norm(o - torch.ones(10)) ** 2, o)[0], np.zeros((1, 10)))


@row("S4-DataLoader")
def s4_loader() -> None:
    data = torch.utils.data
    loader = data.DataLoader(
        data.TensorDataset(torch.arange(60)), batch_size=8, shuffle=True, num_workers=0
    )
    epochs = [[batch[0] for batch in loader] for _ in range(2)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [8] * 7 + [4]
        assert sorted(n for batch in epoch for n in batch.tolist()) == list(range(60))
    assert [b.tolist() for b in epochs[0]] != [b.tolist() for b in epochs[1]]


# Pictures, and what takes longer ------------------------------------------------------------------


def texts(result: Any) -> list[str]:
    """All that is written in the picture of a result's graph."""
    if OURS is THEIRS:
        pytest.skip("PyTorch draws no graphs")
    svg = torch.visualize.draw(result)._repr_svg_()
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@row("S2-FigSVG")
def s2_picture() -> None:
    *_, f = toy()
    f.backward(retain_graph=True)
    found = {float(text) for text in texts(f) if re.fullmatch(r"-?[\d.]+", text)}
    assert {-2, 5, -4, 3, -12, 1} <= found


@row("S3-ProductSVG")
def s3_product_picture() -> None:
    """2²⁰ paths, and a picture that grows with the nodes."""
    a = b = P(1.1)
    for _ in range(20):
        a = b = a * b
    assert 42 <= len(texts(a)) < 2000


@row("S0-GraphSVG")
def s0_picture() -> None:
    p = s0_parameters()
    found = "".join(texts(s0_forward(p)["L"])).lower()
    for operation in ("conv", "add", "abs", "softmax", "log"):
        assert operation in found, operation


@row("S2-PoolCost")
def s2_pool_cost() -> None:
    """After 2x2 pooling the next convolution has a quarter of the places to compute."""
    x, w = torch.zeros(1, 1, 34, 34), torch.zeros(1, 1, 3, 3)
    places = [F.conv2d(t, w, padding=1).numel() for t in (x, F.max_pool2d(x, 2))]
    assert places == [4 * 17 * 17, 17 * 17]


@row("S4-Naive")
def s4_naive() -> None:
    """One backward gives what one forward for every weight gives."""
    w = P(random(4, 3))
    function = lambda w: torch.relu(w @ T([1.0, -2.0, 0.5])).sum()  # noqa: E731
    (g,) = grad(function(w), w)
    for place in np.ndindex(4, 3):
        moved = array(w).copy()
        moved[place] += 1e-6
        is_((function(T(moved)) - function(w)) / 1e-6, g[place], rtol=1e-6, atol=1e-9)


@row("S4-FindAnywhere")
def s4_find_anywhere() -> None:
    """Nine weights find a pattern at every place; a linear layer needs nine for each place."""
    pattern = np.array([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]])
    for i, j in np.ndindex(6, 6):
        picture = np.zeros((8, 8))
        picture[i : i + 3, j : j + 3] = pattern
        response = array(F.conv2d(image(picture), image(pattern)))[0, 0]
        assert np.unravel_index(response.argmax(), response.shape) == (i, j)
    dense, filters = nn.Linear(64, 36, bias=False), nn.Conv2d(1, 1, 3, bias=False)
    assert (dense.weight.numel(), filters.weight.numel()) == (2304, 9)


@row("S2-UAT")
def s2_approximation() -> None:
    """A hidden layer *with* an activation learns a sine (erratum: without one it stays linear)."""
    x = torch.linspace(-3, 3, 64)[:, None]
    errors = []
    for activation in (nn.Tanh(), nn.Identity()):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(1, 16), activation, nn.Linear(16, 1))
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
        for _ in range(300):
            optimizer.zero_grad()
            loss = F.mse_loss(net(x), torch.sin(x))
            loss.backward()
            optimizer.step()
        errors.append(loss.item())
    assert errors[0] < 0.01 < 0.1 < errors[1]


@row("S4-Code12.4order")
def s4_printed_order() -> None:
    """As printed, the optimizer comes before the net it is to optimize."""
    with pytest.raises(NameError, match="net"):
        exec(
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.01)\nnet = ConvNet()",
            {"torch": torch},
        )


@row("S4-Epochs")
def s4_epochs() -> None:
    """48 pictures of three kinds, eight epochs: loss below 0.2."""
    torch.manual_seed(0)
    r = np.random.default_rng(0)
    labels = np.arange(48) % 3
    pictures = r.normal(0, 0.3, (48, 3, 32, 32)).astype(np.float32)
    pictures[np.arange(48), labels] += 1
    data = torch.utils.data.TensorDataset(torch.tensor(pictures), torch.tensor(labels))
    net = conv_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for _ in range(8):
        losses = []
        for x, y in torch.utils.data.DataLoader(data, batch_size=8, shuffle=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert np.mean(losses) < 0.2


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    ROWS[name]()


@pytest.mark.slow
def test_row_s2_vgg16_in_full() -> None:
    """S2-VGG16full: 138,357,544 parameters at work."""
    layers, channels = [], 3
    for width in [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]:
        convolution = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()] if width else []
        layers += convolution or [nn.MaxPool2d(2)]
        channels = width or channels
    for width, out in ((512 * 7 * 7, 4096), (4096, 4096), (4096, 1000)):
        layers += [nn.Flatten(), nn.Linear(width, out), nn.ReLU()]
    net = nn.Sequential(*layers[:-1], nn.Softmax(dim=1))
    assert sum(p.numel() for p in net.parameters()) == 138_357_544
    with torch.no_grad():
        probabilities = net(torch.rand(1, 3, 224, 224))
    assert tuple(probabilities.shape) == (1, 1000)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)
