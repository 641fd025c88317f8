"""The kinds of campaigns by name: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from na64.limits.campaigns.coverage import COVERAGE
from na64.limits.campaigns.scans import SCAN
from na64.limits.campaigns.tasks import TaskKind
from na64.limits.campaigns.toys import TOYS
from na64.models.errors import unknown_name

__all__ = ["KINDS", "kind_of"]

KINDS: Final[Mapping[str, TaskKind]] = {kind.name: kind for kind in (SCAN, TOYS, COVERAGE)}


def kind_of(name: str) -> TaskKind:
    """Return the kind of a name, or raise `InputError` with the nearest match."""
    if name not in KINDS:
        raise unknown_name("kind of campaign", name, KINDS)
    return KINDS[name]
