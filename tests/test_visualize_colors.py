"""Colors: every text is readable on its ground, and no two that mean different things look alike,
for all eyes, in both themes."""

from __future__ import annotations

import itertools
from dataclasses import fields

import numpy as np
import pytest

from autograd.visualize import flow, style

both_themes = pytest.mark.parametrize("palette", [style.LIGHT, style.DARK], ids=["light", "dark"])

# What eyes without one kind of cone see, of linear RGB (Machado, Oliveira, Fernandes, 2009).
EYES = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(color):
    """#rrggbb as three amounts of light."""
    c = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """The ratio of WCAG."""
    light, dark = sorted((linear(c) @ [0.2126, 0.7152, 0.0722] for c in (a, b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(color, eyes):
    """Where an eye sees a color: lightness, green to red, blue to yellow."""
    seen = np.clip(EYES[eyes] @ linear(color), 0, 1)
    xyz = (
        np.array(
            [
                [0.4124564, 0.3575761, 0.1804375],
                [0.2126729, 0.7151522, 0.0721750],
                [0.0193339, 0.1191920, 0.9503041],
            ]
        )
        @ seen
        / [0.95047, 1, 1.08883]
    )
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(a, b):
    """How far apart two colors are to those who see least of it."""
    return min(float(np.linalg.norm(lab(a, eyes) - lab(b, eyes))) for eyes in EYES)


@both_themes
def test_every_text_is_readable_on_its_ground(palette):
    body = [palette.ink, palette.faint, palette.value, palette.grad, palette.local]
    grounds = {
        palette.ground: body,
        palette.card: body,
        palette.module: body,
        palette.parameter: [*body, palette.trouble_ink],
        palette.input: [*body, palette.trouble_ink],
        palette.op: [palette.ink, palette.faint],
        palette.second_op: [palette.ink],
        palette.head: [palette.head_ink, palette.head_faint],
        palette.second: [palette.head_ink, palette.head_faint],
        palette.trouble: [palette.head_ink, palette.head_faint],
        palette.trouble_row: [palette.trouble_ink],
        palette.trouble_card: [palette.ink, palette.value, palette.grad, palette.faint],
    }
    for ground, inks in grounds.items():
        for ink in inks:
            assert contrast(ink, ground) >= 4.5, (ink, ground)


@both_themes
def test_lines_stand_out_from_the_ground(palette):
    lines = [palette.wire, palette.op_line, palette.parameter_line, palette.input_line]
    lines += [palette.trouble, palette.module_line, palette.second_line]
    lines += [getattr(palette, band.role) for band in flow.BANDS]
    for line in lines:
        assert contrast(line, palette.ground) >= 2.5, line


@both_themes
def test_values_and_gradients_look_different_to_all_eyes(palette):
    assert distance(palette.value, palette.grad) >= 40
    assert distance("#008000", "#ff0000") < 40, "the plain pair would not pass"


@both_themes
def test_the_two_orders_look_different_to_all_eyes(palette):
    assert distance(palette.op_line, palette.second_line) >= 15


@both_themes
def test_neighbors_on_the_scale_of_gradients_look_different_to_all_eyes(palette):
    for one, next_one in itertools.pairwise(flow.BANDS):
        a, b = (getattr(palette, band.role) for band in (one, next_one))
        assert distance(a, b) >= 12, (a, b)
        assert next_one.width > one.width, "and never by color alone"


def test_the_palettes_translate_color_by_color():
    lights = [getattr(style.LIGHT, role.name) for role in fields(style.Palette)]
    assert len(set(lights)) == len(lights), "the dark CSS finds a role by its light color"
