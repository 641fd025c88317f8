"""Validation of documents against the JSON Schemas that come with the package."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final

from na64.models.errors import InputError

__all__ = ["validate"]

#: characters of a validator's message that are shown
_LONGEST_REASON: Final = 300


@cache
def _validator(name: str) -> Any:
    import jsonschema  # slow to import, and only files that are read need it

    text = resources.files("na64.workspaces").joinpath("schemas", name).read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def validate(document: object, kind: str, schema: str, where: str) -> dict[str, Any]:
    """Return a document that fits its schema.

    Parameters
    ----------
    document
        What the JSON file holds.
    kind
        What it ought to be, in words: ``"scan"``.
    schema
        Name and version, as in the document's key ``schema``: ``"na64-limits/scan/1"``.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For another kind of document, another version, or the first place that does not fit.
    """
    if not isinstance(document, dict) or "schema" not in document:
        raise InputError(f"{where}: not a {kind} of na64-limits (it has no key 'schema')")
    if document["schema"] != schema:
        raise InputError(
            f"{where}: has schema '{document['schema']}', this version reads '{schema}'"
        )
    _, name, version = schema.split("/")
    _check(document, f"{name}-{version}.json", where)
    # one schema for what all kinds have in common
    _check(document.get("provenance", {}), "provenance-1.json", f"{where}: provenance")
    return document


def _check(document: object, schema: str, where: str) -> None:
    problems = sorted(_validator(schema).iter_errors(document), key=lambda found: found.json_path)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        why = problems[0].message
        if len(why) > _LONGEST_REASON:  # the validator quotes what is wrong; the end says why
            why = f"... {why[-_LONGEST_REASON:]}"
        raise InputError(f"{where}: {problems[0].json_path}: {why}{more}")
