"""Running campaigns: the same bytes however, and nothing lost by whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from na64.limits.campaigns import running
from na64.limits.campaigns.executors import DaskWorkers
from na64.limits.campaigns.kinds import KINDS
from na64.limits.campaigns.running import Resources, begin, go_on
from na64.limits.campaigns.scans import SCAN
from na64.limits.campaigns.store import FILE, Counts, Store
from na64.limits.campaigns.table import SUFFIXES, collect
from na64.limits.campaigns.tasks import Kept, Payload
from na64.limits.campaigns.worker import Work, here
from na64.limits.results.tables import Table
from na64.limits.scanning.engine import LOST
from na64.limits.scanning.progress import silent
from na64.limits.scanning.request import specify
from na64.limits.scanning.runner import run
from na64.models.errors import InputError

#: 24 points of some 20 ms, after the first ones
TEXT = """
format = 1
name = "small"
[base]
masses = "0.05"
method = "asymptotic"
[[axes]]
search = ["na64e-2016-2018", "na64mu-2022"]
[[axes]]
ratio = [2.5, 3.0, 4.0]
[[axes]]
confidence_level = [0.68, 0.8, 0.9, 0.95]
"""


class Here(Executor):
    """This process, as one processor; stops after some chunks."""

    lost = LOST

    def __init__(self, stop: int = 1000, backwards: bool = False) -> None:
        self.left = stop
        self.tasks = 0
        self.backwards = backwards

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        self.tasks += len(args[0])
        return future

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        yield self

    def count(self) -> int:
        return 1


def tables(folder: Path) -> list[str | bytes]:
    with Store(folder) as store:
        found = collect(store)
    return [found.content(suffix) for suffix in SUFFIXES]


def started(folder: Path, **options: Any) -> Counts:
    resources = Resources(options.pop("where", Here()), progress=options.pop("progress", silent))
    return begin(TEXT, "small.toml", folder, resources, **options)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[str | bytes]:
    folder = tmp_path_factory.mktemp("reference") / "campaign"
    counts = started(folder)
    assert (counts.points, counts.done, counts.to_do, counts.failed) == (24, 24, 0, 0)
    return tables(folder)


def test_a_point_is_what_a_scan_gives(reference: list[str | bytes]) -> None:
    made = specify(
        "na64mu-2022", masses_gev=[0.05], method="asymptotic", ratio=4.0, confidence_level=0.95
    )
    found = run(made)
    last = str(reference[1]).splitlines()[-1].split(",")
    columns = str(reference[1]).splitlines()[0].split(",")
    row = dict(zip(columns, last, strict=True))
    assert float(row["observed"]) == found.observed[0]
    assert float(row["expected_p2"]) == found.expected[4, 0]
    assert (row["point"], row["search"], row["ratio"]) == ("23", "na64mu-2022", "4")


def test_stopped_and_resumed_it_computes_every_point_once(
    reference: list[str | bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "campaign"
    first, second = Here(stop=5), Here()
    with pytest.raises(KeyboardInterrupt):
        started(folder, where=first)
    with Store(folder) as store:
        done = store.counts().tasks_done
    assert 0 < done < 24
    assert tables(folder) != reference
    # only what was computed and not yet handed back is computed twice: at most two chunks
    counts = go_on(folder, Resources(second))
    assert counts.done == 24
    assert second.tasks == 24 - done
    assert tables(folder) == reference
    third = Here()
    started(folder, where=third)  # the same file again: there is nothing to do
    assert third.tasks == 0


def test_another_file_is_refused_or_keeps_what_both_have(
    reference: list[str | bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "campaign"
    started(folder)
    wider = TEXT.replace("[2.5, 3.0, 4.0]", "[2.5, 3.0, 4.0, 5.0]")
    with pytest.raises(InputError, match="holds another campaign"):
        begin(wider, "small.toml", folder, Resources(Here()))
    more = Here()
    assert begin(wider, "small.toml", folder, Resources(more), replan=True).done == 32
    assert more.tasks == 8


def test_points_that_cannot_be_computed(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    text = TEXT.replace("[2.5, 3.0, 4.0]", "[3.0]").replace(
        "[0.68, 0.8, 0.9, 0.95]", '[0.9]\n[[axes]]\nmodel = ["dark-photon", "alp"]'
    )
    with pytest.raises(InputError) as error:
        begin(text, "small.toml", folder, Resources(Here()))
    assert "point 1 (search na64e-2016-2018, " in str(error.value)
    assert "point 3 (search na64mu-2022, " in str(error.value)
    assert "has 2 problems" in str(error.value)
    assert not folder.exists()  # nothing is left
    text = text.replace("format = 1", 'format = 1\nrefused = "leave-out"')
    with pytest.raises(InputError, match=r"no point can be computed; point 0 .*bins.2099"):
        begin(
            f'{text}[[axes]]\n"bins.2099.exposure" = [1e12]\n',
            "small.toml",
            folder,
            Resources(Here()),
        )
    assert not folder.exists()
    counts = begin(text, "small.toml", folder, Resources(Here()))
    assert (counts.done, counts.left_out) == (2, 2)
    rows = str(tables(folder)[1]).splitlines()
    assert rows[2].startswith("1,left-out,")


class Stopping:
    """A progress that stops the run when so many points are planned."""

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def __call__(self, stage: str) -> None: ...

    def advance(self, done: int, total: int, failed: int = 0, before: int = 0) -> None:
        if done == self.stop:
            raise KeyboardInterrupt


def test_points_refused_before_a_run_was_stopped_are_refused_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points 1 and 3 of 4: planning that is stopped and taken up again does not leave them out."""
    monkeypatch.setattr(running, "_BLOCK", 1)
    folder = tmp_path / "campaign"
    text = TEXT.replace("[2.5, 3.0, 4.0]", "[3.0]").replace(
        "[0.68, 0.8, 0.9, 0.95]", '[0.9]\n[[axes]]\nmodel = ["dark-photon", "alp"]'
    )
    with pytest.raises(KeyboardInterrupt):
        begin(text, "small.toml", folder, Resources(Here(), progress=Stopping(3)))
    for _ in range(2):
        with pytest.raises(InputError, match=r"point 3 \(search na64mu-2022, "):
            go_on(folder, Resources(Here()))


def test_a_plan_that_is_refused_costs_no_document(tmp_path: Path) -> None:
    folder, second = tmp_path / "campaign", Here()
    text = TEXT.replace('"na64e-2016-2018", ', "").replace("2.5, 3.0, ", "")
    begin(text, "small.toml", folder, Resources(Here()))
    other = f'{text}[[axes]]\nmodel = ["alp"]\n'
    with pytest.raises(InputError, match="has 4 problems"):
        begin(other, "small.toml", folder, Resources(Here()), replan=True)
    assert begin(text, "small.toml", folder, Resources(second), replan=True).done == 4
    assert second.tasks == 0


def test_where_there_is_no_campaign_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no campaign"):
        go_on(tmp_path, Resources(Here()))
    assert not list(tmp_path.iterdir())


def test_what_was_wrong_with_a_shard_that_is_not_needed_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of 300 shards are enough; the sixth, which is under way by then, fails."""

    def computed(payload: Payload, _kept: Kept) -> Payload:
        if payload["shard"] == 5:
            raise InputError("the sixth")
        return {"shards": 1}

    kind = replace(
        SCAN,
        payloads=lambda point, _keys: [{"shard": number} for number in range(300)],
        compute=computed,
        add=lambda total, document: {"shards": total["shards"] + document["shards"]},
        enough=lambda document: document["shards"] >= 3,
        cost=lambda payload: 1.0,
        table=lambda document: Table(("shards",), [(document["shards"],)]),
    )
    monkeypatch.setitem(KINDS, "scan", kind)

    class Four(Here):
        def count(self) -> int:
            return 4

    told: list[tuple[int, int]] = []

    class Told(Stopping):
        def advance(self, done: int, total: int, failed: int = 0, before: int = 0) -> None:
            told.append((done, total))

    text = 'format = 1\nname = "t"\n[base]\nsearch = "na64mu-2022"\nmasses = "0.05"\n'
    folder = tmp_path / "campaign"
    counts = begin(text, "t.toml", folder, Resources(Four(), progress=Told(0)))
    assert (counts.done, counts.failed, counts.tasks_to_do) == (1, 0, 0)
    assert 3 <= counts.tasks_done < 16
    assert told[-1] == (300, 300)
    assert str(tables(folder)[1]).splitlines()[1] == "0,done,,3"


def test_failures_are_kept_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: list[str | bytes]
) -> None:
    folder = tmp_path / "campaign"
    answer = Work.__call__

    def broken(self: Work, tasks: Any) -> Any:
        if any(task.point == 3 for task in tasks):
            return answer(Work(self.kind, ("0.0", 1, 1), self.cached), tasks)
        return answer(self, tasks)

    monkeypatch.setattr(Work, "__call__", broken)
    counts = started(folder)
    assert counts.failed >= 1
    assert counts.done + counts.failed == 24
    with Store(folder) as store:
        failures = store.failures(1)
    assert f"a process has na64-limits {here()[0]}" in failures[0][2]
    assert ",failed," in str(tables(folder)[1])
    monkeypatch.setattr(Work, "__call__", answer)
    assert go_on(folder, Resources(Here())).failed == counts.failed  # resume leaves them
    assert go_on(folder, Resources(Here()), failed=True).done == 24
    assert tables(folder) == reference


def documents(folder: Path) -> int:
    try:
        with Store(folder) as store:
            return store.counts().tasks_done
    except InputError:  # it is not there yet
        return 0


def wait_for(condition: Callable[[], bool], seconds: float = 200.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(word) for word in text.split()]


def is_worker(process: int) -> bool:
    words = Path(f"/proc/{process}/cmdline").read_bytes()
    return b"spawn_main" in words


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
def test_killed_worker_and_killed_main_process_lose_no_point(
    reference: list[str | bytes], tmp_path: Path
) -> None:
    file, folder = tmp_path / "small.toml", tmp_path / "campaign"
    file.write_text(TEXT)
    command = [sys.executable, "-m", "na64.limits.cli", "campaign", "run", str(file)]
    process = subprocess.Popen([*command, "-o", str(folder), "--jobs", "2", "-q"])
    wait_for(lambda: documents(folder) >= 1)
    workers = [child for child in children(process.pid) if is_worker(child)]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    before = documents(folder)
    wait_for(lambda: documents(folder) > before)
    workers += [child for child in children(process.pid) if is_worker(child)]
    process.kill()
    process.wait()
    done = documents(folder)
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    rest = Here()
    assert go_on(folder, Resources(rest)).done == 24
    assert rest.tasks == 24 - done
    assert tables(folder) == reference
    assert sorted(path.name for path in folder.iterdir()) == ["campaign.lock", FILE]


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_of_dask_of_which_one_worker_is_killed(
    reference: list[str | bytes], tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    killed: list[int] = []

    class Told:
        """Kills a worker when the first point is done."""

        def __call__(self, stage: str) -> None:
            pass

        def advance(self, done: int, total: int, failed: int = 0, before: int = 0) -> None:
            if where._client is not None and not killed:  # not yet while points are planned
                info = where._client.scheduler_info()["workers"]
                nannies = {item["nanny"] for item in info.values()}
                assert len(nannies) == 2
                pids = where._client.run(os.getpid)
                assert all(address.startswith("tcp://127.0.0.1:") for address in pids)
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)

    where = DaskWorkers(2)
    counts = started(tmp_path / "campaign", where=where, progress=Told())
    assert killed
    assert (counts.done, counts.failed) == (24, 0)
    assert tables(tmp_path / "campaign") == reference
