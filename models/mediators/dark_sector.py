"""The dark matter that a mediator decays to: species, coupling and mass ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.decays import widths
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.protocol import MediatorKind

__all__ = ["DarkMatter", "DarkSector", "dark_matter"]


class DarkMatter(StrEnum):
    """Dark-matter species.

    The current that couples to a vector mediator is, for a complex scalar, i (phi* d phi - h.c.);
    Majorana (1/2) chibar gamma gamma5 chi; Dirac chibar gamma chi; pseudo-Dirac
    i chibar_1 gamma chi_2. Other mediators couple to chibar Gamma chi with their own Gamma, with
    1/2 in front for a Majorana fermion.
    """

    SCALAR = "scalar"
    MAJORANA = "majorana"
    DIRAC = "dirac"
    PSEUDO_DIRAC = "pseudo-dirac"


def dark_matter(name: str) -> DarkMatter:
    """Return the species of a name, or raise InputError with the nearest match."""
    try:
        return DarkMatter(name)
    except ValueError:
        raise unknown_name("dark matter", name, [kind.value for kind in DarkMatter]) from None


@dataclass(frozen=True, slots=True)
class DarkSector:
    """Dark matter of one species, tied to the mediator by a mass ratio.

    Attributes
    ----------
    species
        Kind of dark matter.
    alpha_d
        g_D^2/(4 pi), above 0 and below 4 pi.
    ratio
        m_mediator/m_chi (of the lighter state for pseudo-Dirac), above 2.
    splitting
        Relative mass splitting of pseudo-Dirac states, m_2 = m_1 (1 + splitting), 0 otherwise.
    """

    species: DarkMatter = DarkMatter.DIRAC
    alpha_d: float = 0.1
    ratio: float = 3.0
    splitting: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha_d < 4.0 * math.pi:
            raise InputError(
                f"alpha_D must be above 0 and perturbative (below 4 pi), is {self.alpha_d}"
            )
        if not self.splitting >= 0.0 or math.isinf(self.splitting):
            raise InputError(f"mass splitting must be 0 or positive, is {self.splitting}")
        if self.splitting > 0.0 and self.species is not DarkMatter.PSEUDO_DIRAC:
            raise InputError(f"a mass splitting is for pseudo-dirac, not {self.species}")
        if not (self.ratio > 2.0 + self.splitting and math.isfinite(self.ratio)):
            raise InputError(
                f"mass ratio m_mediator/m_chi must be above {2.0 + self.splitting:g}, is "
                f"{self.ratio:g}: the decay to dark matter is closed and the mediator visible"
            )

    def width_gev(
        self,
        mass_gev: ArrayLike,
        mediator_mass_gev: ArrayLike,
        kind: MediatorKind = MediatorKind.VECTOR,
    ) -> NDArray[np.float64]:
        """Return the width to dark matter of a mediator of invariant mass ``mass_gev``.

        Parameters
        ----------
        mass_gev
            Invariant mass sqrt(s): the mediator's mass, or any mass for the running width.
        mediator_mass_gev
            Mass of the mediator on its shell, which fixes m_chi = M/ratio.
        kind
            Kind of the mediator, and with it the current of the dark matter.

        Returns
        -------
        ndarray
            GeV. With beta the velocity, in units of alpha_D: a vector as in `DarkMatter`; an
            axial vector M beta^3/3 (Dirac), half of it (Majorana), M beta^3/12 (scalar); a scalar
            M beta^3/2 (Dirac), half of it (Majorana), M^2 beta/(4 sqrt s) (scalar, whose coupling
            is g_D M phi S* S); a pseudoscalar M beta/2 (Dirac), half of it (Majorana). The
            diagonal currents of all but the vector see pseudo-Dirac states as two Majorana
            fermions.

        Raises
        ------
        InputError
            For a pseudoscalar and scalar dark matter, which parity forbids, and for a mediator
            that couples to photons.
        """
        mass = np.asarray(mass_gev, float)
        chi = np.asarray(mediator_mass_gev, float) / self.ratio
        if kind is MediatorKind.VECTOR:
            return self._vector_width(mass, chi)
        if kind is MediatorKind.PHOTON_COUPLED:
            raise InputError("a photon-coupled mediator does not decay to dark matter here")
        if self.species is DarkMatter.SCALAR:
            if kind is MediatorKind.AXIAL:
                return widths.vector_to_complex_scalars(mass, chi, self.alpha_d)
            if kind is MediatorKind.PSEUDOSCALAR:
                raise InputError(
                    "a pseudoscalar does not decay to scalar dark matter (parity); choose dirac, "
                    "majorana or pseudo-dirac"
                )
            on_shell = np.asarray(mediator_mass_gev, float)
            return np.asarray(
                self.alpha_d * on_shell**2 * widths.velocity(mass, chi) / (4.0 * mass)
            )
        if self.species is DarkMatter.DIRAC:
            return 2.0 * self._majorana_width(kind, mass, chi)
        light = self._majorana_width(kind, mass, chi)
        if self.species is DarkMatter.MAJORANA:
            return light
        heavy = self._majorana_width(kind, mass, chi * (1.0 + self.splitting))
        return np.asarray(light + heavy)

    def _vector_width(
        self, mass: NDArray[np.float64], chi: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if self.species is DarkMatter.SCALAR:
            return widths.vector_to_complex_scalars(mass, chi, self.alpha_d)
        if self.species is DarkMatter.MAJORANA:
            return widths.vector_to_majorana_fermions(mass, chi, self.alpha_d)
        return widths.vector_to_pseudo_dirac_fermions(mass, chi, self.splitting, self.alpha_d)

    def _majorana_width(
        self, kind: MediatorKind, mass: NDArray[np.float64], chi: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Width to one Majorana pair, half of a Dirac pair's."""
        if kind is MediatorKind.AXIAL:
            return widths.vector_to_majorana_fermions(mass, chi, self.alpha_d)
        half_coupling = np.sqrt(2.0 * np.pi * self.alpha_d)
        if kind is MediatorKind.SCALAR:
            return widths.scalar_to_fermions(mass, chi, half_coupling)
        return widths.pseudoscalar_to_fermions(mass, chi, half_coupling)
