"""Limits and p-values of many masses with any calculator: what everything else calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.datasets import impossible_masses, observed_fits
from na64.limits.calculators.protocol import Calculator, Choosing
from na64.limits.calculators.registry import Auto
from na64.limits.calculators.roots import CEILING, Edges, Roots
from na64.limits.calculators.status import BAND_ORDER, Status
from na64.limits.calculators.table import (
    ClsTable,
    LimitTable,
    check_confidence_level,
    states_to_status,
)
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.counts import whole_counts
from na64.models.errors import InputError
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.processes import Workers

__all__ = ["Remember", "cls_values", "observed_counts", "upper_limits"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
#: returns what is kept under a key, or what a function returns, which it may keep
Remember = Callable[[Hashable, Callable[[], Edges]], Edges]

#: what is used unless told otherwise
_AUTO = Auto()
#: bits of a signal's shape that are kept, a relative precision of 1e-12
_BITS = 40.0


def upper_limits(
    batch: SignalBatch,
    *,
    calculator: Calculator = _AUTO,
    confidence_level: float = 0.9,
    observed: bool = True,
    expected: bool = True,
    counts: ArrayLike | None = None,
    jobs: int = 1,
    remember: Remember | None = None,
) -> LimitTable:
    """Return the limits on the signal strength for M masses.

    Parameters
    ----------
    batch
        Signals, from `CompiledLikelihood.inject` or `CompiledLikelihood.batch`.
    calculator
        One of `na64.limits.calculators.registry.CALCULATORS`, with its settings.
    confidence_level
        1 - CLs (or the p-value) at the limit, between 0 and 1.
    observed, expected
        Which limits to compute. Without the observed limit the counts may be expectations; with
        ``observed=False`` and no counts they are the nominal background.
    counts
        Counts per bin instead of the workspace's, shape (B,).
    jobs
        Processes that share the work; the result does not depend on it.
    remember
        Keeps limits in events by what they depend on other than the likelihood: the shape of the
        signals, the counts, the calculator. Whoever gives it keeps likelihoods apart.

    Returns
    -------
    LimitTable
        Every mass to the last bit as if it were computed alone.

    Raises
    ------
    InputError
        For a level or counts that are not allowed, and for an ensemble that is too large to
        enumerate.
    """
    alpha = check_confidence_level(confidence_level)
    if jobs < 1:
        raise InputError(f"at least one job is needed, not {jobs}")
    data = observed_counts(batch, counts, observed=observed)
    problems = _problems(batch, data)
    good = np.array([i for i, problem in enumerate(problems) if not problem[1]], dtype=np.intp)
    part, copies = batch.take(good), np.arange(len(good))
    if calculator.smooth:
        part, copies = _distinct(part)
    if jobs > 1:  # neighbours cost alike: every process takes masses from everywhere
        order = np.concatenate([np.arange(i, len(part), jobs) for i in range(jobs)])
        part, copies = part.take(order), np.argsort(order)[copies]
    wanted = (observed, expected)

    def solved() -> Edges:
        return _edges(part, data, calculator, alpha, wanted, jobs)

    edges = (
        solved()
        if remember is None
        else remember(_key(part, data, calculator, alpha, wanted), solved)
    )
    upper = [None if roots is None else roots.take(copies) for roots in edges.upper]
    values, states, messages = _read(batch, good, upper, problems, wanted)
    lower, error = np.full(len(batch), np.nan), np.full((6, len(batch)), np.nan)
    if edges.lower is not None and observed:
        lower[good] = edges.lower[copies] / batch.events[good]
    # a method that had the choice may have used none with noise
    noisy = edges.error is not None and not (edges.used and np.isnan(edges.error).all())
    if edges.error is not None:
        error[:, good] = edges.error[:, copies] * values[:, good]
    return LimitTable(
        calculator=calculator,
        confidence_level=confidence_level,
        events=batch.events,
        observed=values[0],
        expected=values[1:],
        status=states[0],
        expected_status=states[1:],
        messages=messages,
        lower=lower,
        observed_error=error[0] if noisy else None,
        expected_error=error[1:] if noisy else None,
        **_made_by(edges, copies, good, len(batch)),
    )


def cls_values(
    batch: SignalBatch,
    mu: ArrayLike,
    *,
    calculator: Calculator = _AUTO,
    expected: bool = False,
    counts: ArrayLike | None = None,
) -> ClsTable:
    """Return CLs (or the p-value of the calculator) at given signal strengths.

    Parameters
    ----------
    batch
        Signals of M masses.
    mu
        Signal strengths, not negative, of a shape that broadcasts to (..., M).
    calculator, counts
        As in `upper_limits`.
    expected
        Whether to compute the expected values as well.

    Returns
    -------
    ClsTable

    Raises
    ------
    InputError
        For a strength or counts that are not allowed, a signal of more than 1e12 events, and for an
        ensemble that is too large.
    """
    strength = np.asarray(mu, dtype=np.float64)
    if not (np.all(np.isfinite(strength)) and np.all(strength >= 0.0)):
        raise InputError("signal strengths must be finite and not negative")
    if calculator.two_sided and np.any(strength == 0.0):
        raise InputError(
            f"the method '{calculator.name}' has no p-value of a strength of zero here: that "
            f"is the p-value of a discovery"
        )
    try:
        shape = np.broadcast_shapes(strength.shape, (len(batch),))
    except ValueError as error:
        raise InputError(
            f"signal strengths of shape {strength.shape} do not fit {len(batch)} masses"
        ) from error
    data = observed_counts(batch, counts)
    problems = _problems(batch, data)
    answer = np.full(shape, np.nan)
    bands = np.full((len(BAND_ORDER), *shape), np.nan)
    nu = np.broadcast_to(strength, shape) * batch.events
    mass = np.broadcast_to(np.arange(len(batch)), shape)
    if np.any(np.nan_to_num(nu, nan=np.inf) > math.exp(CEILING)):
        raise InputError(
            f"signal strengths are looked at up to {math.exp(CEILING):.0e} signal events, and one "
            f"gives {np.max(nu):.3g}"
        )
    zero = nu == 0.0
    answer[zero], bands[:, zero] = 1.0, 1.0  # no signal is tested: it cannot be excluded
    bad = np.array([status is Status.FAILED for status, _ in problems], dtype=bool)
    answer[bad[mass]], bands[:, bad[mass]] = np.nan, np.nan
    todo = ~zero & ~bad[mass]
    used: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if todo.any():
        engine = calculator.on(batch, data)
        answer[todo], bands[:, todo] = engine.p_values(nu[todo], mass[todo], expected=expected)
        if isinstance(engine, Choosing):
            used, notes = engine.methods(np.arange(len(batch)))
    too_small = None
    if calculator.two_sided:
        _, _, free = observed_fits(batch, data)
        too_small = np.where(free.converged, free.nu, np.nan)[mass] > nu
    return ClsTable(
        calculator=calculator,
        mu=np.broadcast_to(strength, shape),
        observed=answer,
        expected=bands if expected else None,
        too_small=too_small,
        used=used,
        notes=notes,
    )


def _made_by(edges: Edges, copies: Index, good: Index, n: int) -> dict[str, Any]:
    """Return which methods made the limits of all masses, and why."""
    if edges.used is None or edges.notes is None:
        return {}
    used, notes = [""] * n, [""] * n
    for place, copy in zip(good.tolist(), copies.tolist(), strict=True):
        used[place] = "+".join(dict.fromkeys(row[copy] for row in edges.used if row[copy]))
        notes[place] = edges.notes[copy]
    return {"used": tuple(used), "notes": tuple(notes)}


def _distinct(batch: SignalBatch) -> tuple[SignalBatch, Index]:
    """Return the different signals, and which of them each mass has.

    A limit in events depends on the signal's shape alone. Shapes are cut to a precision well
    above the noise of rounding, and these are what is solved: no mass takes the limit of another.
    """
    mantissa, exponent = np.frexp(batch.shape)
    shape = np.ldexp(np.round(np.ldexp(mantissa, int(_BITS))), exponent - int(_BITS))
    rounded = replace(batch, shape=shape)
    own = batch.auxiliary
    what = shape if own is None or own.ndim == 1 else np.concatenate([shape, own])
    _, first, copies = np.unique(what, axis=1, return_index=True, return_inverse=True)
    return rounded.take(first), copies.ravel()


def _key(
    part: SignalBatch,
    counts: Array,
    calculator: Calculator,
    alpha: float,
    wanted: tuple[bool, bool],
) -> Hashable:
    """Return what edges depend on, other than the likelihood.

    How many events mu = 1 gives is no part of it, so that another exposure has the same edges.
    """
    own = part.auxiliary
    return (
        part.shape.shape,
        part.shape.tobytes(),
        None if own is None else (own.shape, own.tobytes()),
        None if calculator.smooth else part.keys.tobytes(),
        counts.tobytes(),
        canonical_json(calculator.to_dict()),
        alpha,
        wanted,
    )


#: signals, counts, calculator, alpha, which limits
_Task = tuple[SignalBatch, Array, Calculator, float, tuple[bool, bool]]


def _solve(task: _Task) -> Edges:
    batch, counts, calculator, alpha, (observed, expected) = task
    return calculator.on(batch, counts).limits(alpha, observed=observed, expected=expected)


def _edges(
    batch: SignalBatch,
    counts: Array,
    calculator: Calculator,
    alpha: float,
    wanted: tuple[bool, bool],
    jobs: int,
) -> Edges:
    """Solve in one or several processes, which share the masses."""
    if not len(batch):
        return Edges((None,) * 6)
    parts = np.array_split(np.arange(len(batch)), min(jobs, len(batch)))
    # fewer masses than processes: observed and expected limits are computed side by side
    both = [(True, False), (False, True)]
    kinds = both if wanted == (True, True) and jobs > len(parts) else [wanted]
    tasks: list[_Task] = [
        (batch.take(part), counts, calculator, alpha, kind) for kind in kinds for part in parts
    ]
    if len(tasks) == 1:
        return _solve(tasks[0])
    with Workers(min(jobs, len(tasks))) as pool:
        found = list(pool.map(_solve, tasks))
    observed, expected = found[: len(parts)], found[-len(parts) :]
    return Edges(
        (
            Roots.join([edges.upper[0] for edges in observed]),
            *(Roots.join([edges.upper[i] for edges in expected]) for i in range(1, 6)),
        ),
        _joined([edges.lower for edges in observed]),
        _rows(
            _joined([edges.error for edges in observed]),
            _joined([edges.error for edges in expected]),
        ),
        *_joined_words(observed, expected),
    )


def _joined_words(
    observed: list[Edges], expected: list[Edges]
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]] | None, tuple[str, ...] | None]:
    """Join what parts say of the methods they used, for observed and expected limits."""
    if any(edges.used is None or edges.notes is None for edges in (*observed, *expected)):
        return None, None
    used = tuple(
        tuple(name for edges in parts for name in (edges.used or ((), ()))[row])
        for row, parts in enumerate((observed, expected))
    )
    said = [
        [note for edges in parts for note in edges.notes or ()] for parts in (observed, expected)
    ]
    notes = tuple("; ".join(dict.fromkeys(filter(None, pair))) for pair in zip(*said, strict=True))
    return (used[0], used[1]), notes


def _joined(parts: list[Array | None]) -> Array | None:
    some = [part for part in parts if part is not None]
    return np.concatenate(some, axis=-1) if len(some) == len(parts) else None


def _rows(observed: Array | None, expected: Array | None) -> Array | None:
    """Put errors of the observed and of the expected edges together."""
    if observed is None or expected is None:
        return None
    return np.concatenate([observed[:1], expected[1:]])


def observed_counts(
    batch: SignalBatch, counts: ArrayLike | None, *, observed: bool = True
) -> Array:
    """Return the counts to use, checked: given ones, the workspace's, or the nominal background.

    Parameters
    ----------
    batch
        Signals.
    counts
        Given counts, shape (B,), or None.
    observed
        Whether the workspace's counts are meant when none are given; otherwise the nominal
        background is.

    Raises
    ------
    InputError
        If the counts have the wrong length, or are negative or not finite.
    """
    likelihood = batch.likelihood
    if counts is None:
        if observed:
            return likelihood.observed
        fitter = likelihood.fitter
        evaluator = fitter.problem(False).evaluator
        nothing = np.zeros((len(batch.shape), 1))
        return evaluator.rates(fitter.init[:, None], np.zeros(1), nothing)[:, 0]
    data = whole_counts(counts)
    if data.shape != (len(likelihood.bins),):
        raise InputError(f"{data.size} counts for {len(likelihood.bins)} bins")
    if not (np.all(np.isfinite(data)) and np.all(data >= 0.0)):
        raise InputError("observed counts must be finite and not negative")
    return data


def _problems(batch: SignalBatch, counts: Array) -> list[tuple[Status, str]]:
    """Say which masses have no limit before anything is computed."""
    answer = []
    for events, message in zip(
        batch.events.tolist(), impossible_masses(batch, counts), strict=True
    ):
        if message:
            answer.append((Status.FAILED, message))
        elif events <= 0.0:
            answer.append((Status.NO_EXCLUSION, "no signal event is expected at any strength"))
        else:
            answer.append((Status.OK, ""))
    return answer


def _read(
    batch: SignalBatch,
    good: Index,
    upper: list[Roots | None],
    problems: list[tuple[Status, str]],
    wanted: tuple[bool, bool],
) -> tuple[Array, tuple[tuple[Status, ...], ...], tuple[str, ...]]:
    """Return upper edges of mu and their states, observed and five expected, and messages."""
    values = np.full((6, len(batch)), np.nan)
    states = [list(problems) for _ in range(6)]
    for i, root in enumerate(upper):
        if root is None:
            continue
        values[i, good] = np.exp(root.x) / batch.events[good]
        for j, state in zip(good.tolist(), states_to_status(root, CEILING), strict=True):
            states[i][j] = state
    observed, expected = wanted
    if not observed:  # the status of the whole is then that of the median
        states[0] = states[1 + BAND_ORDER.index(0)]
    names = ("observed", *(f"expected {k:+d}" for k in BAND_ORDER))
    messages = []
    for j, (_, problem) in enumerate(problems):
        said = dict.fromkeys(
            states[i][j][1] if problem else f"{name}: {states[i][j][1]}"
            for i, name in enumerate(names)
            if states[i][j][1] and (i == 0 or expected)
        )
        messages.append("; ".join(said))
    return values, tuple(tuple(state for state, _ in row) for row in states), tuple(messages)
