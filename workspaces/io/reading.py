"""Texts and JSON of files: what is read, how much of it, and what is refused.

Every file of a user is read here. What is no regular file is refused, as opening it may wait for
ever; a file has a largest size; a text is UTF-8; and numbers have a range in which sums, squares
and quotients of them stay finite.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, TextIO, TypeVar

from na64.models.declaration import LARGEST_NUMBER
from na64.models.errors import InputError
from na64.workspaces.io.journal import settle

__all__ = [
    "LARGEST_JSON",
    "LARGEST_TEXT",
    "check_content",
    "parse_json",
    "parsed",
    "read_beginning",
    "read_json",
    "read_stream",
    "read_text",
]

T = TypeVar("T")

#: levels of lists and tables in a file that is read; no file of this project or of pyhf has ten
DEEPEST: Final = 50
#: bytes of a JSON file: far more than a workspace or a patchset that is read in a minute
LARGEST_JSON: Final = 512 * 2**20
#: bytes of any other text
LARGEST_TEXT: Final = 16 * 2**20
#: digits of a whole number that is a floating-point number as well
_MOST_DIGITS: Final = 308

#: what may be a pipe: the shell opens it, as in ``plot <(command)``, and it ends with the command
_DESCRIPTORS: Final = re.compile(r"/dev/stdin|/dev/fd/\d+|/proc/(self|\d+)/fd/\d+")
_KINDS: Final = (
    (stat.S_ISDIR, "is a folder, not a file"),
    (stat.S_ISFIFO, "is a named pipe, not a file ('-' reads stdin)"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)
#: halves of pairs that stand for one character in UTF-16, alone
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


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
        For a text that is empty or not JSON, a key that is there twice in one object, NaN or
        infinity, and for what `check_content` refuses.
    """

    def refuse(constant: str) -> float:
        raise InputError(f"{where}: {constant} is not a JSON number")

    def single(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _twice([key for key, _ in pairs], where)
        return found

    def read(content: str) -> object:
        try:
            return json.loads(content, parse_constant=refuse, object_pairs_hook=single)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise InputError(f"{where}: not JSON ({place})") from error

    return parsed(text, where, read, largest=LARGEST_NUMBER)


def _twice(keys: list[str], where: str) -> InputError:
    key = next(key for index, key in enumerate(keys) if key in keys[:index])
    beside = ", ".join(repr(other) for other in list(dict.fromkeys(keys))[:4] if other != key)
    object_ = f"an object with {beside}" if beside else "an object"
    return InputError(f"{where}: the key {_short(key)!r} is there twice in {object_}")


def parsed(text: str, where: str, read: Callable[[str], T], *, largest: float = math.inf) -> T:
    """Return what a text of JSON, TOML or YAML holds, read by a function that refuses other texts.

    Parameters
    ----------
    text, where
        The text, and the name of its file, for messages.
    read
        Returns the value, or raises `InputError` or `ValueError`.
    largest
        As in `check_content`.

    Raises
    ------
    InputError
        For an empty text, a whole number of more digits than Python converts, a value that the
        form allows and Python does not have, and what `check_content` refuses.
    """
    if not text.strip():
        raise InputError(f"{where}: is empty")
    try:
        value = read(text)
    except InputError:
        raise
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{where}: {_unreadable(text, error)}") from error
    check_content(value, where, largest=largest)
    return value


def _unreadable(text: str, error: ValueError) -> str:
    """Say what Python could not convert: a whole number of thousands of digits, or a date."""
    long = re.search(rf"\d{{{_MOST_DIGITS + 1}}}", text)
    if long is None:
        return f"has a value that cannot be read: {error}"
    line = text.count("\n", 0, long.start()) + 1
    return f"line {line}: has a whole number with too many digits, at most {_MOST_DIGITS} are read"


def check_content(value: object, where: str, *, largest: float = math.inf) -> None:
    """Refuse values of a file that nothing could be done with.

    Parameters
    ----------
    value, where
        What the file holds, and its name for messages.
    largest
        Size above which numbers are refused, NaN with them; infinity where the declarations of
        the keys say what is allowed.

    Raises
    ------
    InputError
        For what is nested more deeply than `DEEPEST`, as reading on would exhaust the stack;
        whole numbers of more than 308 digits, which are no floating-point numbers; and texts with
        half a character, which no file could hold. The message has the place.
    """
    sound = True
    level: list[object] = [value]
    for _ in range(DEEPEST):
        inside: list[object] = []
        for node in level:
            if isinstance(node, dict):
                sound = sound and not any(_has_half(key) for key in node)
                inside += node.values()
            elif isinstance(node, list):
                inside += node
        level = []
        for part in inside:  # files have millions of these: no call for a sound one
            kind = type(part)
            if kind is float:
                sound = sound and (-largest <= part <= largest or largest == math.inf)  # type: ignore[operator]
            elif kind is dict or kind is list:
                level.append(part)
            elif kind is not bool and part is not None:
                sound = sound and not _problem(part, largest)
        if not level:
            break
    else:
        raise InputError(f"{where}: nested too deeply")
    if not sound or _problem(value, largest):
        raise InputError(f"{where}: {_placed(value, largest, '$')}")


def _has_half(text: object) -> bool:
    return isinstance(text, str) and not text.isascii() and bool(_SURROGATE.search(text))


def _problem(value: object, largest: float) -> str:
    """Return what is wrong with a number or a text; empty if nothing."""
    if _has_half(value):
        return "a text has half a character (a lone surrogate), which no file in UTF-8 can hold"
    if isinstance(value, int) and not -(10**_MOST_DIGITS) < value < 10**_MOST_DIGITS:
        return f"a whole number has at most {_MOST_DIGITS} digits"
    if isinstance(value, (int, float)) and largest < math.inf and not abs(value) <= largest:
        return f"a number must be within -{largest:g} and {largest:g}, is {value:.6g}"
    return ""


def _placed(node: object, largest: float, path: str) -> str:
    """Return the first problem of a value with its place; empty if there is none."""
    if isinstance(node, dict):
        for key, part in node.items():
            if wrong := _problem(key, largest):
                return f"{path}: a key: {wrong}"
            if wrong := _placed(part, largest, f"{path}.{_short(key)}"):
                return wrong
    elif isinstance(node, list):
        for index, part in enumerate(node):
            if wrong := _placed(part, largest, f"{path}[{index}]"):
                return wrong
    elif wrong := _problem(node, largest):
        return f"{path}: {wrong}"
    return ""


def _short(key: object) -> str:
    text = str(key)
    return text if len(text) <= 300 else f"{text[:297]}..."


def read_json(path: str | os.PathLike[str]) -> object:
    """Return the value of a JSON file.

    Raises
    ------
    InputError
        As `read_text` and `parse_json`; a file has `LARGEST_JSON` bytes or fewer.
    """
    return parse_json(read_text(path, LARGEST_JSON), str(path))


def read_text(path: str | os.PathLike[str], most_bytes: int = LARGEST_TEXT) -> str:
    """Return the text of a UTF-8 file.

    A byte order mark, with which some editors begin a file, is no part of the text. A set of files
    that a run was stopped while writing is completed first (`na64.workspaces.io.journal`).

    Parameters
    ----------
    path
        The file: a regular one, or a descriptor that the shell has opened, such as ``/dev/fd/63``
        of ``<(command)`` and ``/dev/stdin``, which is read to its end.
    most_bytes
        Its largest size.

    Raises
    ------
    InputError
        For a file that is missing or unreadable, that is a folder, a named pipe, a socket or a
        device, that is larger, and that is not UTF-8.
    """
    settle(path)
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most_bytes:
            raise _too_large(str(path), most_bytes, f"has {_in_words(size)}")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise _too_large(str(path), most_bytes, "has more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text in UTF-8") from error


def read_beginning(path: str | os.PathLike[str], count: int) -> bytes:
    """Return the first bytes of a file, to know its kind, or refuse it as `read_text` does."""
    with _opened(path) as file:
        return file.read(count)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open what is a file, and say of anything else what it is."""
    try:
        handle = _descriptor(path)
        with os.fdopen(handle, "rb") as file:
            if hasattr(os, "set_blocking"):
                os.set_blocking(handle, True)
            yield file
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"no such file: {_short(path)}") from error
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise InputError(f"is a socket, not a file: {path}") from error
        raise InputError(f"cannot read {_short(path)}: {error.strerror}") from error
    except ValueError as error:  # a NUL byte in a name
        raise InputError(f"cannot read {_short(path)!r}: {error}") from error


def _descriptor(path: str | os.PathLike[str]) -> int:
    mode = os.stat(path).st_mode
    if not _DESCRIPTORS.fullmatch(os.path.abspath(path)):
        for is_kind, words in _KINDS:
            if is_kind(mode):
                raise InputError(f"{words}: {path}")
    # not to wait for a writer where a pipe took the place of the file meanwhile
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return os.open(path, flags)


def read_stream(stream: TextIO, where: str, most_characters: int = LARGEST_JSON) -> str:
    """Return all of a stream of text, such as stdin.

    Raises
    ------
    InputError
        For one that has more, and for bytes that are not UTF-8.
    """
    try:
        text = stream.read(most_characters + 1)
    except UnicodeDecodeError:
        raise InputError(f"{where}: not a text in UTF-8") from None
    if len(text) > most_characters:
        raise _too_large(where, most_characters, "has more")
    return text.removeprefix("\N{BYTE ORDER MARK}")


def _too_large(where: str, most: int, found: str) -> InputError:
    return InputError(f"{where}: {found}; at most {_in_words(most)} are read")


def _in_words(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size} bytes"
