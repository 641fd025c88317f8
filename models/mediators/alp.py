"""The axion-like particle that couples to two photons, a scalar with the same coupling included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.decays.widths import boson_to_photons
from na64.models.mediators.protocol import MediatorKind

__all__ = ["PhotonCoupledMediator", "alp"]


@dataclass(frozen=True, slots=True)
class PhotonCoupledMediator:
    """A spin-zero boson with -(g/4) a F F-dual or -(g/4) s F F, g in 1/GeV.

    The free coupling stands for g in 1/GeV. Attributes are those of
    `na64.models.mediators.protocol.Mediator`.
    """

    name: str = "alp"
    parameter: str = "g_agg"
    citations: tuple[str, ...] = ("arXiv:2005.02710", "arXiv:2004.04469")
    kind: MediatorKind = field(default=MediatorKind.PHOTON_COUPLED, init=False)

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> FloatArray:
        """Return zero: it couples to photons only."""
        return np.zeros(np.shape(q2_gev2))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, FloatArray]:
        """Return the width to two photons in GeV at g = 1/GeV."""
        return {"photons": boson_to_photons(mass_gev)}


def alp() -> PhotonCoupledMediator:
    """Return the axion-like particle coupled to photons.

    References
    ----------
    Andreev et al. (NA64), arXiv:2005.02710, eqs. (1)-(2).
    """
    return PhotonCoupledMediator()
