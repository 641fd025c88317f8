"""TOML texts, with an error of the project for everything that is none."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, cast

import tomli_w

from na64.models.errors import InputError
from na64.workspaces.io.jsonio import plain
from na64.workspaces.io.reading import parsed

__all__ = ["parse_toml", "toml_text"]


def toml_text(data: Mapping[str, object]) -> str:
    """Return a table as TOML, numbers with the digits of `na64.workspaces.io.jsonio`."""
    return tomli_w.dumps(cast(dict[str, Any], plain(data)))


def parse_toml(text: str, where: str) -> dict[str, object]:
    """Return the table of a TOML text.

    Parameters
    ----------
    text
        The text.
    where
        What it is and the name of its file, for messages.

    Raises
    ------
    InputError
        For a text that is empty or not TOML, tables nested too deeply to be read, and whole
        numbers of more digits than Python converts.
    """

    def read(content: str) -> dict[str, object]:
        try:
            return tomllib.loads(content)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{where}: not TOML: {error}") from error

    return parsed(text, where, read)
