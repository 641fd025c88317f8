"""Statistical errors of simulated counts: Clopper-Pearson, Garwood, and weighted events.

A simulation of n particles of which k pass knows an efficiency as well as a binomial count does,
and a yield as well as a Poisson count. Weighted events count as many as would have the same
relative error, n_eff = (sum w)^2 / sum w^2, which need not be a whole number.

References
----------
C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404; F. Garwood, Biometrika 28 (1936) 437;
Particle Data Group, Review of Particle Physics, Statistics, sections on Poisson and binomial data.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray

__all__ = ["TAIL", "clopper_pearson", "garwood"]

#: probability beyond one standard deviation of a normal distribution, on one side
TAIL: Final = 0.15865525393145707


def clopper_pearson(
    passed: ArrayLike, generated: ArrayLike, tail: float = TAIL
) -> tuple[FloatArray, FloatArray]:
    """Return the central interval of an efficiency.

    Parameters
    ----------
    passed, generated
        Numbers of events, passed at most generated; effective numbers need not be whole.
    tail
        Probability outside, on each side.

    Returns
    -------
    tuple of ndarray
        Lower and upper end: quantiles of Beta(k, n - k + 1) and of Beta(k + 1, n - k); 0 for
        k = 0, and 1 for k = n. For whole numbers the true efficiency is inside with a probability
        of 1 - 2 tail or more.
    """
    from scipy.special import betaincinv

    k, n = np.broadcast_arrays(np.asarray(passed, float), np.asarray(generated, float))
    some, lost = k > 0.0, k < n
    # 1 stands in where the answer is known without the function
    low = betaincinv(np.where(some, k, 1.0), n - k + 1.0, tail)
    high = betaincinv(k + 1.0, np.where(lost, n - k, 1.0), 1.0 - tail)
    return np.where(some, low, 0.0), np.where(lost, high, 1.0)


def garwood(counts: ArrayLike, tail: float = TAIL) -> tuple[FloatArray, FloatArray]:
    """Return the central interval of the mean of a Poisson count.

    Parameters
    ----------
    counts
        Numbers of events; effective numbers need not be whole.
    tail
        Probability outside, on each side.

    Returns
    -------
    tuple of ndarray
        Lower and upper end: quantiles of Gamma(k) and of Gamma(k + 1); the lower one is 0 for
        k = 0.
    """
    from scipy.special import gammaincinv

    k = np.asarray(counts, float)
    low = gammaincinv(np.where(k > 0.0, k, 1.0), tail)
    return np.where(k > 0.0, low, 0.0), np.asarray(gammaincinv(k + 1.0, 1.0 - tail))
