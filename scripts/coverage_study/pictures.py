"""The figures of docs/coverage.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from scripts.coverage_study.experiments import LEVEL, METHODS, Experiment
from scripts.coverage_study.page import Known, value
from scripts.coverage_study.plan import BACKGROUNDS, STRENGTHS, UNCERTAINTIES, Task
from scripts.coverage_study.sums import HIGHEST, coverage_of

#: colour, line and marker of each method
_STYLE: Final = {
    "exact": ("C0", "-", "o"),
    "toys, aux-fixed": ("C9", "-", "v"),
    "toys, aux-fluctuated": ("C2", "--", "^"),
    "asymptotic": ("C3", "-.", "s"),
    "feldman-cousins": ("C4", "-", "D"),
    "bayesian": ("C1", "--", "P"),
}
#: toys with fixed auxiliary data are the exact method with noise: not drawn as a curve
_CURVES: Final = tuple(name for name in METHODS if name != "toys, aux-fixed")


def draw_fixed(known: Known, path: Path) -> None:
    """Draw the coverage of one bin against the signal, auxiliary data fixed: sums, no noise."""
    backgrounds = BACKGROUNDS[1]
    figure, grid = plt.subplots(
        len(UNCERTAINTIES),
        len(backgrounds),
        figsize=(10.5, 8.4),
        sharex=True,
        sharey=True,
        constrained_layout=True,
    )
    mu = np.linspace(0.0, HIGHEST, 2001)[1:]
    for row, u in zip(grid, UNCERTAINTIES, strict=True):
        for axes, b in zip(row, backgrounds, strict=True):
            e = Experiment(1, u, b)
            for name in _CURVES:
                edges = known.get(Task(False, e, name, 0.0, "intervals").key)
                if edges is None:
                    continue
                curve = coverage_of(e, edges, mu, two_sided=METHODS[name].two_sided)
                colour, line, _ = _STYLE[name]
                axes.plot(mu, curve, line, color=colour, linewidth=1.2, label=name)
            _frame(axes, e, (0.0, HIGHEST), (0.73, 1.01))
    _legend(figure, grid)
    figure.supxlabel("true signal events")
    figure.supylabel("coverage of 90 % CL intervals, auxiliary data fixed")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_thrown(known: Known, path: Path) -> None:
    """Draw the coverage with auxiliary data thrown, one bin and three, with binomial errors."""
    columns = [(bins, b) for bins in (1, 3) for b in BACKGROUNDS[3]]
    figure, grid = plt.subplots(
        2, len(columns), figsize=(12.0, 6.4), sharex=True, sharey=True, constrained_layout=True
    )
    for row, u in zip(grid, UNCERTAINTIES[1:], strict=True):
        for axes, (bins, b) in zip(row, columns, strict=True):
            e = Experiment(bins, u, b)
            for i, name in enumerate(METHODS):
                found = [value(known, Task(True, e, name, mu, "")) for mu in STRENGTHS]
                points = [(mu, *v) for mu, v in zip(STRENGTHS, found, strict=True) if v]
                if not points:
                    continue
                mu, height, error = np.array(points).T
                colour, _, marker = _STYLE[name]
                axes.errorbar(
                    mu + 0.09 * (i - 2.5),  # beside one another
                    height,
                    error,
                    fmt=marker,
                    markersize=4.0,
                    linestyle=":",
                    linewidth=0.8,
                    color=colour,
                    label=name,
                )
            if not axes.has_data():
                axes.text(4.5, 0.95, "not computed", ha="center", color="gray")
            _frame(axes, e, (0.4, 8.6), (0.81, 1.015))
    _legend(figure, grid)
    figure.supxlabel("true signal events")
    figure.supylabel("coverage of 90 % CL intervals, auxiliary data thrown")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _frame(axes: Axes, e: Experiment, x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.axhline(LEVEL, color="black", linewidth=0.8)
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    bins = "one bin" if e.bins == 1 else "three bins"
    axes.set_title(f"{bins}, b = {e.background:g}, u = {100 * e.uncertainty:g} %", fontsize=10)


def _legend(figure: Figure, grid: NDArray[np.object_]) -> None:
    known: dict[str, Artist] = {}
    for axes in grid.ravel():
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            known.setdefault(label, handle)
    names = [name for name in METHODS if name in known]
    figure.legend(
        [known[name] for name in names],
        names,
        loc="outside upper center",
        ncols=len(names),
        fontsize=9,
        frameon=False,
    )
