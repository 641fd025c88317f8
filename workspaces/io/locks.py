"""Locks that go with the process that holds them, and files with a seal on their bytes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from typing import Final

__all__ = ["owned_file", "read_all", "seal", "try_lock", "unseal", "write_all"]

#: length of a sha256 in hexadecimal digits
_DIGITS: Final = 64
#: bytes that one call reads
_CHUNK: Final = 1 << 20


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file for this process, until it closes it or ends, however it ends.

    Returns
    -------
    bool or None
        False where another holds it; None on file systems that cannot tell.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def owned_file(descriptor: int) -> bool:
    """Whether an open file is an ordinary one of this user: nobody else can have made it."""
    found = os.fstat(descriptor)
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write bytes to an open file, all of them."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def read_all(descriptor: int, largest: int) -> bytearray | None:
    """Return the bytes of an open ordinary file; None for what is not one, or larger.

    The memory is that of the file's size, which is known before anything is read.
    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > largest:
        return None
    data = bytearray(found.st_size)
    view, place = memoryview(data), 0
    while place < len(data):
        piece = os.read(descriptor, min(_CHUNK, len(data) - place))
        if not piece:  # it became shorter meanwhile
            return None
        view[place : place + len(piece)] = piece
        place += len(piece)
    return data


def seal(kind: bytes, content: bytes) -> bytes:
    """Return what a file holds whose first line names its kind and the sha256 of the rest."""
    return b"%s %s\n%s" % (kind, hashlib.sha256(content).hexdigest().encode(), content)


def unseal(kind: bytes, data: bytes | bytearray) -> memoryview | None:
    """Return the content of a sealed file; None if any of its bytes is not what was written."""
    head = len(kind) + 1 + _DIGITS + 1
    content = memoryview(data)[head:]
    expected = b"%s %s\n" % (kind, hashlib.sha256(content).hexdigest().encode())
    return content if bytes(data[:head]) == expected else None
