"""``na64-limits recast``: the limit on another mediator from a scan."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import (
    cache_option,
    json_option,
    model_option,
    output_option,
    policy_options,
    read_policy,
)
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
@policy_options
@cache_option
@json_option
@output_option()
def command(
    scan_file: str,
    model: str | None,
    charges: str | None,
    recompute: bool,
    leave_out: bool,
    no_cache: bool,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    **sector: Any,
) -> int:
    """Turn the limit of a scan into one on another mediator or dark sector, without a new scan.

    The mediator must be of the same kind (vector, axial, scalar, pseudoscalar). Where resonant
    annihilation counts, the dark sector must be that of the scan; --recompute computes what the
    yields of the scan cannot carry.
    """
    from na64.limits.cli.output import check_outputs

    check_outputs(outputs, force)
    policy = read_policy(recompute, leave_out)

    from na64.limits.cli.inputs import read_model, read_result
    from na64.limits.cli.results import emit_limit, exit_code
    from na64.limits.scanning.recast import recast
    from na64.models.errors import InputError
    from na64.workspaces.io.cache import TableCache

    chosen = read_model(model, charges)
    if chosen is None and all(value is None for value in sector.values()):
        raise InputError("name the other mediator with --model or --charges, or a dark sector")
    with the_console().progress("scan") as progress:
        result = recast(
            read_result(scan_file),
            chosen,
            policy=policy,
            tables=TableCache(enabled=not no_cache),
            progress=progress,
            **sector,
        )
    emit_limit(result, as_json=as_json, outputs=outputs, force=force)
    return exit_code(result)
