"""``na64-limits list``: what there is to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click

from na64.limits.cli.application import Group
from na64.limits.cli.options import json_option

Rows = Iterable[tuple[Any, ...]]


@click.group("list", cls=Group)
def command() -> None:
    """Searches, models, published curves and figures."""


def _listing(
    *columns: str, options: Iterable[Callable[[Any], Any]] = ()
) -> Callable[[Callable[..., Rows]], click.Command]:
    """Make a command that prints the rows of a function; options are arguments of it."""

    def decorate(function: Callable[..., Rows]) -> click.Command:
        @wraps(function)
        def run(as_json: bool, **chosen: Any) -> None:
            from na64.limits.results.tables import Table
            from na64.workspaces.io.jsonio import canonical_json

            rows = list(function(**chosen))
            if as_json:
                entries = [dict(zip(columns, row, strict=True)) for row in rows]
                click.echo(canonical_json(entries, indent=1))
            else:
                click.echo(Table(columns, rows).text())

        made: Any = json_option(run)
        for option in options:
            made = option(made)
        return command.command(function.__name__)(made)

    return decorate


@_listing("name", "topology", "exposure", "title")
def searches() -> Rows:
    """Shipped run cards."""
    from na64.workspaces.cards.reader import available_cards, load_card

    for card in map(load_card, available_cards()):
        yield card.name, card.topology, card.total_exposure, card.title


@_listing("name", "kind", "parameter", "references")
def models() -> Rows:
    """Mediators: the built-in ones and those of installed plug-ins."""
    from na64.models.mediators.registry import available_mediators, mediator

    for item in map(mediator, available_mediators()):
        yield item.name, item.kind.value, item.parameter, ", ".join(item.citations)


@_listing(
    "name",
    "kind",
    "model",
    "final_state",
    "level",
    "label",
    "source",
    options=(
        click.option("--final-state", metavar="STATE", help="Those that see this of the particle."),
        click.option(
            "--kind", "group", metavar="KIND", help="limit, region, thermal or projection."
        ),
        click.option("--model", help="Those of a mediator and its variants."),
    ),
)
def curves(model: str | None, group: str | None, final_state: str | None) -> Rows:
    """Shipped published curves, for `plot --overlay`."""
    from na64.workspaces.io.curves import selected_curves

    for item in selected_curves(model=model, group=group, final_state=final_state):
        states = ", ".join(item.final_state)
        words = item.level_words
        yield item.name, item.group, item.model, states, words, item.label, item.source


@_listing("name", "panels", "title")
def figures() -> Rows:
    """Shipped figures, for `figure`."""
    from na64.limits.programme.reader import available_figures, load_figure

    for item in map(load_figure, available_figures()):
        yield item.name, len(item.panels), item.title
