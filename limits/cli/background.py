"""``na64-limits background``: background in the signal box from a fit to the sideband."""

from __future__ import annotations

import click

from na64.limits.cli.application import Command
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.sideband import read_sideband, shape_option
from na64.limits.results.tables import WRITERS


@click.command("background", cls=Command)
@click.argument("file", metavar="SIDEBAND.csv|SIDEBAND.toml|-")
@click.option(
    "--box",
    metavar="LO:HI",
    help="Signal box in GeV, outside the sideband, such as 0:50.  [default: the file's]",
)
@shape_option
@reporting("{data}, or .toml, an entry for a run card", (*WRITERS, ".toml"))
def command(file: str, box: str | None, shape: str | None) -> Report:
    """Extrapolate a falling spectrum into the signal box, as an entry for a run card.

    A CSV file has the columns low_gev, high_gev and events, one row per bin of the sideband; a TOML
    file a table sideband with edges_gev, events, source and, if wanted, box_gev and shape.
    """
    from na64.limits.design.sideband import fit_sideband
    from na64.limits.results.tables import Table
    from na64.models.errors import InputError

    limits = None if box is None else _box(box)
    sideband = read_sideband(file)
    limits = sideband.box_gev if limits is None else limits
    if limits is None:
        raise InputError("where is the signal box? give --box LO:HI, or box_gev in a TOML file")
    spectrum = sideband.spectrum(shape)
    fit = fit_sideband(spectrum.edges_gev, spectrum.events, box_gev=limits, shape=spectrum.shape)
    entry = fit.card_entry()
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
        "card_entry": entry,
    }
    names = ("prediction", "uncertainty", "deviance", "degrees_of_freedom", "p_value")
    columns = ("background [events]", "uncertainty", "deviance", "degrees of freedom", "p-value")
    misfit = f"the {fit.shape} form does not describe the sideband"
    return tabled(
        result,
        Table(columns, [tuple(result[name] for name in names)]),
        others={".toml": lambda _name: f"{entry}\n"},
        after=f"\n\nfor a run card:\n{entry}",
        warnings=[misfit] if fit.p_value < 0.01 else [],
    )


def _box(text: str) -> tuple[float, float]:
    from na64.models.declaration import checked_number
    from na64.models.errors import InputError

    parts = text.split(":")
    try:
        low, high = (float(part) for part in parts)
    except ValueError:
        pass
    else:
        return checked_number(low, f"--box {text}"), checked_number(high, f"--box {text}")
    raise InputError(f"--box {text}: must have the form LO:HI in GeV, such as 0:50")
