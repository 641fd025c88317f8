"""Covariance of fitted parameters, from the inverse of the Hessian at the minimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.inference.data import Data
from na64.limits.likelihood.model import Constraint, Parameter

__all__ = ["Covariance", "correlations_of", "information_rank", "invert", "prefit"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: eigenvalues of the Hessian, its diagonal scaled to one, below which a direction is flat
_FLAT = 1e-10
#: share of a parameter in the flat directions above which the data say nothing of it
_SHARE = 1e-6


@dataclass(frozen=True, slots=True)
class Covariance:
    """Covariance of V variables.

    Attributes
    ----------
    matrix
        Zero in the rows and columns of variables that do not move, shape (V, V).
    flat
        Whether the data leave a variable undetermined, shape (V,).
    """

    matrix: Array
    flat: Flags


def invert(hessian: Array, free: Flags) -> Covariance:
    """Invert the Hessian on the free variables.

    Parameters
    ----------
    hessian
        Second derivatives of the negative log-likelihood, shape (V, V).
    free
        Which variables move, shape (V,).

    Returns
    -------
    Covariance
        Directions in which nothing changes are left out of the inverse, and the variables they
        contain are marked.
    """
    at = np.flatnonzero(free)
    matrix, flat = np.zeros_like(hessian), np.zeros(len(free), dtype=bool)
    if not len(at):
        return Covariance(matrix, flat)
    values, vectors, scale = _spectrum(hessian[np.ix_(at, at)])
    good = values > _FLAT
    flat[at] = np.sum(vectors[:, ~good] ** 2, axis=1) > _SHARE
    part = (vectors[:, good] / values[good]) @ vectors[:, good].T
    matrix[np.ix_(at, at)] = part / np.outer(scale, scale)
    matrix[flat], matrix[:, flat] = 0.0, 0.0
    return Covariance(matrix, flat)


def information_rank(information: Array) -> int:
    """Return in how many directions the expected information (V, V) is not zero."""
    if not len(information):
        return 0
    return int(np.sum(_spectrum(information)[0] > _FLAT))


def _spectrum(matrix: Array) -> tuple[Array, Array, Array]:
    """Return eigenvalues, eigenvectors and scale of a matrix with its diagonal scaled to one."""
    diagonal = np.diagonal(matrix)
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    return values, vectors, scale


def correlations_of(covariance: Array) -> Array:
    """Return the correlations of a covariance: one on the diagonal, zero where nothing moves."""
    sigma = np.sqrt(np.diagonal(covariance))
    safe = np.where(sigma > 0.0, sigma, 1.0)
    answer = covariance / np.outer(safe, safe)
    np.fill_diagonal(answer, 1.0)
    return np.asarray(answer, dtype=np.float64)


def prefit(parameters: tuple[Parameter, ...], data: Data) -> tuple[Array, Array]:
    """Return what auxiliary data alone say of P parameters: values and standard deviations.

    For a Poisson constraint with the count a of mean tau gamma these are a / tau and sqrt(a) / tau.
    Free parameters have none: NaN.
    """
    centre, width = np.full((2, len(parameters)), np.nan)
    for i, (parameter, a) in enumerate(zip(parameters, data.auxiliary.tolist(), strict=True)):
        if parameter.constraint is Constraint.GAUSSIAN:
            centre[i], width[i] = a, parameter.width
        elif parameter.constraint is Constraint.POISSON:
            centre[i], width[i] = a / parameter.width, np.sqrt(a) / parameter.width
    return centre, width
