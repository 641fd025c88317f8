"""What is fitted: the observed data of a workspace, or the Asimov data of a signal strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.model import Constraint
from na64.models.errors import ComputationError, InputError, unknown_name

__all__ = ["NUISANCES", "Data", "asimov_data", "auxiliary_at", "observed_data"]

Array = NDArray[np.float64]

#: nuisance parameters of Asimov data: before a fit, or fitted to the observed data
NUISANCES: Final = ("nominal", "fitted")


@dataclass(frozen=True, slots=True)
class Data:
    """Main counts and auxiliary data of one workspace.

    Attributes
    ----------
    counts
        Main counts, shape (B,); expectations for Asimov data.
    auxiliary
        Auxiliary data of the nuisance parameters, zero for free ones, shape (P,).
    mu
        Signal strength of Asimov data, None for observed ones.
    nuisances
        Where Asimov data have their nuisance parameters from, one of `NUISANCES`; None for
        observed ones.
    """

    counts: Array
    auxiliary: Array
    mu: float | None = None
    nuisances: str | None = None

    @property
    def kind(self) -> str:
        """``observed`` or ``asimov``."""
        return "observed" if self.mu is None else "asimov"

    def points(self, batch: SignalBatch, copies: int = 1) -> Points:
        """Return the data and the signal of a batch of one, several times."""
        return batch.points(
            np.zeros(copies, dtype=np.intp), self.counts[:, None], self.auxiliary[:, None]
        )

    def described(self) -> dict[str, float | str | None]:
        """Return what documents quote."""
        return {"kind": self.kind, "mu": self.mu, "nuisances": self.nuisances}


def observed_data(batch: SignalBatch) -> Data:
    """Return the observed data of a workspace."""
    likelihood = batch.likelihood
    own = batch.auxiliary
    return Data(likelihood.observed, likelihood.fitter.centre if own is None else own.ravel())


def asimov_data(batch: SignalBatch, mu: float, nuisances: str = NUISANCES[0]) -> Data:
    """Return the expected counts of a signal strength, auxiliary data at the same parameters.

    Parameters
    ----------
    batch
        The signal of one workspace.
    mu
        Signal strength, not negative.
    nuisances
        ``nominal``: constrained parameters where their auxiliary data put them, free ones at
        their initial values; what an analysis expects before it looks at its data. ``fitted``:
        as fitted to the observed data at this signal strength.

    Raises
    ------
    InputError
        For a strength that is negative or not finite, and an unknown name.
    ComputationError
        If the fit to the observed data does not converge.
    """
    if not (np.isfinite(mu) and mu >= 0.0):
        raise InputError(f"the signal strength of Asimov data must not be negative, is {mu:g}")
    if nuisances not in NUISANCES:
        raise unknown_name("choice of nuisance parameters", nuisances, NUISANCES)
    fitter = batch.likelihood.fitter
    nu = mu * batch.events
    if nuisances == NUISANCES[0]:
        theta = np.array(
            [
                p.init
                if p.constraint is Constraint.FREE
                else p.centre
                if p.constraint is Constraint.GAUSSIAN
                else p.centre / p.width
                for p in batch.likelihood.model.parameters
            ],
            dtype=np.float64,
        )
        theta = np.clip(theta, fitter.lower, fitter.upper)
    else:
        fit = fitter.fit(observed_data(batch).points(batch), nu, free_signal=False)
        if not fit.converged[0]:
            raise ComputationError(f"the fit of the nuisance parameters at mu = {mu:g} failed")
        theta = fit.theta[:, 0]
    rates = fitter.problem(False).evaluator.rates(theta[:, None], nu, batch.shape)[:, 0]
    return Data(rates, auxiliary_at(batch, theta), float(mu), nuisances)


def auxiliary_at(batch: SignalBatch, theta: Array) -> Array:
    """Return the auxiliary data that nuisance parameters expect, zero for free ones.

    Parameters
    ----------
    batch
        The signal of one workspace.
    theta
        Nuisance parameters, shape (P,).
    """
    parameters = batch.likelihood.model.parameters
    scale = [
        {Constraint.FREE: 0.0, Constraint.GAUSSIAN: 1.0}.get(p.constraint, p.width)
        for p in parameters
    ]
    return np.array(scale, dtype=np.float64) * theta
