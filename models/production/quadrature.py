"""Nodes and weights for integrands that are smooth in the logarithm of their variable."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray

__all__ = ["logarithmic_nodes", "unit_nodes"]

# How far, in e-folds of t/t_min - 1, the rule of `logarithmic_nodes` reaches towards t_min: the
# part left out of an integrand that vanishes at t_min is e^-10 of one e-fold.
_REACH: Final = 5.0
# End correction of the trapezoidal rule (Gregory, third order)
_END_WEIGHTS: Final = (23.0 / 24.0, 7.0 / 6.0, 3.0 / 8.0)


@cache
def unit_nodes(number: int) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre nodes and weights on 0..1."""
    nodes, weights = np.polynomial.legendre.leggauss(number)
    return 0.5 * (nodes + 1.0), 0.5 * weights


def logarithmic_nodes(
    low: FloatArray, high: FloatArray, number: int
) -> tuple[FloatArray, FloatArray]:
    """Return nodes for an integral dt/t f(t) from ``low`` to ``high``, f(low) = 0.

    The trapezoidal rule in tau, t = low (1 + e^tau): it converges geometrically, because steps
    of f in ln(t), such as t/(t + t0), have their poles a distance pi from the axis, and the
    zero at ``low`` is drawn out to tau -> -infinity. Gauss-Legendre nodes in ln(t) need twice
    the number. The upper end gets an end correction.

    Parameters
    ----------
    low, high
        Limits, ``0 < low``; intervals of no or negative length get zero weights.
    number
        Number of nodes, at least 6.

    Returns
    -------
    nodes, weights
        With one more axis, the last, of length ``number``.
    """
    end = np.log(np.maximum(high / low - 1.0, 1e-9))[..., None]
    step = (np.maximum(end, 0.0) + _REACH) / (number - 1)
    growth = np.exp(end - step * np.arange(number - 1, -1, -1))
    weights = step * growth / (1.0 + growth)
    weights[..., -3:] *= _END_WEIGHTS
    weights *= np.asarray(high > low)[..., None]
    return np.minimum(low[..., None] * (1.0 + growth), high[..., None]), weights
