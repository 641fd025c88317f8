"""Names out of a list: whole ones, or patterns such as ``mc_*``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from na64.models.errors import InputError, did_you_mean, unknown_name

__all__ = ["chosen_names"]

#: a message that lists more names than this would be read by nobody
_LISTED = 30


def chosen_names(kind: str, wanted: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the names that are wanted, each once, in the order of the list.

    Parameters
    ----------
    kind
        What is named, in the singular, for messages: ``"channel"``.
    wanted
        Names, or patterns in which ``*`` stands for any characters, ``?`` for one and ``[ab]`` for
        one of several; upper and lower case differ. A name is taken as it stands where the list
        has it, whatever is in it.
    names
        The list.

    Raises
    ------
    InputError
        For a name that is not in the list, and a pattern that fits none of it.

    Examples
    --------
    >>> chosen_names("sample", ["mc_*", "signal"], ["signal", "mc_a", "data_driven", "mc_b"])
    ['signal', 'mc_a', 'mc_b']
    """
    found: set[str] = set()
    for pattern in wanted:
        fits = [pattern] if pattern in names else [n for n in names if fnmatchcase(n, pattern)]
        if not fits:
            raise _unknown(kind, pattern, names)
        found.update(fits)
    return [name for name in dict.fromkeys(names) if name in found]


def _unknown(kind: str, name: str, names: Sequence[str]) -> InputError:
    if len(names) <= _LISTED:
        return unknown_name(kind, name, names)
    return InputError(
        f"unknown {kind} '{name}'{did_you_mean(name, names)}; there are {len(names)}, "
        f"from '{names[0]}' to '{names[-1]}'"
    )
