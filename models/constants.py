"""Physical constants and unit conversions.

Natural units with GeV inside the project; masses and constants of the Particle
Data Group (Review of Particle Physics 2024, PRD 110, 030001) and CODATA 2018.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = [
    "ALPHA",
    "AVOGADRO",
    "CHARGED_KAON_MASS_GEV",
    "CHARGED_PION_MASS_GEV",
    "CLASSICAL_ELECTRON_RADIUS_CM",
    "ELECTRON_MASS_GEV",
    "ELEMENTARY_CHARGE",
    "GEV2_TO_CM2",
    "GEV2_TO_PB",
    "HBAR_C_GEV_CM",
    "HBAR_GEV_S",
    "LEPTON_MASSES_GEV",
    "MUON_MASS_GEV",
    "NEUTRAL_PION_MASS_GEV",
    "NUCLEON_MASS_GEV",
    "PLANCK_MASS_GEV",
    "PROTON_MASS_GEV",
    "TAU_MASS_GEV",
]

#: fine-structure constant at zero momentum transfer (CODATA 2018)
ALPHA: Final = 1.0 / 137.035999
#: elementary charge in Heaviside-Lorentz natural units, e = sqrt(4 pi alpha) = 0.3028
ELEMENTARY_CHARGE: Final = math.sqrt(4.0 * math.pi * ALPHA)

ELECTRON_MASS_GEV: Final = 0.51099895e-3
MUON_MASS_GEV: Final = 0.1056583755
TAU_MASS_GEV: Final = 1.77693
PROTON_MASS_GEV: Final = 0.93827209
CHARGED_PION_MASS_GEV: Final = 0.13957039
NEUTRAL_PION_MASS_GEV: Final = 0.1349768
CHARGED_KAON_MASS_GEV: Final = 0.493677
#: mass per nucleon of a heavy nucleus: the atomic mass unit
NUCLEON_MASS_GEV: Final = 0.93149410
LEPTON_MASSES_GEV: Final = {"e": ELECTRON_MASS_GEV, "mu": MUON_MASS_GEV, "tau": TAU_MASS_GEV}

#: Planck mass, not the reduced one
PLANCK_MASS_GEV: Final = 1.22089e19

HBAR_C_GEV_CM: Final = 1.973269804e-14
HBAR_GEV_S: Final = 6.582119569e-25
#: 1 GeV^-2 in cm^2 and in picobarn
GEV2_TO_CM2: Final = HBAR_C_GEV_CM**2
GEV2_TO_PB: Final = GEV2_TO_CM2 * 1e36
AVOGADRO: Final = 6.02214076e23
CLASSICAL_ELECTRON_RADIUS_CM: Final = ALPHA * HBAR_C_GEV_CM / ELECTRON_MASS_GEV
