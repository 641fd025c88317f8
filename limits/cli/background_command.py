"""``na64-limits background``: background in the signal box from a fit to the sideband."""

from __future__ import annotations

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import json_option, output_option
from na64.limits.cli.sideband import read_spectrum, shape_option


@click.command("background", cls=Command)
@click.argument("file", metavar="SIDEBAND.csv|-")
@click.option(
    "--box",
    metavar="LO:HI",
    required=True,
    help="Signal box in GeV, outside the sideband, such as 0:50.",
)
@shape_option
@json_option
@output_option(".json or .csv")
def command(
    file: str, box: str, shape: str, as_json: bool, outputs: tuple[str, ...], force: bool
) -> None:
    """Extrapolate a falling spectrum into the signal box, as an entry for a run card.

    The file has the columns low_gev, high_gev and events, one row per bin of the sideband.
    """
    from na64.limits.cli.output import Table, check_outputs, emit

    check_outputs(outputs, force)

    from na64.limits.background import fit_sideband

    low, high = _box(box)
    edges, events = read_spectrum(file)
    fit = fit_sideband(edges, events, box_gev=(low, high), shape=shape)
    result = {
        "schema": "na64-limits/background/1",
        "shape": fit.shape,
        "box_gev": [low, high],
        "sideband_gev": [edges[0], edges[-1]],
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
    emit(result, table, as_json=as_json, outputs=outputs, force=force)
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
