"""Texts and JSON of files: what is read, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from na64.models.errors import InputError

__all__ = ["check_depth", "parse_json", "parsed", "read_json", "read_text"]

T = TypeVar("T")

#: levels of lists and tables in a file that is read; no file of this project or of pyhf has ten
DEEPEST: Final = 50


def parse_json(text: str, where: str) -> object:
    """Return the value of a JSON text.

    Parameters
    ----------
    text
        The text.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For a text that is empty or not JSON, for NaN or infinity in it, lists nested too deeply
        to be read, and whole numbers of more digits than Python converts.
    """

    def refuse(constant: str) -> float:
        raise InputError(f"{where}: {constant} is not a JSON number")

    def read(content: str) -> object:
        try:
            return json.loads(content, parse_constant=refuse)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise InputError(f"{where}: not JSON ({place})") from error

    return parsed(text, where, read)


def parsed(text: str, where: str, read: Callable[[str], T]) -> T:
    """Return what a text of JSON or TOML holds, read by a function that refuses other texts.

    Raises
    ------
    InputError
        For an empty text, one nested too deeply to be read, and whole numbers of more digits than
        Python converts.
    """
    if not text.strip():
        raise InputError(f"{where}: is empty")
    try:
        value = read(text)
    except InputError:
        raise
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error
    except ValueError as error:  # of int(), since Python 3.11
        raise InputError(f"{where}: has a whole number with too many digits") from error
    check_depth(value, where)
    return value


def check_depth(value: object, where: str) -> None:
    """Refuse what is nested more deeply than `DEEPEST`: reading on would exhaust the stack."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            part
            for item in level
            for part in (item.values() if isinstance(item, dict) else item)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return
    raise InputError(f"{where}: nested too deeply")


def read_json(path: str | os.PathLike[str]) -> object:
    """Return the value of a JSON file.

    Raises
    ------
    InputError
        For a file that is missing, unreadable, not UTF-8, or not JSON.
    """
    return parse_json(read_text(path), str(path))


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a UTF-8 file, or raise `InputError` saying why there is none.

    A byte order mark, with which some editors begin a file, is no part of the text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}") from error
    except IsADirectoryError as error:
        raise InputError(f"is a folder, not a file: {path}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text in UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
