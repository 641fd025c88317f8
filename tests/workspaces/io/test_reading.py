"""Files that are read: what is refused, in one line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
from pathlib import Path

import pytest

from na64.models.errors import InputError
from na64.workspaces.io import reading
from scripts.faults import sets


def test_reading_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        reading.read_json(tmp_path / "none.json")
    with pytest.raises(InputError, match="is a folder"):
        reading.read_json(tmp_path)
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": 1,}')
    with pytest.raises(InputError, match=r"bad\.json: not JSON \(line 1, column"):
        reading.read_json(bad)
    bad.write_text('{"a": NaN}')
    with pytest.raises(InputError, match="NaN is not a JSON number"):
        reading.read_json(bad)
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not a text in UTF-8"):
        reading.read_json(bad)
    with pytest.raises(InputError, match="nested too deeply"):
        reading.parse_json("[" * 100_000, "deep")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "b": {"c": 2, "d": 3, "c": 4}}', "x: the key 'c' is there twice in an object"),
        ('{"a": [1, 1e101]}', "x: $.a[1]: a number must be within -1e+100 and 1e+100, is 1e+101"),
        ('{"a": [1, -1e999]}', "x: $.a[1]: a number must be within -1e+100 and 1e+100, is -inf"),
        (f'[0, {{"a": {10**200}}}]', "x: $[1].a: a number must be within"),
        (f'{{"a": -{10**308}}}', "x: $.a: a whole number has at most 308 digits"),
        (f'{{\n"a":\n{"1" * 5000}}}', "x: line 3: has a whole number with too many"),
        ('{"a": ["\\ud800"]}', "x: $.a[0]: a text has half a character"),
        ('{"a": {"\\udfff": 1}}', "x: $.a: a key: a text has half a character"),
        ('"\\ud800"', "x: $: a text has half a character"),
    ],
)
def test_contents_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        reading.parse_json(text, "x")
    assert str(caught.value).startswith(message)


def test_what_is_at_the_edge_is_read() -> None:
    edge = {"a": [1e100, -1e100, 10**99, 1e-320, 0], "b": "\U0001d53c and é", "c": [True, None]}
    assert reading.parse_json(json.dumps(edge), "x") == edge
    nested = "[" * reading.DEEPEST + "]" * reading.DEEPEST
    assert reading.parse_json(nested, "x")
    with pytest.raises(InputError, match="nested too deeply"):
        reading.parse_json(f"[{nested}]", "x")


def test_sizes_are_told(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x" * 11)
    assert reading.read_text(file, 11) == "x" * 11
    with pytest.raises(InputError, match=r"a\.txt: has 11 bytes; at most 10 bytes are read"):
        reading.read_text(file, 10)
    assert reading.read_stream(io.StringIO("x" * 11), "stdin", 11) == "x" * 11
    with pytest.raises(InputError, match="stdin: has more; at most 10 bytes are read"):
        reading.read_stream(io.StringIO("x" * 11), "stdin", 10)


def test_pipes_sockets_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        with contextlib.chdir(tmp_path):  # the name of a socket is short
            server.bind("socket")
        for name, words in (
            (tmp_path / "pipe", "is a named pipe"),
            (tmp_path / "link", "is a named pipe"),
            (tmp_path / "socket", "is a socket"),
            ("/dev/null", "is a device"),
            ("/dev/zero", "is a device"),
        ):
            with pytest.raises(InputError, match=f"{words}, not a file"):
                reading.read_text(name)
    with pytest.raises(InputError, match="embedded null"):
        reading.read_text("a\x00b")


def test_a_set_that_was_not_finished_is_completed_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "sets"
    sets.leave_mixed(folder)
    assert reading.read_text(folder / "scan.json") == sets.NEW["scan.json"]
    assert sets.state_of(folder, force=True) == "new"
    assert "a run was stopped while it wrote" in caplog.text
