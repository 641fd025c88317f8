"""No two modules import one another, and every room knows only the rooms below it.

The graph is read from the source: imports inside functions and under TYPE_CHECKING count, and so
do modules named by a string that `importlib` is given ("na64.a.b", "na64.a.b:function", and with
f"{__name__}.{name}" every module beside of which the file has the name).
`from package import name` is an import of the submodule of that name, and of the package itself if
there is none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

Graph = Mapping[str, Mapping[str, int]]  #: module -> imported module -> first line

#: rooms of `limits`, from the top; the rooms of one row do not know one another
LAYERS = (
    ("na64.limits.cli",),
    (
        "na64.limits.campaigns",
        "na64.limits.programme",
        "na64.limits.publication",
        "na64.limits.explore",
    ),
    ("na64.limits.figures",),
    ("na64.limits.planes", "na64.limits.design"),
    ("na64.limits.scanning",),
    ("na64.limits.results",),
    ("na64.limits.inference",),
    ("na64.limits.calculators",),
    ("na64.limits.likelihood",),
    ("na64.workspaces",),
    ("na64.models",),
)
#: modules whose strings are no imports, and why: what they name is above them, is looked up when a
MODULE = re.compile(r"(na64(?:\.\w+)+)(?::\w+)?")


def _from(node: ast.ImportFrom, module: str, packages: frozenset[str]) -> str:
    """Return the absolute name of what stands after `from`."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    kept = len(parts) - node.level + (module in packages)
    return ".".join([*parts[:kept], *([node.module] if node.module else [])])


def _named(node: ast.AST, module: str, packages: frozenset[str]) -> Iterator[str]:
    """Yield what one node of the tree may import: candidates, which need not be modules."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _from(node, module, packages)
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = MODULE.fullmatch(node.value)
        if found and found[1] not in packages:  # packages are named for the data in them
            yield found[1]
    elif isinstance(node, ast.JoinedStr) and len(node.values) > 1:
        # f"na64.a.{name}" and f"{__name__}.{name}"
        text = "".join(
            str(part.value)
            if isinstance(part, ast.Constant)
            else module
            if isinstance(part, ast.FormattedValue)
            and isinstance(part.value, ast.Name)
            and part.value.id == "__name__"
            else "*"
            for part in node.values
        )
        if text.startswith("na64.") and text.endswith(".*"):
            yield text


def import_graph(sources: Mapping[str, ast.Module], packages: frozenset[str]) -> Graph:
    """Return what every module imports."""
    graph: dict[str, dict[str, int]] = {module: {} for module in sources}
    for module, tree in sources.items():
        for node in ast.walk(tree):
            for name in _named(node, module, packages):
                package = name.rpartition(".")[0]
                if name.endswith(".*"):
                    words = {w.value for w in ast.walk(tree) if isinstance(w, ast.Constant)}
                    beside = [other.rpartition(".") for other in sources]
                    found = ["".join(o) for o in beside if o[0] == package and o[2] in words]
                elif name in sources:
                    found = [name]
                else:
                    found = [package] if isinstance(node, ast.ImportFrom) else []
                for other in found:
                    if other in sources and other != module:
                        graph[module].setdefault(other, getattr(node, "lineno", 0))
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """Return the strongly connected components of more than one module (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in graph[module]:
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            at = stack.index(module)
            component = stack[at:]
            del stack[at:]
            if len(component) > 1:
                found.append(sorted(component))

    for module in graph:
        if module not in index:
            visit(module)
    return found


@pytest.fixture(scope="module")
def graph(sources: dict[str, ast.Module], packages: frozenset[str]) -> Graph:
    return import_graph(sources, packages)


def _layer(module: str) -> tuple[int, str] | None:
    """Return the row and the room of a module."""
    for row, rooms in enumerate(LAYERS):
        for room in rooms:
            if module == room or module.startswith(f"{room}."):
                return row, room
    return None


def test_no_circles(graph: Graph) -> None:
    told = [
        f"{len(component)} modules\n"
        + "\n".join(
            f"  {module}:{line} imports {other}"
            for module in component
            for other, line in sorted(graph[module].items())
            if other in component
        )
        for component in circles(graph)
    ]
    assert not told, f"{len(told)} circles of imports:\n" + "\n\n".join(told)


def test_rooms_know_only_what_is_below_them(graph: Graph) -> None:
    wrong = []
    for module, others in graph.items():
        for other, line in others.items():
            importing, imported = _layer(module), _layer(other)
            if importing is None or imported is None or importing[1] == imported[1]:
                continue
            if imported[0] <= importing[0]:
                wrong.append(f"{module}:{line} imports {other}")
    assert not wrong, f"{len(wrong)} imports upwards or sideways:\n" + "\n".join(sorted(wrong))


def test_every_folder_of_limits_is_a_room(root: Path) -> None:
    folders = {path.parent.name for path in (root / "limits").glob("*/__init__.py")}
    rooms = {room for row in LAYERS for room in row if room.startswith("na64.limits.")}
    assert {f"na64.limits.{folder}" for folder in folders} == rooms


def test_the_top_of_limits_is_small(root: Path) -> None:
    files = [path.name for path in (root / "limits").iterdir() if path.is_file()]
    assert len(files) <= 10, sorted(files)


def test_the_top_of_limits_imports_nothing_that_imports_it(graph: Graph) -> None:
    # the convenience of `from na64.limits import scan` is for users
    top = {module for module in graph if module.count(".") == 2 and _layer(module) is None}
    users = [
        f"{module}:{line} imports {other}"
        for module, others in graph.items()
        for other, line in others.items()
        if other in {"na64.limits", *top} and module.startswith("na64.")
    ]
    assert not users, "\n".join(users)


# the instrument itself


def _graph(**modules: str) -> Graph:
    sources = {f"na64.{name.replace('__', '.')}": ast.parse(text) for name, text in modules.items()}
    packages = frozenset(m for m in sources if any(o.startswith(f"{m}.") for o in sources))
    return import_graph(sources, packages)


@pytest.mark.parametrize(
    "text",
    [
        "import na64.p.b",
        "from na64.p import b",
        "from na64.p.b import name",
        "from . import b",
        "from .b import name",
        "def f():\n    from na64.p.b import name",
        "if TYPE_CHECKING:\n    from na64.p.b import Name",
        "PATH = 'na64.p.b'",
        "PATH = 'na64.p.b:function'",
        "NAMES = ['b']\nimport_module(f'na64.p.{NAMES[0]}')",
    ],
)
def test_every_way_of_importing_counts(text: str) -> None:
    graph = _graph(p="", p__a=text, p__b="from na64.p.a import x")
    assert "na64.p.b" in graph["na64.p.a"]
    assert circles(graph) == [["na64.p.a", "na64.p.b"]]


def test_a_name_of_a_package_is_the_package() -> None:
    graph = _graph(p="from na64.p.a import name", p__a="", p__b="from na64.p import name")
    assert dict(graph["na64.p.b"]) == {"na64.p": 1}
    assert circles(graph) == []
    graph = _graph(
        p="HOME = {'name': 'a'}\nload(f'{__name__}.{HOME[name]}')", p__a="from na64.p import name"
    )
    assert circles(graph) == [["na64.p", "na64.p.a"]]


def test_long_circles_are_found() -> None:
    ring = {f"m{i}": f"import na64.m{(i + 1) % 9}" for i in range(9)}
    (found,) = circles(_graph(**ring, aside="import na64.m3"))
    assert len(found) == 9
