"""Searches whose signal is no power of the coupling: closed regions from card to figure."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from na64.limits import Limit, expected_signal, specify

FEW = ("--masses", "0.003,0.01,0.03,0.08")
ALP = "na64e-alp-2016-2018"


@pytest.fixture(scope="module")
def signal():
    return expected_signal(specify(ALP, masses_gev=[0.003, 0.01, 0.03, 0.08]))


def total_events(signal, mass: int, coupling: float) -> float:
    """Accepted events, interpolated in the logarithms on the grid of couplings."""
    events = signal.accepted[mass].sum(axis=(1, 2))
    alive = events > 0.0
    nodes = np.log(signal.rates.couplings[alive])
    return float(np.exp(np.interp(np.log(coupling), nodes, np.log(events[alive]))))


def test_both_edges_are_where_the_events_cross_the_limit(call, signal) -> None:
    result = Limit.from_json(call("scan", ALP, *FEW, "--json").out)
    assert result.power is None
    assert [status.value for status in result.status] == ["ok", "ok", "ok", "no-exclusion"]
    for row in range(3):
        ((low, high),) = result.regions[row]
        assert high is not None
        assert low < high
        # nothing was seen: about 2.3 events at either edge, more with the uncertainties;
        # linear interpolation of ln(events) between nodes is good to a few per cent
        for edge in (low, high):
            assert total_events(signal, row, edge) == pytest.approx(2.36, rel=0.05)
        assert total_events(signal, row, np.sqrt(low * high)) > 10.0
        assert result.events_limit[row] == pytest.approx(2.36, rel=0.01)
    assert result.regions[3] == ()
    # at the lower edge, where coupling one would be far beyond the region
    np.testing.assert_allclose(result.yields["production"][:3], result.events_limit[:3])
    assert result.yields["production"][3] == 0.0


def test_the_expected_region_of_the_median_has_two_edges(call) -> None:
    result = Limit.from_json(call("scan", ALP, *FEW, "--json").out)
    for row in range(3):
        ((low, high),) = result.expected_regions[2][row]
        assert low == pytest.approx(result.expected[2, row])
        assert high is not None
        # the median outcome is no stronger than seeing nothing, the strongest there is
        (observed,) = result.regions[row]
        assert observed[1] is not None
        assert observed[0] <= low * 1.01
        assert high <= observed[1] * 1.01
    expected = result.expected[:, :3]
    assert np.all(np.diff(expected, axis=0)[np.isfinite(np.diff(expected, axis=0))] >= -1e-9)


def test_a_projection_has_its_expected_region(call) -> None:
    data = call("scan", "na64e-alp-5e12", "--masses", "0.01,0.03", "--json").data
    assert data["expected_only"] is True
    assert data["regions"] == [[], []]
    assert data["observed"] == [None, None]
    assert data["status"] == ["ok", "ok"]
    # both edges of the bands, one inside the other
    assert len(data["expected_regions"]) == 5
    for mass in (0, 1):
        edges = [band[mass][0] for band in data["expected_regions"] if band[mass]]
        assert len(edges) >= 3
        assert all(a[0] <= b[0] and b[1] <= a[1] for a, b in itertools.pairwise(edges))


def test_the_table_has_the_upper_edge(call) -> None:
    assert call("scan", ALP, *FEW, "-o", "alp.csv", "-o", "alp.json").code == 0
    data = json.loads(Path("alp.json").read_text())
    lines = [line for line in Path("alp.csv").read_text().splitlines() if line[0] != "#"]
    rows = list(csv.DictReader(lines))
    assert float(rows[0]["observed_upper_edge_g_agg"]) == data["regions"][0][0][1]
    assert rows[3]["observed_g_agg"] == rows[3]["observed_upper_edge_g_agg"] == ""


def test_the_figure_has_the_published_region(call) -> None:
    assert call("scan", ALP, "--masses", "0.001:0.1:8", "-o", "alp.json").code == 0
    done = call("plot", "alp.json", "-o", "alp.png")
    assert done.code == 0, done.err
    plain = call("plot", "alp.json", "--overlay", "none", "-o", "plain.png")
    assert plain.code == 0
    assert Path("alp.png").read_bytes() != Path("plain.png").read_bytes()


def test_edges_need_a_method_without_noise(call) -> None:
    done = call("scan", ALP, *FEW, "--method", "toys", "--toys", "100")
    assert done.code == 2
    assert "regions need a method without statistical noise, not 'toys'" in done.err


def test_asymptotic_regions_are_larger(call) -> None:
    exact = Limit.from_json(call("scan", ALP, *FEW, "--json").out)
    asymptotic = Limit.from_json(call("scan", ALP, *FEW, "--method", "asymptotic", "--json").out)
    for row in range(3):
        ((low, high),), ((low_asymptotic, high_asymptotic),) = (
            exact.regions[row],
            asymptotic.regions[row],
        )
        assert high is not None
        assert high_asymptotic is not None
        assert low_asymptotic < low
        assert high_asymptotic > high
