"""Freed memory that a process keeps."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from na64.workspaces.io.allocation import keep_freed_memory

#: pages of new memory that 50 times six arrays of 1.2 MB take
FAULTS = """
import resource, sys
import numpy as np
from na64.workspaces.io.allocation import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else None
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def together():
    return [np.ones(150_000 - i) for i in range(6)]
together()  # the library learns from the first arrays, and keeps two of them
before = pages()
for _ in range(50):
    together()
print(kept, pages() - before)
"""


def _pages(what: str, **environment: str) -> tuple[str, int]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC", "GLIBC"))}
    found = subprocess.run(
        [sys.executable, "-c", FAULTS, what],
        env=clean | environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    kept, pages = found.stdout.split()
    return kept, int(pages)


#: of this system; empty with other C libraries
GNU = getattr(os, "confstr_names", {}).get("CS_GNU_LIBC_VERSION")


@pytest.mark.skipif(GNU is None, reason="another C library")
def test_arrays_that_come_and_go_take_their_pages_once() -> None:
    _, before = _pages("no")
    kept, after = _pages("keep")
    assert kept == "True"
    assert before > 30_000  # of 90,000 pages of 4 kB
    assert after < before / 20


def test_settings_of_the_environment_stay() -> None:
    assert _pages("keep", MALLOC_TOP_PAD_="1000000")[0] == "False"


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MALLOC", "GLIBC"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert keep_freed_memory() is False
