"""Where excluded regions begin and end along the mass: between which masses to look closer."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.status import Regions, Status
from na64.limits.results.limit import Limit

__all__ = ["tip_masses_gev"]

#: a tip is known well enough between masses so close, in ln(mass)
_CLOSE: Final = 5e-3
#: states of masses at which it is known what is excluded
_KNOWN: Final = (Status.OK, Status.NO_EXCLUSION, Status.NOT_BRACKETED)


def tip_masses_gev(limit: Limit) -> NDArray[np.float64]:
    """Return masses within steps in which a region begins, ends, splits or opens.

    Observed and expected regions count alike. Steps below 0.5 % are fine enough.

    Parameters
    ----------
    limit
        A result in couplings.

    Returns
    -------
    numpy.ndarray
        Shape (K,), increasing, none of them among the masses of the limit.
    """
    masses = limit.specification.masses_gev
    lines: list[tuple[tuple[Regions, ...], tuple[Status, ...]]] = []
    if not limit.expected_only:
        lines.append((limit.regions, limit.status))
    states = limit.expected_status or (limit.status,) * len(limit.expected_regions)
    lines += zip(limit.expected_regions, states, strict=True)
    differs = np.zeros(len(masses) - 1, dtype=bool)
    for regions, status in lines:
        shapes = [_shape(found) for found in regions]
        known = [state in _KNOWN for state in status]
        pairs = [
            known[k] and known[k + 1] and shapes[k] != shapes[k + 1] for k in range(len(differs))
        ]
        differs |= np.array(pairs, dtype=bool)
    steps = np.log(masses[1:] / masses[:-1])
    found: list[float] = []
    for k in np.flatnonzero(differs & (steps > _CLOSE)).tolist():
        # a run has its price however few its masses are: quarters, and halves at the end
        parts = 4 if steps[k] > 2.0 * _CLOSE else 2
        found += (masses[k] * np.exp(steps[k] * np.arange(1, parts) / parts)).tolist()
    # as files keep them
    return np.array([float(f"{mass:.12g}") for mass in found])


def _shape(found: Regions) -> tuple[int, bool]:
    """How many intervals there are, and whether the last is open."""
    return len(found), bool(found) and found[-1][1] is None
