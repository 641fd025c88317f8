"""Figures of patchsets: the contours are those of the numbers, the labels those of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.limits.calculators.registry import calculator
from na64.limits.calculators.status import Status
from na64.limits.calculators.table import LimitTable
from na64.limits.figures.patches import patch_figure
from na64.limits.figures.style import figure_bytes
from na64.limits.scanning.contours import exclusion_contours
from na64.limits.scanning.patches import PatchedResults, PatchResult
from na64.models.errors import InputError

FACTORS = np.array([0.5, 0.7, 1.0, 1.4, 2.0])


def made(labels: tuple[str, ...], values: list[Any], limits: Any) -> PatchedResults[LimitTable]:
    """Results that nobody computed: NaN fails, the expected limits are multiples."""
    results = []
    for number, (value, limit) in enumerate(zip(values, limits, strict=True)):
        answer = LimitTable(
            calculator=calculator("asymptotic"),
            confidence_level=0.95,
            events=np.ones(1),
            observed=np.array([limit]),
            expected=1.2 * limit * FACTORS[:, None],
            status=(Status.OK,),
            expected_status=((Status.OK,),) * 5,
            messages=("",),
            lower=np.zeros(1),
        )
        failed = bool(np.isnan(limit))
        results.append(
            PatchResult(f"p{number}", value, "m", "mu", None if failed else answer, "x" * failed)
        )
    return PatchedResults(labels, tuple(results))


GRID = [(x, y) for x in (100, 200, 300, 400) for y in (0, 50, 100)]
LIMITS = [np.nan if point == (400, 100) else np.exp((point[0] - 270) / 90) for point in GRID]


def test_the_contours_of_a_plane_are_drawn() -> None:
    found = made(("m_heavy", "m_light"), GRID, LIMITS)
    figure = patch_figure(found, "Signals worth 5$ each\nand more")
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("m_heavy", "m_light")
    assert figure.get_suptitle() == r"Signals worth 5\$ each"
    for limits, style in ((found.observed, "-"), (found.expected[:, 2], "--")):
        (line,) = exclusion_contours(found.points, limits)
        drawn = [each for each in axes.lines if np.array_equal(each.get_xydata(), line)]
        assert [each.get_linestyle() for each in drawn] == [style]
    (legend,) = [axes.get_legend()]
    words = [text.get_text() for text in legend.get_texts()]
    assert {"observed", "expected", "no limit", "observed: excluded"} <= set(words)
    assert "95% CL" in legend.get_title().get_text()
    marked = {line.get_label(): line.get_xydata() for line in axes.lines}
    assert marked["no limit"].tolist() == [[400, 100]]
    assert len(marked["observed: excluded"]) == 6
    assert len(marked["observed: not excluded"]) == 5
    assert figure_bytes(figure, "a.png") == figure_bytes(
        patch_figure(found, "Signals worth 5$ each"), "a.png"
    )


def test_a_plane_without_contours_says_why() -> None:
    def words(values: Any, limits: Any) -> list[str]:
        (axes,) = patch_figure(made(("a", "b"), values, limits)).axes
        return [text.get_text() for text in axes.get_legend().get_texts()]

    assert "observed: all excluded" in words(GRID, [0.1] * 12)
    assert "expected: none excluded" in words(GRID, [7.0] * 12)
    assert "observed: no limits" in words(GRID, [np.nan] * 12)
    assert "observed: points on a line" in words([(1, 1), (2, 2), (3, 3)], [0.1, 2.0, 3.0])


def test_one_value_is_an_axis() -> None:
    found = made(("mass",), [(3.0,), (100.0,), (1.0,)], [2.0, np.nan, 1.0])
    figure = patch_figure(found)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "mass"
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["observed"].get_xdata().tolist() == [1.0, 3.0, 100.0]
    assert lines["observed"].get_ydata()[:2].tolist() == [1.0, 2.0]
    assert lines["no limit"].get_xdata().tolist() == [100.0]


def test_other_patches_have_no_figure() -> None:
    with pytest.raises(InputError, match="these have 3: a, b, c"):
        patch_figure(made(("a", "b", "c"), [(1, 2, 3)], [1.0]))
    with pytest.raises(InputError, match="patch 'p0' has b = 'long'"):
        patch_figure(made(("a", "b"), [(1, "long")], [1.0]))
