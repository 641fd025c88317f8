"""Runs of the program under faults: killed, signalled, on a full disk, several at once."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from na64.workspaces.io.journal import settle
from scripts.faults.sets import hidden, log

__all__ = [
    "broken_pipes",
    "full_disks",
    "killed_scans",
    "killed_writers",
    "several_writers",
    "signalled_scans",
]

#: writes sets without end, each of one number in three files; the last argument begins
_WRITER: Final = """
import sys
from itertools import count
from pathlib import Path
from na64.workspaces.io.writing import write_files
folder, first, step, last = sys.argv[1], *map(int, sys.argv[2:5])
print("ready", flush=True)
for number in count(first, step):
    if last and number >= last:
        break
    text = f"{number}\\n" * 2000
    write_files({Path(folder, name): text for name in ("a", "b", "c")}, force=True)
"""
_NAMES: Final = ("a", "b", "c")
#: pages of three old files
_OLD_BYTES: Final = 3 * 8192
#: the fastest scan of the shipped searches that uses the cache
_SCAN: Final = ("scan", "na64e-visible-2017-2018", "--masses", "0.005,0.01")
_OUTPUTS: Final = ("scan.json", "scan.csv")


def _program(*words: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "NA64_LIMITS_CACHE": str(folder / "cache")}
    return subprocess.Popen(
        [sys.executable, "-m", "na64.limits.cli", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_listening,
    )


def _listening() -> None:
    """Undo what a shell does to programs in the background, or `nohup`: signals are heard."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _writer(folder: Path, first: int, step: int, last: int = 0) -> subprocess.Popen[str]:
    words = [str(folder), str(first), str(step), str(last)]
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _numbers(folder: Path) -> list[str | None]:
    """Return the number that each file of a set has, None for a file that is none or torn."""
    found: list[str | None] = []
    for name in _NAMES:
        file = folder / name
        lines = file.read_text().splitlines() if file.exists() else []
        found.append(lines[0] if len(lines) == 2000 and len(set(lines)) == 1 else None)
    return found


def killed_writers(folder: Path, count: int, seed: int) -> Counter[str]:
    """Kill a process that writes sets, again and again, at random moments.

    Raises
    ------
    AssertionError
        For a set that is not one after the next reader was there.
    """
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    _empty(folder)
    for number in range(count):
        process = _writer(folder, 1_000_000 * number, 1)
        time.sleep(chance.uniform(0.0, 0.05))
        process.kill()
        process.communicate()
        before = len(set(_numbers(folder)))
        with log() as said:
            settle(folder / chance.choice(_NAMES))
        found = _numbers(folder)
        assert len(set(found)) == 1, f"kill {number}: {found}"
        assert (found[0] is None) == (not any((folder / name).exists() for name in _NAMES))
        assert before == 1 or said, f"kill {number}: completed without a word"
        outcomes["a set" if before == 1 else "two sets, completed by the next run"] += 1
    _writer(folder, 7, 1, 8).communicate()
    assert _numbers(folder) == ["7"] * 3
    assert not hidden(folder), hidden(folder)
    return outcomes


def several_writers(folder: Path, processes: int, rounds: int) -> Counter[str]:
    """Let several processes write the same set at once, and look when all are done."""
    outcomes: Counter[str] = Counter()
    for number in range(rounds):
        _empty(folder)
        running = [_writer(folder, k, processes, 20 * processes) for k in range(processes)]
        for process in running:
            process.communicate()
            assert process.returncode == 0
        found = _numbers(folder)
        assert len(set(found)) == 1, f"round {number}: {found}"
        assert found[0] is not None
        assert not hidden(folder), hidden(folder)
        outcomes["one set"] += 1
    return outcomes


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _sound(folder: Path) -> dict[str, str]:
    """Return the files of a scan that nothing happened to, and fill the cache."""
    process = _program(*_SCAN, *_written(), folder=folder)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    return {name: _content(folder / name) for name in _OUTPUTS}


def _written() -> list[str]:
    return [word for name in _OUTPUTS for word in ("-o", name)] + ["--force"]


def _content(file: Path) -> str:
    """Return what a file says apart from versions and command line."""
    text = file.read_text()
    if file.suffix == ".json":
        found = json.loads(text)
        return json.dumps({key: found[key] for key in found if key != "provenance"})
    return text


def _state(folder: Path, sound: dict[str, str]) -> str:
    """Say of the files of a scan whether they are old, new or mixed; torn raises."""
    states = set()
    for name in _OUTPUTS:
        text = (folder / name).read_text()
        new = not text.startswith("old")
        assert new is False or _content(folder / name) == sound[name], f"{name} is torn"
        states.add("new" if new else "old")
    return states.pop() if len(states) == 1 else "mixed"


def _interrupted(
    folder: Path, count: int, seed: int, stop: Callable[[subprocess.Popen[str]], object]
) -> Iterator[tuple[str, int, str]]:
    """Begin scans, stop them at random moments; yield state, exit code and stderr of each."""
    chance = random.Random(seed)
    _empty(folder)
    begun = time.monotonic()
    sound = _sound(folder)
    shutil.rmtree(folder / "cache")
    longest = 1.1 * (time.monotonic() - begun)
    for number in range(count):
        for name in _OUTPUTS:
            (folder / name).write_text("old")
        if number % 2:
            shutil.rmtree(folder / "cache", ignore_errors=True)
        process = _program(*_SCAN, *_written(), folder=folder)
        time.sleep(chance.uniform(0.0, longest))
        stop(process)
        try:
            said = process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("it does not end") from None
        with log():
            settle(folder / _OUTPUTS[0])
        yield _state(folder, sound), process.returncode, said
    again = _program(*_SCAN, *_written(), folder=folder)
    assert again.wait() == 0
    assert _state(folder, sound) == "new"
    again.communicate()
    left = [path for path in hidden(folder) if path not in (".", "..")]
    assert not left, left


def killed_scans(folder: Path, count: int, seed: int) -> Counter[str]:
    """Kill scans with their cache at random moments; a rerun finds nothing in its way."""
    outcomes: Counter[str] = Counter()
    for state, code, said in _interrupted(folder, count, seed, lambda process: process.kill()):
        assert state in ("old", "new")
        assert code in (0, -signal.SIGKILL), said
        outcomes[f"{'finished' if code == 0 else 'killed'}, {state} files"] += 1
    return outcomes


def signalled_scans(folder: Path, number: signal.Signals, count: int, seed: int) -> Counter[str]:
    """Signal scans at random moments; they tidy up and say so in their exit code."""
    outcomes: Counter[str] = Counter()
    runs = _interrupted(folder, count, seed, lambda process: process.send_signal(number))
    for state, code, said in runs:
        assert state in ("old", "new")
        # before and after the work itself it is the interpreter that obeys
        assert code in (0, 128 + number, -number, 1), said
        assert "internal error" not in said
        how = {0: "finished", 128 + number: f"exit code {128 + number}"}.get(
            code, "died of it before or after its work"
        )
        outcomes[f"{how}, {state} files"] += 1
    assert any(how.startswith("exit code") for how in outcomes), outcomes
    return outcomes


def broken_pipes(folder: Path, count: int) -> Counter[str]:
    """Close the pipe that a scan writes its JSON to; files are whole, the exit code is 0."""
    outcomes: Counter[str] = Counter()
    _empty(folder)
    sound = _sound(folder)
    for _ in range(count):
        process = _program(*_SCAN, "--json", *_written(), folder=folder)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait() == 0, said
        assert _state(folder, sound) == "new"
        outcomes["exit code 0, new files"] += 1
    return outcomes


@contextmanager
def _small_disk(folder: Path, size: int) -> Iterator[bool]:
    """Mount a file system of some bytes on a folder; False where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "na64-limits-faults", str(folder)]
    try:
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def full_disks(folder: Path, sizes: Iterable[int]) -> Counter[str]:
    """Write sets where some bytes are free beside the old ones, or, without a mount, in each file.

    The new files need 48 kB beside the 24 kB of the old, and their journals some more.
    """
    outcomes: Counter[str] = Counter()
    _empty(folder)
    for number, size in enumerate(sizes):
        place = folder / str(number)
        with _small_disk(place, size + _OLD_BYTES) as mounted:
            for name in _NAMES:
                (place / name).write_text("old\n" * 2000)
            limit = None if mounted else size

            def shorten(limit: int | None = limit) -> None:
                if limit is not None:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

            process = subprocess.run(
                [sys.executable, "-c", _WRITER, str(place), "1234567", "1", "1234568"],
                preexec_fn=shorten,
                capture_output=True,
                text=True,
                check=False,
            )
            found, left = _numbers(place), hidden(place)
            said = process.stderr.strip().splitlines()[-1:] or [""]
            what = f"{size} bytes: {found} {left} {said[0]}"
            if process.returncode:
                assert found == ["old"] * 3, what
                assert "ComputationError: cannot write" in said[0], what
                outcomes["refused, files as before"] += 1
            else:
                assert found == ["1234567"] * 3, what
                outcomes["done"] += 1
            assert not left, what
    return outcomes
