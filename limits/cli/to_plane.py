"""``na64-limits to-plane``: the limit of a scan in another plane."""

from __future__ import annotations

from pathlib import Path

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import (
    cache_option,
    json_option,
    normalisation_option,
    output_option,
)


@click.command("to-plane", cls=Command)
@click.argument("scan_file", metavar="SCAN.json|-")
@click.option(
    "--plane",
    metavar="NAME",
    required=True,
    help="y, alpha-d (of a thermal relic), g, epsilon, g-agg or br.",
)
@click.option("--dark-matter", metavar="NAME", help="scalar, majorana, dirac or pseudo-dirac.")
@click.option("--alpha-d", metavar="ALPHA", type=float, help="Dark coupling g_D^2/(4 pi).")
@click.option("--ratio", metavar="R", type=float, help="Mediator mass over dark-matter mass.")
@click.option("--splitting", metavar="D", type=float, help="Of pseudo-Dirac states.")
@normalisation_option
@click.option(
    "--fermion",
    metavar="NAME",
    help="In the plane of g: e, mu, ...  [default: e, or the model's g]",
)
@click.option(
    "--omega-h2", metavar="X", type=float, help="In the plane of alpha-d.  [default: 0.12]"
)
@click.option(
    "--recompute",
    is_flag=True,
    help="Scan anew, with the card in the file, where another dark sector changes the resonance. "
    "The plane of alpha-d always does.",
)
@click.option("--leave-out", is_flag=True, help="Leave such masses out.")
@click.option(
    "--charges", metavar="FILE.toml", help="The mediator of the scan, if it was one of your own."
)
@cache_option
@json_option
@output_option(".json or .csv")
def command(
    scan_file: str,
    plane: str,
    dark_matter: str | None,
    alpha_d: float | None,
    ratio: float | None,
    splitting: float | None,
    normalisation: str,
    fermion: str | None,
    omega_h2: float | None,
    recompute: bool,
    leave_out: bool,
    charges: str | None,
    no_cache: bool,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Turn the limit of a scan into one on y, alpha_D or another coupling.

    The dark sector is that of the scan unless given. Near the resonance of e+ e- the limit
    depends on it: another one is refused there, and the message names the scan to run.
    """
    from na64.limits.cli.output import Table, check_outputs, write_outputs

    check_outputs(outputs, force)

    from na64.limits.cli.inputs import read_scan
    from na64.limits.planes.transforms import to_plane
    from na64.models.relic.targets import OMEGA_H2
    from na64.workspaces.cards.charges import load_charges
    from na64.workspaces.io.cache import TableCache

    with the_console().progress("scan") as progress:
        result = to_plane(
            read_scan(scan_file),
            plane,
            dark_matter=dark_matter,
            alpha_d=alpha_d,
            ratio=ratio,
            splitting=splitting,
            normalisation=normalisation,
            fermion=fermion,
            omega_h2=OMEGA_H2 if omega_h2 is None else omega_h2,
            recompute=recompute,
            leave_out=leave_out,
            original=None if charges is None else load_charges(charges),
            tables=TableCache(enabled=not no_cache),
            progress=progress,
        )
    for note in result.notes:
        the_console().note(f"note: {note}")
    write_outputs({name: result.to_text(Path(name).suffix) for name in outputs}, force)
    if as_json:
        click.echo(result.to_json(), nl=False)
    elif not outputs:
        click.echo(
            f"{result.y_name}; {result.assumptions}" if result.assumptions else result.y_name
        )
        table = Table(
            (
                f"{result.x_name} [GeV]",
                f"{plane} observed",
                "expected -2",
                "-1",
                "median",
                "+1",
                "+2",
                "status",
            ),
            [
                (
                    float(mass),
                    float(result.observed[row]),
                    *result.expected[:, row].tolist(),
                    result.status[row],
                )
                for row, mass in enumerate(result.masses_gev)
            ],
        )
        click.echo(table.text())
