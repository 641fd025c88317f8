"""The kinds of mediator: one row per Lorentz structure, with all that depends on it.

A new kind is a member of `MediatorKind` and a row here. Whoever needs something of a kind looks it
up with `kind_row`, which never answers for a kind without a row, and says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.decays import widths
from na64.models.errors import InputError
from na64.models.mediators.protocol import MediatorKind
from na64.models.production import amplitudes, spin_two
from na64.models.production.amplitudes import Structure

__all__ = ["EMITTED_KINDS", "KINDS", "DarkWidths", "Kind", "kind_row", "structure"]


@dataclass(frozen=True, slots=True)
class DarkWidths:
    """Widths to pairs of dark matter in GeV at the coupling alpha_D.

    Attributes
    ----------
    majorana
        f(M, m_chi, alpha_D): to a pair of identical Majorana fermions, half of a Dirac pair's
        where the current is diagonal.
    scalars
        f(M, m_chi, mass on the shell, alpha_D): to a pair of complex scalars; None where parity
        forbids it.
    mixed
        f(M, m_chi, splitting, alpha_D): to chi_1 chi_2 of the relative splitting, which for none
        is a Dirac pair; None where the current is diagonal and pseudo-Dirac states are two
        Majorana fermions.
    """

    majorana: Callable[[FloatArray, FloatArray, float], FloatArray]
    scalars: Callable[[FloatArray, FloatArray, FloatArray, float], FloatArray] | None
    mixed: Callable[[FloatArray, FloatArray, float, float], FloatArray] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What the project has to know of a kind of mediator.

    Attributes
    ----------
    mass_name
        How its mass is written on an axis.
    spin_states
        2 J + 1.
    amplitude
        f(M^2, m_l^2): coefficients of the squared amplitude of emission by a lepton off a
        nucleus; None for a boson that leptons do not emit, or of which it is not known.
    compton
        f(s, u, t, M^2, m_l^2): squared amplitude of l gamma -> l X, for a boson whose emission is
        known off the equivalent photons of a nucleus only; None for others.
    primakoff
        Cross-section of gamma Z -> X Z over that of a boson of spin zero with the same coupling
        in 1/GeV; None for a boson that photons do not make.
    moment
        f(rho^2, z, 1 - z), rho = M/m_l: numerator of the loop integral of a lepton's anomalous
        moment, see `na64.models.anomalies`; None where the loop diverges or is not computed.
    dark
        Widths to dark matter; None if it has no such decay.
    fermions
        f(M, m_f, g): width of a boson of spin zero to a Dirac pair; None for others, whose widths
        their own classes know.
    """

    mass_name: str
    spin_states: int
    amplitude: Callable[[FloatArray, float], Structure] | None = None
    compton: Callable[..., FloatArray] | None = None
    primakoff: float | None = None
    moment: Callable[[FloatArray, FloatArray, FloatArray], FloatArray] | None = None
    dark: DarkWidths | None = None
    fermions: Callable[[ArrayLike, ArrayLike, ArrayLike], FloatArray] | None = None

    @property
    def from_photons(self) -> bool:
        """Whether photons make it in the field of a nucleus, rather than leptons."""
        return self.amplitude is None and self.compton is None


def _half_coupling(alpha_d: float) -> float:
    """Coupling at which the width to a Dirac pair is that to one Majorana pair."""
    return float(np.sqrt(2.0 * np.pi * alpha_d))


_OF_SPIN_ONE: Final = DarkWidths(
    majorana=widths.vector_to_majorana_fermions,
    scalars=lambda m, chi, on_shell, a: widths.vector_to_complex_scalars(m, chi, a),
)
#: every kind of mediator
KINDS: Final[Mapping[MediatorKind, Kind]] = MappingProxyType(
    {
        MediatorKind.VECTOR: Kind(
            mass_name="m_Z'",
            spin_states=3,
            amplitude=amplitudes.vector,
            moment=lambda rho2, z, w: 2.0 * z * w * w,
            dark=replace(_OF_SPIN_ONE, mixed=widths.vector_to_pseudo_dirac_fermions),
        ),
        MediatorKind.AXIAL: Kind(
            mass_name="m_Z'",
            spin_states=3,
            amplitude=amplitudes.axial,
            moment=lambda rho2, z, w: -(2.0 * z * w * (z + 3.0) + 4.0 * w**3 / rho2),
            dark=_OF_SPIN_ONE,
        ),
        MediatorKind.SCALAR: Kind(
            mass_name="m_phi",
            spin_states=1,
            amplitude=amplitudes.scalar,
            moment=lambda rho2, z, w: w * w * (1.0 + z),
            dark=DarkWidths(
                majorana=lambda m, chi, a: widths.scalar_to_fermions(m, chi, _half_coupling(a)),
                scalars=lambda m, chi, on_shell, a: (
                    a * on_shell**2 * widths.velocity(m, chi) / (4.0 * m)
                ),
            ),
            fermions=widths.scalar_to_fermions,
        ),
        MediatorKind.PSEUDOSCALAR: Kind(
            mass_name="m_a",
            spin_states=1,
            amplitude=amplitudes.pseudoscalar,
            moment=lambda rho2, z, w: -(w**3),
            dark=DarkWidths(
                majorana=lambda m, chi, a: widths.pseudoscalar_to_fermions(
                    m, chi, _half_coupling(a)
                ),
                scalars=None,
            ),
            fermions=widths.pseudoscalar_to_fermions,
        ),
        MediatorKind.PHOTON_COUPLED: Kind(mass_name="m_a", spin_states=1, primakoff=1.0),
        MediatorKind.SPIN_TWO: Kind(
            mass_name="m_G",
            spin_states=5,
            compton=spin_two.compton_amplitude,
            # see na64.models.production.primakoff
            primakoff=4.0,
            dark=DarkWidths(
                majorana=lambda m, chi, a: widths.spin_two_to_fermions(m, chi, _half_coupling(a)),
                scalars=lambda m, chi, on_shell, a: widths.spin_two_to_complex_scalars(
                    m, chi, np.sqrt(4.0 * np.pi * a)
                ),
            ),
        ),
    }
)

#: kinds of boson of which the emission by a lepton off a nucleus is known at tree level
EMITTED_KINDS: Final = tuple(kind for kind, row in KINDS.items() if row.amplitude is not None)


def kind_row(kind: str, wanted: str) -> Kind:
    """Return the row of a kind.

    Parameters
    ----------
    kind
        A `MediatorKind`, or what somebody's own mediator says it is.
    wanted
        What of the row is needed, in words, for the message.

    Raises
    ------
    InputError
        For a kind without a row, saying what is missing and where it belongs.
    """
    for known, row in KINDS.items():
        if known == kind:
            return row
    raise InputError(
        f"{wanted} of a mediator of the kind '{kind}' is not known: the table KINDS of "
        f"na64.models.kinds has no row for it, only for {', '.join(KINDS)}"
    )


def structure(kind: str, mass_gev: ArrayLike, lepton_mass_gev: float) -> Structure:
    """Return the coefficients of the squared amplitude for one kind of boson.

    Parameters
    ----------
    kind
        One of `EMITTED_KINDS`.
    mass_gev
        Mass of the boson, positive, any shape.
    lepton_mass_gev
        Mass of the lepton that emits it.

    Raises
    ------
    InputError
        For a kind that leptons do not emit, or whose amplitude is not known.
    """
    row = kind_row(kind, "the amplitude of emission")
    amplitude = row.amplitude
    if row.compton is not None:
        raise InputError(
            f"the amplitude of a {kind} boson off a nucleus has not been computed; off equivalent "
            "photons it has"
        )
    if amplitude is None:
        raise InputError(f"leptons do not emit a {kind} boson; allowed: {', '.join(EMITTED_KINDS)}")
    return amplitude(np.asarray(mass_gev, float) ** 2, lepton_mass_gev**2)
