"""The source of the package, read once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.shared import ROOT

FOLDERS = ("limits", "models", "workspaces")


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("na64", *(parts[:-1] if parts[-1] == "__init__" else parts)))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> dict[str, ast.Module]:
    """Return the syntax tree of every module of ``na64`` by its dotted name."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return {_module(path): ast.parse(path.read_text(), str(path)) for path in paths}


@pytest.fixture(scope="session")
def packages() -> frozenset[str]:
    """Return the dotted names of the packages of ``na64``."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("__init__.py")]
    return frozenset(_module(path) for path in found)
