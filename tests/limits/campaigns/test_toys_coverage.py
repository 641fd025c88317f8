"""Campaigns of coverage: fractions of experiments against their sum, data against the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from na64.limits.calculators.coverage import experiment_p_values, p_values_at, throw_experiments
from na64.limits.calculators.registry import Asymptotic
from na64.limits.campaigns.coverage import COVERAGE
from na64.limits.campaigns.description import Plan, parse_campaign
from na64.limits.campaigns.tasks import Kept, folded
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError
from na64.workspaces.io.jsonio import canonical_json

HEAD = 'format = 1\nname = "c"\nkind = "coverage"\n'
BASE = "[base]\nsearch = 'na64e-2016-2022'\n"
KEYS = '[coverage]\nworkspace = "ws.json"\nstrengths = [3.0]\n'


@pytest.fixture
def folder(tmp_path: Path, counting) -> Path:
    document = counting((0.5,), (0.0,), (1.0,), efficiency=0.0, observed=(0,))
    (tmp_path / "ws.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def payloads_of(text: str, folder: Path) -> list[dict[str, Any]]:
    campaign = parse_campaign(text, "c.toml", folder=folder)
    return [dict(p) for p in COVERAGE.payloads(Plan(campaign).point(0), campaign.options)]


def document_of(payloads: list[dict[str, Any]]) -> dict[str, Any]:
    shards = [json.loads(canonical_json(COVERAGE.compute(p, Kept()))) for p in payloads]
    total, whole = folded(COVERAGE, shards)
    assert whole
    assert total is not None
    return dict(total)


def row_of(document: dict[str, Any]) -> dict[str, Any]:
    table = COVERAGE.table(document)
    (row,) = table.rows
    return dict(zip(table.columns, row, strict=True))


@pytest.mark.parametrize("method", ["exact", "asymptotic"])
def test_coverage_is_the_sum_over_the_counts_whose_interval_has_the_truth(folder, method):
    """One bin without uncertainties: P(n) of the counts that allow three events."""
    keys = f"method = '{method}'\nexperiments = 4000\nshard = 1000\nauxiliary = 'fixed'\n"
    row = row_of(document_of(payloads_of(HEAD + KEYS + keys, folder)))
    n = np.arange(40)
    if method == "exact":  # one bin is ranked by its count
        cls = stats.poisson.cdf(n, 3.5) / stats.poisson.cdf(n, 0.5)
    else:  # the p-values themselves are tested elsewhere
        batch = compile_workspace(json.loads((folder / "ws.json").read_text())).batch()
        mu, asymptotic = np.array([3.0]), Asymptotic()
        cls = np.array([p_values_at(batch, asymptotic, mu, np.array([float(k)]))[0] for k in n])
    wanted = stats.poisson.pmf(n, 3.5)[cls > 0.1].sum()
    assert row["experiments"] == 4000
    assert row["method"] == method
    assert abs(row["coverage"] - wanted) < 3.0 * row["coverage_error"]
    assert row["coverage_error"] < 0.01


def test_shards_add_up_in_any_order_and_stop_when_it_is_enough(folder):
    keys = "method = 'asymptotic'\nexperiments = 100_000\nshard = 50\nerror = 0.03\n"
    payloads = payloads_of(HEAD + KEYS + keys, folder)
    shards = [dict(COVERAGE.compute(p, Kept())) for p in payloads[:12]]
    total, whole = folded(COVERAGE, shards)
    assert whole
    assert total is not None
    assert row_of(dict(total))["coverage_error"] <= 0.03
    assert 1 < row_of(dict(total))["shards"] < 12
    one = COVERAGE.add(COVERAGE.add(shards[2], shards[0]), shards[1])
    assert one == COVERAGE.add(shards[0], COVERAGE.add(shards[1], shards[2]))
    with pytest.raises(InputError, match="there twice"):
        COVERAGE.add(one, shards[1])


@pytest.mark.parametrize("kind", ["normsys", "shapesys"])
def test_data_are_thrown_around_the_truth(counting, kind):
    """Means and variances of counts and of Gaussian and Poisson auxiliary data, within 5 sigma."""
    likelihood = compile_workspace(
        counting((4.0,), (0.25,), (1.0,), efficiency=0.0, observed=(3,), kind=kind), validate=False
    )
    batch, n = likelihood.batch(), 20_000
    data = throw_experiments(batch, 2.0, 3, n, seed=5)
    assert abs(data.counts.mean() - 6.0) < 5.0 * np.sqrt(6.0 / n)
    assert data.auxiliary is not None
    # tau of a shapesys is (nominal / width)^2 = 16 events; a Gaussian one is 0 +- 1
    mean, variance = (0.0, 1.0) if kind == "normsys" else (16.0, 16.0)
    assert abs(data.auxiliary[0].mean() - mean) < 5.0 * np.sqrt(variance / n)
    assert data.auxiliary[0].var() == pytest.approx(variance, rel=0.06)
    assert abs(np.corrcoef(data.counts[0], data.auxiliary[0])[0, 1]) < 5.0 / np.sqrt(n)
    fewer = throw_experiments(batch, 2.0, 3, 10, seed=5)
    np.testing.assert_array_equal(fewer.counts, data.counts[:, :10])
    assert throw_experiments(batch, 2.0, 3, 10, seed=5, auxiliary=False).auxiliary is None
    other = throw_experiments(batch, 2.0, 4, 10, seed=5)
    assert not np.array_equal(fewer.counts, other.counts)


def test_experiments_together_have_the_p_values_of_each_alone(counting):
    batch = compile_workspace(counting(observed=(0, 0, 0)), validate=False).batch()
    data = throw_experiments(batch, 3.0, 0, 12, seed=1)
    together = experiment_p_values(batch, Asymptotic(), 3.0, data)
    assert data.auxiliary is not None
    for i in range(12):
        own = batch.with_auxiliary(data.auxiliary[:, i])
        alone = p_values_at(own, Asymptotic(), np.array([3.0]), data.counts[:, i])
        assert together[i] == alone[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (KEYS + "toys = 5\nmethod = 'exact'\n", "has no setting 'toys'"),
        (KEYS + "confidence_level = 1.5\n", "confidence level"),
        (
            f"{BASE}[coverage]\ncouplings = [1e-4]\nmethod = 'exact'\n",
            "stands in the table 'base'",
        ),
    ],
)
def test_files_with_problems_name_them(folder, text, words):
    with pytest.raises(InputError, match=words):
        parse_campaign(HEAD + text, "c.toml", folder=folder)
