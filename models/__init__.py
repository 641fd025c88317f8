"""Signal physics: showers, production, decays and expected events per particle on target.

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if __name__ != "na64.models":  # imported as a bare folder: two names for one module
    raise ImportError(
        "this folder is installed as 'na64.models'; import that name\n"
        "(install the project first: pip install -e . at the root of the repository)"
    )

if TYPE_CHECKING:
    from na64.models.errors import ComputationError, InputError, NA64Error
    from na64.models.materials import material, mixture
    from na64.models.mediators.dark_sector import DarkMatter, DarkSector
    from na64.models.mediators.registry import available_mediators, mediator
    from na64.models.response.windows import MissingEnergyWindow
    from na64.models.signals.missing_energy import missing_energy_rates
    from na64.models.signals.rates import SignalRates
    from na64.models.targets import Beam, Target

__all__ = [
    "Beam",
    "ComputationError",
    "DarkMatter",
    "DarkSector",
    "InputError",
    "MissingEnergyWindow",
    "NA64Error",
    "SignalRates",
    "Target",
    "available_mediators",
    "material",
    "mediator",
    "missing_energy_rates",
    "mixture",
]

_HOME = {
    "Beam": "na64.models.targets",
    "ComputationError": "na64.models.errors",
    "DarkMatter": "na64.models.mediators.dark_sector",
    "DarkSector": "na64.models.mediators.dark_sector",
    "InputError": "na64.models.errors",
    "MissingEnergyWindow": "na64.models.response.windows",
    "NA64Error": "na64.models.errors",
    "SignalRates": "na64.models.signals.rates",
    "Target": "na64.models.targets",
    "available_mediators": "na64.models.mediators.registry",
    "material": "na64.models.materials",
    "mediator": "na64.models.mediators.registry",
    "missing_energy_rates": "na64.models.signals.missing_energy",
    "mixture": "na64.models.materials",
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
