"""Losses, normalization, dropout and embedding beside the great table: settings, edges, refusals,
chance."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
from agreement import agree, needs_torch, refuses
from compare import OURS, THEIRS, array
from tables import better_than_torch

torch, F = OURS.torch, OURS.functional
random = np.random.default_rng(11)
X, Y, Z = (random.normal(size=(4, 5)) for _ in range(3))
SIGN = np.where(random.random(4) < 0.5, -1.0, 1.0)
CLASSES = random.integers(0, 5, 4)
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])

# -- losses ----------------------------------------------------------------------------------------


@needs_torch
@REDUCTIONS
def test_losses_of_pairs(reduction: str) -> None:
    r = f"reduction='{reduction}'"
    agree(f"F.cosine_embedding_loss(x, y, t, margin=0.2, {r})", x=X, y=Y, t=SIGN, fixed="t")
    agree(f"F.hinge_embedding_loss(x, t, margin=0.7, {r})", x=X[:, 0], t=SIGN, fixed="t")
    agree(
        f"F.margin_ranking_loss(x, y, t, margin=0.5, {r})", x=X[:, 0], y=Y[:, 0], t=SIGN, fixed="t"
    )
    agree(f"F.triplet_margin_loss(x, y, z, {r})", x=X, y=Y, z=Z)
    agree(f"F.triplet_margin_loss(x, y, z, swap=True, p=3, margin=2., {r})", x=X, y=Y, z=Z)
    agree(f"F.triplet_margin_with_distance_loss(x, y, z, {r})", x=X, y=Y, z=Z)
    agree(f"F.soft_margin_loss(x, t, {r})", x=X[:, 0], t=SIGN, fixed="t")


@needs_torch
@REDUCTIONS
def test_losses_of_classes(reduction: str) -> None:
    r, weight = f"reduction='{reduction}'", random.uniform(0.5, 2, 5)
    agree(f"F.multi_margin_loss(x, t, {r})", order=1, x=X, t=CLASSES)
    agree(
        f"F.multi_margin_loss(x, t, p=2, margin=.5, weight=w, {r})",
        order=1,
        x=X,
        t=CLASSES,
        w=weight,
        fixed="w",
    )
    agree("F.multi_margin_loss(x, t)", order=1, x=X[0], t=CLASSES[0])
    labels = np.array([[3, 0, -1, 1, 2], [-1, 4, 0, 1, 2], [0, 1, 2, 3, 4], [2, -1, -1, -1, -1]])
    agree(f"F.multilabel_margin_loss(x, t, {r})", order=1, x=X, t=labels)
    yes = (Y > 0) * 1.0
    agree(f"F.multilabel_soft_margin_loss(x, t, w, {r})", x=X, t=yes, w=weight, fixed="t w")


@needs_torch
@REDUCTIONS
def test_losses_of_numbers(reduction: str) -> None:
    r, v = f"reduction='{reduction}'", random.uniform(0.1, 2, (4, 5))
    agree(f"F.gaussian_nll_loss(x, y, v, {r})", x=X, y=Y, v=v)
    agree(f"F.gaussian_nll_loss(x, y, v, full=True, eps=0.5, {r})", x=X, y=Y, v=v)
    agree(f"F.gaussian_nll_loss(x, y, v, {r})", x=X, y=Y, v=v[:, 0])
    agree("F.gaussian_nll_loss(x, y, 2.)", x=X, y=Y)
    counts = random.integers(0, 6, (4, 5)) * 1.0
    agree(f"F.poisson_nll_loss(x, t, full=True, {r})", x=X, t=counts, fixed="t")
    agree(f"F.poisson_nll_loss(x, t, log_input=False, {r})", x=v, t=counts, fixed="t")
    for loss in ("mse_loss", "l1_loss", "huber_loss"):
        agree(f"F.{loss}(x, y, weight=v, {r})", x=X, y=Y, v=v, fixed="v")
    agree(f"F.smooth_l1_loss(x, y, beta=0.3, {r})", order=1, x=X, y=Y)
    agree(f"F.smooth_l1_loss(x, y, beta=0., {r})", order=1, x=X, y=Y)
    agree(f"F.huber_loss(x, y, delta=0.4, {r})", order=1, x=X, y=Y)
    agree(
        "F.kl_div(x, y, log_target=True, "
        f"reduction='{'batchmean' if reduction == 'mean' else reduction}')",
        x=X,
        y=Y,
    )
    agree(
        f"F.binary_cross_entropy_with_logits(x, y, pos_weight=v, {r})",
        x=X,
        y=np.abs(Y),
        v=v[0],
        fixed="v",
    )
    refuses("F.gaussian_nll_loss(x, x, v)", x=X, v=-np.ones((4, 5)))
    refuses("F.gaussian_nll_loss(x, x, v)", x=X, v=np.ones((4, 2)))
    refuses("F.huber_loss(x, x, delta=0.)", x=X)
    refuses("F.mse_loss(x, x)", x=np.arange(3))
    refuses("F.mse_loss(x, x, weight=w)", x=X, w=np.ones(5))


@needs_torch
def test_distances() -> None:
    agree("F.pairwise_distance(x, y)", x=X, y=Y)
    agree("F.pairwise_distance(x, y, p=1, keepdim=True)", order=1, x=X, y=Y)
    agree("F.cosine_similarity(x, y, dim=0)", x=X, y=Y[:, :1])
    agree("F.cosine_similarity(x, y)", order=1, x=np.zeros((1, 3)), y=np.ones((1, 3)))
    agree("F.normalize(x, dim=0)", x=X)
    agree("F.normalize(x, p=1, dim=-1)", x=X)
    agree("F.normalize(x)", order=1, x=np.zeros((2, 3)))


@needs_torch
@REDUCTIONS
def test_cross_entropy_of_images_with_everything(reduction: str) -> None:
    x, t, w = (
        random.normal(size=(2, 3, 4, 2)),
        random.integers(0, 3, (2, 4, 2)),
        random.uniform(0.5, 2, 3),
    )
    t[0, 0, 0] = -1
    settings = f"ignore_index=-1, reduction='{reduction}'"
    agree(f"F.cross_entropy(x, t, w, {settings})", x=x, t=t, w=w, fixed="w")
    agree(f"F.cross_entropy(x, t, w, label_smoothing=0.3, {settings})", x=x, t=t, w=w, fixed="w")
    agree(f"F.nll_loss(x, t, w, {settings})", x=x, t=t, w=w, fixed="w")
    agree(f"F.cross_entropy(x, t, {settings})", x=np.float32(x), t=t, order=1)


@needs_torch
def test_the_mean_of_nothing_is_nan_with_gradient_zero() -> None:
    for loss in ("cross_entropy", "nll_loss"):
        agree(f"F.{loss}(x, t)", order=1, x=X, t=np.full(4, -100))
        agree(f"F.{loss}(x, t)", order=1, x=X[:0], t=CLASSES[:0])
    agree("F.cross_entropy(x, t, label_smoothing=.1)", order=0, x=X, t=np.full(4, -100))
    agree("F.mse_loss(x, x)", order=1, x=X[:0])


@needs_torch
def test_cross_entropy_is_accurate_for_large_logits() -> None:
    x = np.float32([[1000.0, 999.0, -1000.0], [5000.0, 5000.0, 5000.0]])
    agree("F.cross_entropy(x, t, reduction='none')", order=1, x=x, t=np.array([1, 2]))


def test_cross_entropy_is_one_node() -> None:
    loss = F.cross_entropy(OURS.leaf(X, True), OURS.leaf(CLASSES))
    assert loss.grad_fn.name() == "CrossEntropyBackward"
    assert type(loss.grad_fn.next_functions[0][0]).__name__ == "AccumulateGrad"


def test_a_target_that_is_no_class_is_named() -> None:
    for target in (7, -1):
        with pytest.raises(IndexError, match=f"Target {target} is out of bounds"):
            F.cross_entropy(OURS.leaf(X), OURS.leaf(np.array([0, target, 2, 4])))


@needs_torch
def test_targets_of_other_shapes_and_dtypes_are_refused() -> None:
    for t in (
        np.zeros((4, 1), int),
        np.zeros((), int),
        np.int32([0, 1, 2, 3]),
        np.zeros((4, 5), int),
        np.zeros((3, 5)),
    ):
        refuses("F.cross_entropy(x, t)", x=X, t=t)
        refuses("F.nll_loss(x, t)", x=X, t=t)
    refuses("F.cross_entropy(x, t, label_smoothing=2.)", x=X, t=CLASSES)
    refuses("F.cross_entropy(x, t)", x=np.arange(20).reshape(4, 5), t=CLASSES)


@pytest.mark.parametrize("loss", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_broadcasting_a_target_warns(loss: str) -> None:
    with pytest.warns(UserWarning, match="Using a target size"):
        value = getattr(F, loss)(OURS.leaf(X), OURS.leaf(Y[:, :1]))
    assert value.shape == ()


def test_size_average_and_reduce_still_mean_something() -> None:
    x, y = OURS.leaf(X), OURS.leaf(Y)
    for settings, reduction in (
        ({"size_average": True}, "mean"),
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"size_average": False, "reduce": True}, "sum"),
    ):
        with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
            value = F.mse_loss(x, y, **settings)
        np.testing.assert_array_equal(array(value), array(F.mse_loss(x, y, reduction=reduction)))


def test_kl_div_warns_about_its_mean() -> None:
    with pytest.warns(UserWarning, match="batchmean"):
        F.kl_div(OURS.leaf(X), OURS.leaf(np.abs(Y)))


# -- normalization ---------------------------------------------------------------------------------


@needs_torch
def test_normalizations() -> None:
    x, w, b = random.normal(size=(3, 4, 5)), random.normal(size=4), random.normal(size=4)
    agree("F.instance_norm(x, weight=w, bias=b)", x=x, w=w, b=b)
    agree(
        "F.instance_norm(x, m, v, w, b, use_input_stats=False)",
        x=x,
        w=w,
        b=b,
        m=w,
        v=b**2,
        fixed="m v",
    )
    agree("(F.instance_norm(x, m, v), m, v)", order=1, x=x, m=w, v=b**2, fixed="m v")
    agree("F.rms_norm(x, (5,), w)", x=x, w=random.normal(size=5))
    agree("F.rms_norm(x, (4, 5), eps=0.1)", x=x)
    agree("F.group_norm(x, 4)", order=1, x=x)
    agree("F.batch_norm(x, None, None, training=True)", order=1, x=x[:, :, 0] + 1000)
    agree("F.batch_norm(x, m, v, None, b)", order=1, x=x, m=w, v=b**2, b=b, fixed="m v")
    agree("F.layer_norm(x, (3, 4, 5))", order=1, x=x)
    agree("F.layer_norm(x, (5,), bias=b)", order=1, x=np.swapaxes(x, 0, 1), b=random.normal(size=5))
    agree("F.local_response_norm(x, 3, alpha=0.5)", x=x)
    agree("F.local_response_norm(x, 2, k=2., beta=0.5)", x=random.normal(size=(2, 4, 2, 3)))
    refuses("F.local_response_norm(x, 2)", x=X)
    refuses("F.batch_norm(x, m, m)", x=x, m=np.ones(3))
    refuses("F.batch_norm(x, m, m, w)", x=x, m=np.ones(4), w=np.ones(5))
    refuses("F.instance_norm(x)", x=x[:, :, :1])
    refuses("F.group_norm(x, 3)", x=x)
    refuses("F.layer_norm(x, (5,), w)", x=x, w=np.ones(4))


@needs_torch
def test_running_statistics_follow_the_batch() -> None:
    x = random.normal(size=(3, 4, 5)) * 3 + 1
    agree(
        "(F.batch_norm(x, m, v, training=True, momentum=0.3), m, v)",
        order=1,
        x=x,
        m=np.zeros(4),
        v=np.ones(4),
        fixed="m v",
    )
    single = {"x": np.float32(x), "m": np.zeros(4, np.float32), "v": np.ones(4, np.float32)}
    agree("(F.batch_norm(x, m, v, training=True), m, v)", 1, "m v", rtol=1e-4, **single)


def test_batch_norm_and_layer_norm_are_one_node() -> None:
    x, w = OURS.leaf(X, True), OURS.leaf(np.ones(5), True)
    for y, name in (
        (F.batch_norm(x, None, None, w, w, True), "BatchNorm"),
        (F.layer_norm(x, (5,), w, w), "LayerNorm"),
    ):
        assert y.grad_fn.name() == name + "Backward"
        assert all(type(node).__name__ == "AccumulateGrad" for node, _ in y.grad_fn.next_functions)


# -- dropout ---------------------------------------------------------------------------------------


def test_whole_channels_are_dropped() -> None:
    torch.manual_seed(0)
    for drop, shape in (
        (F.dropout1d, (8, 16, 5)),
        (F.dropout2d, (8, 16, 3, 3)),
        (F.dropout1d, (16, 5)),
    ):
        y = array(drop(OURS.leaf(np.ones(shape)), 0.5)).reshape(
            -1, np.prod(shape[-(len(shape) - len(shape[:-1]) + 1) + 1 :])
        )
        assert set(np.unique(y)) == {0.0, 2.0}
    y = array(F.dropout2d(OURS.leaf(np.ones((50, 20, 3, 3))), 0.25))
    assert (y == y[:, :, :1, :1]).all()
    assert abs((y == 0).mean() - 0.25) < 0.05


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    torch.manual_seed(0)
    x = OURS.leaf(np.random.default_rng(0).normal(size=(400, 500)))
    y = array(F.alpha_dropout(x, 0.3, training=True))
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.02


def test_dropout_in_evaluation_and_at_the_ends() -> None:
    x = OURS.leaf(X, requires_grad=True)
    for drop in (F.dropout, F.alpha_dropout):
        assert drop(x, 0.5, training=False) is x
    np.testing.assert_array_equal(array(F.dropout(x, 1.0)), 0)
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            F.dropout(x, wrong)
    with pytest.raises(RuntimeError, match="dropout1d"):
        F.dropout1d(OURS.leaf(np.ones(3)))


def test_dropout_in_place() -> None:
    x = OURS.leaf(np.ones((10, 10)))
    assert F.dropout(x, 0.5, inplace=True) is x
    assert set(np.unique(array(x))) == {0.0, 2.0}


@needs_torch
def test_dropout_of_other_dimensions() -> None:
    """What is a channel where there are more or fewer dimensions than the name says; warned of."""
    for function in ("dropout2d", "dropout3d", "feature_alpha_dropout"):
        for ndim in range(1, 7):
            x, outcomes = np.ones((3,) * ndim), []
            for library in (OURS, THEIRS):
                library.torch.manual_seed(ndim)
                drop = getattr(library.functional, function)
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    try:
                        y = array(drop(library.leaf(x), 0.4, True))
                    except RuntimeError:
                        y = np.zeros(0)
                outcomes.append((y, len(caught) > 0))
            np.testing.assert_allclose(outcomes[0][0], outcomes[1][0])
            assert outcomes[0][1] == outcomes[1][1], (function, ndim)


@needs_torch
def test_functional_out() -> None:
    x, i = random.normal(size=(2, 2, 4, 4)), random.normal(size=(2, 2, 4, 4))
    for name in ("gelu", "hardshrink", "normalize", "softplus", "softshrink"):
        agree(f"(F.{name}(x, out=o), o)", order=0, x=x, o=i)
    agree("(F.avg_pool2d(x, 2, out=o), o)", order=0, x=x, o=i[..., :2, :2])
    agree("(F.avg_pool3d(x, 2, out=o), o)", order=0, x=x, o=i[:, :1, :2, :2])


# -- gelu in single precision ----------------------------------------------------------------------


@needs_torch
def test_gelu_of_many_numbers() -> None:
    """Many numbers take another way than few: to the same numbers, up to their precision."""
    x = np.linspace(-12, 12, 20001)
    wanted = array(THEIRS.functional.gelu(THEIRS.leaf(x)))
    for dtype, atol in (("float64", 1e-15), ("float32", 2e-6), ("float16", 4e-3)):
        t = OURS.leaf(x.astype(dtype), True)
        y = F.gelu(t)
        assert array(y).dtype == dtype
        np.testing.assert_allclose(array(y), wanted, rtol=1e-5 if atol < 1e-3 else 2e-3, atol=atol)
        y.backward(torch.ones_like(y))
        slope = THEIRS.leaf(x, True)
        THEIRS.functional.gelu(slope).sum().backward()
        np.testing.assert_allclose(array(t.grad), array(slope.grad), rtol=1e-2, atol=atol)


@needs_torch
def test_gelu_far_away() -> None:
    x = np.tile(np.float32([1e3, -1e3, 1e30, -1e30, np.nan, 0.0, -0.0, 9.0, -9.0]), 100)
    agree("F.gelu(x)", order=0, x=x)
    agree("F.gelu(x)", order=1, x=x[(np.abs(x) < 1e3) | (x > 1e29)])
    agree("F.gelu(x.reshape(3, -1).T)", order=0, x=x, rtol=1e-5)


# -- connectionist temporal classification ---------------------------------------------------------

HEARD = random.normal(size=(7, 3, 5))
TEXTS = np.array([[1, 2, 2], [3, 4, 0], [4, 0, 0]])
LENGTHS = {"times": np.array([7, 5, 4]), "lengths": np.array([3, 2, 1])}


@needs_torch
@REDUCTIONS
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc(reduction: str, zero_infinity: bool) -> None:
    """Texts side by side and one after the other, lengths as tensors and tuples, other blanks, no
    text, no time, and one too long for its time."""
    settings = f"reduction='{reduction}', zero_infinity={zero_infinity}"
    given = {"x": HEARD, "t": TEXTS}
    call = "F.ctc_loss(x.log_softmax(2), {}, {}, {}, " + settings + ")"
    agree(call.format("t", "times", "lengths"), 1, **given, **LENGTHS)
    agree(call.format("t", "(7, 5, 4)", "[3, 2, 1]"), 1, **given)
    agree(call.format("t[t > 0]", "(7, 5, 4)", "(3, 2, 1)"), 1, **given)
    agree(call.format("t.int()", "times", "lengths").replace("lengths,", "lengths, 3,"), 1,
          x=HEARD, t=np.array([[1, 2, 2], [0, 4, 0], [4, 1, 1]]), **LENGTHS)  # fmt: skip
    agree(call.format("t", "(7, 5, 4)", "(0, 1, 0)"), 1, **given)
    agree(call.format("t[:, :0]", "(7, 0, 4)", "(0, 0, 0)"), 1, **given)
    agree(call.format("t", "(3, 5, 0)", "(3, 2, 1)"), 1 if zero_infinity else 0, **given)
    single = "F.ctc_loss(x.log_softmax(1), t, times, lengths, " + settings + ")"
    agree(single, 1, x=HEARD[:, 0], t=TEXTS[0], times=np.array(7), lengths=np.array(3))


def test_ctc_is_the_sum_over_all_ways() -> None:
    """Against all 4³ ways to hear something; and its gradient against finite differences."""
    x = torch.tensor(random.normal(size=(3, 1, 4)), requires_grad=True)
    p = array(x.softmax(2))[:, 0]

    def read(way: tuple[int, ...]) -> list[int]:
        return [s for i, s in enumerate(way) if s and (not i or way[i - 1] != s)]

    for text in ([], [1], [1, 2], [1, 1], [3, 2, 1]):
        ways = [way for way in np.ndindex(4, 4, 4) if read(way) == text]
        probability = np.sum([np.prod(p[[0, 1, 2], way]) for way in ways])
        target = torch.tensor([text], dtype=torch.int64)

        def loss(x: Any, target: Any = target, text: list[int] = text) -> Any:
            return F.ctc_loss(x.log_softmax(2), target, (3,), (len(text),), reduction="sum")

        np.testing.assert_allclose(loss(x).item(), -np.log(probability), 1e-12)
        assert OURS.autograd.gradcheck(loss, (x,))


@needs_torch
def test_ctc_refusals() -> None:
    given = {"x": HEARD, "t": TEXTS, **LENGTHS}
    for wrong in (
        "x, t, times + 1, lengths",
        "x, t, times, lengths + 1",
        "x, t, -times, lengths",
        "x, t, times[:2], lengths",
        "x, t, times.double(), lengths",
        "x, t[:2], times, lengths",
        "x, t[0], times, lengths",
        "x, t[None], times, lengths",
        "x, t, times, lengths, blank=5",
        "x[0, 0], t, times, lengths",
        "x[:0], t, times, lengths",
        "x.half(), t, times, lengths",
        "x, t, 7, 3",
        "x, t, times, lengths, reduction='all'",
    ):
        refuses(f"F.ctc_loss({wrong})", **given)
    x = torch.tensor(HEARD, requires_grad=True)
    loss = F.ctc_loss(x.log_softmax(2), torch.tensor(TEXTS), (7, 5, 4), (3, 2, 1))
    (gradient,) = OURS.autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"not\s+implemented"):
        gradient.sum().backward()


# -- embedding -------------------------------------------------------------------------------------


@needs_torch
def test_embedding_with_everything() -> None:
    i, w = np.array([[1, 4, 1], [0, 2, 2]]), random.normal(size=(5, 3))
    agree("F.embedding(i, w, padding_idx=-1)", i=i, w=w)
    agree("F.embedding(i, w, scale_grad_by_freq=True)", order=1, i=i, w=w)
    agree("(F.embedding(i, w, max_norm=1.), w)", order=0, i=i, w=w, rtol=1e-6)
    agree("F.embedding(i, w)", order=1, i=np.zeros((0, 2), int), w=w)
    agree("F.one_hot(i)", i=i)
    for wrong in ([[5]], [[-1]]):
        refuses("F.embedding(i, w)", i=np.array(wrong), w=w)
        refuses("F.one_hot(i, 5)", i=np.array(wrong))
    refuses("F.one_hot(i)", i=i * 1.0)


@better_than_torch  # which divides every gradient by the count of the first symbols
def test_bags_divide_by_frequency() -> None:
    i, gradients = torch.tensor([[1, 1, 1, 2], [2, 3, 2, 1]]), []
    for scale in (False, True):
        w = torch.ones(5, 1, requires_grad=True)
        F.embedding_bag(i, w, mode="sum", scale_grad_by_freq=scale).sum().backward()
        gradients.append(array(w.grad)[:, 0])
    np.testing.assert_array_equal(gradients[0], [0, 4, 3, 1, 0])
    np.testing.assert_array_equal(gradients[1], [0, 1, 1, 1, 0])


# -- signatures ------------------------------------------------------------------------------------


@needs_torch
def test_signatures_are_those_of_torch() -> None:
    for name, theirs in vars(THEIRS.functional).items():
        ours = vars(F).get(name)
        if (
            not (inspect.isfunction(theirs) and inspect.isfunction(ours))
            or name.startswith("_")
            or hasattr(ours, "op")
        ):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = _parameters(inspect.unwrap(theirs))
        except ValueError:  # written in C++
            continue
        if list(expected) in ([], ["args", "kwargs"]):
            continue
        assert _parameters(ours) == {k: v for k, v in expected.items() if k != "out"}, name


def _parameters(function: Any) -> dict[str, Any]:
    return {name: p.default for name, p in inspect.signature(function).parameters.items()}
