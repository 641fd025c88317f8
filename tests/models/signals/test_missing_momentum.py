"""Missing momentum behind a thin target: limits, the projection of LDMX, what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.gauge_bosons import b_minus_l
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.production.emission import emission_cross_section
from na64.models.production.process import Emission
from na64.models.production.recoil import RecoilCuts, recoil_cross_section
from na64.models.response.missing_momentum import MissingMomentumWindow
from na64.models.response.windows import MissingEnergyWindow
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.missing_momentum import PROCESSES, REGIONS, missing_momentum_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.reader import card_text, load_card, parse_card
from na64.workspaces.io.curves import load_curve
from na64.workspaces.io.problems import FileProblemsError

BEAM = Beam("e-", 4.0)
TUNGSTEN = material("tungsten")
WINDOW = MissingMomentumWindow(1.2, 0.05)
MASSES = np.array([1e-3, 0.01, 0.1, 0.3, 1.0])


def target(depth: float) -> Target:
    return Target(TUNGSTEN, depth * TUNGSTEN.radiation_length_cm)


def events(masses: Any = MASSES, model: str = "dark-photon", **changes: Any) -> np.ndarray:
    setup = {"beam": BEAM, "target": target(0.1), "window": WINDOW, **changes}
    options = {
        name: setup.pop(name)
        for name in ("production", "inelastic", "dark_sector")
        if name in setup
    }
    options.setdefault("dark_sector", DarkSector())
    rates = missing_momentum_rates(
        **setup, mediator=mediator(model), masses_gev=masses, settings=SignalSettings(**options)
    )
    assert (rates.power, rates.processes, rates.regions) == (2.0, PROCESSES, REGIONS)
    return rates.events[:, 0, 0, 0]


@pytest.mark.parametrize("energy", [4.0, 8.0])
def test_without_cuts_a_very_thin_target_is_length_times_cross_section(energy: float) -> None:
    """n L sigma, with nuclei per volume counted here, the sum over elements included."""
    thin = target(1e-6)
    found = events(
        beam=Beam("e-", energy), target=thin, window=MissingMomentumWindow(0.9999 * energy)
    )
    element, density = TUNGSTEN.number_densities_cm3[0]
    sigma_cm2 = emission_cross_section(energy, MASSES, element)[0] * 0.3893794e-27
    assert found == pytest.approx(thin.length_cm * density * sigma_cm2, rel=1e-3)


def test_events_rise_with_the_thickness_less_what_the_beam_radiates() -> None:
    """To first order in L: sigma L (1 - a L), a of a mass; at 0.1 X0 a L is 9 to 12 %."""
    sigma = recoil_cross_section(4.0, MASSES, TUNGSTEN, WINDOW.cuts() or RecoilCuts())
    depths = (1e-4, 0.01, 0.02, 0.1)
    lost = [1.0 - events(target=target(depth)) / (sigma * depth) for depth in depths]
    assert np.abs(lost[0]).max() < 2e-4
    assert lost[2] == pytest.approx(2.0 * lost[1], rel=0.02)
    assert np.all((lost[3] > 0.085) & (lost[3] < 0.12))


def test_photons_that_are_too_hard_cost_the_event() -> None:
    """With the recoil electron just below its largest energy any photon is too hard."""
    narrow = MissingMomentumWindow(1.2, 1.199)
    wide = MissingMomentumWindow(3.9, 0.05)
    shares = []
    for window in (narrow, wide):
        sigma = recoil_cross_section(4.0, [0.1], TUNGSTEN, window.cuts() or RecoilCuts())
        shares.append(float(events([0.1], window=window)[0] / (0.1 * sigma[0])))
    assert shares[0] < 0.75
    assert 0.9 < shares[1] < 1.02


@pytest.mark.parametrize("model", ["scalar", "pseudoscalar", "axial", "vector"])
def test_other_kinds_have_their_own_cross_sections(model: str) -> None:
    """At g = e; the radiation of the beam is that of the dark photon to a percent."""
    kind = Emission(mediator(model).kind)
    cuts = WINDOW.cuts() or RecoilCuts()
    ratio = recoil_cross_section(4.0, MASSES, TUNGSTEN, cuts, kind)
    ratio = ratio / recoil_cross_section(4.0, MASSES, TUNGSTEN, cuts)
    found = events(model=model) * ELEMENTARY_CHARGE**2 / events()
    assert found == pytest.approx(ratio, rel=0.01)


def test_neutrinos_of_b_minus_l() -> None:
    """Couplings g to electrons, and the share of neutrinos in its decays."""
    boson = b_minus_l()
    widths = boson.partial_widths(MASSES)
    share = widths["neutrinos"] / np.sum(list(widths.values()), axis=0)
    found = events(model="b-minus-l", dark_sector=None)
    assert found == pytest.approx(events() * share / ELEMENTARY_CHARGE**2, rel=1e-9)


def test_positrons_emit_as_electrons_do() -> None:
    assert events(beam=Beam("e+", 4.0)).tolist() == events().tolist()


def test_the_mass_dependence_of_the_projection_of_2018() -> None:
    """Events at the projected limit of LDMX are as many at every mass, over six decades of rate.

    Coherent scattering alone, at the eleven points of the curve, from 10 MeV to 0.7 GeV: to 5 %.
    The number, 2.85 at full efficiency, is 2.30 for an efficiency of 0.81. Outside they differ:
    1.6 times as many at 1 MeV, half as many at 1.5 GeV, where the form factors decide.
    """
    curve = load_curve("ldmx-2018-4gev")
    masses, epsilon = np.array(curve.points).T
    found = 4e14 * epsilon**2 * events(masses, inelastic=False)
    inside = (masses > 9e-3) & (masses < 0.71)
    assert inside.sum() == 7
    assert found[inside] == pytest.approx(np.full(7, 2.87), rel=0.05)
    assert found[0] == pytest.approx(4.5, rel=0.05)
    assert found[-1] == pytest.approx(1.36, rel=0.05)


def test_the_approximation_is_within_a_fifth_without_transverse_cuts() -> None:
    ratio = events(production="ww") / events()
    assert np.all(np.abs(ratio[:4] - 1.0) < 0.2)
    with pytest.raises(InputError, match="says nothing of the recoil"):
        events(production="iww")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": target(2.0)}, r"at most 1 radiation length, has 2; .* missing energy"),
        ({"target": Target(TUNGSTEN)}, "at most 1 radiation length, has no length"),
        ({"beam": Beam("mu-", 4.0)}, "e- or e\\+ beam, not for mu-"),
        ({"beam": Beam("e-", 1.0)}, "must be below the beam energy of 1 GeV, is 1.2"),
        ({"masses": [5.0]}, "must be below the beam energy of 4 GeV"),
        ({"model": "alp"}, "does not couple to the electrons"),
        ({"dark_sector": None}, "no invisible decay"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        events(**changes)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((1.2, 1.3), "recoil_energy_min_gev must be below recoil_energy_max_gev of 1.2, is 1.3"),
        ((1.2, 0.0, 0.2, 0.1), "recoil_transverse_min_gev must be below"),
        ((1.2, 0.0, 1.5), "recoil_transverse_min_gev must be below recoil_energy_max_gev of 1.2"),
        ((0.0,), "recoil_energy_max_gev must be positive"),
        ((1.2, -0.1), "recoil_energy_min_gev must not be negative"),
        ((math.nan,), "recoil_energy_max_gev must be finite"),
    ],
)
def test_window(values: tuple[float, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MissingMomentumWindow(*values)


def test_a_thin_target_is_told_where_it_belongs() -> None:
    with pytest.raises(InputError, match=r"has 0\.1; a thin target.* missing momentum"):
        missing_energy_rates(BEAM, target(0.1), MissingEnergyWindow(2.8), dark_photon(), [0.1])


def test_cards() -> None:
    card = load_card("ldmx-4gev")
    assert card.projection
    assert card.setups["default"].target.depth_x0 == pytest.approx(0.1)
    thick = card_text("ldmx-4gev").replace("length_x0 = 0.1", "length_x0 = 20")
    with pytest.raises(FileProblemsError, match=r"window: the beam must cross the target"):
        parse_card(thick, "mine.toml")
    heavy = card_text("ldmx-4gev").replace("energy_gev = 4.0", "energy_gev = 1.1")
    with pytest.raises(FileProblemsError, match=r"window.recoil_energy_max_gev: must be below"):
        parse_card(heavy, "mine.toml")
