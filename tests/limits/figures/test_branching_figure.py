"""The bar figure of branching ratios: bars, labels, what it refuses, and the command."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from na64.limits import scan
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.figures.bars import bars
from na64.limits.figures.drawn import Drawn
from na64.limits.figures.figure import figure
from na64.limits.figures.overlays import Beside
from na64.limits.results.limit import Limit
from na64.models.errors import InputError
from tests.limits.figures.toys import in_legend, legend, toy


@pytest.fixture(scope="module")
def mesons() -> Limit:
    return scan("na64h-2022")


def hidden(mesons: Limit) -> Limit:
    """The same without a look at the data."""
    made = replace(mesons.specification, expected_only=True)
    return replace(mesons, specification=made, regions=((), ()))


def test_one_bar_per_meson_and_limit(mesons: Limit) -> None:
    published = Drawn("published", np.array([0.548, 0.958]), np.array([1.1e-4, 2.1e-4]))
    # a point at a mass that is not in the scan is left out
    other = Drawn("other", np.array([0.3, 0.958]), np.array([1e-3, 6e-4]))
    made = figure([mesons], beside=Beside(overlays=(published, other)))
    (axes,) = made.axes
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


def test_bars_are_drawn_into_axes_of_the_caller(mesons: Limit) -> None:
    mine = Figure(figsize=(3.0, 2.0))
    assert mesons.plot(ax=mine.subplots(), overlays=()) is mine
    assert mine.get_size_inches().tolist() == [3.0, 2.0]
    assert len(mine.axes[0].patches) == 2


def test_projection_shows_the_expected_limit(mesons: Limit) -> None:
    made = figure([mesons, hidden(mesons)])
    widths = sorted(patch.get_width() for patch in made.axes[0].patches)
    medians = mesons.expected[BAND_ORDER.index(0)]
    np.testing.assert_allclose(widths, sorted([*mesons.observed, *medians]))
    assert any("(expected)" in text for text in legend(made))


def test_scans_have_different_names(mesons: Limit) -> None:
    def names(*scans: Limit) -> list[str]:
        *bars, median = in_legend(figure(scans, names=["a.json", "b.json"][: len(scans)]))
        assert median == "expected median"
        return bars

    made = mesons.specification
    title = r"NA64h 2022, invisible decays of $\eta$ and $\eta'$, $2.9\times10^{9}$ pions on target"
    assert names(mesons) == [f"{title} (observed)"]
    assert names(mesons, mesons) == [f"{title}, {name} (observed)" for name in ("a.json", "b.json")]
    other = replace(mesons, specification=replace(made, confidence_level=0.95))
    assert names(mesons, other)[1] == f"{title}, 95% CL (observed)"
    (card,) = made.cards
    other = replace(mesons, specification=replace(made, cards=(replace(card, title="Other"),)))
    assert names(mesons, other)[1] == "Other (observed)"


def test_refusals(mesons: Limit) -> None:
    with pytest.raises(InputError, match="not for epsilon"):
        bars([toy()])
    with pytest.raises(InputError, match="no neutral meson"):
        figure([replace(mesons, masses_gev=np.array([0.3, 0.4]))])
    with pytest.raises(InputError, match="a ratio panel needs a mass axis"):
        figure([mesons], ratio_panel=True)
    with pytest.raises(InputError, match="no dark matter"):
        figure([mesons], beside=Beside(thermal=("scalar",)))


def test_command_draws_bars(mesons: Limit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from na64.limits.cli.entry import run

    monkeypatch.chdir(tmp_path)
    mesons.write("scan.json")
    assert run(("plot", "scan.json", "-o", "bars.svg")) == 0
    assert "<svg" in (tmp_path / "bars.svg").read_text(encoding="utf-8")
