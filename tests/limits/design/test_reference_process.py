"""The efficiency correction from a reference process."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from na64.limits.design.reference_process import (
    REFERENCE_PROCESSES,
    ReferenceYields,
    reference_correction,
    reference_yields,
)
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.signals.dimuons import dimuon_rates
from na64.models.targets import Beam, Target
from na64.workspaces.cards.quantity import Quantity
from na64.workspaces.cards.reader import card_text, load_card, parse_card


def test_equal_ratios_have_no_scatter():
    found = reference_correction([920.0, 460.0, 230.0], [1000.0, 500.0, 250.0])
    np.testing.assert_allclose(found.ratios, 0.92)
    assert found.mean == pytest.approx(0.92)
    assert found.scatter == 0.0
    assert found.p_value == pytest.approx(1.0)
    np.testing.assert_allclose(found.statistical, [920.0**-0.5, 460.0**-0.5, 230.0**-0.5])


def test_scatter_is_recovered():
    """Ratios thrown with 8 % scatter and large samples; the common part adds in quadrature."""
    generator = np.random.default_rng(5)
    simulated = np.full(400, 20_000.0)
    truth = 0.9 * np.exp(0.08 * generator.standard_normal(400))
    found = reference_correction(
        generator.poisson(simulated * truth), simulated, simulation_uncertainty=0.06
    )
    # standard error of a width from 400 numbers: 0.08 / sqrt(800) = 3.5 %
    assert found.scatter == pytest.approx(0.08, rel=0.12)
    assert found.common == pytest.approx(np.hypot(found.scatter, 0.06))
    assert found.mean == pytest.approx(0.9, rel=0.02)
    assert found.p_value < 1e-6


def test_statistical_fluctuations_are_not_scatter():
    generator = np.random.default_rng(6)
    scatters, p_values = [], []
    for _ in range(200):
        found = reference_correction(generator.poisson([400.0, 900.0, 250.0]), [400, 900, 250])
        scatters.append(found.scatter)
        p_values.append(found.p_value)
    # chi-squared exceeds its two degrees of freedom in 37 % of the cases
    assert 0.28 < np.mean(np.array(scatters) > 0.0) < 0.46
    assert 0.42 < np.mean(p_values) < 0.58


def test_card_entries_are_toml():
    found = reference_correction([92.0, 80.0], [100.0, 100.0], simulation_uncertainty=0.1)
    entries = [tomllib.loads(line)["efficiency"] for line in found.apply(0.5)]
    assert [e["value"] for e in entries] == pytest.approx([0.46, 0.4])
    assert {e["correlation"] for e in entries} == {"efficiency"}
    wanted = [np.hypot(found.common, x) for x in found.statistical]
    assert [e["relative_uncertainty"] for e in entries] == pytest.approx(wanted, rel=5e-3)
    with pytest.raises(InputError, match=r"bin 0 is 1\.84"):
        found.apply(2.0)


@pytest.mark.parametrize(
    ("observed", "simulated", "uncertainty", "message"),
    [
        ([1.0], [1.0, 2.0], 0.0, "1 observed and 2 simulated"),
        ([0.0], [1.0], 0.0, "observed events .* positive"),
        ([1.0], [np.nan], 0.0, "simulated events .* positive"),
        ([1.0], [1.0], -0.1, "not be negative"),
    ],
)
def test_refused(observed, simulated, uncertainty, message):
    with pytest.raises(InputError, match=message):
        reference_correction(observed, simulated, simulation_uncertainty=uncertainty)


@pytest.fixture(scope="module")
def found() -> ReferenceYields:
    return reference_yields(load_card("na64e-2016"), efficiency=0.8)


def test_expected_pairs_are_exposure_times_efficiency_times_rate(found):
    rates = dimuon_rates(Beam("e-", 100.0), Target(material("ecal")))
    assert found.bins == ("2016-low", "2016-medium", "2016-high")
    np.testing.assert_array_equal(found.per_particle, [rates.events] * 3)
    np.testing.assert_allclose(
        found.expected, 0.8 * rates.events.sum() * np.array([2.3e10, 1.1e10, 0.9e10]), rtol=1e-12
    )
    assert found.total == pytest.approx(0.8 * rates.events.sum() * 4.3e10)


def test_data_over_simulation(found):
    same = found.compare(0.92 * found.expected)
    np.testing.assert_allclose(same.ratios, 0.92)
    assert same.common == REFERENCE_PROCESSES["dimuons"].relative_uncertainty
    (all_bins,) = found.compare([0.92 * found.total], simulation_uncertainty=0.0).ratios
    assert all_bins == pytest.approx(0.92)
    with pytest.raises(InputError, match="2 observed numbers of events for 3 bins"):
        found.compare([1.0, 2.0])


def test_the_entry_corrects_the_efficiency_of_a_card(found):
    compared = found.compare([92.0], simulation_uncertainty=0.03)
    ratio = 92.0 / found.total
    (line,) = compared.card_entries("dimuons")
    entry = tomllib.loads(line)["efficiency_correction"]
    assert entry["value"] == pytest.approx(ratio, rel=1e-3)
    uncertainty = ratio * np.hypot(0.03, 92.0**-0.5)
    assert entry["uncertainty"] == pytest.approx(uncertainty, rel=0.05)  # two digits
    text = card_text("na64e-2016")
    corrected = parse_card(text.replace("observed = {", f"{line}\nobserved = {{"), "test")
    plain = parse_card(text, "test")
    for new, old in zip(corrected.bins, plain.bins, strict=True):
        gain = new.corrected_efficiency.at(0.1) / old.efficiency.at(0.1)
        assert gain == pytest.approx(ratio, rel=1e-3)
        assert new.efficiency_correction == Quantity(
            entry["value"], entry["uncertainty"], entry["source"], "dimuons"
        )


def test_regions_of_one_data_set_count_once():
    card = load_card("na64e-alp-2016-2018")
    found = reference_yields(card)
    assert found.distinct.tolist() == [True, False]
    assert found.total == pytest.approx(found.expected[0])
    assert card.total_exposure == found.exposures[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"process": "dimuon"}, "unknown reference process 'dimuon' .did you mean 'dimuons'"),
        ({"efficiency": 0.0}, "above 0 and at most 1, is 0"),
        ({"efficiency": 1.5}, "above 0 and at most 1, is 1.5"),
    ],
)
def test_yields_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        reference_yields(load_card("na64e-2016"), **arguments)
