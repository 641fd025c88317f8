"""Where results go: tables for people, files checked before the work begins."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import the_console
from na64.limits.publication import LIKELIHOOD_FILES
from na64.models.errors import InputError

if TYPE_CHECKING:
    from na64.limits.scanning.signal import ExpectedSignal
    from na64.models.mediators.dark_sector import DarkSector
    from na64.workspaces.cards.card import RunCard

__all__ = [
    "check_directory",
    "check_outputs",
    "coupling_limits",
    "nulls",
    "projection_notes",
    "sector_facts",
    "workspace_files",
    "write_outputs",
]


def nulls(values: Any) -> Any:
    """Return numbers as lists in lists (or one number), None for what is not finite."""
    plain = values.tolist() if hasattr(values, "tolist") else values
    if isinstance(plain, list):
        return [nulls(value) for value in plain]
    return plain if math.isfinite(plain) else None


def coupling_limits(measurement: str, values: Sequence[float | None]) -> dict[str, Any]:
    """Return limits on mu, observed and expected, as couplings under the key ``coupling``.

    Empty for measurements that say of no coupling that it is the one at mu = 1.
    """
    from na64.workspaces.pyhf.write import parse_measurement

    point = parse_measurement(measurement)
    if point is None or point.power is None:
        return {}
    couplings = [None if value is None else point.coupling_at(value) for value in values]
    return {
        "coupling": {
            "name": point.parameter,
            "mass_gev": point.mass_gev,
            "observed": couplings[0],
            "expected": couplings[1:],
        }
    }


def sector_facts(sector: DarkSector | None) -> dict[str, Any]:
    """Return what documents quote of a dark sector."""
    return {
        "alpha_d": None if sector is None else sector.alpha_d,
        "ratio": None if sector is None else sector.ratio,
        "dark_matter": None if sector is None else sector.species.value,
    }


def check_outputs(outputs: Sequence[str], force: bool, suffixes: Iterable[str]) -> None:
    """Refuse output files that could not be written, before anything is computed.

    Raises
    ------
    InputError
        For a suffix that means nothing here, a missing folder, a file that exists without
        ``--force``, or the same file twice.
    """
    from na64.workspaces.io.journal import settle
    from na64.workspaces.io.writing import check_target

    seen: set[str] = set()
    for name in outputs:
        path = Path(name)
        settle(path)
        if path.suffix not in suffixes:
            raise InputError(f"output '{name}': the suffix must be one of {', '.join(suffixes)}")
        if path.is_dir():
            raise InputError(f"output '{name}' is a folder")
        if os.path.lexists(path) and not force:
            to = "" if path.exists() else ", a link to a file that does not"
            raise InputError(f"output '{name}' exists{to} (--force overwrites it)")
        if not path.parent.is_dir():
            raise InputError(f"output '{name}': there is no folder '{path.parent}'")
        if not os.access(path.parent, os.W_OK):
            raise InputError(f"output '{name}': the folder '{path.parent}' is not writable")
        behind = os.path.realpath(path)  # links in a circle are told of below
        if behind in seen:
            raise InputError(f"output '{name}' is given twice")
        seen.add(behind)
        check_target(path, force=force)


def projection_notes(cards: Sequence[RunCard]) -> list[str]:
    """Return what is said of cards that settings made projections."""
    return [card.projection_note for card in cards if card.projection_note]


def check_directory(directory: str) -> None:
    """Refuse a folder for workspaces that the running command could not write to.

    Raises
    ------
    InputError
        If it exists as a file, is not writable, or has workspaces already without ``--force``.
    """
    from na64.workspaces.io.writing import check_target

    force = click.get_current_context().params["force"]
    folder = Path(directory)
    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError(f"'{directory}' is a file, not a folder")
    home = folder if folder.exists() else folder.parent
    if not home.is_dir():
        raise InputError(f"there is no folder '{home}' in which to make '{folder.name}'")
    if not os.access(home, os.W_OK):
        raise InputError(f"the folder '{home}' is not writable")
    for name in LIKELIHOOD_FILES:
        if os.path.lexists(folder / name) and not force:
            raise InputError(f"output '{folder / name}' exists (--force overwrites it)")
        check_target(home / name, force=True)


def workspace_files(signal: ExpectedSignal, directory: str) -> dict[str, str | bytes]:
    """Return the background workspace and the patchset of all masses by their files."""
    from na64.limits.publication.likelihood import likelihood_files

    return {str(Path(directory) / name): text for name, text in likelihood_files(signal).items()}


def write_outputs(files: Mapping[str, str | bytes], force: bool, *, note: str = "") -> None:
    """Write the files of one command, all or none; folders that do not exist are made for them.

    Each is told of, or all of them by one note.
    """
    from na64.workspaces.io.writing import write_files

    made = _make_folders(Path(name).parent for name in files)
    try:
        write_files({Path(name): content for name, content in files.items()}, force=force)
    except BaseException:
        for folder in reversed(made):
            with suppress(OSError):  # the error that matters is the one of writing
                folder.rmdir()
        raise
    for line in [note] if note else [f"wrote {name}" for name in files]:
        the_console().note(line)


def _make_folders(folders: Iterable[Path]) -> list[Path]:
    """Make the folders that do not exist and return them, outer ones first."""
    from na64.workspaces.io.staging import cannot_write

    missing = sorted({folder for folder in folders if not folder.exists()})
    for number, folder in enumerate(missing):
        try:
            folder.mkdir()
        except OSError as error:
            for made in reversed(missing[:number]):
                with suppress(OSError):
                    made.rmdir()
            raise cannot_write(folder, error, begun=False) from error
    return missing
