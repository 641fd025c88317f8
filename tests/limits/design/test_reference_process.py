"""The efficiency correction from a reference process."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from na64.limits.design.reference_process import reference_correction
from na64.models.errors import InputError


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
