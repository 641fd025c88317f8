"""The best cut of a search: its signal and its background against the energy in the calorimeter.

An event of a missing-energy search is selected when the calorimeter sees less than the cut. For
every cut the signal of the card is computed with the window that belongs to it, the background
is taken from the card's spectrum or from a fit to a sideband, and the expected limit is that of
one count of all bins together. The efficiency is taken not to depend on the cut.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.design.cuts import CutScan, optimise_cut
from na64.limits.design.sideband import fit_sideband
from na64.limits.results.specification import Specification
from na64.limits.scanning.progress import Progress, advance, silent
from na64.limits.scanning.signal import ExpectedSignal, expected_signal
from na64.models.errors import InputError
from na64.models.response.windows import MissingEnergyWindow
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.bins import DEFAULT_SETUP
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import parse_card
from na64.workspaces.cards.spectrum import BackgroundSpectrum
from na64.workspaces.io.jsonio import canonical_json

__all__ = [
    "Background",
    "SearchCuts",
    "Sideband",
    "check_cuts",
    "optimise_search",
    "usual_cuts",
    "usual_mass",
]

Array = NDArray[np.float64]

#: cuts over the background spectrum of a card, evenly spaced
_CUTS: Final = 17
#: how much worse than the best a limit on the coupling may be that is called as good
_FLAT: Final = 0.01


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
class Background:
    """Where the background of every cut comes from.

    Attributes
    ----------
    sideband
        Spectrum from which it is extrapolated; None for the card's table
        ``[background_spectrum]``.
    factor
        Multiplies it; not negative.
    """

    sideband: Sideband | None = None
    factor: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor >= 0.0):
            raise InputError(
                f"the factor of the background must not be negative, is {self.factor:g}"
            )


@dataclass(frozen=True, slots=True)
class SearchCuts:
    """Expected limits of a search against the cut on the energy in the calorimeter.

    Attributes
    ----------
    specification
        Of the search, at one mass and with its own cut.
    power
        With which power of the coupling events go.
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

    specification: Specification
    power: float
    scan: CutScan
    couplings: Array
    background_uncertainty: Array
    background_source: str
    background_factor: float
    efficiency_uncertainty: float

    @property
    def flat_gev(self) -> tuple[float, float]:
        """Smallest and largest cut whose limit on the coupling is within 1 % of the best."""
        good = self.scan.cuts[self.couplings <= (1.0 + _FLAT) * self.couplings.min()]
        return float(good[0]), float(good[-1])


def usual_mass(card: RunCard) -> float:
    """Return the geometric middle of a card's masses, in GeV."""
    return math.sqrt(card.masses.low_gev * card.masses.high_gev)


def usual_cuts(card: RunCard) -> Array:
    """Return 17 cuts over the background spectrum of a card, in GeV.

    Raises
    ------
    InputError
        For a card without one.
    """
    energies = _spectrum(card).energies_gev
    return np.linspace(energies[0], energies[-1], _CUTS)


def optimise_search(
    specification: Specification,
    cuts_gev: ArrayLike,
    *,
    background: Background | None = None,
    efficiency_uncertainty: float | None = None,
    merit: str = "mean",
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> SearchCuts:
    """Return the expected limit for every cut on the energy in the calorimeter.

    Parameters
    ----------
    specification
        One missing-energy search at one mass, with the calculator and the confidence level.
    cuts_gev
        Largest energies in the calorimeter, increasing, shape (K,), below the beam energy.
    background
        Where the background comes from; the card if None.
    efficiency_uncertainty
        Relative uncertainty of the signal; None for that of the card: its nuisances, each
        averaged over bins with the weight of their signal, in quadrature.
    merit
        As in `na64.limits.design.cuts.optimise_cut`.
    tables, progress
        As in `na64.limits.scan`.

    Raises
    ------
    InputError
        For several searches or masses, another kind of search, a cut out of range, or no
        background to use.
    """
    if len(specification.cards) > 1:
        raise InputError("a cut is optimised for one search, not for a combination")
    if len(specification.masses_gev) > 1:
        raise InputError("the best cut is that of one mass")
    (card,) = specification.cards
    cuts = check_cuts(card, cuts_gev)
    wanted = background or Background()
    progress("background")
    events, uncertainty, source = _background(card, cuts, wanted.sideband)
    signals = []
    progress("signals of cuts")
    for cut in cuts.tolist():
        signal = expected_signal(
            replace(specification, cards=(_with_cut(card, cut),)), tables=tables
        )
        signals.append(float(signal.at_coupling(1.0).sum()))
        advance(progress, len(signals), len(cuts))
    power = signal.rates.power
    if power is None:  # missing energy: emission and annihilation go with coupling^2
        raise InputError(f"the signal in {card.name} is no power of {signal.rates.parameter}")
    if efficiency_uncertainty is None:
        efficiency_uncertainty = _signal_uncertainty(signal)
    progress("expected limits")
    scan = optimise_cut(
        cuts,
        signals,
        wanted.factor * events,
        background_uncertainty=uncertainty,
        efficiency_uncertainty=efficiency_uncertainty,
        confidence_level=specification.confidence_level,
        merit=merit,
        calculator=specification.calculator,
    )
    return SearchCuts(
        specification=specification,
        power=power,
        scan=scan,
        couplings=np.asarray(scan.expected ** (1.0 / power)),
        background_uncertainty=uncertainty,
        background_source=source,
        background_factor=wanted.factor,
        efficiency_uncertainty=efficiency_uncertainty,
    )


def check_cuts(card: RunCard, cuts_gev: ArrayLike) -> Array:
    """Return the cuts as an array; refuse those that mean nothing for a card.

    Raises
    ------
    InputError
        For a card without a cut on missing energy, or with a spectrum of it or a simulated yield,
        or a cut that is not between zero and the beam energy, or not above the one before.
    """
    cuts = np.atleast_1d(np.asarray(cuts_gev, float))
    if divided := [item.name for item in card.bins if item.edges_gev]:
        raise InputError(
            f"{card.name}: a cut is optimised for single counts; {', '.join(divided)} has "
            "edges_gev, whose intervals weigh signal against background by themselves"
        )
    if simulated := [item.name for item in card.bins if item.simulated_yield is not None]:
        raise InputError(
            f"{card.name}: the yield of bin {simulated[0]} is from a simulation, of one cut"
        )
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
    document: dict[str, Any] = copy.deepcopy(card.to_dict())
    for name, setup in card.setups.items():
        tables = document if name == DEFAULT_SETUP else document["setups"][name]
        tables["window"] = {
            **tables.get("window", document["window"]),
            "missing_energy_gev": setup.beam.energy_gev - cut,
        }
    name = f"{card.name} with another cut"
    return parse_card(canonical_json(document), name, json=True, files=False)


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
    spectrum = _spectrum(card)
    return spectrum.below(cuts), np.full(len(cuts), spectrum.relative_uncertainty), "card"


def _spectrum(card: RunCard) -> BackgroundSpectrum:
    if card.background_spectrum is None:
        raise InputError(
            f"{card.name} has no table [background_spectrum]: add it, or give a sideband with cuts"
        )
    return card.background_spectrum


def _signal_uncertainty(signal: ExpectedSignal) -> float:
    """Return the relative uncertainty of the sum over bins and processes, to first order."""
    events = signal.at_coupling(1.0)[0]
    template = signal.template.at_mass(signal.rates, 0, signal.accepted)
    effects: dict[str, float] = {}
    for p, process in enumerate(signal.rates.processes):
        for b, item in enumerate(template.bins):
            simulated = [(part.nuisance, part.hi - 1.0) for part in item.simulated.factors]
            for nuisance, relative in (*item.signal_factors(process), *simulated):
                effects[nuisance] = effects.get(nuisance, 0.0) + float(events[p, b]) * relative
    return math.hypot(*effects.values()) / float(events.sum()) if effects else 0.0
