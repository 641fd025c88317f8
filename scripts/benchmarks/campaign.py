"""A campaign of 2,000 points, 4 searches x 5 models x 100 settings, in all the ways it can run.

Throughput of one process, of two, and of Dask with two workers, side by side in one run; what a
point costs beside its computation; and with --faults what is left when processes are killed.

`direct` computes the same specifications in the same order in a loop, with everything kept between
them: the computation. `here` is the campaign in this process, one point after another: planned,
sent and read as JSON, computed, written and stored. Their difference in processor time is the
overhead; the wall clock of a busy machine would not tell it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from na64.limits.campaigns.description import Plan, parse_campaign
from na64.limits.campaigns.executors import DaskWorkers, Processes, Processors
from na64.limits.campaigns.running import Resources, begin
from na64.limits.campaigns.store import Store
from na64.limits.campaigns.table import collect
from na64.limits.campaigns.worker import RememberedTables
from na64.limits.results.tables import Table
from na64.limits.scanning.engine import LOST
from na64.limits.scanning.known import Known
from na64.limits.scanning.runner import run
from na64.models.errors import InputError
from na64.workspaces.io.cache import TableCache

TEXT = """
format = 1
name = "benchmark"
[base]
masses = "0.05"
method = "exact"
[[axes]]
search = ["na64e-2016-2018", "na64e-2016-2022", "na64e-positron-2022", "na64mu-2022"]
[[axes]]
model = ["dark-photon", "vector", "axial", "scalar", "pseudoscalar"]
[[axes]]
alpha_d = [0.1, 0.2, 0.3, 0.4, 0.5]
[[axes]]
ratio = [2.5, 3.0, 4.0, 5.0]
[[axes]]
confidence_level = [0.68, 0.8, 0.9, 0.95, 0.99]
"""
SMALL = TEXT.replace("[0.1, 0.2, 0.3, 0.4, 0.5]", "[0.1]").replace("[2.5, 3.0, 4.0, 5.0]", "[3.0]")


class Here(Executor):
    """This process, one task after another."""

    lost = LOST

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        """Do a task now."""
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        """Return itself."""
        yield self

    def count(self) -> int:
        """Return one."""
        return 1


def processor_seconds() -> float:
    """Return processor time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def direct(text: str) -> tuple[int, float, float]:
    """Compute every specification in a loop: points, seconds, processor seconds of it alone."""
    campaign = parse_campaign(text, "benchmark.toml", folder=Path())
    plan = Plan(campaign)
    made = [plan.point(number).asked() for number in range(campaign.size)]
    tables, known = RememberedTables(TableCache()), Known()
    start, used = time.perf_counter(), time.process_time()
    for specification in made:
        run(specification, tables=tables, known=known)
    return campaign.size, time.perf_counter() - start, time.process_time() - used


def digest_of(folder: Path) -> str:
    """Return the sha256 of the table of a campaign, as CSV and JSON."""
    with Store(folder) as store:
        found = collect(store)
    whole = hashlib.sha256()
    for suffix in (".csv", ".json"):
        whole.update(str(found.content(suffix)).encode())
    return whole.hexdigest()[:16]


def throughput(text: str, scratch: Path) -> None:
    """Print how fast each way is, and the overhead per point."""
    points, wall, used = direct(text)
    rows: list[tuple[Any, ...]] = [("direct", wall, points / wall, 1e3 * used / points, None, "")]
    ways: dict[str, Processors] = {
        "here": Here(),
        "1 process": Processes(1),
        "2 processes": Processes(2),
        "dask, 2 workers": DaskWorkers(2),
    }
    for name, where in ways.items():
        folder = scratch / name.replace(" ", "-")
        start, before = time.perf_counter(), processor_seconds()
        begin(text, "benchmark.toml", folder, Resources(where))
        wall, spent = time.perf_counter() - start, processor_seconds() - before
        rows.append(
            (name, wall, points / wall, 1e3 * spent / points, 1e3 * (spent - used) / points,
             digest_of(folder))
        )  # fmt: skip
        print(*rows[-1], file=sys.stderr, flush=True)
    columns = ("way", "wall [s]", "points/s", "CPU/point [ms]", "overhead/point [ms]", "table")
    print(f"{points} points; processor time includes the start of processes\n")
    print(Table(columns, rows).text())


# -- what is killed ------------------------------------------------------------------------------


def stored(folder: Path) -> int:
    """Return how many points are done."""
    try:
        with Store(folder) as store:
            return store.counts().tasks_done
    except InputError:
        return 0


def command(*words: str) -> subprocess.Popen[bytes]:
    """Begin a command of the project."""
    return subprocess.Popen([sys.executable, "-m", "na64.limits.cli", "campaign", *words, "-q"])


def until(folder: Path, wanted: int, process: subprocess.Popen[bytes]) -> int:
    """Wait until so many points are done, or the process is."""
    while (done := stored(folder)) < wanted and process.poll() is None:
        time.sleep(0.05)
    return done


def workers_of(process: int) -> list[int]:
    """Return the worker processes of a process."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    found = [int(word) for word in text.split()]
    return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def faults(text: str, scratch: Path) -> None:
    """Kill a worker, the main process and the scheduler of one campaign; print what is left."""
    file, folder = scratch / "benchmark.toml", scratch / "faults"
    file.write_text(text)
    begin(text, str(file), scratch / "whole", Resources(Here()))
    with Store(scratch / "whole") as store:
        total = store.counts().points
    rows: list[tuple[Any, ...]] = []
    process = command("run", str(file), "-o", str(folder), "--jobs", "2")
    done = until(folder, total // 5, process)
    os.kill(workers_of(process.pid)[0], signal.SIGKILL)
    rows.append(("worker, kill -9", done, "goes on"))
    done = until(folder, 2 * total // 5, process)
    process.kill()
    process.wait()
    rows.append(("main process, kill -9", stored(folder), f"exit code {process.returncode}"))
    address = "tcp://127.0.0.1:18790"
    python = [sys.executable, "-m"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*python, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "18790",
         "--no-dashboard"], **quiet
    )  # fmt: skip
    workers = subprocess.Popen(
        [*python, "distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads",
         "1", "--nworkers", "2", "--no-dashboard", "--death-timeout", "60"], **quiet
    )  # fmt: skip
    try:
        process = command("resume", str(folder), "--executor", "dask", "--scheduler", address)
        until(folder, 3 * total // 5, process)
        scheduler.kill()
        code = process.wait(timeout=300)
        rows.append(("scheduler of Dask, kill -9", stored(folder), f"exit code {code}"))
    finally:
        scheduler.kill()
        workers.terminate()
        scheduler.wait()
        workers.wait()
    code = command("resume", str(folder), "--jobs", "2").wait()
    rows.append(("nothing", stored(folder), f"exit code {code}"))
    print(Table(("killed", "points done then", "the command"), rows).text())
    same = digest_of(folder) == digest_of(scratch / "whole")
    print(f"\ntable of {total} points: {'the same bytes' if same else 'DIFFERENT BYTES'}")


def main(argv: list[str]) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog=sys.argv[0], description=__doc__)
    parser.add_argument("--small", action="store_true", help="100 points instead of 2,000")
    parser.add_argument("--faults", action="store_true", help="kill processes instead")
    options = parser.parse_args(argv)
    text = SMALL if options.small else TEXT
    with tempfile.TemporaryDirectory() as folder:
        (faults if options.faults else throughput)(text, Path(folder))
    return 0
