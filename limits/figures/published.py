"""Published curves beside a limit: which is that of a search, and what a legend says of one."""

from __future__ import annotations

from functools import cache

from na64.limits.figures.style import SPECIES
from na64.limits.figures.typeset import typeset
from na64.limits.figures.words import Assumed
from na64.workspaces.io.curves import Curve, available_curves, load_curve

__all__ = ["curve_label", "curve_text", "published_curve"]


@cache
def published_curve(search: str) -> str | None:
    """Return the name of the curve that was published for a search, None if there is none.

    It is the one of the same name, or the first that names the search.
    """
    names = available_curves()
    if search in names:
        return search
    return next((name for name in names if search in load_curve(name).searches), None)


def curve_label(curve: Curve, beside: Assumed) -> str:
    """Return what a legend says of a curve.

    Parameters
    ----------
    curve
        The curve.
    beside
        What the limit that it is drawn with assumes. What the curve assumes is told unless the
        limit assumes the same; a curve that names no species stands beside Dirac dark matter
        without a remark.
    """
    reference = f" (arXiv:{curve.reference.arxiv})" if curve.reference.arxiv else ""
    other = _assumptions(curve, beside)
    return f"{typeset(curve.label)}{reference}" + (f",\nassuming {other}" if other else "")


def curve_text(curve: Curve, beside: Assumed) -> str:
    """Return what stands at a curve itself, where there is no room for its reference."""
    other = _assumptions(curve, beside)
    return typeset(curve.label) + (f"\n({other})" if other else "")


def _assumptions(curve: Curve, beside: Assumed) -> str:
    """Return what a curve assumes, typeset; empty if the limit beside it assumes the same."""
    kind = beside.dark_matter or ""
    species = {f"{name} dark matter".lower() for name in (kind, SPECIES.get(kind, kind))}
    same = set(species)
    if beside.alpha_d is not None:
        same.add(f"alpha_d = {beside.alpha_d:g}")
    if beside.ratio is not None:
        same.add(f"m_a' = {beside.ratio:g} m_chi")
    parts = [part.strip() for part in curve.assumptions.split(",") if part.strip()]
    told = {part.lower() for part in parts}
    usual = kind == "dirac" or bool(species & told)
    return "" if not told or (told <= same and usual) else ", ".join(map(typeset, parts))
