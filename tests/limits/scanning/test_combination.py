"""Electron, positron and muon data in one likelihood."""

from __future__ import annotations

import math
import re
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from na64.limits import expected_signal, scan, specify
from na64.models.errors import InputError
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import parse_card

PARTS = ["na64e-2016-2022", "na64e-positron-2022", "na64mu-2022"]
MASSES = np.array([2e-3, 0.05, 0.24, 0.3, 0.7])


def ideal(name: str) -> RunCard:
    """A shipped card without background and without uncertainties."""
    text = (files("na64.workspaces") / "cards" / f"{name}.toml").read_text()
    text = re.sub(
        r'(relative_)?uncertainty = [0-9.e+-]+,?( correlation = "[a-z0-9-]+",)?', "", text
    )
    text = re.sub(r"(?s)background = \{ value = [0-9.e-]+", "background = { value = 0.0", text)
    text = re.sub(
        r"backgrounds = \[.*?\n\]",
        'background = { value = 0.0, source = "none" }',
        text,
        flags=re.S,
    )
    return parse_card(text, name)


def test_at_least_as_strong_as_the_best_part() -> None:
    together = scan(PARTS, masses_gev=MASSES, shared=["exposure", "efficiency"])
    parts = [scan(name, masses_gev=MASSES) for name in PARTS]
    best = np.min([part.observed for part in parts], axis=0)
    assert np.all(together.observed <= best)
    medians = np.min([part.expected[2] for part in parts], axis=0)
    assert np.all(together.expected[2] <= medians * (1.0 + 1e-9))
    # 0.3 GeV: electrons and positrons are about as good, and the gain is large
    assert together.observed[3] < 0.9 * best[3]
    # the yields are those of the parts, process by process
    for process in ("emission", "annihilation"):
        np.testing.assert_allclose(
            together.yields[process],
            np.sum([part.yields.get(process, np.zeros(5)) for part in parts], axis=0),
            rtol=1e-11,  # numbers of results have 12 digits
        )
    assert together.specification.search == "+".join(PARTS)
    assert len(together.specification.cards) == 3


def test_naive_sum_without_backgrounds_and_uncertainties() -> None:
    cards = [ideal("na64e-positron-2022"), ideal("na64mu-2022")]
    together = scan(cards, masses_gev=MASSES)
    alone = [scan(card, masses_gev=MASSES) for card in cards]
    np.testing.assert_allclose(together.events_limit, math.log(10.0), rtol=1e-5)  # of the solver
    total = sum(np.sum(list(part.yields.values()), axis=0) for part in alone)
    np.testing.assert_allclose(together.observed, np.sqrt(math.log(10.0) / total), rtol=1e-5)
    # that is, 1/epsilon^2 adds up
    summed = sum(part.observed**-2.0 for part in alone)
    np.testing.assert_allclose(together.observed, summed**-0.5, rtol=1e-5)


def test_shared_nuisances_are_one_parameter() -> None:
    parts = PARTS[:2]
    options: dict[str, Any] = {"masses_gev": MASSES[1:2]}
    apart, joined = (
        expected_signal(specify(parts, shared=shared, **options)).template.nuisances
        for shared in ((), ("exposure", "efficiency"))
    )
    assert "na64e-positron-2022:efficiency" in apart
    assert "efficiency" in joined
    assert len(joined) == len(apart) - 2
    # common uncertainties do not average out
    weak = scan(parts, shared=["exposure", "efficiency"], masses_gev=[0.3])
    strong = scan(parts, masses_gev=[0.3])
    assert strong.observed[0] < weak.observed[0] < 1.02 * strong.observed[0]


def test_l_mu_l_tau_from_both_beams() -> None:
    """Electrons see Z' through the loop only; muons decide, but electrons add to it."""
    masses = np.array([0.01, 0.1])
    # nothing here is about the calculator, and 10 bins take the exact one long
    options: dict[str, Any] = {
        "model": "l-mu-l-tau",
        "masses_gev": masses,
        "method": "asymptotic",
    }
    together = scan(PARTS, **options)
    electrons, _, muons = (scan(name, **options) for name in PARTS)
    assert np.all(together.observed < np.minimum(muons.observed, electrons.observed))
    assert together.y.name == "g"
    assert together.specification.dark_sector is None


def test_projections_combine_to_expected_limits() -> None:
    parts = ["na64e-run4", "na64e-positron60-run4", "na64mu-run4"]
    masses = np.array([0.01, 0.23])
    together = scan(parts, masses_gev=masses)
    assert together.expected_only
    alone = np.array([scan(name, masses_gev=masses).expected[2] for name in parts])
    assert np.all(together.expected[2] < alone.min(axis=0) * (1.0 + 1e-9))
    # data with a projection: nothing is observed yet
    mixed = scan([PARTS[0], "na64e-run4"], masses_gev=masses[:1])
    assert mixed.expected_only


@pytest.mark.parametrize(
    ("searches", "options", "message"),
    [
        ([], {}, "no search is named"),
        (PARTS[:1], {"shared": ["exposure"]}, "between searches that are combined; there is one"),
        ([PARTS[0], PARTS[0]], {}, "na64e-2016-2022: given twice"),
        (["na64e-2016", "na64e-2016-2018"], {}, "hold the same data: bins"),
        (PARTS[:2], {"shared": ["exposuer"]}, r"did you mean 'exposure'\?"),
        (PARTS, {"production": "iww"}, "na64mu-2022: iww overestimates"),
        (PARTS, {"dark_matter": "none"}, "2016-2022: .* no invisible decay"),
        (PARTS[:2], {"method": "guess"}, "unknown method"),
    ],
)
def test_bad_input(searches: list[str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        scan(searches, masses_gev=MASSES[:1], **options)


def test_the_grid_is_dense_around_every_resonance() -> None:
    parts = ["na64mu-run4", "na64e-positron40-run4", "na64e-positron60-run4"]
    masses = specify(parts).masses_gev
    steps = np.diff(np.log(masses))
    for edge in (0.143, 0.202, 0.248):  # sqrt(2 m_e E) at 20, 40, 60 GeV
        assert steps[np.searchsorted(masses, edge)] < 0.4 * steps[0]
