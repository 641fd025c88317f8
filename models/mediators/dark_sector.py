"""The dark matter that a mediator decays to: species, coupling and mass ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.decays import widths
from na64.models.errors import InputError, unknown_name

__all__ = ["DarkMatter", "DarkSector", "dark_matter"]


class DarkMatter(StrEnum):
    """Dark-matter species, by the current that couples to a vector mediator.

    Complex scalar i (phi* d phi - h.c.), Majorana (1/2) chibar gamma gamma5 chi,
    Dirac chibar gamma chi, pseudo-Dirac i chibar_1 gamma chi_2.
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

    def width_gev(self, mass_gev: ArrayLike, mediator_mass_gev: ArrayLike) -> NDArray[np.float64]:
        """Return the width to dark matter of a vector of invariant mass ``mass_gev``.

        Parameters
        ----------
        mass_gev
            Invariant mass sqrt(s): the mediator's mass, or any mass for the running width.
        mediator_mass_gev
            Mass of the mediator on its shell, which fixes m_chi = M/ratio.
        """
        chi = np.asarray(mediator_mass_gev, float) / self.ratio
        if self.species is DarkMatter.SCALAR:
            return widths.vector_to_complex_scalars(mass_gev, chi, self.alpha_d)
        if self.species is DarkMatter.MAJORANA:
            return widths.vector_to_majorana_fermions(mass_gev, chi, self.alpha_d)
        return widths.vector_to_pseudo_dirac_fermions(mass_gev, chi, self.splitting, self.alpha_d)
