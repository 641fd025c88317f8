"""Figures of fits: what they draw is what the fit found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from na64.limits.calculators.registry import Asymptotic
from na64.limits.figures.impacts import impact_figure
from na64.limits.figures.pulls import correlation_figure, pull_figure
from na64.limits.figures.stacks import goodness_figure, yield_figure
from na64.limits.inference.fit import fit_workspace
from na64.limits.inference.goodness import goodness_of_fit
from na64.limits.inference.impacts import rank_by_limit, rank_by_mu
from na64.limits.inference.prepost import pre_and_post_fit
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace

Workspace = dict[str, Any]


@pytest.fixture(scope="module")
def document(counting: Callable[..., Workspace]) -> Workspace:
    made = counting((2.0, 3.0, 4.0), (0.3, 0.4, 0.2), (3.0, 2.0, 1.0), 0.2, (5, 4, 7))
    # a name that mathtext would choke on, and a free factor
    made["channels"][2]["samples"][1]["name"] = "$\\frac{other_$ sample"
    free = {"name": "free", "type": "normfactor", "data": None}
    made["channels"][1]["samples"][1]["modifiers"].append(free)
    return made


@pytest.fixture(scope="module")
def batch(document: Workspace) -> SignalBatch:
    return compile_workspace(document, validate=False).batch()


def texts(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_pulls_are_drawn_where_they_are(batch: SignalBatch) -> None:
    fit = fit_workspace(batch)
    figure = pull_figure(fit)
    pulls, free = figure.axes
    shown = np.flatnonzero(~np.isnan(fit.pulls))
    assert texts(pulls) == [fit.names[p] for p in shown]
    points, _, (bars,) = pulls.containers[0].lines
    assert points.get_xdata() == pytest.approx(fit.pulls[shown])
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    assert 0.5 * (ends[:, 1] - ends[:, 0]) == pytest.approx(fit.constraints[shown])
    assert texts(free) == ["mu", "free"]
    few = pull_figure(fit, most=2)
    assert len(texts(few.axes[0])) == 2
    assert "2 of 4 constrained parameters" in few.get_suptitle()


def test_correlations_above_the_threshold(batch: SignalBatch) -> None:
    fit = fit_workspace(batch)
    (axes, _) = correlation_figure(fit, threshold=0.3).axes
    names = texts(axes)
    drawn = np.asarray(axes.images[0].get_array()) / 100.0
    at = [fit.names.index(name) for name in names]
    assert drawn == pytest.approx(fit.correlations[np.ix_(at, at)])
    off = np.abs(fit.correlations - np.eye(len(fit.names)))
    assert set(names) == {n for n, row in zip(fit.names, off, strict=True) if row.max() >= 0.3}


def test_impacts_stand_beside_the_pulls(batch: SignalBatch) -> None:
    found = rank_by_mu(batch)
    figure = impact_figure(found, most=3)
    pulls, impacts = figure.axes
    assert texts(pulls) == list(found.names[:3])
    widths = [[bar.get_width() for bar in container] for container in impacts.containers]
    assert widths[0] == pytest.approx(found.postfit[0, :3])
    assert widths[2] == pytest.approx(found.postfit[1, :3])
    limits = rank_by_limit(batch, calculator=Asymptotic(), parameters=["efficiency"])
    (_, changes) = impact_figure(limits).axes
    assert changes.containers[1][0].get_width() == pytest.approx(limits.impacts[1, 0])


@pytest.mark.parametrize("stage", ["post-fit", "pre-fit"])
def test_stacks_add_up(document: Workspace, stage: str) -> None:
    found = pre_and_post_fit(document)
    main, ratio = yield_figure(found, stage=stage).axes
    here = found.after if stage == "post-fit" else found.before
    tops = np.zeros(3)
    for container in main.containers:
        bars = [bar for bar in container if hasattr(bar, "get_height")]
        if len(bars) == 3 and bars[0].get_fill():
            height = [bar.get_y() + bar.get_height() for bar in bars]
            tops = np.maximum(tops, height)
    assert tops == pytest.approx(here.totals)
    assert [t.get_text() for t in ratio.get_xticklabels()] == list(found.channels)
    one = yield_figure(found, stage=stage, channels=["bin_01"])
    assert [t.get_text() for t in one.axes[1].get_xticklabels()] == ["bin_01"]


def test_bins_of_a_spectrum_have_numbers_and_empty_ones_their_interval(
    counting: Callable[..., Workspace],
) -> None:
    made = counting((2.0,), (0.3,), (1.0,), 0.2, (1,))
    for sample in made["channels"][0]["samples"]:
        sample["data"] = [0.3 * sample["data"][0]] * 3
    made["observations"][0]["data"] = [0, 1, 0]
    for sample in made["channels"][0]["samples"]:
        sample["modifiers"] = [m for m in sample["modifiers"] if m["type"] != "shapesys"]
    main, ratio = yield_figure(pre_and_post_fit(made)).axes
    ratio.figure.draw_without_rendering()
    assert [t.get_text() for t in ratio.get_xticklabels(minor=True)] == ["1", "2", "3"]
    (lines,) = [c for c in main.collections if len(c.get_segments()) == 2]
    # no event: less than 1.841 at the 84.13 % end of the central interval
    assert [line[1] for line in lines.get_segments()] == pytest.approx(
        np.array([[0.0, 1.8410], [2.0, 1.8410]]), abs=1e-4
    )


def test_many_samples_share_a_colour(document: Workspace) -> None:
    crowded = copy.deepcopy(document)
    for number in range(12):
        extra = {"name": f"small {number}", "data": [0.01 * (number + 1)], "modifiers": []}
        crowded["channels"][0]["samples"].append(extra)
    figure = yield_figure(pre_and_post_fit(crowded), most=4)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "11 others" in labels


def test_goodness_shows_every_channel(batch: SignalBatch) -> None:
    found = goodness_of_fit(batch, toys=30)
    left, right = goodness_figure(found).axes
    assert texts(right) == ["bin_00", "bin_01", "bin_02", "constraints"]
    widths = [bar.get_width() for bar in right.containers[0]]
    assert sum(widths) == pytest.approx(found.statistic)
    assert any("30 toys" in text.get_text() for text in left.get_legend().get_texts())
