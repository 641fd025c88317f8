"""Which couplings mean something: what is accepted, and where perturbation theory ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.result import Regions
from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator

__all__ = ["LARGEST_COUPLING", "check_coupling", "largest_perturbative", "nonperturbative_note"]

#: far above every coupling for which a signal is a small correction; in 1/GeV for those with a
#: dimension
LARGEST_COUPLING: Final = 1e6
_SMALLEST_COUPLING: Final = 1e-100  # its square is a number still


def check_coupling(coupling: float) -> None:
    """Refuse a coupling at which nothing can be computed.

    Raises
    ------
    InputError
        For one that is not positive or not finite, above `LARGEST_COUPLING`, or so small that
        events underflow.
    """
    if not 0.0 < coupling < math.inf:
        raise InputError(f"the coupling must be positive and finite, is {coupling:g}")
    if not _SMALLEST_COUPLING <= coupling <= LARGEST_COUPLING:
        raise InputError(
            f"the coupling must be in {_SMALLEST_COUPLING:g} to {LARGEST_COUPLING:g}, is "
            f"{coupling:g}"
        )


def largest_perturbative(mediator: Mediator) -> float:
    """Return the free coupling at which the largest coupling to a lepton is sqrt(4 pi).

    Returns
    -------
    float
        Infinite for a mediator that does not couple to leptons.
    """
    # induced couplings depend on the momentum transfer, weakly: 1 GeV^2 stands for all
    strengths = [abs(float(mediator.coupling(name, 1.0))) for name in LEPTON_MASSES_GEV]
    return math.sqrt(4.0 * math.pi) / max(strengths) if any(strengths) else math.inf


def nonperturbative_note(
    mediator: Mediator, masses_gev: NDArray[np.float64], regions: Sequence[Regions]
) -> str:
    """Say at which masses all excluded couplings are beyond perturbation theory.

    Parameters
    ----------
    mediator
        The mediator.
    masses_gev
        Its masses, shape (M,).
    regions
        Excluded intervals of the coupling, one tuple per mass.

    Returns
    -------
    str
        Empty if there are none.
    """
    bound = largest_perturbative(mediator)
    beyond = [
        mass
        for mass, found in zip(masses_gev.tolist(), regions, strict=True)
        if found and found[0][0] > bound
    ]
    if not beyond:
        return ""
    where = f"{beyond[0]:.4g}" + (f" to {beyond[-1]:.4g}" if len(beyond) > 1 else "")
    return (
        f"at {where} GeV the limit is above {mediator.parameter} = {bound:.3g}, where the coupling "
        "is sqrt(4 pi): computed at lowest order, it means nothing"
    )
