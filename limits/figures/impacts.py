"""Figure of a ranking: impacts of nuisance parameters beside their pulls."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from na64.limits.figures.pulls import draw_pulls, fit_words, inches, label_rows, plain
from na64.limits.figures.style import drawing_style
from na64.limits.inference.impacts import Impacts, LimitImpacts
from na64.models.errors import InputError

__all__ = ["impact_figure"]

Array = NDArray[np.float64]

#: colours of +1 and -1 standard deviations
_UP: Final = "#0072b2"
_DOWN: Final = "#e69f00"


def impact_figure(found: Impacts | LimitImpacts, *, most: int = 25) -> Figure:
    """Draw the largest impacts to the right and the pulls of the same parameters to the left.

    Parameters
    ----------
    found
        From `na64.limits.inference.impacts`.
    most
        Number of parameters that are drawn.

    Raises
    ------
    InputError
        If fewer than one parameter is to be drawn.
    """
    if most < 1:
        raise InputError(f"at least one parameter is drawn, not {most}")
    parameters = found.parameters[:most]
    rows = np.arange(len(parameters))
    mu = plain(found.fit.names[-1])
    with drawing_style():
        width = 6.2 + inches(found.fit.names[p] for p in parameters)
        figure = Figure(figsize=(width, 2.2 + 0.23 * len(rows)), layout="constrained")
        pulls, impacts = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.25))
        draw_pulls(pulls, found.fit, parameters)
        label_rows(pulls, [found.fit.names[p] for p in parameters])
        _name_free(pulls, found, parameters)
        if isinstance(found, Impacts):
            post = found.postfit[:, :most]
            outlines, words = found.prefit[:, :most], ("post-fit", "pre-fit")
            impacts.set_xlabel(rf"$\Delta\hat{{\mu}}$  ({mu})")
            marked = found.truncated[:most]
        else:
            post, outlines, words = found.impacts[:, :most], None, ("post-fit", "")
            kind = "median expected" if found.expected else "observed"
            impacts.set_xlabel(
                f"change of the {kind} limit on {mu}\n"
                f"({100 * found.confidence_level:g} % CL, {found.limit:.3g})"
            )
            marked = found.clipped[:most]
            impacts.plot(
                -found.costs[:most],
                rows,
                "D",
                color="black",
                markerfacecolor="white",
                markersize=4.5,
                zorder=4,
                label="uncertainty left out",
            )
        for side, colour, sign in ((0, _DOWN, "-"), (1, _UP, "+")):
            label = rf"$\hat\theta{sign}\hat\sigma$, {words[0]}"
            impacts.barh(rows, post[side], 0.55, color=colour, alpha=0.85, label=label)
            if outlines is not None:
                impacts.barh(
                    rows,
                    outlines[side],
                    0.8,
                    fill=False,
                    edgecolor=colour,
                    linewidth=0.9,
                    label=rf"$\hat\theta{sign}\sigma_0$, {words[1]}",
                )
        _frame(impacts, rows, marked)
        figure.legend(loc="outside lower center", ncols=4, fontsize=8.6, columnspacing=1.2)
        total = len(found.parameters)
        cut = f"\n{len(rows)} of {total} nuisance parameters" if total > len(rows) else ""
        figure.suptitle(fit_words(found.fit) + cut, fontsize=10.5)
    return figure


def _name_free(axes: Axes, found: Impacts | LimitImpacts, parameters: NDArray[np.intp]) -> None:
    """Write the values of parameters without a pull."""
    fit = found.fit
    for row, p in enumerate(parameters.tolist()):
        if np.isnan(fit.pulls[p]):
            error = "" if np.isnan(fit.errors[p]) else rf" $\pm$ {fit.errors[p]:#.2g}"
            axes.text(
                0.0, row, f"{fit.values[p]:.3g}{error}", ha="center", va="center", fontsize=8.0
            )


def _frame(axes: Axes, rows: NDArray[np.intp], marked: NDArray[np.bool_]) -> None:
    axes.axvline(0.0, color="black", linewidth=0.8)
    reach = 1.12 * max(abs(x) for x in axes.get_xlim())
    axes.set_xlim(-reach, reach)
    axes.tick_params(axis="y", which="both", length=0)
    for row in rows[marked]:
        axes.text(0.985 * reach, row, "*", ha="right", va="center", fontsize=11)
    if marked.any():
        axes.set_title("* cut short by a bound", fontsize=8.6, loc="right")
