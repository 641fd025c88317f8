"""What tests of several rooms use: the repository's folder, a toy card, a toy result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from na64.limits.calculators.status import Regions, Status
from na64.limits.results.axes import coupling_axis, mass_axis
from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification

__all__ = ["CARD_HEAD", "ROOT", "open_regions", "toy_limit"]

ROOT: Final = Path(__file__).resolve().parents[1]

#: a search for missing energy: everything but its bins
CARD_HEAD: Final = """
name = "toy"
topology = "missing-energy"
defaults = { model = "dark-photon", masses = { low_gev = 0.01, high_gev = 0.5, points = 3 } }
beam = { particle = "e-", energy_gev = 100, source = "test" }
target = { material = "ecal", source = "test" }
window = { missing_energy_gev = 50, source = "test" }
"""


def open_regions(limits: Any) -> tuple[Regions, ...]:
    """Everything above a limit is excluded, at each mass; nothing where it is NaN."""
    return tuple(() if np.isnan(low) else ((float(low), None),) for low in limits)


def toy_limit(specification: Specification, **changes: Any) -> Limit:
    """A result that was computed by nobody: 1e-4 per GeV, its bands one to five times that."""
    masses = specification.masses_gev
    count = len(masses)
    result = Limit(
        specification=specification,
        x=mass_axis(specification.mass_parameter),
        y=coupling_axis(specification.mediator.parameter, specification.mass_parameter),
        masses_gev=masses,
        regions=open_regions(1e-4 * masses),
        expected_regions=tuple(open_regions(k * 1e-4 * masses) for k in range(1, 6)),
        events_limit=np.full(count, 2.3),
        yields={"emission": 1e8 / masses**2, "annihilation": np.zeros(count)},
        status=(Status.OK,) * count,
        messages=("",) * count,
        power=2.0,
    )
    return replace(result, **changes)
