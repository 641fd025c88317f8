"""Which shipped curve is the published result of a shipped search."""

from __future__ import annotations

from typing import Final

from na64.workspaces.curves import available_curves

__all__ = ["published_curve"]

#: searches whose curve has another name
_CURVES: Final = {
    "na64e-2016-2018": "na64e-2021-fermion",
    "na64e-alp-2016-2018": "na64-alp-2020",
    "na64e-visible-2017-2018": "na64-visible-2020",
}


def published_curve(search: str) -> str | None:
    """Return the name of the curve that was published for a search, None if there is none."""
    name = _CURVES.get(search, search)
    return name if name in available_curves() else None
