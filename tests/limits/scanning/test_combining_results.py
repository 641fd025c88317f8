"""Combining searches by name and by their results."""

from __future__ import annotations

from typing import Any

import pytest

from na64.limits import combine, scan, specify
from na64.models.errors import InputError

FIRST, SECOND = "na64e-2016", "na64mu-2022"
OPTIONS: dict[str, Any] = {"model": "dark-photon", "method": "asymptotic"}


def test_results_and_names_give_the_same_at_the_masses_in_common() -> None:
    named = combine([FIRST, SECOND], masses_gev=[0.1], **OPTIONS)
    one = scan(FIRST, masses_gev=[0.05, 0.1], **OPTIONS)
    other = scan(SECOND, masses_gev=[0.1, 0.2], **OPTIONS)
    assert combine([one, other]) == named
    # a combination excludes more than its strongest part
    assert named.observed[0] < min(one.observed[1], other.observed[0])


def test_what_cannot_be_combined() -> None:
    first = specify(FIRST, masses_gev=[0.1], **OPTIONS)
    for others, message in (
        ([], "two searches or more, not 1"),
        ([specify(SECOND, masses_gev=[0.2], **OPTIONS)], "no mass in common"),
        ([specify(SECOND, masses_gev=[0.1], **OPTIONS, alpha_d=0.2)], "settings of the signal"),
        (
            [specify(SECOND, masses_gev=[0.1], model="l-mu-l-tau", method="asymptotic")],
            "differ in the model",
        ),
        ([specify(SECOND, masses_gev=[0.1], model="dark-photon")], "differ in the method"),
        ([specify(SECOND, masses_gev=[0.1], confidence_level=0.95, **OPTIONS)], "confidence level"),
        ([SECOND], "cannot be combined with one another"),
        ([specify("na64e-2016-2018", masses_gev=[0.1], **OPTIONS)], "hold the same data"),
    ):
        with pytest.raises(InputError, match=message):
            combine([first, *others])
