"""What a scan leaves for the next changes no bit of it, and is used where nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.calculators import limits as calculators
from na64.limits.scanning import known as module
from na64.limits.scanning.known import Known
from na64.limits.scanning.request import specify
from na64.limits.scanning.runner import scan
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.reader import parse_card
from tests.shared import CARD_HEAD

BIN = """
[[bins]]
name = "one"
exposure = { value = 1e11, relative_uncertainty = 0.05, source = "test" }
efficiency = { value = 0.5, relative_uncertainty = 0.1, source = "test" }
background = { value = 0.4, relative_uncertainty = 0.3, source = "test" }
observed = { value = 0, source = "test" }
"""
MASSES = np.array([0.01, 0.1, 0.3])


@pytest.fixture
def work(monkeypatch) -> dict[str, int]:
    """Count how often yields and limits in events are computed."""
    count = {"yields": 0, "limits": 0}
    rates, edges = signal_rates, calculators._edges

    def counted_rates(*words, **named):
        count["yields"] += 1
        return rates(*words, **named)

    def counted_edges(*words):
        count["limits"] += 1
        return edges(*words)

    monkeypatch.setattr(module, "signal_rates", counted_rates)
    monkeypatch.setattr(calculators, "_edges", counted_edges)
    return count


def made(text: str = CARD_HEAD + BIN, **request):
    return specify(parse_card(text, "toy"), masses_gev=MASSES, **request)


@pytest.mark.parametrize(
    ("change", "yields", "limits"),
    [
        # the dark sector decides yields; a single bin has one shape of the signal
        ({"alpha_d": 0.3}, 1, 0),
        ({"confidence_level": 0.95}, 0, 1),
        ({"method": "asymptotic"}, 0, 1),
        ({"expected_only": True}, 0, 1),
        ({"model": "b-minus-l", "dark_matter": "dirac"}, 1, 0),
        ({"text": ("1e11", "3e11")}, 0, 0),
        ({"text": ("value = 0.4", "value = 0.9")}, 0, 1),
        ({"text": ("observed = { value = 0", "observed = { value = 1")}, 0, 1),
        ({"text": ("relative_uncertainty = 0.1", "relative_uncertainty = 0.2")}, 0, 1),
        ({"text": ("missing_energy_gev = 50", "missing_energy_gev = 60")}, 1, 0),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_in_common_is_not_computed_again(work, change, yields, limits) -> None:
    change = dict(change)
    old, new = change.pop("text", ("", ""))
    known = Known()
    scan(made(), known=known)
    changed = made((CARD_HEAD + BIN).replace(old, new), **change)
    work.update(yields=0, limits=0)
    found = scan(changed, known=known)
    assert work == {"yields": yields, "limits": limits}
    assert found.to_json() == scan(changed).to_json()


def test_the_same_scan_again_computes_neither(work) -> None:
    known = Known()
    first = scan(made(), known=known)
    work.update(yields=0, limits=0)
    assert scan(made(), known=known).to_json() == first.to_json()
    assert work == {"yields": 0, "limits": 0}


def test_noise_depends_on_the_mass_so_its_limits_are_those_of_the_masses(work) -> None:
    known = Known()
    scan(made(method="toys", toys=200), known=known)
    other = made(method="toys", toys=200).at(1.01 * MASSES)
    work.update(yields=0, limits=0)
    found = scan(other, known=known)
    assert work["limits"] == 1
    assert found.to_json() == scan(other).to_json()


def test_signals_that_are_no_power_of_the_coupling_keep_their_yields(work) -> None:
    known = Known()
    wanted = specify("na64e-visible-2017", masses_gev=[0.01])
    first = scan(wanted, known=known)
    work.update(yields=0)
    assert scan(wanted, known=known).to_json() == first.to_json()
    assert work["yields"] == 0


def test_what_is_kept_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    store: module._Store[int] = module._Store()
    computed: list[int] = []

    def make() -> int:
        computed.append(key)
        return key

    for key in (1, 2, 1, 3, 1, 2):
        assert store.get(key, make) == key
    assert computed == [1, 2, 3, 2]  # 2 was used the longest ago when 3 came
