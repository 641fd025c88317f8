"""JSON patches (RFC 6902) of workspaces: applied by jsonpatch, refused in one line.

A published likelihood is a workspace with the background and, for every signal, a patch that adds
it. Patches come from elsewhere: they may write to channels, observations and measurements only, and
cannot make a document much larger than what was given.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from na64.models.errors import InputError

__all__ = ["apply_patch", "check_operations"]

#: parts of a workspace that a patch may write to
WRITABLE: Final = ("channels", "observations", "measurements")
#: by how much a document with its patch may grow: an operation ``copy`` can double it each time
_LARGEST_GROWTH: Final = 10
#: what an operation of which kind has beside its path
_KINDS: Final = {
    "add": "value",
    "replace": "value",
    "test": "value",
    "remove": None,
    "move": "from",
    "copy": "from",
}


def check_operations(operations: object, where: str) -> list[dict[str, Any]]:
    """Return the operations of a JSON patch, having checked their form.

    Parameters
    ----------
    operations
        What the JSON holds.
    where
        What holds it, for messages.

    Raises
    ------
    InputError
        For what is no list of operations of RFC 6902, and for a path outside of what a patch may
        write to; the message has the number of the operation, from 0.
    """
    if not isinstance(operations, list):
        raise InputError(f"{where}: not a JSON patch, which is a list of operations")
    for index, operation in enumerate(operations):
        at = f"{where}, operation {index}"
        if not isinstance(operation, dict) or operation.get("op") not in _KINDS:
            raise InputError(f"{at}: not an operation with 'op' one of {', '.join(_KINDS)}")
        kind = operation["op"]
        for key in ("path", _KINDS[kind]):
            if key is not None and key not in operation:
                raise InputError(f"{at} ({kind}): has no '{key}'")
        for key in ("path", "from"):
            if key == "path" or _KINDS[kind] == key:
                _check_path(operation[key], at, kind)
    return operations


def apply_patch(
    document: Mapping[str, Any], operations: Sequence[Mapping[str, Any]], *, name: str = "patch"
) -> dict[str, Any]:
    """Return a workspace with a patch applied; neither of the two is changed.

    Parameters
    ----------
    document
        The workspace.
    operations
        Operations of RFC 6902, in their order.
    name
        Name of the patch, for messages.

    Raises
    ------
    InputError
        Where an operation has no place in the document, its test fails, it would write outside of
        channels, observations and measurements, or the document would grow beyond ten times what
        was given. The message has the operation and how far its path leads.
    """
    import jsonpatch  # pyhf's own, and as slow to import as the workspace needs it
    from jsonpointer import JsonPointerException

    steps = check_operations([dict(operation) for operation in operations], name)
    largest = _LARGEST_GROWTH * (_size(document) + _size(steps))
    result: Any = copy.deepcopy(dict(document))
    for index, operation in enumerate(steps):
        try:
            if operation["op"] == "move" and operation["path"].startswith(operation["from"] + "/"):
                # RFC 6902, section 4.4; old releases of jsonpatch do it to the next item
                raise ValueError("into itself")
            # a copy: what is put into the document may be changed by the next operation
            result = jsonpatch.JsonPatch([copy.deepcopy(operation)]).apply(result, in_place=True)
        except (
            jsonpatch.JsonPatchException,
            JsonPointerException,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            raise InputError(
                f"{name}, operation {index} ({operation['op']} {_shown(operation['path'])}): "
                f"{_reason(result, operation)}"
            ) from error
        if operation["op"] == "copy" and _size(result) > largest:
            raise InputError(
                f"{name}, operation {index} (copy {_shown(operation['path'])}): the workspace "
                f"would be more than {_LARGEST_GROWTH} times as large as workspace and patch"
            )
    return dict(result)


def _check_path(path: object, at: str, kind: str) -> None:
    if not isinstance(path, str) or not path.startswith("/") or re.search("~(?![01])", path):
        raise InputError(
            f"{at} ({kind}): a path is a text such as '/channels/0/samples/1', in which ~0 stands "
            f"for ~ and ~1 for /; not {_shown(repr(path))}"
        )
    head, *_ = path[1:].split("/")
    if head not in WRITABLE:
        raise InputError(
            f"{at} ({kind} {_shown(path)}): a patch of a workspace may touch "
            f"{', '.join(WRITABLE)} only"
        )


def _reason(document: Any, operation: Mapping[str, Any]) -> str:
    """Say why an operation has no place in a document."""
    for key in ("from", "path"):
        if key not in operation or (key == "from" and _KINDS[operation["op"]] != "from"):
            continue
        new = key == "path" and operation["op"] in ("add", "copy", "move")
        if problem := _unreached(document, operation[key], new):
            return problem
    if operation["op"] == "test":
        return "the value there is another"
    return "it cannot be applied there"


def _unreached(document: Any, path: str, new: bool) -> str:
    """Say where a path leaves a document, empty if it does not.

    The last part of a path to something new need not exist, but has to be possible.
    """
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    node = document
    for depth, part in enumerate(parts):
        here = _shown("/" + "/".join(path[1:].split("/")[:depth])) if depth else "the document"
        last = new and depth == len(parts) - 1
        if isinstance(node, list):
            if last and (part == "-" or (part.isdigit() and int(part) <= len(node))):
                return ""
            if not part.isdigit() or int(part) >= len(node):
                return f"{here} has {len(node)} items, from 0, and none is '{_shown(part)}'"
            node = node[int(part)]
        elif isinstance(node, dict):
            if last:
                return ""
            if part not in node:
                return f"{here} has no '{_shown(part)}' but {_shown(', '.join(map(str, node)))}"
            node = node[part]
        else:
            return f"{here} is no list and no object"
    return ""


def _shown(text: str) -> str:
    """Shorten what somebody else wrote."""
    return text if len(text) <= 80 else f"{text[:77]}..."


def _size(value: object) -> int:
    """Count the numbers, texts, lists and objects of a document."""
    count, level = 0, [value]
    while level:
        count += len(level)
        level = [
            part
            for item in level
            if isinstance(item, (dict, list))
            for part in (item.values() if isinstance(item, dict) else item)
        ]
    return count
