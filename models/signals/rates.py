"""SignalRates, what the models hand to the workspaces; and where tables for them are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError
from na64.models.production.emission import LIGHTEST_GEV

__all__ = ["SignalRates", "TableStore", "check_masses", "events_at"]


class TableStore(Protocol):
    """Where tables, of cross-sections or fluxes, may be kept between runs."""

    def get_or_compute(
        self,
        key: Mapping[str, object],
        compute: Callable[[], Mapping[str, NDArray[np.float64]]],
    ) -> Mapping[str, NDArray[np.float64]]:
        """Return the tables of a key, computing them if they are not there."""


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


def check_masses(masses_gev: NDArray[np.float64], energy_gev: float) -> None:
    """Refuse masses for which there is no signal to be computed.

    Parameters
    ----------
    masses_gev
        Masses, shape (M,), M at least 1: from 1 keV to below the energy.
    energy_gev
        Energy of the beam.

    Raises
    ------
    InputError
        For masses out of range, and an array of another shape.
    """
    masses = masses_gev
    if masses.ndim != 1 or not len(masses) or not np.all(np.isfinite(masses) & (masses > 0.0)):
        raise InputError("masses must be a list of positive numbers, in GeV")
    if np.any(masses >= energy_gev):
        raise InputError(
            f"mass of {masses.max():g} GeV must be below the beam energy of {energy_gev:g} GeV"
        )
    if np.any(masses < LIGHTEST_GEV):
        raise InputError(
            f"mass of {masses.min():g} GeV is below {LIGHTEST_GEV:g} GeV (1 keV), down to which "
            "signals are computed"
        )


def events_at(
    couplings: NDArray[np.float64],
    events: NDArray[np.float64],
    at: ArrayLike,
    power: float | None,
) -> NDArray[np.float64]:
    """Return events at other couplings than those of a grid.

    Parameters
    ----------
    couplings
        The grid, increasing, shape (C,).
    events
        Events on it, shape (M, C, ...).
    at
        Where they are asked for, positive, of a shape that broadcasts to (M, K).
    power
        Exponent of a power law; None for interpolation of ln(events) in ln(coupling), zero
        wherever a neighbour on the grid is zero.

    Returns
    -------
    ndarray
        Shape (M, K, ...).

    Raises
    ------
    InputError
        For a coupling that is not positive, or outside the grid without a power law.
    """
    masses = len(events)
    wanted = np.atleast_1d(np.asarray(at, float))
    wanted = np.broadcast_to(wanted, (masses, wanted.shape[-1]))
    if not np.all(wanted > 0.0):
        raise InputError("couplings must be positive")
    extra = (1,) * (events.ndim - 2)
    if power is not None:
        scale = (wanted / couplings[0]) ** power
        return np.asarray(events[:, :1] * scale.reshape(*wanted.shape, *extra))
    low, high = float(couplings[0]), float(couplings[-1])
    if np.any((wanted < low * (1.0 - 1e-9)) | (wanted > high * (1.0 + 1e-9))):
        raise InputError(f"couplings from {low:g} to {high:g} are tabulated, others are asked for")
    x, grid = np.log(wanted), np.log(couplings)
    place = np.clip(np.searchsorted(grid, x) - 1, 0, len(grid) - 2)
    fraction = np.clip((x - grid[place]) / (grid[place + 1] - grid[place]), 0.0, 1.0)
    fraction = fraction.reshape(*wanted.shape, *extra)
    rows = np.arange(masses)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        below, above = np.log(events[rows, place]), np.log(events[rows, place + 1])
        mixed = (1.0 - fraction) * below + fraction * above
    # at a node the other neighbour has no say, and 0 * ln(0) is no number
    mixed = np.where(fraction == 0.0, below, np.where(fraction == 1.0, above, mixed))
    return np.asarray(np.exp(mixed))
