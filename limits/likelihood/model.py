"""What a workspace says, as plain tables: bins, components, parameters and responses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOWEST_FACTOR", "Constraint", "Parameter", "Response", "Shift", "WorkspaceModel"]

#: floor of parameters that multiply a rate (pyhf's own lower bound of gammas)
LOWEST_FACTOR = 1e-10


class Constraint(IntEnum):
    """How auxiliary data hold a nuisance parameter."""

    FREE = 0
    GAUSSIAN = 1
    POISSON = 2


@dataclass(frozen=True, slots=True)
class Parameter:
    """A nuisance parameter that the fit may move.

    Attributes
    ----------
    name
        pyhf's name; ``name[i]`` for element i of a set.
    group
        Name of the modifier it belongs to.
    constraint
        Kind of the constraint term.
    init, lower, upper
        Starting value and bounds.
    centre
        Auxiliary datum: the Gaussian's, or the Poisson count.
    width
        Standard deviation of the Gaussian, or the factor tau of the Poisson mean tau * gamma.
    """

    name: str
    group: str
    constraint: Constraint
    init: float
    lower: float
    upper: float
    centre: float
    width: float


@dataclass(frozen=True, slots=True)
class Response:
    """How one parameter multiplies rates: by its value (``hi`` None) or as a normsys.

    Attributes
    ----------
    parameter
        Index of the parameter.
    hi, lo
        Factors at alpha = +1 and -1, or None when the factor is the parameter itself.
    """

    parameter: int
    hi: float | None
    lo: float | None


@dataclass(frozen=True, slots=True)
class Shift:
    """How one parameter shifts the rate of one component: a histosys.

    Attributes
    ----------
    parameter, component
        Indices.
    up, down
        hi - nominal and nominal - lo, in events.
    """

    parameter: int
    component: int
    up: float
    down: float


@dataclass(frozen=True, slots=True)
class WorkspaceModel:
    """One measurement of a workspace, resolved to tables.

    A component is what the samples with the same factors expect in one bin; its rate is
    (nominal + sum of shifts) * product of responses, times the parameter of interest when it
    is a signal.

    Attributes
    ----------
    measurement, poi
        Names of the measurement and of its parameter of interest.
    bins
        (channel, index within the channel) of every bin, in the workspace's order.
    observed
        Observed counts, shape (B,).
    parameters
        The nuisance parameters that can move and that something depends on.
    signal_samples
        Names of the samples that carry the parameter of interest.
    component_bin, is_signal
        Bin of each of the K components, and whether the parameter of interest multiplies it.
    nominal
        Rates before the factors of free parameters, those of fixed ones included, shape (K,).
    cell_sample, cell_bin, cell_component, cell_factor
        Where the rates of signal samples go: sample, bin, component (samples with the same
        factors share one) and the product of fixed parameters' factors, each of shape (C,).
    responses
        The distinct multiplicative responses.
    factors
        For every component the indices of the responses that multiply it.
    shifts
        The additive responses.
    sample_names
        Sample of each component, the first of those that share it, K names.
    rigid_signals
        ``(sample, modifier)`` of signal samples with modifiers in absolute events, whose rates
        cannot be replaced.
    normsys_code, histosys_code
        Interpolation codes.
    """

    measurement: str
    poi: str
    bins: tuple[tuple[str, int], ...]
    observed: NDArray[np.float64]
    parameters: tuple[Parameter, ...]
    signal_samples: tuple[str, ...]
    component_bin: NDArray[np.intp]
    is_signal: NDArray[np.bool_]
    nominal: NDArray[np.float64]
    cell_sample: NDArray[np.intp]
    cell_bin: NDArray[np.intp]
    cell_component: NDArray[np.intp]
    cell_factor: NDArray[np.float64]
    responses: tuple[Response, ...]
    factors: tuple[tuple[int, ...], ...]
    shifts: tuple[Shift, ...]
    sample_names: tuple[str, ...]
    rigid_signals: tuple[tuple[str, str], ...]
    normsys_code: str
    histosys_code: str
