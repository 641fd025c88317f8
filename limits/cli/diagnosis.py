"""What is installed and what is known to be wrong with it."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import Any

from na64.limits.results.provenance import versions
from na64.models.errors import InputError
from na64.workspaces.io.cache import CACHE_VARIABLE, cache_folder, folder_problem
from na64.workspaces.io.cache_size import SIZE_VARIABLE, chosen_size, usage

__all__ = ["diagnose"]


def diagnose() -> dict[str, Any]:
    """Return versions, known-bad pairs, plug-ins and the cache.

    Returns
    -------
    dict
        ``versions``, ``location`` of the package, ``plugins`` by name, ``cache`` (folder and
        note), ``notes`` (known limitations that this program avoids) and ``problems`` (what
        does not work).
    """
    found = {**versions(), **{name: _version(name) for name in ("click", "iminuit", "matplotlib")}}
    notes: list[str] = []
    problems: list[str] = []
    for requirement in metadata.requires("na64-limits") or ():
        name = requirement.split(";")[0].split(">")[0].split("<")[0].split("=")[0].strip()
        if "extra ==" not in requirement and _version(name) == "missing":
            problems.append(f"{name} is not installed ({requirement})")
    if found["pyhf"] == "0.7.6" and _numbers(found["numpy"]) >= (2, 4):
        notes.append(
            "pyhf 0.7.6 with numpy 2.4 or later: pyhf's own toy calculator raises TypeError; "
            "na64-limits does not use it"
        )
    if found["pyhf"] == "0.7.6":
        notes.append(
            "pyhf 0.7.6 upper_limit ignores `level` in its root-finding mode and returns the 95 % "
            "limit (pyhf issue 2563); na64-limits does not use it"
        )
    folder = cache_folder()
    if folder is not None and (wrong := folder_problem(folder)):
        problems.append(
            f"tables cannot be kept in the cache: {wrong}; {CACHE_VARIABLE} names another folder"
        )
    try:
        chosen_size(None)
    except InputError as error:
        problems.append(str(error))
    return {
        "versions": found,
        "location": str(Path(__file__).resolve().parents[2]),
        "plugins": sorted(point.name for point in metadata.entry_points(group="na64.mediators")),
        "cache": _cache(),
        "notes": notes,
        "problems": problems,
    }


def _cache() -> dict[str, str | None]:
    """Return where tables are cached and how much is there."""
    folder = cache_folder()
    if folder is None:
        why = (
            f"by {CACHE_VARIABLE}" if os.environ.get(CACHE_VARIABLE) else "there is no home folder"
        )
        return {"folder": None, "note": f"off, {why}"}
    try:
        found, largest = usage(folder), chosen_size(None)
    except InputError as error:
        return {"folder": str(folder), "note": str(error)}
    except OSError as error:
        return {"folder": str(folder), "note": f"cannot be read: {error.strerror}"}
    note = (
        f"{found.tables} tables, {found.size / 1e6:.1f} MB of {largest / 1e6:.0f} MB; "
        f"{CACHE_VARIABLE} moves it, {SIZE_VARIABLE} bounds it"
    )
    return {"folder": str(folder), "note": note}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version."""
    numbers = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
