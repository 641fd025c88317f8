"""Large counts: staircases, merged bins, sizes told beforehand, and the method that chooses."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from na64.limits.calculators import exact, feldman_cousins
from na64.limits.calculators.ensemble_size import count_datasets
from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Auto, Exact, FeldmanCousins
from na64.limits.calculators.roots import BRACKETED
from na64.limits.calculators.staircase import Staircase
from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace
from na64.limits.likelihood.merging import equivalent_bins, merge_bins

BANDS = (None, -2, -1, 0, 1, 2)


def counting(
    signal: list[float],
    background: list[float],
    seen: list[float],
    *,
    efficiency: float = 0.0,
    relative: float = 0.0,
    shared: bool = False,
) -> CompiledLikelihood:
    """Counting experiments whose backgrounds have a nuisance each, or one together."""

    def normsys(name: str, u: float) -> list[dict[str, Any]]:
        data = {"hi": 1.0 + u, "lo": 1.0 / (1.0 + u)}
        return [{"name": name, "type": "normsys", "data": data}] if u else []

    channels = []
    for i, (s, b) in enumerate(zip(signal, background, strict=True)):
        poi = [{"name": "mu", "type": "normfactor", "data": None}]
        own = normsys("b" if shared else f"b{i}", relative)
        samples = [
            {"name": "s", "data": [s], "modifiers": [*poi, *normsys("eff", efficiency)]},
            {"name": "b", "data": [b], "modifiers": own},
        ]
        channels.append({"name": f"c{i}", "samples": samples})
    return compile_workspace(
        {
            "channels": channels,
            "observations": [{"name": f"c{i}", "data": [n]} for i, n in enumerate(seen)],
            "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
            "version": "1.0.0",
        }
    )


@pytest.mark.parametrize("scale", [1, 100, 10_000])
def test_one_bin_of_any_count_is_a_ratio_of_poisson_tails(scale: int) -> None:
    """Without nuisances CLs = P(N <= n | s + b) / P(N <= n | b), by any code for Poisson tails."""
    b, n = 20.0 * scale, 22 * scale
    batch = counting([1.0], [b], [n]).batch()
    table = upper_limits(batch, calculator=Auto())
    quantiles = [n, *(int(stats.poisson.ppf(stats.norm.cdf(k), b)) for k in (-2, -1, 0, 1, 2))]
    for found, count in zip([table.observed[0], *table.expected[:, 0]], quantiles, strict=True):
        known = optimize.brentq(
            lambda s, n=count: stats.poisson.cdf(n, s + b) / stats.poisson.cdf(n, b) - 0.1,
            0.0, 50.0 * math.sqrt(b), xtol=1e-10,
        )  # fmt: skip
        assert found == pytest.approx(known, rel=2e-5)  # the tolerance of a limit where CLs jumps
    assert table.used == ("exact",)


def test_a_staircase_is_the_enumeration() -> None:
    likelihood = counting([1.0, 0.5], [9.0, 7.0], [10.0, 5.0], efficiency=0.1, relative=0.1)
    batch, counts = likelihood.batch(), likelihood.observed
    staircase = Staircase(batch, counts, 1e-7)
    nu = 9.0
    _, known = exact.Engine(Exact(), batch, counts).p_values(
        np.array([nu]), np.array([0]), expected=True
    )
    seen, _ = exact.Engine(Exact(), batch, counts).p_values(
        np.array([nu]), np.array([0]), expected=False
    )
    found = staircase.cls_values(nu, expected=True)
    # 1e-6: what the enumeration leaves out, 1e-7 of a sum per branch
    np.testing.assert_allclose(found, [seen[0], *known[:, 0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("module", "settings", "tolerance"),
    # Feldman-Cousins leaves out branches of 1e-6 each, and more of them in more bins
    [(exact, Exact(), 1e-8), (feldman_cousins, FeldmanCousins(), 1e-5)],
)
def test_merged_bins_give_the_same_limits(module, settings, tolerance: float) -> None:
    """Bins 0 and 1 have one ratio of signal to background, bin 2 another."""
    likelihood = counting(
        [1.0, 2.0, 0.5], [0.2, 0.4, 0.9], [0.0, 1.0, 1.0], efficiency=0.2, relative=0.3, shared=True
    )
    batch = likelihood.batch()
    ((_, groups),) = equivalent_bins(batch)
    assert groups == ((0, 1), (2,))
    merged, counts = merge_bins(batch, likelihood.observed, groups)
    np.testing.assert_array_equal(counts, [1.0, 1.0])
    apart = module.Engine(settings, batch, likelihood.observed)
    together = settings.on(batch, likelihood.observed)
    nu, one = np.array([3.0]), np.array([0])
    for a, b in zip(
        apart.p_values(nu, one, expected=False)[:1],
        together.p_values(nu, one, expected=False)[:1],
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=tolerance)
    # the likelihood itself: a constant of the data apart
    points = [
        x.points(one, n[:, None]) for x, n in ((batch, likelihood.observed), (merged, counts))
    ]
    values = [
        [x.likelihood.fitter.fit(p, np.array([s]), free_signal=False).value[0] for s in (0.5, 5.0)]
        for x, p in zip((batch, merged), points, strict=True)
    ]
    assert values[0][1] - values[0][0] == pytest.approx(values[1][1] - values[1][0], rel=1e-8)


def test_a_local_nuisance_or_another_ratio_keeps_bins_apart() -> None:
    own = counting([1.0, 1.0], [1.0, 1.0], [0, 0], relative=0.3)
    assert equivalent_bins(own.batch())[0][1] == ((0,), (1,))
    free = counting([1.0, 1.0], [1.0, 2.0], [0, 0])
    signals = np.array([[[1.0, 2.0]], [[1.0, 1.0]]])
    parts = {groups: masses.tolist() for masses, groups in equivalent_bins(free.inject(signals))}
    assert parts == {((0, 1),): [0], ((0,), (1,)): [1]}


def test_sizes_are_those_of_a_count_by_hand() -> None:
    rates, cut = np.array([0.7, 2.0, 0.1]), 1e-3
    tails = [[1.0, *stats.poisson.sf(np.arange(30), r)] for r in rates]
    matter = [n for n in itertools.product(range(12), repeat=3)
              if math.prod(t[k] for t, k in zip(tails, n, strict=True)) > cut]  # fmt: skip
    # cells of 0.1 in three bins: 30 % of one unit in -ln(probability)
    assert len(matter) <= count_datasets(rates, cut) <= 1.3 * len(matter)
    weights = np.array([1.0, 1.0, 0.0])
    few = [n for n in matter if n[0] + n[1] <= 2]
    assert len(few) <= count_datasets(rates, cut, weights, 2.5) <= 1.5 * len(few)


def test_auto_is_exact_to_the_last_bit_where_it_is_exact() -> None:
    likelihood = counting([1.0, 0.5], [0.5, 0.9], [1.0, 0.0], efficiency=0.1, relative=0.3)
    auto, known = (
        upper_limits(likelihood.batch(), calculator=chosen) for chosen in (Auto(), Exact())
    )
    np.testing.assert_array_equal(auto.observed, known.observed)
    np.testing.assert_array_equal(auto.expected, known.expected)
    assert (auto.used, auto.notes, known.used) == (("exact",), ("",), ())


def test_auto_throws_toys_where_an_ensemble_is_too_large() -> None:
    """With a limit of the size that is below the ensemble; the exact answer is known."""
    likelihood = counting(
        [1.0, 0.6, 0.3], [1.5, 1.0, 2.0], [2.0, 1.0, 1.0], relative=0.3, shared=True
    )
    known = upper_limits(likelihood.batch(), calculator=Exact())
    chosen = Auto(max_datasets=50, toys=10_000)
    found = upper_limits(likelihood.batch(), calculator=chosen)
    assert found.used == ("toys",)
    assert re.search(r"10000 toys .* 3 bins have of the order of", found.notes[0])
    assert found.observed_error is not None
    # four standard deviations
    assert abs(found.observed[0] - known.observed[0]) < 4.0 * found.observed_error[0]
    # bands: an error of at most 1 % each with 10000 toys, and steps of discrete counts
    np.testing.assert_allclose(found.expected, known.expected, rtol=0.04)
    assert np.all(np.diff(found.expected[:, 0]) >= 0.0)


def test_what_auto_chooses_for_a_mass_depends_on_no_other() -> None:
    likelihood = counting([1.0, 1.0, 1.0], [1.5, 1.0, 2.0], [2, 1, 1], relative=0.3, shared=True)
    signals = np.array([[[1.0, 0.0, 0.0]], [[1.0, 0.5, 0.2]]])
    chosen = Auto(max_datasets=400, toys=2000)
    both = upper_limits(likelihood.inject(signals), calculator=chosen, expected=False)
    alone = [
        upper_limits(likelihood.inject(signals[[i]]), calculator=chosen, expected=False)
        for i in range(2)
    ]
    assert both.used == tuple(table.used[0] for table in alone)
    np.testing.assert_array_equal(both.observed, [table.observed[0] for table in alone])


def test_a_staircase_of_large_counts_is_found_quickly() -> None:
    """Two bins of 400: Asimov significance of the limit is that of two Gaussian measurements."""
    likelihood = counting([1.0, 1.0], [400.0, 410.0], [400.0, 410.0])
    value, state, _ = Staircase(likelihood.batch(), likelihood.observed, 1e-4).limit(0.1, None)
    assert state == BRACKETED
    # CLs of Gaussians: Phi(-r) / 0.5 = 0.1 at r = 1.645; 3 %: counts are no Gaussians
    assert math.exp(value) == pytest.approx(1.645 * math.sqrt(810.0 + 47.0), rel=0.03)
