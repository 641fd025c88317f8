"""The dark matter that a mediator decays to: species, coupling and mass ratio."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.declaration import declare, is_number, record_of
from na64.models.errors import InputError, unknown_name
from na64.models.kinds import kind_row
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

    species: DarkMatter = declare(
        DarkMatter.DIRAC, help=f"Dark matter: {', '.join(DarkMatter)}.", flag="dark-matter"
    )
    alpha_d: float = declare(0.1, help="Dark coupling g_D^2/(4 pi).")
    ratio: float = declare(3.0, help="Mediator mass over dark-matter mass, above 2.")
    splitting: float = declare(0.0, help="Mass splitting of pseudo-Dirac states, m2 = m1 (1 + D).")

    def __post_init__(self) -> None:
        for name in ("alpha_d", "ratio", "splitting"):
            if not is_number(getattr(self, name)):
                raise InputError(f"{name} must be a number, is {getattr(self, name)!r}")
        object.__setattr__(self, "species", dark_matter(str(self.species)))
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

    def to_dict(self) -> dict[str, Any]:
        """Return the dark sector as plain data."""
        return {**asdict(self), "species": self.species.value}

    @classmethod
    def from_dict(cls, data: object, where: str = "dark_sector") -> DarkSector:
        """Return the dark sector that plain data give; what is missing has its default.

        Raises
        ------
        InputError
            For what is no such data, with its path ``where``.
        """
        return record_of(cls, data, where)

    def width_gev(
        self,
        mass_gev: ArrayLike,
        mediator_mass_gev: ArrayLike,
        kind: str = MediatorKind.VECTOR,
    ) -> FloatArray:
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
            is g_D M phi S* S); a pseudoscalar M beta/2 (Dirac), half of it (Majorana). A boson of
            spin 2 couples to the stress tensor of the dark matter with g_D = c_chi/Lambda in
            1/GeV, so that alpha_D is in GeV^-2: M^3 beta^3 (1 + 8 m_chi^2/(3 M^2))/40 (Dirac),
            half of it (Majorana), M^3 beta^5/120 (scalar). The diagonal currents of all but the
            vector see pseudo-Dirac states as two Majorana fermions.

        Raises
        ------
        InputError
            For a pseudoscalar and scalar dark matter, which parity forbids, and for a mediator
            that couples to photons.
        """
        mass, on_shell = np.asarray(mass_gev, float), np.asarray(mediator_mass_gev, float)
        chi = on_shell / self.ratio
        to = kind_row(kind, "the width to dark matter").dark
        if to is None:
            raise InputError(f"a {kind} mediator does not decay to dark matter here")
        if self.species is DarkMatter.SCALAR:
            if to.scalars is None:
                raise InputError(
                    f"a {kind} does not decay to scalar dark matter (parity); choose dirac, "
                    "majorana or pseudo-dirac"
                )
            return np.asarray(to.scalars(mass, chi, on_shell, self.alpha_d))
        light = to.majorana(mass, chi, self.alpha_d)
        if self.species is DarkMatter.MAJORANA:
            return light
        if to.mixed is not None:
            return to.mixed(mass, chi, self.splitting, self.alpha_d)
        if self.species is DarkMatter.DIRAC:
            return np.asarray(2.0 * light)
        return np.asarray(light + to.majorana(mass, chi * (1.0 + self.splitting), self.alpha_d))
