"""Efficiency correction from a reference process: data over simulation, bin by bin.

NA64 checks its signal efficiency with dimuons, gamma -> mu+ mu- of hard bremsstrahlung photons:
rare, well known, and selected by the same detectors. The ratio of observed to simulated dimuons
in each intensity bin corrects the simulated signal efficiency of that bin. Its statistical
uncertainty is independent in every bin; what the ratios scatter beyond that, and the uncertainty
of the simulation itself, is common and enters the run card as one correlated nuisance.

References
----------
NA64, arXiv:1710.00971: dimuons as the reference process of the 2016 run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from na64.models.errors import InputError

__all__ = ["ReferenceCorrection", "reference_correction"]

Array = NDArray[np.float64]


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
