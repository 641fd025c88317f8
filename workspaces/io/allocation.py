"""Memory of arrays that come and go, kept for the next ones.

The C library of GNU gives memory of more than 128 kB back to the system when an array is deleted,
and asks for it again for the next one, which the system hands over page by page, filled with
zeros. Where arrays of a megabyte are made and deleted thousands of times, as in fits of many
datasets, a third of the time goes there.
"""

from __future__ import annotations

import os
from typing import Final

__all__ = ["keep_freed_memory"]

#: names of the parameters in malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: bytes at the end of the heap that are kept, and arrays below which size come from the heap: the
#: largest that the library takes
_KEPT: Final = 1 << 28
_FROM_HEAP: Final = 1 << 25


def keep_freed_memory() -> bool:
    """Let this process keep up to 256 MB of freed memory, for arrays up to 32 MB.

    Returns
    -------
    bool
        Whether it does. Not where the environment has settings of its own (``MALLOC_...``,
        ``GLIBC_TUNABLES``), and not with other C libraries.
    """
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return False
    import ctypes

    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no such function; no such library; Windows
        return False
    return bool(set_option(_TRIM_THRESHOLD, _KEPT) and set_option(_MMAP_THRESHOLD, _FROM_HEAP))
