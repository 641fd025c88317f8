"""The store: what is finished is there, whole, and nothing in the file is trusted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from na64.limits.campaigns.lock import alone
from na64.limits.campaigns.store import FILE, Head, Planned, Result, Store
from na64.models.errors import InputError

HEAD = Head("format = 1", "test.toml", "test", "scan", 4, 2)


def planned(number: int, *digests: str, refused: str = "") -> Planned:
    tasks = [(name, 1.0, f'{{"payload":"{name}"}}'.encode()) for name in digests]
    return Planned(number, f'{{"alpha_d":{number}}}', refused, 0, tasks)


def filled(folder: Path) -> Store:
    store = Store.begin(folder, HEAD)
    # the last point is the same as the first
    store.add([planned(0, "a"), planned(1, "b", "c"), planned(2, refused="no"), planned(3, "a")])
    return store


def test_what_is_finished_is_not_to_be_done_again(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        assert [row.digest for row in store.to_do(10)] == ["a", "b", "c", "a"]
        assert store.to_do(10)[1].payload == b'{"payload":"b"}'
        store.finish([Result("a", b'{"x":1}', "", 0.5), Result("b", b"", "broken", 0.1)])
        counts = store.counts()
        assert (counts.done, counts.failed, counts.left_out, counts.to_do) == (2, 1, 1, 0)
        assert [row.digest for row in store.to_do(10)] == ["c"]
        assert store.failures(5) == [(1, '{"alpha_d":1}', "broken")]
        assert store.again() == 1
        assert store.counts().failed == 0
    with Store(tmp_path) as store:  # and the file has it
        assert store.document("a") == b'{"x":1}'
        assert store.document("b") is None
        with pytest.raises(InputError, match="readonly"):
            store.again()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]  # the journal went into it


def test_another_plan_keeps_the_documents(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        store.finish([Result("a", b'{"x":1}', "", 0.5)])
        store.replan(HEAD)
        store.add([planned(0, "z"), planned(1, "a")])
        assert [row.digest for row in store.to_do(10)] == ["z"]
        assert store.document("a") == b'{"x":1}'


def test_points_that_are_not_written_leave_nothing_behind(tmp_path: Path) -> None:
    with Store.begin(tmp_path, HEAD) as store:
        with pytest.raises(InputError, match="UNIQUE"):
            store.add([planned(0, "a"), planned(0, "b")])
        assert store.planned() == 0
        store.add([planned(0, "c")])
        store.finish([Result("c", b'{"x":1}', "", 0.5)])
    with Store(tmp_path) as store:  # packed against the first payload that is in the file
        assert store.document("c") == b'{"x":1}'


def test_a_reader_who_may_not_write_sees_what_another_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(tmp_path) as writer:
        writer.finish([Result("a", b'{"x":1}', "", 0.5)])  # in the journal, and not in the file
        monkeypatch.setattr(os, "access", lambda *_: False)
        with Store(tmp_path) as store:
            assert store.document("a") == b'{"x":1}'
    with Store(tmp_path) as store:  # without a journal
        assert store.document("a") == b'{"x":1}'


def _write_for_ever(folder: str) -> None:
    with Store(Path(folder), writing=True) as store:
        for number in range(1_000_000):
            digest = f"{number:064}"
            point = Planned(number, "{}", "", 0, [(digest, 1.0, b"{}")])
            store.add([point])
            store.finish([Result(digest, b'{"n":%d}' % number, "", 0.0)])
            (Path(folder) / "told").write_text(str(number))


def test_a_writer_that_is_killed_loses_nothing_that_it_told(tmp_path: Path) -> None:
    Store.begin(tmp_path, HEAD).close()
    told = tmp_path / "told"
    process = multiprocessing.get_context("spawn").Process(
        target=_write_for_ever, args=(str(tmp_path),)
    )
    process.start()
    for _ in range(3000):
        if told.exists() and int(told.read_text() or 0) > 20:
            break
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    last = int(told.read_text() or 0)
    assert last > 20
    with Store(tmp_path) as store:
        for number in range(last + 1):
            assert store.document(f"{number:064}") == b'{"n":%d}' % number
        assert store.planned() >= last + 1


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("PRAGMA application_id=7", "not a campaign"),
        ("PRAGMA user_version=9", "has version 9, this version reads 1"),
        ("CREATE TRIGGER t AFTER UPDATE ON tasks BEGIN DELETE FROM documents; END", "other tables"),
        ("CREATE VIEW v AS SELECT 1", "other tables"),
        ("DELETE FROM head WHERE key = 'kind'", "head is damaged"),
        ("UPDATE head SET value = 3 WHERE key = 'text'", "head is damaged"),
    ],
)
def test_files_of_others_are_refused(tmp_path: Path, statement: str, said: str) -> None:
    filled(tmp_path).close()
    base = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    base.execute(statement)
    base.close()
    with pytest.raises(InputError, match=said):
        Store(tmp_path)


def test_a_document_that_was_changed_is_told(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        store.finish([Result("a", b'{"x":1}', "", 0.5), Result("b", b'{"x":2}', "", 0.5)])
    base = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    base.execute(
        "UPDATE documents SET content = (SELECT content FROM documents WHERE digest = 'b')"
        " WHERE digest = 'a'"
    )
    base.execute("UPDATE documents SET content = x'00' WHERE digest = 'b'")
    base.close()
    with Store(tmp_path) as store:
        with pytest.raises(InputError, match=r"document a is damaged \(its sha256 differs\)"):
            store.document("a")
        with pytest.raises(InputError, match="document b is damaged"):
            store.document("b")


def test_damage_anywhere_is_an_error_of_the_file_or_the_right_document(tmp_path: Path) -> None:
    """Every 97th byte of the file flipped: no wrong document, no other error."""
    content = b'{"x":1}'
    with filled(tmp_path) as store:
        store.finish([Result("a", content, "", 0.5)])
    whole = (tmp_path / FILE).read_bytes()
    refused = 0
    for place in range(0, len(whole), 97):
        broken = bytearray(whole)
        broken[place] ^= 0x10
        (tmp_path / FILE).write_bytes(broken)
        try:
            with Store(tmp_path) as store:
                assert store.document("a") in (content, None)
                store.counts()
        except InputError as error:
            assert str(tmp_path) in str(error)  # noqa: PT017 - most flips are in unused space
            refused += 1
    assert refused > 3


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no campaign"):
        Store(tmp_path)
    (tmp_path / FILE).mkdir()
    with pytest.raises(InputError, match="is no file"):
        Store(tmp_path)
    (tmp_path / FILE).rmdir()
    (tmp_path / FILE).write_text("text")
    with pytest.raises(InputError, match="not a database"):
        Store(tmp_path)


def test_one_process_has_the_lock(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(InputError, match="another process"), alone(tmp_path):
        pass
    with alone(tmp_path):  # the file that stays means nothing
        pass
