"""Colors and fonts: how things look, apart from where they stand.

Green and red stay apart for color-blind eyes (never below ΔE 46), every text reaches a contrast of
4.5 on its own ground, and no meaning hangs on color alone: a value stands above its wire, upright;
a gradient below it, in italics.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

FONT = "Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colors of a theme, by what they stand for."""

    ground: str
    ink: str  # names
    faint: str  # shapes, notes
    wire: str
    value: str
    grad: str
    local: str  # local derivatives, formulas, what is saved
    op: str  # inside of a circle
    op_line: str
    head: str  # top of an operation's card
    head_ink: str
    head_faint: str
    card: str  # the rest of the card
    parameter: str
    parameter_line: str
    input: str
    input_line: str
    frame: str  # around a module
    trouble: str  # the line around, and the head of, what went wrong first
    trouble_card: str
    trouble_row: str
    trouble_ink: str
    second: str  # head of a card, for what a backward recorded
    second_op: str  # inside of a circle
    second_line: str
    module: str  # a module that is not opened
    module_line: str
    flow_lost: str  # the gradient-flow view, from vanishing gradients to exploding ones
    flow_small: str
    flow_usual: str
    flow_large: str
    flow_wild: str


LIGHT = Palette(
    ground="#ffffff",
    ink="#1f2933",
    faint="#5e6a79",
    wire="#5f6b7a",
    value="#0b7a75",
    grad="#cc3311",
    local="#6b4fa0",
    op="#eaf0f8",
    op_line="#3b5b8c",
    head="#3b5b8d",
    head_ink="#fdfeff",
    head_faint="#dbe5f3",
    card="#f4f7fb",
    parameter="#fff7e6",
    parameter_line="#8a5a00",
    input="#f3f4f6",
    input_line="#616d7c",
    frame="#aab4c0",
    trouble="#b3261e",
    trouble_card="#fff1ec",
    trouble_row="#ffe1d9",
    trouble_ink="#8c1d18",
    second="#8f2d56",
    second_op="#f6ebf3",
    second_line="#8f2d57",
    module="#eef1f5",
    module_line="#5d6977",
    flow_lost="#1f5fbf",
    flow_small="#5a9bd8",
    flow_usual="#7b8794",
    flow_large="#e08214",
    flow_wild="#b10026",
)

DARK = Palette(
    ground="#161b22",
    ink="#e8edf3",
    faint="#a3afbc",
    wire="#8b98a7",
    value="#7ee8fa",
    grad="#f98b3c",
    local="#c6a8f5",
    op="#223049",
    op_line="#8fb0e0",
    head="#30507f",
    head_ink="#fdfeff",
    head_faint="#cfdcf0",
    card="#1c2430",
    parameter="#2c2413",
    parameter_line="#d3a24a",
    input="#232a33",
    input_line="#8d99a8",
    frame="#56616e",
    trouble="#a92f27",
    trouble_card="#2b1a1a",
    trouble_row="#4a1f1c",
    trouble_ink="#ffc9c2",
    second="#8a4a78",
    second_op="#3a2336",
    second_line="#d0608a",
    module="#262f3a",
    module_line="#8e9cab",
    flow_lost="#4d8df6",
    flow_small="#8fc1f0",
    flow_usual="#9aa7b5",
    flow_large="#ffab40",
    flow_wild="#ff5a6e",
)

THEMES = {"light": LIGHT, "dark": DARK, "auto": LIGHT}  # "auto": light, with DARK's colors in CSS


def dark_mode_css(scope: str) -> str:
    """Return CSS that gives a light picture the dark palette where the reader's system is dark."""
    rules = [
        f'{scope} [{paint}="{getattr(LIGHT, role.name)}"]{{{paint}:{getattr(DARK, role.name)}}}'
        for role in fields(Palette)
        for paint in ("fill", "stroke")
    ]
    return "@media (prefers-color-scheme: dark){" + "".join(rules) + "}"
