"""What a result shows of itself in Python: a line, a data frame, a page of a notebook."""

from __future__ import annotations

import builtins
import math
import re
from typing import Any

import numpy as np
import pytest

import na64.limits
from na64.limits.calculators.status import Status
from na64.models.errors import InputError
from tests.limits.results.test_result import made


def limit(**changes: Any) -> Any:
    found = {
        "regions": (((1e-5, None),), ((2e-5, 1e-3),), ()),
        "expected_regions": ((((1e-5, None),), ((2e-5, None),), ((3e-5, None),)),) * 5,
        "status": (Status.OK, Status.OK, Status.NO_EXCLUSION),
        "events_limit": np.array([2.3, 2.4, math.nan]),
    }
    return made(**{**found, **changes})


def test_the_line_says_what_and_how_far() -> None:
    assert repr(limit()) == (
        "<Limit on epsilon of dark-photon from na64e-2016, 90 % CL, auto: observed 1e-05 to 2e-05 "
        "at 3 values of m_A', 0.01 to 1 GeV>"
    )
    assert "no exclusion at" in repr(limit(regions=((), (), ()), status=(Status.NO_EXCLUSION,) * 3))


def test_the_frame_is_the_table() -> None:
    pandas = pytest.importorskip("pandas")
    result = limit()
    frame = result.to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert tuple(frame.columns) == result.to_table().columns
    np.testing.assert_array_equal(frame["mass_gev"], result.masses_gev)
    np.testing.assert_array_equal(frame["observed_epsilon"], result.observed)
    assert frame["observed_upper_edge_epsilon"][1] == 1e-3
    assert list(frame["status"]) == ["ok", "ok", "no-exclusion"]
    assert frame.attrs["notes"][0].startswith("search na64e-2016, model dark-photon")


def test_without_pandas_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def fail(name: str, *args: Any, **words: Any) -> Any:
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
        return real(name, *args, **words)

    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(
        InputError, match=r"^data frames: .* pip install 'na64-limits\[dataframe\]'"
    ):
        limit().to_dataframe()


def test_a_notebook_shows_a_figure_and_escaped_facts() -> None:
    page = limit()._repr_html_()
    assert re.search(r"<img [^>]*src='data:image/png;base64,[A-Za-z0-9+/=]{1000,}'/>", page)
    for text in (
        "invisible decays",
        "dirac, alpha_D 0.1, mass ratio 3",
        "90 % CL, auto",
        "epsilon",
    ):
        assert text in page
    assert page == limit()._repr_html_()
    nothing = limit(
        regions=((), (), ()), expected_regions=(((),) * 3,) * 5, status=(Status.NO_EXCLUSION,) * 3
    )
    assert "<img" not in nothing._repr_html_()


def test_names_are_where_one_looks() -> None:
    for name in ("scan", "recast", "combine", "read", "figure"):
        assert name in na64.limits.__all__
        assert callable(getattr(na64.limits, name))
    assert set(na64.limits.__all__) <= set(dir(na64.limits))


def test_read_gives_what_was_written(tmp_path: Any) -> None:
    result = limit()
    result.write(tmp_path / "scan.json")
    assert na64.limits.read(tmp_path / "scan.json") == result
