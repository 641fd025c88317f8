"""``na64-limits to-plane``: the limit of a scan in another plane."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import normalisation_option, plane_option, policy_options, trust_option
from na64.limits.cli.report import Report, reporting
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
@trust_option
@policy_options
@reporting()
def command(scan_file: str, plane: str, trust: bool, **settings: Any) -> Report:
    """Turn the limit of a scan into one on y, alpha_D or another coupling.

    The dark sector is that of the scan unless given. Near the resonance of e+ e- the limit
    depends on it: another one is refused there, unless --recompute scans anew.
    """
    from na64.limits.cli.inputs import read_result
    from na64.limits.cli.results import limit_report
    from na64.limits.planes.transforms import to_plane

    with the_console().progress("scan") as progress:
        return limit_report(
            to_plane(read_result(scan_file, trust), plane, progress=progress, **settings)
        )
