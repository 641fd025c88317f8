"""From signal rates and backgrounds to exclusion limits: likelihood, CLs, scans, figures.

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if __name__ != "na64.limits":  # imported as a bare folder: two names for one module
    raise ImportError(
        "this folder is installed as 'na64.limits'; import that name\n"
        "(install the project first: pip install -e . at the root of the repository)"
    )

if TYPE_CHECKING:
    from na64.limits.calculators import cls_values, upper_limits
    from na64.limits.figures.figure import Overlay, exclusion_figure, save_figure
    from na64.limits.likelihood.compiled import compile_workspace
    from na64.limits.results.limit import Exclusion, Status
    from na64.limits.scanning.runner import exclude, scan
    from na64.limits.scanning.signal import Settings, expected_signal

__all__ = [
    "Exclusion",
    "Overlay",
    "Settings",
    "Status",
    "cls_values",
    "compile_workspace",
    "exclude",
    "exclusion_figure",
    "expected_signal",
    "save_figure",
    "scan",
    "upper_limits",
]

_HOME = {
    "Exclusion": "na64.limits.results.limit",
    "Overlay": "na64.limits.figures.figure",
    "Settings": "na64.limits.scanning.signal",
    "Status": "na64.limits.results.limit",
    "cls_values": "na64.limits.calculators",
    "compile_workspace": "na64.limits.likelihood.compiled",
    "exclude": "na64.limits.scanning.runner",
    "exclusion_figure": "na64.limits.figures.figure",
    "expected_signal": "na64.limits.scanning.signal",
    "save_figure": "na64.limits.figures.figure",
    "scan": "na64.limits.scanning.runner",
    "upper_limits": "na64.limits.calculators",
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
