"""Imports point one way: no circle, and `nn` sees of `autograd` what every user sees."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("autograd", "nn")
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imported(module: str) -> Iterator[tuple[str, str]]:
    """(source, name) of what a file imports when it runs, in functions too."""
    path = FILES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            source = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            yield from ((source, alias.name) for alias in node.names)


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of the tree, but for what only the type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from running(node)


def used_files(module: str) -> set[str]:
    """The files of ours that a file imports."""
    used = set()
    for source, name in imported(module):
        submodule = f"{source}.{name}"
        used.add(submodule if submodule in FILES else source)
    return used & (set(FILES) - {module})


def test_no_circles() -> None:
    TopologicalSorter({module: used_files(module) for module in FILES}).prepare()


def test_autograd_does_not_know_nn() -> None:
    for module in FILES:
        if module.split(".")[0] == "autograd":
            assert not any(used.split(".")[0] == "nn" for used in used_files(module)), module


def test_nn_uses_public_names_only() -> None:
    for module in FILES:
        if module.split(".")[0] == "nn":
            for source, name in imported(module):
                if source.split(".")[0] == "autograd":
                    private = [part for part in [*source.split("."), name] if part.startswith("_")]
                    assert not private, f"{module} imports {source}.{name}"
            assert "._array" not in FILES[module].read_text(encoding="utf-8"), module


@pytest.mark.parametrize("module", ["autograd", "nn"])
def test_importing_is_light(module: str) -> None:
    heavy = ["graphviz", "matplotlib", "pygraphviz", "scipy", "sklearn", "tqdm", "torch"]
    code = f"import sys, {module}; print(*(m for m in {heavy} if m in sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not loaded, f"import {module} loads {loaded}"
