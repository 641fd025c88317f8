"""Published curves beside a limit: which is that of a search, and what a legend says of one."""

from __future__ import annotations

import re
from typing import Final, Protocol

from na64.workspaces.io.curves import Curve, available_curves

__all__ = ["Assumed", "curve_label", "published_curve"]

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


class Assumed(Protocol):
    """The dark sector that a limit holds for; scans and limits in planes have one."""

    @property
    def dark_matter(self) -> str | None:
        """Species, None without dark matter."""

    @property
    def alpha_d(self) -> float | None:
        """g_D^2/(4 pi)."""

    @property
    def ratio(self) -> float | None:
        """m_mediator/m_chi."""


def curve_label(curve: Curve, beside: Assumed) -> str:
    """Return what a legend says of a curve.

    Parameters
    ----------
    curve
        The curve.
    beside
        The limit that it is drawn with. What the curve assumes is told unless the limit assumes
        the same; a curve that names no species stands beside Dirac dark matter without a remark.
    """
    reference = f" (arXiv:{curve.reference.arxiv})" if curve.reference.arxiv else ""
    species = f"{beside.dark_matter} dark matter"
    same = {species}
    if beside.alpha_d is not None:
        same.add(f"alpha_d = {beside.alpha_d:g}")
    if beside.ratio is not None:
        same.add(f"m_a' = {beside.ratio:g} m_chi")
    assumed = [part.strip() for part in curve.assumptions.split(",") if part.strip()]
    told = {part.lower() for part in assumed}
    usual = beside.dark_matter == "dirac" or species in told
    if not told or (told <= same and usual):
        return f"{curve.label}{reference}"
    return f"{curve.label}{reference},\nassuming {', '.join(map(_in_mathematics, assumed))}"


def _in_mathematics(text: str) -> str:
    """Write the symbols of ``assumptions`` as formulas."""
    text = text.replace("$", r"\$")
    text = re.sub(r"\balpha_D( = [\d.e+-]+)?", r"$\\alpha_D\1$", text)
    return re.sub(r"\bm_A'( = [\d.e+-]+) m_chi\b", r"$m_{A'}\1\\,m_\\chi$", text)
