"""What a legend says of a published curve beside a limit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from na64.limits.figures.published import curve_label
from na64.workspaces.io.curves import load_curve

CURVE = load_curve("na64e-2016-2022")


@dataclass(frozen=True)
class Sector:
    dark_matter: str | None = "dirac"
    alpha_d: float | None = 0.1
    ratio: float | None = 3.0


@pytest.mark.parametrize(
    "sector",
    [
        Sector(alpha_d=0.5),
        Sector(ratio=2.5),
        Sector(dark_matter="scalar"),
        Sector(None, None, None),
    ],
)
def test_a_curve_for_another_dark_sector_says_for_which(sector: Sector) -> None:
    name, assumptions = curve_label(CURVE, sector).split(",\n")
    assert name.startswith(f"{CURVE.label} (arXiv:")
    assert assumptions == r"assuming $\alpha_D = 0.1$, $m_{A'} = 3\,m_\chi$"


def test_a_curve_for_the_same_dark_sector_or_for_all_needs_no_remark() -> None:
    assert curve_label(CURVE, Sector()) == f"{CURVE.label} (arXiv:{CURVE.reference.arxiv})"
    every = replace(CURVE, assumptions="")
    assert "\n" not in curve_label(every, Sector(alpha_d=0.5))


def test_a_species_that_the_curve_names_is_compared() -> None:
    scalar = replace(CURVE, assumptions="scalar dark matter, alpha_D = 0.1")
    assert "\n" not in curve_label(scalar, Sector(dark_matter="scalar"))
    assert curve_label(scalar, Sector()).endswith(r"assuming scalar dark matter, $\alpha_D = 0.1$")
