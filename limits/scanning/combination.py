"""Combine: several searches, given by name or by their results, in one likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.limits.scanning.request import Search
from na64.limits.scanning.runner import run, scan
from na64.models.errors import InputError

__all__ = ["combine"]


def combine(
    searches: Sequence[Search] | Sequence[Limit | Specification],
    *,
    shared: Sequence[str] = (),
    **request: Any,
) -> Limit:
    """Return the limit of several searches together.

    Parameters
    ----------
    searches
        Two or more cards or names of them; or results (or their specifications), whose cards are
        combined and computed anew with the settings that they have in common, at the masses that
        all of them have.
    shared
        Nuisances that are one parameter in all searches that have them, such as ``exposure``.
        Every other nuisance is a separate one in each search.
    **request
        As in `na64.limits.scan`; of results only ``jobs``, ``tables`` and ``progress``, since
        the settings are theirs.

    Raises
    ------
    InputError
        For fewer than two searches, one that is named twice, results that differ in their model,
        dark sector, method or confidence level, and results without a common mass.
    """
    if len(searches) < 2:
        raise InputError(f"a combination needs two searches or more, not {len(searches)}")
    made = [
        item.specification if isinstance(item, Limit) else item
        for item in searches
        if isinstance(item, (Limit, Specification))
    ]
    if not made:
        return scan(searches, shared=shared, **request)  # type: ignore[arg-type]
    if len(made) < len(searches):
        raise InputError("results and searches cannot be combined with one another: name all cards")
    return run(_together(made, shared), **request)


def _together(made: Sequence[Specification], shared: Sequence[str]) -> Specification:
    """Return one specification with the cards of all."""
    first = made[0]
    for other in made[1:]:
        for what, one, another in (
            ("model", first.mediator, other.mediator),
            ("settings of the signal", first.settings, other.settings),
            ("method", first.calculator, other.calculator),
            ("confidence level", first.confidence_level, other.confidence_level),
        ):
            if one != another:
                raise InputError(
                    f"{first.search} and {other.search} differ in the {what}: only what was "
                    "computed alike is combined"
                )
    masses = [set(item.masses_gev.tolist()) for item in made]
    common = np.array(sorted(set.intersection(*masses)))
    if not common.size:
        raise InputError(
            f"{' and '.join(item.search for item in made)} have no mass in common: compute them at "
            "the same masses"
        )
    return replace(
        first,
        cards=tuple(card for item in made for card in item.cards),
        masses_gev=common,
        expected_only=any(item.expected_only for item in made),
        shared=tuple(dict.fromkeys([*shared, *(name for item in made for name in item.shared)])),
    )
