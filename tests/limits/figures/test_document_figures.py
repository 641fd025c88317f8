"""Figures of results that are no limits: their curves are the numbers, and mixtures are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.inspected import KINDS, document_figure
from na64.limits.figures.lines import number
from na64.limits.scanning.request import specify
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import InputError
from na64.models.inspection import decay_table
from tests.shared import toy_limit

MASSES = [0.01, 0.1, 1.0]
SECTOR = {"dark_matter": "dirac", "alpha_d": 0.1, "ratio": 3.0}
MADE: dict[str, Any] = {"provenance": {}}
DARK_PHOTON = {"model": "dark-photon", "parameter": "epsilon", "masses_gev": MASSES, **MADE}

WIDTH: dict[str, Any] = {
    "schema": "na64-limits/width/1",
    **DARK_PHOTON,
    **SECTOR,
    "coupling": 1e-4,
    "widths_gev": {"total": [1e-12, 1e-11, 1e-10]},
    "branching": {"e e": [1.0, 0.6, 0.3], "mu mu": [0.0, 0.4, 0.3], "hadrons": [0.0, 0.0, 0.4]},
    "lifetime_s": [1e-12, 1e-13, None],
}
RELIC = {
    "schema": "na64-limits/relic/1",
    **DARK_PHOTON,
    **SECTOR,
    "splitting": 0.0,
    "solved_for": "coupling",
    "method": "numeric",
    "notes": [],
    "y_definition": "y = epsilon^2 alpha_D (m_chi/m_mediator)^4",
    "coupling": [1e-5, 1e-4, None],
    "y": [1e-13, 1e-11, None],
    "omega_h2": [0.12, 0.12, None],
    "status": ["ok", "ok", "no-solution"],
}
YIELDS = {
    "schema": "na64-limits/yields/1",
    "search": "na64e-2016",
    **DARK_PHOTON,
    **SECTOR,
    "coupling": 1e-4,
    "production": "etl",
    "axes": {},
    "processes": ["emission", "annihilation"],
    "bins": ["low", "high"],
    "events_per_particle": [[[0.0, 0.0]] * 2] * 3,
    "events": [[[1.0, 2.0], [0.0, 0.0]], [[0.1, 0.2], [0.5, 0.5]], [[1e-3, 0.0], [0.0, 0.0]]],
}
CROSS_SECTION = {
    "schema": "na64-limits/cross-section/1",
    "process": "emission",
    "model": "dark-photon",
    "energy_gev": 100.0,
    "coupling": 1.0,
    "beam": "e-",
    "target": "lead",
    "unit": "pb",
    "masses_gev": MASSES,
    "cross_section": [1e10, 1e8, 1e6],
    **MADE,
}
TRACK_LENGTH = {
    "schema": "na64-limits/track-length/1",
    "beam": "e-",
    "energy_gev": 100.0,
    "target": "lead",
    "energies_gev": [1.0, 10.0, 100.0],
    "electron": [20.0, 0.3, 0.1],
    **MADE,
    "positron": [20.0, 0.2, 0.0],
    "photon": [50.0, 0.5, 1e-3],
    "thresholds_gev": [50.0],
    "above": {"electron": [1.0], "positron": [0.1], "photon": [0.5]},
}


@pytest.fixture(autouse=True)
def not_laid_out(request, monkeypatch) -> None:
    """What takes most of the time is no matter of these tests, but of the one of the command."""
    if "command" not in request.function.__name__:
        monkeypatch.setattr(Figure, "draw_without_rendering", lambda _: None)


def row(name: str, change: float | None) -> dict[str, Any]:
    return {"uncertainties": name, "observed": 1.0, "expected": 1.0, "change": change}


BREAKDOWN = {
    "schema": "na64-limits/breakdown/1",
    "measurement": "mass_gev=0.1 epsilon=1e-4 power=2",
    "parameter": "mu",
    "confidence_level": 0.9,
    "method": "exact",
    "status": "ok",
    "ensemble": None,
    "seed": None,
    "toys": None,
    **MADE,
    "limits": [
        *(row("all uncertainties", 0.0), row("without background", 0.002)),
        *(row("without efficiency", -0.03), row("without lost", None)),
        *(row("without small", 1e-5), row("no uncertainties", -0.028)),
    ],
}
COMPARISON = {
    "schema": "na64-limits/yields-comparison/1",
    "search": "na64e-2016",
    **DARK_PHOTON,
    **SECTOR,
    "coupling": 1e-4,
    "production": "etl",
    "axes": dict.fromkeys(
        ("simulated", "computed", "simulated_over_computed", "up", "down", "interpolation"),
        ["mass", "bin"],
    ),
    "bins": ["low"],
    "simulated": [[4.0], [1.2], [0.0]],
    "computed": [[2.0], [1.5], [0.0]],
    "simulated_over_computed": [[2.0], [0.8], [None]],
    "up": [[1.1], [1.3], [1.0]],
    "down": [[0.9], [0.8], [1.0]],
    "interpolation": [[1.0], [1.4], [1.0]],
}
#: drawn by itself alone
ALONE = "yields-comparison"
EVERY: dict[str, dict[str, Any]] = {
    ALONE: COMPARISON,
    "width": WIDTH,
    "relic": RELIC,
    "yields": YIELDS,
    "cross-section": CROSS_SECTION,
    "track-length": TRACK_LENGTH,
    "breakdown": BREAKDOWN,
}


def curves(panel) -> dict[str, tuple[list[float], list[float]]]:
    """The curves of a panel by their labels, without gaps."""
    found = {}
    for line in panel.get_lines():
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        seen = np.isfinite(y)
        if seen.any():
            found[line.get_label()] = (x[seen].tolist(), y[seen].tolist())
    return found


def texts(made) -> str:
    """Every heading and entry of a legend."""
    found = [panel.get_title(loc="left") for panel in made.axes]
    legends = [*made.legends, *(p.get_legend() for p in made.axes if p.get_legend())]
    for legend in legends:
        found += [legend.get_title().get_text(), *(t.get_text() for t in legend.get_texts())]
    found += [text.get_text() for panel in made.axes for text in panel.texts]
    return "\n".join(found)


def test_simulated_yields_beside_computed_ones() -> None:
    """Curves of both, their ratio where there is one, and its band of both errors together."""
    above, below = document_figure([COMPARISON], ["a"]).axes
    found = curves(above)
    assert found["simulated"] == (MASSES[:2], [4.0, 1.2])
    assert found["computed"] == (MASSES[:2], [2.0, 1.5])
    assert (MASSES[:2], [2.0, 0.8]) in curves(below).values()
    corners = below.collections[0].get_paths()[0].vertices
    edge = sorted({float(y) for x, y in corners if x == MASSES[1]})
    spread = [np.hypot(np.log(side), np.log(1.4)) for side in (0.8, 1.3)]
    assert edge == pytest.approx([0.8 * np.exp(-spread[0]), 0.8 * np.exp(spread[1])])
    with pytest.raises(InputError, match="a figure of its own"):
        document_figure([COMPARISON, COMPARISON], ["a", "b"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != ALONE])
def test_every_kind_is_drawn_with_another_of_its_kind(kind) -> None:
    """Labels at all axes; of documents that are the same, a wish or the file tells them apart."""
    one, look = EVERY[kind], Appearance(labels=("this",))
    made = document_figure([one, one], ["a.json", "b.json"], appearance=look)
    for panel in made.axes:
        assert panel.get_ylabel() or kind == "breakdown"
    assert made.axes[-1].get_xlabel()
    assert {"this", "b"} <= set(texts(made).split("\n"))


def test_widths() -> None:
    """Branching ratios without what is closed, and c tau: a picosecond is 0.0299792458 cm."""
    above, below = document_figure([WIDTH], ["a"], appearance=Appearance(mass_unit="MeV")).axes
    found = curves(above)
    assert found["$e^+e^-$"] == ([10.0, 100.0, 1000.0], [1.0, 0.6, 0.3])
    assert found[r"$\mu^+\mu^-$"] == ([100.0, 1000.0], [0.4, 0.3])
    ((masses, lengths),) = curves(below).values()
    assert masses == [10.0, 100.0]
    assert lengths == pytest.approx([0.0299792458, 0.00299792458], rel=1e-9)
    assert above.get_ylim()[0] == 1e-3
    closed = {**WIDTH, "branching": {**WIDTH["branching"], "tau tau": [0.0, 0.0, 0.0]}}
    assert "tau" not in texts(document_figure([closed], ["a"]))
    # a channel that is always rare is in the figure, too
    rare = {**WIDTH, "branching": {"dark": [1.0, 1.0, 1.0], "e e": [1e-9, 1e-9, 1e-9]}}
    assert document_figure([rare], ["a"]).axes[0].get_ylim()[0] < 1e-9


def test_yields_are_summed_over_bins() -> None:
    (panel,) = document_figure([YIELDS], ["a"]).axes
    found = curves(panel)
    assert found["all processes"] == (MASSES, pytest.approx([3.0, 1.3, 1e-3]))
    assert found["annihilation"] == ([0.1], [1.0])
    other = {**YIELDS, "search": "na64mu-2022"}
    (panel,) = document_figure([YIELDS, other], ["a", "b"]).axes
    assert set(curves(panel)) == {"NA64e 2016", r"NA64$\mu$ 2022"}


def test_relic_densities() -> None:
    """Targets of two species in y, in their colours; abundances beside the observed one."""
    scalar = {**RELIC, "dark_matter": "scalar", "y": [1e-12, 1e-10, 1e-8]}
    (panel,) = document_figure([RELIC, scalar], ["a", "b"]).axes
    found = curves(panel)
    assert found[r"Dirac $\chi$"] == (MASSES[:2], [1e-13, 1e-11])
    assert found[r"complex scalar $\chi$"] == (MASSES, [1e-12, 1e-10, 1e-8])
    abundance = {**RELIC, "solved_for": "omega_h2", "omega_h2": [1.0, 10.0, 100.0]}
    (panel,) = document_figure([abundance], ["a"]).axes
    assert curves(panel)["observed"] == ([0.01, 1.0], [0.12, 0.12])
    with pytest.raises(InputError, match="no common axes"):
        document_figure([RELIC, abundance], ["a", "b"])
    with pytest.raises(InputError, match="different quantities"):
        document_figure([RELIC, {**scalar, "y_definition": "y = other"}], ["a", "b"])


def test_cross_sections_of_two_units_are_in_one() -> None:
    """1/GeV^2 = (hbar c)^2 = 3.894e8 pb; alone they keep their unit."""
    natural = {**CROSS_SECTION, "unit": "gev-2", "beam": "mu-", "cross_section": [1.0, 0.1, 0.01]}
    (panel,) = document_figure([CROSS_SECTION, natural], ["a", "b"]).axes
    assert "pb" in panel.get_ylabel()
    one, two = curves(panel).values()
    assert one[1] == CROSS_SECTION["cross_section"]
    assert two[1] == pytest.approx([3.894e8, 3.894e7, 3.894e6], rel=1e-4)
    (panel,) = document_figure([natural], ["b"]).axes
    assert "GeV$^{-2}$" in panel.get_ylabel()
    ((_, values),) = curves(panel).values()
    assert values == [1.0, 0.1, 0.01]
    other = {**CROSS_SECTION, "process": "annihilation"}
    made = document_figure([CROSS_SECTION, other], ["a", "b"])
    assert "per nucleus" in texts(made)
    assert "per electron" in texts(made)


def test_a_breakdown_is_in_per_cent_the_largest_first() -> None:
    (panel,) = document_figure([BREAKDOWN], ["a"]).axes
    names = [label.get_text() for label in panel.get_yticklabels()]
    assert names == ["without efficiency", "no uncertainties", "without background"]
    widths = [bar.get_width() for bar in panel.patches]
    assert widths == pytest.approx([-3.0, -2.8, 0.2])
    assert "1 more change it by 0.001 % at most" in texts(panel.figure)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"a \(width\), b \(relic\)"):
        document_figure([WIDTH, RELIC], ["a", "b"])
    with pytest.raises(InputError, match="results of fit are not drawn here; drawn are relic"):
        document_figure([{"schema": "na64-limits/fit/1"}], ["a"])
    with pytest.raises(InputError, match=r"a: .*coupling"):
        document_figure([{**WIDTH, "coupling": -1.0}], ["a"])
    with pytest.raises(InputError, match="2 values at 3 places"):
        document_figure([{**CROSS_SECTION, "cross_section": [1.0, 2.0]}], ["a"])
    with pytest.raises(InputError, match="no value is above zero"):
        document_figure([{**CROSS_SECTION, "cross_section": [0.0, 0.0, 0.0]}], ["a"])
    with pytest.raises(InputError, match="events have shape"):
        document_figure([{**YIELDS, "events": [[[1.0, 2.0]]]}], ["a"])
    with pytest.raises(InputError, match="3 labels for 2 results"):
        document_figure([WIDTH, WIDTH], ["a", "b"], appearance=Appearance(labels=("1", "2", "3")))


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-4, "10^{-4}"), (0.5, "0.5"), (9.37e11, r"9.37 \times 10^{11}"), (100.0, "100"),
     (2e-3, r"2 \times 10^{-3}"), (1234.5, "1234"), (9.999e-5, "10^{-4}")],
)  # fmt: skip
def test_numbers_are_typeset(value, text) -> None:
    assert number(value) == text


def test_decay_length_of_a_visible_dark_photon() -> None:
    """c tau = 3/(alpha epsilon^2 m) over (1 + 2 r) sqrt(1 - 4 r), r = (m_e/m)^2."""
    masses = np.array([0.0015, 0.01, 0.1])
    found = decay_table("dark-photon", masses, coupling=1e-4)
    document = {
        **WIDTH,
        "masses_gev": masses.tolist(),
        "branching": {name: values.tolist() for name, values in found.branching.items()},
        "lifetime_s": found.lifetime_s.tolist(),
    }
    _, below = document_figure([document], ["w"]).axes
    ((_, drawn),) = curves(below).values()
    r = (ELECTRON_MASS_GEV / masses) ** 2
    length = 3.0 * 137.036 * 1.973269804e-14 / (1e-8 * masses)  # hbar c in GeV cm
    assert drawn == pytest.approx(length / ((1 + 2 * r) * np.sqrt(1 - 4 * r)), rel=1e-5)


def test_the_command_draws_what_others_write(call) -> None:
    """From a file or stdin; with limits, or options of limits, it is refused."""
    width = call("width", "--masses", "0.001:0.1:5", "--visible", "--json").out
    assert call("plot", "-", "-o", "w.png", stdin=width).code == 0
    assert Path("w.png").stat().st_size > 10_000
    Path("w.json").write_text(width)
    made = specify("na64e-2016", masses_gev=np.array([0.1, 0.2]))
    Path("s.json").write_text(toy_limit(made).to_json())
    done = call("plot", "w.json", "s.json", "-o", "no.png")
    assert done.code == 2
    assert "w.json (width), s.json (scan)" in done.err
    done = call("plot", "w.json", "--plane", "y", "--thermal", "scalar", "-o", "no.png")
    assert "--plane, --thermal: for figures of limits, not of width" in done.err
    assert not Path("no.png").exists()
