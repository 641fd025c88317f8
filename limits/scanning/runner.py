"""Scan: from a specification to the excluded couplings, whole or in parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.large_counts import few_events_note
from na64.limits.calculators.status import BAND_ORDER, BandStatus
from na64.limits.results.axes import coupling_axis, mass_axis
from na64.limits.results.limit import Limit
from na64.limits.results.origin import GIVEN, Origin
from na64.limits.results.provenance import provenance
from na64.limits.results.specification import Specification
from na64.limits.scanning.engine import in_processes
from na64.limits.scanning.invert import invert
from na64.limits.scanning.known import Known
from na64.limits.scanning.progress import Progress, advance, silent
from na64.limits.scanning.request import Search, refines, specify
from na64.limits.scanning.settings import SETTINGS
from na64.limits.scanning.signal import ExpectedSignal, expected_signal
from na64.limits.scanning.tips import tip_masses_gev
from na64.limits.scanning.validity import card_notes, limit_warnings, toys_note
from na64.models.errors import InputError
from na64.models.signals.rates import TableStore
from na64.workspaces.cards import DEFAULT_CARD

__all__ = ["exclude", "join", "merge", "method_warnings", "run", "scan"]


def scan(
    search: Specification | Search | Sequence[Search] = DEFAULT_CARD,
    *,
    jobs: int = 1,
    tables: TableStore | None = None,
    progress: Progress = silent,
    known: Known | None = None,
    **request: Any,
) -> Limit:
    """Return the couplings that a search, or several together, exclude.

    Parameters
    ----------
    search
        A specification; or a card, the name of a shipped one, a file, or a list of them for a
        combination in one likelihood, from which `na64.limits.specify` makes one.
    jobs
        Processes that share the masses; the result does not depend on it.
    tables
        Where tables of cross-sections are kept between runs, such as
        `na64.workspaces.io.cache.TableCache`; computed anew if None.
    progress
        Called with the name of each stage as it begins.
    known
        Keeps yields and limits in events for the next scan, which has them in common if it differs
        in the exposure, the confidence level or the like; not used by several processes. The result
        is the same to the last bit.
    **request
        What `na64.limits.specify` takes: ``masses_gev``, ``grid``, ``model``, ``overrides``,
        ``shared``, ``confidence_level``, ``expected_only``, ``method`` and the settings of
        signal, dark sector and calculator. A range of masses gets more of them, also where
        excluded regions begin and end, unless ``grid`` is ``fixed``.

    Returns
    -------
    Limit
        Observed and expected limits with the specification.

    Raises
    ------
    InputError
        For anything that is not allowed: the card, a name, a value out of range.

    Examples
    --------
    The published benchmark at three masses:

    >>> import numpy as np
    >>> from na64.limits import scan
    >>> limit = scan("na64e-2016-2022", masses_gev=np.array([0.01, 0.1, 0.5]))
    >>> [status.value for status in limit.status]
    ['ok', 'ok', 'ok']
    """
    if not isinstance(search, Specification):
        tips = refines(request.get("masses_gev"), request.get("grid", "auto"))
        made = specify(search, **request)
        return run(made, jobs=jobs, tables=tables, progress=progress, tips=tips, known=known)
    if request:
        raise InputError(f"a specification has its {', '.join(request)} already; change it there")
    return run(search, jobs=jobs, tables=tables, progress=progress, known=known)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The keywords of `scan`, settings as they are declared, for people who ask for help."""
    own = [
        p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD
    ]
    words = [p for p in inspect.signature(specify).parameters.values() if p.kind is p.KEYWORD_ONLY]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in ("method", *SETTINGS)
    ]
    return inspect.Signature([own[0], *words, *named, *own[1:]], return_annotation=Limit)


scan.__signature__ = _signature(scan)  # type: ignore[attr-defined]


def run(
    specification: Specification,
    *,
    jobs: int = 1,
    tables: TableStore | None = None,
    progress: Progress = silent,
    tips: bool = False,
    known: Known | None = None,
) -> Limit:
    """Return the result of a specification, computed by one process or several.

    Parameters
    ----------
    specification, jobs, tables, progress, known
        As in `scan`.
    tips
        Whether masses are added where excluded regions begin and end, until these are known to
        half a per cent. The specification of the result has them.
    """
    if jobs < 1:
        raise InputError(f"at least one job is needed, not {jobs}")
    parts = specification.split(jobs)
    if len(parts) == 1:
        signal = expected_signal(specification, tables=tables, progress=progress, known=known)
        found = exclude(signal, progress=progress, known=known)
    else:
        progress(f"{len(parts)} processes")
        tasks = [(part, tables) for part in parts]
        masses = len(specification.masses_gev)

        def told(done: int) -> None:
            advance(progress, masses * done // len(parts), masses)

        found = merge(in_processes(_run_part, tasks, jobs, told))
    return _with_tips(found, tables, progress, known) if tips else found


def _with_tips(
    found: Limit, tables: TableStore | None, progress: Progress, known: Known | None
) -> Limit:
    """Halve the steps in which regions begin or end until they are narrow."""
    while (masses := tip_masses_gev(found)).size:
        progress("ends of regions")
        more = run(found.specification.at(masses), tables=tables, known=known)
        found = merge([found, more])
    return found


def _run_part(task: tuple[Specification, TableStore | None]) -> Limit:
    part, tables = task
    return run(part, tables=tables)


def exclude(
    signal: ExpectedSignal,
    *,
    progress: Progress = silent,
    known: Known | None = None,
    expected: bool = True,
) -> Limit:
    """Return the couplings that are excluded, given the expected signal.

    Parameters
    ----------
    signal
        From `na64.limits.scanning.signal.expected_signal`.
    progress
        Called with the name of each stage as it begins.
    known
        As in `scan`.
    expected
        Whether the expected limits are computed as well, as in
        `na64.limits.scanning.invert.invert`. Without them they are empty, as if nothing were
        excluded: a result in a hurry, that has to be followed by a whole one.
    """
    made = signal.specification
    found = invert(signal, progress=progress, known=known, expected=expected)
    limit = Limit(
        specification=made,
        x=mass_axis(made.mass_parameter),
        y=coupling_axis(made.mediator.parameter, made.mass_parameter),
        masses_gev=made.masses_gev,
        regions=found.regions,
        expected_regions=found.expected_regions,
        status=found.status,
        messages=found.messages,
        expected_status=found.expected_status,
        used=found.used,
        events_limit=found.events_limit,
        yields=found.yields,
        power=signal.rates.power,
        origin=None if signal.computed else Origin(made, GIVEN),
        provenance=provenance(workspace_digest=signal.template.digest),
        errors=found.errors,
    )
    return _warned(limit, found.warnings)


def _warned(limit: Limit, of_method: Sequence[str]) -> Limit:
    """Return a result in couplings with what its readers must know.

    Warnings of the method are those of any mass; one says the same of all.
    """
    made = limit.specification
    warnings = limit_warnings(
        made.mediator, made.dark_sector, limit.power, limit.masses_gev, limit.shown_regions
    )
    thrown = toys_note(limit.used, limit.messages)
    more = [*of_method, *card_notes(made.cards), *([thrown] if thrown else [])]
    return replace(limit, warnings=(*warnings, *more))


def method_warnings(results: Sequence[Limit]) -> list[str]:
    """Return the warnings that the method of some results gave any of them."""
    note = few_events_note(results[0].specification.calculator)
    return [note] if any(note in result.warnings for result in results) else []


def merge(results: Sequence[Limit]) -> Limit:
    """Return results of the same specification at different masses as one.

    Parameters
    ----------
    results
        Such as those of the parts of `Specification.split`, in any order.

    Returns
    -------
    Limit
        Bit for bit what the whole specification gives at once.

    Raises
    ------
    InputError
        Without a result, for specifications that differ in more than their masses, results in
        another plane than that of the coupling, and for a mass that two results have.
    """
    if not results:
        raise InputError("nothing to merge: no result given")
    first = results[0]
    masses = first.specification.masses_gev
    for other in results[1:]:
        if other.specification.at(masses) != first.specification:
            raise InputError(
                f"results of {first.specification.search} and {other.specification.search} differ "
                "in more than their masses: they cannot be merged"
            )
    if not all(result.plane.is_coupling for result in results):
        raise InputError("results are merged in the plane of the coupling, before any transform")
    if any(_origin(result, masses) != _origin(first, masses) for result in results):
        raise InputError("results that were carried over from different scans cannot be merged")
    return _warned(join(results), method_warnings(results))


def _origin(result: Limit, masses: NDArray[np.float64]) -> Origin | None:
    """Where a result comes from, at masses that all results are compared at."""
    return None if result.origin is None else result.origin.at(masses)


def join(results: Sequence[Limit]) -> Limit:
    """Return results with disjoint masses side by side, unchecked; the first says the rest."""
    first = results[0]
    masses = np.concatenate([result.specification.masses_gev for result in results])
    order = np.argsort(masses, kind="stable")

    def joined(arrays: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(np.concatenate(arrays)[order])

    def chosen(lists: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
        whole = [item for items in lists for item in items]
        return tuple(whole[row] for row in order.tolist())

    noisy = any(result.errors is not None for result in results)
    errors = [
        np.full((1 + len(BAND_ORDER), len(result.masses_gev)), np.nan)
        if result.errors is None
        else result.errors
        for result in results
    ]
    together = masses[order]
    return replace(
        first,
        specification=first.specification.at(together),
        origin=None if first.origin is None else first.origin.at(together),
        masses_gev=joined([result.masses_gev for result in results]),
        regions=chosen([result.regions for result in results]),
        expected_regions=tuple(
            chosen([result.expected_regions[band] for result in results])
            for band in range(len(first.expected_regions))
        ),
        status=chosen([result.status for result in results]),
        messages=chosen([result.messages for result in results]),
        expected_status=_bands_joined(results, chosen),
        used=_used(results, chosen),
        events_limit=joined([result.events_limit for result in results]),
        yields={name: joined([result.yields[name] for result in results]) for name in first.yields},
        errors=np.concatenate(errors, axis=1)[:, order] if noisy else None,
    )


def _bands_joined(
    results: Sequence[Limit], chosen: Callable[[Sequence[Sequence[Any]]], tuple[Any, ...]]
) -> BandStatus | None:
    """Return the states of the bands side by side; None if a result does not have them."""
    bands = [result.expected_status for result in results]
    known = [band for band in bands if band is not None]
    if len(known) < len(bands):
        return None
    return tuple(chosen([band[k] for band in known]) for k in range(len(BAND_ORDER)))


def _used(
    results: Sequence[Limit], chosen: Callable[[Sequence[Sequence[Any]]], tuple[Any, ...]]
) -> tuple[str, ...]:
    """Return which methods were used, one per mass; none named where no result names any."""
    if not any(result.used for result in results):
        return ()
    return chosen([result.used or ("",) * len(result.masses_gev) for result in results])
