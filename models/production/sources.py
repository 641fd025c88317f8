"""Atoms as sources of virtual photons: the sum over the elements of a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import GEV2_TO_CM2, NUCLEON_MASS_GEV
from na64.models.form_factors import NuclearModel, g2_elastic, g2_inelastic, screening_length
from na64.models.materials import Element, Material

__all__ = ["PhotonSource"]


@dataclass(frozen=True, slots=True)
class PhotonSource:
    """The weighted sum of G2 of one or more elements.

    Attributes
    ----------
    parts
        Pairs (element, weight): weight 1 gives a cross-section per nucleus, nuclei per cm^2 in
        one radiation length (times 0.389e-27 cm^2 GeV^2) a probability per radiation length.
    inelastic
        Whether scattering off single protons is added to coherent scattering.
    nuclear
        Form factor of the nuclei.
    """

    parts: tuple[tuple[Element, float], ...]
    inelastic: bool = True
    nuclear: NuclearModel = NuclearModel.DIPOLE

    @classmethod
    def of(
        cls, target: Element | Material, *, inelastic: bool, nuclear: NuclearModel
    ) -> PhotonSource:
        """Return the source of an element, per nucleus, or of a material, per radiation length."""
        if isinstance(target, Element):
            return cls(((target, 1.0),), inelastic, nuclear)
        depth = target.radiation_length_cm * GEV2_TO_CM2
        parts = tuple(
            (element, density * depth) for element, density in target.number_densities_cm3
        )
        return cls(parts, inelastic, nuclear)

    @property
    def nucleus_mass_gev(self) -> float:
        """Mass of the element that dominates, 0.9315 A GeV; it recoils for all of them.

        Recoil changes cross-sections by t/(2 M_N E), so lead's mass serves for the carbon and
        hydrogen of a scintillator, which add a percent.
        """
        element, _ = max(self.parts, key=lambda part: part[0].z ** 2 * part[1])
        return NUCLEON_MASS_GEV * element.a

    @property
    def screening_scale_gev2(self) -> float:
        """Smallest 1/a^2 of the elements; far below it atoms look neutral."""
        return float(min(screening_length(element) ** -2 for element, _ in self.parts))

    def g2(self, t_gev2: FloatArray) -> FloatArray:
        """Return the sum of the weighted G2(t)."""
        total = np.zeros_like(t_gev2)
        for element, weight in self.parts:
            value = g2_elastic(t_gev2, element, self.nuclear)
            if self.inelastic:
                value = value + g2_inelastic(t_gev2, element)
            total += weight * value
        return total
