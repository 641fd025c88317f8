"""Figure of the expected limit against the cut, with the events that pass."""

from __future__ import annotations

from matplotlib.figure import Figure

from na64.limits.design.optimise import SearchCuts
from na64.limits.figures.style import SCAN_COLOURS, drawing_style
from na64.limits.results.axes import coupling_axis, tex

__all__ = ["cut_figure"]


def cut_figure(found: SearchCuts) -> Figure:
    """Draw the expected limit on the coupling, and signal and background, against the cut.

    Parameters
    ----------
    found
        From `na64.limits.design.optimise.optimise_search`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    scan, made = found.scan, found.specification
    axis = coupling_axis(made.mediator.parameter)
    black, blue, orange = SCAN_COLOURS[:3]
    with drawing_style():
        figure = Figure(figsize=(5.8, 5.8), layout="constrained")
        limit, events = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        mass = f"${tex(made.mass_parameter)}$ = {made.masses_gev[0]:.3g} GeV"
        limit.plot(scan.cuts, found.couplings, "o-", color=black, markersize=3.5, label=mass)
        edge = "" if scan.interior else ", at the end of the range"
        best = f"best cut: {scan.best_cut:.3g} GeV{edge}"
        for axes in (limit, events):
            axes.axvline(
                scan.best_cut, color=orange, linestyle="--", label=best if axes is limit else None
            )
        limit.set_ylabel(
            f"{scan.merit} expected limit on {axis.label} ({100 * scan.confidence_level:g} % CL)",
            fontsize=11,
        )
        limit.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
        limit.legend()
        reference = found.couplings[scan.best]
        digits, exponent = f"{reference:.2e}".split("e")
        events.semilogy(
            scan.cuts,
            scan.signal * reference**found.power,
            color=blue,
            label=rf"signal at ${axis.tex} = {digits}\times 10^{{{int(exponent)}}}$",
        )
        positive = scan.background > 0.0
        if positive.any():
            events.semilogy(
                scan.cuts[positive],
                scan.background[positive],
                color=orange,
                linestyle="-.",
                label="background",
            )
        events.set_ylabel("expected events")
        events.set_xlabel(r"cut on $E_\mathrm{ECAL}$ [GeV]")
        events.legend()
        figure.suptitle(made.title, fontsize=10.5)
    return figure
