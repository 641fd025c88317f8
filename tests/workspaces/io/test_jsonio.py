"""Canonical JSON and its digests."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.workspaces.io import jsonio, reading


def test_one_text_for_one_value() -> None:
    text = '{"a":[1,2.5,null,true],"b":{"c":0.1,"d":"ε"}}'
    first = {"b": {"d": "ε", "c": 0.1}, "a": (1, 2.5, None, True)}
    second = {"a": [np.int64(1), np.float64(2.5), None, np.bool_(True)], "b": {"c": 0.1, "d": "ε"}}
    assert jsonio.canonical_json(first) == text
    assert jsonio.canonical_json(second) == text
    assert jsonio.digest(first) == hashlib.sha256(text.encode()).hexdigest()


def test_numbers_have_twelve_digits() -> None:
    assert jsonio.canonical_json([0.1 + 0.2, -0.0, 1e300, 123456789012.345]) == (
        "[0.3,0.0,1e+300,123456789012.0]"
    )
    # the noise of the last bits does not change a digest
    assert jsonio.digest(0.3) == jsonio.digest(0.1 + 0.2)
    assert jsonio.digest(0.3) != jsonio.digest(0.300000001)


def test_arrays_become_lists() -> None:
    assert jsonio.plain(np.arange(4.0).reshape(2, 2)) == [[0.0, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1.0, float("nan")]}, r"\$\.a\[1\]: nan cannot be written"),
        (float("inf"), "inf cannot be written"),
        ({1: 2}, "keys must be texts, 1 is int"),
        ({"a": {1, 2}}, r"\$\.a: cannot write a set"),
        (b"bytes", "cannot write a bytes"),
    ],
)
def test_what_json_does_not_have(value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        jsonio.canonical_json(value)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(max_size=5)
    # what files may hold, well within it: rounding to 12 digits may go beyond the end
    | st.floats(-1e99, 1e99),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(_JSON)
def test_reading_back_changes_nothing_more(value: object) -> None:
    text = jsonio.canonical_json(value)
    again = reading.parse_json(text, "test")
    assert jsonio.canonical_json(again) == text
    assert jsonio.digest(again) == jsonio.digest(value)
    assert json.loads(jsonio.canonical_json(value, indent=1)) == again
