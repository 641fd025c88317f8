"""Muon beams: energy loss, window, rates against a direct integration, bad input."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.gauge_bosons import l_mu_l_tau
from na64.models.mediators.vectors import VectorMediator, dark_photon, vector
from na64.models.production.emission import emission_cross_section, emission_spectrum
from na64.models.production.process import Emission
from na64.models.response.windows import MuonWindow
from na64.models.showers.muon_loss import muon_energy_loss_gev_cm, radiative_loss_gev_cm
from na64.models.showers.muon_straggling import loss_distribution
from na64.models.signals.muon import muon_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.cards.topologies import topology

BEAM = Beam("mu-", 160.0)
ECAL = Target(material("ecal"), 45.0)
WINDOW = MuonWindow(80.0)
BAND = MuonWindow(45.0, 5.0)
DARK = DarkSector()
MASSES = np.array([0.01, 0.1, 1.0])


def events(**changes: Any) -> np.ndarray:
    options = {"beam": BEAM, "target": ECAL, "window": WINDOW, "mediator": dark_photon(), **changes}
    production = str(options.get("production", "etl"))
    rates = muon_rates(
        options["beam"],
        options["target"],
        options["window"],
        options["mediator"],
        options.get("masses", MASSES),
        settings=SignalSettings(dark_sector=DARK, production=production),
    )
    assert rates.power == 2.0
    assert rates.events.shape[1:] == (1, 1, 1)
    return rates.events[:, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "minimum", "critical_gev"),
    [
        # Particle Data Group, atomic and nuclear properties: smallest ionisation loss in
        # MeV cm^2/g (of which radiation is 0.3 % in lead), critical energy of muons
        ("lead", 1.122, 141.0),
        ("iron", 1.451, 347.0),
        ("tungsten", 1.145, 150.0),
    ],
)
def test_energy_loss(name: str, minimum: float, critical_gev: float) -> None:
    what = material(name)
    energies = np.geomspace(0.2, 2.0, 60)
    found = muon_energy_loss_gev_cm(energies, what) / what.density_g_cm3 * 1e3
    assert found.min() == pytest.approx(minimum, rel=0.01)
    # at the critical energy half of the loss is radiation: in iron it is to 2 %, in lead we have
    # 7 % more of it than the critical energy says, but what tables of single processes have
    radiated = sum(radiative_loss_gev_cm(critical_gev, what).values())
    share = radiated / muon_energy_loss_gev_cm(critical_gev, what)
    assert float(share) == pytest.approx(0.5, rel=0.01 if name == "iron" else 0.045)


def test_a_muon_loses_a_gev_in_the_calorimeter() -> None:
    loss = ECAL.length_cm * float(muon_energy_loss_gev_cm(160.0, ECAL.material))
    # 22.5 cm of lead with 4.2 and of scintillator with 3.0 MeV cm^2/g
    assert loss == pytest.approx(22.5 * (11.35 * 4.24 + 1.032 * 2.7) * 1e-3, rel=0.02)


def test_rates_are_length_times_probability_but_for_the_loss() -> None:
    thickness = ECAL.length_cm / ECAL.material.radiation_length_cm
    assert thickness == pytest.approx(40.6, abs=0.1)
    plain = thickness * emission_cross_section(
        160.0, MASSES, ECAL.material, process=Emission(lepton="mu"), min_energy_gev=80.0
    )
    # losses behind the emission open the window by as much, 0.5 % of the range in x, 160 -> 80 GeV,
    # where the spectrum of light bosons falls as 1/x; those before take energy from the muon, which
    # heavy bosons feel; 0.4 % leave more than 10 GeV in the target
    ratio = events() / plain[0]
    assert np.all((ratio > 0.99) & (ratio < 1.02))


def test_rates_against_a_sum_over_depths_losses_and_recoils() -> None:
    """The same integral without projections: nodes between the steps of the acceptance."""
    low, high, seen = BAND.recoil_energy_min_gev, BAND.recoil_energy_max_gev, 10.0
    ends = np.array([low, 5.2, 5.5, 6.0, 8.0, 20.0, high, 45.2, 45.5, 46.0, 48.0, high + seen])
    points, weights = np.polynomial.legendre.leggauss(4)
    half = 0.5 * np.diff(ends)[:, None]
    left = (ends[:-1, None] + half * (points + 1.0)).ravel()
    step = (half * weights).ravel()
    expected = np.zeros(len(MASSES))
    for depth, share in zip(*np.polynomial.legendre.leggauss(4), strict=True):
        at = 0.5 * ECAL.length_cm * (depth + 1.0)
        losses, chances = loss_distribution(160.0, ECAL.material, at).nodes(4, seen)
        behind = [loss_distribution(e, ECAL.material, ECAL.length_cm - at) for e in left]
        for loss, chance in zip(losses, chances, strict=True):
            least, most = left - high, np.minimum(left - low, seen - loss)
            accepted = [
                max(0.0, float(d.below(b) - d.below(a)))
                for d, a, b in zip(behind, least, most, strict=True)
            ]
            spectrum = emission_spectrum(
                160.0 - loss, MASSES, 160.0 - loss - left, ECAL.material, Emission(lepton="mu")
            )[0]
            expected += 0.5 * share * chance * (spectrum @ (step * accepted))
    expected *= ECAL.length_cm / ECAL.material.radiation_length_cm
    np.testing.assert_allclose(events(window=BAND), expected, rtol=2e-3)


def test_what_the_target_may_see_matters_by_a_percent() -> None:
    tight, usual, loose = (
        events(window=dataclasses.replace(BAND, target_energy_max_gev=limit))
        for limit in (2.0, 10.0, 30.0)
    )
    assert np.all((usual < loose) & (loose < 1.01 * usual))
    # of the whole length 7 % of the muons of 160 GeV and 2 % of the recoils would lose more than 2
    # GeV; half of it is crossed before the emission, half after it
    np.testing.assert_allclose(tight / usual, 0.96, atol=0.01)


@functools.cache
def unit_events() -> float:
    return float(events(mediator=vector(), masses=[0.2])[0])


@given(g=st.floats(1e-3, 3.0))
@settings(max_examples=200, deadline=None)
def test_rate_goes_with_the_square_of_the_muon_coupling(g: float) -> None:
    boson = VectorMediator("x", "g", {"mu": g, "e": 7.0})
    found = events(mediator=boson, masses=[0.2])[0]
    assert found == pytest.approx(g**2 * unit_events(), rel=1e-12)


def test_smallest_recoil_removes_the_hardest_bosons() -> None:
    cut = events(window=MuonWindow(80.0, 10.0))
    full = events()
    assert np.all(cut < full)
    # a heavy boson takes nearly all of the muon's energy
    assert cut[2] / full[2] < 0.6 < cut[0] / full[0]


def test_weizsaecker_williams_is_enough_for_muons() -> None:
    np.testing.assert_allclose(events(production="ww") / events(), 1.0, atol=0.015)


def test_card_and_topology() -> None:
    card = load_card("na64mu-2022")
    setup = card.setups["default"]
    assert isinstance(setup.window, MuonWindow)
    assert topology("muon").processes == ("emission",)
    assert card.total_exposure == 1.98e10
    # 0.07 +- 0.03 (arXiv:2401.01708)
    assert card.bins[0].expected_background == pytest.approx(0.07)
    error = math.hypot(*(b.events.uncertainty for b in card.bins[0].backgrounds))
    assert error == pytest.approx(0.03, abs=0.003)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beam": Beam("e-", 100.0)}, "for a mu- or mu\\+ beam, not for e-"),
        ({"target": Target(material("ecal"))}, "the target needs a length"),
        ({"window": MuonWindow(170.0)}, "recoil_energy_max_gev must be below the beam energy"),
        ({"masses": [0.1, 200.0]}, "mass of 200 GeV must be below"),
        ({"masses": [-0.1]}, "positive numbers"),
        (
            {"mediator": VectorMediator("electrophilic", "g", {"e": 1.0})},
            "'electrophilic' does not",
        ),
        ({"production": "iww"}, "iww overestimates"),
        ({"production": "magic"}, "unknown production"),
    ],
)
def test_bad_input(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        events(**changes)


def test_no_invisible_decay() -> None:
    with pytest.raises(InputError, match="no invisible decay"):
        muon_rates(BEAM, ECAL, WINDOW, dark_photon(), [0.1])
    # but L_mu - L_tau has its neutrinos
    assert muon_rates(BEAM, ECAL, WINDOW, l_mu_l_tau(), [0.1]).events.item() > 0.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0,), "recoil_energy_max_gev must be positive"),
        ((math.nan,), "recoil_energy_max_gev must be finite"),
        ((80.0, 80.0), "recoil_energy_min_gev must be below recoil_energy_max_gev"),
        ((80.0, -1.0), "recoil_energy_min_gev must not be negative"),
        ((80.0, 0.0, 0.0), "target_energy_max_gev must be positive"),
        ((80.0, 0.0, 50.0), "target_energy_max_gev must be at most 30"),
    ],
)
def test_bad_window(values: tuple[float, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MuonWindow(*values)


def test_a_card_names_every_misfit_of_its_window_with_its_place() -> None:
    from importlib.resources import files

    text = (files("na64.workspaces") / "cards" / "na64mu-2022.toml").read_text()
    bad = text.replace("recoil_energy_max_gev = 45.0", "recoil_energy_max_gev = 180.0").replace(
        "length_cm = 45.0\n", ""
    )
    with pytest.raises(InputError) as caught:
        parse_card(bad, "bad.toml")
    message = str(caught.value)
    assert "window.recoil_energy_max_gev: must be below the beam energy of 160 GeV" in message
    assert "window: a muon beam crosses the target: the target needs a length" in message


def test_a_card_with_the_wrong_beam_is_refused() -> None:
    from importlib.resources import files

    folder = files("na64.workspaces") / "cards"
    muons = (folder / "na64mu-2022.toml").read_text().replace('"mu-"', '"e-"')
    with pytest.raises(InputError, match="for a mu- or mu\\+ beam, not for e-"):
        parse_card(muons, "bad.toml")
    positrons = (folder / "na64e-positron-2022.toml").read_text().replace('"e+"', '"pi-"')
    with pytest.raises(InputError, match="for an e- or e\\+ beam, not for pi-"):
        parse_card(positrons, "bad.toml")
