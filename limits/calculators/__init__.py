"""CLs calculators: asymptotic, exact and toys, on one compiled likelihood."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from na64.limits.calculators.registry import METHODS, cls_values, upper_limits
    from na64.limits.calculators.table import BAND_ORDER, ClsTable, LimitTable

__all__ = ["BAND_ORDER", "METHODS", "ClsTable", "LimitTable", "cls_values", "upper_limits"]

_HOMES = {
    "BAND_ORDER": "table",
    "ClsTable": "table",
    "LimitTable": "table",
    "METHODS": "registry",
    "cls_values": "registry",
    "upper_limits": "registry",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
