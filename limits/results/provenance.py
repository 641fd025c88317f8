"""How a result was made: versions, command line, digests of what went in."""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib.metadata import version
from typing import Any, Final

__all__ = ["provenance", "versions"]

_DISTRIBUTIONS: Final = ("na64-limits", "numpy", "scipy", "pyhf")


def versions() -> dict[str, str]:
    """Return the versions of Python, of this project and of what its numbers depend on."""
    return {"python": platform.python_version(), **_installed()}


@cache  # what is imported does not change, and reading it takes as long as a small likelihood
def _installed() -> dict[str, str]:
    return {name: version(name) for name in _DISTRIBUTIONS}


def provenance(**facts: Any) -> dict[str, Any]:
    """Return the provenance of a result.

    Parameters
    ----------
    **facts
        What belongs to this kind of result: digests, a seed, the resolved card.

    Returns
    -------
    dict
        The facts, ``versions``, and ``command``, the words of the command line; the latter is
        null for a call from Python.
    """
    program = sys.argv[0].replace("\\", "/") if sys.argv else ""
    named = program.rsplit("/", 1)[-1].removesuffix(".exe")
    is_command = named == "na64-limits" or program.endswith("limits/cli/__main__.py")
    return {
        **facts,
        "versions": versions(),
        "command": ["na64-limits", *sys.argv[1:]] if is_command else None,
    }
