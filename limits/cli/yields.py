"""``na64-limits yields``: the signal that a search expects."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import (
    cache_option,
    dark_sector_options,
    json_option,
    masses_option,
    model_option,
    output_option,
    production_option,
    set_option,
)


@click.command("yields", cls=Command)
@click.argument("search", metavar="[SEARCH|CARD.toml|-]", default="na64e-2016-2022")
@model_option(None)
@masses_option()
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
@production_option()
@dark_sector_options
@set_option()
@cache_option
@json_option
@output_option(".json or .csv")
def command(
    search: str,
    model: str | None,
    charges: str | None,
    masses: str | None,
    coupling: float,
    production: str,
    alpha_d: float,
    ratio: float,
    dark_matter: str | None,
    overrides: tuple[str, ...],
    no_cache: bool,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Expected signal events by mass, process and bin.

    Per particle on target before any efficiency, and after exposure and efficiency.
    """
    from na64.limits.cli.output import Table, check_outputs, emit

    check_outputs(outputs, force)

    from na64.limits.cli.inputs import read_card, read_model
    from na64.limits.expected import Settings, expected_signal
    from na64.limits.grids import parse_grid
    from na64.models.errors import InputError
    from na64.workspaces.cache import TableCache

    if not 0.0 < coupling < float("inf"):
        raise InputError(f"the coupling must be positive and finite, is {coupling:g}")
    settings = Settings(
        production=production, alpha_d=alpha_d, ratio=ratio, dark_matter=dark_matter
    )
    grid = None if masses is None else parse_grid(masses)
    chosen = read_model(model, charges)
    with the_console().progress("card") as progress:
        signal = expected_signal(
            read_card(search, overrides),
            masses_gev=grid,
            model=chosen,
            settings=settings,
            tables=TableCache(enabled=not no_cache),
            progress=progress,
        )
    per_particle = signal.per_particle(coupling)
    accepted = signal.at_coupling(coupling)
    rates, sector = signal.rates, signal.settings.dark_sector()
    document = {
        "schema": "na64-limits/yields/1",
        "search": signal.card.name,
        "model": rates.mediator,
        "parameter": rates.parameter,
        "coupling": coupling,
        "production": production,
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
    facts = {"card_digest": signal.card.digest}
    emit(document, Table(columns, rows), as_json=as_json, outputs=outputs, force=force, facts=facts)
