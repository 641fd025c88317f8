"""Published curves beside a limit: which is that of a search, and what a legend says of one."""

from __future__ import annotations

import re
from functools import cache

from na64.limits.figures.words import Assumed, plain_text
from na64.workspaces.io.curves import Curve, available_curves, load_curve

__all__ = ["curve_label", "published_curve"]


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
    species = f"{beside.dark_matter} dark matter"
    same = {species}
    if beside.alpha_d is not None:
        same.add(f"alpha_d = {beside.alpha_d:g}")
    if beside.ratio is not None:
        same.add(f"m_a' = {beside.ratio:g} m_chi")
    parts = [part.strip() for part in curve.assumptions.split(",") if part.strip()]
    told = {part.lower() for part in parts}
    usual = beside.dark_matter == "dirac" or species in told
    if not told or (told <= same and usual):
        return f"{curve.label}{reference}"
    return f"{curve.label}{reference},\nassuming {', '.join(map(_in_mathematics, parts))}"


def _in_mathematics(text: str) -> str:
    """Write the symbols of ``assumptions`` as formulas."""
    text = re.sub(r"\balpha_D( = [\d.e+-]+)?", r"$\\alpha_D\1$", plain_text(text))
    return re.sub(r"\bm_A'( = [\d.e+-]+) m_chi\b", r"$m_{A'}\1\\,m_\\chi$", text)
