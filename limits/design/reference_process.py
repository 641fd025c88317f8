"""Efficiency correction from a reference process: data over simulation, bin by bin.

NA64 checks its signal efficiency with dimuons, gamma -> mu+ mu- of hard bremsstrahlung photons:
rare, well known, and selected by the same detectors. `reference_yields` expects them for the bins
of a run card. The ratio of observed to simulated dimuons in each intensity bin corrects the
simulated signal efficiency of that bin. Its statistical uncertainty is independent in every bin;
what the ratios scatter beyond that, and the uncertainty of the simulation itself, is common and
enters the run card as one correlated nuisance.

References
----------
NA64, arXiv:1710.00971: dimuons as the reference process of the 2016 run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from na64.models.errors import InputError, unknown_name
from na64.models.signals import dimuons
from na64.models.signals.dimuons import DimuonRates, DimuonSelection
from na64.workspaces.cards.card import RunCard

__all__ = [
    "REFERENCE_PROCESSES",
    "ReferenceCorrection",
    "ReferenceProcess",
    "ReferenceYields",
    "reference_correction",
    "reference_yields",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReferenceProcess:
    """A process that is known well enough to check a search with.

    Attributes
    ----------
    processes
        Names of the ways in which its events are made.
    relative_uncertainty
        Of its rate per particle on target.
    rates
        rates(beam, target, selection, inelastic=...) of a setup, ``events`` by way.
    """

    processes: tuple[str, ...]
    relative_uncertainty: float
    rates: Callable[..., DimuonRates]


#: every reference process by name
REFERENCE_PROCESSES: Final[Mapping[str, ReferenceProcess]] = {
    "dimuons": ReferenceProcess(
        dimuons.PROCESSES, dimuons.RELATIVE_UNCERTAINTY, dimuons.dimuon_rates
    ),
}


@dataclass(frozen=True, slots=True)
class ReferenceCorrection:
    """Factors on the simulated efficiency, and how well they are known.

    Attributes
    ----------
    ratios
        Data over simulation per bin, shape (B,).
    statistical
        Their relative uncertainties, independent between bins, shape (B,).
    scatter
        Relative spread of the ratios beyond their statistics; zero if they agree.
    common
        Relative uncertainty shared by all bins: scatter and simulation in quadrature.
    mean
        Weighted mean of the ratios.
    p_value
        Probability of a larger chi-squared if the ratios were one number.
    """

    ratios: Array
    statistical: Array
    scatter: float
    common: float
    mean: float
    p_value: float

    def apply(self, efficiency: float) -> list[str]:
        """Return the corrected efficiency of every bin as run-card entries, in TOML.

        Parameters
        ----------
        efficiency
            Simulated efficiency, in (0, 1].

        Returns
        -------
        list of str
            One line per bin. A card has one uncertainty per efficiency: the statistical one of
            the bin is added in quadrature to the common one, and all is correlated under the
            name ``efficiency``, which is on the safe side.

        Raises
        ------
        InputError
            If a corrected efficiency is not in (0, 1].
        """
        lines = []
        for i, (ratio, relative) in enumerate(
            zip(self.ratios.tolist(), self.statistical.tolist(), strict=True)
        ):
            value = efficiency * ratio
            if not 0.0 < value <= 1.0:
                raise InputError(f"corrected efficiency of bin {i} is {value:g}, not in (0, 1]")
            lines.append(
                f"efficiency = {{ value = {value:.4g}, "
                f"relative_uncertainty = {math.hypot(self.common, relative):.3g}, "
                f'correlation = "efficiency", source = "simulation {efficiency:g} times '
                f"{ratio:.3f} +- {ratio * relative:.3f} (statistics) from the reference process, "
                f'common uncertainty {100 * self.common:.1f} %" }}'
            )
        return lines

    def card_entries(self, name: str) -> list[str]:
        """Return the ratios as corrections of the efficiency in a run card, in TOML.

        Parameters
        ----------
        name
            Of the reference process; names the nuisance too.

        Returns
        -------
        list of str
            One line per ratio, ``efficiency_correction = ...``, with the uncertainties of `apply`.
        """
        lines = []
        for ratio, relative in zip(self.ratios.tolist(), self.statistical.tolist(), strict=True):
            uncertainty = ratio * math.hypot(self.common, relative)
            lines.append(
                f"efficiency_correction = {{ value = {ratio:.4g}, uncertainty = {uncertainty:.2g}, "
                f'correlation = "{name}", source = "{name}, data over simulation: '
                f"{ratio:.3f} +- {ratio * relative:.3f} (statistics) "
                f'+- {ratio * self.common:.3f} (common)" }}'
            )
        return lines


@dataclass(frozen=True, slots=True)
class ReferenceYields:
    """Events of a reference process that a run card expects.

    Attributes
    ----------
    process
        Name of the reference process.
    setups
        Rates of each setup that the card uses, by its name.
    bins
        Names of the bins.
    per_particle
        Events per particle on target, before any efficiency, by bin and way, shape (B, P).
    exposures
        Particles on target by bin, shape (B,).
    distinct
        Whether a bin counts particles of its own: regions of one data set share theirs, shape
        (B,).
    efficiency
        Of the detector for events of the selection.
    """

    process: str
    setups: Mapping[str, DimuonRates]
    bins: tuple[str, ...]
    per_particle: Array
    exposures: Array
    distinct: NDArray[np.bool_]
    efficiency: float

    @property
    def expected(self) -> Array:
        """Expected events by bin, shape (B,)."""
        return np.asarray(self.efficiency * self.exposures * self.per_particle.sum(axis=1))

    @property
    def total(self) -> float:
        """Expected events of all particles on target."""
        return float(self.expected[self.distinct].sum())

    def compare(
        self, observed: ArrayLike, *, simulation_uncertainty: float | None = None
    ) -> ReferenceCorrection:
        """Return data over simulation.

        Parameters
        ----------
        observed
            Observed events, positive: one number per bin, or one for all bins together.
        simulation_uncertainty
            Relative uncertainty of what is expected, common to all bins; that of the rate per
            particle on target if None.

        Raises
        ------
        InputError
            For another number of numbers, or a value that is not allowed.
        """
        data = np.atleast_1d(np.asarray(observed, dtype=np.float64))
        if data.shape not in ((1,), (len(self.bins),)):
            raise InputError(
                f"{data.size} observed numbers of events for {len(self.bins)} bins: give one of "
                "each bin, or their sum"
            )
        simulated = self.expected if len(data) == len(self.bins) else [self.total]
        if simulation_uncertainty is None:
            simulation_uncertainty = REFERENCE_PROCESSES[self.process].relative_uncertainty
        return reference_correction(data, simulated, simulation_uncertainty=simulation_uncertainty)


def reference_yields(
    card: RunCard,
    process: str = "dimuons",
    *,
    selection: DimuonSelection | None = None,
    efficiency: float = 1.0,
    inelastic: bool = True,
) -> ReferenceYields:
    """Return the events of a reference process that a card expects.

    Parameters
    ----------
    card
        The search: its setups and the exposures of its bins. Its efficiencies, which are those of
        the signal, and its window have no part in it.
    process
        Name of the reference process, see `REFERENCE_PROCESSES`.
    selection
        Which events count.
    efficiency
        Of the detector for these, in (0, 1].
    inelastic
        Whether inelastic scattering off the nuclei is included.

    Raises
    ------
    InputError
        For an unknown process, an efficiency out of range, or a setup that does not make it.
    """
    if process not in REFERENCE_PROCESSES:
        raise unknown_name("reference process", process, REFERENCE_PROCESSES)
    if not 0.0 < efficiency <= 1.0:
        raise InputError(
            f"the efficiency of the reference process must be above 0 and at most 1, "
            f"is {efficiency:g}"
        )
    rates = REFERENCE_PROCESSES[process].rates
    setups = {
        name: rates(
            card.setups[name].beam, card.setups[name].target, selection, inelastic=inelastic
        )
        for name in card.used_setups
    }
    distinct = {item.name for item in card.distinct_bins}
    return ReferenceYields(
        process=process,
        setups=setups,
        bins=tuple(item.name for item in card.bins),
        per_particle=np.array([setups[item.setup].events for item in card.bins]),
        exposures=np.array([item.exposure.value for item in card.bins]),
        distinct=np.array([item.name in distinct for item in card.bins]),
        efficiency=efficiency,
    )


def reference_correction(
    observed: ArrayLike,
    simulated: ArrayLike,
    *,
    simulation_uncertainty: float = 0.0,
) -> ReferenceCorrection:
    """Compare a reference process in data and simulation.

    Parameters
    ----------
    observed
        Observed events per bin, positive, shape (B,).
    simulated
        Simulated events per bin, normalised to the exposure of the data, positive, shape (B,).
    simulation_uncertainty
        Relative uncertainty of the simulated rate, common to all bins.

    Returns
    -------
    ReferenceCorrection
        The scatter is the one that makes the chi-squared of the ratios equal to its degrees of
        freedom, and zero if it is smaller already.

    Raises
    ------
    InputError
        If the shapes differ or a value is not allowed.
    """
    data = np.asarray(observed, dtype=np.float64)
    expected = np.asarray(simulated, dtype=np.float64)
    if data.ndim != 1 or data.shape != expected.shape or not len(data):
        raise InputError(f"{data.size} observed and {expected.size} simulated numbers of events")
    for name, values in (("observed", data), ("simulated", expected)):
        if not (np.all(np.isfinite(values)) and np.all(values > 0.0)):
            raise InputError(f"{name} events of the reference process must be positive")
    if not (math.isfinite(simulation_uncertainty) and simulation_uncertainty >= 0.0):
        raise InputError("the uncertainty of the simulation must not be negative")
    ratios = data / expected
    statistical = 1.0 / np.sqrt(data)
    logs = np.log(ratios)
    freedom = len(data) - 1

    def chi_squared(extra: float) -> float:
        weights = 1.0 / (statistical**2 + extra**2)
        mean = np.sum(weights * logs) / np.sum(weights)
        return float(np.sum(weights * (logs - mean) ** 2))

    scatter = 0.0
    if freedom > 0 and chi_squared(0.0) > freedom:
        largest = 10.0 * float(np.ptp(logs))
        scatter = float(optimize.brentq(lambda x: chi_squared(x) - freedom, 0.0, largest))
    weights = 1.0 / (statistical**2 + scatter**2)
    return ReferenceCorrection(
        ratios=ratios,
        statistical=statistical,
        scatter=scatter,
        common=math.hypot(scatter, simulation_uncertainty),
        mean=float(np.exp(np.sum(weights * logs) / np.sum(weights))),
        p_value=float(stats.chi2.sf(chi_squared(0.0), freedom)) if freedom > 0 else 1.0,
    )
