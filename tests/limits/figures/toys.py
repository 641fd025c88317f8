"""Toy limits of figures: 1 % of the mass in GeV, from 1 MeV to 1 GeV, with bands around."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from na64.limits.calculators.registry import calculator_from_dict
from na64.limits.calculators.status import Regions, Status
from na64.limits.figures.drawn import Drawn
from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator
from na64.models.signals.settings import SignalSettings
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import load_card
from tests.shared import open_regions, toy_limit

MASSES: Final = np.geomspace(1e-3, 1.0, 7).round(6)
LIMIT: Final = 1e-2 * MASSES
BANDS: Final = np.outer([0.9, 0.95, 1.1, 1.3, 1.6], LIMIT)
DIRAC: Final = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)
PUBLISHED: Final = Drawn("published", np.array([1e-4, 10.0]), np.array([8e-7, 8e-2]), compared=True)


def card(title: str = "A toy search", mass: str = "m_A'", name: str = "toy") -> RunCard:
    """A search for missing energy."""
    return replace(load_card("na64e-2016"), name=name, title=title, mass_parameter=mass)


def toy(
    *,
    cards: tuple[RunCard, ...] | None = None,
    title: str = "A toy search",
    model: str | Mediator = "dark-photon",
    masses: Any = MASSES,
    sector: DarkSector | None = DIRAC,
    settings: dict[str, Any] | None = None,
    method: dict[str, Any] | None = None,
    expected: Any = None,
    **changes: Any,
) -> Limit:
    """A limit with open regions, unless ``regions`` and ``expected_regions`` are given."""
    made = Specification(
        cards=cards or (card(title),),
        mediator=mediator(model) if isinstance(model, str) else model,
        settings=SignalSettings(dark_sector=sector, **(settings or {})),
        calculator=calculator_from_dict(method or {"name": "exact"}),
        masses_gev=np.asarray(masses),
        confidence_level=changes.pop("confidence_level", 0.9),
        expected_only=bool(changes.pop("expected_only", False)),
    )
    limit = 1e-2 * made.masses_gev
    bands = np.outer([0.9, 0.95, 1.1, 1.3, 1.6], limit) if expected is None else expected
    given = {
        "regions": open_regions(limit),
        "expected_regions": tuple(open_regions(band) for band in bands),
    }
    return toy_limit(made, **{**given, **changes})


def closed(low: Any, high: Any) -> tuple[Regions, ...]:
    """One closed interval per mass; nothing where its ends are in the wrong order."""
    low, high = np.broadcast_arrays(low, high)
    return tuple(
        ((a, b),) if a < b else () for a, b in zip(low.tolist(), high.tolist(), strict=True)
    )


def lines(figure: Figure) -> dict[str, tuple[Any, Any]]:
    """Labels and points of the lines in the first panel."""
    return {
        str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in figure.axes[0].get_lines()
    }


def _legend(figure: Figure) -> Any:
    return figure.legends[0] if figure.legends else figure.axes[0].get_legend()


def legend(figure: Figure) -> list[str]:
    """Names of everything that is drawn in the first panel, as legends have them."""
    return list(figure.axes[0].get_legend_handles_labels()[1])


def in_legend(figure: Figure) -> list[str]:
    """Texts of the legend; none if there is none."""
    found = _legend(figure)
    return [text.get_text() for text in found.get_texts()] if found else []


def at_curves(figure: Figure) -> list[str]:
    """Texts at the curves of the first panel, lines joined."""
    return [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]


def heading(figure: Figure) -> str:
    """Title of the figure: above the frame, or of the legend that is there."""
    above = figure.axes[0].get_title(loc="left")
    return str(above or _legend(figure).get_title().get_text())


def filled(figure: Figure, label: str, x: float, y: float) -> bool:
    """Whether a point is inside of a filled area of a label, holes left out."""
    (axes,) = figure.axes
    crossings = 0
    for patch in axes.patches:
        if patch.get_label() == label:
            for loop in patch.get_path().to_polygons(closed_only=True):
                crossings += _inside(np.log(loop), np.log([x, y]))
    for item in axes.collections:
        if item.get_label() == label:
            crossings += any(path.contains_point((x, y)) for path in item.get_paths())
    return crossings % 2 == 1


def _inside(loop: Any, point: Any) -> bool:
    """Even-odd rule in logarithms, in which figures are drawn."""
    (x, y), inside = point, False
    for (x0, y0), (x1, y1) in itertools.pairwise(loop):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


NOTHING: Final[dict[str, Any]] = {
    "regions": ((),) * 7,
    "expected_regions": (((),) * 7,) * 5,
    "status": (Status.NO_EXCLUSION,) * 7,
}
