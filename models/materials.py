"""Target materials: elements, homogeneous substances, and mixtures of substances by volume.

Radiation lengths follow Tsai, Rev. Mod. Phys. 46, 815 (1974), eq. (3.66), with the Coulomb
correction of Davies, Bethe and Maximon. Densities, mean excitation energies and density-effect
parameters: Sternheimer, Berger and Seltzer, At. Data Nucl. Data Tables 30, 261 (1984), as
tabulated by the Particle Data Group (Atomic and Nuclear Properties of Materials).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from na64.models.constants import ALPHA, AVOGADRO, CLASSICAL_ELECTRON_RADIUS_CM
from na64.models.errors import InputError, unknown_name

__all__ = [
    "MATERIALS",
    "Element",
    "Material",
    "Substance",
    "coulomb_correction",
    "density_effect",
    "material",
    "mean_excitation_ev",
    "mixture",
    "radiation_logarithms",
]

# L_rad and L'_rad of the lightest elements, where the Thomas-Fermi model fails: Tsai, table B.2.
_LIGHT_LOGARITHMS: Final = {
    1: (5.31, 6.144),
    2: (4.79, 5.621),
    3: (4.74, 5.805),
    4: (4.71, 5.924),
}


#: density-effect parameters (C, x0, x1, a, k)
Sternheimer = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Element:
    """A chemical element: symbol, atomic number Z and atomic weight A in g/mol."""

    symbol: str
    z: int
    a: float


@dataclass(frozen=True, slots=True)
class Substance:
    """A homogeneous substance.

    Attributes
    ----------
    name
        For messages.
    density_g_cm3
        Mass density.
    mass_fractions
        Pairs (element, fraction of the mass); the fractions sum to one.
    mean_excitation_ev
        Mean excitation energy I of the collision loss.
    sternheimer
        Density-effect parameters (C, x0, x1, a, k).
    measured_x0_cm
        Radiation length; None if it is that of Tsai's formula.
    """

    name: str
    density_g_cm3: float
    mass_fractions: tuple[tuple[Element, float], ...]
    mean_excitation_ev: float
    sternheimer: Sternheimer
    measured_x0_cm: float | None = None

    @property
    def number_densities_cm3(self) -> tuple[tuple[Element, float], ...]:
        """Pairs (element, nuclei per cm^3)."""
        return tuple(
            (element, self.density_g_cm3 * fraction * AVOGADRO / element.a)
            for element, fraction in self.mass_fractions
        )

    @property
    def electron_density_cm3(self) -> float:
        """Electrons per cm^3."""
        return sum(element.z * density for element, density in self.number_densities_cm3)


@dataclass(frozen=True, slots=True)
class Material:
    """A macroscopic mixture of substances, for example the layers of a sandwich calorimeter.

    Attributes
    ----------
    name
        Name used in run cards and messages.
    parts
        Pairs (substance, fraction of the volume); the fractions sum to one.
    """

    name: str
    parts: tuple[tuple[Substance, float], ...]

    @property
    def number_densities_cm3(self) -> tuple[tuple[Element, float], ...]:
        """Pairs (element, nuclei per cm^3 of the mixture), heaviest element first."""
        total: dict[Element, float] = {}
        for substance, volume in self.parts:
            for element, density in substance.number_densities_cm3:
                total[element] = total.get(element, 0.0) + volume * density
        return tuple(sorted(total.items(), key=lambda item: -item[0].z))

    @property
    def electron_density_cm3(self) -> float:
        """Electrons per cm^3 of the mixture."""
        return sum(volume * part.electron_density_cm3 for part, volume in self.parts)

    @property
    def density_g_cm3(self) -> float:
        """Mean mass density."""
        return sum(volume * part.density_g_cm3 for part, volume in self.parts)

    @property
    def radiation_length_cm(self) -> float:
        """Radiation length X0 (Tsai's definition, Coulomb correction included).

        Of a part with a measured radiation length the share of that one.
        """
        if all(part.measured_x0_cm is None for part, _ in self.parts):
            return _radiation_length_cm(self.number_densities_cm3)
        return 1.0 / math.fsum(
            volume / (part.measured_x0_cm or _radiation_length_cm(part.number_densities_cm3))
            for part, volume in self.parts
        )


def _radiation_length_cm(number_densities_cm3: tuple[tuple[Element, float], ...]) -> float:
    inverse = 0.0
    for element, density in number_densities_cm3:
        elastic, inelastic = radiation_logarithms(element.z)
        z = element.z
        inverse += density * (z * z * (elastic - coulomb_correction(z)) + z * inelastic)
    return 1.0 / (4.0 * ALPHA * CLASSICAL_ELECTRON_RADIUS_CM**2 * inverse)


def radiation_logarithms(z: int) -> tuple[float, float]:
    """Return Tsai's radiation logarithms (L_rad, L'_rad) of an element.

    Parameters
    ----------
    z
        Atomic number, 1 and above.
    """
    if z in _LIGHT_LOGARITHMS:
        return _LIGHT_LOGARITHMS[z]
    return math.log(184.15 / z ** (1.0 / 3.0)), math.log(1194.0 / z ** (2.0 / 3.0))


def coulomb_correction(z: int) -> float:
    """Return f(Z), the Coulomb correction of Davies, Bethe and Maximon.

    The sum a^2 sum_n 1/(n (n^2 + a^2)), a = alpha Z, in the four-term form that the Particle
    Data Group quotes as good to four digits up to uranium.
    """
    a2 = (ALPHA * z) ** 2
    return a2 * (1.0 / (1.0 + a2) + 0.20206 - 0.0369 * a2 + 0.0083 * a2**2 - 0.002 * a2**3)


_H = Element("H", 1, 1.008)
_C = Element("C", 6, 12.011)
_FE = Element("Fe", 26, 55.845)
_CU = Element("Cu", 29, 63.546)
_W = Element("W", 74, 183.84)
_PB = Element("Pb", 82, 207.2)


def _pure(
    name: str,
    element: Element,
    density: float,
    excitation: float,
    sternheimer: Sternheimer,
) -> Substance:
    return Substance(name, density, ((element, 1.0),), excitation, sternheimer)


_SUBSTANCES: Final = {
    part.name: part
    for part in (
        _pure("lead", _PB, 11.35, 823.0, (6.2018, 0.3776, 3.8073, 0.09359, 3.1608)),
        _pure("tungsten", _W, 19.30, 727.0, (5.4059, 0.2167, 3.4960, 0.15509, 2.8447)),
        _pure("iron", _FE, 7.874, 286.0, (4.2911, -0.0012, 3.1531, 0.14680, 2.9632)),
        _pure("copper", _CU, 8.960, 322.0, (4.4190, -0.0254, 3.2792, 0.14339, 2.9044)),
        # polyvinyltoluene, the base of most plastic scintillators
        Substance(
            "scintillator",
            1.032,
            ((_C, 0.915), (_H, 0.085)),
            64.7,
            (3.1997, 0.1464, 2.4855, 0.16101, 3.2393),
        ),
    )
}


def mean_excitation_ev(mass_fractions: Sequence[tuple[Element, float]]) -> float:
    """Return an estimate of the mean excitation energy I of the collision loss, in eV.

    Bragg's rule, ln I = sum w Z/A ln I_i / sum w Z/A, of elements with I_i = 19.2 eV for hydrogen
    and 16 Z^0.9 eV otherwise. It is within 20 % of the measured values, which the collision loss
    of a fast particle follows by 1 to 2 %.
    """
    weights = [fraction * element.z / element.a for element, fraction in mass_fractions]
    logs = [
        math.log(19.2 if element.z == 1 else 16.0 * element.z**0.9) for element, _ in mass_fractions
    ]
    return math.exp(
        math.fsum(w * log for w, log in zip(weights, logs, strict=True)) / math.fsum(weights)
    )


def density_effect(
    density_g_cm3: float, mass_fractions: Sequence[tuple[Element, float]], excitation_ev: float
) -> Sternheimer:
    """Return estimated density-effect parameters (C, x0, x1, a, k) of a solid or liquid.

    Parameters
    ----------
    density_g_cm3
        Mass density.
    mass_fractions
        Pairs (element, fraction of the mass).
    excitation_ev
        Mean excitation energy.

    References
    ----------
    Sternheimer and Peierls, Phys. Rev. B 3, 3681 (1971).
    """
    electrons = math.fsum(fraction * element.z / element.a for element, fraction in mass_fractions)
    plasma_ev = 28.816 * math.sqrt(density_g_cm3 * electrons)
    c = 2.0 * math.log(excitation_ev / plasma_ev) + 1.0
    x1, threshold, offset = (2.0, 3.681, 1.0) if excitation_ev < 100.0 else (3.0, 5.215, 1.5)
    x0 = 0.2 if c < threshold else 0.326 * c - offset
    a = (c - 2.0 * math.log(10.0) * x0) / (x1 - x0) ** 3
    return (c, x0, x1, a, 3.0)


def mixture(
    name: str,
    volume_fractions: Mapping[str, float],
    substances: Mapping[str, Substance] | None = None,
) -> Material:
    """Return a material mixed from substances by volume.

    Parameters
    ----------
    name
        Name of the mixture.
    volume_fractions
        Substance name to volume (any common unit: fractions, or layer thicknesses in mm);
        positive, normalised here.
    substances
        Further substances by name.

    Raises
    ------
    InputError
        For an unknown substance, a volume that is not positive, or no substance at all.
    """
    if not volume_fractions:
        raise InputError(f"material '{name}' has no parts")
    known = {**_SUBSTANCES, **(substances or {})}
    for part, volume in volume_fractions.items():
        if part not in known:
            raise unknown_name("substance", part, known)
        if not (math.isfinite(volume) and volume > 0.0):
            raise InputError(f"material '{name}': volume of {part} must be positive, is {volume}")
    total = sum(volume_fractions.values())
    return Material(
        name,
        tuple((known[part], volume / total) for part, volume in volume_fractions.items()),
    )


#: the named materials: every substance by itself, and the NA64 electromagnetic calorimeter,
#: a shashlik of 1.5 mm lead and 1.5 mm scintillator (arXiv:1610.02988, section II)
MATERIALS: Final[Mapping[str, Material]] = {
    **{part: mixture(part, {part: 1.0}) for part in _SUBSTANCES},
    "ecal": mixture("ecal", {"lead": 1.5, "scintillator": 1.5}),
}


@cache
def material(name: str) -> Material:
    """Return a material by name.

    Raises
    ------
    InputError
        For a name that is not in `MATERIALS`.
    """
    if name not in MATERIALS:
        raise unknown_name("material", name, MATERIALS)
    return MATERIALS[name]
