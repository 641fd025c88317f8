"""``na64-limits optimise``: the cut on the calorimeter's energy with the best expected limit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, number_option
from na64.limits.cli.report import Report, reporting_with_figure, tabled
from na64.limits.cli.settings import SignalCommand, SignalRequest
from na64.limits.cli.sideband import read_sideband, shape_option

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from na64.limits.design.optimise import SearchCuts


@click.command(
    "optimise",
    cls=SignalCommand,
    calculator=True,
    masses_help="One mass in GeV.  [default: the middle of the card's range]",
)
@click.option(
    "--cuts",
    metavar="LO:HI:N",
    help="Largest energies in the calorimeter in GeV: log-spaced or a comma list."
    "  [default: 17 over the card's table background_spectrum]",
)
@click.option(
    "--sideband",
    metavar="FILE",
    help="Spectrum above the cuts, of the card's exposure, as for `background`."
    "  [default: the card's table background_spectrum]",
)
@shape_option
@number_option("--background-factor", metavar="F", default=1.0, help="Multiply the background.")
@click.option(
    "--merit",
    metavar="NAME",
    default="mean",
    show_default=True,
    help="Expected limit: mean or median of experiments without signal.",
)
@click.option(
    "--efficiency-uncertainty",
    metavar="U",
    type=float,
    help="Relative uncertainty of the signal.  [default: that of the card]",
)
@cl_option
@reporting_with_figure()
def command(
    request: SignalRequest,
    cuts: str | None,
    sideband: str | None,
    shape: str | None,
    background_factor: float,
    merit: str,
    efficiency_uncertainty: float | None,
    confidence_level: float,
) -> Report:
    """Expected limit against the energy cut of a missing-energy search.

    The signal of each cut is computed; the background comes from the card or a sideband.
    """
    import numpy as np

    from na64.limits.design.optimise import Background, optimise_search, usual_cuts, usual_mass
    from na64.limits.scanning.grids import parse_grid
    from na64.models.errors import InputError

    if request.combine or request.shared:
        raise InputError("a cut is optimised for one search: --combine and --shared do not apply")
    if request.masses is not None and len(parse_grid(request.masses)) != 1:
        raise InputError("the best cut is that of one mass: give --masses with one")
    if shape is not None and sideband is None:
        raise InputError("--shape is the form of a sideband: give --sideband with it")
    if cuts is None and sideband is not None:
        raise InputError("a sideband does not say where to cut: give --cuts with it")
    if sideband == "-" == request.search:
        raise InputError("stdin ('-') is given twice")
    spectrum = None if sideband is None else read_sideband(sideband).spectrum(shape)
    with the_console().progress("card") as progress:
        made = request.specify(confidence_level=confidence_level)
        if request.masses is None:
            made = replace(made, masses_gev=np.array([usual_mass(made.cards[0])]))
        found = optimise_search(
            made,
            usual_cuts(made.cards[0]) if cuts is None else parse_grid(cuts, "cuts"),
            background=Background(spectrum, background_factor),
            efficiency_uncertainty=efficiency_uncertainty,
            merit=merit,
            tables=request.tables,
            progress=progress,
        )
    return _report(found)


def _report(found: SearchCuts) -> Report:
    from na64.limits.cli.output import projection_notes
    from na64.limits.results.tables import Table

    def drawn() -> Figure:
        from na64.limits.figures.cuts import cut_figure

        return cut_figure(found)

    scan, made = found.scan, found.specification
    parameter = made.mediator.parameter
    document = {
        "schema": "na64-limits/optimise/1",
        "search": made.search,
        "model": made.mediator.name,
        "parameter": parameter,
        "mass_gev": float(made.masses_gev[0]),
        "confidence_level": made.confidence_level,
        "method": made.calculator.name,
        "merit": scan.merit,
        "background_source": found.background_source,
        "background_factor": found.background_factor,
        "efficiency_uncertainty": found.efficiency_uncertainty,
        "cuts_gev": scan.cuts,
        "signal": scan.signal,
        "background": scan.background,
        "background_uncertainty": found.background_uncertainty,
        "expected_events": scan.events,
        "expected": found.couplings,
        "best_cut_gev": scan.best_cut,
        "interior": scan.interior,
        "flat_gev": found.flat_gev,
    }
    columns = ("cut [GeV]", "background", "limit [events]", f"{parameter} expected", "best")
    numbers = (scan.cuts, scan.background, scan.events, found.couplings)
    best = ["*" if index == scan.best else "" for index in range(len(scan.cuts))]
    rows = list(zip(*(values.tolist() for values in numbers), best, strict=True))
    low, high = found.flat_gev
    flat = f"\n\nbest cut {scan.best_cut:g} GeV; within 1 % of its limit: {low:g} to {high:g} GeV"
    end = "the best cut is at the end of the range: give a wider one"
    return tabled(
        document,
        Table(columns, rows),
        facts={"digest": made.digest},
        figure=drawn,
        after=flat,
        warnings=[] if scan.interior else [end],
        notes=projection_notes(made.cards),
    )
