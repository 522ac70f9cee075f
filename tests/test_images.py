"""Images resized, sampled and unpooled: what the great table does not say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from agreement import agree, needs_torch, refuses
from compare import OURS, THEIRS, array

torch, F = OURS.torch, OURS.functional
random = np.random.default_rng(3)

# -- resizing --------------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_many_sizes(dtype: str) -> None:
    """From many lengths to many, where positions fall on boundaries too."""
    rtol = {"float16": 2e-3, "float32": 1e-4, "float64": 1e-9}[dtype]
    for n in (1, 2, 3, 5, 8):
        x = random.uniform(1, 2, size=(1, 1, n, 3)).astype(dtype)
        for size in (1, 2, 3, 4, 7, 8, 16):
            for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
                agree(f"F.interpolate(x, ({size}, 5), mode='{mode}')", 0, x=x, rtol=rtol)
        for scale in (0.5, 1.0, 1.5, 2.0, 2.25, 3.0):
            for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
                if int(n * scale):
                    expression = f"F.interpolate(x, scale_factor=({scale}, 1), mode='{mode}')"
                    agree(expression, 0, x=x, rtol=rtol)


@needs_torch
def test_old_names_warn() -> None:
    x = random.normal(size=(1, 2, 3, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree("F.upsample(x, 5)", x=x)
        agree("F.upsample(x, scale_factor=2, mode='bilinear', align_corners=True)", x=x)
        agree("F.upsample_nearest(x, scale_factor=2)", x=x)
        agree("F.upsample_bilinear(x, (2, 7))", x=x)
    for old in (F.upsample, F.upsample_nearest, F.upsample_bilinear):
        with pytest.warns(UserWarning, match="interpolate"):
            old(torch.tensor(x), 5)


def test_what_is_not_finite_stays_where_it_is() -> None:
    x = torch.ones(1, 1, 1, 8)
    x[..., 0] = float("inf")
    x[..., 7] = float("nan")
    y = array(F.interpolate(x, (1, 16), mode="bilinear"))[0, 0, 0]
    np.testing.assert_array_equal(y[3:12], np.ones(9))


# -- unpooling -------------------------------------------------------------------------------------


@needs_torch
def test_unpooling() -> None:
    """Not in the great table: PyTorch's backward takes no strided gradient."""
    x, i = random.normal(size=(1, 2, 4)), np.array([[[1, 2, 5, 6], [0, 3, 4, 7]]])
    agree("F.max_unpool1d(x, i, 2)", x=x, i=i)
    agree("F.max_unpool1d(x, i, 2, output_size=(9,))", x=x, i=i)
    agree("F.max_unpool1d(x, i, 2)", x=x[0], i=i[0])
    agree("F.max_unpool1d(x, i, 2)", order=0, x=x[:0], i=i[:0])
    x, i = x.reshape(2, 1, 2, 2), i.reshape(2, 1, 2, 2)
    agree("F.max_unpool2d(x, i, 2)", x=x, i=i)
    agree("F.max_unpool2d(x, i, 2, 3, 1, (2, 1, 4, 3))", x=x, i=i)
    agree("F.max_unpool3d(x, i, (1, 2, 2))", x=x, i=i)
    agree("F.max_unpool3d(x, i, 1, (1, 2, 2), output_size=(1, 3, 3))", x=x[None], i=i[None])


def test_pooling_undone() -> None:
    """What unpooling puts back, pooling finds again."""
    x = torch.randn(2, 3, 6, 8)
    y, where = F.max_pool2d(x, 2, return_indices=True)
    back = F.max_unpool2d(y, where, 2)
    kept = array(back) != 0
    np.testing.assert_array_equal(array(back)[kept], array(x)[kept])
    assert kept.sum() == y.numel()


@needs_torch
def test_what_goes_to_one_place() -> None:
    """The last of several stays, but the gradient is everyone's."""
    x, i = np.array([[1.0, 2.0]]), np.array([[0, 0]])
    agree("F.max_unpool1d(x, i, 1)", order=1, x=x, i=i)


# -- windows at random distances -------------------------------------------------------------------


@needs_torch
def test_fractional_pooling() -> None:
    x, u = random.normal(size=(2, 3, 9, 7)), random.random((2, 3, 2))
    for size in ("3", "(4, 6)", "1"):
        for indices in (False, True):
            agree(f"F.fractional_max_pool2d(x, (3, 2), {size}, None, {indices}, u)", x=x, u=u,
                  fixed="u")  # fmt: skip
    agree("F.fractional_max_pool2d(x, 2, output_ratio=(.5, .6), _random_samples=u[:1])",
          x=x[0], u=u, fixed="u")  # fmt: skip
    x[0, 0, 2] = np.nan
    agree("F.fractional_max_pool2d(x, 2, 4, None, True, u)", order=0, x=x, u=u)
    agree("F.fractional_max_pool2d(x, 2, 4, None, True, u)", order=0, x=x[:0], u=u[:0])
    x, u = random.normal(size=(1, 2, 4, 6, 5)), random.random((1, 2, 3))
    agree("F.fractional_max_pool3d(x, 2, (2, 3, 3), None, True, u)", x=x, u=u, fixed="u")
    for wrong in (
        "x, 2",
        "x, 3, 5",
        "x[0, 0, 0], 2, 2",
        "x.long(), 2, 2",
        "x, 2, (1, 1, 1, 1)",
        "x, 2, 2, None, False, u[..., :1]",
        "x, 2, 2, None, False, u.float()",
    ):
        refuses(f"F.fractional_max_pool3d({wrong})", x=x, u=u)


@needs_torch
def test_fractional_pooling_draws_what_torch_draws() -> None:
    x = random.normal(size=(2, 3, 9, 7))
    both = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(4)
        both.append(array(library.functional.fractional_max_pool2d(library.leaf(x), 2, 4)))
    np.testing.assert_array_equal(*both)


# -- sampling --------------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize("edge", ["zeros", "border", "reflection"])
def test_places_on_pixels_and_far_away(edge: str) -> None:
    """Where the place is a pixel, an edge, a mirror, or nowhere near; in one row of pixels, too."""
    places = np.linspace(-3, 3, 25)
    x, y = (axis.reshape(1, -1, 5) for axis in np.meshgrid(places, places))
    grid = np.stack((x, y), -1)
    for align in (False, True):
        for mode in ("bilinear", "nearest", "bicubic"):
            call = f"F.grid_sample(x, g, '{mode}', '{edge}', {align})"
            agree(call, 0, x=random.normal(size=(1, 2, 4, 3)), g=grid)
            agree(call, 0, x=random.normal(size=(1, 2, 1, 3)), g=grid)
            agree(call, 1, x=random.normal(size=(2, 2, 4, 3)), g=random.normal(size=(2, 3, 4, 2)))
        half = f"F.grid_sample(x, g, 'bilinear', '{edge}', {align})"
        agree(half, 0, rtol=0.02, x=np.float16(random.uniform(1, 2, size=(1, 1, 4, 3))),
              g=np.float16(random.uniform(-0.5, 0.5, size=(1, 2, 2, 2))))  # fmt: skip


def test_grid_of_nothing_moved() -> None:
    """The identity looks at every pixel where it is."""
    x, still = torch.randn(2, 3, 4, 5), torch.tensor([[[1.0, 0, 0], [0, 1, 0]]] * 2)
    for align in (False, True):
        grid = F.affine_grid(still, x.shape, align_corners=align)
        y = F.grid_sample(x, grid, align_corners=align)
        np.testing.assert_allclose(array(y), array(x), rtol=1e-4, atol=1e-5)


def test_unsaid_corners_warn() -> None:
    for call in (
        lambda: F.grid_sample(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 1, 2)),
        lambda: F.affine_grid(torch.ones(1, 2, 3), (1, 1, 2, 2)),
    ):
        with pytest.warns(UserWarning, match="align_corners"):
            call()
