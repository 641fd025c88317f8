"""Positron beams: the resonance's edges, the primary positrons, convergence at the beam energy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from na64.limits import expected_signal, scan, specify
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.gauge_bosons import b_minus_l
from na64.models.mediators.vectors import dark_photon
from na64.models.response.windows import MissingEnergyWindow
from na64.models.showers import cascade as showers
from na64.models.signals import missing_energy
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.reader import load_card, parse_card

ECAL = Target(material("ecal"))
CARDS = {
    # beam energy and missing energy in GeV
    "na64e-positron-2022": (100.0, 50.0),
    "na64e-positron-2023": (70.0, 35.0),
    "na64e-positron40-run4": (40.0, 20.0),
    "na64e-positron60-run4": (60.0, 30.0),
}


def annihilated(energy: float, masses: Any, **options: Any) -> np.ndarray:
    settings = SignalSettings(**{"dark_sector": DarkSector(), **options})
    window = MissingEnergyWindow(energy / 2)
    rates = missing_energy_rates(
        Beam("e+", energy), ECAL, window, dark_photon(), masses, settings=settings
    )
    return rates.events[:, 0, 1, 0]


@pytest.mark.parametrize("name", CARDS)
def test_cards(name: str) -> None:
    energy, missing = CARDS[name]
    beam, _, window = load_card(name).setups["default"].physics
    assert (beam.particle, beam.energy_gev) == ("e+", energy)
    assert window.missing_energy_gev == missing
    low, high = window.resonance_edges_gev(energy)
    assert low == pytest.approx(math.sqrt(2.0 * ELECTRON_MASS_GEV * missing))
    assert high == pytest.approx(math.sqrt(2.0 * ELECTRON_MASS_GEV * energy))
    text = str(load_card(name).setups["default"].tables["window"]["source"])
    assert ("assum" in text) == (name != "na64e-positron-2022")


@pytest.mark.parametrize("energy", [40.0, 70.0, 100.0])
def test_a_narrow_resonance_lives_between_its_edges(energy: float) -> None:
    low, high = MissingEnergyWindow(energy / 2).resonance_edges_gev(energy)
    masses = np.array([0.99 * low, 1.01 * low, 0.99 * high, 1.01 * high])
    rates = missing_energy_rates(
        Beam("e+", energy), ECAL, MissingEnergyWindow(energy / 2), b_minus_l(), masses
    )
    found = rates.events[:, 0, 1, 0]
    assert found[0] == found[3] == 0.0
    assert np.all(found[1:3] > 0.0)


@pytest.mark.parametrize("energy", [100.0, 60.0])
def test_converged_at_the_beam_energy(energy: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The track length has an integrable spike at the beam energy, where the resonance ends."""
    edge = math.sqrt(2.0 * ELECTRON_MASS_GEV * energy)
    masses = edge * np.array([0.75, 0.9, 0.97, 0.99, 0.998, 1.0, 1.002, 1.01, 1.05])
    coarse = annihilated(energy, masses)
    monkeypatch.setattr(missing_energy, "_CASCADE_STEP", 0.005)
    monkeypatch.setattr(showers, "_FIRST_STEP", 5e-5)
    showers._equations.cache_clear()
    try:
        fine = annihilated(energy, masses)
    finally:
        showers._equations.cache_clear()
    np.testing.assert_allclose(coarse, fine, rtol=0.01)


def test_primary_positrons_make_the_resonance() -> None:
    """At 100 GeV: nothing changes far below, everything at the upper edge."""
    masses = np.array([0.23, 0.26, 0.29, 0.31, 0.319])
    primary, shower = (annihilated(100.0, masses, primary_positrons=on) for on in (True, False))
    electron = missing_energy_rates(
        Beam("e-", 100.0),
        ECAL,
        MissingEnergyWindow(50.0),
        dark_photon(),
        masses,
        settings=SignalSettings(dark_sector=DarkSector()),
    ).events[:, 0, 1, 0]
    np.testing.assert_allclose(shower, electron, rtol=1e-12)
    gain = primary / shower
    assert np.all(np.diff(gain) > 0.0)
    # ratio of the track lengths of e- and e+ that an electron makes, physically the same numbers:
    # (primary + shower)/shower = 1 + .15/.022 at 50-60 GeV ... 1 + .34/.0003 at 90-100 GeV
    assert gain[0] == pytest.approx(1.0 + 0.152 / 0.0218, rel=0.35)
    assert gain[4] > 100.0


def test_positrons_beat_electrons_on_the_resonance_per_particle() -> None:
    usual = specify("na64e-positron-2022", masses_gev=[0.02, 0.3])
    signal = expected_signal(usual)
    without = expected_signal(
        replace(usual, settings=replace(usual.settings, primary_positrons=False))
    )
    assert usual.settings.dark_sector == DarkSector()
    ratio = signal.at_coupling(1.0).sum(axis=(1, 2)) / without.at_coupling(1.0).sum(axis=(1, 2))
    assert ratio[0] == pytest.approx(1.0, abs=0.01)  # the wings of the resonance are 0.6 %
    assert ratio[1] > 20.0


def test_limit_of_2022_on_the_resonance() -> None:
    """1.01e10 positrons reach at 0.3 GeV what 9.37e11 electrons do."""
    masses = np.array([0.05, 0.25, 0.3])
    plus = scan("na64e-positron-2022", masses_gev=masses).observed
    minus = scan("na64e-2016-2022", masses_gev=masses).observed
    ratio = plus / minus
    # by emission alone the limits go with the root of the exposures
    assert ratio[0] == pytest.approx(math.sqrt(9.37e11 / 1.01e10), rel=0.05)
    assert ratio[2] < 1.5 < ratio[1] < ratio[0]


def test_energies_move_the_resonance() -> None:
    """Each beam energy covers its own masses; together 0.14 to 0.32 GeV."""
    best = {}
    for energy in (40.0, 60.0, 70.0, 100.0):
        masses = np.linspace(0.1, 0.34, 33)
        best[energy] = masses[np.argmax(annihilated(energy, masses))]
        assert best[energy] == pytest.approx(math.sqrt(2.0 * ELECTRON_MASS_GEV * energy), rel=0.04)
    assert best[40.0] < best[60.0] < best[70.0] < best[100.0]


def test_scalar_dark_matter_and_narrow_limit() -> None:
    """alpha_D -> 0 is the narrow resonance of BR = 1, whatever the dark matter."""
    masses = np.array([0.25, 0.3])
    narrow = [
        annihilated(100.0, masses, dark_sector=DarkSector(species, 1e-6))
        for species in (DarkMatter.SCALAR, DarkMatter.DIRAC)
    ]
    np.testing.assert_allclose(narrow[0], narrow[1], rtol=2e-3)


def test_window_above_the_beam_energy() -> None:
    from importlib.resources import files

    text = (files("na64.workspaces") / "cards" / "na64e-positron-2022.toml").read_text()
    bad = text.replace("missing_energy_gev = 50.0", "missing_energy_gev = 120.0")
    with pytest.raises(InputError, match="must be below the beam energy of 100 GeV, is 120"):
        parse_card(bad, "bad.toml")
