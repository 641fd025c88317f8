"""Files that are shipped with the project, each named by its stem, and those of the user."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from pathlib import Path

from na64.models.errors import unknown_name
from na64.workspaces.io.reading import read_text

__all__ = ["shipped", "shipped_or_file", "shipped_text"]


@cache
def shipped(folder: str) -> tuple[str, ...]:
    """Return the names of the TOML files in a folder of the workspaces, sorted."""
    files = (Path(item.name) for item in (resources.files("na64.workspaces") / folder).iterdir())
    return tuple(sorted(path.stem for path in files if path.suffix == ".toml"))


def shipped_text(kind: str, folder: str, name: str) -> str:
    """Return the text of a shipped file, or raise InputError with the nearest name."""
    if name not in shipped(folder):
        raise unknown_name(kind, name, shipped(folder))
    file = resources.files("na64.workspaces") / folder / f"{name}.toml"
    return file.read_text(encoding="utf-8")


def shipped_or_file(kind: str, folder: str, name: str) -> str:
    """Return the text of a shipped file, or of a file of the user.

    Parameters
    ----------
    kind
        What it is, for messages.
    folder
        Where the shipped ones are.
    name
        Name of a shipped one, or path of a file; what looks like a name and is no file is an
        unknown name.

    Raises
    ------
    InputError
        For an unknown name, or a file that cannot be read.
    """
    path = Path(name)
    if name in shipped(folder) or (
        not path.suffix and path.name == name and not os.path.exists(name)
    ):
        return shipped_text(kind, folder, name)
    return read_text(name)
