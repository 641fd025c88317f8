"""``na64-limits workspace prune``, ``rename`` and ``patch``: other workspaces made of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import Decorator
from na64.limits.cli.report import Report, reporting

if TYPE_CHECKING:
    from na64.limits.likelihood.compiled import CompiledLikelihood
    from na64.workspaces.pyhf.patchsets import Patch, Patchset

__all__ = [
    "background_likelihood",
    "has_signal",
    "patch",
    "prune",
    "read_patches",
    "rename",
    "verified",
]

#: name of the sample that stands for a signal where a workspace has none
_PROBE: Final = "signal of no events"


def _names_option(kind: str, help: str) -> Decorator[Any]:
    return click.option(
        f"--{kind}", f"{kind.replace('-', '_')}s", metavar="NAME", multiple=True, help=help
    )


def _renaming_option(kind: str, help: str = "") -> Decorator[Any]:
    words = f"Call a {kind} NEW; repeatable.{help}"
    return click.option(
        f"--{kind}", f"{kind}s", metavar="OLD NEW", type=(str, str), multiple=True, help=words
    )


@click.command("prune", cls=Command)
@click.argument("file", metavar="WS.json|-")
@_names_option("channel", "Leave out a channel with its observation; a name or a pattern as mc_*.")
@_names_option("sample", "Leave out a sample, in every channel.")
@_names_option("modifier", "Leave out a modifier, on every sample.")
@_names_option("modifier-type", "Leave out modifiers of a type, such as staterror.")
@_names_option("measurement", "Leave out a measurement.")
@click.option(
    "--smaller-than",
    metavar="X",
    type=float,
    help="Leave out normsys and histosys modifiers that change no sample by X or more in any bin, "
    "relative, at one standard deviation.",
)
@reporting(".json", (".json",), json=False)
def prune(file: str, smaller_than: float | None, **wanted: tuple[str, ...]) -> Report:
    """Leave channels, samples, modifiers or measurements out of a workspace.

    Options are repeatable; every part but --smaller-than is as `Workspace.prune` of pyhf does it.
    """
    from na64.limits.cli.inputs import read_document
    from na64.models.errors import InputError
    from na64.workspaces.io.choice import chosen_names
    from na64.workspaces.pyhf.editing import effect_sizes, workspace_names
    from na64.workspaces.pyhf.editing import prune as pruned

    if smaller_than is None and not any(wanted.values()):
        raise InputError("nothing is left out: name a channel, sample, modifier or measurement")
    with the_console().progress("workspace"):
        document = read_document(file)
        names = workspace_names(document)
        chosen = {
            key: chosen_names(kind := key[:-1].replace("_", " "), patterns, names[kind])
            for key, patterns in wanted.items()
        }
        sizes = {} if smaller_than is None else effect_sizes(document)
        small = {name: size for name, size in sizes.items() if size < (smaller_than or 0.0)}
        chosen["modifiers"] = list(dict.fromkeys([*chosen["modifiers"], *small]))
        result = pruned(document, **chosen)
        _check_edited(result)
    said = [f"left out {name}: {size:.3g} at most" for name, size in small.items()]
    if smaller_than is not None and not small:
        said = [f"no modifier is smaller than {smaller_than:g}"]
    return _written(result, said)


@click.command("rename", cls=Command)
@click.argument("file", metavar="WS.json|-")
@_renaming_option("channel")
@_renaming_option("sample")
@_renaming_option("modifier", " With the name of another it is one parameter with it.")
@_renaming_option("measurement")
@reporting(".json", (".json",), json=False)
def rename(file: str, **wanted: tuple[tuple[str, str], ...]) -> Report:
    """Give channels, samples, modifiers or measurements of a workspace other names.

    All new names take effect at once, as `Workspace.rename` of pyhf does it.
    """
    from na64.limits.cli.inputs import read_document
    from na64.models.errors import InputError
    from na64.workspaces.pyhf.editing import rename as renamed
    from na64.workspaces.pyhf.editing import workspace_names

    if not any(wanted.values()):
        raise InputError("nothing is renamed: name a channel, sample, modifier or measurement")
    for key, pairs in wanted.items():
        olds = [old for old, _ in pairs]
        if twice := [old for old in olds if olds.count(old) > 1]:
            raise InputError(f"{key[:-1]} '{twice[0]}' gets two names")
    with the_console().progress("workspace"):
        document = read_document(file)
        result = renamed(document, **{key: dict(pairs) for key, pairs in wanted.items()})
        _check_edited(result)
    before = workspace_names(document)["modifier"]
    new = dict(wanted["modifiers"])
    said = [
        f"modifier '{old}' is one parameter with '{name}' now"
        for old, name in new.items()
        if name in before and name not in new
    ]
    return _written(result, said)


@click.command("patch", cls=Command)
@click.argument("file", metavar="WS.json|-")
@click.argument("patches", metavar="PATCH.json|PATCHSET.json|-")
@click.option("--name", metavar="NAME", help="Patch of the patchset by its name.")
@click.option(
    "--values", metavar="X,..", help="Patch of the patchset by its values, in the order of labels."
)
@click.option(
    "--unverified",
    is_flag=True,
    help="Apply it to another workspace than the one whose digest the patchset has.",
)
@reporting(".json", (".json",), json=False)
def patch(
    file: str, patches: str, name: str | None, values: str | None, unverified: bool
) -> Report:
    """Apply a JSON patch, or one patch of a pyhf patchset, to a workspace."""
    from na64.limits.cli.inputs import read_any, read_document
    from na64.models.errors import InputError
    from na64.workspaces.pyhf.patching import apply_patch, check_operations
    from na64.workspaces.pyhf.patchsets import read_patchset

    if file == "-" == patches:
        raise InputError("stdin ('-') is given twice")
    where = "stdin" if patches == "-" else patches
    with the_console().progress("workspace"):
        given = read_any(patches)
        if isinstance(given, list):
            if name is not None or values is not None:
                raise InputError(f"{where}: one JSON patch, of which none can be chosen")
            result = apply_patch(read_document(file), check_operations(given, where), name=where)
            _check_edited(result)
            return _written(result, [])
        patchset = read_patchset(given, where)
        chosen = _chosen(patchset, name, values)
        document = read_document(file)
        warnings = verified(patchset, document, unverified)
        result = chosen.apply(document)
        _check_edited(result)
    return _written(result, [], warnings=warnings)


def read_patches(name: str) -> Patchset:
    """Return the patchset of a file, or of ``-``."""
    from na64.limits.cli.inputs import read_any
    from na64.workspaces.pyhf.patchsets import read_patchset

    return read_patchset(read_any(name), "stdin" if name == "-" else name)


def background_likelihood(document: Mapping[str, Any]) -> CompiledLikelihood:
    """Compile a workspace that may have no signal.

    A sample without events stands for the signal then, so that all the rest is checked and named.

    Raises
    ------
    InputError
        For what cannot be compiled.
    """
    from na64.limits.likelihood.compiled import compile_workspace

    poi = document["measurements"][0]["config"]["poi"]
    if has_signal(document):
        return compile_workspace(document, validate=False)
    first, *others = document["channels"]
    probe = {
        "name": _PROBE,
        "data": [0.0] * len(first["samples"][0]["data"]),
        "modifiers": [{"name": poi, "type": "normfactor", "data": None}],
    }
    channels = [{**first, "samples": [probe, *first["samples"]]}, *others]
    return compile_workspace({**document, "channels": channels}, validate=False)


def has_signal(document: Mapping[str, Any]) -> bool:
    """Say whether a sample carries the parameter of interest of the first measurement."""
    poi = document["measurements"][0]["config"]["poi"]
    return any(
        modifier["name"] == poi
        for channel in document["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
    )


def _chosen(patchset: Patchset, name: str | None, values: str | None) -> Patch:
    """Return the one patch that is asked for."""
    from na64.models.errors import InputError

    if (name is None) == (values is None):
        raise InputError(
            f"a patchset of {len(patchset)} patches, from '{patchset.names[0]}' to "
            f"'{patchset.names[-1]}': choose one with --name or --values"
        )
    if name is not None:
        return patchset.named(name)
    return patchset.at([_value(text.strip()) for text in str(values).split(",")])


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def verified(patchset: Patchset, document: Mapping[str, Any], unverified: bool) -> list[str]:
    """Return what to warn of; refuse another workspace unless that is allowed.

    Raises
    ------
    InputError
        For another workspace than the patchset's.
    """
    from na64.models.errors import InputError

    try:
        patchset.verify(document)
    except InputError as error:
        if not unverified:
            raise InputError(f"{error} (--unverified patches it all the same)") from error
        return [str(error)]
    return []


def _check_edited(document: Mapping[str, Any]) -> None:
    """Refuse to write what is no workspace any more."""
    from na64.limits.likelihood.validation import check_schema
    from na64.models.errors import InputError

    try:
        check_schema(document)
        background_likelihood(document)
    except InputError as error:
        raise InputError(f"the result would not do: {error}") from error


def _written(document: Mapping[str, Any], notes: Sequence[str], **said: Any) -> Report:
    """Return the report of a workspace."""
    from na64.workspaces.io.jsonio import faithful_json

    text = faithful_json(document) + "\n"
    if not has_signal(document):
        poi = document["measurements"][0]["config"]["poi"]
        notes = [*notes, f"no sample carries '{poi}': a workspace of the background only"]
    return Report(lambda _name: text, text, notes=notes, **said)
