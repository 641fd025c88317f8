"""Combination of searches in one likelihood: shared coupling, shared or separate nuisances.

Names of a part's bins and nuisances get the part's name and a colon in front; a slash would be
natural, but pyhf 0.7.6 splits the names of staterror modifiers at slashes.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from na64.models.errors import InputError, did_you_mean
from na64.models.signals.rates import SignalRates, side_by_side
from na64.workspaces.pyhf.template import Template, TemplateBin

__all__ = ["check_parts", "combine_rates", "combine_templates", "nuisance_renamer"]


def combine_templates(
    parts: Mapping[str, Template], *, shared: Collection[str] = (), name: str | None = None
) -> Template:
    """Return one template with the bins of several.

    Parameters
    ----------
    parts
        Template by the name of the part, two or more. Bins, and the regions of the rates that
        feed them, are called ``part:bin`` and ``part:region`` afterwards.
    shared
        Nuisances that are one parameter in all parts that have them, for example ``exposure``
        of two periods with one beam monitor. Every other nuisance becomes ``part:nuisance``,
        even where names agree: nothing is correlated by accident.
    name
        Name of the combination; the names of the parts joined by ``+`` if None.

    Raises
    ------
    InputError
        For fewer than two parts, a shared nuisance that fewer than two parts have, or parts
        that hold the same data.
    """
    check_parts(parts)
    rename = nuisance_renamer(
        {part: template.nuisances for part, template in parts.items()}, shared
    )
    _refuse_the_same_data_twice(parts)
    bins = tuple(
        _renamed(item, part, rename) for part, template in parts.items() for item in template.bins
    )
    references = dict.fromkeys(
        reference for template in parts.values() for reference in template.references
    )
    return Template(
        name="+".join(parts) if name is None else name,
        bins=bins,
        references=tuple(references),
        projection=all(template.projection for template in parts.values()),
    )


def combine_rates(parts: Mapping[str, SignalRates]) -> SignalRates:
    """Return the rates that a combined template needs.

    Regions are called ``part:region`` afterwards; else as `side_by_side`.

    Raises
    ------
    InputError
        If the parts differ in mediator, masses, couplings or power.
    """
    check_parts(parts)
    regions = [f"{part}:{region}" for part, rates in parts.items() for region in rates.regions]
    return side_by_side(parts, regions)


def check_parts(parts: Mapping[str, object]) -> None:
    """Refuse fewer than two parts, and names that would not be clear in front of a colon."""
    if len(parts) < 2:
        raise InputError("a combination needs two parts or more")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", part):
            raise InputError(f"'{part}' cannot be the name of a part of a combination")


def nuisance_renamer(
    nuisances: Mapping[str, Iterable[str]], shared: Collection[str]
) -> Callable[[str, str], str]:
    """Return the function (part, nuisance) -> name in the combination.

    Parameters
    ----------
    nuisances
        Names of the nuisances of each part.
    shared
        Nuisances that keep their name.

    Raises
    ------
    InputError
        For a shared nuisance that fewer than two parts have.
    """
    owners: dict[str, list[str]] = {}
    for part, names in nuisances.items():
        for name in names:
            owners.setdefault(name, []).append(part)
    for name in shared:
        if len(owners.get(name, [])) < 2:
            where = ", ".join(owners[name]) + " only" if name in owners else "none of the parts"
            common = sorted(key for key, parts in owners.items() if len(parts) > 1)
            raise InputError(
                f"shared nuisance '{name}' is in {where}{did_you_mean(name, common)}; "
                f"in two parts or more: {', '.join(common) or 'none'}"
            )
    kept = frozenset(shared)
    return lambda part, name: name if name in kept else f"{part}:{name}"


def _refuse_the_same_data_twice(parts: Mapping[str, Template]) -> None:
    for (left, a), (right, b) in itertools.combinations(parts.items(), 2):
        here, there = _counted(a), _counted(b)
        twice = [name for name, data in here.items() if there.get(name) == data]
        if twice and not (a.projection or b.projection):
            raise InputError(
                f"{left} and {right} hold the same data: bins {', '.join(twice)} are in both"
            )


def _counted(template: Template) -> dict[str, tuple[object, ...]]:
    """Return what was counted in each channel, divided into intervals or not."""
    found: dict[str, tuple[object, ...]] = {}
    for name, places in template.channels.items():
        bins = [template.bins[place] for place in places]
        backgrounds = tuple(
            (
                parts[0].name,
                parts[0].uncertainties,
                # the sum of what was split differs from it in the last digits
                float(f"{math.fsum(sample.events for sample in parts):.9g}"),
            )
            for parts in zip(*(item.backgrounds for item in bins), strict=True)
        )
        observed = sum(item.observed for item in bins)
        found[name] = (bins[0].exposure, backgrounds, observed)
    return found


def _renamed(item: TemplateBin, part: str, rename: Callable[[str, str], str]) -> TemplateBin:
    found = item.renamed(lambda nuisance: rename(part, nuisance))
    return replace(found, name=f"{part}:{item.name}", region=f"{part}:{item.region}")
