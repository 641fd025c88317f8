"""The schema of workspaces, checked by pyhf, with errors that name the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from na64.limits.likelihood.modifiers import MODIFIERS
from na64.models.errors import InputError

__all__ = ["check_schema"]

#: characters of a validator's message that are shown; its end says what is wrong
_LONGEST_REASON = 120


def check_schema(spec: Mapping[str, Any]) -> None:
    """Check a workspace against pyhf's own JSON schema, in the version that it names.

    Raises
    ------
    InputError
        For a version that the installed pyhf does not read, and if the workspace does not
        satisfy the schema; the message has the path.
    """
    import pyhf  # slow to import, needed only here

    known = sorted(
        entry.name for entry in pyhf.schema.variables.schemas.iterdir() if entry.is_dir()
    )
    version = spec.get("version")
    if version not in known:
        said = "names no version" if version is None else f"is of version {version!r}"
        raise InputError(
            f"not a valid pyhf workspace: it {said} of the specification; pyhf "
            f"{pyhf.__version__} reads {', '.join(known)} (the key 'version', a text)"
        )
    try:
        pyhf.schema.validate(spec, "workspace.json", version=version)
    except pyhf.exceptions.InvalidSpecification as error:
        raise InputError(f"not a valid pyhf workspace: {_place(spec, error)}") from error
    _check_bounds(spec)


def _check_bounds(spec: Mapping[str, Any]) -> None:
    """Refuse bounds of parameters that are no interval, which the schema allows."""
    for number, measurement in enumerate(spec.get("measurements", ())):
        for place, item in enumerate(measurement["config"]["parameters"]):
            for index, pair in enumerate(item.get("bounds", ())):
                if len(pair) != 2 or pair[0] > pair[1]:
                    raise InputError(
                        f"not a valid pyhf workspace: measurements[{number}].config.parameters"
                        f"[{place}].bounds[{index}] ('{item['name']}'): must be two numbers, the "
                        f"lower one first, is {str(pair)[:60]}"
                    )


def _place(spec: Mapping[str, Any], error: Any) -> str:
    """Return where a workspace fails the schema and why, in one line.

    The validator's own text quotes the whole part that is wrong, which may be all of the workspace.
    """
    problem = error.parent
    names, node = [], spec
    for key in problem.path:
        node = node[key]
        if isinstance(node, Mapping) and isinstance(node.get("name"), str):
            names.append(f"'{node['name']}'")
    why = " ".join(problem.message.split())
    if isinstance(node, Mapping) and "modifiers" in problem.path and "type" in node:
        known = ", ".join(MODIFIERS)
        why = f"no modifier of type '{node['type']}' looks like this; known: {known}"
    elif len(why) > _LONGEST_REASON:
        why = f"... {why[-_LONGEST_REASON:]}"
    within = f" ({', '.join(names)})" if names else ""
    return f"{error.path or 'the document'}{within}: {why}"
