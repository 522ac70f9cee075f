"""Every layer against PyTorch's: the same first weights, repr, output and gradients."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, array, assert_close, tensors_in

torch, nn = OURS.torch, OURS.nn
against_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")

# A layer and the shapes of its inputs.
LAYERS = {
    # linear
    "nn.Identity(3, unused=True)": [(2, 3)],
    "nn.Linear(3, 5)": [(4, 3)],
    "nn.Linear(3, 5, bias=False)": [(2, 4, 3)],
    "nn.Linear(3, 1, True)": [(3,)],
    "nn.Bilinear(3, 4, 5)": [(2, 3), (2, 4)],
    "nn.Bilinear(1, 2, 3, bias=False)": [(4, 1), (4, 2)],
    "nn.Flatten()": [(2, 3, 4)],
    "nn.Flatten(0, 1)": [(2, 3, 4)],
    "nn.Unflatten(1, (2, 3))": [(4, 6)],
    # distances
    "nn.PairwiseDistance()": [(4, 3), (4, 3)],
    "nn.PairwiseDistance(1, 0.5, True)": [(2, 4, 3), (2, 4, 3)],
    "nn.CosineSimilarity()": [(4, 3), (4, 3)],
    "nn.CosineSimilarity(0, eps=1e-6)": [(4, 3), (4, 3)],
    # convolutions
    "nn.Conv1d(2, 4, 3)": [(2, 2, 7)],
    "nn.Conv1d(2, 4, 3, stride=2, padding=1, groups=2)": [(2, 2, 7)],
    "nn.Conv2d(2, 4, 3)": [(2, 2, 5, 6)],
    "nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=1, dilation=2, bias=False)": [(2, 2, 7, 6)],
    "nn.Conv2d(4, 4, 3, groups=2)": [(2, 4, 5, 5)],
    "nn.Conv2d(2, 3, 3, padding='same')": [(2, 2, 5, 5)],
    "nn.Conv2d(2, 3, 3, padding='same', dilation=2)": [(2, 2, 5, 5)],
    "nn.Conv2d(2, 3, 3, padding='valid')": [(2, 2, 5, 5)],
    "nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode='reflect')": [(2, 2, 5, 5)],
    "nn.Conv2d(2, 3, 3, padding=1, padding_mode='replicate')": [(2, 2, 5, 5)],
    "nn.Conv2d(2, 3, 3, padding=1, padding_mode='circular')": [(2, 2, 5, 5)],
    "nn.Conv2d(2, 3, (3, 5), padding='same', padding_mode='reflect')": [(2, 2, 5, 6)],
    "nn.Conv2d(2, 3, 3)": [(2, 5, 5)],
    "nn.ConvTranspose1d(2, 4, 3, 2, output_padding=1)": [(2, 2, 4)],
    "nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1)": [(2, 2, 4, 3)],
    "nn.ConvTranspose2d(4, 2, (2, 3), groups=2, bias=False, dilation=2)": [(2, 4, 3, 3)],
    # pooling
    "nn.MaxPool1d(2)": [(2, 3, 7)],
    "nn.MaxPool2d(2)": [(2, 3, 5, 6)],
    "nn.MaxPool2d((3, 2), stride=1, padding=1, ceil_mode=True)": [(2, 3, 5, 6)],
    "nn.MaxPool2d(2, dilation=2)": [(2, 3, 5, 6)],
    "nn.AvgPool1d(3, 2, padding=1)": [(2, 3, 8)],
    "nn.AvgPool2d(2)": [(2, 3, 5, 6)],
    "nn.AvgPool2d(3, 2, 1, count_include_pad=False)": [(2, 3, 5, 6)],
    "nn.AvgPool2d((2, 3), 1, divisor_override=5)": [(2, 3, 5, 6)],
    "nn.AdaptiveAvgPool1d(3)": [(2, 3, 7)],
    "nn.AdaptiveAvgPool2d((2, None))": [(2, 3, 5, 6)],
    "nn.AdaptiveAvgPool2d(1)": [(2, 3, 5, 6)],
    "nn.AdaptiveMaxPool1d(3)": [(2, 3, 7)],
    "nn.AdaptiveMaxPool2d((2, 3))": [(2, 3, 5, 7)],
    # activations
    "nn.ReLU()": [(2, 3)],
    "nn.ReLU(inplace=True)": [(2, 3)],
    "nn.ReLU6()": [(2, 3)],
    "nn.LeakyReLU()": [(2, 3)],
    "nn.LeakyReLU(0.2, inplace=True)": [(2, 3)],
    "nn.PReLU()": [(2, 3)],
    "nn.PReLU(3, init=0.1)": [(2, 3, 4)],
    "nn.ELU(0.5)": [(2, 3)],
    "nn.SELU()": [(2, 3)],
    "nn.CELU(2.0)": [(2, 3)],
    "nn.Hardsigmoid()": [(2, 3)],
    "nn.Hardshrink()": [(2, 3)],
    "nn.Softshrink(0.3)": [(2, 3)],
    "nn.Tanhshrink()": [(2, 3)],
    "nn.Threshold(0.1, 20)": [(2, 3)],
    "nn.Softmin(dim=1)": [(2, 3)],
    "nn.GELU()": [(2, 3)],
    "nn.GELU(approximate='tanh')": [(2, 3)],
    "nn.SiLU()": [(2, 3)],
    "nn.Mish()": [(2, 3)],
    "nn.Hardtanh(-0.5, 0.7)": [(2, 3)],
    "nn.Hardswish()": [(2, 3)],
    "nn.Softplus(2.0, 1.0)": [(2, 3)],
    "nn.Softsign()": [(2, 3)],
    "nn.Tanh()": [(2, 3)],
    "nn.Sigmoid()": [(2, 3)],
    "nn.LogSigmoid()": [(2, 3)],
    "nn.Softmax(dim=1)": [(2, 3)],
    "nn.LogSoftmax(dim=0)": [(2, 3)],
    "nn.GLU()": [(2, 4)],
    # normalization
    "nn.BatchNorm1d(3)": [(4, 3)],
    "nn.BatchNorm1d(3, momentum=None)": [(4, 3, 5)],
    "nn.BatchNorm2d(3, eps=0.1, momentum=0.3)": [(2, 3, 4, 5)],
    "nn.BatchNorm2d(3, affine=False)": [(2, 3, 4, 5)],
    "nn.BatchNorm2d(3, track_running_stats=False)": [(2, 3, 4, 5)],
    "nn.BatchNorm2d(3, bias=False)": [(2, 3, 4, 5)],
    "nn.BatchNorm2d(3).eval()": [(2, 3, 4, 5)],
    "nn.LayerNorm(5)": [(2, 3, 5)],
    "nn.LayerNorm((3, 5), eps=0.1, bias=False)": [(2, 3, 5)],
    "nn.LayerNorm([5], elementwise_affine=False)": [(2, 3, 5)],
    "nn.GroupNorm(2, 4)": [(2, 4, 3)],
    "nn.GroupNorm(4, 4, affine=False)": [(2, 4, 3, 2)],
    # dropout where nothing is random
    "nn.Dropout(0.3).eval()": [(2, 3)],
    "nn.Dropout(1.0)": [(2, 3)],
    "nn.Dropout2d(0.0)": [(2, 3, 4, 4)],
    "nn.Dropout1d(0.4, True).eval()": [(2, 3, 4)],
    # containers
    "nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))": [(5, 3)],
    "nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten())": [(4, 1, 5, 5)],
}
every_layer = pytest.mark.parametrize("expression", LAYERS)


def samples(expression: str) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.normal(size=shape) for shape in LAYERS[expression]]


def results(library: Any, expression: str) -> dict[str, np.ndarray]:
    """Output, gradients and state of the layer after one pass in double precision."""
    library.torch.manual_seed(0)
    layer = library.evaluate(expression, {}).double()
    inputs = [library.leaf(sample, requires_grad=True) for sample in samples(expression)]
    outputs = tensors_in(
        layer(*(x.clone() for x in inputs))
    )  # clones, for those that work in place
    found = {f"output {i}": y for i, y in enumerate(outputs)}
    sum((y * y.cos()).sum() for y in outputs).backward()
    found |= {f"gradient of input {i}": x.grad for i, x in enumerate(inputs)}
    found |= {f"gradient of {name}": param.grad for name, param in layer.named_parameters()}
    found |= layer.state_dict()
    return {name: array(tensor) for name, tensor in found.items()}


@against_torch
@every_layer
def test_starts_with_the_same_weights(expression: str) -> None:
    states = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(0)
        states.append(library.evaluate(expression, {}).state_dict())
    ours, theirs = states
    assert list(ours) == list(theirs)
    for name, tensor in ours.items():
        np.testing.assert_array_equal(array(tensor), array(theirs[name]), err_msg=name)


@against_torch
@every_layer
def test_prints_the_same(expression: str) -> None:
    assert repr(OURS.evaluate(expression, {})) == repr(THEIRS.evaluate(expression, {}))


@against_torch
@every_layer
def test_computes_the_same(expression: str) -> None:
    ours, theirs = results(OURS, expression), results(THEIRS, expression)
    assert list(ours) == list(theirs)
    # PyTorch takes the slope 1/6 in single precision.
    tolerance = 1e-7 if "Hardsigmoid" in expression else 1e-10
    for name, value in ours.items():
        assert_close(value, theirs[name], f"{name} of {expression}", tolerance, tolerance)


# What needs no PyTorch: numbers known beforehand.


def test_linear_is_a_weighted_sum() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, 3.0]]))
        layer.bias.fill_(1.0)
    assert layer(torch.tensor([10.0, 100.0])).tolist() == [321.0]


def test_the_first_weights_are_pytorchs() -> None:
    """torch.manual_seed(0); torch.nn.Linear(3, 2)."""
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    expected = [[-0.004322517663240433, 0.3097158372402191, -0.4751853346824646]]
    np.testing.assert_allclose(array(layer.weight)[:1], expected, rtol=1e-6)


def test_batch_norm_learns_the_statistics_it_uses_later() -> None:
    layer = nn.BatchNorm1d(1, momentum=None)
    layer(torch.tensor([[0.0], [2.0]]))
    layer(torch.tensor([[2.0], [4.0]]))
    assert layer.running_mean.tolist() == [2.0]  # of the means 1 and 3
    assert layer.running_var.tolist() == [2.0]  # the unbiased variance of both
    assert layer.num_batches_tracked.item() == 2


def test_batch_norm_in_evaluation_leaves_its_statistics_alone() -> None:
    layer = nn.BatchNorm2d(2).eval()
    before = [array(b).copy() for b in layer.buffers()]
    layer(torch.ones(3, 2, 4, 4))
    for was, is_now in zip(before, layer.buffers(), strict=True):
        np.testing.assert_array_equal(was, array(is_now))


def test_dropout_keeps_the_mean_and_drops_the_rest() -> None:
    torch.manual_seed(0)
    y = array(nn.Dropout(0.25)(torch.ones(10_000)))
    assert set(np.unique(y.round(5))) == {0.0, np.float32(1 / 0.75).round(5)}
    assert abs(y.mean() - 1) < 0.02


def test_channel_dropout_drops_whole_channels() -> None:
    torch.manual_seed(0)
    y = array(nn.Dropout2d(0.5)(torch.ones(50, 4, 3, 3))).reshape(200, 9)
    assert (y == y[:, :1]).all()
    assert 60 < (y[:, 0] == 0).sum() < 140


def test_embedding_looks_up_and_gathers_gradients() -> None:
    layer = nn.Embedding.from_pretrained(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), freeze=False)
    y = layer(torch.tensor([[1, 0], [1, 1]]))
    assert y.tolist() == [[[3, 4], [1, 2]], [[3, 4], [3, 4]]]
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [3, 3]]


def test_embedding_padding_stays_zero() -> None:
    layer = nn.Embedding(3, 2, padding_idx=-1)
    assert layer.padding_idx == 2
    assert layer.weight[2].tolist() == [0, 0]
    layer(torch.tensor([2, 2, 0])).sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]


@against_torch
def test_embedding_like_pytorchs() -> None:
    for expression in (
        "nn.Embedding(4, 3)",
        "nn.Embedding(4, 3, padding_idx=1)",
        "nn.Embedding(4, 3, max_norm=0.5, norm_type=1.0, scale_grad_by_freq=True)",
    ):
        tables = []
        for library in (OURS, THEIRS):
            library.torch.manual_seed(3)
            layer = library.evaluate(expression, {})
            start = array(layer.weight).copy()
            layer(library.torch.tensor([3, 1, 3])).cos().sum().backward()
            tables.append((start, array(layer.weight), array(layer.weight.grad)))
            tables[-1] += (repr(layer),)
        *ours, our_repr = tables[0]
        *theirs, their_repr = tables[1]
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
        assert our_repr == their_repr


def test_max_pool_says_where() -> None:
    x = torch.tensor([[[[1.0, 5.0], [2.0, 3.0]]]])
    y, where = nn.MaxPool2d(2, return_indices=True)(x)
    assert y.tolist() == [[[[5.0]]]]
    assert where.tolist() == [[[[1]]]]


def test_transposed_convolution_can_be_told_its_size() -> None:
    down = nn.Conv2d(1, 1, 3, stride=2, padding=1)
    up = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    x = torch.randn(1, 1, 6, 6)
    assert tuple(up(down(x)).shape) == (1, 1, 5, 5)
    assert tuple(up(down(x), output_size=(6, 6)).shape) == (1, 1, 6, 6)


# Bad input: what is raised, and what it says.

REFUSED = {
    "nn.Linear(2, 2)(torch.zeros(1, 3))": (RuntimeError, "shapes cannot be multiplied"),
    "nn.Bilinear(0, 1, 2)": (ValueError, "in1_features must be > 0"),
    "nn.Unflatten(1, 3)": (TypeError, "unflattened_size must be"),
    "nn.Unflatten(1, ('a', 'b'))": (TypeError, "unflattened_size must be"),
    "nn.Conv2d(3, 4, 3, groups=2)": (ValueError, "in_channels must be divisible by groups"),
    "nn.Conv2d(4, 3, 3, groups=2)": (ValueError, "out_channels must be divisible by groups"),
    "nn.Conv2d(4, 4, 3, groups=0)": (ValueError, "groups must be a positive integer"),
    "nn.Conv2d(1, 1, 3, padding='some')": (ValueError, "Invalid padding string"),
    "nn.Conv2d(1, 1, 3, stride=2, padding='same')": (ValueError, "not supported for strided"),
    "nn.Conv2d(1, 1, 3, padding_mode='wrap')": (ValueError, "padding_mode must be one of"),
    "nn.ConvTranspose2d(1, 1, 3, padding_mode='reflect')": (ValueError, "zeros"),
    "nn.ConvTranspose2d(1, 1, 3, stride=2)(torch.zeros(1, 1, 2, 2), output_size=(9, 9))": (
        ValueError,
        "valid sizes range from",
    ),
    "nn.Conv2d(2, 1, 3)(torch.zeros(1, 3, 5, 5))": (RuntimeError, "channels"),
    "nn.Dropout(1.5)": (ValueError, "between 0 and 1, but got 1.5"),
    "nn.Dropout(-1)": (ValueError, "between 0 and 1, but got -1"),
    "nn.BatchNorm1d(2)(torch.zeros(2))": (ValueError, "expected 2D or 3D input"),
    "nn.BatchNorm2d(2)(torch.zeros(2, 2))": (ValueError, "expected 4D input"),
    "nn.BatchNorm1d(1)(torch.zeros(1, 1))": (ValueError, "Expected more than 1 value per channel"),
    "nn.GroupNorm(2, 3)": (ValueError, "must be divisible by"),
    "nn.Hardtanh(1.0, -1.0)": (AssertionError, "must be greater than"),
    "nn.Embedding(3, 2, padding_idx=3)": (AssertionError, "within num_embeddings"),
    "nn.Embedding(3, 2, padding_idx=-4)": (AssertionError, "within num_embeddings"),
    "nn.Embedding(3, 2)(torch.tensor([3]))": (IndexError, "out of range"),
    "nn.Embedding(3, 2)(torch.tensor([0.5]))": (RuntimeError, "Long"),
    "nn.Embedding.from_pretrained(torch.zeros(3))": (AssertionError, "2-dimensional"),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_refuses(expression: str) -> None:
    error, words = REFUSED[expression]
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate(expression, {})
