"""The massive boson of spin 2 that couples to the stress tensors of photons and charged leptons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.decays.widths import spin_two_to_fermions, spin_two_to_photons
from na64.models.mediators.protocol import MediatorKind

__all__ = ["SpinTwoMediator", "spin_two"]


@dataclass(frozen=True, slots=True)
class SpinTwoMediator:
    """A boson G with L = -g G_{mu nu} T^{mu nu}, T the sum over photons and charged leptons.

    The free coupling stands for g = c/Lambda in 1/GeV, the same for all of them: only a source
    that is conserved has a limit for light G. A coupling to nuclei, which conservation asks for
    too, changes no cross-section here, see `na64.models.production.primakoff`; decays to hadrons
    and to neutrinos are left out. Attributes are those of
    `na64.models.mediators.protocol.Mediator`.
    """

    name: str = "spin-2"
    parameter: str = "g_G"
    citations: tuple[str, ...] = ("arXiv:2412.10150", "arXiv:2210.00751")
    kind: MediatorKind = field(default=MediatorKind.SPIN_TWO, init=False)

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> FloatArray:
        """Return 1 for charged leptons and 0 for others, in 1/GeV at g = 1/GeV."""
        return np.full(np.shape(q2_gev2), float(fermion in LEPTON_MASSES_GEV))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, FloatArray]:
        """Return the widths to pairs of charged leptons and of photons in GeV at g = 1/GeV."""
        to_leptons = {
            f"{name} {name}": spin_two_to_fermions(mass_gev, mass)
            for name, mass in LEPTON_MASSES_GEV.items()
        }
        return {**to_leptons, "photons": spin_two_to_photons(mass_gev)}


def spin_two() -> SpinTwoMediator:
    """Return the boson of spin 2.

    References
    ----------
    Voronchikhin and Kirpichnikov, arXiv:2412.10150 and arXiv:2210.00751.
    """
    return SpinTwoMediator()
