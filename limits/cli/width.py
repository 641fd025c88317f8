"""``na64-limits width``: decay widths of a mediator."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.options import json_option, masses_option, model_option, output_option
from na64.limits.cli.settings import SettingsCommand


@click.command("width", cls=SettingsCommand, settings=("dark_matter", "alpha_d", "ratio"))
@model_option()
@masses_option(required=True)
@click.option(
    "--coupling",
    "--epsilon",
    "coupling",
    metavar="G",
    type=float,
    default=1e-4,
    show_default=True,
    help="Free coupling of the model.",
)
@click.option("--visible", is_flag=True, help="Without decays to dark matter.")
@json_option
@output_option()
def command(
    model: str | None,
    charges: str | None,
    masses: str,
    coupling: float,
    visible: bool,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    **sector_words: Any,
) -> None:
    """Partial widths, branching ratios and lifetime of a mediator."""
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import Table

    check_outputs(outputs, force)

    from na64.limits.cli.inputs import make_dark_sector, read_model
    from na64.limits.scanning.grids import parse_grid
    from na64.models.inspection import decay_table

    grid = parse_grid(masses)
    chosen = read_model(model, charges) or "dark-photon"
    sector = None if visible else make_dark_sector(chosen, sector_words)
    decays = decay_table(chosen, grid, coupling=coupling, dark_sector=sector)
    document = {
        "schema": "na64-limits/width/1",
        "model": decays.model,
        "parameter": decays.parameter,
        "coupling": coupling,
        "alpha_d": None if sector is None else sector.alpha_d,
        "ratio": None if sector is None else sector.ratio,
        "dark_matter": None if sector is None else sector.species.value,
        "masses_gev": grid,
        "widths_gev": decays.widths_gev,
        "branching": decays.branching,
        "lifetime_s": [None if life == float("inf") else life for life in decays.lifetime_s],
    }
    names = tuple(decays.branching)
    table = Table(
        (
            "mass [GeV]",
            *(f"Gamma({name}) [GeV]" for name in names),
            "Gamma [GeV]",
            *(f"BR({name})" for name in names),
            "lifetime [s]",
        ),
        [
            (
                mass,
                *(decays.widths_gev[name][row] for name in names),
                decays.widths_gev["total"][row],
                *(decays.branching[name][row] for name in names),
                None if decays.lifetime_s[row] == float("inf") else decays.lifetime_s[row],
            )
            for row, mass in enumerate(grid.tolist())
        ],
    )
    emit(document, table, as_json=as_json, outputs=outputs, force=force)
