"""Errors are part of the interface: their type is PyTorch's, their words say what to do.

Where a test names phrases twice,
    the first are PyTorch's own, which users search the web for, and `ours` are what this
project adds: the place in the user's program, the cause, the repair.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Input, as_input, bools, exact, fixed, index, ints
from compare import OURS, THEIRS

torch, autograd, nn, F = OURS.torch, OURS.autograd, OURS.nn, OURS.functional


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def here() -> str:
    """The place of the caller, as a message names it."""
    return f"test_errors.py:{sys._getframe(1).f_lineno}"


def above() -> str:
    """The place one line above the caller."""
    return f"test_errors.py:{sys._getframe(1).f_lineno - 1}"


def complaint(kind: type[Exception], action: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


def says(message: str, *phrases: str, ours: tuple[str, ...] = ()) -> None:
    for phrase in phrases if OURS is THEIRS else (*phrases, *ours):
        assert phrase.lower() in message.lower(), f"{phrase!r} is missing from: {message}"


# The messages that are asked about most -----------------------------------------------------------


def test_backward_without_any_gradient() -> None:
    message = complaint(RuntimeError, torch.ones(2).sum().backward)
    says(
        message,
        "element 0 of tensors does not require grad and does not have a grad_fn",
        ours=("requires_grad=True",),
    )


def test_backward_of_what_was_computed_under_no_grad() -> None:
    x = leaf([1.0, 2.0])
    with torch.no_grad():
        y, line = (x * x), here()
    message = complaint(RuntimeError, (y + 1).sum().backward)
    says(message, "does not require grad", ours=("no_grad", line))


def test_backward_of_what_was_detached() -> None:
    x = leaf([1.0, 2.0])
    y, line = (x * x).detach(), here()
    message = complaint(RuntimeError, (y * 3).sum().backward)
    says(message, "does not require grad", ours=("detach()", line))


def test_backward_of_integers() -> None:
    x = leaf([1.0, 2.0])
    y, line = x.long(), here()
    says(complaint(RuntimeError, y.sum().backward), "does not require grad", ours=("long", line))
    y, line = x.argmax(), here()
    says(
        complaint(RuntimeError, y.backward),
        "does not require grad",
        ours=("argmax", "no derivative", line),
    )


def test_grad_by_what_requires_none() -> None:
    x = leaf(2.0)
    message = complaint(RuntimeError, lambda: autograd.grad(x * x, torch.ones(())))
    says(
        message,
        "One of the differentiated Tensors does not require grad",
        ours=("requires_grad_()",),
    )


def test_second_backward() -> None:
    x = leaf([1.0, 2.0])
    y, line = x.exp(), here()
    loss = y.sum()
    loss.backward()
    message = complaint(RuntimeError, loss.backward)
    says(
        message,
        "Trying to backward through the graph a second time",
        "retain_graph=True",
        ours=("ExpBackward", line, "detach()"),
    )


def test_what_was_saved_was_overwritten() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    z, saved = y.pow(3), here()
    y.add_(1)
    changed = above()
    message = complaint(RuntimeError, z.sum().backward)
    says(
        message,
        "one of the variables needed for gradient computation",
        "has been modified by an inplace operation",
        "[torch.DoubleTensor [2]]",
        "is at version 1; expected version 0",
        ours=("PowBackward", saved, "add_", changed, "clone()"),
    )


def test_a_saved_output_was_overwritten() -> None:
    x = leaf([[1.0, 2.0]])
    y, saved = x.sigmoid(), here()
    y[0, 0] = 5.0
    changed = above()
    message = complaint(RuntimeError, y.sum().backward)
    says(
        message,
        "modified by an inplace operation",
        "[torch.DoubleTensor [1, 2]]",
        "version 1; expected version 0",
        ours=("SigmoidBackward", "output", saved, changed),
    )


def test_gradient_of_an_intermediate_result() -> None:
    x = leaf(2.0)
    y, line = x * x, here()
    y.backward()
    with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed") as caught:
        assert y.grad is None
    says(str(caught[0].message), "retain_grad()", ours=(line,))
    if OURS is not THEIRS:
        assert caught[0].filename.endswith("test_errors.py")


def test_gradient_of_a_leaf_or_a_retained_result_warns_of_nothing() -> None:
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    y.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x.grad.item() == 4
        assert y.grad.item() == 1
        assert torch.ones(2).grad is None


def test_loss_that_broadcasts() -> None:
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss):
        with pytest.warns(UserWarning, match="target size") as caught:
            loss(torch.ones(4, 1), torch.ones(4))
        says(
            str(caught[0].message),
            "torch.Size([4])",
            "torch.Size([4, 1])",
            "broadcasting",
            "same size",
        )


def test_matrix_shapes_in_a_module_name_the_module() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2))
    with pytest.raises(RuntimeError) as caught:
        net(torch.ones(2, 3))
    message = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    says(message, "shapes cannot be multiplied (2x4 and 5x2)", ours=("in_features", "5", "4"))
    if OURS is not THEIRS:
        assert "Sequential, at 2: Linear" in message


def test_numpy_of_what_requires_grad() -> None:
    x = leaf([1.0, 2.0])
    for action in (x.numpy, lambda: np.asarray(x), (x * 2).numpy):
        says(
            complaint(RuntimeError, action),
            "Can't call numpy() on Tensor that requires grad",
            "tensor.detach().numpy()",
        )
    assert x.numpy(force=True).tolist() == [1, 2]
    with torch.no_grad():  # and in the forward of a Function
        assert x.cpu().numpy().tolist() == [1, 2]


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "gpu", "cpu:x"])
def test_devices_that_are_not_there(name: str) -> None:
    for action in (lambda: torch.ones(2).to(name), lambda: torch.zeros(2, device=name)):
        message = complaint((RuntimeError, AssertionError), action)
        says(message, ours=(name.partition(":")[0],))
    assert str(torch.ones(2).to("cpu").device) == "cpu"


# Backward asked for wrongly -----------------------------------------------------------------------


def test_backward_of_more_than_one_number() -> None:
    x = leaf([1.0, 2.0])
    message = complaint(RuntimeError, (x * x).backward)
    says(
        message,
        "grad can be implicitly created only for scalar outputs",
        ours=("(2,)", "sum()", "gradient="),
    )


def test_backward_with_a_gradient_that_does_not_fit() -> None:
    x = leaf([1.0, 2.0])
    message = complaint(RuntimeError, lambda: (x * x).backward(torch.ones(3, dtype=torch.float64)))
    says(
        message,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([3])",
        "and output[0] has a shape of torch.Size([2])",
    )
    says(
        complaint(TypeError, lambda: x.sum().backward("1")),
        "gradients can be either Tensors or None, but got str",
    )
    with pytest.raises(RuntimeError, match=r"2 tensors and 1 gradients|number of"):
        autograd.backward([x.sum(), x.sum()], [None])


def test_backward_to_no_inputs() -> None:
    with pytest.raises(RuntimeError, match="cannot be empty"):
        leaf(1.0).backward(inputs=[])


def test_unused_input() -> None:
    x, y = leaf(1.0), leaf(2.0)
    says(
        complaint(RuntimeError, lambda: autograd.grad(x * 2, [x, y])),
        "appears to not have been used in the graph",
        "allow_unused=True",
        ours=("input 1",),
    )


def test_only_floats_have_gradients() -> None:
    for action in (
        lambda: torch.tensor([1, 2], requires_grad=True),
        lambda: torch.tensor([1, 2]).requires_grad_(),
        lambda: torch.tensor([True], requires_grad=True),
        lambda: torch.zeros(2, dtype=torch.int64, requires_grad=True),
    ):
        says(
            complaint(RuntimeError, action),
            "Only Tensors of floating point",
            "can require gradients",
            ours=("float",),
        )


def test_in_place_on_a_leaf() -> None:
    x = leaf([1.0, 2.0])
    message = complaint(RuntimeError, lambda: x.add_(1))
    says(
        message,
        "a leaf Variable that requires grad is being used in an in-place operation",
        ours=("add_", "no_grad()"),
    )
    message = complaint(RuntimeError, lambda: x[0].zero_())
    says(
        message,
        "a view of a leaf Variable that requires grad is being used in an in-place operation",
    )


def test_assigning_a_gradient_that_does_not_fit() -> None:
    x = leaf([1.0, 2.0])

    def assign(value: Any) -> None:
        x.grad = value

    says(
        complaint(RuntimeError, lambda: assign(torch.ones(3, dtype=torch.float64))),
        "gradient of size '[3]' to a tensor of size '[2]'",
    )
    says(
        complaint(RuntimeError, lambda: assign(torch.ones(2))),
        "attempting to assign a gradient with dtype",
        ours=("float32", "float64"),
    )
    says(
        complaint(TypeError, lambda: assign(1.0)),
        "expected to be a Tensor or None but got grad of type",
        "float",
    )
    assert x.grad is None


def test_flags_of_computed_tensors() -> None:
    y = leaf(1.0) * 2
    with pytest.raises(
        RuntimeError, match="you can only change requires_grad flags of leaf variables"
    ):
        y.requires_grad = False
    with pytest.raises(RuntimeError, match="retain_grad"):
        torch.ones(2).retain_grad()
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        torch.ones(2).register_hook(print)


# Wrong shapes, dims, dtypes and values ------------------------------------------------------------
# (expression, inputs, type, PyTorch's phrases, our phrases)

WORDS: list[tuple[str, dict[str, Input], type[Exception], tuple[str, ...], tuple[str, ...]]] = []


def words(
    expression: str, kind: type[Exception], *phrases: str, ours: tuple[str, ...] = (), **inputs: Any
) -> None:
    WORDS.append(
        (expression, {n: as_input(given) for n, given in inputs.items()}, kind, phrases, ours)
    )


# fmt: off
words("x + y", RuntimeError,
      "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 1",
      x=(2, 4), y=(3,), ours=("(2, 4)", "(3,)"))
words("x * y", RuntimeError, "must match the size of tensor b (2) at non-singleton dimension 0",
      x=(3,), y=(2,))
words("x @ y", RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", x=(2, 3),
      y=(2, 3), ours=("y.mT",))
words("F.linear(x, w)", RuntimeError, "shapes cannot be multiplied (2x3 and 5x4)", x=(2, 3),
      w=(4, 5), ours=("weight",))
words("x @ y", RuntimeError, "same dtype", x=(2, 3), y=fixed(exact(np.ones((3, 2), np.float32))),
      ours=("float64", "float32"))
words("torch.bmm(x, x)", RuntimeError, "must be a 3D tensor", x=(2, 3))
words("torch.dot(x, x)", RuntimeError, "1D tensors expected, but got 2D and 2D", x=(2, 3))
words("torch.einsum('ij,jk', x, x)", RuntimeError, "subscript j has size 2 for operand 1", x=(2, 3))
words("x.view(5)", RuntimeError, "shape '[5]' is invalid for input of size 6", x=(2, 3))
words("x.reshape(4, 2)", RuntimeError, "shape '[4, 2]' is invalid for input of size 6", x=(2, 3))
words("x.t().view(-1)", RuntimeError, "view size is not compatible", "Use .reshape(...) instead",
      x=(2, 3))
words("torch.cat((x, y))", RuntimeError, "Sizes of tensors must match except in dimension 0",
      "Expected size 3 but got size 4 for tensor number 1",
      x=(2, 3), y=(2, 4))
words("torch.stack((x, y))", RuntimeError,
      "stack expects each tensor to be equal size, but got [2, 3] at entry 0 and [3] at entry 1",
      x=(2, 3), y=(3,))
words("x.expand(2, 4)", RuntimeError,
      "The expanded size of the tensor (4) must match the existing size (3)",
      "at non-singleton dimension 1", x=(2, 3))
for dim_user in ("x.sum(2)", "x.softmax(2)", "x.transpose(0, 2)", "x.argmax(2)", "x.squeeze(2)",
                 "x.select(2, 0)", "torch.cat((x, x), 2)",
                 "x.flatten(2)", "x.cumsum(2)", "x.unbind(2)", "x.size(2)", "x.mean((0, 2))",
                     "x.flip(2)", "x.narrow(2, 0, 1)"):
    words(dim_user, IndexError,
          "Dimension out of range (expected to be in range of [-2, 1], but got 2)", x=(2, 3))
words("x.unsqueeze(4)", IndexError, "expected to be in range of [-3, 2], but got 4", x=(2, 3))
words("x.permute(0, 0)", RuntimeError, "dim", x=(2, 3))
words("x[2]", IndexError, "index 2 is out of bounds for dimension 0 with size 2", x=(2, 3))
words("x[0, -4]", IndexError, "index -4 is out of bounds for dimension", "with size 3", x=(2, 3))
words("x[i]", IndexError, "index 2 is out of bounds for dimension 0 with size 2", x=(2, 3),
      i=fixed(exact([0, 2])))
words("x[0, 0, 0]", IndexError, "too many indices for tensor of dimension 2", x=(2, 3))
words("x[i]", IndexError, "tensors used as indices must be long, int, byte or bool tensors",
      x=(2, 3), i=fixed(exact([0.0])), ours=("float64", "long()"))
words("x[m]", IndexError,
      "The shape of the mask [3] at index 0 does not match",
      "the shape of the indexed tensor [2, 3] at index 0", x=(2, 3), m=bools(3))
words("x[::-1]", ValueError, "step must be greater than zero", x=(3,), ours=("flip",))
words("x[0]", IndexError, "0-dim tensor", x=(), ours=("item()",))
words("x.gather(1, i)", RuntimeError, "index 5 is out of bounds for dimension 1 with size 3",
      x=(2, 3), i=fixed(exact([[5]])))
words("x.gather(1, i)", RuntimeError, "index", "int64", x=(2, 3), i=(2, 3))
words("F.embedding(i, x)", IndexError, "index out of range", x=(2, 3), i=fixed(exact([2])),
      ours=("2",))
words("F.embedding(i, x)", RuntimeError, "indices", "Long", x=(2, 3), i=(2,))
words("F.cross_entropy(x, t)", IndexError, "Target 3 is out of bounds", x=(2, 3),
      t=fixed(exact([0, 3])))
words("F.cross_entropy(x, t)", RuntimeError, "Long", "Float" if OURS is THEIRS else "float",
      x=(2, 3), t=fixed(exact(np.float32([0, 1]))))
words("F.cross_entropy(x, t)", ValueError,
      "Expected input batch_size (2) to match target batch_size (3)", x=(2, 3), t=index(3, of=3))
words("F.binary_cross_entropy(x, y)", ValueError,
      "target size (torch.Size([3])) that is different to the input size (torch.Size([2, 3]))",
      x=(2, 3), y=(3,))
words("F.conv2d(x, w)", RuntimeError,
      "weight of size [4, 2, 3, 3], expected input[2, 3, 5, 5] to have 2 channels",
      "but got 3 channels instead",
      x=(2, 3, 5, 5), w=(4, 2, 3, 3))
words("F.conv2d(x, w)", RuntimeError, "Kernel size can't be greater than actual input size",
      "(2 x 2)", "(3 x 3)", x=(1, 3, 2, 2), w=(4, 3, 3, 3))
words("F.conv2d(x, w)", RuntimeError,
      "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [3, 2]",
      x=(3, 2), w=(4, 3, 3, 3))
words("F.max_pool2d(x, 3)", RuntimeError, "Output size is too small", "(1x2x2)", x=(1, 1, 2, 2))
words("x.add_(1.5)", RuntimeError,
      "result type Float can't be cast to the desired output type Long", x=ints(2))
words("x.item()", RuntimeError, "a Tensor with 6 elements cannot be converted to Scalar", x=(2, 3))
words("bool(x)", RuntimeError, "Boolean value of Tensor with more than one value is ambiguous",
      x=(2, 3))
words("bool(x)", RuntimeError, "Boolean value of Tensor with no values is ambiguous", x=(0,))
words("len(x)", TypeError, "len() of a 0-d tensor", x=())
words("list(x)", TypeError, "iteration over a 0-d tensor", x=())
words("x.mean()", RuntimeError, "could not infer output dtype", "floating point", x=ints(3),
      ours=("float()",))
words("x + 'a'", TypeError, "str", x=(2,))
words("torch.exp('a')", TypeError, "must be Tensor, not str")
words("torch.add(x, 'a')", TypeError, "must be", "str", x=(2,))
words("-x", RuntimeError, "bool", "~", x=bools(3))
words("x - x", RuntimeError, "bool", x=bools(3))
words("x ** -1", RuntimeError, "Integers to negative integer powers are not allowed", x=ints(3))
words("torch.tensor([[1, 2], [3]])", ValueError, "expected sequence of length 2 at dim 1 (got 1)")
words("torch.tensor('a')", TypeError, "str")
words("x.masked_fill(m, 1.)", RuntimeError, "only supports boolean masks", x=(3,), m=(3,))
words("F.dropout(x, 2.)", ValueError, "dropout probability has to be between 0 and 1, but got 2.0",
      x=(3,))
words("F.batch_norm(x, None, None, training=True)", ValueError,
      "Expected more than 1 value per channel when training", x=(1, 3))
words("F.mse_loss(x, x, reduction='total')", ValueError,
      "total is not a valid value for reduction", x=(3,))
words("F.pad(x, (1, 1), mode='mirror')", Exception,
      "mirror" if OURS is not THEIRS else "padding mode", x=(1, 2, 3))
words("torch.zeros(-1)", RuntimeError, "negative")
words("torch.arange(0, 5, -1)", RuntimeError, "inconsistent with step sign")
words("torch.nothing", AttributeError, "has no attribute 'nothing'")
words("x.nothing", AttributeError, "'Tensor' object has no attribute 'nothing'", x=(2,))
# fmt: on


@pytest.mark.parametrize("row", WORDS, ids=[f"{row[0]}-{i}" for i, row in enumerate(WORDS)])
def test_words(row: Any) -> None:
    expression, inputs, kind, phrases, ours = row
    random = np.random.default_rng(0)
    tensors = {name: OURS.leaf(np.asarray(given.make(random))) for name, given in inputs.items()}
    message = complaint(kind, lambda: OURS.evaluate(expression, tensors))
    says(message, *phrases, ours=ours)


# The command line ---------------------------------------------------------------------------------
# (arguments, what the message says, the column its caret stands in)

COMMANDS: list[tuple[list[str], str, int]] = [
    (["(x + y) * z", "x=-2"], "unknown name 'y' (known: x)", 5),
    (["x", "y=1"], "unknown name 'x' (known: y)", 0),
    (["x +", "x=1"], "not an expression", 3),
    (["x * foo(x)", "x=1"], "unknown function 'foo'", 4),
    (["open('a')"], "unknown function 'open'", 0),
    (["__import__('os')"], "unknown function '__import__'", 0),
    (["x.__class__", "x=1"], "is not understood here", 1),
    (["[n for n in x]", "x=1"], "is not understood here", 0),
    (["x @ y", "x=[[1,2]]", "y=[[1,2]]"], "shapes cannot be multiplied (1x2 and 1x2)", 2),
    (["x + y", "x=1", "y=one"], "the value of y is not a number or a list of numbers", 2),
    (["x * 2", "x=[[1,2],[3]]"], "the value of x", 2),
    (["x", "x"], "expected NAME=VALUE", 0),
]


@pytest.mark.skipif(OURS is THEIRS, reason="PyTorch has no such command")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[0]))
def test_command_line(command: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing is evaluated but a whitelist; what is not understood is pointed at."""
    arguments, phrase, column = command
    picture = tmp_path / "graph.svg"
    status = importlib.import_module("autograd.__main__").main([*arguments, "--svg", str(picture)])
    written = capsys.readouterr()
    assert status == 2
    assert phrase in written.err
    assert written.out == ""
    *_, caret = written.err.rstrip().splitlines()
    assert caret == " " * (4 + column) + "^", written.err
    assert not picture.exists()
