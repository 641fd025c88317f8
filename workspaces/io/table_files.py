"""Tables of numbers in a file whose every byte is checked before anything is made of it.

The first line is a seal: kind and version of the file, and the sha256 of all that follows. Then a
line of JSON says which key the tables belong to, and their names, shapes and order in memory; the
rest are their numbers, little-endian doubles. Nothing is compressed: a table costs the memory of
its file, whose size is known before it is read.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.workspaces.io.locks import read_all, seal, unseal

__all__ = ["LARGEST", "Tables", "decoded", "encoded", "read_file"]

Tables = dict[str, NDArray[np.float64]]

#: bytes of a file that is read; the largest table of the shipped searches has 1.4 MB
LARGEST: Final = 256 << 20
#: first word of a file; another version is another word
_KIND: Final = b"na64-limits/table/1"
#: bytes of the line that describes the tables
_LONGEST_HEAD: Final = 1 << 20
_DOUBLE: Final = np.dtype("<f8")


def encoded(key: str, tables: Mapping[str, NDArray[np.float64]]) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    key
        Digest of what the tables depend on.
    tables
        Name to array of doubles, any shape, contiguous in either order.
    """
    described = [[name, list(table.shape), _order(table)] for name, table in tables.items()]
    head = json.dumps({"key": key, "tables": described}).encode("ascii")
    numbers = [table.astype(_DOUBLE).tobytes(_order(table)) for table in tables.values()]
    return seal(_KIND, b"\n".join([head, b"".join(numbers)]))


def _order(table: NDArray[np.float64]) -> Any:
    """Return the order of a table in memory: that of what is read is that of what was written."""
    return "F" if table.flags.f_contiguous and not table.flags.c_contiguous else "C"


def decoded(key: str, data: bytes | bytearray) -> Tables | None:
    """Return the tables that a file of a key holds; None if it is sound and of another key.

    Raises
    ------
    ValueError
        For bytes that are not, all of them, those that were written.
    """
    content = unseal(_KIND, data)
    if content is None:
        raise ValueError("not a file of tables, or not whole")
    head, _, _ = bytes(content[:_LONGEST_HEAD]).partition(b"\n")
    described = json.loads(head)
    if described["key"] != key:
        return None
    tables: Tables = {}
    place = len(head) + 1
    for name, shape, order in described["tables"]:
        size = math.prod(shape) * _DOUBLE.itemsize
        numbers = np.frombuffer(content[place : place + size], _DOUBLE)
        tables[name] = np.array(numbers, np.float64).reshape(shape, order=order)
        place += size
    if place != len(content):
        raise ValueError("has more numbers than tables")
    return tables


def read_file(path: Path) -> bytearray | None:
    """Return the bytes of a file; None for what is no ordinary file, or larger than `LARGEST`.

    Raises
    ------
    OSError
        If there is no file, or it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        return read_all(descriptor, LARGEST)
    finally:
        os.close(descriptor)
