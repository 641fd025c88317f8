"""Run cards, statistical templates, pyhf workspaces and the files that hold results.

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if __name__ != "na64.workspaces":  # imported as a bare folder: two names for one module
    raise ImportError(
        "this folder is installed as 'na64.workspaces'; import that name\n"
        "(install the project first: pip install -e . at the root of the repository)"
    )

if TYPE_CHECKING:
    from na64.workspaces.cards.binding import signal_rates
    from na64.workspaces.cards.card import RunCard
    from na64.workspaces.cards.reader import available_cards, load_card
    from na64.workspaces.io.cache import TableCache
    from na64.workspaces.io.curves import Curve, available_curves, load_curve
    from na64.workspaces.pyhf.template import Template
    from na64.workspaces.pyhf.write import signal_workspace

__all__ = [
    "Curve",
    "RunCard",
    "TableCache",
    "Template",
    "available_cards",
    "available_curves",
    "load_card",
    "load_curve",
    "signal_rates",
    "signal_workspace",
]

_HOME = {
    "Curve": "na64.workspaces.io.curves",
    "RunCard": "na64.workspaces.cards.card",
    "TableCache": "na64.workspaces.io.cache",
    "Template": "na64.workspaces.pyhf.template",
    "available_cards": "na64.workspaces.cards.reader",
    "available_curves": "na64.workspaces.io.curves",
    "load_card": "na64.workspaces.cards.reader",
    "load_curve": "na64.workspaces.io.curves",
    "signal_rates": "na64.workspaces.cards.binding",
    "signal_workspace": "na64.workspaces.pyhf.write",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
