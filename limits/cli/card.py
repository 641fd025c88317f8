"""``na64-limits card``: look at run cards, check them, resolve them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from na64.limits.cli.application import Group, the_console
from na64.limits.cli.options import set_option
from na64.limits.cli.report import Report, reporting

if TYPE_CHECKING:
    from na64.limits.results.tables import Table
    from na64.workspaces.cards.bins import Bin
    from na64.workspaces.cards.card import RunCard


@click.group("card", cls=Group)
def command() -> None:
    """Run cards: the searches as data."""


@command.command("show")
@click.argument("search", metavar="SEARCH|FILE|-")
@set_option
@click.option("--sources", is_flag=True, help="Also where every number comes from.")
def show(search: str, overrides: tuple[str, ...], sources: bool) -> None:
    """Print a card for people: what hits what, and the bins."""
    from na64.limits.cli.inputs import read_card
    from na64.limits.cli.output import projection_notes
    from na64.limits.results.tables import Table

    card = read_card(search, overrides)
    for line in _summary(card):
        click.echo(line)
    for note in projection_notes([card]):
        the_console().note(note)
    click.echo("")
    click.echo(_bins(card).text())
    for item in card.uncertainties:
        acts = ", ".join(item.processes) or "signal"
        click.echo(f"\nuncertainty {item.name}: {100 * item.relative:g} % on {acts}", nl=False)
    if card.uncertainties:
        click.echo("")
    if sources:
        click.echo("")
        click.echo(Table(("number", "source"), _sources(card.to_dict(), "")).text())


@command.command("check")
@click.argument("searches", metavar="SEARCH|FILE|-...", nargs=-1, required=True)
@set_option
def check(searches: tuple[str, ...], overrides: tuple[str, ...]) -> int:
    """Check cards and report every problem with its path in the file."""
    from na64.limits.cli.inputs import read_card, refuse_stdin_twice
    from na64.limits.cli.output import projection_notes
    from na64.models.errors import InputError

    refuse_stdin_twice(searches)
    bad = 0
    for search in searches:
        try:
            card = read_card(search, overrides)
        except InputError as error:
            the_console().error(str(error))
            bad += 1
        else:
            the_console().note(
                f"{search}: sound ({len(card.bins)} bin{'s' * (len(card.bins) != 1)}, "
                f"digest {card.digest[:12]})"
            )
            for note in projection_notes([card]):
                the_console().note(note)
    return 2 if bad else 0


@command.command("resolve")
@click.argument("search", metavar="SEARCH|FILE|-")
@set_option
@reporting(".json or .toml, a card that the other commands read", (".json", ".toml"), json=False)
def resolve(search: str, overrides: tuple[str, ...]) -> Report:
    """Print the card with its defaults and settings filled in, as JSON; TOML into a file."""
    from na64.limits.cli.inputs import read_card
    from na64.limits.cli.output import projection_notes
    from na64.workspaces.io.jsonio import canonical_json
    from na64.workspaces.io.toml import toml_text

    made = read_card(search, overrides)
    card = made.to_dict()
    text = canonical_json(card, indent=1) + "\n"
    return Report(
        lambda name: toml_text(card) if name.endswith(".toml") else text,
        text,
        notes=projection_notes([made]),
    )


@command.command("new")
@click.argument("topology", metavar="TOPOLOGY")
@reporting(".toml", (".toml",), json=False)
def new(topology: str) -> Report:
    """Print a card to be filled, with every key and what it means.

    It is sound as it stands. TOPOLOGY is a kind of search, as `list searches` tells them.
    """
    from na64.workspaces.cards.reference import blank_card

    text = blank_card(topology)
    return Report(lambda _name: text, text)


def _summary(card: RunCard) -> list[str]:
    lines = [f"{card.name}: {card.title}", f"topology    {card.topology}"]
    for name in card.used_setups:
        setup = card.setups[name]
        label = "" if len(card.used_setups) == 1 else f" ({name})"
        for key in ("beam", "target", "window"):
            parts = [
                f"{entry} {_plain(value)}"
                for entry, value in setup.tables[key].items()
                if entry != "source"
            ]
            lines.append(f"{key + label:<12}{', '.join(parts)}")
    lines.append(f"model       {card.model}")
    grid = card.masses
    lines.append(f"masses      {grid.low_gev:g}:{grid.high_gev:g}:{grid.points} GeV")
    lines.append(f"exposure    {card.total_exposure:.4g} particles on target")
    if card.references:
        lines.append(f"references  {', '.join(card.references)}")
    lines.append(f"digest      {card.digest}")
    return lines


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return " + ".join(f"{number:g} {name}" for name, number in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bins(card: RunCard) -> Table:
    from na64.limits.results.tables import Table
    from na64.workspaces.cards.quantity import Quantity

    rows = []
    for item in card.bins:
        efficiency = item.efficiency
        spread = 100.0 * efficiency.relative_uncertainty
        if isinstance(efficiency, Quantity):
            shown = f"{efficiency.value:g} +- {spread:.3g} %"
        else:
            shown = f"{efficiency.smallest:g}-{efficiency.largest:g} +- {spread:.3g} %"
        if (correction := item.efficiency_correction) is not None:
            percent = 100.0 * correction.relative_uncertainty
            shown += f", times {correction.value:g} +- {percent:.3g} %"
        rows.append(
            (
                item.name,
                item.period,
                item.setup,
                _region(item),
                f"{item.exposure.value:.4g} +- {100 * item.exposure.relative_uncertainty:.3g} %",
                shown,
                item.expected_background,
                "-" if item.observation is None else item.observed,
            )
        )
    columns = "bin period setup region exposure efficiency background observed"
    return Table(tuple(columns.split()), rows)


def _region(item: Bin) -> str:
    """Return a bin's region, with what it is divided into."""
    if not item.edges_gev:
        return item.region
    low, high = item.edges_gev[0], item.edges_gev[-1]
    return f"{item.region}, {low:g}-{high:g} GeV in {len(item.intervals)}"


def _sources(node: object, path: str) -> list[tuple[str, str]]:
    """Collect every ``source`` of a card with the path of what it belongs to."""
    found: list[tuple[str, str]] = []
    if isinstance(node, dict):
        if isinstance(node.get("source"), str):
            found.append((path, node["source"]))
        for key, value in node.items():
            found += _sources(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += _sources(value, f"{path}.{index}")
    return found
