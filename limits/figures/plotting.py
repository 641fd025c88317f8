"""The figure of limits by plain keywords: what stands beside them and how it looks, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.figure import figure
from na64.limits.figures.overlays import Beside, default_overlays
from na64.limits.results.limit import Limit
from na64.models.errors import InputError, unknown_name

__all__ = ["plot"]

_BESIDE: Final = tuple(item.name for item in fields(Beside))
_LOOK: Final = tuple(item.name for item in fields(Appearance))
_OWN: Final = ("beside", "appearance", "ratio_panel", "names", "ax")
#: keywords that take several values; a single one stands for itself
_SEVERAL: Final = frozenset({*_BESIDE, "labels", "names"})


def plot(results: Limit | Sequence[Limit], **words: Any) -> Figure:
    """Draw limits as the command ``plot`` does.

    Parameters
    ----------
    results
        A limit, or several on the same variable.
    **words
        What `Beside` takes (``overlays``, names of published curves, files or curves, by default
        the published curve of the first search; ``thermal``, ``bounds``, ``moments``, ...), what
        `Appearance` takes (``title``, ``labels``, ``xlim``, ``ylim``, ``bands``, ``legend``,
        ``mass_unit``, ``style``, ...), and ``ratio_panel``, ``names``, ``ax`` of
        `na64.limits.figures.figure.figure`. ``beside`` and ``appearance`` are taken as a whole,
        too.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        For an unknown keyword or name, and as `na64.limits.figures.figure.figure`.
    """
    limits = [results] if isinstance(results, Limit) else list(results)
    for item in limits:
        if not isinstance(item, Limit):
            raise InputError(
                f"a figure is of limits, not of {item!r}; na64.limits.read gives that of a file"
            )
    allowed = (*_BESIDE, *_LOOK, *_OWN)
    for name in words:
        if name not in allowed:
            raise unknown_name("keyword of a figure", name, allowed)
    given = {name: _several(value) if name in _SEVERAL else value for name, value in words.items()}
    if limits and "beside" not in given:
        given.setdefault("overlays", default_overlays(limits[0]))
    return figure(
        limits,
        beside=_made(Beside, "beside", given),
        appearance=_made(Appearance, "appearance", given),
        ratio_panel=given.get("ratio_panel", False),
        names=given.get("names", ()),
        ax=given.get("ax"),
    )


def _made(kind: type[Any], name: str, given: Mapping[str, Any]) -> Any:
    """Return what is given as a whole, or made of its fields; not both."""
    own = {item.name: given[item.name] for item in fields(kind) if item.name in given}
    if name not in given:
        return kind(**own)
    if own:
        raise InputError(f"{', '.join(own)}: put into {name}, which is given as a whole")
    return given[name]


def _several(value: Any) -> Any:
    """Return one value, or the values of a list, as a tuple."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)
