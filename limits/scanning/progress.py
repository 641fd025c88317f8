"""Progress of long computations."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["advance"]


def advance(progress: Callable[[str], object], done: int, total: int, failed: int = 0) -> None:
    """Say how far a computation is, to progress that can be told."""
    told = getattr(progress, "advance", None)
    if told is not None:
        told(done, total, failed)
