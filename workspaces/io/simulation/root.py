"""ROOT files of a simulation: opening them, and their objects by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from na64.models.errors import InputError, NA64Error, did_you_mean
from na64.workspaces.io.optional import need
from na64.workspaces.io.reading import read_beginning

__all__ = ["branch_of", "object_of", "opened", "reading"]

#: names of objects or branches that a message lists
_LISTED = 12


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say which part of a file cannot be read; uproot has no error of its own for that."""
    try:
        yield
    except NA64Error:
        raise
    except MemoryError as error:
        raise InputError(f"{what}: needs more memory than there is") from error
    # what a damaged file makes of a reader of binary data can be any error
    except Exception as error:
        said = str(error).strip().splitlines()
        reason = f": {said[0][:120]}" if said else ""
        raise InputError(f"{what} cannot be read ({type(error).__name__}{reason})") from error


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a ROOT file on this machine.

    Raises
    ------
    InputError
        Without uproot, and for a file that is none of ROOT's.
    """
    uproot = need("uproot", extra="root", purpose="reading ROOT files")
    # what is no regular file, which opening might wait for, is refused there
    if read_beginning(path, 4) != b"root":
        raise InputError("is no ROOT file: it does not begin with 'root'")
    with reading("the file"):
        # a dictionary, because a colon in a plain name would divide it, and an address be fetched
        file = uproot.open({str(path): None})
    with file:
        yield file


def object_of(file: Any, name: str, kind: str, classes: tuple[str, ...]) -> Any:
    """Return an object of an open file.

    Parameters
    ----------
    file
        From `opened`.
    name
        Its name, with folders: ``run1/h_passed``.
    kind, classes
        What it has to be, in words, and beginnings of ROOT's names for that.

    Raises
    ------
    InputError
        For a name that is not there, with the nearest one, and for an object of another class.
    """
    with reading("the list of objects"):
        known = {str(key): str(value) for key, value in file.classnames(cycle=False).items()}
    fitting = [key for key, value in known.items() if value.startswith(classes)]
    if name not in known:
        hint = did_you_mean(name, fitting or known)
        raise InputError(f"has no {kind} '{name}'{hint}; there are: {_listed(fitting)}")
    if name not in fitting:
        raise InputError(
            f"'{name}' is a {known[name]}, not a {kind}; there are: {_listed(fitting)}"
        )
    with reading(f"{kind} '{name}'"):
        return file[name]


def branch_of(tree: Any, name: str) -> str:
    """Return the name of a branch, or say which there are."""
    with reading("the list of branches"):
        known = [str(key) for key in tree.keys()]  # noqa: SIM118 - it has keys and is no mapping
    if name not in known:
        raise InputError(
            f"the tree has no branch '{name}'{did_you_mean(name, known)}; there are: "
            f"{_listed(known)}"
        )
    return name


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{shown}{more}" or "none"
