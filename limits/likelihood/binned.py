"""Sets of parameters with one element per bin: how long they are and where a channel begins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from na64.models.errors import InputError

__all__ = ["BinnedSets", "check_length", "place_of"]


class BinnedSets:
    """The sets of shapesys, shapefactor and staterror modifiers of a workspace.

    * A shapesys has an element per bin of its one sample.
    * A shapefactor has one per bin index: element i multiplies bin i of every sample that
      carries the name, in whatever channel, as many as the longest of these channels has bins.
    * A staterror has one per bin of the channels it is in, sorted by their names, as in pyhf. All
      samples that carry it in a bin share the element; its width is the root of the summed
      squares of their uncertainties over the sum of their rates, zero where that sum is not
      positive.

    Parameters
    ----------
    spec
        A workspace in which a name has one role, with as many rates per sample as its channel
        has bins.

    Raises
    ------
    InputError
        For uncertainties that are not finite or of the wrong number, and for a staterror that
        is on one sample in channels where another sample does not have it: pyhf cannot tell
        their bins apart.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._sizes: dict[str, int] = {}
        self._first: dict[tuple[str, str], int] = {}
        self._widths: dict[str, list[float]] = {}
        found: dict[str, list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]] = {}
        for channel in spec["channels"]:
            for sample in channel["samples"]:
                for modifier in sample["modifiers"]:
                    name, n_bins = modifier["name"], len(sample["data"])
                    if modifier["type"] == "staterror":
                        found.setdefault(name, []).append((channel["name"], sample, modifier))
                    elif modifier["type"] in ("shapesys", "shapefactor"):
                        self._sizes[name] = max(self._sizes.get(name, 0), n_bins)
        for name, members in found.items():
            self._add_staterror(name, members)

    def size(self, name: str) -> int:
        """Return how many elements a set has."""
        return self._sizes[name]

    def first(self, name: str, channel: str) -> int:
        """Return the element of a staterror that belongs to bin 0 of a channel."""
        return self._first[name, channel]

    def width(self, name: str, element: int) -> float:
        """Return the relative uncertainty of an element of a staterror, zero for none."""
        return self._widths[name][element]

    def _add_staterror(
        self, name: str, members: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]
    ) -> None:
        channels = sorted({channel for channel, _, _ in members})
        of_sample: dict[str, list[str]] = {}
        squares: dict[str, list[float]] = {}
        totals: dict[str, list[float]] = {}
        for channel, sample, modifier in members:
            rates, values = sample["data"], modifier["data"]
            here = place_of(channel, sample["name"], name)
            check_length(here, values, len(rates))
            of_sample.setdefault(sample["name"], []).append(channel)
            sums = squares.setdefault(channel, [0.0] * len(rates))
            total = totals.setdefault(channel, [0.0] * len(rates))
            for i, (rate, value) in enumerate(zip(rates, values, strict=True)):
                if not math.isfinite(value):
                    raise InputError(f"{here}: uncertainty {value} is not allowed")
                sums[i] += float(value) ** 2
                total[i] += float(rate)
        for sample_name, own in of_sample.items():
            if sorted(own) != channels:
                missing = next(c for c in channels if c not in own)
                raise InputError(
                    f"{place_of(own[0], sample_name, name)}: a staterror of several channels is on "
                    f"the same samples in all of them, and this sample does not have it in channel "
                    f"'{missing}'"
                )
        widths: list[float] = []
        for channel in channels:
            self._first[name, channel] = len(widths)
            widths += [
                math.sqrt(square) / total if total > 0.0 else 0.0
                for square, total in zip(squares[channel], totals[channel], strict=True)
            ]
        self._widths[name] = widths
        self._sizes[name] = len(widths)


def place_of(channel: str, sample: str, modifier: str | None = None) -> str:
    """Name a place in a workspace, for messages."""
    where = f"channel '{channel}', sample '{sample}'"
    return where if modifier is None else f"{where}, modifier '{modifier}'"


def check_length(here: str, values: Sequence[float], n_bins: int) -> None:
    """Refuse a list that does not have one value per bin."""
    if len(values) != n_bins:
        raise InputError(f"{here}: {len(values)} values for {n_bins} bins")
