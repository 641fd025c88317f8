"""Exclusion: what it refuses, and files that are the same after writing and reading."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.results.limit import Exclusion, Status
from na64.models.errors import InputError


def made(count: int = 3, **changes) -> Exclusion:
    masses = np.geomspace(0.01, 1.0, count)
    result = Exclusion(
        search="toy",
        title="Toy",
        model="dark-photon",
        parameter="epsilon",
        power=2.0,
        mass_parameter="m_A'",
        confidence_level=0.9,
        method="exact",
        production="etl",
        alpha_d=0.1,
        ratio=3.0,
        dark_matter="dirac",
        masses_gev=masses,
        regions=tuple(((1e-4 * mass, None),) for mass in masses),
        expected=np.outer(np.arange(1.0, 6.0), 1e-4 * masses),
        events_limit=np.full(count, 2.3),
        yields={"emission": 1e8 / masses**2, "annihilation": np.zeros(count)},
        status=(Status.OK,) * count,
    )
    return replace(result, **changes)


def test_observed_is_the_lowest_excluded_coupling() -> None:
    regions = (((1e-5, 1e-4), (1e-3, None)), (), ((2e-5, None),))
    status = (Status.OK, Status.NO_EXCLUSION, Status.OK)
    np.testing.assert_array_equal(
        made(regions=regions, status=status).observed, [1e-5, math.nan, 2e-5]
    )


@pytest.mark.parametrize(
    ("status", "complete"),
    [("ok", True), ("no-exclusion", True), ("failed", False), ("not-bracketed", False)],
)
def test_no_exclusion_is_a_result_and_a_failure_is_not(status: str, complete: bool) -> None:
    assert made(status=(Status.OK, Status.OK, Status(status))).complete is complete


@given(
    limits=st.lists(st.none() | st.floats(1e-12, 1e3), min_size=1, max_size=6),
    upper=st.none() | st.floats(2e3, 1e6),
    level=st.floats(0.01, 0.99),
)
@settings(max_examples=200, deadline=None)
def test_json_is_read_back_as_it_was(
    limits: list[float | None], upper: float | None, level: float
) -> None:
    count = len(limits)
    result = made(
        count,
        masses_gev=np.arange(1.0, count + 1.0),
        regions=tuple(() if low is None else ((low, upper),) for low in limits),
        status=tuple(Status.NO_EXCLUSION if low is None else Status.OK for low in limits),
        events_limit=np.array([math.nan if low is None else 2.3 for low in limits]),
        confidence_level=level,
    )
    text = result.to_json()
    again = Exclusion.from_json(text)
    assert again == result
    assert again.to_json() == text
    assert hash(again) == hash(result)
    assert "NaN" not in text


def test_provenance_is_no_part_of_the_content() -> None:
    one, other = made(), made(provenance={"command": ["scan"]})
    assert one.content_digest == other.content_digest
    assert one.content_digest != made(confidence_level=0.95).content_digest
    assert json.loads(other.to_json())["provenance"] == {
        "command": ["scan"],
        "content_digest": one.content_digest,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regions": ()}, r"regions has shape \(0,\), 3 masses need \(3,\)"),
        ({"expected": np.zeros((3, 5))}, r"expected has shape \(3, 5\)"),
        ({"yields": {"emission": np.zeros(2)}}, r"yields\.emission has shape \(2,\)"),
        ({"masses_gev": np.array([0.1, 0.3, 0.2])}, "masses_gev must increase"),
        ({"masses_gev": np.array([0.0, 0.3, 0.4])}, "masses_gev must be positive"),
        ({"masses_gev": np.array([0.1, 0.3, math.nan])}, "masses_gev must be positive"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        made(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "not a scan of na64-limits"),
        ("[]", "not a scan of na64-limits"),
        ("{", "not JSON"),
        ('{"schema": "na64-limits/limit/1"}', "has schema 'na64-limits/limit/1'"),
        ('{"schema": "na64-limits/scan/1"}', "is a required property"),
    ],
)
def test_other_documents_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Exclusion.from_json(text)


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    result = made()
    result.write(tmp_path / "scan.json")
    assert Exclusion.read(tmp_path / "scan.json") == result
    with pytest.raises(InputError, match="file exists"):
        result.write(tmp_path / "scan.json")
    with pytest.raises(InputError, match=r"written as \.json or \.csv"):
        result.write(tmp_path / "scan.yaml")
    with pytest.raises(InputError, match="No such file or directory"):
        result.write(tmp_path / "nowhere" / "scan.json")
    result.write(tmp_path / "scan.json", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["scan.json"]


def test_a_limit_that_does_not_exist_is_an_empty_cell() -> None:
    status = (Status.OK, Status.OK, Status.NO_EXCLUSION)
    regions = (((1e-5, 2e-3),), ((1e-5, None),), ())
    rows = [
        line.split(",")
        for line in made(regions=regions, status=status).to_csv().splitlines()
        if not line.startswith("#")
    ]
    observed, edge = rows[0].index("observed_epsilon"), rows[0].index("observed_epsilon") + 1
    assert [row[observed] for row in rows[1:]] == ["1e-05", "1e-05", ""]
    assert [row[edge] for row in rows[1:]] == ["0.002", "", ""]
