"""The settings of a scan by their keywords, each as it is declared where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from na64.limits.calculators.registry import CALCULATORS
from na64.models.declaration import Declared, declared
from na64.models.mediators.dark_sector import DarkSector
from na64.models.signals.settings import SignalSettings

__all__ = ["CALCULATOR", "SECTOR", "SETTINGS", "SIGNAL"]

#: settings of the dark sector
SECTOR: Final[Mapping[str, Declared]] = {
    item.option.replace("-", "_"): item for item in declared(DarkSector)
}
#: settings of the signal that are not those of the dark sector
SIGNAL: Final[Mapping[str, Declared]] = {
    item.name: item for item in declared(SignalSettings) if item.key.help
}
#: settings of the calculators; a name means the same in all that have it
CALCULATOR: Final[Mapping[str, Declared]] = {
    item.name: item for kind in CALCULATORS.values() for item in declared(kind)
}
#: every keyword of a scan that is a setting
SETTINGS: Final[Mapping[str, Declared]] = {**SECTOR, **SIGNAL, **CALCULATOR}
