"""``na64-limits optimise``: the cut on the calorimeter's energy with the best expected limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import calculator_options, cl_option, json_option, output_option
from na64.limits.cli.sideband import read_sideband, shape_option
from na64.limits.cli.signal_options import SignalRequest, signal_options

if TYPE_CHECKING:
    from na64.limits.calculators.protocol import Calculator
    from na64.limits.cli.output import Table
    from na64.limits.design.optimise import SearchCuts


@click.command("optimise", cls=Command)
@signal_options("One mass in GeV.")
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
@calculator_options(parallel=False)
@json_option
@output_option(".json, .csv, or a figure .pdf, .png, .svg")
def command(
    request: SignalRequest,
    cuts: str,
    sideband: str | None,
    shape: str | None,
    background_factor: float,
    merit: str,
    efficiency_uncertainty: float | None,
    confidence_level: float,
    calculator: Calculator,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Expected limit against the energy cut of a missing-energy search.

    The signal of each cut is computed; the background comes from the card or a sideband.
    """
    from na64.limits.cli.output import DATA_SUFFIXES, check_outputs, emit

    figures = (".pdf", ".png", ".svg")
    check_outputs(outputs, force, (*DATA_SUFFIXES, *figures))

    from pathlib import Path

    from na64.limits.cli.inputs import read_card, read_model
    from na64.limits.design.optimise import check_cuts, optimise_search
    from na64.limits.scanning.grids import parse_grid
    from na64.models.errors import InputError
    from na64.workspaces.io.cache import TableCache

    if request.combine or request.shared:
        raise InputError("a cut is optimised for one search: --combine and --shared do not apply")
    if request.masses is None or len(masses := parse_grid(request.masses)) != 1:
        raise InputError("the best cut is that of one mass: give --masses with one")
    if shape is not None and sideband is None:
        raise InputError("--shape is the form of a sideband: give --sideband with it")
    if sideband == "-" == request.search:
        raise InputError("stdin ('-') is given twice")
    card = read_card(request.search, request.overrides)
    energies = check_cuts(card, parse_grid(cuts, "cuts"))
    spectrum = None if sideband is None else read_sideband(sideband).spectrum(shape)
    with the_console().progress("card") as progress:
        found = optimise_search(
            card,
            energies,
            mass_gev=float(masses[0]),
            sideband=spectrum,
            background_factor=background_factor,
            efficiency_uncertainty=efficiency_uncertainty,
            confidence_level=confidence_level,
            merit=merit,
            calculator=calculator,
            model=read_model(request.model, request.charges),
            settings=request.settings,
            tables=TableCache(enabled=request.use_cache),
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
        facts={"card_digest": found.digest},
        others=drawn,
    )
    if not found.scan.interior:
        the_console().warning("the best cut is at the end of the range: give a wider one")


def _document(found: SearchCuts) -> tuple[dict[str, Any], Table]:
    from na64.limits.cli.output import Table

    scan = found.scan
    document: dict[str, Any] = {
        "schema": "na64-limits/optimise/1",
        "search": found.search,
        "model": found.model,
        "parameter": found.parameter,
        "mass_gev": found.mass_gev,
        "confidence_level": scan.confidence_level,
        "method": scan.calculator.name,
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
    columns = ("cut [GeV]", "background", "limit [events]", f"{found.parameter} expected", "best")
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
