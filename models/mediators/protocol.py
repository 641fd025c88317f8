"""What a mediator is to the rest of the project: data, with no knowledge of production."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray

__all__ = ["Mediator", "MediatorKind"]


class MediatorKind(StrEnum):
    """Lorentz structure of the coupling; production dispatches on it."""

    VECTOR = "vector"
    AXIAL = "axial"
    SCALAR = "scalar"
    PSEUDOSCALAR = "pseudoscalar"
    PHOTON_COUPLED = "photon-coupled"
    SPIN_TWO = "spin-2"


@runtime_checkable
class Mediator(Protocol):
    """A new particle, described per unit of one free coupling.

    Everything is stated for the free coupling equal to one; couplings scale with it and
    widths with its square.
    """

    @property
    def name(self) -> str:
        """Name in the registry, such as ``dark-photon``."""

    @property
    def kind(self) -> MediatorKind:
        """Lorentz structure of the couplings."""

    @property
    def parameter(self) -> str:
        """Name of the free coupling, such as ``epsilon`` or ``g``."""

    @property
    def citations(self) -> tuple[str, ...]:
        """arXiv numbers or journal references of the model."""

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> FloatArray:
        """Return the coupling to a fermion per unit of the free coupling.

        Parameters
        ----------
        fermion
            ``e mu tau nu_e nu_mu nu_tau u d s c b t``.
        q2_gev2
            Squared four-momentum of the mediator, for couplings induced by loops.
        """

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, FloatArray]:
        """Return the widths to Standard Model states in GeV, at unit coupling.

        Keys name the final state: ``e e``, ``mu mu``, ``tau tau``, ``hadrons``, ``neutrinos``,
        ``photons``; only those that the mediator has. Of these, ``neutrinos`` are invisible.
        """
