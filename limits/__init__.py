"""From signal rates and backgrounds to exclusion limits: likelihood, CLs, scans, figures.

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from na64.limits.results import operations

if __name__ != "na64.limits":  # imported as a bare folder: two names for one module
    raise ImportError(
        "this folder is installed as 'na64.limits'; import that name\n"
        "(install the project first: pip install -e . at the root of the repository)"
    )

if TYPE_CHECKING:
    from na64.limits.calculators.limits import cls_values, upper_limits
    from na64.limits.calculators.registry import calculator
    from na64.limits.calculators.status import Status
    from na64.limits.figures.figure import figure
    from na64.limits.figures.plotting import plot
    from na64.limits.figures.style import save_figure
    from na64.limits.likelihood.compiled import compile_workspace
    from na64.limits.planes.curves import recast_curve
    from na64.limits.planes.transforms import redo, to_plane
    from na64.limits.programme.drawing import programme_figure
    from na64.limits.results.limit import Limit, read
    from na64.limits.results.specification import Specification
    from na64.limits.scanning.combination import combine
    from na64.limits.scanning.recast import recast
    from na64.limits.scanning.request import specify
    from na64.limits.scanning.runner import exclude, merge, scan
    from na64.limits.scanning.signal import expected_signal

__all__ = [
    "Limit",
    "Specification",
    "Status",
    "calculator",
    "cls_values",
    "combine",
    "compile_workspace",
    "exclude",
    "expected_signal",
    "figure",
    "merge",
    "plot",
    "programme_figure",
    "read",
    "recast",
    "recast_curve",
    "redo",
    "save_figure",
    "scan",
    "specify",
    "to_plane",
    "upper_limits",
]

_HOME = {
    "Limit": "na64.limits.results.limit",
    "Specification": "na64.limits.results.specification",
    "Status": "na64.limits.calculators.status",
    "calculator": "na64.limits.calculators.registry",
    "cls_values": "na64.limits.calculators.limits",
    "combine": "na64.limits.scanning.combination",
    "compile_workspace": "na64.limits.likelihood.compiled",
    "exclude": "na64.limits.scanning.runner",
    "expected_signal": "na64.limits.scanning.signal",
    "figure": "na64.limits.figures.figure",
    "merge": "na64.limits.scanning.runner",
    "plot": "na64.limits.figures.plotting",
    "programme_figure": "na64.limits.programme.drawing",
    "read": "na64.limits.results.limit",
    "recast": "na64.limits.scanning.recast",
    "recast_curve": "na64.limits.planes.curves",
    "redo": "na64.limits.planes.transforms",
    "save_figure": "na64.limits.figures.style",
    "scan": "na64.limits.scanning.runner",
    "specify": "na64.limits.scanning.request",
    "to_plane": "na64.limits.planes.transforms",
    "upper_limits": "na64.limits.calculators.limits",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# what results can be asked for, done by rooms above them
for _name in ("plot", "recast", "redo", "to_plane"):
    operations.provide(_name, partial(__getattr__, _name))
operations.provide("html", lambda: import_module("na64.limits.figures.notebook").html)
