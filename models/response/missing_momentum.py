"""Selection of a search for missing momentum: one soft electron out of a thin target.

The electron behind the target is measured by itself, its momentum by a spectrometer and its energy
with that of the photons around it by a calorimeter; the beam electron is tagged in front.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from na64.models.declaration import check_declared, declare
from na64.models.errors import InputError
from na64.models.production.recoil import RecoilCuts
from na64.models.targets import Beam, Target

__all__ = ["MissingMomentumWindow"]

#: thickest target through which the beam goes without a cascade; see the signal for its accuracy
_THICKEST_X0: Final = 1.0


@dataclass(frozen=True, slots=True)
class MissingMomentumWindow:
    """Limits on the recoil electron.

    Attributes
    ----------
    recoil_energy_max_gev
        Largest energy of the electron and the photons that beam and recoil radiate in the target,
        which reach the calorimeter with it.
    recoil_energy_min_gev
        Smallest energy of the electron at its production; below, its track is lost.
    recoil_transverse_min_gev, recoil_transverse_max_gev
        Limits on its momentum across the beam at its production.
    """

    recoil_energy_max_gev: float = declare(
        help="largest energy of the recoil electron, with the photons radiated in the target",
        unit="GeV",
        above=0.0,
        example=1.2,
    )
    recoil_energy_min_gev: float = declare(
        0.0, help="smallest energy of the recoil electron at which it is still measured", unit="GeV"
    )
    recoil_transverse_min_gev: float = declare(
        0.0, help="smallest momentum of the recoil electron across the beam", unit="GeV"
    )
    recoil_transverse_max_gev: float = declare(
        math.inf,
        help="largest momentum of the recoil electron across the beam; no limit if left out",
        unit="GeV",
        above=0.0,
    )

    def __post_init__(self) -> None:
        check_declared(self)
        for kind in ("energy", "transverse"):
            low, high = (getattr(self, f"recoil_{kind}_{end}_gev") for end in ("min", "max"))
            if low >= high:
                raise InputError(
                    f"recoil_{kind}_min_gev must be below recoil_{kind}_max_gev of {high:g}, is "
                    f"{low:g}"
                )
        if self.recoil_transverse_min_gev >= self.recoil_energy_max_gev:
            raise InputError(
                "recoil_transverse_min_gev must be below recoil_energy_max_gev of "
                f"{self.recoil_energy_max_gev:g}, is {self.recoil_transverse_min_gev:g}"
            )

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        if beam.lepton != "e":
            yield "", f"this selection is for an e- or e+ beam, not for {beam.particle}"
        if target.depth_x0 > _THICKEST_X0:
            has = (
                f"has {target.depth_x0:.3g}" if math.isfinite(target.depth_x0) else "has no length"
            )
            yield (
                "",
                f"the beam must cross the target without a cascade: at most {_THICKEST_X0:g} "
                f"radiation length, {has}; a target that absorbs the cascade belongs to a search "
                "for missing energy",
            )
        if self.recoil_energy_max_gev >= beam.energy_gev:
            yield (
                "recoil_energy_max_gev",
                f"must be below the beam energy of {beam.energy_gev:g} GeV, is "
                f"{self.recoil_energy_max_gev:g}",
            )

    def cuts(self, radiated_gev: float = 0.0) -> RecoilCuts | None:
        """Return the cuts on the electron if photons were radiated; None where nothing is left.

        Parameters
        ----------
        radiated_gev
            Energy of the photons, 0 and above.
        """
        most = self.recoil_energy_max_gev - radiated_gev
        if most <= max(self.recoil_energy_min_gev, self.recoil_transverse_min_gev):
            return None
        return RecoilCuts(
            self.recoil_energy_min_gev,
            most,
            self.recoil_transverse_min_gev,
            self.recoil_transverse_max_gev,
        )

    @property
    def most_radiated_gev(self) -> float:
        """Energy of photons above which no electron is left in the window."""
        return self.recoil_energy_max_gev - max(
            self.recoil_energy_min_gev, self.recoil_transverse_min_gev
        )
