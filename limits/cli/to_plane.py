"""``na64-limits to-plane``: the limit of a scan in another plane."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import (
    cache_option,
    json_option,
    normalisation_option,
    output_option,
    plane_option,
    policy_options,
    read_policy,
)
from na64.limits.cli.settings import SettingsCommand


@click.command(
    "to-plane",
    cls=SettingsCommand,
    settings=("sector",),
    default="that of the scan",
    dark_matter=".",
)
@click.argument("scan_file", metavar="SCAN.json|-")
@plane_option("{names}; alpha-d is that of a thermal relic.", required=True)
@normalisation_option
@click.option(
    "--fermion",
    metavar="NAME",
    help="In the plane of g: e, mu, ...  [default: e, or the model's g]",
)
@click.option(
    "--omega-h2", metavar="X", type=float, help="In the plane of alpha-d.  [default: 0.12]"
)
@policy_options
@cache_option
@json_option
@output_option()
def command(
    scan_file: str,
    plane: str,
    normalisation: str | None,
    fermion: str | None,
    omega_h2: float | None,
    recompute: bool,
    leave_out: bool,
    no_cache: bool,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    **sector: Any,
) -> int:
    """Turn the limit of a scan into one on y, alpha_D or another coupling.

    The dark sector is that of the scan unless given. Near the resonance of e+ e- the limit
    depends on it: another one is refused there, unless --recompute scans anew.
    """
    from na64.limits.cli.output import check_outputs

    check_outputs(outputs, force)
    policy = read_policy(recompute, leave_out)

    from na64.limits.cli.inputs import read_result
    from na64.limits.cli.results import emit_limit, exit_code
    from na64.limits.planes.transforms import to_plane
    from na64.workspaces.io.cache import TableCache

    with the_console().progress("scan") as progress:
        result = to_plane(
            read_result(scan_file),
            plane,
            policy=policy,
            tables=TableCache(enabled=not no_cache),
            progress=progress,
            normalisation=normalisation,
            fermion=fermion,
            omega_h2=omega_h2,
            **sector,
        )
    emit_limit(result, as_json=as_json, outputs=outputs, force=force)
    return exit_code(result)
