"""``na64-limits optimise``: the cut on the calorimeter's energy with the best expected limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, json_option, output_option
from na64.limits.cli.settings import SignalCommand, SignalRequest
from na64.limits.cli.sideband import read_sideband, shape_option

if TYPE_CHECKING:
    from na64.limits.design.optimise import SearchCuts
    from na64.limits.results.tables import Table


@click.command("optimise", cls=SignalCommand, calculator=True, masses_help="One mass in GeV.")
@click.option(
    "--cuts",
    metavar="LO:HI:N",
    required=True,
    help="Largest energies in the calorimeter in GeV: log-spaced or a comma list.",
)
@click.option(
    "--sideband",
    metavar="FILE",
    help="Spectrum above the cuts, of the card's exposure, as for `background`."
    "  [default: the card's table background_spectrum]",
)
@shape_option
@click.option(
    "--background-factor",
    metavar="F",
    type=float,
    default=1.0,
    show_default=True,
    help="Multiply the background.",
)
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
@cl_option()
@json_option
@output_option("{data}, or a figure .pdf, .png, .svg")
def command(
    request: SignalRequest,
    cuts: str,
    sideband: str | None,
    shape: str | None,
    background_factor: float,
    merit: str,
    efficiency_uncertainty: float | None,
    confidence_level: float,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Expected limit against the energy cut of a missing-energy search.

    The signal of each cut is computed; the background comes from the card or a sideband.
    """
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import WRITERS

    figures = (".pdf", ".png", ".svg")
    check_outputs(outputs, force, (*WRITERS, *figures))

    from pathlib import Path

    from na64.limits.design.optimise import Background, optimise_search
    from na64.limits.scanning.grids import parse_grid
    from na64.models.errors import InputError

    if request.combine or request.shared:
        raise InputError("a cut is optimised for one search: --combine and --shared do not apply")
    if request.masses is None or len(parse_grid(request.masses)) != 1:
        raise InputError("the best cut is that of one mass: give --masses with one")
    if shape is not None and sideband is None:
        raise InputError("--shape is the form of a sideband: give --sideband with it")
    if sideband == "-" == request.search:
        raise InputError("stdin ('-') is given twice")
    spectrum = None if sideband is None else read_sideband(sideband).spectrum(shape)
    with the_console().progress("card") as progress:
        found = optimise_search(
            request.specify(confidence_level=confidence_level),
            parse_grid(cuts, "cuts"),
            background=Background(spectrum, background_factor),
            efficiency_uncertainty=efficiency_uncertainty,
            merit=merit,
            tables=request.tables,
            progress=progress,
        )
    drawn: dict[str, bytes] = {}
    if any(Path(name).suffix in figures for name in outputs):
        from na64.limits.figures.cuts import cut_figure
        from na64.limits.figures.style import figure_bytes

        figure = cut_figure(found)
        names = (name for name in outputs if Path(name).suffix in figures)
        drawn = {name: figure_bytes(figure, name) for name in names}
    document, table = _document(found)
    emit(
        document,
        table,
        as_json=as_json,
        outputs=tuple(name for name in outputs if name not in drawn),
        force=force,
        facts={"digest": found.specification.digest},
        others=drawn,
    )
    if not found.scan.interior:
        the_console().warning("the best cut is at the end of the range: give a wider one")


def _document(found: SearchCuts) -> tuple[dict[str, Any], Table]:
    from na64.limits.results.tables import Table

    scan, made = found.scan, found.specification
    parameter = made.mediator.parameter
    document: dict[str, Any] = {
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
    }
    columns = ("cut [GeV]", "background", "limit [events]", f"{parameter} expected", "best")
    rows = [
        (*row, "*" if index == scan.best else "")
        for index, row in enumerate(
            zip(
                scan.cuts.tolist(),
                scan.background.tolist(),
                scan.events.tolist(),
                found.couplings.tolist(),
                strict=True,
            )
        )
    ]
    return document, Table(columns, rows)
