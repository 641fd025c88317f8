"""Likelihoods with the nuisance parameters integrated out, at given signal events.

The prior of a nuisance parameter is its constraint term as a function of the parameter, times a
flat density within its bounds; one without a constraint is flat. So a Gaussian constraint is a
Gaussian prior, and an auxiliary count a gives a gamma prior of shape a + 1.

The integral is taken around the fit at each nu, in coordinates in which the fit's Hessian is the
unit matrix (Laplace's approximation) and a little wider than that: up to three parameters by the
nodes of Gauss and Hermite, more by importance sampling with shifted Sobol points, the same at all
nu, so that what comes out is a smooth function of nu. Independent shifts give its error. Factors of
rates with auxiliary counts, or without a constraint, are integrated in their cube root, in which a
gamma distribution is nearly Gaussian (Wilson and Hilferty).

References
----------
L. Tierney and J. B. Kadane, J. Am. Stat. Assoc. 81 (1986) 82 (Laplace); J. C. Naylor and
A. F. M. Smith, Appl. Stat. 31 (1982) 214 (Gauss-Hermite nodes around the fit); R. Cranley and
T. N. L. Patterson, SIAM J. Numer. Anal. 13 (1976) 904 (shifts).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.fitting import Fit
from na64.limits.likelihood.model import Constraint

__all__ = ["Marginal"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: nodes of Gauss and Hermite per parameter, by the number of parameters; for expectations
_HERMITE = {1: 40, 2: 24, 3: 14}
_COARSE_HERMITE = {1: 24, 2: 12, 3: 8}
#: how much wider than the Hessian says: with one parameter; falls with the root of their number
_WIDER = 0.3
#: points evaluated together, to bound the memory
_TOGETHER = 16_384
#: smallest eigenvalue of a Hessian over that of the constraints; fits at bounds can be flat
_FLATTEST = 0.05
#: smallest cube root of a factor around which is integrated
_SMALLEST_ROOT = 1e-3


class Marginal:
    """The integral over the nuisance parameters of one likelihood.

    Parameters
    ----------
    batch
        Signals.
    samples
        Points per integral where it is sampled, in all replicas together.
    replicas
        Independent estimates of such an integral.
    seed
        Of their shifts.
    coarse
        Whether fewer nodes do: for ensembles of datasets, of which quantiles are taken.
    """

    def __init__(
        self,
        batch: SignalBatch,
        *,
        samples: int,
        replicas: int,
        seed: int,
        coarse: bool = False,
    ) -> None:
        self._batch = batch
        self._fitter = batch.likelihood.fitter
        self._evaluator = self._fitter.problem(True).evaluator
        parameters = batch.likelihood.model.parameters
        kinds = np.array([p.constraint for p in parameters], dtype=int)
        self._cubed = (kinds != Constraint.GAUSSIAN) & (self._fitter.lower >= 0.0)
        n = len(parameters)
        # nodes do not see the kink of a rate at its floor
        lifts = batch.likelihood.fitter.problem(False).evaluator.lifts
        self.sampled = n > max(_HERMITE) or (lifts and n > 0)
        #: independent estimates that `log_density` returns
        self.replicas = replicas if self.sampled else 1
        self._width = 1.0 + _WIDER / math.sqrt(max(n, 1))
        if self.sampled:
            self._z = _shifted_sobol(n, max(samples // replicas, 2), replicas, seed)
            self._log_weight = np.full(self._z.shape[1], -math.log(self._z.shape[1] / replicas))
        else:
            self._z, self._log_weight = _hermite(n, _COARSE_HERMITE if coarse else _HERMITE)

    def log_density(self, nu: Array, mass: Index, counts: Array) -> tuple[Array, Array]:
        """Return the logarithm of the integral for N points.

        Parameters
        ----------
        nu
            Signal events, not negative, shape (N,).
        mass
            Index of the mass, shape (N,).
        counts
            Main counts, shape (B, N).

        Returns
        -------
        tuple
            The estimates of the replicas, shape (R, N), NaN where a fit failed; and the effective
            number of samples, shape (N,), infinite where nothing is sampled.
        """
        points = self._batch.points(mass, counts)
        fit = self._fitter.fit(points, nu, free_signal=False)
        if not len(self._fitter.init):
            return -fit.value[None, :], np.full(len(nu), np.inf)
        centre, root, log_volume = self._laplace(points, nu, fit)
        n, k = len(nu), self._z.shape[1]
        answer, effective = np.empty((self.replicas, n)), np.full(n, np.inf)
        together = max(_TOGETHER // k, 1)
        for first in range(0, n, together):
            part = slice(first, first + together)
            some = points.take(part)
            log = self._log_ratio(some, nu[part], centre[part], root[part])
            log += self._log_weight + log_volume[part, None]
            each = log.reshape(len(some), self.replicas, -1)
            answer[:, part] = special.logsumexp(each, axis=2).T
            if self.sampled:
                largest = log.max(axis=1, keepdims=True)
                w = np.exp(log - np.where(np.isfinite(largest), largest, 0.0))
                effective[part] = w.sum(axis=1) ** 2 / np.maximum((w * w).sum(axis=1), 1e-300)
        answer[:, ~fit.converged] = np.nan
        return answer, effective

    def _laplace(self, points: Points, nu: Array, fit: Fit) -> tuple[Array, Array, Array]:
        """Return centre (N, P), root of the covariance (N, P, P) and the log of its determinant."""
        n, p = len(nu), len(self._fitter.init)
        found = self._evaluator.derivatives(fit.theta, nu, points)
        rows, columns = self._evaluator.rows, self._evaluator.columns
        mine = np.flatnonzero((rows < p) & (columns < p))
        hessian = np.zeros((n, p, p))
        hessian[:, rows[mine], columns[mine]] = found.hessian[mine].T
        hessian[:, columns[mine], rows[mine]] = found.hessian[mine].T
        gradient, scale = found.gradient[:p].T, found.scale[:p].T
        centre = fit.theta.T.copy()
        c = np.flatnonzero(self._cubed)
        slope = np.ones((n, p))  # d theta / d coordinate
        if len(c):
            theta = centre[:, c]
            # at the bound of zero the density falls from there: its mean is one over the slope
            at_bound = theta <= 2.0 * self._fitter.lower[c]
            mean = 1.0 / np.maximum(gradient[:, c], 1.0)
            u = np.maximum(np.cbrt(np.where(at_bound, mean, theta)), _SMALLEST_ROOT)
            slope[:, c] = 3.0 * u * u
            centre[:, c] = u
        hessian *= slope[:, :, None] * slope[:, None, :]
        scale = scale * slope**2
        if len(c):
            # the Jacobian 3 u^2 adds -2 ln u, and a slope at the bound its own curvature
            hessian[:, c, c] += 2.0 / u**2 + np.where(at_bound, 6.0 * u * gradient[:, c], 0.0)
            scale[:, c] += 2.0 / u**2
        norm = np.sqrt(np.maximum(scale, 1e-12))
        values, vectors = np.linalg.eigh(hessian / (norm[:, :, None] * norm[:, None, :]))
        values = np.maximum(values, _FLATTEST)
        root = self._width * vectors / np.sqrt(values)[:, None, :] / norm[:, :, None]
        log_volume = p * math.log(self._width) - 0.5 * np.log(values).sum(axis=1)
        log_volume -= np.log(norm).sum(axis=1)
        if len(c):
            # one step of Newton towards the maximum with the Jacobian
            push = np.zeros((n, p))
            push[:, c] = np.where(at_bound, 0.0, 2.0 / u)
            step = np.einsum("nij,nkj,nk->ni", root, root, push) / self._width**2
            centre += step
            centre[:, c] = np.maximum(centre[:, c], 0.5 * u)
        return centre, root, log_volume

    def _log_ratio(self, points: Points, nu: Array, centre: Array, root: Array) -> Array:
        """Return ln of likelihood times Jacobian over the density of the nodes, shape (N, K)."""
        n, k = len(nu), self._z.shape[1]
        x = centre[:, :, None] + root @ self._z  # (N, P, K)
        jacobian = np.zeros((n, k))
        outside = np.zeros((n, k), dtype=bool)
        c = np.flatnonzero(self._cubed)
        if len(c):
            u = x[:, c]
            outside |= (u <= 0.0).any(axis=1)
            u = np.maximum(u, 1e-30)
            jacobian = np.log(3.0 * u * u).sum(axis=1)
            x[:, c] = u**3
        lower, upper = self._fitter.lower[:, None], self._fitter.upper[:, None]
        outside |= ((x < lower) | (x > upper)).any(axis=1)
        theta = np.ascontiguousarray(
            np.clip(x, lower, upper).transpose(1, 0, 2).reshape(len(lower), n * k)
        )
        every = np.repeat(np.arange(n), k)
        value = self._evaluator.value(theta, nu[every], points.take(every)).reshape(n, k)
        log = -value + jacobian + 0.5 * (self._z**2).sum(axis=0)
        return np.where(outside, -np.inf, log)


def _hermite(n: int, per_parameter: Mapping[int, int]) -> tuple[Array, Array]:
    """Return nodes (P, K) and log weights of the mean over P standard normal variables."""
    if n == 0:
        return np.zeros((0, 1)), np.zeros(1)
    x, w = np.polynomial.hermite_e.hermegauss(per_parameter[n])
    grids = np.meshgrid(*[x] * n, indexing="ij")
    weights = np.meshgrid(*[np.log(w / w.sum())] * n, indexing="ij")
    nodes = np.stack([g.ravel() for g in grids])
    return nodes, np.sum([g.ravel() for g in weights], axis=0)


def _shifted_sobol(n: int, samples: int, replicas: int, seed: int) -> Array:
    """Return standard normal points, replica after replica, shape (P, R * samples)."""
    from scipy.stats import qmc  # slow to import, needed only here

    power = max(round(math.log2(samples)), 1)
    points = qmc.Sobol(n, scramble=False).random_base2(power)
    parts = []
    for replica in range(replicas):
        shift = np.random.default_rng([seed, replica]).random(n)
        inside = np.clip((points + shift) % 1.0, 1e-12, 1.0 - 1e-12)
        parts.append(special.ndtri(inside))
    return np.ascontiguousarray(np.concatenate(parts).T)
