"""Limit and Specification: what they refuse, and files that are the same when they are read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.calculators.status import BAND_ORDER, Status
from na64.limits.results.limit import Limit, read
from na64.limits.results.schemas import validate
from na64.limits.results.specification import Specification
from na64.limits.results.tables import WRITERS
from na64.limits.scanning.request import specify
from na64.limits.scanning.runner import join
from na64.models.errors import InputError
from tests.shared import toy_limit


def made(count: int = 3, **changes: Any) -> Limit:
    """A result that was computed by nobody."""
    masses = np.geomspace(0.01, 1.0, count) if count > 1 else np.array([0.01])
    level = changes.pop("confidence_level", 0.9)
    specification = specify("na64e-2016", masses_gev=masses, confidence_level=level)
    return toy_limit(specification, **changes)


def test_observed_is_the_lowest_excluded_coupling() -> None:
    regions = (((1e-5, 1e-4), (1e-3, None)), (), ((0.0, 1e-6), (2e-5, None)))
    np.testing.assert_array_equal(made(regions=regions).observed, [1e-5, math.nan, 2e-5])


@pytest.mark.parametrize(
    ("status", "complete"),
    [
        ("ok", True),
        ("no-exclusion", True),
        ("left-out", True),
        ("failed", False),
        ("not-bracketed", False),
    ],
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
    regions = tuple(() if low is None else ((low, upper),) for low in limits)
    result = made(
        count,
        regions=regions,
        expected_regions=(regions,) * 5,
        status=tuple(Status.NO_EXCLUSION if low is None else Status.OK for low in limits),
        events_limit=np.array([math.nan if low is None else 2.3 for low in limits]),
        confidence_level=level,
    )
    text = result.to_json()
    again = Limit.from_json(text)
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
        ({"regions": ()}, "regions has 0 entries, needs 3"),
        ({"yields": {"emission": np.zeros(2)}}, r"yields\.emission has 2 entries"),
        ({"masses_gev": np.array([0.1, 0.3, 0.2])}, "masses must be positive and increase"),
        ({"masses_gev": np.array([0.0, 0.3, 0.4])}, "masses must be positive and increase"),
        ({"masses_gev": np.array([0.1, 0.3, math.nan])}, "masses must be positive and increase"),
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
        ('{"schema": "na64-limits/scan/2"}', "is a required property"),
    ],
)
def test_other_documents_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Limit.from_json(text)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("title",), "Another search", "'title' disagrees with the rest of the file"),
        (("observed", 0), 1e-3, "'observed' disagrees"),
        (("digest",), "0" * 64, "'digest' disagrees"),
        (("alpha_d",), 0.5, "'alpha_d' disagrees"),
        (("specification", "signal", "production"), "wz", "production"),
        (("specification", "calculator", "name"), "guess", "guess"),
        (("specification", "mediator", "type"), "tensor", "tensor"),
        (("specification", "cards", 0, "topology"), "sphere", "sphere"),
        (("specification", "masses_gev", 1), 1e-9, "must increase"),
        (("regions", 0, 0), [2.0, 1.0], "intervals must increase"),
    ],
)
def test_a_file_is_not_trusted(place: tuple[Any, ...], value: object, message: str) -> None:
    document = json.loads(made().to_json())
    node = document
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    with pytest.raises(InputError, match=message):
        Limit.from_dict(document, "file.json")


def test_a_changed_result_is_refused_unless_it_is_trusted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = made()
    document = json.loads(result.to_json())
    document["events_limit"][0] = 2.4
    text = json.dumps(document)
    with pytest.raises(
        InputError, match=r"^scan\.json: was changed after it was written: .*`trust`"
    ):
        Limit.from_json(text, "scan.json")
    assert not caplog.text
    accepted = Limit.from_json(text, "scan.json", trust=True)
    assert accepted.events_limit[0] == 2.4
    assert "scan.json: was changed after it was written" in caplog.text
    document["observed"][0] *= 2.0
    with pytest.raises(InputError, match=r"'observed' disagrees .*; `trust` does not accept"):
        Limit.from_json(json.dumps(document), "scan.json", trust=True)
    # what is written from it has a digest of its own
    assert Limit.from_json(accepted.to_json()) == accepted
    document = json.loads(result.to_json())
    del document["provenance"]["content_digest"]
    (tmp_path / "scan.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="has no content_digest"):
        Limit.read(tmp_path / "scan.json")
    assert read(tmp_path / "scan.json", trust=True) == result
    # provenance itself, and how the JSON is laid out, may differ
    document = json.loads(result.to_json())
    document["provenance"]["note"] = "of mine"
    caplog.clear()
    assert Limit.from_json(json.dumps(document, indent=3)) == result
    assert not caplog.text


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    result = made()
    result.write(tmp_path / "scan.json")
    assert Limit.read(tmp_path / "scan.json") == result
    with pytest.raises(InputError, match="file exists"):
        result.write(tmp_path / "scan.json")
    with pytest.raises(InputError, match=r"written as \.json or \.csv"):
        result.write(tmp_path / "scan.yaml")
    with pytest.raises(InputError, match="No such file or directory"):
        result.write(tmp_path / "nowhere" / "scan.json")
    result.write(tmp_path / "scan.json", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["scan.json"]


def test_a_row_in_the_table_of_writers_is_a_format(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(WRITERS, ".cells", lambda json, table: "|".join(table.columns))
    result = made()
    result.write(tmp_path / "scan.cells")
    assert (tmp_path / "scan.cells").read_text().split("|") == list(result.to_table().columns)
    with pytest.raises(InputError, match=r"written as \.json or \.csv or \.cells"):
        result.to_text(".yaml")


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


def test_some_of_the_masses() -> None:
    result = made(5)
    part = result.at(result.masses_gev[[1, 3]])
    np.testing.assert_array_equal(part.masses_gev, result.masses_gev[[1, 3]])
    np.testing.assert_array_equal(part.specification.masses_gev, part.masses_gev)
    np.testing.assert_array_equal(part.expected, result.expected[:, [1, 3]])
    with pytest.raises(InputError, match=r"no mass of 0\.5 GeV"):
        result.at(0.5)


# -- specifications -----------------------------------------------------------------------------

MODELS = ("dark-photon", "b-minus-l", "b-minus-l-heavy-neutrinos", "l-mu-l-tau", "axial", "scalar")


@st.composite
def specifications(draw: st.DrawFn) -> Specification:
    masses = sorted(draw(st.sets(st.floats(1e-3, 0.9), min_size=1, max_size=7)))
    combined = draw(st.booleans())
    method = draw(st.sampled_from(["auto", "exact", "asymptotic", "toys", "feldman-cousins"]))
    extra: dict[str, Any] = {"toys": draw(st.integers(1, 9)), "seed": 3} if method == "toys" else {}
    if draw(st.booleans()):
        extra |= {"dark_matter": "majorana", "alpha_d": draw(st.floats(1e-3, 1.0)), "ratio": 2.5}
    try:
        return specify(
            ["na64e-2016", "na64mu-2022"] if combined else "na64e-2016",
            masses_gev=np.unique(np.array([float(f"{m:.12g}") for m in masses])),
            model=draw(st.sampled_from(MODELS)),
            confidence_level=draw(st.floats(0.5, 0.99)),
            expected_only=draw(st.booleans()),
            overrides=draw(st.sampled_from([(), ("bins.0.exposure=1.2345678901234567e10",)])),
            method=method,
            shared=(),
            annihilation=draw(st.booleans()),
            **extra,
        )
    except InputError as error:  # a combination of settings without effect
        raise AssertionError(str(error)) from error


@given(specifications(), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_a_specification_goes_through_a_file(found: Specification, parts: int) -> None:
    text = json.dumps(found.to_dict())
    again = Specification.from_dict(json.loads(text))
    assert again == found
    assert again.digest == found.digest
    assert json.dumps(again.to_dict(), sort_keys=True) == json.dumps(
        found.to_dict(), sort_keys=True
    )
    np.testing.assert_array_equal(again.masses_gev, found.masses_gev)
    split = found.split(parts)
    assert len(split) == min(parts, len(found.masses_gev))
    np.testing.assert_array_equal(
        np.concatenate([part.masses_gev for part in split]), found.masses_gev
    )
    assert all(part.at(found.masses_gev) == found for part in split)


def test_band_order_is_that_of_all_results() -> None:
    assert len(made().expected_regions) == len(BAND_ORDER)


BANDS = (
    (Status.OK,) * 3,
    (Status.OK,) * 3,
    (Status.OK,) * 3,
    (Status.OK, Status.NO_EXCLUSION, Status.OK),
    (Status.OK, Status.NO_EXCLUSION, Status.FAILED),
)


def test_each_band_has_a_status() -> None:
    result = made(expected_status=BANDS)
    document = result.as_dict()
    validate(document, "scan", "na64-limits/scan/2", "x")
    assert document["expected_status"][4] == ["ok", "no-exclusion", "failed"]
    assert Limit.from_json(result.to_json()) == result
    assert not result.complete
    assert result.take(np.array([0, 1])).complete
    assert [result.band_words(row) for row in range(3)] == [
        "ok",
        "+1 no-exclusion; +2 no-exclusion",
        "+2 failed",
    ]
    assert result.unanswered(1) == []
    assert result.unanswered(2) == ["expected +2 sigma: failed"]
    column = result.to_table().columns.index("expected_status")
    assert result.to_table().rows[2][column] == "+2 failed"
    parts = [result.take(np.array(rows)) for rows in ([1], [0, 2])]
    assert join(parts).expected_status == BANDS
    with pytest.raises(InputError, match=r"expected_status \+2 has 2 entries, needs 3"):
        made(expected_status=(*BANDS[:4], BANDS[4][:2]))


def test_files_without_a_status_of_bands_are_read() -> None:
    """Those of versions that did not keep it, to the same digest."""
    old = made()
    assert old.expected_status is None
    assert "expected_status" not in old.as_dict()
    again = Limit.from_json(old.to_json())
    assert again.content_digest == old.content_digest
    assert again.complete
    assert again.band_words(0) == ""
    # beside one that has it, nothing is said of either
    new = made(expected_status=BANDS)
    assert join([old.take(np.array([0])), new.take(np.array([1, 2]))]).expected_status is None
