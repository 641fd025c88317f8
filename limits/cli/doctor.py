"""``na64-limits doctor``: what is installed, what is known to be wrong with it, where files are."""

from __future__ import annotations

import click

from na64.limits.cli.application import Command
from na64.limits.cli.options import json_option


@click.command("doctor", cls=Command)
@json_option
def command(as_json: bool) -> int:
    """Versions, known-bad pairs of packages, plug-ins, the cache.

    The exit code is 1 when something that this program needs does not work.
    """
    from na64.limits.cli.diagnosis import diagnose
    from na64.workspaces.io.jsonio import canonical_json

    report = diagnose()
    if as_json:
        click.echo(canonical_json(report, indent=1))
    else:
        for name, number in report["versions"].items():
            click.echo(f"{name:<12} {number}")
        click.echo(f"{'installed in':<12} {report['location']}")
        cache = report["cache"]
        click.echo(f"{'cache':<12} {cache['folder'] or '-'} ({cache['note']})")
        click.echo(f"{'plug-ins':<12} {', '.join(report['plugins']) or 'none'}")
        for note in report["notes"]:
            click.echo(f"note: {note}")
        for problem in report["problems"]:
            click.echo(f"problem: {problem}")
        if not report["problems"]:
            click.echo("no problems found")
    return 1 if report["problems"] else 0
