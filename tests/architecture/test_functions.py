"""Functions stay small: eight parameters, cyclomatic complexity 15."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

PARAMETERS = 8
COMPLEXITY = 15
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def functions(node: ast.AST, inside_class: bool = False) -> Iterator[tuple[Function, bool]]:
    """Yield every function below a node, and whether it is a method with `self` or `cls`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            static = not isinstance(child, ast.Lambda) and any(
                isinstance(mark, ast.Name) and mark.id == "staticmethod"
                for mark in child.decorator_list
            )
            yield child, inside_class and not static
        yield from functions(child, isinstance(child, ast.ClassDef))


def parameters(function: Function, method: bool) -> int:
    """Count the parameters of a function, `self`, `*args` and `**options` not included."""
    arguments = function.args
    return len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs) - method


def may_have_more(module: str, name: str) -> bool:
    """Say whether a function is `scan()` or a command of the command line.

    The options of a command are its parameters, because click calls it by keyword.
    """
    return (module, name) == ("na64.limits.scanning.runner", "scan") or (
        module.startswith("na64.limits.cli.") and name == "command"
    )


def is_command(function: Function) -> bool:
    """Say whether a function has a decorator such as `@click.command` or `@group.command`."""
    marks = [] if isinstance(function, ast.Lambda) else function.decorator_list
    called = [mark.func if isinstance(mark, ast.Call) else mark for mark in marks]
    return any(isinstance(mark, ast.Attribute) and mark.attr == "command" for mark in called)


def test_no_function_has_more_than_eight_parameters(sources: Mapping[str, ast.Module]) -> None:
    wrong = []
    for module, tree in sources.items():
        for function, method in functions(tree):
            name = getattr(function, "name", "lambda")
            command = module.startswith("na64.limits.cli.") and is_command(function)
            count = parameters(function, method)
            if count > PARAMETERS and not command and not may_have_more(module, name):
                wrong.append(f"{module}:{function.lineno} {name}: {count} parameters")
    assert not wrong, f"{len(wrong)} functions:\n" + "\n".join(wrong)


def test_parameters_are_counted() -> None:
    text = (
        "class A:\n"
        "    def f(self, a, *rest, b=1, **options): ...\n"
        "    @staticmethod\n"
        "    def g(a, b): ...\n"
        "def h(a, /, b, *, c): return lambda d: d\n"
    )
    found = {
        getattr(function, "name", "lambda"): parameters(function, method)
        for function, method in functions(ast.parse(text))
    }
    assert found == {"f": 2, "g": 2, "h": 3, "lambda": 1}


def _ruff(*words: str, root: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json", *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return [
        f"{Path(one['filename']).relative_to(root)}:{one['location']['row']} {one['message']}"
        for one in json.loads(done.stdout)
    ]


def test_no_function_is_too_complex(root: Path) -> None:
    # without the settings of the project and its exceptions: no comment hides a function
    wrong = _ruff(
        *("--isolated", "--ignore-noqa", "--select=C901"),
        f"--config=lint.mccabe.max-complexity={COMPLEXITY}",
        *("limits", "models", "workspaces"),
        root=root,
    )
    assert not wrong, "\n".join(wrong)


def test_the_lint_of_the_project_enforces_both(root: Path) -> None:
    lint = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"C901", "PLR0913"} <= set(lint["select"])
    assert lint["mccabe"]["max-complexity"] == COMPLEXITY
    assert lint["pylint"]["max-args"] == PARAMETERS
