"""Figures of a fit: pulls with constraints, and correlations above a threshold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from na64.limits.figures.style import ONE_SIGMA, SCAN_COLOURS, TWO_SIGMA, drawing_style
from na64.limits.figures.typeset import plain_text
from na64.limits.inference.result import FitResult
from na64.models.errors import InputError

__all__ = [
    "correlation_figure",
    "draw_pulls",
    "fit_words",
    "inches",
    "label_rows",
    "plain",
    "pull_figure",
]

Index = NDArray[np.intp]

#: pulls beyond are drawn at the edge
_WIDEST: Final = 5.0
#: letters of a name
_LONGEST: Final = 36


def plain(name: str) -> str:
    """Return a name as it is, its middle left out if it is long: a dollar begins no formula."""
    if len(name) > _LONGEST:
        half = _LONGEST // 2
        name = f"{name[:half]}\N{HORIZONTAL ELLIPSIS}{name[1 - half :]}"
    return plain_text(name)


def inches(names: Iterable[str]) -> float:
    """Return about how wide the longest of names is at the size of labels of rows."""
    return 0.062 * max((len(plain(name)) for name in names), default=0)


def fit_words(fit: FitResult) -> str:
    """Say which data were fitted and what came out for mu."""
    data = "observed data"
    if fit.data.mu is not None:
        data = f"Asimov data, {plain(fit.names[-1])} = {fit.data.mu:g}, {fit.data.nuisances}"
    name = plain(fit.names[-1])
    if fit.mu_fixed:
        return f"{data}; {name} = {fit.mu:g} held"
    error = "" if np.isnan(fit.mu_error) else rf" $\pm$ {fit.mu_error:#.2g}"
    return f"{data}; {name} = {fit.mu:.3g}{error}" + ("" if error else " (at its bound)")


def draw_pulls(axes: Axes, fit: FitResult, parameters: Index) -> None:
    """Draw the pulls of parameters as points with their constraints, the first on top."""
    rows = np.arange(len(parameters))
    axes.axvspan(-2.0, 2.0, color=TWO_SIGMA, alpha=0.6, linewidth=0.0)
    axes.axvspan(-1.0, 1.0, color=ONE_SIGMA, alpha=0.7, linewidth=0.0)
    axes.axvline(0.0, color="#555555", linewidth=0.7, linestyle=":")
    pulls, widths = fit.pulls[parameters], fit.constraints[parameters]
    shown = np.clip(pulls, -_WIDEST, _WIDEST)
    known = ~np.isnan(widths) & ~np.isnan(pulls)
    axes.errorbar(
        shown[known], rows[known], xerr=widths[known], fmt="o", color="black", markersize=3.5
    )
    # no standard deviation: at a bound, fixed or undetermined
    bare = np.isnan(widths) & ~np.isnan(pulls)
    axes.plot(shown[bare], rows[bare], "o", color="black", markerfacecolor="white", markersize=4)
    ends = np.abs(shown) + np.nan_to_num(widths, nan=0.0)
    reach = max(2.4, min(_WIDEST + 1.0, np.max(np.nan_to_num(ends), initial=0.0)) + 0.2)
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_locator(MultipleLocator(1.0))
    axes.set_xlabel(r"$(\hat\theta-\theta_0)/\sigma_0$")


def label_rows(axes: Axes, names: list[str]) -> None:
    """Write the names of rows to the left, the first on top."""
    axes.set_yticks(np.arange(len(names)), [plain(name) for name in names], fontsize=8.0)
    axes.tick_params(axis="y", which="both", length=0)
    axes.minorticks_off()
    axes.set_ylim(len(names) - 0.4, -0.6)


def pull_figure(fit: FitResult, *, most: int = 60) -> Figure:
    """Draw the pulls and constraints of nuisance parameters, and free parameters beneath.

    Parameters
    ----------
    fit
        From `na64.limits.inference.fit.fit_workspace`.
    most
        Number of constrained parameters that are drawn; of more, those with the largest pull or
        strongest constraint.

    Raises
    ------
    InputError
        If the workspace has no parameter but one that is fixed.
    """
    constrained = np.flatnonzero(~np.isnan(fit.pulls))
    free = np.flatnonzero(np.isnan(fit.pulls))
    free = free[::-1] if not fit.mu_fixed else free[:-1][::-1]  # mu first
    if not len(constrained) and not len(free):
        raise InputError("there is no parameter to draw")
    total = len(constrained)
    if total > most:
        size = np.abs(fit.pulls) + np.abs(1.0 - np.nan_to_num(fit.constraints, nan=1.0))
        kept = constrained[np.argsort(-size[constrained], kind="stable")[:most]]
        constrained = np.sort(kept)
    rows = (len(constrained), len(free))
    with drawing_style():
        height = 1.6 + 0.19 * sum(rows) + (0.55 if all(rows) else 0.0)
        width = 4.2 + inches(fit.names[p] for p in (*constrained, *free))
        figure = Figure(figsize=(width, max(height, 2.2)), layout="constrained")
        shares = [max(n, 1.2) for n in rows if n]
        every = np.atleast_1d(figure.subplots(len(shares), 1, height_ratios=shares)).tolist()
        if len(constrained):
            axes = every.pop(0)
            draw_pulls(axes, fit, constrained)
            label_rows(axes, [fit.names[p] for p in constrained])
        if len(free):
            _draw_free(every.pop(0), fit, free)
        cut = f"\n{most} of {total} constrained parameters" if total > most else ""
        figure.suptitle(fit_words(fit) + cut, fontsize=10.5)
    return figure


def _draw_free(axes: Axes, fit: FitResult, parameters: Index) -> None:
    values, errors = fit.values[parameters], np.nan_to_num(fit.errors[parameters], nan=0.0)
    rows = np.arange(len(parameters))
    axes.axvline(1.0, color="#555555", linewidth=0.7, linestyle=":")
    axes.errorbar(values, rows, xerr=errors, fmt="s", color=SCAN_COLOURS[1], markersize=3.5)
    low, high = min((values - errors).min(), 0.0), max((values + errors).max(), 1.0)
    for row, p in enumerate(parameters.tolist()):
        state = "" if fit.states[p] == "ok" else f" ({fit.states[p].replace('-', ' ')})"
        error = "" if state else rf" $\pm$ {fit.errors[p]:#.2g}"
        axes.annotate(
            f"{fit.values[p]:.3g}{error}{state}",
            (1.0, row),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.0,
        )
    span = high - low
    axes.set_xlim(low - 0.06 * span, high + 0.06 * span)
    axes.set_xlabel("free parameters")
    label_rows(axes, [fit.names[p] for p in parameters])


def correlation_figure(fit: FitResult, *, threshold: float = 0.2, most: int = 40) -> Figure:
    """Draw the correlations of parameters that have one above a threshold.

    Parameters
    ----------
    fit
        From `na64.limits.inference.fit.fit_workspace`.
    threshold
        Parameters without a correlation of at least this size are left out, 0 to 1.
    most
        Number of parameters that are drawn; of more, those with the largest correlations.

    Raises
    ------
    InputError
        For a threshold that is not allowed, or that no correlation reaches.
    """
    if not 0.0 <= threshold <= 1.0:
        raise InputError(f"a threshold of correlations must be in 0 to 1, is {threshold:g}")
    correlations = fit.correlations
    known = ~np.isnan(fit.errors)
    off = np.where(np.outer(known, known), np.abs(correlations), 0.0)
    np.fill_diagonal(off, 0.0)
    largest = off.max(axis=1, initial=0.0)
    kept = np.flatnonzero(known & (largest >= threshold))
    if len(kept) < 2:
        raise InputError(
            f"no two parameters have a correlation of {threshold:g}; the largest is "
            f"{largest.max(initial=0.0):.2g}"
        )
    total = len(kept)
    kept = np.sort(kept[np.argsort(-largest[kept], kind="stable")[:most]])[::-1]  # mu first
    shown = correlations[np.ix_(kept, kept)]
    with drawing_style():
        size = 2.6 + 0.3 * len(kept)
        size += inches(fit.names[p] for p in kept) - 1.0
        figure = Figure(figsize=(size + 1.0, size), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(100.0 * shown, cmap="RdBu_r", vmin=-100.0, vmax=100.0)
        names = [plain(fit.names[p]) for p in kept]
        axes.set_xticks(np.arange(len(kept)), names, rotation=90, fontsize=8.0)
        axes.set_yticks(np.arange(len(kept)), names, fontsize=8.0)
        axes.tick_params(which="both", length=0)
        axes.minorticks_off()
        for i, row in enumerate(shown):
            for j, value in enumerate(row):
                if abs(value) >= 0.005:
                    colour = "white" if abs(value) > 0.6 else "black"
                    axes.text(
                        *(j, i),
                        f"{100.0 * value:.0f}",
                        ha="center",
                        va="center",
                        fontsize=7.0,
                        color=colour,
                    )
        figure.colorbar(image, ax=axes, label="correlation [%]", shrink=0.8)
        cut = f", {most} of {total} parameters" if total > most else ""
        axes.set_title(
            rf"{fit_words(fit)}"
            + "\n"
            + rf"$|\rho|\geq{threshold:g}$ with at least one other{cut}",
            fontsize=9.5,
        )
    return figure
