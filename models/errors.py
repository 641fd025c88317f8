"""The project's errors: one root, two branches that tell who can mend them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar, Final

__all__ = ["ComputationError", "InputError", "NA64Error", "did_you_mean", "unknown_name"]


#: characters of an unknown name that are shown
_LONGEST_NAME: Final = 100


class NA64Error(Exception):
    """Root of every error raised on purpose; the message is meant for the user."""

    #: exit code of the command line when this error ends a command
    exit_code: ClassVar[int] = 1


class InputError(NA64Error, ValueError):
    """Something the user gave is not allowed: a value, a name, a file."""

    exit_code: ClassVar[int] = 2


class ComputationError(NA64Error, RuntimeError):
    """The input is allowed but the computation did not reach a trustworthy number."""


def unknown_name(kind: str, name: str, allowed: Iterable[str]) -> InputError:
    """Return the error for a name that is not in a list of names.

    Parameters
    ----------
    kind
        What is named, in the singular: ``"material"``.
    name
        The name that was given.
    allowed
        Every name that would have been accepted.

    Returns
    -------
    InputError
        With the nearest match, if there is one, and all allowed names.
    """
    names = sorted(allowed)
    hint = did_you_mean(name, names)
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
    return InputError(f"unknown {kind} '{shown}'{hint}; allowed: {', '.join(names)}")


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest allowed name, or an empty text.

    Of names made of several words those that have all words of the wrong one come first, the
    most alike two of them: ``na64e-2022`` is nearer to ``na64e-2016-2022`` than to ``na64h-2022``.
    """
    if len(name) > _LONGEST_NAME:  # comparing takes a while, and is like nothing
        return ""
    names = list(allowed)
    words = set(name.split("-"))
    whole = [item for item in names if len(words) > 1 and words < set(item.split("-"))]
    close = [item for item in names if item.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, whole, n=2, cutoff=0.0)
    close = close or difflib.get_close_matches(name, names, n=1)
    found = " or ".join(f"'{item}'" for item in close)
    return f" (did you mean {found}?)" if found else ""
