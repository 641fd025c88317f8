"""TOML texts, with an error of the project for everything that is none."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, cast

import tomli_w

from na64.models.errors import InputError
from na64.workspaces.io.jsonio import check_depth, plain

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
    if not text.strip():
        raise InputError(f"{where}: is empty")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not TOML: {error}") from error
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error
    except ValueError as error:  # of int(), since Python 3.11
        raise InputError(f"{where}: has a whole number with too many digits") from error
    check_depth(value, where)
    return value
