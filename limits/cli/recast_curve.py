"""``na64-limits recast-curve``: a published curve for another mediator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from na64.limits.cli.options import model_option
from na64.limits.cli.report import Report, reporting
from na64.limits.cli.settings import SettingsCommand


@click.command("recast-curve", cls=SettingsCommand, settings=("dark_matter", "alpha_d", "ratio"))
@click.argument("curve", metavar="CURVE|FILE.toml")
@model_option(None)
@reporting(
    ".toml, a curve that `plot --overlay` reads, or .csv, its points", (".toml", ".csv"), json=False
)
def command(curve: str, model: str | None, charges: str | None, **sector_words: Any) -> Report:
    """Turn a published curve (`list curves`) into one of another mediator.

    By the rates of the processes that its file names, by branching ratios and, for decays behind a
    shield, by lifetimes. What cannot be converted says why.
    """
    from na64.limits.cli.inputs import make_dark_sector, read_model
    from na64.limits.planes.curves import recast_curve
    from na64.limits.results.tables import Table
    from na64.models.errors import InputError
    from na64.models.mediators.registry import mediator
    from na64.workspaces.io.curves import curve_text, load_curve

    chosen = read_model(model, charges)
    if chosen is None:
        raise InputError("name the other mediator with --model or --charges")
    new = mediator(chosen) if isinstance(chosen, str) else chosen
    made = recast_curve(load_curve(curve), new, make_dark_sector(new, sector_words))
    columns = tuple(f"{axis.name} [{axis.unit}]" for axis in (made.x_axis, made.y_axis))
    table = Table(columns, made.points, (made.title, made.source, made.provenance))
    return Report(
        lambda name: curve_text(made) if Path(name).suffix == ".toml" else table.csv(),
        people=f"{made.title}\n{table.text()}",
    )
