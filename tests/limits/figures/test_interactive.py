"""Figures for a browser: what matplotlib draws, in whole files of the same bytes."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from na64.limits.calculators.status import BAND_ORDER
from na64.limits.figures.drawn import Drawn, Kind
from na64.limits.figures.figure import figure, ratio_to
from na64.limits.figures.interactive import html_figure
from na64.limits.figures.overlays import Beside
from na64.limits.figures.picture import Form, picture
from na64.limits.figures.sources import card_sources
from na64.limits.figures.unicode import in_unicode
from na64.limits.results.axes import coupling_axis
from na64.models.errors import InputError
from tests.limits.figures.toys import LIMIT, MASSES, PUBLISHED, card, closed, lines, toy
from tests.shared import ROOT

HOSTILE = "</script><img src=x onerror=alert(1)> & <b>$$x$$ \\[y\\] $\\alpha$"
REGION = Drawn(
    "a region", np.array([0.01, 0.1, 0.1, 0.01]), np.array([1, 1, 9, 1]) * 1e-4, Kind.REGION
)
OTHERS = Drawn("others", np.array([1e-3, 1.0]), np.array([1e-3, 1e-2]), Kind.LIMIT)
LEVEL = Drawn("a level", np.array([]), np.array([2e-3]), Kind.LEVEL)
FLOOR = Drawn("a floor", np.array([2e-3]), np.array([]), Kind.FLOOR)


def inside(trace, x: float, y: float) -> bool:
    """Whether a point is in an area, by the rule of even and odd, in logarithms."""
    gaps = np.flatnonzero(np.isnan(trace.x))
    rings = zip(np.split(trace.x, gaps), np.split(trace.y, gaps), strict=True)
    found = [
        Polygon(np.log(np.column_stack([a, b])[np.isfinite(a)])).contains_point(np.log([x, y]))
        for a, b in rings
    ]
    return sum(found) % 2 == 1


class Attributes(HTMLParser):
    """Every attribute of every element, and which elements there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.found: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.found += attrs


# what is shown is what matplotlib shows


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"expected_only": True},
        {"regions": closed(LIMIT, np.linspace(5.0, 0.5, 7) * LIMIT)},
        {"regions": closed(LIMIT[:3] * [1, 1, 1], LIMIT[:3] * [9, 3, 2]) + ((),) * 4},
    ],
    ids=["open", "projection", "closed", "ends"],
)
def test_lines_and_curves_are_those_of_the_figure(changes) -> None:
    limit, beside = toy(**changes), Beside(overlays=(PUBLISHED, REGION))
    drawn = lines(figure([limit], beside=beside))
    found = {
        t.label: (t.x, t.y) for t in picture([limit], beside=beside).traces if t.form is Form.LINE
    }
    assert {in_unicode(name) for name in drawn} == set(found)
    for name, (x, y) in drawn.items():
        for ours, theirs in zip(found[in_unicode(name)], (x, y), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_ranges_are_those_of_the_figure() -> None:
    limit, beside = toy(), Beside(overlays=(OTHERS,))
    axes, shown = figure([limit], beside=beside).axes[0], picture([limit], beside=beside)
    assert axes.get_xlim() == pytest.approx(shown.x_range)
    assert axes.get_ylim()[0] == pytest.approx(shown.y_range[0])


def test_bands_hold_what_the_strong_outcome_excludes_and_the_weak_one_does_not() -> None:
    high = 10.0 * LIMIT
    bands = tuple(closed((1 + k / 10) * LIMIT, (1 - k / 10) * high) for k in range(5))
    limit = toy(regions=closed(LIMIT, high), expected_regions=bands)
    areas = {t.label: t for t in picture([limit]).traces if t.form is Form.AREA}
    for k, label in ((2, "expected ± 2σ"), (1, "expected ± 1σ")):
        strong, weak = (bands[BAND_ORDER.index(sign * k)] for sign in (-1, 1))
        for row in (1, 3, 5):
            (low, top), (inner, outer) = strong[row][0], weak[row][0]
            x = float(MASSES[row])
            assert inside(areas[label], x, (low * inner) ** 0.5)
            assert inside(areas[label], x, (outer * top) ** 0.5)
            assert not inside(areas[label], x, (inner * outer) ** 0.5)
            assert not inside(areas[label], x, low / 1.1)


def test_what_is_excluded_is_shaded_as_far_as_one_can_move() -> None:
    shown = picture([toy()], beside=Beside(overlays=(OTHERS, LEVEL, FLOOR, REGION)))
    areas = {t.label: t for t in shown.traces if t.form is Form.AREA}
    assert inside(areas["observed"], 0.1, 1e6 * shown.y_range[1])
    assert not inside(areas["observed"], 0.1, 0.9e-3)
    assert inside(areas["others"], 0.03, 1e6)
    assert inside(areas["a floor"], 1.5e-3, 1e-3)
    assert not inside(areas["a floor"], 2.5e-3, 1e-3)
    assert inside(areas["a region"], 0.09, 5e-4)
    (level,) = (t for t in shown.traces if t.label == "a level")
    assert set(level.y) == {2e-3}


def test_points_tell_mass_coupling_events_and_status() -> None:
    limit = toy(messages=("", "seen", *[""] * 5))
    (points,) = (t for t in picture([limit]).traces if t.form is Form.POINTS)
    assert {name: texts[1] for name, texts in points.texts.items()} == {
        "limit": "observed",
        "m_A′": "0.003162 GeV",
        "ε": "3.162e-05",
        "events at the limit": "2.3",
        "status": "ok; seen",
    }


def test_a_panel_of_ratios() -> None:
    limit = toy()
    (ratio,) = picture([limit], beside=Beside(overlays=(PUBLISHED,)), ratio_panel=True).ratios
    np.testing.assert_array_equal(ratio.y, ratio_to(limit, PUBLISHED))
    with pytest.raises(InputError, match="overlay a curve"):
        picture([limit], ratio_panel=True)


def test_branching_ratios_are_points_at_the_masses_of_mesons() -> None:
    limit = toy(
        masses=[0.547862, 0.95778],
        model="invisible-meson",
        sector=None,
        y=coupling_axis("br"),
        messages=("", ""),
    )
    shown = picture([limit], beside=Beside(overlays=(PUBLISHED,)))
    assert {trace.form for trace in shown.traces} == {Form.POINTS}
    assert {trace.label for trace in shown.traces} == {"observed", "expected median", "published"}
    assert shown.x_range[0] < 0.54 < 0.96 < shown.x_range[1]


# the file


def content(page: str):
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def test_the_file_is_whole() -> None:
    page = html_figure([toy()], beside=Beside(overlays=(PUBLISHED,)), ratio_panel=True)
    assert "connect-src" not in page
    assert "default-src 'none'" in page.split("Content-Security-Policy")[1][:80].replace(
        "&#x27;", "'"
    )
    seen = Attributes(page)
    assert not [pair for pair in seen.found if pair[0] in ("src", "href", "action", "srcset")]
    assert not {"link", "iframe", "img", "object", "embed"} & set(seen.tags)
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in json.dumps(content(page))


def test_the_same_bytes_again_and_in_another_process(tmp_path) -> None:
    (tmp_path / "limit.json").write_text(toy().to_json())
    code = (
        "import sys; from na64.limits.results.limit import Limit;"
        "from na64.limits.figures.interactive import html_figure;"
        "sys.stdout.buffer.write(html_figure([Limit.read('limit.json')]).encode())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / ".typing"), "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    ).stdout
    here = html_figure([toy()])
    importlib.import_module("panel")  # which adds to the scripts that Bokeh hands out
    assert html_figure([toy()]) == here
    assert there.decode() == here


def test_texts_of_cards_stay_texts() -> None:
    hostile = replace(card(HOSTILE, name="toy"), references=(HOSTILE,))
    limit = toy(cards=(hostile,), messages=(HOSTILE,) * 7, provenance={"command": ["x", HOSTILE]})
    seen = Attributes(html_figure([limit], names=[HOSTILE]))
    clean = Attributes(html_figure([toy()], names=["a file"]))
    assert seen.tags.count("script") == clean.tags.count("script")
    assert {"img", "b"}.isdisjoint(seen.tags)


def test_no_text_is_taken_for_mathematics() -> None:
    # Bokeh would fetch fonts for it
    limits = [toy(cards=(card(f"{HOSTILE} {k}"),)) for k in range(2)]
    item = content(
        html_figure(limits, beside=Beside(overlays=(replace(PUBLISHED, label=HOSTILE),)))
    )
    found = [text for text in _texts(item) if "onerror" in text]
    told = [text for text in found if "\u2060" in text]
    assert len(told) >= 3
    assert not [text for text in told if "$$" in text or "\\[" in text]
    assert all("observed" in text for text in found if text not in told)  # cells of the table


def _texts(value):
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _texts(item)


def test_the_card_says_where_its_numbers_come_from() -> None:
    made = toy()
    page = html_figure([made], names=["scan.json"])
    for text in (made.digest, made.content_digest, "scan.json", "toy", "called from Python"):
        assert text in page
    rows = list(card_sources(made.specification.cards[0].to_dict()))
    assert ("window", "", made.specification.cards[0].to_dict()["window"]["source"]) in rows
    exposures = [row for row in rows if row[0].endswith(".exposure")]
    assert len(exposures) == len(made.specification.cards[0].bins)
    assert all(value and source for _, value, source in exposures)


def test_without_bokeh_one_line_names_the_extra(monkeypatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bokeh"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(InputError, match=r"^figures as HTML: needs bokeh.*na64-limits\[web\]'$"):
        html_figure([toy()])
