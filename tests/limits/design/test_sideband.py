"""The sideband fit covers, says when the spectrum is of another form, and refuses nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.design.sideband import fit_sideband
from na64.models.errors import InputError

EDGES = np.linspace(50.0, 80.0, 16)
BOX = (0.0, 50.0)


def _exponential(slope_gev: float, events: float):
    """Expected counts of the sideband and events in the box for exp(E / slope)."""
    edges = np.exp(EDGES / slope_gev)
    total = edges[-1] - edges[0]
    box = np.exp(BOX[1] / slope_gev) - np.exp(BOX[0] / slope_gev)
    return events * np.diff(edges) / total, events * box / total


def test_coverage_of_an_exponential():
    """Pulls of ln(prediction) over 600 pseudo-experiments: errors of 0.04 and 0.03."""
    expected, truth = _exponential(8.0, 600.0)
    generator = np.random.default_rng(20)
    pulls, p_values = [], []
    for _ in range(600):
        fit = fit_sideband(EDGES, generator.poisson(expected), box_gev=BOX)
        pulls.append(np.log(fit.prediction / truth) / fit.relative_uncertainty)
        p_values.append(fit.p_value)
    assert abs(np.mean(pulls)) < 0.1
    assert 0.9 < np.std(pulls) < 1.1
    # goodness of fit is near uniform; bins with a few events bend it a little
    assert 0.43 < np.mean(p_values) < 0.57


def test_a_truth_that_is_not_exponential():
    """A tail that bends down: the exponential predicts too much, the quadratic does not.

    The bend is not visible in the goodness of fit of 600 events: the choice of the shape is a
    systematic uncertainty of its own.
    """
    t = (EDGES - 50.0) / 30.0
    fine = np.linspace(0.0, 80.0, 8001)
    density = np.exp(3.75 * (fine - 50.0) / 30.0 - 0.8 * ((fine - 50.0) / 30.0) ** 2)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * 0.01)])
    at = np.interp(EDGES, fine, cumulative)
    expected = 600.0 * np.diff(at) / (at[-1] - at[0])
    truth = 600.0 * at[0] / (at[-1] - at[0])
    assert len(t) == len(EDGES)
    generator = np.random.default_rng(21)
    ratios, visible, covered = [], [], []
    for _ in range(100):
        counts = generator.poisson(expected)
        straight = fit_sideband(EDGES, counts, box_gev=BOX)
        bent = fit_sideband(EDGES, counts, box_gev=BOX, shape="exponential-quadratic")
        ratios.append(straight.prediction / truth)
        visible.append(straight.p_value < 0.05)
        covered.append(abs(np.log(bent.prediction / truth)) < 2.0 * bent.relative_uncertainty)
    assert np.median(ratios) > 1.3
    assert np.mean(visible) < 0.3
    assert np.mean(covered) > 0.85


def test_expected_counts_give_the_truth_back():
    expected, truth = _exponential(6.0, 1000.0)
    fit = fit_sideband(EDGES, expected, box_gev=BOX)
    # Minuit's tolerance on the minimum
    assert fit.prediction == pytest.approx(truth, rel=2e-3)
    assert fit.deviance < 1e-3
    assert fit.degrees_of_freedom == 13


def test_card_entry_is_toml():
    import tomllib

    expected, _ = _exponential(6.0, 400.0)
    fit = fit_sideband(EDGES, np.round(expected), box_gev=BOX)
    entry = tomllib.loads(fit.card_entry())["background"]
    assert entry["value"] == pytest.approx(fit.prediction, rel=1e-3)
    assert entry["relative_uncertainty"] == pytest.approx(fit.relative_uncertainty, rel=1e-2)
    assert "sideband" in entry["source"]


@pytest.mark.parametrize(
    ("edges", "counts", "settings", "message"),
    [
        (EDGES, np.ones(14), {}, "15 counts, not 14"),
        (EDGES[::-1], np.ones(15), {}, "increase"),
        (EDGES, -np.ones(15), {}, "not negative"),
        (EDGES, np.zeros(15), {}, "events in more than"),
        (EDGES[:3], np.ones(2), {}, "more than 2 bins"),
        (EDGES, np.ones(15), {"box_gev": (0.0, 60.0)}, "overlaps"),
        (EDGES, np.ones(15), {"box_gev": (10.0, 5.0)}, "is empty"),
        (EDGES, np.ones(15), {"shape": "gaussian"}, "unknown shape 'gaussian'"),
    ],
)
def test_refused(edges, counts, settings, message):
    with pytest.raises(InputError, match=message):
        fit_sideband(edges, counts, **{"box_gev": BOX, **settings})
