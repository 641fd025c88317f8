"""Library code speaks of settings, not of the command line, and of no model or card of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from na64.models.mediators.registry import BUILT_IN

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")

#: where a model may be named, and why
MODELS_MAY_BE_NAMED_IN = {
    "na64.models.mediators": "the models are defined there, one row or function each",
    "na64.workspaces.cards.topologies": "a table: what a card means that names no model",
    "na64.limits.cli": "defaults of options",
}
#: where a shipped card may be named, and why
CARDS_MAY_BE_NAMED_IN = {
    "na64.workspaces.cards": "DEFAULT_CARD, the search that is meant where none is named",
    "na64.limits.cli": "the default of the argument SEARCH, and examples in help texts",
}


def strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield every string of a module that is no docstring."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield from [node] if isinstance(node.value, str) else []


def allowed(module: str, places: Mapping[str, str]) -> bool:
    """Say whether a module is one of the places; of the command line and mediators, all are."""
    rooms = ("na64.limits.cli", "na64.models.mediators")
    return module in places or any(
        module.startswith(f"{room}.") for room in rooms if room in places
    )


def named(
    sources: Mapping[str, ast.Module], names: set[str], places: Mapping[str, str]
) -> list[str]:
    """Return where one of these names stands in a string, as a word of its own."""
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(names)))})(?![\w-])")
    return [
        f"{module}:{node.lineno} {node.value!r}"
        for module, tree in sources.items()
        if not allowed(module, places)
        for node in strings(tree)
        if pattern.search(str(node.value))
    ]


def test_no_flag_of_the_command_line_in_the_library(sources: Mapping[str, ast.Module]) -> None:
    wrong = [
        f"{module}:{node.lineno} {node.value!r}"
        for module, tree in sources.items()
        if not module.startswith("na64.limits.cli")
        for node in strings(tree)
        if FLAG.search(str(node.value))
    ]
    assert not wrong, f"{len(wrong)} strings:\n" + "\n".join(wrong)


def test_no_model_is_named_in_general_code(sources: Mapping[str, ast.Module]) -> None:
    # names of one word, such as scalar, are also words for a kind of particle
    names = {name for name in BUILT_IN if "-" in name}
    assert len(names) >= 6
    wrong = named(sources, names, MODELS_MAY_BE_NAMED_IN)
    assert not wrong, f"{len(wrong)} strings:\n" + "\n".join(wrong)


def test_no_card_is_named_in_general_code(sources: Mapping[str, ast.Module], root: Path) -> None:
    names = {path.stem for path in (root / "workspaces" / "cards").glob("*.toml")}
    assert len(names) >= 20
    wrong = named(sources, names, CARDS_MAY_BE_NAMED_IN)
    assert not wrong, f"{len(wrong)} strings:\n" + "\n".join(wrong)


def test_every_allowed_place_exists(sources: Mapping[str, ast.Module]) -> None:
    places = {**MODELS_MAY_BE_NAMED_IN, **CARDS_MAY_BE_NAMED_IN}
    assert set(places) <= set(sources)


def test_docstrings_are_left_out_and_parts_of_f_strings_are_not() -> None:
    tree = ast.parse('"""--one"""\nx = f"{y}: give --two"\nz = "no-such--three"\n')
    found = [node.value for node in strings(tree) if FLAG.search(str(node.value))]
    assert found == [": give --two"]
