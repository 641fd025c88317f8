"""Background in the signal box, extrapolated from the sideband of a falling spectrum.

NA64 looks for events with little energy in the calorimeter, E < E_cut. The background there is
estimated from the events above the cut, whose spectrum falls smoothly towards the box: a tail
exp(a + b E) or exp(a + b E + c E^2) is fitted to the binned sideband (extended likelihood, no
Gaussian approximation of the counts) and integrated over the box.

The prediction is a positive number known to some percent, and its uncertainty is quoted as that
of its logarithm: relative, log-normal, as run cards have it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from na64.models.errors import ComputationError, InputError, unknown_name

__all__ = ["SHAPES", "SidebandFit", "fit_sideband"]

Array = NDArray[np.float64]

#: order of the polynomial in the exponent, by name of the shape
SHAPES: Final = {"exponential": 1, "exponential-quadratic": 2}

#: nodes of the Gauss-Legendre rule per interval
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True, slots=True)
class SidebandFit:
    """Prediction of the background in the signal box.

    Attributes
    ----------
    shape
        Name of the spectrum's form.
    box_gev
        Lower and upper edge of the signal box (GeV).
    prediction
        Expected background events in the box.
    relative_uncertainty
        Standard deviation of ln(prediction), from the covariance of the fit.
    parameters
        Coefficients of the exponent in powers of (E - pivot) / range, shape (order + 1,).
    covariance
        Of the parameters.
    deviance, degrees_of_freedom, p_value
        Goodness of fit of the sideband: twice the log of the likelihood ratio to the saturated
        model (Baker-Cousins), its degrees of freedom, and the chi-squared probability of a
        larger value. With a few events per bin the probability is only indicative.
    events
        Events in the sideband.
    """

    shape: str
    box_gev: tuple[float, float]
    prediction: float
    relative_uncertainty: float
    parameters: Array
    covariance: Array
    deviance: float
    degrees_of_freedom: int
    p_value: float
    events: int

    @property
    def uncertainty(self) -> float:
        """Standard deviation of the prediction, events, to first order."""
        return self.prediction * self.relative_uncertainty

    def card_entry(self) -> str:
        """Return the prediction as a background of a run card, in TOML."""
        low, high = self.box_gev
        return (
            f"background = {{ value = {self.prediction:.4g}, "
            f"relative_uncertainty = {self.relative_uncertainty:.3g}, "
            f'source = "{self.shape} fit to {self.events} sideband events, extrapolated to '
            f'{low:g}-{high:g} GeV, goodness of fit p = {self.p_value:.2g}" }}'
        )


def fit_sideband(
    edges_gev: ArrayLike,
    counts: ArrayLike,
    *,
    box_gev: tuple[float, float],
    shape: str = "exponential",
) -> SidebandFit:
    """Fit the sideband and predict the background in the signal box.

    Parameters
    ----------
    edges_gev
        Edges of the sideband's bins, increasing, shape (n + 1,), GeV.
    counts
        Events per bin, shape (n,); at least one more bin than parameters.
    box_gev
        Lower and upper edge of the signal box, outside the sideband, GeV.
    shape
        ``exponential`` (two parameters) or ``exponential-quadratic`` (three).

    Returns
    -------
    SidebandFit

    Raises
    ------
    InputError
        If a value is not allowed: shape, order of edges, negative counts, too few bins or
        events, a box that overlaps the sideband.
    ComputationError
        If the fit does not converge or its covariance is not usable.
    """
    from iminuit import Minuit
    from iminuit.cost import ExtendedBinnedNLL

    edges, events = _checked(edges_gev, counts, box_gev, shape)
    order = SHAPES[shape]
    pivot, width = float(edges[0]), float(edges[-1] - edges[0])

    def cumulative(at: Array, *parameters: float) -> Array:
        """Expected events from the first of the given edges on."""
        pieces = _integrals(at, np.array(parameters), pivot, width)
        return np.concatenate([[0.0], np.cumsum(pieces)])

    # starting values: a straight line through the logarithms of the counts
    centres = (0.5 * (edges[1:] + edges[:-1]) - pivot) / width
    density = (events + 0.5) / np.diff(edges)
    slope, level = np.polyfit(centres, np.log(density), 1, w=np.sqrt(events + 0.5))
    start = [level, slope, 0.0][: order + 1]
    cost = ExtendedBinnedNLL(events, edges, cumulative, use_pdf="")
    names = ["level", "slope", "curvature"][: order + 1]
    minuit = Minuit(cost, *start, name=names)
    minuit.migrad(ncall=20_000)
    if not minuit.valid:
        minuit.simplex().migrad(ncall=20_000)
    if not minuit.valid:
        raise ComputationError(f"the {shape} fit to the sideband does not converge")
    minuit.hesse()
    if minuit.covariance is None or not minuit.accurate:
        raise ComputationError(f"the covariance of the {shape} fit to the sideband is not accurate")
    best = np.array(minuit.values, dtype=np.float64)
    covariance = np.array(minuit.covariance, dtype=np.float64)
    prediction, gradient = _box_integral(box_gev, best, pivot, width)
    deviance = float(minuit.fval)
    freedom = len(events) - len(best)
    return SidebandFit(
        shape=shape,
        box_gev=(float(box_gev[0]), float(box_gev[1])),
        prediction=prediction,
        relative_uncertainty=math.sqrt(float(gradient @ covariance @ gradient)),
        parameters=best,
        covariance=covariance,
        deviance=deviance,
        degrees_of_freedom=freedom,
        p_value=float(stats.chi2.sf(deviance, freedom)),
        events=int(events.sum()),
    )


def _exponent(energy: Array, parameters: Array, pivot: float, width: float) -> Array:
    t = (energy - pivot) / width
    return np.asarray(np.polynomial.polynomial.polyval(t, parameters), dtype=np.float64)


def _integrals(edges: Array, parameters: Array, pivot: float, width: float) -> Array:
    """Return the expected events between neighbouring edges."""
    half = 0.5 * np.diff(edges)
    nodes = (edges[:-1] + half)[:, None] + half[:, None] * _NODES
    density = np.exp(np.clip(_exponent(nodes, parameters, pivot, width), -700.0, 200.0))
    return np.asarray(half * (density @ _WEIGHTS), dtype=np.float64)


def _box_integral(
    box: tuple[float, float], parameters: Array, pivot: float, width: float
) -> tuple[float, Array]:
    """Return the events in the box and the gradient of their logarithm."""
    edges = np.linspace(box[0], box[1], 65)
    half = 0.5 * np.diff(edges)
    nodes = ((edges[:-1] + half)[:, None] + half[:, None] * _NODES).ravel()
    weights = (half[:, None] * _WEIGHTS).ravel()
    density = weights * np.exp(_exponent(nodes, parameters, pivot, width))
    total = float(density.sum())
    t = (nodes - pivot) / width
    gradient = np.array([float((density * t**k).sum()) / total for k in range(len(parameters))])
    return total, gradient


def _checked(
    edges_gev: ArrayLike, counts: ArrayLike, box: tuple[float, float], shape: str
) -> tuple[Array, Array]:
    if shape not in SHAPES:
        raise unknown_name("shape", shape, SHAPES)
    edges = np.asarray(edges_gev, dtype=np.float64)
    events = np.asarray(counts, dtype=np.float64)
    if edges.ndim != 1 or events.shape != (len(edges) - 1,):
        raise InputError(f"{edges.size} edges need {edges.size - 1} counts, not {events.size}")
    if not (np.all(np.isfinite(edges)) and np.all(np.diff(edges) > 0.0)):
        raise InputError("edges of the sideband must be finite and increase")
    if not (np.all(np.isfinite(events)) and np.all(events >= 0.0)):
        raise InputError("counts of the sideband must be finite and not negative")
    if len(events) <= SHAPES[shape] + 1:
        raise InputError(f"the shape '{shape}' needs more than {SHAPES[shape] + 1} bins")
    if np.count_nonzero(events) <= SHAPES[shape]:
        raise InputError(f"the shape '{shape}' needs events in more than {SHAPES[shape]} bins")
    low, high = box
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(f"the signal box {low:g}-{high:g} GeV is empty")
    if low < edges[-1] and high > edges[0]:
        raise InputError(
            f"the signal box {low:g}-{high:g} GeV overlaps the sideband "
            f"{edges[0]:g}-{edges[-1]:g} GeV"
        )
    return edges, events
