"""Run cards: what a search is, read from TOML; the shipped cards lie beside the code."""

from __future__ import annotations

from typing import Final

__all__ = ["DEFAULT_CARD"]

#: the search that is meant where none is named
DEFAULT_CARD: Final = "na64e-2016-2022"
