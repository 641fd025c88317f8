"""Pages of the API: one for each package with what it exports, one for each of its rooms.

Which there are is read off the ``__all__`` of the modules, so that nothing can be forgotten; when
the site has been read, a public name without an entry is a warning. Modules of the command line are
left out: what they do is on the page of the command line.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_origin

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGES = ("na64.limits", "na64.models", "na64.workspaces")
LEFT_OUT = ("na64.limits.cli",)
FOLDER = Path("reference") / "generated"


def modules(package: str) -> dict[str, ModuleType]:
    """Return the modules of a package, itself first, by name."""
    top = importlib.import_module(package)
    found = {package: top}
    for entry in pkgutil.walk_packages(top.__path__, prefix=f"{package}."):
        if entry.name in LEFT_OUT or entry.name.startswith(tuple(f"{n}." for n in LEFT_OUT)):
            continue
        found[entry.name] = importlib.import_module(entry.name)
    return found


def exported() -> dict[str, Any]:
    """Return what the three packages export, by the name that users import."""
    return {
        f"{package}.{name}": getattr(importlib.import_module(package), name)
        for package in PACKAGES
        for name in importlib.import_module(package).__all__
    }


def _home(module: ModuleType, name: str) -> str:
    """Return the module in which a public name of another is defined."""
    return str(getattr(getattr(module, name), "__module__", module.__name__))


def own_names(module: ModuleType) -> list[str]:
    """Return the public names that a module defines; constants count where they are listed."""
    return [
        name
        for name in getattr(module, "__all__", ())
        if not inspect.ismodule(getattr(module, name))
        and (
            not (inspect.isclass(getattr(module, name)) or inspect.isroutine(getattr(module, name)))
            or _home(module, name) == module.__name__
        )
    ]


def _entry(full: str, value: Any) -> str:
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return f".. auto{kind}:: {full}\n   :members:\n   :show-inheritance:\n"
    if inspect.isroutine(value):
        return f".. autofunction:: {full}\n"
    if get_origin(value) is not None:
        module, _, name = full.rpartition(".")
        return f".. py:data:: {name}\n   :module: {module}\n\n   The type ``{value}``.\n"
    return f".. autodata:: {full}\n   :no-value:\n"


def _title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}\n\n"


def _listed(names: list[str]) -> str:
    return ".. autosummary::\n\n" + "".join(f"   {name}\n" for name in names) + "\n"


def _toctree(names: list[str]) -> str:
    return ".. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in names) + "\n"


def pages() -> dict[str, str]:
    """Return the pages as reStructuredText by name of the file, without suffix.

    One is a package with what it exports, or a room of it with its modules as sections: a page for
    each module would make the list beside every page hundreds of lines long.
    """
    public = exported()
    homes = {
        f"{value.__module__}.{value.__qualname__}": full
        for full, value in public.items()
        if hasattr(value, "__qualname__")
    }
    made: dict[str, str] = {}
    for package in PACKAGES:
        rooms: dict[str, list[str]] = {}
        found = modules(package)
        for name, module in found.items():
            if name != package and own_names(module):
                here = name if hasattr(module, "__path__") else name.rpartition(".")[0]
                # what lies beside the rooms, under no room's name
                rooms.setdefault(f"{package}.modules" if here == package else here, []).append(name)
        names = [full for full in public if full.rpartition(".")[0] == package]
        made[package] = (
            _title(package)
            + f".. automodule:: {package}\n\n"
            + _listed([full.removeprefix(f"{package}.") for full in names])
            + _toctree(sorted(rooms))
            + "\n".join(_entry(full, public[full]) for full in names)
        )
        for room, inside in rooms.items():
            made[room] = _title(_room_title(room)) + "".join(
                _module_section(name, found[name], homes) for name in inside
            )
    return made


def _room_title(room: str) -> str:
    package, _, last = room.rpartition(".")
    return f"{package}: beside the rooms" if last == "modules" else room


def _module_section(name: str, module: ModuleType, homes: dict[str, str]) -> str:
    text = _title(name, "-") + f".. automodule:: {name}\n\n"
    for own in own_names(module):
        full = f"{name}.{own}"
        if full in homes:  # described once, under the shorter name
            text += f"`{own}` is exported: :py:obj:`{homes[full]}`.\n\n"
        else:
            text += _entry(full, getattr(module, own)) + "\n"
    return text


def public_names() -> set[str]:
    """Return every public name: those exported, and those of modules under their full names."""
    names = set(exported())
    described = {
        f"{value.__module__}.{value.__qualname__}"
        for value in exported().values()
        if hasattr(value, "__qualname__")
    }
    for package in PACKAGES:
        for name, module in modules(package).items():
            if name != package:
                names |= {f"{name}.{own}" for own in own_names(module)}
    return names - described


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for stale in folder.glob("*.rst"):
        if stale.stem not in made:
            stale.unlink()
    for name, text in made.items():
        file = folder / f"{name}.rst"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def _check(app: Sphinx, environment: BuildEnvironment) -> None:
    from sphinx.util import logging

    described = environment.domains["py"].objects  # type: ignore[attr-defined]
    for name in sorted(public_names() - set(described)):
        logging.getLogger(__name__).warning("the public name %s has no entry on any page", name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before the site is read, compare with the names afterwards."""
    app.connect("builder-inited", _write)
    app.connect("env-check-consistency", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
