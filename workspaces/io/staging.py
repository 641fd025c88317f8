"""Files on the way to their names: written beside the target, and held while their writer lives."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from na64.models.errors import ComputationError, InputError, NA64Error
from na64.workspaces.io.locks import owned_file, try_lock, write_all

__all__ = ["Staged", "cannot_write", "existing", "is_staged", "sweep", "sync_folder"]

#: name of a temporary file: of its target, of the machine that writes it, and random digits
_NAME: Final = re.compile(r"\.(?P<target>.+)\.(?P<machine>[0-9a-f]{8})[0-9a-f]{8}\.part", re.DOTALL)
#: where no lock tells whether the writer lives, a file of this age is taken for left behind
STALE_SECONDS: Final = 3600.0
#: what the place given by the user is to blame for; anything else is a failure of writing
_OF_THE_USER: Final = frozenset(
    (
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EINVAL,
    )
)
#: what `os.link` says on file systems that have no further names for a file
_NO_LINKS: Final = frozenset((errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS))


@cache
def _machine() -> str:
    """Return eight digits that tell machines apart which share a folder."""
    return hashlib.sha256(platform.node().encode("utf-8", "replace")).hexdigest()[:8]


def cannot_write(target: Path, error: OSError, *, begun: bool = True) -> NA64Error:
    """Return the error for a file that cannot be written; that of the user unless `begun`."""
    kind = ComputationError if begun or error.errno not in _OF_THE_USER else InputError
    return kind(f"cannot write {target}: {error.strerror or error}")


def existing(target: Path) -> InputError:
    """Return the error for a file that is there and may not be replaced."""
    return InputError(f"file exists: {target}; it is replaced only if that is asked for")


class Staged:
    """A temporary file beside its target, of which it takes the name when it is whole.

    It is open, and locked, as long as its writer lives: what is not locked was left behind.

    Parameters
    ----------
    target
        The file to be written, no link.
    shown
        What messages call it.
    """

    __slots__ = ("_descriptor", "_named", "path", "shown", "target")

    def __init__(self, target: Path, shown: Path) -> None:
        self.target = target
        self.shown = shown
        self.path = target
        self._descriptor = -1
        self._named = False

    def make(self) -> None:
        """Make the file, empty, with the mode and the owner of the target if there is one.

        Raises
        ------
        InputError
            Where the folder does not exist or does not allow it.
        ComputationError
            Where it fails for reasons that are not the user's.
        """
        try:
            old = self._target_status()
            mode = 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o777
            while not self._opened(mode):
                self.release()
            if old is not None:
                self._make_alike(old, mode)
        except OSError as error:
            self.release()
            raise cannot_write(self.shown, error, begun=False) from error

    def _opened(self, mode: int) -> bool:
        """Open a new file and lock it; False if a sweeper took it before it was locked."""
        token = f"{_machine()}{secrets.token_hex(4)}"
        self.path = self.target.with_name(f".{self.target.name}.{token}.part")
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
        self._descriptor = os.open(self.path, flags, mode)
        return try_lock(self._descriptor) is not False and os.fstat(self._descriptor).st_nlink > 0

    def _target_status(self) -> os.stat_result | None:
        try:
            return os.stat(self.target, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _make_alike(self, old: os.stat_result, mode: int) -> None:
        """Give the file the owner, where that is allowed, and the mode of the one it replaces."""
        new = os.fstat(self._descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(PermissionError):
                os.fchown(self._descriptor, old.st_uid, old.st_gid)
        if stat.S_IMODE(os.fstat(self._descriptor).st_mode) != mode:
            os.fchmod(self._descriptor, mode)

    def fill(self, data: bytes, *, durable: bool = True) -> None:
        """Write the content.

        Parameters
        ----------
        data
            The content.
        durable
            Whether it has to be on the disk, and not only on its way there, when this returns.
        """
        try:
            write_all(self._descriptor, data)
            if durable:
                os.fsync(self._descriptor)
        except OSError as error:
            raise cannot_write(self.shown, error) from error

    def take_name(self, *, replace: bool) -> None:
        """Give the file the name of its target; nothing where it has that already.

        Parameters
        ----------
        replace
            Whether a file of that name is replaced.

        Raises
        ------
        InputError
            If there is a file and `replace` is False.
        OSError
            If it fails; the target is then as it was.
        """
        if self._named or self._is_target():
            self._named = True
            return
        if replace:
            os.replace(self.path, self.target)
        else:
            self._claim()
        self._named = True

    def _is_target(self) -> bool:
        """Whether the target is this file: an interrupt may come between doing and noting it."""
        found = self._target_status()
        mine = os.fstat(self._descriptor)
        return found is not None and (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    def _claim(self) -> None:
        """Take a name that nobody has; a rename would replace a file that appeared meanwhile."""
        try:
            os.link(self.path, self.target)
        except FileExistsError as error:
            raise existing(self.shown) from error
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._claim_without_links()

    def _claim_without_links(self) -> None:
        try:
            os.close(os.open(self.target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError as error:
            raise existing(self.shown) from error
        try:
            os.replace(self.path, self.target)
        except BaseException:
            os.unlink(self.target)
            raise

    @property
    def named(self) -> bool:
        """Whether it has the name of its target."""
        return self._named

    def give_back(self) -> None:
        """Remove the target that this file became."""
        if self._named:
            os.unlink(self.target)
            self._named = False

    def release(self) -> list[OSError]:
        """Remove the temporary name, if it is there, and close the file; return what failed."""
        failed = []
        if self.path != self.target:
            try:
                os.unlink(self.path)
            except FileNotFoundError:
                pass
            except OSError as error:
                failed.append(error)
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            try:
                os.close(descriptor)
            except OSError as error:
                failed.append(error)
        return failed

    def leave(self) -> None:
        """Close the file and leave it under its temporary name, for a run that completes it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)


def is_staged(name: str, target: str) -> bool:
    """Whether a name is one of temporary files of a target."""
    found = _NAME.fullmatch(name)
    return found is not None and found["target"] == target


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; file systems that cannot are left alone.

    Raises
    ------
    OSError
        If the disk fails.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # a folder in which one may write and not read
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def sweep(
    folder: Path, wanted: Callable[[str], bool], *, spared: Iterable[Path] = ()
) -> tuple[int, int]:
    """Remove temporary files in a folder whose writers are dead.

    Parameters
    ----------
    folder
        Where to look.
    wanted
        Says of the name of a target whether its temporary files are meant.
    spared
        Files that are left alone.

    Returns
    -------
    tuple of int
        How many were removed, and their bytes.
    """
    count = size = 0
    kept = {path.name for path in spared}
    with suppress(OSError):
        for name in os.listdir(folder):
            found = _NAME.fullmatch(name)
            if found is None or not wanted(found["target"]) or name in kept:
                continue
            with suppress(OSError):
                removed = _remove_dead(folder / name, found["machine"])
                count += removed is not None
                size += removed or 0
    return count, size


def _remove_dead(path: Path, machine: str) -> int | None:
    """Remove a temporary file unless its writer may live; return its bytes, None if it stays.

    A lock tells of writers on this machine; of others, whose locks some network file systems do
    not show, the age does.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
    descriptor = os.open(path, flags)
    try:
        if not owned_file(descriptor):
            return None
        found, locked = os.fstat(descriptor), try_lock(descriptor)
        old = time.time() - found.st_mtime > STALE_SECONDS
        dead = locked and (machine == _machine() or old)
        if not (dead or (locked is None and old)):
            return None
        os.unlink(path)
        return found.st_size
    finally:
        os.close(descriptor)
