"""A result computed again, in parts, or by several processes: the same to the last byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from na64.limits import Limit, Specification, merge, scan, specify
from na64.models.errors import InputError

FEW = (0.01, 0.235, 0.6)
MADE: dict[str, Callable[[], Limit]] = {
    "electrons": lambda: scan("na64e-2016", masses_gev=FEW),
    "electrons-and-all-settings": lambda: scan(
        "na64e-2016",
        masses_gev=FEW,
        overrides=["bins.0.exposure=1e10"],
        dark_matter="pseudo-dirac",
        splitting=0.1,
        confidence_level=0.95,
        inelastic=False,
        initial_state_radiation=True,
        method="asymptotic",
        tolerance=1e-4,
    ),
    "muons": lambda: scan("na64mu-2022", masses_gev=FEW, model="l-mu-l-tau"),
    "axion-like": lambda: scan("na64e-alp-2016-2018", masses_gev=[0.04], method="asymptotic"),
    "mesons": lambda: scan("na64h-2022"),
    "projection": lambda: scan("na64mu-run4", masses_gev=FEW),
    "combination": lambda: scan(
        ["na64e-2016", "na64e-positron-2022"],
        masses_gev=FEW,
        shared=["efficiency"],
        method="asymptotic",
    ),
    "left-out": lambda: of_file("electrons").recast("b-minus-l", policy="leave-out"),
    "recomputed": lambda: of_file("electrons").recast("b-minus-l", policy="recompute"),
    "recast-twice": lambda: of_file("left-out").recast("vector", policy="recompute"),
    "y": lambda: of_file("electrons").to_plane("y", normalisation="product"),
    "y-of-another-sector": lambda: of_file("electrons").to_plane(
        "y", alpha_d=0.5, policy="leave-out"
    ),
    "g": lambda: of_file("recomputed").to_plane("g", fermion="e"),
    "alpha-d": lambda: of_file("one").to_plane("alpha-d", dark_matter="scalar"),
    "one": lambda: scan("na64e-2016", masses_gev=[0.6], method="asymptotic"),
    "toys": lambda: scan("na64e-2016", masses_gev=FEW[:2], method="toys", toys=20, seed=3),
    "feldman-cousins": lambda: scan("na64e-2016", masses_gev=FEW[:1], method="feldman-cousins"),
}


@cache
def text(name: str) -> str:
    return MADE[name]().to_json()


def of_file(name: str) -> Limit:
    return Limit.from_json(text(name))


@pytest.mark.parametrize("name", MADE)
def test_a_result_is_redone_from_its_file(name: str) -> None:
    assert of_file(name).redo().to_json() == text(name)


def test_a_result_has_the_digits_of_its_file() -> None:
    made = MADE["electrons"]()
    read = of_file("electrons")
    np.testing.assert_array_equal(made.observed, read.observed)
    np.testing.assert_array_equal(made.expected, read.expected)
    for name, values in made.yields.items():
        np.testing.assert_array_equal(values, read.yields[name])


# -- parts --------------------------------------------------------------------------------------

MASSES = np.geomspace(0.005, 0.7, 19)
FAST: dict[str, Any] = {"masses_gev": MASSES, "method": "asymptotic"}
SPECIFICATIONS: dict[str, Callable[[], Specification]] = {
    "electrons": lambda: specify("na64e-2016", **FAST),
    "combination": lambda: specify(["na64e-2016", "na64e-positron-2022"], **FAST),
    "toys": lambda: specify("na64e-2016", masses_gev=MASSES[::4], method="toys", toys=20),
}


@cache
def whole(name: str) -> Limit:
    return scan(SPECIFICATIONS[name]())


@pytest.mark.parametrize(
    ("name", "parts"), [("electrons", 17), ("electrons", 2), ("combination", 3), ("toys", 2)]
)
def test_parts_are_the_whole_in_any_order(name: str, parts: int) -> None:
    found = [scan(part) for part in SPECIFICATIONS[name]().split(parts)]
    assert len(found) == parts
    random.Random(parts).shuffle(found)
    together = merge(found)
    assert together.to_json() == whole(name).to_json()
    assert together.specification == SPECIFICATIONS[name]()


def test_parts_that_are_not_neighbours_are_the_whole() -> None:
    made = SPECIFICATIONS["electrons"]()
    one, other = scan(made.at(MASSES[::2])), scan(made.at(MASSES[1::2]))
    assert merge([other, one]).to_json() == whole("electrons").to_json()


def test_parts_of_a_recast_are_the_recast() -> None:
    start = whole("electrons")
    recast = start.recast("b-minus-l", policy="leave-out")
    parts = [recast.at(MASSES[:7]), recast.at(MASSES[7:])]
    assert merge(parts).to_json() == recast.to_json()


def test_processes_share_the_work() -> None:
    made = SPECIFICATIONS["electrons"]()
    assert scan(made, jobs=2).to_json() == whole("electrons").to_json()
    with pytest.raises(InputError, match="at least one job is needed, not 0"):
        scan(made, jobs=0)
    with pytest.raises(InputError, match="at least one part is needed, not 0"):
        made.split(0)


def test_some_masses_of_a_result_are_a_scan_of_them() -> None:
    some = MASSES[[2, 9, 15]]
    assert whole("electrons").at(some).redo().observed == pytest.approx(
        whole("electrons").at(some).observed, rel=0.0
    )
    part = scan(SPECIFICATIONS["electrons"]().at(some))
    assert whole("electrons").at(some) == part
    with pytest.raises(InputError, match=r"the result has no mass of 0\.123 GeV"):
        whole("electrons").at([0.123])


def test_what_cannot_be_merged() -> None:
    first, second = (whole("electrons").at(MASSES[part]) for part in (slice(9), slice(9, None)))
    other = scan(specify("na64e-2016", masses_gev=MASSES[9:11], method="asymptotic", alpha_d=0.2))
    muons = scan(specify("na64mu-2022", masses_gev=MASSES[9:11], method="asymptotic"))
    carried = scan("na64e-2016", masses_gev=MASSES[9:], method="asymptotic", model="b-minus-l")
    recast = first.recast("b-minus-l", policy="leave-out")
    for results, message in (
        ([], "nothing to merge"),
        ([first, other], "na64e-2016 and na64e-2016 differ in more than their masses"),
        ([first, muons], "na64e-2016 and na64mu-2022 differ in more"),
        ([first, second, first.at(MASSES[3:4])], "masses must increase, each given once"),
        ([first.to_plane("y"), second.to_plane("y")], "in the plane of the coupling"),
        ([recast, carried], "carried over from different scans"),
    ):
        with pytest.raises(InputError, match=message):
            merge(results)


def test_a_specification_is_scanned_as_it_is() -> None:
    with pytest.raises(InputError, match="a specification has its alpha_d already"):
        scan(SPECIFICATIONS["electrons"](), alpha_d=0.2)
