"""Yields do not depend on the grid of the shower, for beams of electrons and of positrons."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.vectors import dark_photon
from na64.models.response.windows import MissingEnergyWindow
from na64.models.signals import missing_energy
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target


@pytest.mark.parametrize(("particle", "spread"), [("e-", 0.0), ("e+", 0.0), ("e+", 0.01)])
def test_a_grid_four_times_finer_moves_no_yield(
    particle: str, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    masses = np.array([0.01, 0.1, 0.25, 0.31, 0.325])
    beam = Beam(particle, 100.0, spread)
    physics = beam, Target(material("ecal")), MissingEnergyWindow(50.0), dark_photon(), masses
    settings = SignalSettings(dark_sector=DarkSector())
    default = missing_energy_rates(*physics, settings=settings).events
    monkeypatch.setattr(missing_energy, "_CASCADE_STEP", missing_energy._CASCADE_STEP / 4.0)
    fine = missing_energy_rates(*physics, settings=settings).events
    # measured: 1.2e-3 for emission, which sets in steeply within the cell above the threshold, and
    # 5e-4 for annihilation
    np.testing.assert_allclose(default, fine, rtol=2e-3)
