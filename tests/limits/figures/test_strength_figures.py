"""Figures against the signal strength: what is in them, and that they are the same again."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.calculators.curve import strengths_up_to
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.profile import likelihood_scan
from na64.limits.calculators.registry import Asymptotic, Auto, FeldmanCousins
from na64.limits.figures.strength import cls_figure, likelihood_figure
from na64.limits.figures.style import figure_bytes
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError


@pytest.fixture(scope="module")
def batch(counting):
    spec = counting(
        background=(6.0,), uncertainty=(0.3,), signal=(2.0,), efficiency=0.0, observed=(9,)
    )
    return compile_workspace(spec, validate=False).batch()


@pytest.mark.parametrize("chosen", [Asymptotic(), FeldmanCousins()], ids=lambda x: x.name)
def test_bands_and_limits(batch, chosen):
    limits = upper_limits(batch, calculator=chosen)
    mu = strengths_up_to(limits)
    assert mu[0] > 0.0
    assert mu[-1] == pytest.approx(1.25 * max(limits.observed[0], limits.expected.max()))
    table = cls_values(batch, mu[::4, None], calculator=chosen, expected=True)
    figure = cls_figure(table, limits)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    observed = lines["observed"]
    np.testing.assert_array_equal(observed.get_ydata()[-len(table.mu) :], table.observed[:, 0])
    # nothing is drawn at zero where zero may be excluded from below
    assert len(observed.get_xdata()) == len(table.mu) + (not chosen.two_sided)
    mark = lines[f"observed limit: {limits.observed[0]:.3g}"]
    np.testing.assert_allclose(mark.get_xydata(), [[limits.observed[0], 0.1]])
    assert len(axes.collections) == 2
    assert figure_bytes(figure, "a.svg") == figure_bytes(cls_figure(table, limits), "a.svg")


def test_a_method_that_chooses_says_what_it_chose(batch):
    limits = upper_limits(batch, calculator=Auto())
    table = cls_values(batch, np.array([[1.0], [2.0]]), calculator=Auto(), expected=True)
    legend = cls_figure(table, limits).axes[0].get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "method: auto (exact)"


def test_range_needs_a_limit(batch):
    empty = batch.likelihood.inject(np.zeros((1, 1, 1)))
    with pytest.raises(InputError, match="no signal event is expected"):
        strengths_up_to(upper_limits(empty, calculator=Asymptotic()))


def test_likelihood(batch):
    scan = likelihood_scan(batch)
    (axes,) = likelihood_figure(scan).axes
    lines = [line for line in axes.get_lines() if line.get_label().startswith("90 %")]
    low, high = scan.intervals[2].allowed[0]
    np.testing.assert_allclose(lines[0].get_xdata(), [low, high])
    np.testing.assert_allclose(lines[0].get_ydata(), scan.intervals[2].threshold)
