"""Files that are read: what is refused, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from na64.models.errors import InputError
from na64.workspaces.io import reading


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
