"""Files that are never half-written, alone or several together."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from na64.models.errors import ComputationError, InputError
from na64.workspaces.io.journal import Journals, Member, digest_of, held, journal_of, settle
from na64.workspaces.io.staging import Staged, cannot_write, existing, sweep, sync_folder

__all__ = ["check_target", "write_atomic", "write_files"]

_LOGGER = logging.getLogger(__name__)


def write_atomic(
    path: str | os.PathLike[str], content: str | bytes, *, force: bool = False
) -> None:
    """Write a file whole or not at all: `write_files` with one file."""
    write_files({Path(path): content}, force=force)


def write_files(files: Mapping[Path, str | bytes], *, force: bool = False) -> None:
    """Write files, each of them whole, and all of them or none.

    The contents go to temporary files beside the targets, which take the targets' names when all
    are on the disk; an error or a crash before that leaves the files as they were. A run that is
    killed while the names are taken leaves a journal beside each file, with which the next one that
    reads or writes any of them completes the set: `na64.workspaces.io.journal`.

    Links are followed, and files that are replaced keep their modes.

    Parameters
    ----------
    files
        Contents by the file to write: text (written as UTF-8) or bytes. The folders must exist.
    force
        Whether existing files may be replaced.

    Raises
    ------
    InputError
        If a file exists and ``force`` is False, is no ordinary file or is named twice, or a folder
        is missing or not writable.
    ComputationError
        If writing began and could not be finished, as on a full disk.
    """
    try:
        interrupt = _written(files, force)
    except OSError as error:  # before anything was written; what comes later says of which file
        raise cannot_write(next(iter(files)), error, begun=False) from error
    if interrupt is not None:
        raise interrupt


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise the `InputError` with which `write_files` would refuse a file; write nothing.

    What an earlier run left unfinished there is completed.
    """
    settle(path)
    try:
        probe = Staged(_target(Path(path), force), Path(path))
    except OSError as error:
        raise cannot_write(Path(path), error, begun=False) from error
    probe.make()
    probe.release()


def _written(files: Mapping[Path, str | bytes], force: bool) -> KeyboardInterrupt | None:
    """Write files as `write_files` does, and return an interrupt that had to wait."""
    staged: dict[Path, Staged] = {}
    contents: list[bytes] = []
    for path, content in files.items():
        target = _target(Path(path), force)
        if target in staged:
            raise InputError(f"is named twice, perhaps by a link: {path}")
        staged[target] = Staged(target, Path(path))
        contents.append(content.encode("utf-8") if isinstance(content, str) else content)
    alone = len(staged) == 1 and not any(os.path.lexists(journal_of(target)) for target in staged)
    for target in () if alone else staged:
        settle(target)
    with held(() if alone else staged) as journals:
        _sweep(staged)
        whole = list(staged.values())
        _stage(whole, contents, journals)
        interrupt = _take_names(whole, force, journals)
        _clean_up(whole, journals)
    return interrupt


def _target(path: Path, force: bool) -> Path:
    """Return the file that a path stands for, behind its links, if it may be written."""
    if path.is_dir():
        raise InputError(f"is a folder, not a file: {path}")
    if os.path.lexists(path):
        if not force:  # a link to nothing is in the way, too
            raise existing(path)
        if path.exists() and not path.is_file():
            raise InputError(f"is no ordinary file: {path}")
    try:
        return Path(os.path.realpath(path.parent, strict=True), path.name).resolve()
    except (OSError, RuntimeError) as error:  # no folder, or links in a circle
        reason = error.strerror if isinstance(error, OSError) else "links in a circle"
        raise InputError(f"cannot write {path}: {reason}") from error


def _sweep(staged: Mapping[Path, Staged]) -> None:
    """Remove what killed runs left of these files."""
    for folder in {target.parent for target in staged}:
        names = {target.name for target in staged if target.parent == folder}
        sweep(folder, names.__contains__)


def _stage(staged: Sequence[Staged], contents: Sequence[bytes], journals: Journals) -> None:
    """Bring contents and journals to the disk, under names that are not yet those of the files."""
    try:
        for one in staged:
            one.make()
        for one, content in zip(staged, contents, strict=True):
            one.fill(content)
        if journals:
            _record(staged, contents, journals)
    except BaseException:
        for one in staged:
            one.release()
        journals.remove()
        raise


def _record(staged: Sequence[Staged], contents: Sequence[bytes], journals: Journals) -> None:
    try:
        journals.record(
            [
                Member(
                    one.target, one.path, hashlib.sha256(content).hexdigest(), digest_of(one.target)
                )
                for one, content in zip(staged, contents, strict=True)
            ]
        )
    except OSError as error:
        raise cannot_write(staged[0].shown, error) from error


def _take_names(
    staged: Sequence[Staged], force: bool, journals: Journals
) -> KeyboardInterrupt | None:
    """Give all files their names, or none; return an interrupt that came meanwhile.

    What has begun is finished before an interrupt is obeyed, and an error may pass: there is a
    second try. Where that fails, too, new files are removed again; where files were replaced, the
    journals stay and tell the next run.
    """
    failure: BaseException | None = None
    interrupt: KeyboardInterrupt | None = None
    for _ in range(2):
        try:
            for one in staged:
                one.take_name(replace=force)
            return interrupt
        except KeyboardInterrupt as error:
            failure = interrupt = error
        except InputError as error:
            failure = error
            break
        except OSError as error:
            failure = error
    named = [one for one in staged if one.named]
    if len(named) == len(staged):  # interrupted twice, the second time after the last name
        return interrupt
    first = next(one for one in staged if not one.named)
    if not named or (not force and _given_back(named)):
        for one in staged:
            one.release()
        journals.remove()
        if not isinstance(failure, OSError):
            assert failure is not None
            raise failure
        raise cannot_write(first.shown, failure) from failure
    for one in staged:
        one.leave()
    raise ComputationError(
        f"cannot write {first.shown}: {getattr(failure, 'strerror', failure)}; "
        f"{', '.join(str(one.shown) for one in named)} is written, and the next run that reads or "
        "writes one of these files completes the others"
    ) from failure


def _given_back(named: Sequence[Staged]) -> bool:
    """Remove files that are there by now, new ones all of them; whether that worked."""
    try:
        for one in named:
            one.give_back()
    except OSError:
        return False
    return True


def _clean_up(staged: Sequence[Staged], journals: Journals) -> None:
    """Bring the names to the disk and remove what is of no use any more; failures are told."""
    failed = []
    for folder in {one.target.parent for one in staged}:
        try:
            sync_folder(folder)
        except OSError as error:
            failed.append(error)
    for one in staged:
        failed += one.release()
    failed += journals.remove()
    if failed:
        _LOGGER.warning(
            "%s: written; what was needed for it could not be removed: %s",
            ", ".join(str(one.shown) for one in staged),
            "; ".join(sorted({str(error) for error in failed})),
        )
