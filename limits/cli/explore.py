"""``na64-limits explore``: a page in the browser where settings are controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import tables_option, trust_option

if TYPE_CHECKING:
    from na64.limits.explore.state import State
    from na64.workspaces.cards.card import RunCard

#: options of `scan` by the settings of a state
_OPTIONS = {
    "model": "--model",
    "dark_matter": "--dark-matter",
    "alpha_d": "--alpha-d",
    "ratio": "--ratio",
}


@click.command("explore", cls=Command)
@click.argument("searches", metavar="[SEARCH|CARD.toml|SCAN.json]...", nargs=-1)
@click.option(
    "--port",
    metavar="N",
    type=int,
    default=5064,
    show_default=True,
    help="Port of the page; 0 for any that is free.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. With another one than this, everybody who reaches it can compute.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@trust_option
@tables_option
def command(
    searches: tuple[str, ...], port: int, host: str, no_browser: bool, trust: bool, tables: Any
) -> None:
    """Show a page on this machine where the settings of a search are controls.

    Search, model, dark matter, exposure, background, cut, confidence level and plane; the limit
    follows. The page begins with the first SEARCH, or with the settings of a result, and offers the
    shipped cards and the files that are named. What it hands out is what the command lines write
    that it shows. Ctrl-C ends it.
    """
    from na64.limits.cli.inputs import is_result
    from na64.limits.explore.compute import Catalogue, Explorer
    from na64.limits.explore.opening import state_of
    from na64.limits.explore.server import Place, serve
    from na64.limits.explore.state import State
    from na64.limits.results.limit import Limit
    from na64.workspaces.cards import DEFAULT_CARD
    from na64.workspaces.cards.reader import available_cards

    results = [name for name in searches if is_result(name)]
    others = [name for name in searches if name not in results]
    files = [name for name in others if name not in available_cards()]
    catalogue = Catalogue(files)
    first = State(catalogue.offered(others[0]) if others else DEFAULT_CARD)
    for name in results[:1]:
        first = state_of(Limit.read(name, trust=trust), name)
    explorer = Explorer(catalogue, command_lines, tables=tables)

    def ready(address: str) -> None:
        click.echo(address)
        the_console().note("the page is there until Ctrl-C ends it")

    serve(explorer, first, Place(host, port, open_browser=not no_browser), ready)


def command_lines(state: State, card: RunCard) -> list[list[str]]:
    """Return the command lines that write the files of a state.

    Parameters
    ----------
    state
        Positions of the controls.
    card
        The card of its search as it is.
    """
    from dataclasses import replace

    from na64.limits.explore.compute import file_names
    from na64.limits.results.axes import COUPLING

    settings = state.settings()
    chosen = [
        word
        for name, option in _OPTIONS.items()
        if name in settings
        for word in (option, _written(settings[name]))
    ]
    if state.confidence_level != 0.9:
        chosen += ["--cl", _written(state.confidence_level)]
    own = [word for text in state.overrides(card) for word in ("--set", text)]
    scanned, shown = file_names(replace(state, plane=COUPLING)), file_names(state)
    lines = [
        _line("scan", state.search, *chosen, *own, outputs=(scanned[".json"], scanned[".csv"]))
    ]
    if state.plane != COUPLING:
        outputs = shown[".json"], shown[".csv"]
        lines.append(_line("to-plane", scanned[".json"], "--plane", state.plane, outputs=outputs))
    lines.append(_line("plot", shown[".json"], outputs=(shown[".pdf"],)))
    lines.append(_line("card", "resolve", state.search, *own, outputs=(shown[".toml"],)))
    return lines


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def _line(*words: str, outputs: Sequence[str]) -> list[str]:
    return ["na64-limits", *words, *(word for name in outputs for word in ("-o", name))]
