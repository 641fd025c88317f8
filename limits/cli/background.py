"""``na64-limits background``: background in the signal box from a fit to the sideband."""

from __future__ import annotations

from pathlib import Path

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import json_option, output_option
from na64.limits.cli.sideband import read_sideband, shape_option


@click.command("background", cls=Command)
@click.argument("file", metavar="SIDEBAND.csv|SIDEBAND.toml|-")
@click.option(
    "--box",
    metavar="LO:HI",
    help="Signal box in GeV, outside the sideband, such as 0:50.  [default: the file's]",
)
@shape_option
@json_option
@output_option("{data}, or .toml, an entry for a run card")
def command(
    file: str,
    box: str | None,
    shape: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Extrapolate a falling spectrum into the signal box, as an entry for a run card.

    A CSV file has the columns low_gev, high_gev and events, one row per bin of the sideband; a TOML
    file a table sideband with edges_gev, events, source and, if wanted, box_gev and shape.
    """
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import WRITERS, Table

    check_outputs(outputs, force, (*WRITERS, ".toml"))

    from na64.limits.design.sideband import fit_sideband
    from na64.models.errors import InputError

    limits = None if box is None else _box(box)
    sideband = read_sideband(file)
    limits = sideband.box_gev if limits is None else limits
    if limits is None:
        raise InputError("where is the signal box? give --box LO:HI, or box_gev in a TOML file")
    spectrum = sideband.spectrum(shape)
    fit = fit_sideband(spectrum.edges_gev, spectrum.events, box_gev=limits, shape=spectrum.shape)
    result = {
        "schema": "na64-limits/background/1",
        "shape": fit.shape,
        "box_gev": list(limits),
        "sideband_gev": [sideband.edges_gev[0], sideband.edges_gev[-1]],
        "sideband_events": fit.events,
        "prediction": fit.prediction,
        "uncertainty": fit.uncertainty,
        "relative_uncertainty": fit.relative_uncertainty,
        "deviance": fit.deviance,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "p_value": fit.p_value,
        "card_entry": fit.card_entry(),
    }
    names = ("prediction", "uncertainty", "deviance", "degrees_of_freedom", "p_value")
    table = Table(
        ("background [events]", "uncertainty", "deviance", "degrees of freedom", "p-value"),
        [tuple(result[name] for name in names)],
    )
    entries = {name: fit.card_entry() + "\n" for name in outputs if Path(name).suffix == ".toml"}
    emit(
        result,
        table,
        as_json=as_json,
        outputs=tuple(name for name in outputs if name not in entries),
        force=force,
        others=entries,
    )
    if not as_json and not outputs:
        click.echo(f"\nfor a run card:\n{fit.card_entry()}")
    if fit.p_value < 0.01:
        the_console().warning(f"the {fit.shape} form does not describe the sideband")


def _box(text: str) -> tuple[float, float]:
    from na64.models.errors import InputError

    low, colon, high = text.partition(":")
    try:
        if colon:
            return float(low), float(high)
    except ValueError:
        pass
    raise InputError(f"--box {text}: must have the form LO:HI in GeV, such as 0:50")
