"""SignalRates, what the models hand to the workspaces; and where tables for them are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.arrays import FloatArray
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.models.production.emission import LIGHTEST_GEV

__all__ = [
    "EventCurves",
    "SignalRates",
    "TableStore",
    "check_masses",
    "checked_couplings",
    "emission_strengths",
    "events_at",
    "side_by_side",
    "stored",
]


class TableStore(Protocol):
    """Where tables, of cross-sections or fluxes, may be kept between runs."""

    def get_or_compute(
        self,
        key: Mapping[str, object],
        compute: Callable[[], Mapping[str, FloatArray]],
    ) -> Mapping[str, FloatArray]:
        """Return the tables of a key, computing them if they are not there."""


def stored(
    tables: TableStore | None,
    key: Mapping[str, object],
    compute: Callable[[], Mapping[str, FloatArray]],
) -> Mapping[str, FloatArray]:
    """Return the tables of a key from a store; computed if there is none."""
    return compute() if tables is None else tables.get_or_compute(key, compute)


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
        they are not (decays in flight); then `EventCurves` interpolates between couplings.
    """

    mediator: str
    parameter: str
    masses_gev: FloatArray
    couplings: FloatArray
    processes: tuple[str, ...]
    regions: tuple[str, ...]
    events: FloatArray
    power: float | None

    @classmethod
    def of(
        cls,
        mediator: Mediator,
        masses_gev: FloatArray,
        processes: tuple[str, ...],
        regions: tuple[str, ...],
        events: FloatArray,
        *,
        couplings: FloatArray | None = None,
        power: float = 2.0,
    ) -> SignalRates:
        """Return the rates of a mediator: at unit coupling with a power law, or on a grid.

        Parameters
        ----------
        couplings
            The grid of rates without a power law, shape (C,).
        """
        grid, law = (np.ones(1), power) if couplings is None else (couplings, None)
        name, parameter = mediator.name, mediator.parameter
        return cls(name, parameter, masses_gev, grid, processes, regions, events, law)

    def __post_init__(self) -> None:
        axes = (self.masses_gev, self.couplings, self.processes, self.regions)
        shape = tuple(len(axis) for axis in axes)
        if self.events.shape != shape:
            raise InputError(f"signal events have shape {self.events.shape}, expected {shape}")
        if not (np.all(np.isfinite(self.events)) and np.all(self.events >= 0.0)):
            raise InputError("signal events must be finite and not negative")
        if self.power is not None and len(self.couplings) != 1:
            raise InputError("rates with a power law are given at one coupling")


def side_by_side(parts: Mapping[str, SignalRates], regions: Sequence[str]) -> SignalRates:
    """Return the rates of several parts of a search along the region axis.

    Parameters
    ----------
    parts
        Rates by the name of the part, of one mediator at the same masses and couplings. Processes
        are those of any part, with no events where a part does not have them.
    regions
        Names of all regions, part by part.

    Raises
    ------
    InputError
        If the parts differ in mediator, masses, couplings or power.
    """
    first_name, first = next(iter(parts.items()))
    for part, rates in parts.items():
        for label, same in (
            ("mediators", rates.mediator == first.mediator),
            ("coupling parameters", rates.parameter == first.parameter),
            ("masses", np.array_equal(rates.masses_gev, first.masses_gev)),
            ("couplings", np.array_equal(rates.couplings, first.couplings)),
            ("powers of the coupling", rates.power == first.power),
        ):
            if not same:
                raise InputError(f"{first_name} and {part} have different {label}")
    processes = tuple(dict.fromkeys(name for rates in parts.values() for name in rates.processes))
    blocks = []
    for rates in parts.values():
        block = np.zeros((*rates.events.shape[:2], len(processes), len(rates.regions)))
        block[:, :, [processes.index(name) for name in rates.processes]] = rates.events
        blocks.append(block)
    events = np.concatenate(blocks, axis=-1)
    return replace(first, processes=processes, regions=tuple(regions), events=events)


def check_masses(masses_gev: FloatArray, energy_gev: float) -> None:
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


def emission_strengths(mediator: Mediator, lepton: str, masses_gev: FloatArray) -> FloatArray:
    """Return (g/e)^2 of a mediator with the leptons of a beam, shape (M,).

    Parameters
    ----------
    mediator
        What the leptons emit.
    lepton
        ``e`` or ``mu``.
    masses_gev
        Masses, shape (M,): a coupling by loops depends on them.

    Raises
    ------
    InputError
        If it couples to them at no mass.
    """
    # one by one: the digits of a mass must not depend on the others
    couplings = np.array([float(mediator.coupling(lepton, mass**2)) for mass in masses_gev])
    if not np.any(couplings):
        beam = {"e": "electrons", "mu": "muons"}[lepton]
        raise InputError(f"model '{mediator.name}' does not couple to the {beam} of this beam")
    return np.asarray((couplings / ELEMENTARY_CHARGE) ** 2)


@dataclass(frozen=True, slots=True)
class EventCurves:
    """Events between the couplings of a grid: cubics of ln(events) in ln(coupling).

    A cubic takes values and slopes from its two nodes. The slope of a node is that of the quartic
    through it and its four neighbours, of the parabola through three nodes where there are no
    five. Where the events of all neighbours rise, or fall, so does the curve (the slope has the
    sign of both secants and is at most three times the smaller); the top of a peak may lie between
    two nodes. Between two nodes one of which has no events there are none.

    At the midpoints of the grids of the models (40 couplings per decade) the events differ from
    those computed there by less than 1e-5, relatively, for axion-like particles, visible and
    semi-visible decays (1.5e-3 in the first and last two intervals); monotone cubics (pchip) by
    up to 2.5e-3, straight lines by up to 4e-2.

    Attributes
    ----------
    nodes
        ln(coupling), increasing, shape (C,).
    logs, slopes
        ln(events), -inf where there are none, and its slopes, shape (M, C, ...).

    References
    ----------
    R. L. Dougherty, A. Edelman and J. M. Hyman, Math. Comp. 52 (1989) 471, for the slopes.
    """

    nodes: FloatArray
    logs: FloatArray
    slopes: FloatArray

    @classmethod
    def through(cls, couplings: ArrayLike, events: ArrayLike) -> EventCurves:
        """Return the curves through the events of a grid.

        Parameters
        ----------
        couplings
            The grid, positive and increasing, shape (C,), at least two.
        events
            Events on it, finite and not negative, shape (M, C, ...).

        Raises
        ------
        InputError
            If a shape or a value is wrong.
        """
        grid = checked_couplings(couplings)
        values = np.asarray(events, dtype=np.float64)
        if values.ndim < 2 or values.shape[1] != len(grid):
            raise InputError(
                f"events have shape {values.shape}, expected (masses, {len(grid)}, ...)"
            )
        if not (np.all(np.isfinite(values)) and np.all(values >= 0.0)):
            raise InputError("events must be finite and not negative")
        nodes = np.log(grid)
        with np.errstate(divide="ignore"):
            logs = np.log(values)
        slopes = _slopes(nodes, np.moveaxis(logs, 1, 0))
        return cls(nodes, logs, np.ascontiguousarray(np.moveaxis(slopes, 0, 1)))

    def __call__(self, mass: NDArray[np.intp], coupling: ArrayLike) -> FloatArray:
        """Return the events at mass indices (N,) and couplings (N,), shape (N, ...).

        Raises
        ------
        InputError
            For a coupling outside the grid.
        """
        wanted = np.asarray(coupling, dtype=np.float64)
        low, high = float(np.exp(self.nodes[0])), float(np.exp(self.nodes[-1]))
        if np.any((wanted < low * (1.0 - 1e-9)) | (wanted > high * (1.0 + 1e-9))):
            raise InputError(
                f"couplings from {low:g} to {high:g} are tabulated, others are asked for"
            )
        at = np.clip(np.log(wanted), self.nodes[0], self.nodes[-1])
        place = np.clip(np.searchsorted(self.nodes, at, "right") - 1, 0, len(self.nodes) - 2)
        extra = (1,) * (self.logs.ndim - 2)
        width = (self.nodes[place + 1] - self.nodes[place]).reshape(-1, *extra)
        t = (at - self.nodes[place]).reshape(-1, *extra) / width
        below, above = self.logs[mass, place], self.logs[mass, place + 1]
        leave, arrive = self.slopes[mass, place] * width, self.slopes[mass, place + 1] * width
        with np.errstate(invalid="ignore"):
            rise = above - below
            curve = below + t * (
                leave + t * (3.0 * rise - 2.0 * leave - arrive + t * (leave + arrive - 2.0 * rise))
            )
        # at a node its neighbour has no say
        alone = np.where(t == 0.0, below, np.where(t == 1.0, above, -np.inf))
        return np.asarray(np.exp(np.where(np.isfinite(rise), curve, alone)))


def _slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the slopes at the nodes; y of shape (C, ...), -inf where there is nothing."""
    count = len(x)
    alive = np.isfinite(y)
    y = np.where(alive, y, 0.0)
    h = np.diff(x).reshape(-1, *(1,) * (y.ndim - 1))
    # secants to the left and to the right of each node, and whether there are any
    secant = np.zeros((count + 3, *y.shape[1:]))
    known = np.zeros(secant.shape, dtype=bool)
    known[2:-2] = alive[1:] & alive[:-1]
    secant[2:-2] = np.where(known[2:-2], np.diff(y, axis=0) / h, 0.0)
    wide = np.pad(h, [(2, 2)] + [(0, 0)] * (y.ndim - 1), mode="edge")
    far_left, left, right, far_right = (secant[k : k + count] for k in range(4))
    has_far_left, has_left, has_right, has_far_right = (known[k : k + count] for k in range(4))
    g, a, b, c = (wide[k : k + count] for k in range(4))
    both = has_left & has_right
    slope = np.where(
        both,
        (b * left + a * right) / (a + b),
        np.where(
            has_right,
            right - np.where(has_far_right, b * (far_right - right) / (b + c), 0.0),
            left + np.where(has_far_left, a * (left - far_left) / (a + g), 0.0),
        ),
    )
    five = both & has_far_left & has_far_right
    # divided differences of Newton's form, for the nodes i, i-1, i+1, i-2, i+2
    second = (right - left) / (a + b)
    third = (second - (left - far_left) / (a + g)) / (g + a + b)
    other = ((far_right - right) / (b + c) - second) / (a + b + c)
    fourth = (other - third) / (g + a + b + c)
    slope = np.where(five, left + a * second - a * b * third - a * b * (a + g) * fourth, slope)
    # at an end there is one secant
    left, right = np.where(has_left, left, right), np.where(has_right, right, left)
    rises = np.sign(right)
    monotone = np.sign(left) == rises
    monotone &= ~has_far_left | (np.sign(far_left) == rises)
    monotone &= ~has_far_right | (np.sign(far_right) == rises)
    steepest = 3.0 * np.minimum(np.abs(left), np.abs(right))
    return np.where(monotone, rises * np.clip(rises * slope, 0.0, steepest), slope)


def checked_couplings(couplings: ArrayLike) -> FloatArray:
    """Return a grid of couplings, refused unless positive and increasing, at least two."""
    grid = np.asarray(couplings, dtype=np.float64)
    if grid.ndim != 1 or len(grid) < 2:
        raise InputError("at least two couplings are needed")
    if not (np.all(np.isfinite(grid)) and grid[0] > 0.0 and np.all(np.diff(grid) > 0.0)):
        raise InputError("couplings must be positive and increasing")
    return grid


def events_at(
    couplings: FloatArray, events: FloatArray, at: ArrayLike, power: float | None
) -> FloatArray:
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
        Exponent of a power law; None for the interpolation of `EventCurves`.

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
    if power is not None:
        scale = (wanted / couplings[0]) ** power
        return np.asarray(events[:, :1] * scale.reshape(*wanted.shape, *(1,) * (events.ndim - 2)))
    curves = EventCurves.through(couplings, events)
    found = curves(np.repeat(np.arange(masses), wanted.shape[1]), wanted.ravel())
    return found.reshape(*wanted.shape, *events.shape[2:])
