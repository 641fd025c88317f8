"""Figures of campaigns: what a reader of a plot needs to judge a point is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from na64.limits.campaigns.picture import campaign_figure
from na64.limits.campaigns.table import CampaignTable
from na64.limits.results.tables import Table

#: columns that toys and coverage have in common
COMMON = ("search", "model", "parameter", "mass_gev", "strength", "confidence_level")


def drawn(kind: str, column: str, rows: list[tuple[float, float, float]]) -> Axes:
    """Draw rows of a strength, a value and its error."""
    columns = ("point", "state", *COMMON, column, f"{column}_error")
    head = (0, "done", "na64e-2016-2022", "dark-photon", "epsilon", 0.1)
    cells: list[Any] = [(*head, at, 0.9, value, error) for at, value, error in rows]
    figure = campaign_figure(CampaignTable("some", kind, (), Table(columns, cells)), y=column)
    (axes,) = figure.axes
    return axes


def bars(axes: Axes) -> list[float]:
    """Lower and upper ends of the errors of the points, one after the other."""
    (found,) = [item for item in axes.collections if isinstance(item, LineCollection)]
    return [float(end[1]) for part in found.get_segments() for end in part]


def levels(axes: Axes) -> list[float]:
    """Values of lines through the whole frame."""
    lines = [np.asarray(line.get_ydata(), float) for line in axes.get_lines()]
    return [float(y[0]) for y in lines if len(y) == 2 and y[0] == y[1]]


def numbered(axes: Axes) -> int:
    low, high = axes.get_xlim()
    found = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    return sum(low <= at <= high and bool(label.get_text()) for at, label in found)


def test_coverage_ends_at_one_and_is_seen_beside_its_level() -> None:
    axes = drawn("coverage", "coverage", [(1e-4, 1.0, 0.02), (1.5e-4, 0.96, 0.03)])
    assert axes.get_yscale() == "linear"
    assert 1.0 < axes.get_ylim()[1] < 1.01
    assert axes.get_ylim()[0] < 0.9 in levels(axes)
    assert bars(axes) == pytest.approx([0.98, 1.0, 0.93, 0.99])
    assert max(axes.get_yticks()[axes.get_yticks() <= axes.get_ylim()[1]]) == pytest.approx(1.0)


@pytest.mark.parametrize("column", ["cls", "expected_median"])
def test_cls_has_errors_and_what_it_is_compared_with(column: str) -> None:
    axes = drawn("toys", column, [(1e-4, 0.58, 0.01), (1.5e-4, 0.29, 0.008)])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert levels(axes) == pytest.approx([0.1])
    assert axes.get_ylim()[0] < 0.1
    assert bars(axes) == pytest.approx([0.57, 0.59, 0.282, 0.298])
    assert "0.1 GeV" in " ".join(text.get_text() for text in (axes.title, axes._left_title))  # type: ignore[attr-defined]


@pytest.mark.parametrize("high", [1.3e-4, 1.5e-4, 2.9e-4, 5e-4, 1.1e-3, 1e-2])
def test_an_axis_has_numbers_and_no_point_on_the_frame(high: float) -> None:
    axes = drawn("toys", "cls", [(1e-4, 0.5, 0.01), (high, 0.2, 0.01)])
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    low, end = axes.get_xlim()
    assert low < 1e-4 < high < end
    minor = [label.get_text() for label in axes.get_xticklabels(minor=True)]
    assert numbered(axes) + sum(map(bool, minor)) >= 2
