"""Calculators of limits on one compiled likelihood, behind one protocol and in one table."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from na64.limits.calculators.limits import cls_values, upper_limits
    from na64.limits.calculators.protocol import Calculator
    from na64.limits.calculators.registry import (
        CALCULATORS,
        Asymptotic,
        Exact,
        FeldmanCousins,
        Toys,
        calculator,
        calculator_from_dict,
        described,
        settings_of,
    )
    from na64.limits.calculators.status import BAND_ORDER, Interval, Regions, Status
    from na64.limits.calculators.table import ClsTable, LimitTable

__all__ = [
    "BAND_ORDER",
    "CALCULATORS",
    "Asymptotic",
    "Calculator",
    "ClsTable",
    "Exact",
    "FeldmanCousins",
    "Interval",
    "LimitTable",
    "Regions",
    "Status",
    "Toys",
    "calculator",
    "calculator_from_dict",
    "cls_values",
    "described",
    "settings_of",
    "upper_limits",
]

_HOMES = {
    "Calculator": "protocol",
    **dict.fromkeys(("BAND_ORDER", "Interval", "Regions", "Status"), "status"),
    **dict.fromkeys(
        (
            "CALCULATORS",
            "Asymptotic",
            "Exact",
            "FeldmanCousins",
            "Toys",
            "calculator",
            "calculator_from_dict",
            "described",
            "settings_of",
        ),
        "registry",
    ),
    **dict.fromkeys(("ClsTable", "LimitTable"), "table"),
    **dict.fromkeys(("cls_values", "upper_limits"), "limits"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
