"""``na64-limits yields``: the signal that a search expects."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import json_option, output_option
from na64.limits.cli.settings import SignalCommand, SignalRequest


@click.command("yields", cls=SignalCommand)
@click.option(
    "--epsilon",
    "--coupling",
    "coupling",
    metavar="G",
    type=float,
    default=1.0,
    show_default=True,
    help="Free coupling of the model.",
)
@json_option
@output_option()
def command(
    request: SignalRequest,
    coupling: float,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Expected signal events by mass, process and bin.

    Per particle on target before any efficiency, and after exposure and efficiency.
    """
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import Table

    check_outputs(outputs, force)

    from na64.limits.scanning.signal import expected_signal
    from na64.models.mediators.coupling import check_coupling

    check_coupling(coupling)
    with the_console().progress("card") as progress:
        made = request.specify()
        signal = expected_signal(made, tables=request.tables, progress=progress)
    per_particle = signal.per_particle(coupling)
    accepted = signal.at_coupling(coupling)
    rates, sector = signal.rates, made.dark_sector
    document = {
        "schema": "na64-limits/yields/1",
        "search": made.search,
        "model": rates.mediator,
        "parameter": rates.parameter,
        "coupling": coupling,
        "production": made.settings.production,
        "alpha_d": None if sector is None else sector.alpha_d,
        "ratio": None if sector is None else sector.ratio,
        "dark_matter": None if sector is None else sector.species.value,
        "masses_gev": rates.masses_gev,
        "processes": list(rates.processes),
        "bins": list(signal.bins),
        "axes": {
            "events_per_particle": ["mass", "process", "bin"],
            "events": ["mass", "process", "bin"],
        },
        "events_per_particle": per_particle,
        "events": accepted,
    }
    if outputs:
        columns: tuple[str, ...] = (
            "mass_gev",
            "process",
            "bin",
            "events_per_particle",
            "events",
        )
        rows: list[tuple[Any, ...]] = [
            (mass, process, item, float(per_particle[m, p, b]), float(accepted[m, p, b]))
            for m, mass in enumerate(rates.masses_gev.tolist())
            for p, process in enumerate(rates.processes)
            for b, item in enumerate(signal.bins)
        ]
    else:
        columns = ("mass [GeV]", *(f"{name} [events]" for name in rates.processes), "total")
        sums = accepted.sum(axis=2)
        rows = [
            (mass, *sums[m].tolist(), float(sums[m].sum()))
            for m, mass in enumerate(rates.masses_gev.tolist())
        ]
    facts = {"digest": made.digest}
    emit(document, Table(columns, rows), as_json=as_json, outputs=outputs, force=force, facts=facts)
