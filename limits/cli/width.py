"""``na64-limits width``: decay widths of a mediator."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.options import coupling_option, masses_option, model_option
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SettingsCommand


@click.command("width", cls=SettingsCommand, settings=("dark_matter", "alpha_d", "ratio"))
@model_option()
@masses_option(required=True)
@coupling_option("--coupling", "--epsilon", default=1e-4)
@click.option("--visible", is_flag=True, help="Without decays to dark matter.")
@reporting()
def command(
    model: str | None,
    charges: str | None,
    masses: str,
    coupling: float,
    visible: bool,
    **sector_words: Any,
) -> Report:
    """Partial widths, branching ratios and lifetime of a mediator."""
    from na64.limits.cli.inputs import make_dark_sector, read_model
    from na64.limits.cli.output import nulls, sector_facts
    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_grid
    from na64.models.inspection import decay_table

    grid = parse_grid(masses)
    chosen = read_model(model, charges) or "dark-photon"
    sector = None if visible else make_dark_sector(chosen, sector_words)
    decays = decay_table(chosen, grid, coupling=coupling, dark_sector=sector)
    lifetimes = nulls(decays.lifetime_s)
    document = {
        "schema": "na64-limits/width/1",
        "model": decays.model,
        "parameter": decays.parameter,
        "coupling": coupling,
        **sector_facts(sector),
        "masses_gev": grid,
        "widths_gev": decays.widths_gev,
        "branching": decays.branching,
        "lifetime_s": lifetimes,
    }
    columns = {
        "mass [GeV]": grid.tolist(),
        **{f"Gamma({name}) [GeV]": decays.widths_gev[name] for name in decays.branching},
        "Gamma [GeV]": decays.widths_gev["total"],
        **{f"BR({name})": values for name, values in decays.branching.items()},
        "lifetime [s]": lifetimes,
    }
    return tabled(document, Table(tuple(columns), list(zip(*columns.values(), strict=True))))
