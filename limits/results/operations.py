"""What can be asked of a result and is done above it, wired by the package that knows both.

A result can be computed again, carried to another mediator, brought into a plane and drawn, and
knows nobody who does that: whoever does is provided here under a name, by `na64.limits` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["operation", "provide"]

_PROVIDERS: dict[str, Callable[[], Any]] = {}


def provide(name: str, find: Callable[[], Any]) -> None:
    """Say where an operation is found; ``find`` is called when it is first asked for."""
    _PROVIDERS[name] = find


def operation(name: str) -> Any:
    """Return an operation by name."""
    return _PROVIDERS[name]()
