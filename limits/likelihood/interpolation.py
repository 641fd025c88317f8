"""Interpolation codes of HistFactory, with first and second derivatives.

A normsys changes a rate by a factor f(alpha) with f(+1) = hi and f(-1) = lo; a histosys adds a
shift d(alpha) with d(+1) = hi - nominal and d(-1) = lo - nominal. The codes say what happens
between and beyond these points.

References
----------
Cranmer, Lewis, Moneta, Shibata, Verkerke, CERN-OPEN-2012-016, section 4.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HISTOSYS_CODES",
    "NORMSYS_CODES",
    "additive_shifts",
    "code4_coefficients",
    "factor_at",
    "multiplicative_factors",
    "shift_at",
]

Array = NDArray[np.float64]

#: codes for multiplicative (normsys) and additive (histosys) interpolation
NORMSYS_CODES = ("code1", "code4")
HISTOSYS_CODES = ("code0", "code2", "code4p")


def code4_coefficients(hi: Array, lo: Array) -> Array:
    """Coefficients a_1..a_6 of the code-4 polynomial 1 + sum_i a_i alpha^i.

    They make the polynomial agree with hi^alpha at alpha = 1 and with lo^(-alpha) at
    alpha = -1 in value, first and second derivative.

    Parameters
    ----------
    hi, lo
        Factors at alpha = +1 and -1, positive, shape (R,).

    Returns
    -------
    ndarray
        Shape (6, R).
    """
    powers = np.arange(1, 7)
    signs = (-1.0) ** powers
    system = np.array(
        [
            np.ones(6),
            signs,
            powers,
            -signs * powers,
            powers * (powers - 1),
            signs * powers * (powers - 1),
        ],
        dtype=np.float64,
    )
    log_hi, log_lo = np.log(hi), np.log(lo)
    right = np.array(
        [hi - 1.0, lo - 1.0, log_hi * hi, -log_lo * lo, log_hi**2 * hi, log_lo**2 * lo]
    )
    return np.asarray(np.linalg.solve(system, right), dtype=np.float64)


def multiplicative_factors(
    alpha: Array, log_hi: Array, log_lo: Array, coefficients: Array | None
) -> tuple[Array, Array, Array]:
    """Factors f(alpha), and the ratios f'/f and f''/f.

    Parameters
    ----------
    alpha
        Nuisance parameters, shape (R, N).
    log_hi, log_lo
        Logarithms of the factors at alpha = +1 and -1, shape (R, 1).
    coefficients
        Polynomial of `code4_coefficients`, shape (6, R, 1); None for code 1 (piecewise
        exponential).

    Returns
    -------
    tuple of ndarray
        f, f'/f and f''/f, each of shape (R, N).
    """
    upper = alpha >= (0.0 if coefficients is None else 1.0)
    slope = np.where(upper, log_hi, -log_lo)
    if coefficients is None:
        return np.exp(slope * alpha), slope, slope * slope
    inside = np.abs(alpha) < 1.0
    if inside.all():
        return _polynomial(alpha, coefficients)
    # the polynomial is only used inside; clipped, it cannot overflow outside
    value, first, second = _polynomial(np.clip(alpha, -1.0, 1.0), coefficients)
    return (
        np.where(inside, value, np.exp(slope * alpha)),
        np.where(inside, first, slope),
        np.where(inside, second, slope * slope),
    )


def _polynomial(alpha: Array, a: Array) -> tuple[Array, Array, Array]:
    """Return p, p'/p and p''/p of 1 + sum_i a_i alpha^i by Horner's rule."""
    value = a[5] * alpha
    first = 6.0 * value
    second = 5.0 * first
    for power in (5, 4, 3):
        value += a[power - 1]
        first += power * a[power - 1]
        second += power * (power - 1) * a[power - 1]
        value *= alpha
        first *= alpha
        second *= alpha
    value += a[1]
    first += 2.0 * a[1]
    second += 2.0 * a[1]
    value *= alpha
    first *= alpha
    value += a[0]
    first += a[0]
    value *= alpha
    value += 1.0
    inverse = 1.0 / value
    first *= inverse
    second *= inverse
    return value, first, second


def additive_shifts(alpha: Array, up: Array, down: Array, code: str) -> tuple[Array, Array, Array]:
    """Shifts d(alpha) of a rate, and the derivatives d' and d''.

    Parameters
    ----------
    alpha
        Nuisance parameters, shape (H, N).
    up
        hi - nominal, the shift at alpha = 1 (events), shape (H, 1).
    down
        nominal - lo, minus the shift at alpha = -1 (events), shape (H, 1).
    code
        ``code0`` (piecewise linear), ``code2`` (quadratic inside, linear outside) or
        ``code4p`` (sixth order inside, linear outside).

    Returns
    -------
    tuple of ndarray
        d, d' and d'', each of shape (H, N).
    """
    if code == "code0":
        slope = np.where(alpha >= 0.0, up, down)
        return slope * alpha, slope, np.zeros_like(slope)
    half_sum, half_difference = 0.5 * (up + down), 0.5 * (up - down)
    inside = np.abs(alpha) < 1.0
    a = np.clip(alpha, -1.0, 1.0)
    if code == "code2":
        value = a * (half_sum + half_difference * a)
        first = half_sum + 2.0 * half_difference * a
        second = np.where(inside, 2.0 * half_difference, 0.0)
        return value + first * (alpha - a), first, second
    a2 = a * a
    value = a * (half_sum + half_difference * a * (15.0 + a2 * (3.0 * a2 - 10.0)) / 8.0)
    first = half_sum + half_difference * a * (15.0 + a2 * (9.0 * a2 - 20.0)) / 4.0
    second = half_difference * (15.0 + a2 * (45.0 * a2 - 60.0)) / 4.0
    slope = np.where(alpha >= 0.0, up, down)
    return (
        np.where(inside, value, slope * alpha),
        np.where(inside, first, slope),
        np.where(inside, second, 0.0),
    )


def factor_at(value: float, hi: float | None, lo: float | None, code: str) -> float:
    """Return the factor of one response at one value of its parameter, itself without hi, lo."""
    if hi is None or lo is None:
        return value
    high, low = np.array([hi]), np.array([lo])
    coefficients = code4_coefficients(high, low)[:, :, None] if code == "code4" else None
    factor, _, _ = multiplicative_factors(
        np.array([[value]]), np.log(high)[:, None], np.log(low)[:, None], coefficients
    )
    return float(factor[0, 0])


def shift_at(value: float, up: float, down: float, code: str) -> float:
    """Return the shift of one histosys at one value of its parameter, events."""
    shift, _, _ = additive_shifts(np.array([[value]]), np.array([[up]]), np.array([[down]]), code)
    return float(shift[0, 0])
