"""Every fit behind an asymptotic limit of one workspace against a second minimiser."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import observed_fits
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Asymptotic
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.limits.likelihood.fitting import Fit
from na64.models.errors import NA64Error
from scripts.benchmarks.second_minimiser import Data, Minimum, PlainLikelihood

__all__ = ["TOLERANCE", "Checks", "FitCheck", "Report", "check_workspace", "cpu_limit"]

Array = NDArray[np.float64]

#: negative log-likelihoods that differ by less than this agree
TOLERANCE = 1e-3
#: and CLs by less than this: q = 2e-3 that should be zero is a pull of 0.04
CLS_TOLERANCE = 0.01
#: what our value may differ from the second likelihood's at the same parameters
_VALUE_TOLERANCE = 1e-5
#: signal strengths of the checks, over a rough guess of the limit
_STRENGTHS = (0.3, 1.0, 3.0)
_LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class FitCheck:
    """One fit: its name, both minima, and what came of it.

    Attributes
    ----------
    outcome
        ``agreed``, ``deeper`` or ``shallower`` (ours), ``failed`` (ours says so) or ``value``
        (ours is not the likelihood at its parameters).
    """

    name: str
    ours: float
    second: float
    outcome: str


@dataclass(slots=True)
class Report:
    """What came of one workspace.

    Attributes
    ----------
    fits
        Every fit that was checked.
    status
        Of the limit, observed and the five bands from -2 to +2 standard deviations.
    message
        Of the limit.
    problem
        Why there is no limit at all: refused, out of time, or an exception; empty otherwise.
    cls, limit
        Largest difference of CLs from that of the second minima, infinite where CLs is no number,
        and of CLs at the limit.
    seconds
        CPU time of CLs and limit with bands.
    """

    fits: list[FitCheck] = field(default_factory=list)
    status: tuple[str, ...] = ()
    message: str = ""
    problem: str = ""
    cls: float = 0.0
    limit: float = 0.0
    seconds: float = 0.0

    def count(self, outcome: str) -> int:
        """Return how many fits came out so."""
        return sum(fit.outcome == outcome for fit in self.fits)

    def problems(self) -> list[str]:
        """Say in words what must not be: nothing where all is well."""
        answer = [self.problem] if self.problem else []
        answer += [
            f"{fit.name} {fit.outcome}: {fit.ours:.6g}, second {fit.second:.6g}"
            for fit in self.fits
            if fit.outcome not in ("agreed", "deeper")
        ]
        if not self.cls < CLS_TOLERANCE:
            answer.append(f"CLs differs by {self.cls:.3g}")
        if not self.limit < CLS_TOLERANCE:
            answer.append(f"CLs at the limit is wrong by {self.limit:.3g}")
        if "failed" in self.status:
            answer.append(f"limit failed: {self.message}")
        return answer


class _OutOfTimeError(Exception):
    """The CPU time that was allowed is over."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` in the block when it has used so much CPU time; 0 for no limit."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    if not seconds:
        yield
        return
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except _OutOfTimeError:
        raise TimeoutError(f"more than {seconds:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def check_workspace(
    spec: Mapping[str, Any],
    *,
    starts: int = 4,
    strengths: tuple[float, ...] = _STRENGTHS,
    fits_alone: bool = False,
    seconds: float = 20.0,
) -> Report:
    """Compute limits and CLs of a workspace, and fit everything again.

    Parameters
    ----------
    spec
        The workspace.
    starts
        From how many points the second minimiser starts, the end of our fit not counted.
    strengths
        Where CLs is checked, over a rough guess of the limit.
    fits_alone
        Whether to leave out CLs and the limit, which take tens of fits.
    seconds
        CPU time that the engine may take.
    """
    report = Report()
    plain = PlainLikelihood(spec)
    expected = plain.events if plain.events > 0.0 else 1.0
    guess = (3.0 + 1.6 * math.sqrt(float(plain.observed.counts.sum()))) / expected
    mu = guess * np.array(strengths)
    begin = time.process_time()
    try:
        with cpu_limit(seconds):
            batch = compile_workspace(spec, validate=False).batch()
            observed, table = math.nan, None
            if not fits_alone:
                observed, table = _limit(batch, report), _cls_of(batch, mu)
    except TimeoutError as error:
        report.problem = str(error)
        report.seconds = time.process_time() - begin
        return report
    except (NA64Error, ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        report.problem = f"{type(error).__name__}: {error}"
        return report
    report.seconds = time.process_time() - begin
    if plain.events <= 0.0:
        return report
    checks = Checks(plain, batch, report, starts)
    try:
        with cpu_limit(seconds):
            checks.prepare()
        for i, at in enumerate(mu.tolist()):
            found = checks.cls(at, seconds)
            if table is not None:
                difference = float(np.max(np.abs(table[i] - found)))
                report.cls = max(report.cls, difference if difference >= 0.0 else math.inf)
        if math.isfinite(observed):
            report.limit = abs(checks.cls(observed, seconds)[0] - (1.0 - _LEVEL))
    except TimeoutError as error:
        report.problem = f"a single fit: {error}"
    return report


def _cls_of(batch: SignalBatch, mu: Array) -> Array:
    """Return CLs and its five bands at every mu, shape (M, 6)."""
    table = cls_values(batch, mu[:, None], calculator=Asymptotic(), expected=True)
    assert table.expected is not None  # asked for
    return np.concatenate([table.observed.T, table.expected[:, :, 0]]).T


def _limit(batch: SignalBatch, report: Report) -> float:
    """Return the observed limit on mu, NaN without any; report its state and that of the bands."""
    limits = upper_limits(batch, calculator=Asymptotic(), confidence_level=_LEVEL)
    report.status = (limits.status[0].value, *(s[0].value for s in limits.expected_status))
    report.message = limits.messages[0]
    return float(limits.observed[0])


class Checks:
    """Fits of one workspace, each made twice.

    Parameters
    ----------
    plain, batch
        The workspace in both likelihoods.
    report
        Where the outcomes go.
    starts
        Of the second minimiser.
    """

    def __init__(
        self, plain: PlainLikelihood, batch: SignalBatch, report: Report, starts: int
    ) -> None:
        self.plain, self.batch, self.report, self.starts = plain, batch, report, starts
        self.names = [plain.names.index(n) for n in batch.likelihood.parameter_names]

    def theirs(self, ours: Array, rest: Array) -> Array:
        """Return parameters in the order of the second likelihood; it may have more."""
        answer = rest.copy()
        answer[self.names] = ours
        return answer

    def prepare(self) -> None:
        """Fit at mu = 0 and with mu free, and make the Asimov data."""
        batch, plain = self.batch, self.plain
        counts = batch.likelihood.observed
        self.background, rates, free = observed_fits(batch, counts)
        zero = self.compare("mu = 0", plain.observed, 0.0, self.background)
        best = self.compare("free", plain.observed, None, free, near=zero)
        self.free = best if best.value < zero.value else zero
        evaluator = batch.likelihood.fitter.problem(False).evaluator
        own = np.zeros(len(plain.tau)) + plain.tau
        # of our own fit: the test of that fit is above, and minima may be equally deep
        theta = self.background.theta[:, 0]
        self.asimov_counts = rates[:, 0]
        auxiliary = plain.centre.copy()
        x = self.theirs(theta, plain.init)
        auxiliary[plain.gauss] = x[plain.gauss]
        auxiliary[plain.pois] = own * x[plain.pois]
        # parameters that nothing depends on stay where they are measured
        unused = np.setdiff1d(np.arange(plain.n_parameters), self.names)
        auxiliary[unused] = plain.centre[unused]
        self.asimov = Data(np.maximum(self.asimov_counts, 0.0), auxiliary)
        self.asimov_ours = np.zeros_like(theta)
        gaussian, poisson = evaluator.gaussian, evaluator.poisson
        self.asimov_ours[gaussian] = theta[gaussian]
        self.asimov_ours[poisson] = evaluator.tau[:, 0] * theta[poisson]

    def cls(self, mu: float, seconds: float) -> tuple[float, ...]:
        """Compare the fits at mu; return CLs and bands of the second minima."""
        batch = self.batch
        fitter = batch.likelihood.fitter
        nu = mu * float(batch.events[0])
        one = np.zeros(1, dtype=np.intp)
        start = self.background.theta
        with cpu_limit(seconds):
            observed = fitter.fit(
                batch.points(one, batch.likelihood.observed[:, None]),
                np.array([nu]),
                free_signal=False,
                start=start,
            )
            asimov = fitter.fit(
                batch.points(one, self.asimov_counts[:, None], self.asimov_ours[:, None]),
                np.array([nu]),
                free_signal=False,
                start=start,
            )
        first = self.compare(f"mu = {mu:.4g}", self.plain.observed, nu, observed)
        second = self.compare(f"Asimov, mu = {mu:.4g}", self.asimov, nu, asimov)
        # a minimum at mu below the free one is a better free one
        q = 2.0 * max(first.value - self.free.value, 0.0) if self.free.x[-1] <= nu else 0.0
        root = math.sqrt(2.0 * max(second.value, 0.0))
        return (_cls(q, root), *(_expected_cls(float(k), root) for k in BAND_ORDER))

    def compare(
        self, name: str, data: Data, nu: float | None, fit: Fit, near: Minimum | None = None
    ) -> Minimum:
        """Fit again and report; return the lower of the two minima."""
        plain = self.plain
        x = np.append(self.theirs(fit.theta[:, 0], plain.init), fit.nu[0])
        seed = int(1e3 * (nu or 0.0)) % 2**31
        guess = max(float(fit.nu[0]), 1.0) if nu is None else nu
        second = plain.minimise(data, nu, plain.starts(data, guess, seed, self.starts))
        if near is not None:
            second = min(second, near, key=lambda minimum: minimum.value)
        ours = float(fit.value[0])
        actual = plain.value(x, data) if np.all(np.isfinite(x)) else math.inf
        if abs(ours - second.value) > TOLERANCE:
            again = plain.minimise(data, nu, [x])  # whether ours is a minimum at all
            second = min(second, again, key=lambda minimum: minimum.value)
        if not fit.converged[0]:
            outcome = "failed"
        elif abs(actual - ours) > _VALUE_TOLERANCE * (1.0 + abs(ours)):
            outcome = "value"
        elif ours > second.value + TOLERANCE:
            outcome = "shallower"
        elif ours < second.value - TOLERANCE:
            outcome = "deeper"
        else:
            outcome = "agreed"
        self.report.fits.append(FitCheck(name, ours, second.value, outcome))
        return Minimum(x, actual) if actual < second.value else second


def _expected_cls(order: float, root: float) -> float:
    """Return CLs where the background fluctuated by `order`; 1007.1727 section 4.3."""
    return float(np.exp(special.log_ndtr(order - root) - special.log_ndtr(order)))


def _cls(q: float, root: float) -> float:
    """Return CLs from qtilde and the root of the Asimov one; 1007.1727 eqs. (64)-(66)."""
    if root <= 0.0:
        return 1.0
    pull = math.sqrt(q)
    return _expected_cls(-(pull - root if pull <= root else (q - root**2) / (2.0 * root)), root)
