"""Spin-zero mediators: scalars and pseudoscalars with Yukawa couplings from a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError
from na64.models.kinds import KINDS, kind_row
from na64.models.mediators.charges import ChargedMediator
from na64.models.mediators.protocol import MediatorKind

__all__ = ["SpinZeroMediator", "pseudoscalar", "scalar"]


@dataclass(frozen=True)
class SpinZeroMediator(ChargedMediator):
    """A scalar g_f phi fbar f or a pseudoscalar i g_f a fbar gamma_5 f, g_f = parameter x charge.

    Decays to two photons through loops are left out: below the thresholds of its fermions such
    a boson has no visible width here, and all that matters to a search is whether it is invisible.

    Attributes
    ----------
    kind
        ``scalar`` or ``pseudoscalar``.
    charges
        Yukawa coupling of each fermion per unit of the free coupling. Neutrinos with one are
        massless Dirac particles.
    name, parameter, citations
        As in `na64.models.mediators.protocol.Mediator`.
    """

    name: str
    kind: MediatorKind
    parameter: str
    charges: Mapping[str, float]
    citations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._to_pair(np.ones(1), 0.0)  # refuses other kinds
        super().__post_init__()

    def _to_pair(self, mass: FloatArray, fermion_mass: float) -> FloatArray:
        """Width of a pair: M beta^3/(8 pi) for a scalar, M beta/(8 pi) for a pseudoscalar."""
        width = kind_row(self.kind, "the width to fermions").fermions
        if width is None:
            allowed = " or ".join(kind for kind, row in KINDS.items() if row.fermions)
            raise InputError(f"a spin-zero mediator is {allowed}, not {self.kind}")
        return width(mass, fermion_mass, 1.0)

    def _to_neutrinos(self, mass: FloatArray) -> FloatArray | None:
        half = super()._to_neutrinos(mass)
        return None if half is None else np.asarray(2.0 * half)


def scalar() -> SpinZeroMediator:
    """Return a scalar of the coupling g to every charged lepton, and to nothing else.

    Off a muon beam it is the muon-philic scalar: only the beam lepton's coupling is probed.

    References
    ----------
    NA64, arXiv:2102.01885.
    """
    return SpinZeroMediator(
        name="scalar",
        kind=MediatorKind.SCALAR,
        parameter="g",
        charges=dict.fromkeys(LEPTON_MASSES_GEV, 1.0),
        citations=("arXiv:2102.01885",),
    )


def pseudoscalar() -> SpinZeroMediator:
    """Return a pseudoscalar of the coupling g to every charged lepton, and to nothing else.

    References
    ----------
    NA64, arXiv:2102.01885.
    """
    return SpinZeroMediator(
        name="pseudoscalar",
        kind=MediatorKind.PSEUDOSCALAR,
        parameter="g",
        charges=dict.fromkeys(LEPTON_MASSES_GEV, 1.0),
        citations=("arXiv:2102.01885",),
    )
