"""Published curves beside a limit: which is that of a search, and what a legend says of one."""

from __future__ import annotations

from functools import cache

from na64.limits.figures.style import SPECIES
from na64.limits.figures.typeset import typeset
from na64.limits.figures.words import Assumed
from na64.limits.results.limit import Limit
from na64.workspaces.io.curves import Curve, available_curves, load_curve

__all__ = ["curve_label", "curve_text", "published_curve"]


def published_curve(limit: Limit) -> str | None:
    """Return the name of the curve that was published for a limit, None if there is none.

    It is one of the limit's mediator or a variant of it, or else of the model of the card: the
    one of the same name as the search, or the first that names the search.
    """
    made = limit.specification
    models = (made.mediator.name, made.cards[0].model)
    return next(
        (name for name in (_curve_of(made.search, model) for model in models) if name), None
    )


@cache
def _curve_of(search: str, model: str) -> str | None:
    """Return the name of the curve of a search for a model or a variant of it."""
    found = [
        name
        for name in available_curves()
        if (name == search or search in load_curve(name).searches)
        and _related(load_curve(name).model, model)
    ]
    return search if search in found else next(iter(found), None)


def _related(one: str, other: str) -> bool:
    """Whether models are the same or the name of one begins with that of the other."""
    return f"{one}-".startswith(f"{other}-") or f"{other}-".startswith(f"{one}-")


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
