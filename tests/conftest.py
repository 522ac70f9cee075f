"""What all tests share: --slow, hypothesis's settings, PyTorch where it is installed."""

from __future__ import annotations

import os
from types import ModuleType

import pytest
from hypothesis import settings

# Tests run in as many processes as there are cores. Threads of BLAS on top of that would wait for
# each other longer than they work. Read when NumPy is loaded; notebooks and commands inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch, to compare with; without it the test is skipped."""
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
