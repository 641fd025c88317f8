"""docs/coverage.md: its sums from closed forms that share no code with the calculators, its thrown
experiments from a second derivation, and a sample of both computed again."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import optimize, special, stats

from scripts.coverage_study.experiments import (
    METHODS,
    Experiment,
    contained,
    throw,
    thrown_coverage,
)
from scripts.coverage_study.page import table
from scripts.coverage_study.plan import (
    BACKGROUNDS,
    SEED,
    STRENGTHS,
    Task,
    pseudo_experiments,
    tasks,
)
from scripts.coverage_study.sums import (
    HIGHEST,
    coverage_of,
    intervals,
    likely,
    lowest_coverage,
    ordered_coverage,
)
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
FIXED = {1: "Auxiliary data fixed, one bin", 3: "Auxiliary data fixed, three bins"}
THROWN = {1: "Auxiliary data thrown, one bin", 3: "Auxiliary data thrown, three bins"}

#: uncertainty, background and signal (NaN where it is any) of a row, and its cells
Row = tuple[Experiment, float, dict[str, tuple[float, float]]]


def rows_of(title: str, bins: int) -> list[Row]:
    """The rows of a table: coverage and binomial error (0 for sums) by method."""
    lines = [x for x in PAGE.split(f"### {title}\n")[1].split("###")[0].splitlines() if "|" in x]
    rows = []
    for line in lines[2:]:
        u, b, *cells = [c.strip() for c in line.split("|")[1:-1]]
        mu = float(cells.pop(0)) if len(cells) > len(METHODS) else np.nan
        found = {}
        for name, cell in zip(METHODS, cells, strict=True):
            if cell:
                value, _, error = cell.partition(" ± ")
                found[name] = (float(value), float(error or 0.0))
        rows.append((Experiment(bins, float(u.split()[0]) / 100.0, float(b)), mu, found))
    return rows


def cls_limit(n: int, b: float) -> float:
    """P(N <= n | mu + b) = 0.1 P(N <= n | b)."""
    return optimize.brentq(
        lambda mu: special.pdtr(n, mu + b) - 0.1 * special.pdtr(n, b), 0.1, 50.0 + n, xtol=1e-12
    )


def accepted(mu: float, b: float) -> float:
    """The probability of what Feldman and Cousins accept in one bin: largest ratios first."""
    n = np.arange(120)
    probability = stats.poisson.pmf(n, mu + b)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = probability / stats.poisson.pmf(n, np.maximum(n, b))
    ordered = probability[np.argsort(-ratio, kind="stable")].cumsum()
    return float(ordered[np.searchsorted(ordered, 0.9)])


def test_everything_is_on_the_page():
    """Every task has its cell, but for those that the page says it lacks; there are no others."""
    wanted = {(False, 1): 0, (False, 3): 0, (True, 1): 0, (True, 3): 0}
    for task in tasks():
        cells = len(STRENGTHS) if task.how == "intervals" else 1
        wanted[task.thrown, task.experiment.bins] += cells
    lacking = re.search(r"Of \d+ tasks (\d+) are not computed", PAGE)
    lacks = int(lacking[1]) if lacking else 0
    for titles, thrown in ((FIXED, False), (THROWN, True)):
        for bins, title in titles.items():
            cells = sum(len(cells) for _, _, cells in rows_of(title, bins))
            if bins == 1:
                assert cells == wanted[thrown, bins]
            else:
                lacks -= wanted[thrown, bins] - cells
    assert lacks == 0
    short = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8").split("## Coverage")[1]
    assert "coverage.md" in short
    for bins, how, titles in ((1, "fixed", FIXED), (1, "thrown", THROWN), (3, "thrown", THROWN)):
        line = next(x for x in short.splitlines() if x.startswith(f"| {bins} | {how} | 4 |"))
        row = next(
            cells
            for e, mu, cells in rows_of(titles[bins], bins)
            if (e.uncertainty, e.background, mu) == (0.3, 0.5, 4.0)
        )
        quoted = [float(c.split("±")[0]) for c in line.split("|")[4:-1] if c.strip()]
        assert quoted == pytest.approx([value for value, _ in row.values()], abs=6e-5)


def test_one_bin_without_uncertainties_from_closed_forms():
    """CLs, the same for a flat prior, and the paper's acceptance regions, to all digits."""
    rows = [row for row in rows_of(FIXED[1], 1) if not row[0].uncertainty]
    assert len(rows) == len(BACKGROUNDS[1]) * len(STRENGTHS)
    for e, mu, cells in rows:
        b = e.background
        excluded = [n for n in range(40) if cls_limit(n, b) < mu]
        cls = 1.0 - np.sum(stats.poisson.pmf(excluded, mu + b))
        assert cells["exact"][0] == pytest.approx(cls, abs=6e-6)
        assert cells["bayesian"][0] == pytest.approx(cls, abs=6e-6)
        # gaps in an interval are filled: never less than the acceptance region
        assert cells["feldman-cousins"][0] > accepted(mu, b) - 6e-6
    same = [c["feldman-cousins"][0] == pytest.approx(accepted(m, e.background), abs=6e-6)
            for e, m, c in rows]  # fmt: skip
    assert sum(same) >= 16


def test_lowest_coverage():
    """Just above a limit: the asymptotic one of n = 0, b = 0 is at z^2 / 2 with CLs' z of 0.1."""
    rows = rows_of("Lowest coverage in one bin, auxiliary data fixed", 1)
    for e, _, cells in rows:
        assert cells["exact"][0] >= 0.9
        assert cells["feldman-cousins"][0] >= 0.9 - 5e-6
        if e.uncertainty:
            continue
        b = e.background
        limits = [cls_limit(n, b) for n in range(40)]
        lowest = min(1.0 - special.pdtr(n, x + b) for n, x in enumerate(limits) if x < HIGHEST)
        assert cells["exact"][0] == pytest.approx(lowest, abs=1e-5)
        assert lowest > 0.9 - 1e-12  # CLs = CLsb / CLb <= 0.1 needs CLsb <= 0.1
    # qtilde = 2 mu and qtilde_A = 2 mu: CLs = 2 (1 - Phi(sqrt(2 mu)))
    lowest = -np.expm1(-0.5 * special.ndtri(0.05) ** 2)
    assert rows[0][2]["asymptotic"][0] == pytest.approx(lowest, abs=1e-5)


def test_cls_covers_and_unified_intervals_do():
    """A theorem without uncertainties, a finding with them: not below by three errors."""
    for bins in (1, 3):
        for title in (FIXED[bins], THROWN[bins]):
            for _, _, cells in rows_of(title, bins):
                for name in ("exact", "feldman-cousins"):
                    value, error = cells.get(name, (1.0, 0.0))
                    assert value >= 0.9 - 3.0 * error


@pytest.mark.parametrize("name", ["exact", "feldman-cousins"])
def test_order_of_counts_is_that_of_p_values(name):
    """Three bins: bisection in the test statistic, and every p-value."""
    e, mu = Experiment(3, 0.0, 0.5), 1.0 if name == "feldman-cousins" else 3.0
    counts, probability = likely(e, mu, 0.1)
    likelihood = e.likelihood()
    inside = [contained(likelihood, METHODS[name], np.array([mu]), n)[0] for n in counts]
    short = ordered_coverage(e, name, mu, 0.1)
    assert short == pytest.approx(probability[inside].sum(), abs=1e-12)
    rows = rows_of(FIXED[3], 3)
    (page,) = [c[name][0] for x, m, c in rows if x == e and m == mu]
    assert ordered_coverage(e, name, mu) == pytest.approx(page, abs=6e-6)


def test_intervals_of_one_bin_again():
    for name in ("exact", "asymptotic", "bayesian"):
        e = Experiment(1, 0.3, 0.5)
        edges = intervals(e, name)
        for x, mu, cells in rows_of(FIXED[1], 1):
            if x == e:
                again = coverage_of(e, edges, np.array([mu]), two_sided=False)
                assert cells[name][0] == pytest.approx(again[0], abs=6e-6)
        assert lowest_coverage(e, edges, two_sided=False) <= min(
            c[name][0] for x, _, c in rows_of(FIXED[1], 1) if x == e
        )


def test_other_true_nuisances_are_other_signals_and_backgrounds():
    """Log-normal factors multiply: a shift of truth and measurement is a change of the rates."""
    u, shift, mu = 0.3, 0.7, 3.0
    factor = (1.0 + u) ** shift
    auxiliary = np.array([[0.4, -1.1, 1.9], [-0.3, 0.8, 0.1]])
    one, other = Experiment(1, u, 2.0), Experiment(1, u, 2.0 * factor)
    for name in ("exact", "asymptotic", "feldman-cousins"):
        for n in (0.0, 2.0, 5.0):
            strengths = np.linspace(0.5, 9.0, 3)
            moved = contained(
                one.likelihood(), METHODS[name], strengths, np.array([n]), auxiliary + shift
            )
            scaled = contained(
                other.likelihood(), METHODS[name], strengths * factor, np.array([n]), auxiliary
            )
            assert list(moved) == list(scaled)
    assert one.rates(mu)[0] * factor == pytest.approx(other.rates(mu * factor)[0])


def covered_without_background(mu: float, u: float) -> float:
    """The coverage of the exact method in one bin without background, auxiliary data thrown.

    For n events and a measurement a the efficiency e^(k t) is fitted: t minimises
    mu e^(k t) - n k t + (t - a)^2 / 2. CLs is P(N <= n | mu e^(k t)) where the signal is above its
    best value, and it falls with a: the truth is contained up to one a.
    """
    k, total = np.log1p(u), 0.0
    for n in range(60):
        # P(N <= n | rate) = 0.1 at `rate`; the a whose fit is there, and below which it contains mu
        rate = special.gammaincinv(n + 1, 0.9)
        t = np.log(rate / mu) / k
        highest = t + k * (mu * np.exp(k * t) - n)
        total += stats.poisson.pmf(n, mu) * special.ndtr(highest)
    return float(total)


def test_thrown_auxiliary_data_from_a_second_derivation():
    """Each within four binomial errors, and together as far as errors allow."""
    pulls = []
    for e, mu, cells in rows_of(THROWN[1], 1):
        if e.background == 0.0:
            value, error = cells["exact"]
            pulls.append((value - covered_without_background(mu, e.uncertainty)) / error)
    assert len(pulls) == 2 * len(STRENGTHS)
    assert np.abs(pulls).max() < 4.0
    # at small signals nearly all cover: those errors are not Gaussian, and the pulls small
    assert np.mean(np.square(pulls)) < 2.0


@pytest.mark.parametrize(
    ("name", "e", "mu"),
    [("exact", Experiment(1, 0.1, 0.5), 4.0), ("asymptotic", Experiment(1, 0.3, 0.5), 4.0)],
)
def test_thrown_again(name, e, mu):
    """A sample of the fractions, to the last digit."""
    data = throw(e, mu, pseudo_experiments(name, e), SEED, auxiliary=True)
    covered, number = thrown_coverage(e, name, mu, data)
    (page,) = [c[name][0] for x, m, c in rows_of(THROWN[e.bins], e.bins) if (x, m) == (e, mu)]
    assert covered / number == pytest.approx(page, abs=6e-5)


def test_fewer_pseudo_experiments_are_the_first_of_more():
    e = Experiment(3, 0.1, 0.5)
    some, more = throw(e, 2.0, 5, 1, auxiliary=True), throw(e, 2.0, 9, 1, auxiliary=True)
    assert np.array_equal(some[0], more[0][:5])
    assert some[1] is not None
    assert more[1] is not None
    assert np.array_equal(some[1], more[1][:, :5])
    assert throw(e, 2.0, 5, 1, auxiliary=False)[1] is None


def test_table_has_a_cell_for_what_is_known():
    e = Experiment(3, 0.1, 0.5)
    known = {Task(True, e, "exact", 2.0, "").key: [0.9123, 0.0041]}
    assert table(known, [e], thrown=True, digits=4)[2:] == [
        "| 10 % | 0.5 | 2 | 0.9123 ± 0.0041 |  |  |  |  |  |"
    ]
