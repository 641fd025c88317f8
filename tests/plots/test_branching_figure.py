"""The bar figure of branching ratios: bars, labels, what it refuses, and the command."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from na64.limits import scan
from na64.limits.figures.bars import branching_figure
from na64.limits.figures.figure import Overlay, exclusion_figure
from na64.limits.results.limit import Exclusion
from na64.models.errors import InputError


@pytest.fixture(scope="module")
def mesons() -> Exclusion:
    return scan("na64h-2022")


def test_one_bar_per_meson_and_limit(mesons: Exclusion) -> None:
    published = Overlay("published", np.array([0.548, 0.958]), np.array([1.1e-4, 2.1e-4]))
    # a point at a mass that is not in the scan is left out
    other = Overlay("other", np.array([0.3, 0.958]), np.array([1e-3, 6e-4]))
    figure = branching_figure([mesons], [published, other])
    (axes,) = figure.axes
    widths = sorted(patch.get_width() for patch in axes.patches)
    expected = sorted([*mesons.observed, 1.1e-4, 2.1e-4, 6e-4])
    np.testing.assert_allclose(widths, expected)
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert [r"\eta \to" in labels[0], r"\eta' \to" in labels[1]] == [True, True]
    assert "90% CL" in axes.get_xlabel()
    low, high = axes.get_xlim()
    assert low < min(expected) < max(expected) < high
    # bars of one meson do not overlap
    spans = sorted((patch.get_y(), patch.get_y() + patch.get_height()) for patch in axes.patches)
    assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(spans))


def test_projection_shows_the_expected_limit(mesons: Exclusion) -> None:
    hidden = replace(mesons, regions=((), ()), expected_only=True)
    figure = branching_figure([mesons, hidden])
    widths = sorted(patch.get_width() for patch in figure.axes[0].patches)
    np.testing.assert_allclose(widths, sorted([*mesons.observed, *mesons.expected[2]]))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any("(expected)" in text for text in texts)


def test_scans_have_different_names(mesons: Exclusion) -> None:
    def names(*scans: Exclusion) -> list[str]:
        figure = branching_figure(scans, names=["a.json", "b.json"][: len(scans)])
        return [text.get_text() for text in figure.legends[0].get_texts()]

    title = mesons.title
    assert names(mesons) == [f"{title} (observed)"]
    assert names(mesons, mesons) == [f"{title}, {name} (observed)" for name in ("a.json", "b.json")]
    assert (
        names(mesons, replace(mesons, method="asymptotic"))[1] == f"{title}, asymptotic (observed)"
    )
    assert names(mesons, replace(mesons, title="Other"))[1] == "Other (observed)"


def test_refusals(mesons: Exclusion) -> None:
    with pytest.raises(InputError, match="no scan"):
        branching_figure([])
    with pytest.raises(InputError, match="not for epsilon"):
        branching_figure([replace(mesons, parameter="epsilon")])
    with pytest.raises(InputError, match="no neutral meson"):
        branching_figure([replace(mesons, masses_gev=np.array([0.3, 0.4]))])


def test_command_draws_bars(
    mesons: Exclusion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from na64.limits.cli.entry import run

    monkeypatch.chdir(tmp_path)
    mesons.write("scan.json")
    assert run(("plot", "scan.json", "-o", "bars.svg")) == 0
    text = (tmp_path / "bars.svg").read_text(encoding="utf-8")
    assert "<svg" in text
    # not the figure of a coupling against a mass
    assert exclusion_figure([mesons]).axes[0].get_xlabel() != ""
