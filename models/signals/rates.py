"""SignalRates: what the models hand to the workspaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.models.errors import InputError

__all__ = ["SignalRates"]


@dataclass(frozen=True, slots=True)
class SignalRates:
    """Expected signal events per particle on target, before any efficiency.

    Attributes
    ----------
    mediator
        Name of the mediator.
    parameter
        Name of its free coupling.
    masses_gev
        Mediator masses, shape (M,).
    couplings
        Couplings at which the events are given, shape (C,).
    processes
        Names of the P production processes, kept apart to the end of the computation.
    regions
        Names of the R signal regions.
    events
        Events per particle on target, shape (M, C, P, R).
    power
        Exponent p when events are exactly proportional to coupling^p; then C = 1. None when
        they are not (decays in flight); then ln(events) is interpolated in ln(coupling).
    """

    mediator: str
    parameter: str
    masses_gev: NDArray[np.float64]
    couplings: NDArray[np.float64]
    processes: tuple[str, ...]
    regions: tuple[str, ...]
    events: NDArray[np.float64]
    power: float | None

    def __post_init__(self) -> None:
        shape = (
            len(self.masses_gev),
            len(self.couplings),
            len(self.processes),
            len(self.regions),
        )
        if self.events.shape != shape:
            raise InputError(f"signal events have shape {self.events.shape}, expected {shape}")
        if not (np.all(np.isfinite(self.events)) and np.all(self.events >= 0.0)):
            raise InputError("signal events must be finite and not negative")
        if self.power is not None and len(self.couplings) != 1:
            raise InputError("rates with a power law are given at one coupling")
