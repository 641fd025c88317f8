"""A declared dataclass is read from a table and written back, whatever its keys are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.declaration import (
    SMALLEST_NUMBER,
    Key,
    alternatives,
    check_declared,
    declare,
    table_of,
)
from na64.models.errors import InputError
from na64.workspaces.io.problems import FileProblemsError
from na64.workspaces.io.tables import read_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    name: str = declare(pattern="[a-z]+", refused=("air", "is no layer"))
    depth_cm: float = declare(
        unit="cm",
        above=0.0,
        other=Key(name="depth_mm", accepts=float, above=0.0, to=lambda mm, v, n: mm / 10.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    title: str = declare()
    label: str = declare(fallback="title")
    count: int = declare(1, at_least=1, at_most=9)
    shift: float | None = declare(None, at_least=-5.0)
    tags: tuple[str, ...] = declare((), resolved=True)
    weights: Mapping[str, float] = declare({}, allowed=("a", "b"))
    layers: tuple[Layer, ...] = declare(distinct=True)


def problems(**changes: object) -> dict[str, str]:
    table = {"title": "x", "layers": [{"name": "a", "depth_cm": 1.0}], **changes}
    with pytest.raises(FileProblemsError) as caught:
        read_file(Stack, table, "stack", "test")
    return {item.path: item.message for item in caught.value.problems}


def test_reading() -> None:
    layers = [{"name": "a", "depth_mm": 20}, {"name": "b", "depth_cm": 1}]
    found = read_file(Stack, {"title": "x", "layers": layers}, "stack", "test")
    assert found == Stack(
        title="x",
        label="x",
        layers=(Layer(name="a", depth_cm=2.0), Layer(name="b", depth_cm=1.0)),
    )
    assert set(table_of(found)) == {"title", "label", "tags", "layers"}
    assert alternatives(Stack) == (("depth_cm", "depth_mm"),)


def test_problems() -> None:
    assert problems(count=0, shift=-6, tags=["", 3], weights={"a": -1, "c": 1}, layer=1) == {
        "count": "must be 1 or more, is 0",
        "shift": "must be -5 or more, is -6",
        "tags[0]": "must not be empty",
        "tags[1]": "must be a text, is the number 3",
        "weights.a": "must not be negative, is -1",
        "weights.c": "unknown key; allowed: a, b",
        "layer": "unknown key (did you mean 'layers'?); allowed: title, label, count, shift, tags, "
        "weights, layers",
    }
    twice = [{"name": "a", "depth_cm": 1, "depth_mm": 10}, {"name": "a"}, {"name": "air"}, 1]
    assert problems(layers=twice) == {
        "layers[1].name": "'a' is the name of layers[0] already",
        "layers[0].depth_cm": "give depth_cm or depth_mm, not both",
        "layers[1].depth_cm": "missing; it must be a number",
        "layers[2].name": "'air' is no layer",
        "layers[2].depth_cm": "missing; it must be a number",
        "layers[3]": "must be a table, is the number 1",
    }
    assert problems(layers=[]) == {"layers": "must not be empty"}


def test_ranges_hold_in_python_too() -> None:
    with pytest.raises(InputError, match="depth_cm must be positive, is -1"):
        check_declared(Layer(name="a", depth_cm=-1.0))
    with pytest.raises(InputError, match="name must not be empty"):
        check_declared(Layer(name=" ", depth_cm=1.0))


def _has_an_inverse(number: float) -> bool:
    """Numbers of files are 0 or not smaller than that."""
    return number == 0.0 or abs(number) >= SMALLEST_NUMBER


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Stack,
        title=st.sampled_from(["x", "y z"]),
        label=st.just("l"),
        count=st.integers(1, 9),
        shift=st.none() | st.floats(-5.0, 5.0).filter(_has_an_inverse),
        tags=st.lists(st.sampled_from("pqr"), max_size=2).map(tuple),
        weights=st.dictionaries(st.sampled_from("ab"), st.floats(0.0, 1e9).filter(_has_an_inverse)),
        layers=st.lists(
            st.builds(Layer, name=st.sampled_from("uvw"), depth_cm=st.floats(1e-3, 1e3)),
            min_size=1,
            unique_by=lambda layer: layer.name,
        ).map(tuple),
    )
)
def test_what_is_written_is_read_again(stack: Stack) -> None:
    assert read_file(Stack, table_of(stack), "stack", "test") == stack
