"""Processes: one that is killed costs its task, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from na64.models.errors import ComputationError
from na64.workspaces.io.processes import WorkerLostError, Workers


def alive(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for a condition, as long as a busy machine may take."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def own_id(_task: int) -> int:
    return os.getpid()


def kill_own(task: int) -> int:
    if task == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def refuse(task: int) -> int:
    raise ValueError(f"no {task}")


def test_tasks_their_errors_and_a_process_that_dies() -> None:
    with Workers(1) as workers:
        futures = [workers.submit(kill_own, task) for task in range(3)]
        assert [futures[0].result(), futures[2].result()] == [0, 2]  # by another process
        with pytest.raises(WorkerLostError, match="killed"):
            futures[1].result()
        with pytest.raises(ValueError, match="no 5"):
            workers.submit(refuse, 5).result()
        # one that dies while it has nothing to do is replaced without a word
        first = workers.submit(own_id, 0).result()
        os.kill(first, signal.SIGKILL)
        assert until(lambda: not alive(first))
        with_luck = workers.submit(own_id, 0)
        assert with_luck.exception() is None or isinstance(with_luck.exception(), WorkerLostError)
        assert workers.submit(own_id, 0).result() != first
    with pytest.raises(RuntimeError, match="no task is taken"):
        workers.submit(own_id, 0)


def test_left_by_an_exception_it_ends_what_is_running() -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Workers(1) as workers:  # noqa: PT012
        process = workers.submit(own_id, 0).result()
        workers.submit(time.sleep, 600.0)
        raise KeyboardInterrupt
    assert until(lambda: not alive(process))
    assert time.monotonic() - began < 300.0


PARENT = """
import os, signal, time
from na64.workspaces.io.processes import Workers
if __name__ == "__main__":
    # a shell in the background ignores it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Workers(2) as workers:
        tasks = [workers.submit(os.getpid) for _ in range(8)]
        print(*sorted({task.result() for task in tasks}), flush=True)
        for _ in range(2):
            workers.submit(time.sleep, 600.0)
        time.sleep(600.0)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "parent.py"
    path.write_text(PARENT)
    return path


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(script: Path, number: signal.Signals) -> None:
    """The signal goes to the parent alone, while its processes are in the middle of a task."""
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert workers
    assert all(alive(process) for process in workers)
    parent.send_signal(number)
    said = parent.communicate(timeout=120)[1]
    assert parent.returncode != 0
    assert until(lambda: not any(alive(process) for process in workers))
    # of the parent alone: its processes neither complain of Ctrl-C nor of a pipe
    assert said.count("Traceback") == (number == signal.SIGINT), said


def test_a_process_that_cannot_begin_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the system has no more processes or file descriptors: nobody waits for ever."""
    workers = Workers(1)

    def none(self: Workers) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(Workers, "_process", none)
    with workers:
        futures = [workers.submit(own_id, task) for task in range(2)]
        for future in futures:
            with pytest.raises(ComputationError, match=r"no process can begin: .*unavailable"):
                future.result(timeout=10.0)
