"""Sets of files that are written together: a journal beside each, until all have their names.

Files of a set take their names one after another, and a run can be killed in between. What it
wrote is whole by then, under temporary names; the journal says which file belongs under which name.
Whoever reads or writes one of the set next finds the journal and gives the others their names, or,
where that is not possible any more, says which of them are of an earlier run.

A journal is the lock of its file, too: two runs that write the same set do so one after the other.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from na64.models.errors import ComputationError, InputError, NA64Error
from na64.workspaces.io.locks import owned_file, read_all, seal, try_lock, unseal, write_all
from na64.workspaces.io.staging import cannot_write, is_staged, sync_folder

__all__ = ["Journals", "Member", "complete", "digest_of", "held", "journal_of", "settle"]

_LOGGER = logging.getLogger(__name__)

#: first word of a journal; another version is another word
_KIND: Final = b"na64-limits/writing/1"
#: a journal has some hundred bytes per file of its set
_LARGEST: Final = 1 << 24
#: how long a run waits for another one that is writing the same files
_PATIENCE_SECONDS: Final = 60.0
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a set.

    Attributes
    ----------
    target, temporary
        The file, and where its new content is until then.
    new, old
        sha256 of what it is to hold, and of what it held; None where there was no file.
    """

    target: Path
    temporary: Path
    new: str
    old: str | None


def journal_of(target: Path) -> Path:
    """Return the journal of a file, which must be no link."""
    return target.with_name(f".{target.name}.writing")


def digest_of(path: Path) -> str | None:
    """Return the sha256 of an ordinary file, None if there is none."""
    found = hashlib.sha256()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        while piece := os.read(descriptor, _CHUNK):
            found.update(piece)
    finally:
        os.close(descriptor)
    return found.hexdigest()


class Journals:
    """The journals of some files, open and locked."""

    __slots__ = ("_empty", "_open")

    def __init__(self) -> None:
        self._open: dict[Path, int] = {}
        #: those that say nothing, and go when they are released
        self._empty: set[Path] = set()

    def __bool__(self) -> bool:
        return bool(self._open)

    def take(self, targets: Iterable[Path]) -> None:
        """Open and lock the journals of files, in an order that all runs share.

        Raises
        ------
        ComputationError
            If another run keeps one of them for longer than a minute.
        InputError
            Where a journal cannot be made, or is another user's.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for target in sorted(targets):
            while target not in self._open:
                self._take(target)
                if target not in self._open and time.monotonic() > deadline:
                    raise ComputationError(
                        f"cannot write {target}: another run has been writing it for "
                        f"{_PATIENCE_SECONDS:.0f} s"
                    )
                if target not in self._open:
                    time.sleep(0.01)

    def _take(self, target: Path) -> None:
        """Lock the journal of a file unless another run holds it."""
        path = journal_of(target)
        flags = os.O_CREAT | os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW
        try:
            descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise cannot_write(target, error, begun=False) from error
        try:
            if not owned_file(descriptor):
                raise InputError(f"cannot write {target}: {path} is of another user")
            mine = try_lock(descriptor) is not False
            found = os.fstat(descriptor)
            # its last holder may have removed it between opening and locking
            if mine and found.st_nlink > 0:
                self._open[target] = descriptor
                if not found.st_size:
                    self._empty.add(target)
        except OSError as error:
            with suppress(OSError):
                if not os.lstat(path).st_size:
                    os.unlink(path)
            raise cannot_write(target, error, begun=False) from error
        finally:
            if target not in self._open:
                os.close(descriptor)

    def read(self, target: Path) -> tuple[str, list[Member]] | None:
        """Return the name of the set that a journal is of and its members.

        None for a journal that is empty or not whole: its run had not begun to rename.
        """
        descriptor = self._open[target]
        os.lseek(descriptor, 0, os.SEEK_SET)
        data = read_all(descriptor, _LARGEST)
        return None if data is None else _members(data, target)

    def record(self, members: Sequence[Member]) -> None:
        """Write into all journals what is about to be renamed, and wait until it is on the disk."""
        token = secrets.token_hex(8)
        for target, descriptor in self._open.items():
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.ftruncate(descriptor, 0)
            self._empty.discard(target)
            write_all(descriptor, seal(_KIND, _content(token, members, target.parent)))
            os.fsync(descriptor)
        for folder in {target.parent for target in self._open}:
            sync_folder(folder)

    def remove(self, targets: Iterable[Path] | None = None) -> list[OSError]:
        """Remove journals, all if none is named; return what failed."""
        failed = []
        for target in list(self._open if targets is None else targets):
            try:
                os.unlink(journal_of(target))
            except FileNotFoundError:
                pass
            except OSError as error:
                failed.append(error)
            self._empty.discard(target)
        return failed

    def release(self) -> None:
        """Unlock the journals; those that say nothing are removed."""
        for target in self._empty:
            with suppress(OSError):
                os.unlink(journal_of(target))
        for descriptor in self._open.values():
            with suppress(OSError):
                os.close(descriptor)
        self._open.clear()
        self._empty.clear()


@contextmanager
def held(targets: Iterable[Path]) -> Iterator[Journals]:
    """Hold the journals of files; what earlier runs left unfinished is completed first."""
    journals = Journals()
    try:
        journals.take(targets)
        yield journals
    finally:
        journals.release()


def _content(token: str, members: Sequence[Member], folder: Path) -> bytes:
    """Return the text of a journal; files are named as seen from its folder, which may move."""
    entries = [
        {
            "target": os.path.relpath(member.target, folder),
            "temporary": member.temporary.name,
            "new": member.new,
            "old": member.old,
        }
        for member in members
    ]
    # names that are no text in UTF-8 are kept by escapes
    return json.dumps({"set": token, "files": entries}, ensure_ascii=True).encode("ascii")


def _members(data: bytearray, target: Path) -> tuple[str, list[Member]] | None:
    """Return what a journal says; None if it is not whole or names files that are not its own."""
    content = unseal(_KIND, data)
    if content is None:
        return None
    members = []
    try:
        found = json.loads(bytes(content))
        for entry in found["files"]:
            place = Path(os.path.normpath(target.parent / entry["target"]))
            if not is_staged(entry["temporary"], place.name):
                return None
            temporary = place.with_name(entry["temporary"])
            members.append(Member(place, temporary, entry["new"], entry["old"]))
        return str(found["set"]), members
    except (ValueError, KeyError, TypeError, RecursionError):  # sealed, and not by this program
        return None


def settle(path: str | os.PathLike[str]) -> None:
    """Complete the set of files that one belongs to, if a run was stopped while it wrote it.

    Costs one look for a journal where there is none. What was done, or could not be done, is logged
    as a warning; the file itself is whole in every case.

    Parameters
    ----------
    path
        A file that is about to be read or written; it need not exist.
    """
    try:
        target = Path(os.path.realpath(path))
        if not os.path.lexists(journal_of(target)):
            return
    except (OSError, ValueError):  # no path at all: whoever opens it says so
        return
    try:
        _settle(target)
    except (OSError, NA64Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        _LOGGER.warning(
            "%s is one of several files that an earlier run was stopped while writing, and they "
            "cannot be completed (%s): they may not belong together",
            path,
            reason,
        )


def _settle(target: Path) -> None:
    with held([target]) as journals:
        known = journals.read(target)
        if known is None:
            journals.remove()
            return
    # the others are locked as well, all in the same order; meanwhile somebody may have been here
    with held({target, *(member.target for member in known[1])}) as journals:
        if journals.read(target) == known:
            complete(journals, *known)


def complete(journals: Journals, token: str, members: Sequence[Member]) -> None:
    """Give the files of a set their names, with all their journals held; log what was done."""
    states = [(member, _state(member)) for member in members]
    waiting = [member for member, state in states if state == "waiting"]
    for member in waiting:
        os.replace(member.temporary, member.target)
    for folder in {member.target.parent for member in waiting}:
        sync_folder(folder)
    for member, state in states:
        if state != "waiting":
            with suppress(OSError):
                member.temporary.unlink(missing_ok=True)
    old = [str(member.target) for member, state in states if state == "old"]
    others = [str(member.target) for member, state in states if state in ("new", "waiting")]
    if old:
        _LOGGER.warning(
            "%s: of an earlier run than %s, with which it belongs: the run that wrote them was "
            "stopped and its temporary files are gone; write them again",
            ", ".join(old),
            ", ".join(others) or "the others",
        )
        return
    if waiting:
        _LOGGER.warning(
            "a run was stopped while it wrote %s; they are completed now",
            ", ".join(str(member.target) for member in members),
        )
    journals.remove(_of_set(journals, token, members))


def _of_set(journals: Journals, token: str, members: Sequence[Member]) -> list[Path]:
    """Return the files whose journals are of a set, and not of a later one."""
    found = []
    for member in members:
        said = journals.read(member.target)
        if said is None or said[0] == token:
            found.append(member.target)
    return found


def _state(member: Member) -> str:
    """Say of a file of a set whether it is ``new``, ``waiting``, ``old``, or ``other``'s."""
    found = digest_of(member.target)
    if found == member.new:
        return "new"
    if found != member.old:
        return "other"  # somebody wrote it since
    with suppress(OSError):
        if digest_of(member.temporary) == member.new:
            return "waiting"
    return "old"
