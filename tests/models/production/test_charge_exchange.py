"""Charge exchange: cross-sections on lead, energy dependence, mesons per pion."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.production.charge_exchange import (
    MESONS,
    charge_exchange_cross_section,
    mesons_per_hadron,
)

LEAD = material("lead").number_densities_cm3[0][0]
IRON = material("iron").number_densities_cm3[0][0]


@pytest.mark.parametrize(
    ("meson", "microbarn"), [("pi0", 19.9), ("eta", 16.4), ("eta-prime", 17.5)]
)
def test_on_lead_at_50_gev(meson: str, microbarn: float) -> None:
    # three digits, from an independent evaluation of the same fit
    assert charge_exchange_cross_section(meson, 50.0, LEAD) == pytest.approx(microbarn, rel=4e-3)


def test_kaons_on_a_proton_of_10_gev() -> None:
    hydrogen = next(e for e, _ in material("scintillator").number_densities_cm3 if e.z == 1)
    energy = np.hypot(10.0, 0.493677)
    assert charge_exchange_cross_section("K0", energy, hydrogen) == pytest.approx(56.3, rel=1e-9)


def test_masses_are_those_of_the_particle_data_group() -> None:
    masses = {name: 1e3 * meson.mass_gev for name, meson in MESONS.items()}
    measured = {"pi0": 134.977, "K0": 497.611, "eta": 547.862, "eta-prime": 957.78}
    assert list(masses) == list(measured)
    assert masses == pytest.approx(measured, abs=2e-3)
    assert {name: meson.beam for name, meson in MESONS.items() if meson.beam != "pi-"} == {
        "K0": "K-"
    }


def test_kaons_fall_with_the_power_that_was_measured() -> None:
    # p^-1.60 of the momentum; the exchange of trajectories with an intercept of a half alone would
    # give p^-1, and the peak shrinks
    ten, hundred = (
        float(charge_exchange_cross_section("K0", np.hypot(p, 0.493677), LEAD))
        for p in (10.0, 100.0)
    )
    assert np.log10(hundred / ten) == pytest.approx(-1.60, abs=1e-6)
    assert ten == pytest.approx(56.3 * 82.0 ** (2.0 / 3.0), rel=1e-6)


@pytest.mark.parametrize("meson", MESONS)
def test_falls_with_energy_and_rises_with_the_nucleus(meson: str) -> None:
    energies = np.linspace(10.0, 200.0, 20)
    lead = charge_exchange_cross_section(meson, energies, LEAD)
    assert lead.shape == energies.shape
    assert np.all(np.diff(lead) < 0.0)
    assert np.all(charge_exchange_cross_section(meson, energies, IRON) < lead)


def test_thin_and_thick_targets() -> None:
    lead = material("lead")
    density = lead.number_densities_cm3[0][1]
    thin = mesons_per_hadron("eta", 50.0, lead, 1.0, np.inf)
    sigma = float(charge_exchange_cross_section("eta", 50.0, LEAD))
    assert thin == pytest.approx(density * sigma * 1e-30, rel=1e-12)
    # the beam is used up after an interaction length
    assert mesons_per_hadron("eta", 50.0, lead, np.inf, 20.0) == pytest.approx(20.0 * thin)
    assert mesons_per_hadron("eta", 50.0, lead, 1e-3, 20.0) == pytest.approx(1e-3 * thin, rel=1e-4)


def test_bad_input() -> None:
    lead = material("lead")
    with pytest.raises(InputError, match="did you mean 'eta'"):
        charge_exchange_cross_section("etta", 50.0, LEAD)
    with pytest.raises(InputError, match="5 to 200 GeV"):
        charge_exchange_cross_section("eta", 1.0, LEAD)
    with pytest.raises(InputError, match="must be positive"):
        mesons_per_hadron("eta", 50.0, lead, -1.0, 20.0)
    with pytest.raises(InputError, match="finite interaction length"):
        mesons_per_hadron("eta", 50.0, lead, np.inf, np.inf)
