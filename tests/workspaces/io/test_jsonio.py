"""Canonical JSON, digests, and files that appear whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import ComputationError, InputError
from na64.workspaces.io import jsonio


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
    # far from the ends of the doubles, where rounding to 12 digits may overflow
    | st.floats(-1e300, 1e300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(_JSON)
def test_reading_back_changes_nothing_more(value: object) -> None:
    text = jsonio.canonical_json(value)
    again = jsonio.parse_json(text, "test")
    assert jsonio.canonical_json(again) == text
    assert jsonio.digest(again) == jsonio.digest(value)
    assert json.loads(jsonio.canonical_json(value, indent=1)) == again


def test_reading_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        jsonio.read_json(tmp_path / "none.json")
    with pytest.raises(InputError, match="is a folder"):
        jsonio.read_json(tmp_path)
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": 1,}')
    with pytest.raises(InputError, match=r"bad\.json: not JSON \(line 1, column"):
        jsonio.read_json(bad)
    bad.write_text('{"a": NaN}')
    with pytest.raises(InputError, match="NaN is not a JSON number"):
        jsonio.read_json(bad)
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not a text in UTF-8"):
        jsonio.read_json(bad)
    with pytest.raises(InputError, match="nested too deeply"):
        jsonio.parse_json("[" * 100_000, "deep")


def test_writing(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    jsonio.write_atomic(file, "one\n")
    assert file.read_text() == "one\n"
    with pytest.raises(InputError, match=r"file exists"):
        jsonio.write_atomic(file, "two\n")
    assert file.read_text() == "one\n"
    jsonio.write_atomic(file, b"two\n", force=True)
    assert file.read_text() == "two\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_written_files_have_ordinary_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    jsonio.write_atomic(tmp_path / "atomic", "")
    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("force", [False, True])
def test_a_failure_while_writing_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    file = tmp_path / "out.json"
    if force:
        file.write_text("old")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("link", "replace"):
        monkeypatch.setattr(os, name, full)
    with pytest.raises(ComputationError, match="No space left on device"):
        jsonio.write_atomic(file, "new", force=force)
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == ({"out.json": "old"} if force else {})


def test_all_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.symlink_to("nowhere")
    with pytest.raises(InputError, match=r"file exists: .*second"):
        jsonio.write_files({first: "1", second: "2"})
    assert os.listdir(tmp_path) == ["second"]
    second.unlink()

    def full(file: Path, data: bytes) -> None:
        if b"2" in data:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(ComputationError, match=r"second: No space left on device"):
            jsonio.write_files({first: "1", second: "2"})
    assert not os.listdir(tmp_path)

    link = os.link

    def appears(source: Path, target: Path) -> None:
        if target == second:
            second.write_text("of another program")
        link(source, target)

    monkeypatch.setattr(os, "link", appears)
    with pytest.raises(InputError, match=r"file exists: .*second"):
        jsonio.write_files({first: "1", second: "2"})
    assert os.listdir(tmp_path) == ["second"]
    assert second.read_text() == "of another program"


def test_a_check_of_targets_writes_nothing(tmp_path: Path) -> None:
    jsonio.check_target(tmp_path / "new")
    with pytest.raises(InputError, match=r"cannot write .*no/new"):
        jsonio.check_target(tmp_path / "no" / "new")
    with pytest.raises(InputError, match=r"cannot write .*too long"):
        jsonio.check_target(tmp_path / ("n" * 250))
    assert not os.listdir(tmp_path)


def test_writing_refuses_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        jsonio.write_atomic(tmp_path, "x", force=True)
    with pytest.raises(InputError, match="cannot write"):
        jsonio.write_atomic(tmp_path / "no" / "file", "x")
