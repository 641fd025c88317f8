"""``na64-limits recast``: the limit on another mediator from a scan."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import model_option, policy_options, trust_option
from na64.limits.cli.report import Report, reporting
from na64.limits.cli.settings import SettingsCommand


@click.command(
    "recast",
    cls=SettingsCommand,
    settings=("sector",),
    default="that of the scan",
    dark_matter=" or none. By default none for a model that decays to neutrinos.",
)
@click.argument("scan_file", metavar="SCAN.json|-")
@model_option(None)
@trust_option
@policy_options
@reporting()
def command(
    scan_file: str,
    model: str | None,
    charges: str | None,
    trust: bool,
    policy: str,
    tables: Any,
    **sector: Any,
) -> Report:
    """Turn the limit of a scan into one on another mediator or dark sector, without a new scan.

    The mediator must be of the same kind (vector, axial, scalar, pseudoscalar). Where resonant
    annihilation counts, the dark sector must be that of the scan; --recompute computes what the
    yields of the scan cannot carry.
    """
    from na64.limits.cli.inputs import read_model, read_result
    from na64.limits.cli.results import limit_report
    from na64.limits.scanning.recast import recast
    from na64.models.errors import InputError

    chosen = read_model(model, charges)
    if chosen is None and all(value is None for value in sector.values()):
        raise InputError("name the other mediator with --model or --charges, or a dark sector")
    with the_console().progress("scan") as progress:
        return limit_report(
            recast(
                read_result(scan_file, trust),
                chosen,
                policy=policy,
                tables=tables,
                progress=progress,
                **sector,
            )
        )
