"""The default scan beside the published limits, and the table of them in the documentation."""

from __future__ import annotations

import runpy

import numpy as np

from na64.limits import expected_signal, scan, specify
from na64.workspaces.cards.quantity import Quantity
from na64.workspaces.cards.reader import load_card
from na64.workspaces.io.curves import load_curve
from tests.shared import ROOT


def ratio_to_published() -> tuple[np.ndarray, np.ndarray]:
    curve = load_curve("na64e-2016-2022")
    masses = np.array(curve.x)
    return masses, np.array(scan(masses_gev=masses).observed, float) / np.array(curve.y)


def smooth(masses: np.ndarray) -> np.ndarray:
    return ((masses > 4e-3) & (masses <= 0.2)) | ((masses >= 0.4) & (masses <= 1.0))


def test_default_scan_reproduces_the_published_limit() -> None:
    masses, ratio = ratio_to_published()
    # one mass-independent efficiency; the published points are good to a few per cent
    np.testing.assert_allclose(ratio[smooth(masses)], 1.0, atol=0.05)
    # the resonance is up to 26 % stronger than published at its lower edge, 229 MeV, where the
    # motion of atomic electrons counts, and from 265 to 315 MeV, for reasons not understood
    others = ~smooth(masses)
    edge = (masses > 0.226) & (masses < 0.232) | (masses > 0.265) & (masses < 0.32)
    np.testing.assert_allclose(ratio[others & ~edge], 1.0, atol=0.16)
    assert np.all((ratio[edge] > 0.72) & (ratio[edge] < 1.0))


def test_positrons_measure_the_threshold_of_the_trigger() -> None:
    # nothing is calibrated to this curve. Up to 0.3 GeV it is met as it is; at the end of the
    # resonance, where the positron leaves next to nothing, a threshold of 1 GeV meets it
    curve = load_curve("na64e-positron-2022")
    masses = np.array([mass for mass in curve.x if 0.01 < mass < 0.33])

    def ratio(overrides: tuple[str, ...] = ()) -> np.ndarray:
        found = scan("na64e-positron-2022", masses_gev=masses, overrides=overrides)
        return np.array(found.observed, float) / curve.at(masses)

    assert np.all(np.abs(np.log(ratio()[masses < 0.3])) < 0.14)
    assert 0.55 < ratio()[masses > 0.3].min() < 0.7
    # the efficiency of the electron runs with that threshold, from docs/validation.md
    threshold = ("window.preshower_energy_gev=1", "bins.*.efficiency=0.537")
    plus = ratio((*threshold, "bins.*.observed=0"))
    assert np.sqrt(np.mean(np.log(plus) ** 2)) < 0.10


def test_calibrated_efficiency_is_one_number_for_all_masses_and_bins() -> None:
    card = load_card("na64e-2016-2022")
    efficiencies = [item.efficiency for item in card.bins]
    numbers = [one.value for one in efficiencies if isinstance(one, Quantity)]
    assert numbers == [0.475] * len(card.bins)
    assert all("calibrated" in efficiency.source for efficiency in efficiencies)


def test_resolution_explains_the_lower_edge_of_the_resonance() -> None:
    curve = load_curve("na64e-2016-2022")
    masses = np.array([mass for mass in curve.x if 0.205 < mass < 0.225])
    sharp = ("window.resolution_stochastic=0", "beam.momentum_spread=0", "bins.*.observed=0")
    with_it, without = (
        np.array(scan(masses_gev=masses, overrides=overrides).observed, float) / curve.at(masses)
        for overrides in ((), sharp)
    )
    np.testing.assert_allclose(with_it, 1.0, atol=0.1)
    assert np.abs(np.log(without)).max() > 1.5 * np.abs(np.log(with_it)).max()


def test_shape_of_the_resonance() -> None:
    with_annihilation, without = load_curve("na64e-2021-fermion"), load_curve("na64e-2019")
    masses = np.array([mass for mass in with_annihilation.x if 0.226 <= mass <= 0.32])
    published = with_annihilation.at(masses) / without.at(masses)
    rates = expected_signal(specify("na64e-2016-2018", masses_gev=masses)).rates.events[:, 0, :, 0]
    ratio = np.sqrt(rates[:, 0] / rates.sum(axis=1)) / published
    # 285 to 310 MeV differ by up to 38 %, a quarter of it because the two published analyses used
    # different emission cross-sections: docs/validation.md
    upper = (masses > 0.284) & (masses < 0.312)
    np.testing.assert_allclose(ratio[~upper], 1.0, atol=0.15)
    np.testing.assert_allclose(1.0 / ratio[upper], 1.0, atol=0.39)


def test_tables_in_the_documentation_are_what_the_script_writes() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_validation"))
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    for item in script["LIMITS"]:
        assert f"](figures/validation-{item.curve}.png)" in text
        curve = load_curve(item.curve)
        number = len(item.points()) // 2
        masses = item.points()[[number]]
        ours = np.array(item.scan(masses).observed, float)
        rows = script["limit_rows"](masses, curve.at(masses), ours / curve.at(masses))
        assert rows[0] in text, item.title
    assert script["shape_rows"](script["shape_masses"]()[[4]])[0] in text
    assert script["choice_row"](*script["CHOICES"][3]) in text
    masses, ratio = script["thermal_ratios"]("scalar")
    assert script["summary_row"]("thermal target, scalar (y)", masses, ratio) in text
