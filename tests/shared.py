"""What tests of several rooms use: the folder of the repository, a toy card, a toy result."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from na64.limits.calculators.status import Status
from na64.limits.results.axes import coupling_axis, mass_axis
from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.limits.scanning.request import specify

__all__ = ["CARD_HEAD", "ROOT", "toy_limit"]

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


@functools.cache
def _specification(
    masses_gev: tuple[float, ...], asked: tuple[tuple[str, Any], ...]
) -> Specification:
    return specify(**{"search": "na64e-2016", "masses_gev": masses_gev, **dict(asked)})


def toy_limit(
    masses_gev: Sequence[float] = (0.01, 0.1, 1.0),
    low: ArrayLike | None = None,
    /,
    *,
    quantiles: Sequence[float] = (1.0, 2.0, 3.0, 4.0, 5.0),
    asked: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Limit:
    """Return a result that nobody computed.

    Parameters
    ----------
    masses_gev, low
        Masses, and the excluded coupling at each: 1e-4 times the mass unless given.
    quantiles
        Expected limits over the observed one.
    asked
        What the specification differs in, as keywords of `specify`, hashable; ``search`` among
        them.
    changes
        Fields of the result that are others.
    """
    specification = _specification(tuple(masses_gev), tuple(sorted((asked or {}).items())))
    masses = specification.masses_gev
    edges = 1e-4 * masses if low is None else np.asarray(low, float)
    result = Limit(
        specification=specification,
        x=mass_axis("m_A'"),
        y=coupling_axis("epsilon"),
        masses_gev=masses,
        regions=tuple(((edge, None),) for edge in edges.tolist()),
        expected_regions=tuple(
            tuple(((factor * edge, None),) for edge in edges.tolist()) for factor in quantiles
        ),
        events_limit=np.full(len(masses), 2.3),
        yields={"emission": 1e8 / masses**2, "annihilation": np.zeros(len(masses))},
        status=(Status.OK,) * len(masses),
        messages=("",) * len(masses),
        power=2.0,
    )
    return replace(result, **changes)
