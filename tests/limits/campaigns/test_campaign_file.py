"""The file of a campaign: axes, products and zips, and every problem at once with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from na64.limits.campaigns.description import MOST_POINTS, Campaign, Plan, parse_campaign
from na64.limits.scanning.request import specify
from na64.models.errors import InputError

HEAD = 'format = 1\nname = "test"\n'


def parsed(text: str) -> Campaign:
    return parse_campaign(HEAD + text, "test.toml", folder=Path())


def problems(text: str) -> str:
    with pytest.raises(InputError) as error:
        parsed(text)
    return str(error.value)


def test_tables_multiply_and_keys_of_one_go_together() -> None:
    campaign = parsed("""
[base]
masses = "0.01,0.1"
[[axes]]
search = ["na64e-2016-2018", ["na64e-2016-2018", "na64mu-2022"]]
[[axes]]
alpha_d = [0.1, 0.5]
ratio = [3, 4]
[[axes]]
confidence_level = "0.68:0.9:3"
""")
    plan = Plan(campaign)
    assert campaign.size == 2 * 2 * 3
    values = [plan.values(number) for number in range(campaign.size)]
    assert [v["alpha_d"] for v in values] == ([0.1] * 3 + [0.5] * 3) * 2  # the last fastest
    assert [v["ratio"] for v in values] == ([3] * 3 + [4] * 3) * 2
    assert values[0]["confidence_level"] == 0.68
    assert values[2]["confidence_level"] == 0.9
    # yields depend on search and dark sector, and on no confidence level
    assert [plan.place(number) for number in range(12)] == [0] * 3 + [3] * 3 + [6] * 3 + [9] * 3
    point = plan.point(11)
    assert point.specification == specify(
        ["na64e-2016-2018", "na64mu-2022"],
        masses_gev=np.array([0.01, 0.1]),
        alpha_d=0.5,
        ratio=4.0,
        confidence_level=0.9,
    )
    assert not point.tips


def test_paths_of_a_card_are_axes_quoted_or_not() -> None:
    text = '[base]\nsearch = "na64e-2016-2018"\noverrides = ["bins.1.exposure=1e11"]\n[[axes]]\n'
    plain = Plan(parsed(text + "bins.0.exposure = [1e10, 2e10]"))
    quoted = Plan(parsed(text + '"bins.0.exposure" = [1e10, 2e10]'))
    factor = Plan(parsed(text + '"bins.*.exposure*" = [2.0]'))
    made = specify(
        "na64e-2016-2018", overrides=["bins.1.exposure=1e11", "bins.0.exposure=20000000000.0"]
    )
    for plan in (plain, quoted):
        point = plan.point(1)
        assert point.specification == made
        assert point.axes == {"bins.0.exposure": 2e10}
        assert point.tips  # the range of the card
        assert plan.place(1) == 0  # an exposure changes no yield per particle
    assert factor.point(0).asked().cards[0].bins[1].exposure.value == 2e11


def test_ranges_of_masses_and_of_whole_numbers() -> None:
    plan = Plan(
        parsed(
            '[base]\nsearch = "na64mu-2022"\nmethod = "toys"\n[[axes]]\n'
            'masses = "0.01:1:3"\n[[axes]]\ntoys = "1000:4000:3"'
        )
    )
    points = [plan.point(number).asked() for number in range(9)]
    assert [p.masses_gev.tolist() for p in points[::3]] == [[0.01], [0.1], [1.0]]
    assert [p.calculator.to_dict()["toys"] for p in points[:3]] == [1000, 2000, 4000]


def test_every_problem_is_told_with_its_place_and_the_nearest_match() -> None:
    said = problems("""
kind = "scans"
extra = 1
[base]
search = "na64mu-2022"
modell = "dark-photon"
confidence_level = "high"
ratio = 3.0
[[axes]]
alpha = [0.1]
[[axes]]
model = ["dark-photon", "dark-foton"]
ratio = [3.0, 4.0, 5.0]
[[axes]]
model = ["scalar", "scalar"]
[[axes]]
toys = []
[[axes]]
splitting = "0.1:x:3"
[[axes]]
seed = "1:2:5"
""")
    for line in (
        "kind: unknown",
        "did you mean 'scan'?",
        "extra: unknown key",
        "base.modell: unknown key (did you mean 'model'?)",
        "base.confidence_level: must be a number",
        "base.ratio: stands on an axis as well",
        "axes[0].alpha: unknown key (did you mean 'alpha_d'?)",
        "axes[1].model[1]: unknown model 'dark-foton' (did you mean 'dark-photon'?)",
        'axes[2].model[1]: "scalar" is given twice',
        "axes[3].toys: must be a list of values or a range LO:HI:N, is empty",
        "axes[4].splitting: splitting '0.1:x:3': 'x' is not a number",
        "axes[5].seed[1]: 1 is given twice",
    ):
        assert line in said, said


def test_a_key_on_two_tables_and_unequal_lengths_are_refused() -> None:
    base = '[base]\nsearch = "na64mu-2022"\n'
    twice = "[[axes]]\nratio = [3.0]\n[[axes]]\nratio = [4.0, 5.0]\n"
    assert "axes[1].ratio: is on axes[0] already" in problems(base + twice)
    uneven = "[[axes]]\nratio = [3.0]\nalpha_d = [0.1, 0.2]\n"
    assert "same number of values, have ratio 1, alpha_d 2" in problems(base + uneven)
    assert "base.search: missing" in problems("[[axes]]\nratio = [3.0]\n")


def test_the_number_of_points_is_bounded_before_any_is_made() -> None:
    many = "".join(f'[[axes]]\n{key} = "0.1:0.9:1001"\n' for key in ("alpha_d", "confidence_level"))
    said = problems('[base]\nsearch = "na64mu-2022"\n' + many)
    assert f"1001 x 1001 are 1002001 points, more than {MOST_POINTS}" in said


def test_a_problem_has_the_key_that_the_file_has() -> None:
    """A list of masses is declared under another name than one grid of them."""
    axes = "\n[[axes]]\nalpha_d = [0.1]\n"
    for key in ("masses", "masses_gev"):
        said = problems(f'[base]\nsearch = "na64mu-2022"\n{key} = ["x"]{axes}')
        assert f": base.{key}[0]: must be a number" in said
