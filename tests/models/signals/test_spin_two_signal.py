"""Missing energy of a boson of spin 2: three processes, and what it is refused for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.registry import mediator
from na64.models.production.boson_flux import primakoff_flux
from na64.models.response.windows import DumpWindow, MissingEnergyWindow
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.settings import SignalSettings
from na64.models.signals.visible import visible_rates
from na64.models.targets import Beam, Target

BEAM, ECAL = Beam("e-", 100.0), Target(material("ecal"))
SHARP = MissingEnergyWindow(50.0)
MASSES = np.array([1e-3, 0.1, 0.24, 1.0])


def rates(window: MissingEnergyWindow = SHARP, masses: Any = MASSES, **changes: Any) -> Any:
    settings = SignalSettings(**{"production": "ww", "dark_sector": DarkSector(), **changes})
    return missing_energy_rates(BEAM, ECAL, window, mediator("spin-2"), masses, settings=settings)


def test_photons_make_most_of_it() -> None:
    found = rates()
    assert found.processes == ("emission", "annihilation", "primakoff")
    emitted, annihilated, converted = np.moveaxis(found.events[:, 0, :, 0], 1, 0)
    # four times the flux of axion-like particles, computed for their own search
    alps = primakoff_flux(material("ecal"), "e-", 100.0, MASSES, 50.0).totals
    np.testing.assert_allclose(converted, 4.0 * alps, rtol=1e-9)
    # the photons that electrons carry with them, alpha/pi times logarithms, over the real ones
    assert np.all((emitted > 0.005 * converted) & (emitted < 0.03 * converted))
    # a resonance at 226-320 MeV
    assert annihilated[2] > 0.02 * converted[2]
    assert annihilated[3] == 0.0


def test_a_smeared_cut_and_a_trigger() -> None:
    """A fine resolution is a sharp cut; that of the calorimeter and a trigger change little."""
    sharp = rates().events[:, 0, 2, 0]
    fine = rates(MissingEnergyWindow(50.0, resolution_stochastic=0.02)).events[:, 0, 2, 0]
    np.testing.assert_allclose(fine, sharp, rtol=5e-3)
    real = MissingEnergyWindow(50.0, preshower_energy_gev=0.5, resolution_stochastic=0.082)
    selected = rates(real).events[:, 0, 2, 0]
    assert np.all((selected > 0.95 * sharp) & (selected < 1.02 * sharp))


def test_one_mass_gives_what_it_gives_among_others() -> None:
    whole = rates().events
    for index, mass in enumerate(MASSES):
        assert rates(masses=[mass]).events[0].tobytes() == whole[index].tobytes()


def test_inelastic_scattering_and_the_approximation() -> None:
    with_protons, elastic = (
        rates(inelastic=inelastic, annihilation=False).events[:, 0, :, 0]
        for inelastic in (True, False)
    )
    assert np.all(
        (with_protons[:, 2] > elastic[:, 2]) & (with_protons[:, 2] < 1.06 * elastic[:, 2])
    )
    assert np.all(with_protons[:, 1] == 0.0)
    with pytest.raises(InputError, match=r"production etl is not known .* choose ww"):
        rates(production="etl")


def test_decays_in_flight_are_refused() -> None:
    """Their flux would be that of electrons alone, two per cent of all."""
    settings = SignalSettings(production="ww")
    window = DumpWindow(decay_start_cm=30.0, decay_end_cm=400.0, boson_energy_gev=30.0)
    with pytest.raises(InputError, match="which leptons and photons both make, is not computed"):
        visible_rates(BEAM, ECAL, window, mediator("spin-2"), [0.01], settings=settings)
