"""The posterior of a signal without nuisance parameters, in closed form.

With a flat prior in the signal events nu >= 0 and no nuisance parameters the posterior of any
number of bins is a polynomial times an exponential,

    p(nu) ~ prod_b (s_b nu + b_b)^(n_b) exp(-S nu),    S = sum_b s_b,

with coefficients that are all positive: a mixture of gamma distributions of integer shape k + 1
and rate S, whose tail is a sum of incomplete gamma functions. With one bin it is Helene's formula,
and its tail is P(N <= n | nu + b) / P(N <= n | b), which is CLs.

References
----------
O. Helene, Nucl. Instrum. Meth. 212 (1983) 319 (one bin); G. Zech, Nucl. Instrum. Meth. A 277
(1989) 608 (the same from frequencies); A. L. Read, J. Phys. G 28 (2002) 2693 (CLs).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["GammaMixture", "gamma_mixture"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GammaMixture:
    """A mixture of gamma distributions of shapes 1, 2, ... and one rate.

    Attributes
    ----------
    weights
        Of the shapes, not negative, with a sum of one, shape (K,).
    rate
        Common rate, positive: signal events seen per signal event expected.
    """

    weights: Array
    rate: float

    def tail(self, nu: ArrayLike) -> Array:
        """Return the probability of more than nu >= 0 signal events, of the shape of nu."""
        x = self.rate * np.asarray(nu, dtype=np.float64)
        shapes = np.arange(1.0, len(self.weights) + 1.0)
        # not a product of matrices: its bits depend on how many positions there are
        terms = special.gammaincc(shapes, x[..., None]) * self.weights
        return np.asarray(terms.sum(axis=-1), dtype=np.float64)

    def bracket(self, alpha: float) -> tuple[float, float]:
        """Return a first guess of where the tail is alpha."""
        shapes = np.arange(1.0, len(self.weights) + 1.0)
        mean = float(self.weights @ shapes)
        spread = np.sqrt(float(self.weights @ (shapes * (shapes + 1.0))) - mean**2)
        high = mean + spread * (2.0 - np.log(alpha))
        return 0.0, float(high) / self.rate


def gamma_mixture(counts: ArrayLike, background: ArrayLike, signal: ArrayLike) -> GammaMixture:
    """Return the posterior of the signal events with a flat prior, no nuisance parameters.

    Multiplying a gamma density of shape k + 1 by (s nu + b) gives one of shape k + 2 with weight
    s (k + 1) / S and the old one with weight b. Nothing cancels; the factors come in the order of
    falling s / b, so that a weight that has become negligible stays so.

    Parameters
    ----------
    counts
        Observed counts, whole numbers, not negative, shape (B,).
    background
        Expected background, not negative, shape (B,).
    signal
        Expected counts per signal event, not negative, at least one positive, shape (B,).

    Returns
    -------
    GammaMixture

    Examples
    --------
    >>> float(gamma_mixture([0], [3.0], [1.0]).tail(np.log(10.0)).round(12))
    0.1
    """
    n, b, s = (np.asarray(x, dtype=np.float64) for x in (counts, background, signal))
    rate = float(s.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.argsort(-np.where(s > 0.0, s / b, 0.0), kind="stable")
    weights = np.ones(1)
    for i in order[s[order] > 0.0].tolist():
        for _ in range(int(n[i])):
            grown = np.zeros(len(weights) + 1)
            grown[:-1] = b[i] * weights
            grown[1:] += s[i] / rate * np.arange(1.0, len(weights) + 1.0) * weights
            weights = grown / grown.sum()
    return GammaMixture(weights, rate)
