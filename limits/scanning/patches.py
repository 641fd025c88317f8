"""Limits of all signals of a published likelihood: one workspace, a patch for every signal.

Each patch is applied, compiled and asked by itself, so that a result depends neither on the other
patches nor on the number of processes, and a process has one likelihood at a time in memory. What
the patches have in common is checked against pyhf's schema once: that takes longer than to compile.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.status import BAND_ORDER, Status
from na64.limits.calculators.table import ClsTable, LimitTable, check_confidence_level
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.limits.likelihood.trust_region import NOT_CONVERGED
from na64.limits.likelihood.validation import check_schema
from na64.limits.scanning.progress import Progress, advance, silent
from na64.models.errors import InputError, NA64Error
from na64.workspaces.io.processes import WorkerLostError, Workers
from na64.workspaces.pyhf.patchsets import Patch, Patchset
from na64.workspaces.pyhf.write import is_projection

__all__ = ["PatchResult", "PatchedResults", "limits_or_infinity", "patch_cls", "patch_limits"]

Array = NDArray[np.float64]
Answer = TypeVar("Answer", LimitTable, ClsTable)

_LOGGER = logging.getLogger(__name__)

#: how a process that was ended from outside is reported
_ENDED: Final = "its process was ended, perhaps for want of memory; fewer processes need less"


@dataclass(frozen=True, slots=True)
class PatchResult(Generic[Answer]):
    """What came out for one patch.

    Attributes
    ----------
    name, values
        Of the patch.
    measurement, parameter
        Names of the measurement and of its parameter of interest; empty where there is no answer.
    answer
        Table of one signal; None where the patch could not be applied, compiled or computed.
    problem
        Why there is no answer; empty where there is one.
    """

    name: str
    values: tuple[float | int | str, ...]
    measurement: str = ""
    parameter: str = ""
    answer: Answer | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PatchedResults(Generic[Answer]):
    """Results of the patches of a patchset, in its order.

    Attributes
    ----------
    labels
        Names of the values of the patches.
    results
        One per patch.
    """

    labels: tuple[str, ...]
    results: tuple[PatchResult[Answer], ...]

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[PatchResult[Answer]]:
        return iter(self.results)

    @property
    def points(self) -> Array:
        """Values of the N patches, shape (N, L).

        Raises
        ------
        InputError
            For a value that is no number.
        """
        for result in self.results:
            for label, value in zip(self.labels, result.values, strict=True):
                if isinstance(value, str):
                    raise InputError(f"patch '{result.name}': {label} is the text '{value}'")
        return np.array([result.values for result in self.results], dtype=np.float64)

    @property
    def observed(self) -> Array:
        """Observed limits or CLs, NaN where missing, shape (N,) or, for K strengths, (N, K)."""
        return self._stacked(lambda answer: answer.observed[..., 0], ())

    @property
    def expected(self) -> Array:
        """Expected ones in `BAND_ORDER`, shape (N, 5) or (N, 5, K)."""
        bands = (len(BAND_ORDER),)
        return self._stacked(lambda answer: np.asarray(answer.expected)[..., 0], bands)

    @property
    def problems(self) -> dict[str, str]:
        """Why a patch has no number that was asked for, by its name."""
        told = {result.name: _problem(result) for result in self.results}
        return {name: problem for name, problem in told.items() if problem}

    def _stacked(self, read: Callable[[Any], Array], usual: tuple[int, ...]) -> Array:
        found = [None if each.answer is None else read(each.answer) for each in self.results]
        shape = next((some.shape for some in found if some is not None), usual)
        missing = np.full(shape, np.nan)
        return np.array([missing if some is None else some for some in found])


def patch_limits(
    background: Mapping[str, Any],
    patchset: Patchset,
    *,
    measurement: str | None = None,
    verify: bool = True,
    jobs: int = 1,
    progress: Progress = silent,
    **settings: Any,
) -> PatchedResults[LimitTable]:
    """Return the upper limits on the signal strength for every patch of a patchset.

    Parameters
    ----------
    background
        The workspace that the patches belong to, as read from JSON.
    patchset
        From `na64.workspaces.pyhf.patchsets.read_patchset`; some of its patches by its ``take``.
    measurement
        Name of the measurement; the first one of each patched workspace by default.
    verify
        Whether to refuse a workspace whose digest is not the one in the patchset.
    jobs
        Processes that share the patches; the result does not depend on it.
    progress
        Called with a text after every patch.
    settings
        Further arguments of `na64.limits.calculators.limits.upper_limits`: ``calculator``,
        ``confidence_level``, ``observed``, ``expected``.

    Returns
    -------
    PatchedResults
        Each result, to the last bit, that of the patched workspace alone. A patch without one says
        why and does not keep the others from theirs.

    Raises
    ------
    InputError
        For a confidence level that is not allowed, a workspace that is not valid or not the one of
        the patchset, and fewer than one job.
    """
    check_confidence_level(settings.get("confidence_level", 0.5))
    check_schema(background)
    ask: Callable[[SignalBatch], LimitTable] = partial(upper_limits, **settings)
    task = _Task(background, measurement, ask)
    return _all_of(patchset, task, verify=verify, jobs=jobs, progress=progress)


def patch_cls(
    background: Mapping[str, Any],
    patchset: Patchset,
    mu: ArrayLike = 1.0,
    *,
    measurement: str | None = None,
    verify: bool = True,
    jobs: int = 1,
    progress: Progress = silent,
    **settings: Any,
) -> PatchedResults[ClsTable]:
    """Return CLs at the same signal strengths for every patch of a patchset.

    Parameters
    ----------
    background, patchset, measurement, verify, jobs, progress
        As in `patch_limits`.
    mu
        Signal strengths, finite and not negative, shape (K,) or one number.
    settings
        A ``calculator``, as in `na64.limits.calculators.limits.cls_values`.

    Raises
    ------
    InputError
        As `patch_limits`, and for a strength that is not allowed.
    """
    strengths = np.asarray(mu, dtype=np.float64)
    if not (np.all(np.isfinite(strengths)) and np.all(strengths >= 0.0)):
        raise InputError("signal strengths must be finite and not negative")
    check_schema(background)
    ask: Callable[[SignalBatch], ClsTable] = partial(
        cls_values, mu=strengths[..., None], expected=True, **settings
    )
    task = _Task(background, measurement, ask)
    return _all_of(patchset, task, verify=verify, jobs=jobs, progress=progress)


def limits_or_infinity(found: PatchedResults[LimitTable]) -> Array:
    """Return limits as contours need them: infinite where no signal strength is excluded.

    Parameters
    ----------
    found
        Limits of N patches.

    Returns
    -------
    numpy.ndarray
        Observed limits and the expected ones in `BAND_ORDER`, NaN where they could not be
        computed, shape (6, N).
    """
    rows = np.vstack([found.observed, found.expected.T])
    for column, each in enumerate(found):
        if each.answer is not None:
            states = (each.answer.status, *each.answer.expected_status)
            nothing = [state[0] is Status.NO_EXCLUSION for state in states]
            rows[nothing, column] = np.inf
    return rows


class _Task(Generic[Answer]):
    """What is done with each patch; goes to another process as what it was made of."""

    def __init__(
        self,
        background: Mapping[str, Any],
        measurement: str | None,
        ask: Callable[[SignalBatch], Answer],
    ) -> None:
        self.background, self.measurement = background, measurement
        self.ask: Callable[[SignalBatch], Answer] = ask
        #: samples that are valid, each as its JSON
        self.valid = {
            _text(sample) for channel in background["channels"] for sample in channel["samples"]
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _Task, (self.background, self.measurement, self.ask)

    def __call__(self, patch: Patch) -> PatchResult[Answer]:
        """Return the result of one patch; what goes wrong with it is a result as well."""
        try:
            document = patch.apply(self.background)
            self._check(document)
            compiled = compile_workspace(document, self.measurement, validate=False)
            answer = self.ask(compiled.batch())
            if is_projection(compiled.model.measurement):
                answer = _expected_only(answer)
        except NA64Error as error:
            return PatchResult(patch.name, patch.values, problem=str(error))
        except Exception as error:  # one signal of hundreds: the others are worth their time
            _LOGGER.debug("patch '%s'", patch.name, exc_info=True)
            problem = f"internal error, {type(error).__name__}: {error}"
            return PatchResult(patch.name, patch.values, problem=problem)
        return PatchResult(
            patch.name, patch.values, compiled.model.measurement, compiled.poi, answer
        )

    def _check(self, document: Mapping[str, Any]) -> None:
        """Check a patched workspace against the schema, but samples of the background."""
        try:
            check_schema(self._changed(document))
        except InputError:
            check_schema(document)  # to name the place in the whole
            raise

    def _changed(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a workspace without samples that are valid, but for one per channel."""
        try:
            channels = [
                {
                    **channel,
                    "samples": [
                        item for item in channel["samples"] if _text(item) not in self.valid
                    ]
                    or channel["samples"][:1],
                }
                for channel in document["channels"]
            ]
        except (LookupError, TypeError):  # a patch made something else of them
            return document
        return {**document, "channels": channels}


def _expected_only(answer: Answer) -> Answer:
    """Return an answer without what was observed: there are no data yet."""
    if isinstance(answer, LimitTable):
        return replace(
            answer,
            observed=np.full_like(answer.observed, np.nan),
            lower=np.full_like(answer.lower, np.nan),
            status=answer.expected_status[BAND_ORDER.index(0)],
        )
    if isinstance(answer, ClsTable):
        return replace(answer, observed=np.full_like(answer.observed, np.nan))
    return answer


def _all_of(
    patchset: Patchset,
    task: _Task[Answer],
    *,
    verify: bool,
    jobs: int,
    progress: Progress,
) -> PatchedResults[Answer]:
    """Do a task with all patches, in one process or several."""
    if jobs < 1:
        raise InputError(f"at least one job is needed, not {jobs}")
    if verify:
        patchset.verify(task.background)
    total = len(patchset)
    found: dict[int, PatchResult[Answer]] = {}
    for index, result in _each(patchset.patches, task, jobs):
        found[index] = result
        advance(progress, len(found), total, sum(one.answer is None for one in found.values()))
    return PatchedResults(patchset.labels, tuple(found[index] for index in range(total)))


def _each(
    patches: Sequence[Patch], task: _Task[Answer], jobs: int
) -> Iterator[tuple[int, PatchResult[Answer]]]:
    """Yield results with their places as they come."""
    if min(jobs, len(patches)) <= 1:
        yield from ((index, task(patch)) for index, patch in enumerate(patches))
        return
    with Workers(min(jobs, len(patches)), _begin, (task,)) as pool:
        futures: dict[Future[PatchResult[Answer]], int] = {
            pool.submit(_work, patch): index for index, patch in enumerate(patches)
        }
        for future in as_completed(futures):
            patch = patches[futures[future]]
            try:
                yield futures[future], future.result()
            except WorkerLostError:
                yield futures[future], PatchResult(patch.name, patch.values, problem=_ENDED)


#: the task of a process of the pool
_task: _Task[Any] | None = None


def _begin(task: _Task[Any]) -> None:
    global _task
    _task = task


def _work(patch: Patch) -> PatchResult[Any]:
    assert _task is not None
    return _task(patch)


def _problem(result: PatchResult[Any]) -> str:
    """Say why a number that was asked for is missing; that nothing is excluded is no problem."""
    if result.answer is None:
        return result.problem
    if isinstance(result.answer, LimitTable):
        missing = result.answer.status[0] in (Status.FAILED, Status.NOT_BRACKETED)
        return result.answer.messages[0] if missing else ""
    values = result.answer.observed
    if is_projection(result.measurement) and result.answer.expected is not None:
        values = result.answer.expected[BAND_ORDER.index(0)]
    return "" if np.all(np.isfinite(values)) else NOT_CONVERGED


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
