"""Times that the project promises for what people wait for, on one core.

``--help`` and the default scan run in a process of their own without kept tables; the scan of four
kinds of mediators and the table of emission run here. Processor time, best of several runs: other
processes only ever add to it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from na64.limits import scan
from na64.models.materials import material
from na64.models.production.emission import emission_cross_section

__all__ = ["main"]

RELIC = ("--dark-matter", "scalar", "--masses", "0.001:1:200", "--json")
KINDS = ("vector", "axial", "scalar", "pseudoscalar")


def here(call: Callable[[], object]) -> float:
    """Return the processor time of a call in seconds."""
    start = time.process_time()
    call()
    return time.process_time() - start


def command(*words: str) -> float:
    """Return the processor time of a command line in a new process, without kept tables."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "na64.limits.cli", *words],
            cwd=folder,
            env={**os.environ, "NA64_LIMITS_CACHE": folder},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def four_kinds() -> None:
    """Scan 60 masses down to a keV for each kind."""
    for kind in KINDS:
        scan("na64e-2016-2022", model=kind, masses_gev=np.geomspace(1e-6, 1.0, 60))


def emission_table() -> None:
    """Compute the emission by 20 energies at 60 masses."""
    emission_cross_section(
        np.linspace(50.5, 100.0, 20),
        np.geomspace(1e-3, 1.0, 60),
        material("ecal"),
        min_energy_gev=50.0,
    )


#: what, how long it may take in seconds, how often it is tried
PROMISES: tuple[tuple[str, Callable[[], float], float, int], ...] = (
    ("--help", lambda: command("--help"), 0.15, 8),
    ("relic densities of 200 masses", lambda: command("relic", *RELIC), 2.0, 3),
    ("the default scan, cold", lambda: command("scan"), 2.0, 3),
    ("four kinds, 60 masses from 1 keV", lambda: here(four_kinds), 30.0, 1),
    ("emission, 20 energies and 60 masses", lambda: here(emission_table), 5.0, 3),
)


def main(argv: list[str] | None = None) -> int:
    """Print a table; exit code 1 if something takes longer than promised."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    failed = False
    for what, call, most, tries in PROMISES:
        took = min(call() for _ in range(tries))
        failed |= took > most
        print(f"{what:36} {took:7.2f} s   required <= {most:g} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
