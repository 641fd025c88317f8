"""Tables of users as overlays: two columns, CSV, and tables of HEPData; none of them is trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.workspaces.io.curves import Axis, CurveKind
from na64.workspaces.io.tabulated import load_overlay, table_curve

X, Y = Axis("m_A'", "GeV"), Axis("epsilon", "1")
POINTS = np.array([[0.01, 1e-4], [0.1, 1e-3]])

SUBMISSION = """
independent_variables:
- header: {name: M, units: MeV}
  values: [{value: 10}, {low: 90, high: 110}, {value: 200}]
dependent_variables:
- header: {name: Expected limit, units: ''}
  qualifiers: [{name: CL, value: 90}]
  values: [{value: 2.0e-4}, {value: 2e-3}, {value: 3e-3}]
- header: {name: Observed limit}
  values: [{value: 1.0e-4, errors: [{symerror: 0.1}]}, {value: 0.001}, {value: '-'}]
"""
DOWNLOAD = {
    "headers": [{"name": "M [MeV]"}, {"name": "limit"}],
    "values": [
        {"x": [{"value": "10.0"}], "y": [{"value": "1e-4", "group": 0}]},
        {"x": [{"value": "100.0"}], "y": [{"value": "1e-3", "group": 0}]},
    ],
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "0.01,1e-4\n0.1,1e-3\n"),
        ("a.csv", "mass [MeV], epsilon\n10, 1e-4\n100, 1e-3"),
        ("a.csv", "# mine\n\n0.1;1e-3\n0.01;1e-4\n"),  # decreasing: a limit all the same
        ("a.txt", "  0.01   1e-4\n0.1  1e-3\n"),
        ("a.dat", "0.01\t1e-4\n0.1\t1e-3"),
        ("a.yaml", SUBMISSION),
        ("a.json", json.dumps(DOWNLOAD)),
        (
            "a.JSON",
            json.dumps(
                {
                    "independent_variables": [
                        {"header": {"name": "M"}, "values": [{"value": 0.01}, {"value": 0.1}]}
                    ],
                    "dependent_variables": [
                        {"header": {"name": "y"}, "values": [{"value": 1e-4}, {"value": 1e-3}]}
                    ],
                }
            ),
        ),
    ],
)
def test_forms(name: str, text: str) -> None:
    curve = table_curve(text, name, X, Y)
    assert np.array(curve.points) == pytest.approx(POINTS)
    assert (curve.kind, curve.label, curve.model) == (CurveKind.LIMIT, "a", "")
    assert (curve.x_axis, curve.y_axis, curve.confidence_level) == (X, Y, None)


def test_columns_and_regions(tmp_path: Path) -> None:
    file = tmp_path / "two.csv"
    file.write_text("m,expected,observed\n0.01,2e-4,1e-4\n0.1,2e-3,1e-3\n")
    # the observed one
    assert np.array(load_overlay(file, X, Y).points) == pytest.approx(POINTS)
    chosen = load_overlay(f"{file}#expected", X, Y)
    assert chosen.y == pytest.approx((2e-4, 2e-3))
    with pytest.raises(InputError, match=r"did you mean 'expected'"):
        load_overlay(f"{file}#expectd", X, Y)
    file.write_text("m,one,two\n0.01,2e-4,1e-4\n0.1,2e-3,1e-3\n")
    with pytest.raises(InputError, match=r"2 columns of y: choose one as FILE#COLUMN out of one"):
        load_overlay(file, X, Y)
    around = table_curve("1 1\n2 1\n2 2\n1 2\n", "box.dat", X, Y)
    assert around.kind is CurveKind.REGION
    assert len(around.points) == 4
    # names and curve files are what they always were
    assert load_overlay("babar-invisible", X, Y).model == "dark-photon"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "has no rows of numbers"),
        ("a.csv", "m,epsilon\n", "has no rows of numbers"),
        ("a.csv", "0.01,1e-4\n", "must have 2 points or more, has 1"),
        ("a.csv", "0.01,1e-4\n0.1\n", "line 2: has 1 columns, not 2"),
        ("a.csv", "1\n2\n", "two columns or more"),
        ("a.csv", "0.01,1e-4\n0.1,-1\n", "row 2: must be positive and finite, is -1"),
        ("a.csv", "0.01,1e-4\n0.1,inf\n", "row 2: must be positive and finite, is inf"),
        ("a.csv", "0.01,1e-4\n0.1,abc\n", "row 2: the text 'abc' is not a number"),
        ("a.csv", "m [MeV],g [GeV]\n0.01,1e-4\n0.1,1\n", "g is in GeV, the axis epsilon"),
        ("a.csv", "m,epsilon [GeV^-1]\n1,2\n2,3\n", "epsilon is in GeV\\^-1, the axis epsilon"),
        ("a.csv", "m [kg],epsilon\n1,2\n2,3\n", "m is in kg, the axis m_A' of the figure in GeV"),
        ("a.csv", "m,epsilon^2\n1,2\n2,3\n", "epsilon\\^2 is a square, the axis of the figure is"),
        ("a.csv", "0.01,1\n0.01,2\n0.02,3\n", "x = 0.01 is there twice"),
        ("a.yaml", "a: [1", "not YAML in line"),
        ("a.yaml", "- 1\n", "is no table of HEPData"),
        ("a.yaml", "name: x\n", "it has no independent_variables"),
        ("a.yaml", "a: &a [1]\nb: [*a, *a]\n", "has a reference"),
        ("a.yaml", "!!python/object/apply:os.system ['true']", "not YAML"),
        ("a.yaml", "[" * 5000, "nested too deeply"),
        ("a.yaml", SUBMISSION.replace("units: MeV", "units: fm"), "M is in fm, the axis m_A'"),
        ("a.yaml", SUBMISSION.replace(", {value: 200}", ""), "columns have different lengths"),
        ("a.yaml", SUBMISSION.replace("independent_v", "independent_variables: 3\nv"), "a list of"),
        ("a.json", "{", "not JSON"),
        ("a.json", json.dumps({"headers": [], "values": [{"x": 1}]}), "one x and a list of y"),
        ("a.json", json.dumps({"headers": [{}], "values": []}), "2 or more"),
    ],
)
def test_problems(name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        table_curve(text, name, X, Y)
    assert str(refused.value).startswith(f"overlay {name}")


def test_sizes(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_text("1,1\n" * 1_100_000)
    with pytest.raises(InputError, match=r"large\.csv: has 4 MiB; at most 4 MiB are read"):
        load_overlay(large, X, Y)
    with pytest.raises(InputError, match="has 30000 rows"):
        table_curve("1,1\n" * 30_000, "a.csv", X, Y)
    with pytest.raises(InputError, match="no such file"):
        load_overlay(tmp_path / "none.csv", X, Y)


@settings(max_examples=100)
@given(
    text=st.text(alphabet="0123456789.,;e-+ \t\n#[]{}:&*abinf'\"", max_size=60),
    suffix=st.sampled_from(("csv", "yaml", "json", "txt")),
)
def test_any_text_is_a_curve_or_an_error(text: str, suffix: str) -> None:
    try:
        curve = table_curve(text, f"a.{suffix}", X, Y)
    except InputError:
        return
    assert all(x > 0.0 and y > 0.0 for x, y in curve.points)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with pytest.raises(InputError, match="is a named pipe, not a file"):
        load_overlay(path, X, Y)
