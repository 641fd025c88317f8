"""Figures of what a fit expects and what was seen: stacked yields, goodness of fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray
from scipy import special, stats

from na64.limits.figures.pulls import fit_words, inches, plain
from na64.limits.figures.style import SCAN_COLOURS, drawing_style
from na64.limits.inference.goodness import Goodness
from na64.limits.inference.prepost import PrePost
from na64.models.errors import unknown_name

__all__ = ["STAGES", "goodness_figure", "yield_figure"]

Array = NDArray[np.float64]

#: which yields are stacked
STAGES: Final = ("post-fit", "pre-fit")
#: fills of samples; signals are red
_FILLS: Final = (
    "#8fb8de",
    "#f0c987",
    "#a5d0a8",
    "#c9b1d9",
    "#d9d9d9",
    "#8d9fb0",
    "#e0a899",
    "#bcbd6b",
)
_SIGNALS: Final = ("#c1121f", "#e2725b", "#8c1c13")
#: bins of a channel up to which they have numbers
_NUMBERED: Final = 10


def yield_figure(
    found: PrePost, *, stage: str = STAGES[0], channels: Sequence[str] = (), most: int = 8
) -> Figure:
    """Draw the yields of samples as stacked bars with the data, and their ratio beneath.

    Parameters
    ----------
    found
        From `na64.limits.inference.prepost.pre_and_post_fit`.
    stage
        ``post-fit`` or ``pre-fit``; the total of the other is a dashed line.
    channels
        Names of those that are drawn; all by default.
    most
        Number of background samples with a colour of their own; the smallest others are one.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if stage not in STAGES:
        raise unknown_name("stage", stage, STAGES)
    for name in channels:
        if name not in found.channels:
            raise unknown_name("channel", name, found.channels)
    wanted = [c for c in found.channels if not channels or c in channels]
    bins = np.array([i for i, (c, _) in enumerate(found.bins) if c in wanted], dtype=np.intp)
    here, other = (found.after, found.before)[:: 1 if stage == STAGES[0] else -1]
    x = np.arange(len(bins), dtype=np.float64)
    edges = np.arange(len(bins) + 1) - 0.5
    with drawing_style():
        width = min(max(6.0, 2.6 + 0.42 * len(bins)), 16.0)
        figure = Figure(figsize=(width, 6.2), layout="constrained")
        main, ratio = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        floor = _stack(main, found, here.samples[:, bins], x, most)
        total, error = here.totals[bins], here.total_errors[bins]
        _hatch(main, x, total, error, "uncertainty")
        main.stairs(
            np.maximum(other.totals[bins], floor),
            edges,
            color="#444444",
            linestyle="--",
            linewidth=1.0,
            label=f"{STAGES[1] if stage == STAGES[0] else STAGES[0]} total",
            baseline=None,
        )
        seen = found.observed[bins]
        low, high = _counting_errors(seen)
        label = "data" if found.fit.data.mu is None else "Asimov data"
        main.errorbar(
            *(x, np.where(seen > 0.0, seen, np.nan)),
            yerr=np.stack([low, high]),
            fmt="o",
            color="black",
            markersize=4,
            label=label,
            zorder=5,
        )
        # where nothing was seen a logarithmic axis has the end of the interval alone
        empty = seen == 0.0
        main.vlines(x[empty], floor, high[empty], color="black")
        main.plot(x[empty], high[empty], "_", color="black", markersize=6, zorder=5)
        main.set_yscale("log")
        top = max(float(np.max(total + error)), float(np.max(seen + high)))
        main.set_ylim(floor, floor * (top / floor) ** 1.05)
        main.set_ylabel("events")
        columns = max(int(width / 2.1), 2)
        title = f"{stage}, {fit_words(found.fit)}"
        if stage == STAGES[1]:
            title = f"pre-fit, {plain(found.fit.names[-1])} = {found.before.mu:g}"
        figure.legend(
            loc="outside upper center",
            ncols=columns,
            fontsize=8.4,
            columnspacing=1.2,
            title=title,
            title_fontsize=10.5,
        )
        _ratio(ratio, x, (seen, low, high), (total, error))
        _name_channels(main, ratio, [found.bins[i][0] for i in bins], width)
        _number_bins(ratio, [found.bins[i] for i in bins])
    return figure


def _stack(axes: Axes, found: PrePost, yields: Array, x: Array, most: int) -> float:
    """Draw the samples, the smallest below, and return where the axis begins."""
    totals = yields.sum(axis=1)
    is_signal = np.array([name in found.signals for name in found.samples])
    order = [s for s in np.argsort(totals, kind="stable") if not is_signal[s] and totals[s] != 0.0]
    groups: list[tuple[str, Array]] = []
    if len(order) > most:
        small, order = order[: len(order) - most + 1], order[len(order) - most + 1 :]
        groups.append((f"{len(small)} others", yields[small].sum(axis=0)))
    groups += [(found.samples[s], yields[s]) for s in order]
    signals = [(found.samples[s], yields[s]) for s in np.flatnonzero(is_signal & (totals != 0.0))]
    bottom = np.zeros(yields.shape[1])
    positive = yields.sum(axis=0)
    positive = positive[positive > 0.0]
    floor = 0.05 * float(positive.min()) if len(positive) else 0.01
    floor = min(floor, 0.3)
    for number, (name, values) in enumerate([*groups, *signals]):
        first = number - len(groups)
        colour = _FILLS[number % len(_FILLS)] if first < 0 else _SIGNALS[first % len(_SIGNALS)]
        axes.bar(
            *(x, values),
            width=1.0,
            bottom=bottom,
            color=colour,
            edgecolor="#333333",
            linewidth=0.5,
            label=plain(name),
        )
        bottom = bottom + values
    return floor


def _hatch(axes: Axes, x: Array, total: Array, error: Array, label: str) -> None:
    axes.bar(
        *(x, 2.0 * error),
        width=1.0,
        bottom=total - error,
        fill=False,
        hatch="/////",
        edgecolor="#555555",
        linewidth=0.0,
        label=label,
        zorder=3,
    )


def _counting_errors(counts: Array) -> tuple[Array, Array]:
    """Return the distances to the ends of central 68.27 % Poisson intervals (Garwood)."""
    tail = float(special.ndtr(-1.0))
    low = np.where(counts > 0.0, special.gammaincinv(np.maximum(counts, 1e-300), tail), 0.0)
    high = special.gammainccinv(counts + 1.0, tail)
    return counts - low, high - counts


def _ratio(
    axes: Axes, x: Array, seen: tuple[Array, Array, Array], expected: tuple[Array, Array]
) -> None:
    counts, low, high = seen
    total, error = expected
    safe = np.where(total > 0.0, total, np.nan)
    _hatch(axes, x, np.ones(len(x)), error / safe, "")
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.errorbar(
        *(x, counts / safe),
        yerr=np.stack([low, high]) / safe,
        fmt="o",
        color="black",
        markersize=4,
        zorder=5,
    )
    reach = np.nanmax(np.abs(np.append(counts / safe, 1.0 + error / safe) - 1.0), initial=0.0)
    reach = min(max(1.3 * reach, 0.25), 1.0)
    axes.set_ylim(1.0 - 1.1 * reach, 1.0 + 1.2 * reach)
    axes.set_ylabel("data / total", fontsize=11)


def _name_channels(main: Axes, ratio: Axes, owners: Sequence[str], width: float) -> None:
    """Draw lines between channels, one owner per bin, and write their names beneath."""
    starts = [i for i, name in enumerate(owners) if i == 0 or owners[i - 1] != name]
    ends = [*starts[1:], len(owners)]
    for axes in (main, ratio):
        for first in starts[1:]:
            axes.axvline(first - 0.5, color="#777777", linewidth=0.7, linestyle=":")
        axes.tick_params(axis="x", which="both", length=0)
        axes.xaxis.set_minor_locator(NullLocator())
    middles = [0.5 * (first + end - 1) for first, end in zip(starts, ends, strict=True)]
    names = [plain(owners[first]) for first in starts]
    # inches of a name against inches of its bins
    room = 0.8 * width / len(owners)
    long = any(
        inches([name]) > room * (end - first)
        for name, first, end in zip(names, starts, ends, strict=True)
    )
    ratio.set_xticks(
        middles,
        names,
        rotation=35 if long else 0,
        ha="right" if long else "center",
        rotation_mode="anchor",
        fontsize=8.4,
    )
    ratio.set_xlim(-0.5, len(owners) - 0.5)


def _number_bins(axes: Axes, bins: Sequence[tuple[str, int]]) -> None:
    """Write the numbers of bins between the axis and the names of channels that have several."""
    most = max((index for _, index in bins), default=0)
    if not 0 < most < _NUMBERED:
        return
    several = {channel for channel, index in bins if index > 0}
    numbers = [str(index + 1) if channel in several else "" for channel, index in bins]
    axes.xaxis.remove_overlapping_locs = False  # the middle of a channel may be that of a bin
    axes.set_xticks(range(len(bins)), numbers, minor=True, fontsize=7.5, color="#444444")
    axes.tick_params(axis="x", which="major", pad=15)
    axes.set_xlabel("bin of the channel, and channel", fontsize=11)


def goodness_figure(found: Goodness) -> Figure:
    """Draw q with its expected distribution, and what each channel contributes.

    Parameters
    ----------
    found
        From `na64.limits.inference.goodness.goodness_of_fit`.
    """
    freedom, toys = found.degrees_of_freedom, found.toys
    names = [*found.channels, "constraints"]
    values = [*found.channels.values(), found.constraints]
    with drawing_style():
        height = max(3.4, 1.4 + 0.24 * len(names))
        figure = Figure(figsize=(8.4, height), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
        reach = [found.statistic * 1.25, stats.chi2.ppf(0.9995, max(freedom, 1))]
        if toys is not None and len(toys.values):
            reach.append(float(np.quantile(toys.values, 0.999)))
        x = np.linspace(0.0, max(reach), 400)
        if toys is not None and len(toys.values):
            left.hist(
                toys.values,
                bins=np.linspace(0.0, x[-1], 41).tolist(),
                density=True,
                color="#c9d8e8",
                edgecolor="#6b8cae",
                linewidth=0.6,
                label=f"{len(toys.values)} toys: p = {toys.p_value:.3g} $\\pm$ {toys.error:.1g}",
            )
        if freedom:
            left.plot(
                *(x[1:], stats.chi2.pdf(x[1:], freedom)),
                color=SCAN_COLOURS[2],
                label=rf"$\chi^2$, {freedom} d.o.f.: p = {found.p_value:.3g}",
            )
            density = stats.chi2.pdf(x[4:], freedom).max()
            left.set_ylim(0.0, 1.5 * max(float(density), left.dataLim.y1 if toys else 0.0))
        left.axvline(found.statistic, color="black", label=f"data: q = {found.statistic:.3g}")
        left.set_xlim(0.0, x[-1])
        left.set_xlabel(r"$q=-2\ln(L/L_\mathrm{saturated})$")
        left.set_ylabel("probability density")
        left.legend(fontsize=8.8)
        rows = np.arange(len(names))
        right.barh(rows, values, 0.6, color=["#8fb8de"] * len(found.channels) + ["#d9d9d9"])
        right.set_yticks(rows, [plain(name) for name in names], fontsize=8.4)
        right.tick_params(axis="y", which="both", length=0)
        right.set_ylim(len(names) - 0.4, -0.6)
        right.set_xlabel("contribution to q")
        figure.suptitle(fit_words(found.fit), fontsize=10.5)
    return figure
