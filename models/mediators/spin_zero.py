"""Spin-zero mediators: scalars and pseudoscalars with Yukawa couplings from a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError
from na64.models.kinds import KINDS, kind_row
from na64.models.mediators.charges import NEUTRINOS, QUARKS, charge_of, checked_charges
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.quarks import free_quark_widths

__all__ = ["SpinZeroMediator", "pseudoscalar", "scalar"]


@dataclass(frozen=True)
class SpinZeroMediator:
    """A scalar g_f phi fbar f or a pseudoscalar i g_f a fbar gamma_5 f, g_f = parameter x charge.

    Decays to two photons through loops are left out: below the thresholds of its fermions such
    a boson has no visible width here, and all that matters to a search is whether it is invisible.

    Attributes
    ----------
    name
        Name in the registry.
    kind
        ``scalar`` or ``pseudoscalar``.
    parameter
        Name of the free coupling.
    charges
        Yukawa coupling of each fermion per unit of the free coupling. Neutrinos with one are
        massless Dirac particles.
    citations
        References of the model.
    """

    name: str
    kind: MediatorKind
    parameter: str
    charges: Mapping[str, float]
    citations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._width_to_pair()
        object.__setattr__(self, "charges", checked_charges(self.name, self.charges))

    def _width_to_pair(self) -> Callable[[ArrayLike, ArrayLike, ArrayLike], NDArray[np.float64]]:
        found = kind_row(self.kind, "the width to fermions").fermions
        if found is None:
            allowed = " or ".join(kind for kind, row in KINDS.items() if row.fermions)
            raise InputError(f"a spin-zero mediator is {allowed}, not {self.kind}")
        return found

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Return g_f per unit of the free coupling; the same at every q^2 of ``q2_gev2``."""
        return np.full(np.shape(q2_gev2), charge_of(self.charges, fermion))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, NDArray[np.float64]]:
        """Return the widths in GeV to Standard Model states at unit coupling; see `Mediator`.

        g^2 M beta^3/(8 pi) for a scalar, g^2 M beta/(8 pi) for a pseudoscalar.
        """
        mass = np.asarray(mass_gev, float)
        to_pair = self._width_to_pair()
        widths: dict[str, NDArray[np.float64]] = {}
        for lepton, lepton_mass in LEPTON_MASSES_GEV.items():
            if charge := self.charges.get(lepton, 0.0):
                widths[f"{lepton} {lepton}"] = to_pair(mass, lepton_mass, charge)
        if neutrinos := sum(self.charges.get(name, 0.0) ** 2 for name in NEUTRINOS):
            widths["neutrinos"] = neutrinos * to_pair(mass, 0.0, 1.0)
        if any(self.charges.get(name, 0.0) for name in QUARKS):
            widths["hadrons"] = free_quark_widths(
                lambda m, quark: to_pair(m, quark, 1.0), mass, self.charges
            )
        return widths


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
