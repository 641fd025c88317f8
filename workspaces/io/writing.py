"""Files that are never half-written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from na64.models.errors import ComputationError, InputError

__all__ = ["check_target", "write_atomic", "write_files"]


def write_atomic(
    path: str | os.PathLike[str], content: str | bytes, *, force: bool = False
) -> None:
    """Write a file whole or not at all: `write_files` with one file."""
    write_files({Path(path): content}, force=force)


def write_files(files: Mapping[Path, str | bytes], *, force: bool = False) -> None:
    """Write files, each of them whole, and all of them or none.

    The contents go to temporary files beside the targets, which take the targets' names when all
    are written; an error or a crash before that leaves the folders as they were.

    Parameters
    ----------
    files
        Contents by the file to write: text (written as UTF-8) or bytes. The folders must exist.
    force
        Whether existing files may be replaced.

    Raises
    ------
    InputError
        If a file exists and ``force`` is False, or a folder is missing or not writable.
    ComputationError
        If writing began and could not be finished, as on a full disk.
    """
    staged: dict[Path, Path] = {}
    named: list[Path] = []
    try:
        for target, content in files.items():
            staged[target] = _reserve(target, force)
            data = content.encode("utf-8") if isinstance(content, str) else content
            _fill(staged[target], data, target)
        for target, temporary in staged.items():
            _rename(temporary, target, force)
            named.append(target)
    except BaseException:
        if not force:  # what was replaced is lost, what was new goes again
            for target in named:
                target.unlink(missing_ok=True)
        raise
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise the `InputError` with which `write_files` would refuse a file; write nothing."""
    _reserve(Path(path), force).unlink()


def _reserve(target: Path, force: bool) -> Path:
    """Make an empty temporary file beside the target and return it."""
    if target.is_dir():
        raise InputError(f"is a folder, not a file: {target}")
    if os.path.lexists(target) and not force:  # a link to nothing is in the way, too
        raise _exists(target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    os.close(handle)
    return Path(name)


def _fill(temporary: Path, data: bytes, target: Path) -> None:
    try:
        temporary.write_bytes(data)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes files that only their owner can read
    except OSError as error:
        raise ComputationError(f"cannot write {target}: {error.strerror}") from error


def _rename(temporary: Path, target: Path, force: bool) -> None:
    try:
        if force:
            temporary.replace(target)
        else:
            # A hard link fails where a file appeared meanwhile; a rename would replace it.
            _link(temporary, target)
    except OSError as error:
        raise ComputationError(f"cannot write {target}: {error.strerror}") from error


def _link(temporary: Path, target: Path) -> None:
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError:  # file systems without hard links
        temporary.replace(target)


def _exists(target: Path) -> InputError:
    return InputError(f"file exists: {target}; it is replaced only if that is asked for")
