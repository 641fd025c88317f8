"""Compiled likelihoods: a pyhf workspace as arrays, with signals of many masses at once.

A workspace is compiled once. Its signals, the samples that carry the parameter of interest,
can then be replaced for M masses in one step; compiling the JSON of one mass and injecting the
same rates gives the same likelihood. All fits count the signal in expected events,
nu = mu * (events at mu = 1), so that the scale of the parameter of interest never matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.fitting import Fitter
from na64.limits.likelihood.model import WorkspaceModel
from na64.limits.likelihood.reading import read_workspace
from na64.limits.likelihood.sums import add_rows
from na64.limits.likelihood.validation import check_schema
from na64.models.errors import InputError

__all__ = ["CompiledLikelihood", "SignalBatch", "compile_workspace"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def compile_workspace(
    spec: Mapping[str, Any],
    measurement: str | None = None,
    *,
    normsys_code: str = "code4",
    histosys_code: str = "code4p",
    validate: bool = True,
) -> CompiledLikelihood:
    """Compile one measurement of a pyhf workspace.

    Parameters
    ----------
    spec
        The workspace, as read from JSON.
    measurement
        Name of the measurement; the first by default.
    normsys_code
        ``code4`` (pyhf's default: polynomial inside, exponential outside) or ``code1``
        (piecewise exponential).
    histosys_code
        ``code4p`` (pyhf's default), ``code2`` or ``code0``.
    validate
        Whether to check the workspace with pyhf's JSON schema first. Importing pyhf takes a
        second; a workspace that this project built does not need it.

    Returns
    -------
    CompiledLikelihood

    Raises
    ------
    InputError
        If the workspace is not valid or cannot be compiled; the message names channel, sample
        and modifier.
    """
    if validate:
        check_schema(spec)
    return CompiledLikelihood(
        read_workspace(spec, measurement, normsys_code=normsys_code, histosys_code=histosys_code)
    )


@dataclass(frozen=True, slots=True)
class CompiledLikelihood:
    """The likelihood of one measurement.

    Attributes
    ----------
    model
        The tables it was compiled to.
    fitter
        The minimiser, with what it has compiled.
    """

    model: WorkspaceModel
    fitter: Fitter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fitter", Fitter(self.model))

    @property
    def bins(self) -> tuple[tuple[str, int], ...]:
        """(channel, index) of the B bins, in the workspace's order."""
        return self.model.bins

    @property
    def signal_names(self) -> tuple[str, ...]:
        """Names of the S samples that carry the parameter of interest."""
        return self.model.signal_samples

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the P nuisance parameters that fits move."""
        return tuple(p.name for p in self.model.parameters)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the modifiers behind the nuisance parameters, each once."""
        return tuple(dict.fromkeys(p.group for p in self.model.parameters))

    @property
    def observed(self) -> Array:
        """Observed counts, shape (B,)."""
        return self.model.observed

    @property
    def poi(self) -> str:
        """Name of the parameter of interest."""
        return self.model.poi

    def batch(self, keys: Array | None = None) -> SignalBatch:
        """Return the workspace's own signal, as a batch of one mass.

        Parameters
        ----------
        keys
            As in `inject`, shape (1,).

        Raises
        ------
        InputError
            If the signal is negative in some bins and not positive in total, or not finite: the
            strength is counted in expected events.
        """
        return self.make_batch(self.model.nominal[self.model.is_signal][None, :], keys)

    def inject(self, signals: ArrayLike, keys: ArrayLike | None = None) -> SignalBatch:
        """Replace the signal rates, for M masses at once.

        Parameters
        ----------
        signals
            Expected events at mu = 1 per mass, signal sample (in the order of `signal_names`)
            and bin (in the order of `bins`), shape (M, S, B), finite and not negative.
        keys
            One number per mass that its random numbers depend on, such as the mass in GeV, shape
            (M,), finite; 0 to M - 1 by default.

        Returns
        -------
        SignalBatch

        Raises
        ------
        InputError
            If the shape or a value is wrong, if a signal sample has modifiers in absolute
            events (histosys, shapesys, staterror), which new rates would contradict, or if
            there are events in a bin that the sample does not have.
        """
        rates = np.asarray(signals, dtype=np.float64)
        shape = (len(self.signal_names), len(self.bins))
        if rates.ndim != 3 or rates.shape[1:] != shape:
            raise InputError(
                f"signals have shape {rates.shape}, expected (masses, {shape[0]}, {shape[1]})"
            )
        if not (np.all(np.isfinite(rates)) and np.all(rates >= 0.0)):
            raise InputError("signal rates must be finite and not negative")
        if self.model.rigid_signals:
            sample, modifier = self.model.rigid_signals[0]
            raise InputError(
                f"sample '{sample}' cannot take other rates: modifier '{modifier}' is in "
                f"absolute events"
            )
        model = self.model
        carried = np.zeros(shape, dtype=bool)
        carried[model.cell_sample, model.cell_bin] = True
        lost = np.argwhere(np.any(rates > 0.0, axis=0) & ~carried)
        if len(lost):
            channel, index = self.bins[lost[0][1]]
            raise InputError(
                f"signal events for sample '{self.signal_names[lost[0][0]]}' in channel "
                f"'{channel}', bin {index}, where the workspace does not have this sample"
            )
        components = np.zeros((len(rates), len(model.nominal)))
        cells = rates[:, model.cell_sample, model.cell_bin] * model.cell_factor
        for cell, component in enumerate(model.cell_component.tolist()):
            components[:, component] += cells[:, cell]
        if keys is None:
            return self.make_batch(components[:, model.is_signal])
        numbers = np.asarray(keys, dtype=np.float64)
        if numbers.shape != (len(rates),) or not np.all(np.isfinite(numbers)):
            raise InputError(f"keys must be {len(rates)} finite numbers, one per mass")
        return self.make_batch(components[:, model.is_signal], numbers)

    def make_batch(self, rates: Array, keys: Array | None = None) -> SignalBatch:
        """Return a batch of rates of the signal components, shape (M, Ks)."""
        with np.errstate(over="ignore", invalid="ignore"):
            largest = np.max(np.abs(rates).sum(axis=1), initial=0.0)
        if not np.isfinite(largest):
            raise InputError(
                f"the samples with the parameter of interest '{self.poi}' "
                f"({', '.join(self.signal_names)}) expect {largest:g} events in total at "
                f"{self.poi} = 1, which is not finite"
            )
        evaluator = self.fitter.problem(False).evaluator
        factor = evaluator.nominal_factor[evaluator.signal_components]
        events = add_rows((rates * factor).T)
        wrong = np.flatnonzero((events <= 0.0) & np.any(rates < 0.0, axis=1))
        if len(wrong):
            raise InputError(
                f"the samples with the parameter of interest '{self.poi}' "
                f"({', '.join(self.signal_names)}) expect {events[wrong[0]]:g} events in total at "
                f"{self.poi} = 1; a signal may be negative in some bins, but not as a whole"
            )
        per_event = rates / np.where(events > 0.0, events, 1.0)[:, None]
        numbers = np.arange(len(rates), dtype=np.float64) if keys is None else keys
        return SignalBatch(self, np.ascontiguousarray(per_event.T), events, numbers)


@dataclass(frozen=True, slots=True)
class SignalBatch:
    """A compiled likelihood with the signals of M masses.

    Attributes
    ----------
    likelihood
        The likelihood.
    shape
        Rates of the signal components per signal event, shape (Ks, M).
    events
        Expected signal events at mu = 1 and nominal nuisance parameters, shape (M,).
    keys
        One number per mass that its random numbers depend on, shape (M,).
    auxiliary
        Auxiliary data of the P nuisance parameters, shape (P,) or, for every mass, (P, M); None
        for the workspace's.
    """

    likelihood: CompiledLikelihood
    shape: Array
    events: Array
    keys: Array
    auxiliary: Array | None = None

    def __len__(self) -> int:
        return len(self.events)

    def take(self, masses: Index) -> SignalBatch:
        """Return the batch of some of the masses."""
        own = self.auxiliary
        return replace(
            self,
            shape=self.shape[:, masses],
            events=self.events[masses],
            keys=self.keys[masses],
            auxiliary=own[:, masses] if own is not None and own.ndim == 2 else own,
        )

    @property
    def one_background(self) -> bool:
        """Whether all masses have the same auxiliary data, and so the same fit at mu = 0."""
        return self.auxiliary is None or self.auxiliary.ndim == 1

    def with_auxiliary(self, auxiliary: ArrayLike) -> SignalBatch:
        """Return the batch with other auxiliary data, for pseudo-experiments.

        Parameters
        ----------
        auxiliary
            One number per parameter of `CompiledLikelihood.parameter_names`, shape (P,), or one
            for every mass as well, shape (P, M): the measured value of a Gaussian constraint, the
            count of a Poisson one.

        Raises
        ------
        InputError
            If the shape is wrong or a value is not finite.
        """
        values = np.asarray(auxiliary, dtype=np.float64)
        wanted = len(self.likelihood.parameter_names)
        if values.shape not in ((wanted,), (wanted, len(self))):
            raise InputError(
                f"auxiliary data of shape {values.shape} for {wanted} nuisance parameters and "
                f"{len(self)} masses"
            )
        if not np.all(np.isfinite(values)):
            raise InputError("auxiliary data must be finite")
        return replace(self, auxiliary=values)

    def on(self, other: CompiledLikelihood, factors: Array) -> SignalBatch:
        """Return the same signals on a likelihood with some parameters frozen.

        Parameters
        ----------
        other
            The likelihood of `na64.limits.likelihood.freezing.freeze`, with the same components.
            Auxiliary data are the workspace's.
        factors
            Those of the frozen parameters, shape (K,).
        """
        model, where = self.likelihood.model, self.likelihood.model.is_signal
        # only a workspace's own signal can have shifts, and keep those that were frozen
        shifted = (other.model.nominal - model.nominal * factors)[where]
        rates = (self.shape * self.events).T * factors[where] + shifted
        return other.make_batch(rates, self.keys)

    def points(self, mass: Index, counts: Array, auxiliary: Array | None = None) -> Points:
        """Put signals and data together for N fits.

        Parameters
        ----------
        mass
            Index of the mass of each point, shape (N,).
        counts
            Main counts, shape (B, N) or (B, 1).
        auxiliary
            Auxiliary data, shape (P, N) or (P, 1); those of the batch by default.
        """
        n = len(mass)
        if auxiliary is None:
            own = self.auxiliary
            if own is not None and own.ndim == 2:
                auxiliary = own[:, mass]
            else:
                auxiliary = (self.likelihood.fitter.centre if own is None else own)[:, None]
        return Points(
            self.shape[:, mass],
            np.ascontiguousarray(np.broadcast_to(counts, (len(counts), n))),
            np.ascontiguousarray(np.broadcast_to(auxiliary, (len(auxiliary), n))),
        )
