"""Scan: from a search and a mediator to the excluded couplings over a grid of masses."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from numpy.typing import ArrayLike

from na64.limits.calculators.registry import DEFAULT_TOYS, METHODS
from na64.limits.results.limit import BAND_ORDER, Exclusion
from na64.limits.results.provenance import provenance
from na64.limits.scanning.invert import invert
from na64.limits.scanning.signal import ExpectedSignal, Settings, expected_signal
from na64.limits.scanning.validity import limit_warnings
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.naming import mass_name
from na64.models.mediators.protocol import Mediator
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.card import RunCard

__all__ = ["exclude", "scan"]


def scan(
    search: str | os.PathLike[str] | RunCard = "na64e-2016-2022",
    *,
    masses_gev: ArrayLike | None = None,
    model: str | Mediator | None = None,
    confidence_level: float = 0.9,
    method: str = "exact",
    production: str = "etl",
    alpha_d: float = 0.1,
    ratio: float = 3.0,
    dark_matter: str | None = None,
    splitting: float = 0.0,
    annihilation: bool = True,
    inelastic: bool = True,
    initial_state_radiation: bool = False,
    invisible_branching: float = 0.0,
    overrides: Sequence[str] = (),
    expected_only: bool = False,
    toys: int = DEFAULT_TOYS,
    seed: int = 1,
    ensemble: str = "aux-fixed",
    jobs: int = 1,
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> Exclusion:
    """Return the couplings that a search excludes.

    Parameters
    ----------
    search
        A card, or the name of a shipped one, or a file.
    masses_gev
        Mediator masses, increasing, shape (M,); the card's grid if None.
    model
        The mediator or its name; the card's if None.
    confidence_level
        Between 0 and 1; NA64 quotes 0.9.
    method
        Calculator of the CLs: ``exact``, ``asymptotic`` or ``toys``.
    production
        Approximation of the cross-section: ``etl``, ``ww`` or ``iww``.
    alpha_d, ratio, dark_matter
        Dark sector: g_D^2/(4 pi), m_mediator/m_chi above 2, and the species; ``none`` for a
        mediator with no dark matter, which is the default if it decays to neutrinos.
    splitting
        Relative mass splitting of pseudo-Dirac dark matter.
    annihilation, inelastic, initial_state_radiation
        Whether the resonance of e+ e-, inelastic scattering off nuclei, and initial-state
        radiation of the resonance are included.
    invisible_branching
        Branching ratio to states that nothing sees, of a particle that decays in flight.
    overrides
        ``path=value`` settings on top of the card, such as ``bins.0.exposure=1e13``.
    expected_only
        Whether the data are left alone and only expected limits computed.
    toys, seed, ensemble, jobs
        For the method ``toys``, as in `na64.limits.calculators.upper_limits`.
    tables
        Where tables of cross-sections are kept between runs, such as
        `na64.workspaces.io.cache.TableCache`; computed anew if None.
    progress
        Called with the name of each stage as it begins.

    Returns
    -------
    Exclusion
        Observed and expected limits with their provenance.

    Raises
    ------
    InputError
        For anything that is not allowed: the card, a name, a value out of range.

    Examples
    --------
    The published benchmark at three masses:

    >>> import numpy as np
    >>> from na64.limits import scan
    >>> exclusion = scan("na64e-2016-2022", masses_gev=np.array([0.01, 0.1, 0.5]))
    >>> [status.value for status in exclusion.status]
    ['ok', 'ok', 'ok']
    """
    settings = Settings(
        production=production,
        alpha_d=alpha_d,
        ratio=ratio,
        dark_matter=dark_matter,
        splitting=splitting,
        annihilation=annihilation,
        inelastic=inelastic,
        initial_state_radiation=initial_state_radiation,
        invisible_branching=invisible_branching,
    )
    check_calculator(method, confidence_level)
    signal = expected_signal(
        search,
        masses_gev=masses_gev,
        model=model,
        settings=settings,
        overrides=overrides,
        tables=tables,
        progress=progress,
    )
    return exclude(
        signal,
        confidence_level=confidence_level,
        method=method,
        expected_only=expected_only,
        toys=toys,
        seed=seed,
        ensemble=ensemble,
        jobs=jobs,
        progress=progress,
    )


def check_calculator(method: str, confidence_level: float) -> None:
    """Refuse an unknown method, or a confidence level that is not between 0 and 1."""
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if not 0.0 < confidence_level < 1.0:
        raise InputError(f"confidence level must be between 0 and 1, is {confidence_level:g}")


def exclude(
    signal: ExpectedSignal,
    *,
    confidence_level: float = 0.9,
    method: str = "exact",
    expected_only: bool = False,
    toys: int = DEFAULT_TOYS,
    seed: int = 1,
    ensemble: str = "aux-fixed",
    jobs: int = 1,
    progress: Callable[[str], object] = lambda label: None,
) -> Exclusion:
    """Return the couplings that are excluded, given the expected signal.

    Parameters
    ----------
    signal
        From `expected_signal`.
    confidence_level, method, expected_only, toys, seed, ensemble, jobs, progress
        As in `scan`.
    """
    check_calculator(method, confidence_level)
    card, template, rates = signal.card, signal.template, signal.rates
    settings, sector = signal.settings, signal.settings.dark_sector()
    only_expected = expected_only or template.projection
    found = invert(
        signal,
        confidence_level=confidence_level,
        method=method,
        observed=not only_expected,
        toys=toys,
        seed=seed,
        ensemble=ensemble,
        jobs=jobs,
        progress=progress,
    )
    median = found.expected_regions[BAND_ORDER.index(0)]
    warnings = limit_warnings(
        signal.mediator,
        sector,
        rates.power,
        rates.masses_gev,
        median if only_expected else found.regions,
    )
    return Exclusion(
        search=card.name,
        title=card.title,
        model=rates.mediator,
        parameter=rates.parameter,
        power=rates.power,
        mass_parameter=mass_name(signal.mediator, card.mass_parameter),
        confidence_level=confidence_level,
        method=method,
        production=settings.production,
        alpha_d=None if sector is None else sector.alpha_d,
        ratio=None if sector is None else sector.ratio,
        dark_matter=None if sector is None else sector.species.value,
        masses_gev=rates.masses_gev,
        regions=found.regions,
        expected=found.expected,
        events_limit=found.events_limit,
        yields=found.yields,
        status=found.status,
        expected_only=only_expected,
        ensemble=found.ensemble,
        seed=found.seed,
        toys=found.toys,
        expected_regions=median,
        options={
            "splitting": settings.splitting,
            "annihilation": settings.annihilation,
            "inelastic": settings.inelastic,
            "initial_state_radiation": settings.initial_state_radiation,
            **({} if settings.primary_positrons else {"primary_positrons": False}),
            **(
                {"invisible_branching": settings.invisible_branching}
                if settings.invisible_branching
                else {}
            ),
        },
        provenance=provenance(
            card=card.to_dict(),
            card_digest=card.digest,
            template_digest=template.digest,
            messages=[message for message in found.messages if message],
            warnings=warnings,
        ),
    )
