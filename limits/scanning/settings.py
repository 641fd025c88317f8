"""The settings of a scan by their keywords, each as it is declared where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from na64.limits.calculators.registry import CALCULATORS
from na64.models.declared import Declared, declared
from na64.models.mediators.dark_sector import DarkSector
from na64.models.signals.settings import SignalSettings

__all__ = ["CALCULATOR", "SECTOR", "SETTINGS", "SIGNAL"]

#: settings of the dark sector
SECTOR: Final[Mapping[str, Declared]] = {
    ("dark_matter" if item.name == "species" else item.name): item for item in declared(DarkSector)
}
#: settings of the signal that are not those of the dark sector
SIGNAL: Final[Mapping[str, Declared]] = {item.name: item for item in declared(SignalSettings)}
#: settings of the calculators; a name means the same in all that have it
CALCULATOR: Final[Mapping[str, Declared]] = {
    item.name: Declared(
        item.name,
        item.default,
        item.metadata["help"],
        item.name.replace("_", "-"),
        False,
        (),
        0.0,
        0.0,
    )
    for kind in CALCULATORS.values()
    for item in fields(kind)
}
#: every keyword of a scan that is a setting
SETTINGS: Final[Mapping[str, Declared]] = {**SECTOR, **SIGNAL, **CALCULATOR}
