"""Figures against the signal strength: CLs with its bands, the likelihood with intervals."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from na64.limits.calculators.profile import LikelihoodInterval, LikelihoodScan
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.table import ClsTable, LimitTable
from na64.limits.figures.style import (
    MEDIAN,
    ONE_SIGMA,
    SCAN_COLOURS,
    TWO_SIGMA,
    drawing_style,
)
from na64.limits.figures.typeset import plain_text

__all__ = ["cls_figure", "likelihood_figure"]

_MEDIAN = BAND_ORDER.index(0)
#: what is compared with 1 - CL, where it is not CLs
_NAMES = {"feldman-cousins": "$p$-value", "bayesian": "posterior probability of more signal"}


def cls_figure(table: ClsTable, limits: LimitTable, parameter: str = "mu") -> Figure:
    """Draw CLs against the signal strength, observed and expected, with the limits marked.

    Parameters
    ----------
    table
        Observed and expected values of one signal, shape (N, 1).
    limits
        Its limits with the same calculator.
    parameter
        Name of the signal strength.
    """
    mu, observed = table.mu[:, 0], table.observed[:, 0]
    expected = np.asarray(table.expected)[:, :, 0]
    alpha = 1.0 - limits.confidence_level
    if not table.calculator.two_sided:  # no signal at all is never excluded from above
        mu = np.concatenate([[0.0], mu])
        observed = np.concatenate([[1.0], observed])
        expected = np.concatenate([np.ones((len(expected), 1)), expected], axis=1)
    with drawing_style():
        figure = Figure(figsize=(5.8, 4.4), layout="constrained")
        axes = figure.subplots()
        axes.fill_between(
            mu, expected[0], expected[4], color=TWO_SIGMA, lw=0.0, label=r"expected $\pm 2\sigma$"
        )
        axes.fill_between(
            mu, expected[1], expected[3], color=ONE_SIGMA, lw=0.0, label=r"expected $\pm 1\sigma$"
        )
        axes.plot(mu, expected[_MEDIAN], "--", color=MEDIAN, label="expected median")
        if np.isfinite(observed[1:]).any():  # there are data
            axes.plot(mu, observed, color=SCAN_COLOURS[0], label="observed")
        red = SCAN_COLOURS[2]
        axes.axhline(alpha, color=red, lw=1.0)
        axes.text(
            0.985,
            alpha + 0.012,
            f"{100.0 * limits.confidence_level:g} % CL",
            color=red,
            ha="right",
            va="bottom",
            fontsize=9.5,
            transform=axes.get_yaxis_transform(),
        )
        _mark(axes, float(limits.observed[0]), alpha, SCAN_COLOURS[0], "observed limit")
        _mark(axes, float(limits.expected[_MEDIAN, 0]), alpha, MEDIAN, "median limit")
        if math.isfinite(lower := float(limits.lower[0])) and lower > 0.0:
            _mark(axes, lower, alpha, SCAN_COLOURS[0], "observed lower edge")
        axes.set_xlim(0.0, mu[-1])
        axes.set_ylim(0.0, 1.04)
        axes.set_xlabel(_strength(parameter))
        axes.set_ylabel(_NAMES.get(table.calculator.name, r"CL$_s$"))
        axes.legend(title=f"method: {_method(table)}", fontsize=9.0)
    return figure


def _method(table: ClsTable) -> str:
    """Name the method, and what it was where it had the choice."""
    used = dict.fromkeys(name for name in table.used if name)
    return f"{table.calculator.name} ({', '.join(used)})" if used else table.calculator.name


def _mark(axes: Axes, at: float, alpha: float, colour: str, words: str) -> None:
    """Mark a limit by a point on the line of the level and a line down to the axis."""
    if math.isfinite(at):
        axes.plot([at, at], [0.0, alpha], ":", color=colour, lw=1.1)
        label = f"{words}: {at:.3g}"
        axes.plot([at], [alpha], "o", color=colour, markersize=4.0, label=label)


def likelihood_figure(scan: LikelihoodScan, parameter: str = "mu") -> Figure:
    """Draw the profile of the likelihood with its two-sided intervals.

    Parameters
    ----------
    scan
        From `na64.limits.calculators.profile.likelihood_scan`.
    parameter
        Name of the signal strength.
    """
    two_sided = [found for found in scan.intervals if found.kind == "two-sided"]
    two_sided.sort(key=lambda found: found.threshold)
    with drawing_style():
        figure = Figure(figsize=(5.8, 4.9), layout="constrained")
        axes = figure.subplots()
        axes.plot(scan.mu, scan.rise, color=SCAN_COLOURS[0], label="profile")
        for found, colour in zip(two_sided, _colours(len(two_sided)), strict=True):
            _draw_interval(axes, found, colour, float(scan.mu[-1]))
        axes.plot(
            [scan.best_fit],
            [0.0],
            "o",
            color=SCAN_COLOURS[0],
            markersize=4.5,
            clip_on=False,
            label=f"best fit: {scan.best_fit:.3g}",
            zorder=5,
        )
        top = 1.25 * max(found.threshold for found in two_sided)
        axes.set_xlim(scan.mu[0], scan.mu[-1])
        axes.set_ylim(0.0, top)
        axes.set_xlabel(_strength(parameter))
        axes.set_ylabel(rf"$-2\,\Delta\ln L$, best {_strength(parameter)} $\geq 0$")
        figure.legend(loc="outside upper left", ncols=2, fontsize=9.0)
    return figure


def _colours(n: int) -> list[str]:
    some = SCAN_COLOURS[1:]
    return [some[i % len(some)] for i in range(n)]


def _draw_interval(axes: Axes, found: LikelihoodInterval, colour: str, end: float) -> None:
    """Draw the threshold across the allowed strengths, and their edges down to the axis."""
    words = " or ".join(
        f"[{low:.3g}, {'∞' if high is None else f'{high:.3g}'}]" for low, high in found.allowed
    )
    label = f"{100.0 * found.confidence_level:g} %: {words}"
    for low, high in found.allowed:
        last = end if high is None else high
        axes.plot([low, last], [found.threshold] * 2, color=colour, lw=1.2, label=label)
        label = "_"
        for edge in (low, high):
            if edge is not None and edge > 0.0:
                axes.plot([edge] * 2, [0.0, found.threshold], ":", color=colour, lw=1.1)


def _strength(parameter: str) -> str:
    """Write the name of a signal strength; mathematics has no meaning in other names."""
    return r"$\mu$" if parameter == "mu" else plain_text(parameter)
