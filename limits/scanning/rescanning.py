"""A stored scan for another dark sector: from its yields where they carry it, else anew."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.results.limit import Exclusion
from na64.limits.scanning.combination import combined_signal
from na64.limits.scanning.recast import NotCarriedError, recast
from na64.limits.scanning.runner import chosen_calculator, exclude
from na64.limits.scanning.signal import NO_DARK_MATTER, Settings, expected_signal
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import parse_card
from na64.workspaces.cards.topologies import topology
from na64.workspaces.io.jsonio import canonical_json

__all__ = ["at_sector", "check_dark_sector", "dark_sector_of", "mediator_of", "repeat_scan"]

#: free parameters that are no dimensionless coupling of a mediator of dark matter
_NO_COUPLING: Final = ("g_agg", "br")


def check_dark_sector(exclusion: Exclusion) -> None:
    """Refuse a scan whose signal does not know of dark matter.

    Raises
    ------
    InputError
        If a search of the scan has a topology without a dark sector, such as ``visible``, or the
        free parameter is not a dimensionless coupling.
    """
    card = exclusion.provenance.get("card", {})
    for part in card.get("combination", [card]):
        kind = part.get("topology")
        if kind and "dark_sector" not in inspect.signature(topology(kind).signal()).parameters:
            raise InputError(
                f"the scan of {exclusion.search} has nothing to do with dark matter: the signal of "
                f"the topology '{kind}' does not depend on it"
            )
    if exclusion.parameter in _NO_COUPLING:
        raise InputError(
            f"the scan of {exclusion.search} limits {exclusion.parameter}, not the coupling of a "
            "mediator to dark matter"
        )


def dark_sector_of(exclusion: Exclusion) -> DarkSector | None:
    """Return the dark sector of a scan, None if there is none."""
    if exclusion.dark_matter is None or exclusion.alpha_d is None or exclusion.ratio is None:
        return None
    return DarkSector(
        DarkMatter(exclusion.dark_matter),
        exclusion.alpha_d,
        exclusion.ratio,
        float(exclusion.options.get("splitting", 0.0)),
    )


def mediator_of(exclusion: Exclusion, given: Mediator | None = None) -> Mediator:
    """Return the mediator of a scan by its name, or the one that is given if it is that one."""
    if given is None:
        return mediator(exclusion.model)
    if given.name != exclusion.model:
        raise InputError(f"the scan is of the model '{exclusion.model}', not of '{given.name}'")
    return given


def at_sector(
    exclusion: Exclusion,
    portal: Mediator,
    sector: DarkSector,
    *,
    repeat: bool,
    leave_out: bool = False,
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> tuple[Exclusion, NDArray[np.float64]]:
    """Return a scan as it would be for another dark sector.

    Parameters
    ----------
    exclusion, portal
        The scan and its mediator.
    sector
        The other dark sector.
    repeat
        Whether masses at which the stored yields cannot carry the change are scanned anew, from
        the card stored with the scan; otherwise they are refused.
    leave_out
        Whether such masses are left out of the result instead.
    tables, progress
        As in `na64.limits.scan`.

    Returns
    -------
    Exclusion
        At the same masses, or those that are left.
    ndarray
        Masses that were scanned anew.

    Raises
    ------
    InputError
        If the yields cannot carry the change and ``repeat`` is False: the message of
        `na64.limits.scanning.recast.recast`, which names the scan to run. If the scan holds no
        card, or the change is not allowed.
    """
    if dark_sector_of(exclusion) == sector:
        return exclusion, np.array([])
    words: dict[str, Any] = {
        "original": portal,
        "dark_matter": sector.species.value,
        "alpha_d": sector.alpha_d,
        "ratio": sector.ratio,
        "splitting": sector.splitting,
    }
    if not repeat:
        try:
            return recast(exclusion, portal, leave_out=leave_out, **words), np.array([])
        except NotCarriedError as error:
            raise InputError(f"{error}, or scan anew where it is needed (--recompute)") from error
    try:
        kept = recast(exclusion, portal, leave_out=True, **words)
    except NotCarriedError:
        kept = None
    masses = exclusion.masses_gev
    lost = masses if kept is None else masses[~np.isin(masses, kept.masses_gev)]
    if not lost.size and kept is not None:
        return kept, lost
    again = repeat_scan(exclusion, portal, sector, lost, tables=tables, progress=progress)
    return (again if kept is None else _merged(kept, again)), lost


def repeat_scan(
    exclusion: Exclusion,
    portal: Mediator,
    sector: DarkSector | None,
    masses_gev: NDArray[np.float64],
    *,
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> Exclusion:
    """Scan with the card and the settings of a stored scan, for a dark sector and masses.

    Raises
    ------
    InputError
        If the scan does not hold its card.
    """
    document = exclusion.provenance.get("card")
    if not isinstance(document, Mapping):
        raise InputError("the scan does not hold its card, so that it cannot be repeated")
    known = {item.name for item in fields(Settings)}
    options: dict[str, Any] = {
        name: value for name, value in exclusion.options.items() if name in known
    }
    settings = Settings(
        **{**options, "production": exclusion.production, "dark_matter": NO_DARK_MATTER}
    )
    if sector is not None:
        settings = replace(
            settings,
            dark_matter=sector.species.value,
            alpha_d=sector.alpha_d,
            ratio=sector.ratio,
            splitting=sector.splitting,
        )
    common: dict[str, Any] = {
        "masses_gev": masses_gev,
        "model": portal,
        "settings": settings,
        "tables": tables,
        "progress": progress,
    }
    if "combination" in document:
        cards = [_card(part) for part in document["combination"]]
        signal = combined_signal(cards, shared=document["shared"], **common)
    else:
        signal = expected_signal(_card(document), **common)
    toys: dict[str, Any] = {
        name: value
        for name, value in (
            ("toys", exclusion.toys),
            ("seed", exclusion.seed),
            ("ensemble", exclusion.ensemble),
        )
        if value is not None
    }
    return exclude(
        signal,
        confidence_level=exclusion.confidence_level,
        calculator=chosen_calculator(exclusion.method, **toys),
        expected_only=exclusion.expected_only,
        progress=progress,
    )


def _card(document: Mapping[str, Any]) -> RunCard:
    return parse_card(canonical_json(document), f"card of {document.get('name')}", json=True)


def _merged(first: Exclusion, second: Exclusion) -> Exclusion:
    """Return two scans of the same kind at different masses as one."""
    order = np.argsort(np.concatenate([first.masses_gev, second.masses_gev]), kind="stable")

    def joined(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([a, b], axis=-1)[..., order]

    def chosen(a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple((*a, *b)[row] for row in order) if a and b else ()

    return replace(
        first,
        masses_gev=joined(first.masses_gev, second.masses_gev),
        regions=chosen(first.regions, second.regions),
        expected_regions=chosen(first.expected_regions, second.expected_regions),
        expected=joined(first.expected, second.expected),
        events_limit=joined(first.events_limit, second.events_limit),
        yields={name: joined(values, second.yields[name]) for name, values in first.yields.items()},
        status=chosen(first.status, second.status),
        provenance={
            **first.provenance,
            "warnings": [
                *first.provenance.get("warnings", ()),
                *second.provenance.get("warnings", ()),
            ],
        },
    )
