"""``na64-limits recast``: the limit on another mediator from a scan."""

from __future__ import annotations

from pathlib import Path

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import json_option, model_option, output_option


@click.command("recast", cls=Command)
@click.argument("scan_file", metavar="SCAN.json|-")
@model_option(None)
@click.option(
    "--dark-matter",
    metavar="NAME",
    help="Dark matter: scalar, majorana, dirac, pseudo-dirac, or none. By default none for a model "
    "that decays to neutrinos, otherwise that of the scan.",
)
@click.option(
    "--alpha-d",
    metavar="ALPHA",
    type=float,
    help="Dark coupling g_D^2/(4 pi).  [default: that of the scan]",
)
@click.option(
    "--ratio",
    metavar="R",
    type=float,
    help="Mediator mass over dark-matter mass, above 2.  [default: that of the scan]",
)
@click.option(
    "--splitting",
    metavar="D",
    type=float,
    help="Mass splitting of pseudo-Dirac states, m2 = m1 (1 + D).  [default: that of the scan]",
)
@click.option(
    "--leave-out",
    is_flag=True,
    help="Leave out masses at which the stored yields cannot carry the recast.",
)
@json_option
@output_option(".json or .csv")
def command(
    scan_file: str,
    model: str | None,
    charges: str | None,
    dark_matter: str | None,
    alpha_d: float | None,
    ratio: float | None,
    splitting: float | None,
    leave_out: bool,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Turn the limit of a scan into one on another mediator, without a new scan.

    The mediator must be of the same kind (vector, axial, scalar, pseudoscalar). Where resonant
    annihilation counts, the dark sector must be that of the scan.
    """
    from na64.limits.cli.output import check_outputs, write_outputs

    check_outputs(outputs, force)

    from na64.limits.cli.inputs import read_model, read_scan
    from na64.limits.cli.scan import exclusion_table
    from na64.limits.scanning.recast import recast
    from na64.models.errors import InputError

    chosen = read_model(model, charges)
    if chosen is None:
        raise InputError("name the other mediator with --model or --charges")
    result = recast(
        read_scan(scan_file),
        chosen,
        dark_matter=dark_matter,
        alpha_d=alpha_d,
        ratio=ratio,
        splitting=splitting,
        leave_out=leave_out,
    )
    write_outputs({name: result.to_text(Path(name).suffix) for name in outputs}, force)
    for warning in result.provenance.get("warnings", ()):
        the_console().warning(warning)
    if as_json:
        click.echo(result.to_json(), nl=False)
    elif not outputs:
        click.echo(exclusion_table(result).text())
