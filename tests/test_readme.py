"""README.md is true: its code runs, its sessions print what it shows, its map names every file.

- `python` blocks run, and `pycon` sessions must print what they show, in the order of the page;
  the blocks of a section (a `##` heading) share their names.
- `console` blocks: `$ python -m ...` runs in an empty folder, and what is shown below it (`...` is
  anything) must be what it prints. `$ python3 -m venv ...`, the two set-up commands, are left to
  `.ci/run`, which runs them as a stranger would.
- There are no other blocks.
"""

from __future__ import annotations

import ast
import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SET_UP = "python3 -m venv"


@dataclass(frozen=True)
class Block:
    section: str
    language: str
    line: int  # where the code begins, counted from 0
    code: str


@dataclass(frozen=True)
class Command:
    text: str
    output: str


def read_blocks(page: str) -> list[Block]:
    """The fenced blocks of the page, in order."""
    blocks: list[Block] = []
    section, opened = "", None
    lines = page.splitlines()
    for number, line in enumerate(lines):
        if opened is None and line.startswith("```"):
            opened = number
        elif opened is not None and line == "```":
            code = "\n".join(lines[opened + 1 : number]) + "\n"
            blocks.append(Block(section, lines[opened][3:], opened + 1, code))
            opened = None
        elif opened is None and line.startswith("## "):
            section = line[3:]
    return blocks


def read_commands(block: Block) -> list[Command]:
    """The `$` lines of a console block, each with the output shown below it."""
    parts = re.split(r"^\$ (.*)\n", block.code, flags=re.MULTILINE)
    assert not parts[0], f"README.md, line {block.line}: begin a console block with `$ `"
    return [Command(*pair) for pair in zip(parts[1::2], parts[2::2], strict=True)]


BLOCKS = read_blocks(README.read_text(encoding="utf-8"))
SECTIONS = [
    pytest.param(list(blocks), id=section)
    for section, blocks in groupby(
        (block for block in BLOCKS if block.language in ("python", "pycon")),
        key=lambda block: block.section,
    )
]
COMMANDS = [
    command for block in BLOCKS if block.language == "console" for command in read_commands(block)
]
RUN_HERE = [
    pytest.param(command, id=command.text)
    for command in COMMANDS
    if not command.text.startswith(SET_UP)
]


@pytest.mark.parametrize("blocks", SECTIONS)
def test_code(blocks: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks:
        if block.language == "python":
            exec(compile("\n" * block.line + block.code, README.name, "exec"), names)
        else:
            run_session(block, names)


def run_session(block: Block, names: dict[str, Any]) -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=FLAGS)
    session = parser.get_doctest(block.code, names, README.name, str(README), block.line)
    complaints: list[str] = []
    runner.run(session, out=complaints.append, clear_globs=False)
    names.update(session.globs)
    assert not complaints, "".join(complaints)


@pytest.mark.parametrize("command", RUN_HERE)
def test_command(command: Command, tmp_path: Path) -> None:
    python, *arguments = shlex.split(command.text)
    assert python == "python", f"{command.text}: a command here is `python -m ...` or a set-up"
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    if command.output:
        matches = doctest.OutputChecker().check_output(command.output, result.stdout, FLAGS)
        assert matches, f"shown:\n{command.output}\nprinted:\n{result.stdout}"


def test_two_commands_do_all_the_set_up() -> None:
    assert sum(command.text.startswith(SET_UP) for command in COMMANDS) == 2


def test_every_block_is_executed() -> None:
    assert {block.language for block in BLOCKS} <= {"python", "pycon", "console"}


def test_pictures_and_links_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_map_names_every_file_in_its_own_words() -> None:
    """`- path: the first sentence of the file's docstring`."""
    shown = set(
        re.findall(r"^- (`(?:autograd|nn)/.*)", README.read_text(encoding="utf-8"), re.MULTILINE)
    )
    true = {line_of_map(path) for top in ("autograd", "nn") for path in (ROOT / top).rglob("*.py")}
    missing, stale = sorted(true - shown), sorted(shown - true)
    assert not missing, "README.md lacks\n- " + "\n- ".join(missing)
    assert not stale, "README.md has no file for\n- " + "\n- ".join(stale)


def line_of_map(path: Path) -> str:
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(words.partition("\n\n")[0].split()).replace("``", "`")
    sentence = re.split(r"(?<=[.!?]) (?=[A-Z`])", paragraph)[0].rstrip(".:")
    return f"`{path.relative_to(ROOT).as_posix()}`: {sentence}"
