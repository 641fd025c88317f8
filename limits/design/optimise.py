"""The best cut of a search: its signal and its background against the energy in the calorimeter.

An event of a missing-energy search is selected when the calorimeter sees less than the cut. For
every cut the signal of the card is computed with the window that belongs to it, the background
is taken from the card's spectrum or from a fit to a sideband, and the expected limit is that of
one count of all bins together. The efficiency is taken not to depend on the cut.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Exact
from na64.limits.design.cuts import CutScan, optimise_cut
from na64.limits.design.sideband import fit_sideband
from na64.limits.scanning.signal import ExpectedSignal, Settings, expected_signal, find_card
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.models.setup import MissingEnergyWindow
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.card import RunCard

__all__ = ["SearchCuts", "Sideband", "check_cuts", "optimise_search"]

Array = NDArray[np.float64]

#: what is used unless told otherwise
_EXACT = Exact()


@dataclass(frozen=True, slots=True)
class Sideband:
    """Binned spectrum beside the signal box, of the card's whole exposure.

    Attributes
    ----------
    edges_gev
        Edges of the bins, increasing, shape (n + 1,), above all cuts.
    events
        Events per bin, shape (n,).
    shape
        Form of the spectrum, see `na64.limits.design.sideband.fit_sideband`.
    """

    edges_gev: Array
    events: Array
    shape: str = "exponential"


@dataclass(frozen=True, slots=True)
class SearchCuts:
    """Expected limits of a search against the cut on the energy in the calorimeter.

    Attributes
    ----------
    search, title, digest
        Name, title and digest of the card.
    model, parameter, power
        The mediator, its coupling, and the power with which events go.
    mass_parameter, mass_gev
        Mass of the mediator and how it is written on an axis.
    scan
        Signal at coupling one, background, expected limit in mu = coupling^power and in events.
    couplings
        Expected limit on the coupling, shape (K,).
    background_uncertainty
        Relative uncertainty of the background, shape (K,).
    background_source
        ``card``, or the form of the fit to the sideband.
    background_factor
        What the background was multiplied by.
    efficiency_uncertainty
        Relative uncertainty of the signal.
    """

    search: str
    title: str
    digest: str
    model: str
    parameter: str
    power: float
    mass_parameter: str
    mass_gev: float
    scan: CutScan
    couplings: Array
    background_uncertainty: Array
    background_source: str
    background_factor: float
    efficiency_uncertainty: float


def optimise_search(
    search: str | os.PathLike[str] | RunCard,
    cuts_gev: ArrayLike,
    *,
    mass_gev: float,
    sideband: Sideband | None = None,
    background_factor: float = 1.0,
    efficiency_uncertainty: float | None = None,
    confidence_level: float = 0.9,
    merit: str = "mean",
    calculator: Calculator = _EXACT,
    model: str | Mediator | None = None,
    settings: Settings | None = None,
    overrides: Sequence[str] = (),
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> SearchCuts:
    """Return the expected limit for every cut on the energy in the calorimeter.

    Parameters
    ----------
    search
        A missing-energy card, or the name of a shipped one, or a file.
    cuts_gev
        Largest energies in the calorimeter, increasing, shape (K,), below the beam energy.
    mass_gev
        Mass of the mediator.
    sideband
        Spectrum from which the background is extrapolated; None for the card's table
        ``[background_spectrum]``.
    background_factor
        Multiplies the background.
    efficiency_uncertainty
        Relative uncertainty of the signal; None for that of the card: its nuisances, each
        averaged over bins with the weight of their signal, in quadrature.
    confidence_level, merit, calculator
        As in `na64.limits.design.cuts.optimise_cut`.
    model, settings, overrides, tables, progress
        As in `na64.limits.scanning.signal.expected_signal`.

    Raises
    ------
    InputError
        For another kind of search, a cut out of range, or no background to use.
    """
    card = find_card(search, overrides)
    cuts = check_cuts(card, cuts_gev)
    if not (math.isfinite(background_factor) and background_factor >= 0.0):
        raise InputError(
            f"the factor of the background must not be negative, is {background_factor:g}"
        )
    progress("background")
    background, uncertainty, source = _background(card, cuts, sideband)
    signals = []
    for cut in cuts.tolist():
        progress(f"signal of the cut {cut:g} GeV")
        signal = expected_signal(
            _with_cut(card, cut),
            masses_gev=[mass_gev],
            model=model,
            settings=settings,
            tables=tables,
        )
        signals.append(float(signal.at_coupling(1.0).sum()))
    power = signal.rates.power
    if power is None:  # missing energy: emission and annihilation go with coupling^2
        raise InputError(f"the signal in {card.name} is no power of {signal.rates.parameter}")
    if efficiency_uncertainty is None:
        efficiency_uncertainty = _signal_uncertainty(signal)
    progress("expected limits")
    scan = optimise_cut(
        cuts,
        signals,
        background_factor * background,
        background_uncertainty=uncertainty,
        efficiency_uncertainty=efficiency_uncertainty,
        confidence_level=confidence_level,
        merit=merit,
        calculator=calculator,
    )
    return SearchCuts(
        search=card.name,
        title=card.title,
        digest=card.digest,
        model=signal.rates.mediator,
        parameter=signal.rates.parameter,
        power=power,
        mass_parameter=card.mass_parameter,
        mass_gev=float(mass_gev),
        scan=scan,
        couplings=np.asarray(scan.expected ** (1.0 / power)),
        background_uncertainty=uncertainty,
        background_source=source,
        background_factor=background_factor,
        efficiency_uncertainty=efficiency_uncertainty,
    )


def check_cuts(card: RunCard, cuts_gev: ArrayLike) -> Array:
    """Return the cuts as an array; refuse those that mean nothing for a card.

    Raises
    ------
    InputError
        For a card without a cut on missing energy, or a cut that is not between zero and the
        beam energy, or not above the one before.
    """
    cuts = np.atleast_1d(np.asarray(cuts_gev, float))
    for name in card.used_setups:
        setup = card.setups[name]
        if not isinstance(setup.window, MissingEnergyWindow):
            raise InputError(f"{card.name}: a cut is optimised for a window on the missing energy")
        energy = setup.beam.energy_gev
        for cut in cuts.tolist():
            if not cut > 0.0:
                raise InputError(f"a cut of {cut:g} GeV is not positive")
            if not cut < energy:
                raise InputError(
                    f"a cut of {cut:g} GeV is not below the beam energy of {energy:g} GeV"
                )
    if cuts.ndim != 1 or np.any(np.diff(cuts) <= 0.0):
        raise InputError("cuts must increase, each given once")
    return cuts


def _with_cut(card: RunCard, cut: float) -> RunCard:
    """Return the card with another cut on the energy in the calorimeter."""
    setups = {}
    for name, setup in card.setups.items():
        window = replace(setup.window, missing_energy_gev=setup.beam.energy_gev - cut)
        setups[name] = replace(setup, window=window)
    return replace(card, setups=setups)


def _background(card: RunCard, cuts: Array, sideband: Sideband | None) -> tuple[Array, Array, str]:
    """Return the events below each cut, their relative uncertainty, and where they come from."""
    if sideband is not None:
        fits = [
            fit_sideband(
                sideband.edges_gev, sideband.events, box_gev=(0.0, cut), shape=sideband.shape
            )
            for cut in cuts.tolist()
        ]
        return (
            np.array([fit.prediction for fit in fits]),
            np.array([fit.relative_uncertainty for fit in fits]),
            sideband.shape,
        )
    spectrum = card.background_spectrum
    if spectrum is None:
        raise InputError(
            f"{card.name} has no table [background_spectrum]: add it, or give a sideband"
        )
    return spectrum.below(cuts), np.full(len(cuts), spectrum.relative_uncertainty), "card"


def _signal_uncertainty(signal: ExpectedSignal) -> float:
    """Return the relative uncertainty of the sum over bins and processes, to first order."""
    events = signal.at_coupling(1.0)[0]
    effects: dict[str, float] = {}
    for p, process in enumerate(signal.rates.processes):
        for b, item in enumerate(signal.template.bins):
            for nuisance, relative in item.signal_factors(process):
                effects[nuisance] = effects.get(nuisance, 0.0) + float(events[p, b]) * relative
    return math.hypot(*effects.values()) / float(events.sum()) if effects else 0.0
