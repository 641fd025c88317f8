"""Patchsets: the signals of a published likelihood, each a JSON patch of its background workspace.

The format is that of pyhf, https://pyhf.readthedocs.io (schema ``patchset.json`` 1.0.0): labels of
the parameters of the signals, a name and the values of these parameters for every patch, and
digests of the workspace that the patches belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from na64.models.errors import InputError
from na64.workspaces.io.choice import chosen_names
from na64.workspaces.pyhf.patching import apply_patch, check_operations

__all__ = ["Patch", "Patchset", "read_patchset"]

Value = float | int | str

#: characters that messages quote of a file
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Patch:
    """One signal of a patchset.

    Attributes
    ----------
    name
        Its name, single in the patchset.
    values
        Values of the parameters, in the order of the labels.
    operations
        The JSON patch.
    """

    name: str
    values: tuple[Value, ...]
    operations: Sequence[Mapping[str, Any]]

    @property
    def channels(self) -> list[str]:
        """Places of the channels that it writes to, in the order of its operations."""
        paths = [operation["path"].split("/") for operation in self.operations]
        return list(dict.fromkeys(path[2] for path in paths if path[1:2] == ["channels"]))

    def apply(self, background: Mapping[str, Any]) -> dict[str, Any]:
        """Return the workspace with this signal; see `patching.apply_patch` beside this file."""
        return apply_patch(background, self.operations, name=f"patch '{self.name}'")


@dataclass(frozen=True, slots=True)
class Patchset:
    """Patches of one workspace.

    Attributes
    ----------
    labels
        Names of the parameters of the signals.
    patches
        The patches, in the order of the file.
    digests
        Digest of the workspace by the name of the algorithm: ``sha256``, ``md5``.
    description
        What the patches are.
    references
        Where they were published, by the name of the archive.
    """

    labels: tuple[str, ...]
    patches: tuple[Patch, ...]
    digests: Mapping[str, str]
    description: str
    references: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.patches)

    @property
    def names(self) -> list[str]:
        """Names of the patches."""
        return [patch.name for patch in self.patches]

    def named(self, name: str) -> Patch:
        """Return the patch of a name.

        Raises
        ------
        InputError
            If there is none.
        """
        (found,) = chosen_names("patch", [name], self.names)[:1]
        return next(patch for patch in self.patches if patch.name == found)

    def at(self, values: Sequence[Value]) -> Patch:
        """Return the patch of some values, in the order of the labels.

        Raises
        ------
        InputError
            For another number of values, and if no patch has them.
        """
        wanted = tuple(values)
        if len(wanted) != len(self.labels):
            raise InputError(
                f"{len(wanted)} values for the {len(self.labels)} labels {', '.join(self.labels)}"
            )
        for patch in self.patches:
            if patch.values == wanted:
                return patch
        raise InputError(f"no patch has {_written(self.labels, wanted)}{self._nearest(wanted)}")

    def take(self, patterns: Iterable[str]) -> Patchset:
        """Return the patchset of some patches, by names or patterns such as ``ERJR_1*``.

        Raises
        ------
        InputError
            For a name or pattern that fits no patch.
        """
        kept = set(chosen_names("patch", patterns, self.names))
        return replace(self, patches=tuple(p for p in self.patches if p.name in kept))

    def verify(self, background: Mapping[str, Any]) -> None:
        """Refuse a workspace that is not the one that the patches belong to.

        Raises
        ------
        InputError
            If a digest differs from that of `background`, which is that of pyhf: of the JSON with
            sorted keys, numbers as Python writes them.
        """
        from pyhf.utils import digest

        for algorithm, expected in self.digests.items():
            found = digest(background, algorithm=algorithm)
            if found != expected.lower():
                raise InputError(
                    f"the patchset is not for this workspace: it names one with {algorithm} "
                    f"{expected}, this one has {found}"
                )

    def _nearest(self, wanted: Sequence[Value]) -> str:
        """Name the patch with the nearest values, in units of the largest, if all are numbers."""
        points = [patch.values for patch in self.patches]
        if any(isinstance(value, str) for point in (wanted, *points) for value in point):
            return ""
        table, target = np.array(points, dtype=np.float64), np.array(wanted, dtype=np.float64)
        scale = np.abs(table).max(axis=0)
        distance = np.sum(((table - target) / np.where(scale > 0.0, scale, 1.0)) ** 2, axis=1)
        nearest = self.patches[int(np.argmin(distance))]
        return f"; the nearest is '{nearest.name}' with {_written(self.labels, nearest.values)}"


def read_patchset(document: object, where: str = "patchset") -> Patchset:
    """Return the patchset that a JSON document holds, as `pyhf.PatchSet` reads it.

    Parameters
    ----------
    document
        What the JSON file holds.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For what pyhf's schema of patchsets refuses, for two patches of one name or with the same
        values, another number of values than labels, and operations as
        `na64.workspaces.pyhf.patching.check_operations` refuses them.
    """
    import pyhf  # slow to import, needed only here
    from jsonpatch import JsonPatchException
    from jsonpointer import JsonPointerException

    if not isinstance(document, dict) or "patches" not in document:
        raise InputError(f"{where}: not a pyhf patchset, which is an object with 'patches'")
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(document.get("version", "1.0.0"))):
        raise InputError(f"{where}: a version is a text such as '1.0.0'")  # part of a file name
    try:
        found = pyhf.PatchSet(document)
    except pyhf.exceptions.SchemaNotFound as error:
        version = document.get("version")
        raise InputError(f"{where}: pyhf knows no patchsets of version '{version}'") from error
    except pyhf.exceptions.InvalidSpecification as error:
        place = f"{error.path}: " if error.path else ""
        reason = " ".join(str(error).split("\n")[0].split())
        raise InputError(f"{where}: not a valid pyhf patchset: {place}{_end(reason)}") from error
    except (
        pyhf.exceptions.InvalidPatchSet,
        JsonPatchException,
        JsonPointerException,
    ) as error:
        _check_patches(document, where)
        raise InputError(f"{where}: refused by pyhf: {_end(str(error))}") from error
    _check_patches(document, where)
    return Patchset(
        labels=tuple(found.labels),
        patches=tuple(Patch(each.name, each.values, each.patch) for each in found),
        digests=dict(found.digests),
        description=found.description,
        references=dict(found.references),
    )


def _check_patches(document: Mapping[str, Any], where: str) -> None:
    """Check what the schema cannot, with messages that name the patches."""
    labels = document["metadata"]["labels"]
    names: set[str] = set()
    owner: dict[tuple[Value, ...], str] = {}
    for item in document["patches"]:
        name, values = item["metadata"]["name"], tuple(item["metadata"]["values"])
        if name in names:
            raise InputError(f"{where}: two patches have the name '{name}'")
        if len(values) != len(labels):
            raise InputError(
                f"{where}: patch '{name}' has {len(values)} values for the {len(labels)} labels "
                f"{_end(', '.join(labels))}"
            )
        if values in owner:
            raise InputError(
                f"{where}: patches '{owner[values]}' and '{name}' have the same values, "
                f"{_written(labels, values)}"
            )
        names.add(name)
        owner[values] = name
        check_operations(item["patch"], f"{where}, patch '{name}'")


def _written(labels: Sequence[str], values: Sequence[Value]) -> str:
    """Write values with their labels."""
    return _end(
        ", ".join(f"{label} = {value}" for label, value in zip(labels, values, strict=True))
    )


def _end(text: str) -> str:
    """Return the end of a long text, where validators say what is wrong."""
    return text if len(text) <= _SHOWN else f"... {text[-_SHOWN:]}"
