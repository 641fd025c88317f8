"""Limits of bins with a spectrum: what adds up, what must not change, and what is gained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import norm

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Asymptotic, Exact
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.design.optimise import check_cuts
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.publication.columns import counts_table, yields_table
from na64.limits.scanning.known import Known
from na64.limits.scanning.request import specify
from na64.limits.scanning.runner import run
from na64.limits.scanning.signal import ExpectedSignal, expected_signal
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import InputError
from na64.models.production.emission import emission_spectrum
from na64.models.response.preshower import preshower_probability
from na64.models.showers.cascade import cascade
from na64.models.signals.rates import emission_strengths
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import parse_card
from na64.workspaces.pyhf.template import Template
from na64.workspaces.pyhf.write import workspace

MASSES = np.array([0.1, 0.25, 0.27])
#: what tests of one mass have in common
KNOWN = Known()
MEDIAN = BAND_ORDER.index(0)


def card(edges: str, counts: str = "value = 0", background: str = "value = 0.1") -> RunCard:
    """The positron run of 2022, divided."""
    edges = f"edges_gev = {edges}" if edges else ""
    return parse_card(
        f"""
name = "divided"
extends = "na64e-positron-2022"

[[bins]]
name = "2022"
{edges}
exposure = {{ value = 1.01e10, uncertainty = 1e8, correlation = "exposure", source = "test" }}
efficiency = {{ value = 0.475, uncertainty = 0.0475, correlation = "efficiency", source = "t" }}
background = {{ {background}, source = "test" }}
observed = {{ {counts}, source = "test" }}
""",
        "test",
    )


FIVE = "[50, 60, 70, 80, 90, 100]"
FLAT = "value = 0.1, relative_uncertainty = 0.5, shares = [1, 1, 1, 1, 1]"


@pytest.fixture(scope="module")
def divided() -> ExpectedSignal:
    return expected_signal(specify(card(FIVE, background=FLAT), masses_gev=MASSES, alpha_d=1e-4))


def test_intervals_add_up_to_the_window(divided: ExpectedSignal) -> None:
    events = divided.rates.events
    assert divided.rates.regions[0] == "missing-energy"
    assert np.all(events >= 0.0)
    np.testing.assert_allclose(events[..., 1:].sum(axis=-1), events[..., 0], rtol=1e-14)
    assert divided.bins == tuple(
        f"2022/{part}" for part in ("50-60", "60-70", "70-80", "80-90", "90-100")
    )
    # and the window has the events of a card that is not divided, to the last bit
    whole = specify("na64e-positron-2022", masses_gev=MASSES, alpha_d=1e-4)
    np.testing.assert_array_equal(expected_signal(whole).rates.events[..., 0], events[..., 0])


def test_a_narrow_resonance_is_a_normal_distribution(divided: ExpectedSignal) -> None:
    """E = m^2/(2 m_e) - m_e, smeared by calorimeter and beam, here by hand."""
    energy = MASSES[1:] ** 2 / (2.0 * ELECTRON_MASS_GEV) - ELECTRON_MASS_GEV
    sigma = np.hypot(0.082 * np.sqrt(100.0 - energy), 0.01 * 100.0)
    edges = np.array([50.0, 60.0, 70.0, 80.0, 90.0, math.inf])
    above = np.asarray(norm.sf(edges, energy[:, None], sigma[:, None]))
    wanted = -np.diff(above, axis=1) / above[:, :1]
    found = divided.rates.events[1:, 0, 1, 1:] / divided.rates.events[1:, 0, 1, :1]
    # 1.5e-3 is the accuracy of any yield, and that of the positrons' spectrum over the resonance,
    # which the normal distribution takes as flat
    np.testing.assert_allclose(found, wanted, atol=5e-3)
    assert found.argmax(axis=1).tolist() == [1, 2]


def test_emission_is_a_sum_over_the_cascade_and_the_boson(divided: ExpectedSignal) -> None:
    """The same integral in the order of a simulation: electrons, their bosons, what is measured."""
    target = divided.specification.cards[0].setups["default"].target
    mass, mediator = MASSES[[1]], divided.specification.mediator
    process = divided.specification.settings.emission(mediator.kind)
    shower = cascade(target.material, "e+", 100.0, floor_gev=45.0, step=0.025)
    points, weights = leggauss(16)
    found = np.zeros(5)
    for energy, electrons in zip(
        shower.energies_gev, shower.weights[0] + shower.weights[1], strict=True
    ):
        # the spectrum rises over orders of magnitude towards a boson that takes everything
        cells = np.linspace(math.log(1e-7 * energy), math.log(max(energy - 45.0, 1e-6 * energy)), 9)
        half = 0.5 * np.diff(cells)[:, None]
        left = np.exp(0.5 * (cells[1:] + cells[:-1])[:, None] + half * points).ravel()
        boson = energy - left
        spectrum = emission_spectrum(energy, mass, boson, target.material, process)[0, 0]
        weight = (half * weights).ravel() * left * spectrum * electrons
        sigma = np.hypot(0.082 * np.sqrt(100.0 - boson), 1.0)
        edges = np.array([50.0, 60.0, 70.0, 80.0, 90.0, math.inf])
        above = np.asarray(norm.sf(edges[:, None], boson, sigma))
        trigger = preshower_probability(100.0 - boson, 0.5, target.material)
        found += ((above[:-1] - above[1:]) * trigger * weight).sum(axis=1)
    found *= emission_strengths(mediator, "e", mass)[0]
    # 6e-3 with half the step of the cascade: the interpolation between electrons, 3e-3 of an
    # interval, and the smearing within 4 standard deviations
    np.testing.assert_allclose(divided.rates.events[1, 0, 0, 1:], found, rtol=8e-3)


@pytest.mark.parametrize("method", ["auto", "asymptotic"])
def test_one_interval_is_the_window(method: str) -> None:
    def result(edges: str) -> tuple[Any, ...]:
        made = specify(card(edges, "value = 1"), masses_gev=MASSES[1:2], method=method)
        limit = run(made, known=KNOWN)
        return limit.regions, limit.expected_regions, limit.status

    assert result("[50, 100]") == result("")


def median(
    signal: NDArray[np.float64], background: NDArray[np.float64], calculator: Calculator
) -> float:
    """Expected median limit on a signal of known shape over a known background."""
    edges = np.linspace(50.0, 100.0, len(signal) + 1).tolist()
    whole, shares = math.fsum(background), background.tolist()
    made = card(str(edges), background=f"value = {whole}, shares = {shares}")
    template = Template.from_card(made).without(["exposure", "efficiency"])
    batch = compile_workspace(workspace(template, signal[None], ["emission"])).batch()
    table = upper_limits(batch, calculator=calculator, observed=False)
    return float(table.expected[MEDIAN, 0])


PEAK = np.array([0.05, 0.6, 0.25, 0.05, 0.05])


@pytest.mark.parametrize(
    ("calculator", "events"),
    [(Asymptotic(), 3.0), (Exact(), 0.5)],
    ids=["asymptotic", "exact"],
)
def test_intervals_with_equal_purity_are_one_count(calculator: Calculator, events: float) -> None:
    shares = np.array([0.2, 0.3, 0.1, 0.1, 0.3])
    several = median(shares, events * shares, calculator)
    one = median(np.ones(1), np.array([events]), calculator)
    assert several == pytest.approx(one, rel=1e-6)
    # some of them alike: merged by hand
    signal, background = PEAK, events * np.array([0.2, 0.2, 0.2, 0.2, 0.2])
    by_hand = median(np.array([0.15, 0.6, 0.25]), events * np.array([0.6, 0.2, 0.2]), calculator)
    assert median(signal, background, calculator) == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize(
    ("calculator", "events"),
    [(Asymptotic(), 1.0), (Asymptotic(), 5.0), (Exact(), 0.1), (Exact(), 2.0)],
    ids=["asymptotic-1", "asymptotic-5", "exact-0.1", "exact-2"],
)
def test_a_known_flat_background_makes_no_limit_worse(
    calculator: Calculator, events: float
) -> None:
    flat = np.full(5, events / 5.0)
    one = median(np.ones(1), np.array([events]), calculator)
    assert median(PEAK, flat, calculator) <= one * (1.0 + 1e-6)
    if events > 1.0:  # and with something to be told from, better by more than rounding
        assert median(PEAK, flat, calculator) < 0.85 * one


def test_large_counts_weigh_intervals_by_signal_squared_over_background() -> None:
    """The median limit is Phi^-1(1 - alpha/2)/sqrt(sum s^2/b): Cowan et al., arXiv:1007.1727."""
    background = np.array([4e5, 3e5, 2e5, 5e4, 5e4])
    found = median(PEAK, background, Asymptotic())
    by_hand = ndtri(1.0 - 0.1 / 2.0) / math.sqrt(np.sum(PEAK**2 / background))
    # corrections go with the signal over the background: some 1e3 events of 3e5
    assert found == pytest.approx(by_hand, rel=5e-3)
    one = median(np.ones(1), np.array([background.sum()]), Asymptotic())
    gain = math.sqrt(background.sum() * np.sum(PEAK**2 / background))
    assert one / found == pytest.approx(gain, rel=5e-3)
    assert gain > 1.25


def test_an_uncertain_shape_gains_less() -> None:
    def limit(shape: str) -> float:
        made = card(FIVE, background=f"value = 500, shares = [1, 1, 1, 1, 1]{shape}")
        batch = compile_workspace(
            workspace(Template.from_card(made), PEAK[None], ["emission"])
        ).batch()
        table = upper_limits(batch, calculator=Asymptotic(), observed=False)
        return float(table.expected[MEDIAN, 0])

    known = limit("")
    assert limit(", shape_uncertainty = 0.2") > 1.2 * known
    # a bump like the signal is worse than a slope, which the other intervals tell
    bump, slope = (
        limit(f', variations = [{{ name = "x", shares = {shares}, source = "t" }}]')
        for shares in ([1, 1.3, 1, 1, 1], [1.2, 1.1, 1, 0.9, 0.8])
    )
    assert bump > 1.2 * known
    assert known < slope < 0.9 * bump


def test_more_events_at_the_peak_are_a_weaker_limit() -> None:
    """The same total at the resonance of 0.25 GeV (60-70), and away from it."""

    def observed(counts: str) -> NDArray[np.float64]:
        made = card(FIVE, f"value = 2, counts = {counts}", "value = 2.0, shares = [1, 1, 1, 1, 1]")
        return run(specify(made, masses_gev=[0.25], method="asymptotic"), known=KNOWN).observed

    assert observed("[0, 2, 0, 0, 0]") > 1.2 * observed("[0, 0, 0, 0, 2]")


def test_what_is_kept_knows_the_edges() -> None:
    sizes = [
        expected_signal(specify(card(edges, background=share), masses_gev=[0.25]), known=KNOWN)
        .accepted.shape[-1]
        for edges, share in ((FIVE, FLAT), ("", "value = 0.1"), ("[50, 100]", "value = 0.1"))
    ]  # fmt: skip
    assert sizes == [5, 1, 1]


def test_records_have_a_row_for_every_interval() -> None:
    made = card(FIVE, background=FLAT.replace("shares", "shape_uncertainty = 0.3, shares"))
    limit = run(specify(made, masses_gev=[0.25], method="asymptotic"), known=KNOWN)
    counts = counts_table(limit, "counts")
    assert counts.independent[0].values == [f"2022/{10 * k}-{10 * k + 10}" for k in range(5, 10)]
    background = next(c for c in counts.dependent if c.name.startswith("Expected background"))
    assert background.values == pytest.approx([0.02] * 5)
    # 50 % of the whole upwards, 1 - 1/1.5 downwards, and 30 % of each
    assert background.errors is not None
    down, up = background.errors["sys"][0]
    assert up == pytest.approx(0.02 * math.hypot(0.5, 0.3))
    assert down == pytest.approx(-0.02 * math.hypot(1.0 / 3.0, 0.3))
    efficiencies = [c for c in yields_table(limit, "y").dependent if "efficiency" in c.name]
    assert len(efficiencies) == 1


def test_a_cut_is_for_single_counts() -> None:
    with pytest.raises(InputError, match="2022 has edges_gev"):
        check_cuts(card(FIVE, background=FLAT), [40.0])
