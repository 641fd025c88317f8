"""The site has every page, every public name and every figure; its links have the right form.

The site itself is built by scripts/docs, with warnings as errors; these tests need no Sphinx.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location, spec_from_loader
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from na64.limits.programme.reader import available_figures
from tests.shared import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "auto_examples" not in path.parts)
INDEX = (DOCS / "index.md").read_text(encoding="utf-8")


def extension(name: str) -> ModuleType:
    spec = spec_from_file_location(f"_site_{name}", DOCS / "_extensions" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def listed() -> list[str]:
    """Return the entries of all lists of pages in the index."""
    trees = re.findall(r"```\{toctree\}\n(.*?)```", INDEX, re.DOTALL)
    lines = [line.strip() for tree in trees for line in tree.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def test_every_page_is_listed_once() -> None:
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES} - {"index"}
    entries = listed()
    assert len(entries) == len(set(entries))
    written = {name for name in entries if not name.startswith(("reference/", "auto_examples/"))}
    assert written == pages


def public_names() -> Iterator[str]:
    """Yield every public name under the module that lists it, without the command line's."""
    for top in ("na64.limits", "na64.models", "na64.workspaces"):
        package = importlib.import_module(top)
        yield from (f"{top}.{name}" for name in package.__all__)
        for found in pkgutil.walk_packages(package.__path__, prefix=f"{top}."):
            if not found.name.startswith("na64.limits.cli"):
                module = importlib.import_module(found.name)
                yield from (f"{found.name}.{name}" for name in getattr(module, "__all__", ()))


def test_every_public_name_has_an_entry() -> None:
    pages = extension("api_pages").pages()
    entries = {
        name
        for text in pages.values()
        for name in re.findall(r"^\.\. auto\w+:: (\S+)$", text, re.MULTILINE)
    } | {
        f"{module}.{name}"
        for text in pages.values()
        for name, module in re.findall(r"^\.\. py:data:: (\S+)\n   :module: (\S+)$", text, re.M)
    }
    told = {
        f"{module}.{name}"
        for text in pages.values()
        for module, section in re.findall(
            r"^\.\. automodule:: (\S+)$(.*?)(?=^\.\. automodule::|\Z)",
            text,
            re.DOTALL | re.MULTILINE,
        )
        for name in re.findall(r"^`(\w+)` is exported:", section, re.MULTILINE)
    }
    missing = set()
    for full in public_names():
        module, _, name = full.rpartition(".")
        value = getattr(importlib.import_module(module), name)
        home = f"{getattr(value, '__module__', module)}.{getattr(value, '__qualname__', name)}"
        if not {full, home} & (entries | told):
            missing.add(full)
    assert missing == set()
    assert len(entries) > 700
    # every page of the reference can be reached: the packages are listed, the rooms below them
    assert {name for name in pages if f"reference/generated/{name}" in listed()} == {
        "na64.limits",
        "na64.models",
        "na64.workspaces",
    }
    for name in pages:
        package = ".".join(name.split(".")[:2])
        assert name == package or f"\n   {name}\n" in pages[package]


def test_there_is_a_script_for_every_figure_of_the_programme() -> None:
    loader = SourceFileLoader("figure_scripts", str(ROOT / "scripts" / "make_figure_scripts"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    script = module_from_spec(spec)
    loader.exec_module(script)
    made = script.scripts()
    there = {path.name: path.read_text("utf-8") for path in (DOCS / "examples").glob("plot_*.py")}
    assert there == made, "run scripts/make_figure_scripts"
    assert len(made) == len(available_figures())
    for name, text in made.items():
        compile(text, name, "exec")


ARXIV = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z-]+/\d{7})(?:v\d+)?")
#: `arXiv:` with what follows, up to a space or punctuation
NAMED = re.compile(r"arXiv:(?:\s*)([^\s,;:)\]}`\"'|]+)")


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda p: p.name)
def test_links_that_leave_the_site_have_the_right_form(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for found in NAMED.findall(text):
        assert ARXIV.fullmatch(found.rstrip(".*")), f"arXiv:{found}"
    for link in re.findall(r"\]\((https?:[^)\s]+)\)", text):
        parts = urlsplit(link)
        assert parts.scheme == "https", link
        assert "." in parts.netloc, link
        if parts.netloc.endswith("arxiv.org"):
            assert ARXIV.fullmatch(re.sub(r"^/(abs|pdf)/", "", parts.path)), link
        if parts.netloc.endswith("doi.org"):
            assert re.fullmatch(r"/10\.\d{4,9}/\S+", parts.path), link


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(DOCS).as_posix())
def test_links_within_the_site_lead_to_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        file = (page.parent / target).resolve() if target else page
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        # as code hosts name them: lower case, no punctuation, hyphens for spaces
        names = {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
        assert anchor in names, f"{target}#{anchor}"


def test_formulae_in_docstrings_are_kept_as_they_are() -> None:
    convert = extension("docstrings").as_restructured_text
    text = ["A width |p| of g_* and z_.", "", "    sigma = |k|/s", "        + t", "", "Then on."]
    assert convert(text) == [
        "A width \\|p\\| of g\\_* and z\\_.",
        "",
        ".. code-block:: none",
        "",
        "    sigma = |k|/s",
        "        + t",
        "",
        "Then on.",
    ]
    parameters = ["Parameters", "----------", "mass_gev", "    Mass, ``|m|``.", "", "    And so."]
    assert convert(parameters) == parameters


def test_what_is_loaded_from_elsewhere_is_found(tmp_path: Path) -> None:
    remote = extension("offline").remote_assets
    page = tmp_path / "page.html"
    page.write_text('<a href="https://arxiv.org">x</a><script src="_static/a.js"></script>')
    assert remote(tmp_path) == []
    page.write_text('<script src="https://cdn.example.org/a.js"></script>')
    (tmp_path / "a.css").write_text("@import url(https://fonts.example.org/css);")
    assert len(remote(tmp_path)) == 2
