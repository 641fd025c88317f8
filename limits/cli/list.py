"""``na64-limits list``: what there is to choose from."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import Group
from na64.limits.cli.options import json_option


@click.group("list", cls=Group)
def command() -> None:
    """Searches, models and published curves."""


def _print(columns: tuple[str, ...], rows: list[tuple[Any, ...]], as_json: bool) -> None:
    from na64.limits.results.tables import Table
    from na64.workspaces.io.jsonio import canonical_json

    if as_json:
        entries = [dict(zip(columns, row, strict=True)) for row in rows]
        click.echo(canonical_json(entries, indent=1))
    else:
        click.echo(Table(columns, rows).text())


@command.command("searches")
@json_option
def searches(as_json: bool) -> None:
    """Shipped run cards."""
    from na64.workspaces.cards.reader import available_cards, load_card

    cards = [load_card(name) for name in available_cards()]
    _print(
        ("name", "topology", "exposure", "title"),
        [(card.name, card.topology, card.total_exposure, card.title) for card in cards],
        as_json,
    )


@command.command("models")
@json_option
def models(as_json: bool) -> None:
    """Mediators: the built-in ones and those of installed plug-ins."""
    from na64.models.mediators.registry import available_mediators, mediator

    found = [mediator(name) for name in available_mediators()]
    _print(
        ("name", "kind", "parameter", "references"),
        [(item.name, item.kind.value, item.parameter, ", ".join(item.citations)) for item in found],
        as_json,
    )


@command.command("curves")
@json_option
def curves(as_json: bool) -> None:
    """Shipped published curves, for `plot --overlay`."""
    from na64.workspaces.io.curves import available_curves, load_curve

    found = [(name, load_curve(name)) for name in available_curves()]
    _print(
        ("name", "kind", "label", "source"),
        [(name, item.kind, item.label, item.source) for name, item in found],
        as_json,
    )
