"""The packages and data files of pyproject.toml are those of the tree, and imports stay cheap."""

from __future__ import annotations

import fnmatch
import os
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.shared import ROOT

FOLDERS = ("limits", "models", "workspaces")
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def tree_files() -> list[Path]:
    """Return the files of the three folders, relative to the root, without caches."""
    return [
        path.relative_to(ROOT)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def package_of(path: Path) -> str:
    return ".".join(("na64", *path.parent.parts))


def is_listed_data(path: Path) -> bool:
    for package, patterns in SETUPTOOLS["package-data"].items():
        folder = Path(*package.split(".")[1:])
        if path.is_relative_to(folder):
            inside = path.relative_to(folder).as_posix()
            if any(fnmatch.fnmatchcase(inside, pattern) for pattern in patterns):
                return True
    return False


def test_packages_are_the_folders_with_an_init() -> None:
    found = {package_of(path) for path in tree_files() if path.name == "__init__.py"}
    assert found == set(SETUPTOOLS["packages"])
    assert SETUPTOOLS["packages"] == sorted(SETUPTOOLS["packages"])


def test_every_module_lies_in_a_listed_package() -> None:
    modules = {package_of(path) for path in tree_files() if path.suffix == ".py"}
    assert modules == set(SETUPTOOLS["packages"])


def test_every_data_file_is_listed() -> None:
    data = [path for path in tree_files() if path.suffix != ".py"]
    assert data
    assert [str(path) for path in data if not is_listed_data(path)] == []


def test_every_data_pattern_finds_a_file() -> None:
    for package, patterns in SETUPTOOLS["package-data"].items():
        folder = ROOT.joinpath(*package.split(".")[1:])
        for pattern in patterns:
            assert list(folder.glob(pattern)), f"{package}: {pattern}"


def test_every_module_and_data_file_is_in_the_wheel(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    build = "from setuptools import build_meta; print(build_meta.build_wheel('../dist'))"
    done = python("-c", build, cwd=source)
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {f"na64/{path.as_posix()}" for path in tree_files()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_bare_folder_refuses_to_be_imported(folder: str) -> None:
    done = python("-c", f"import {folder}", cwd=ROOT)
    assert done.returncode == 1
    assert f"this folder is installed as 'na64.{folder}'" in done.stderr


def test_the_namespace_has_no_init_of_its_own() -> None:
    # an __init__.py there would shut out other distributions of the namespace
    assert not (ROOT / ".typing" / "na64" / "__init__.py").exists()
    assert sorted(path.name for path in (ROOT / ".typing" / "na64").iterdir()) == list(FOLDERS)
    for folder in FOLDERS:
        link = ROOT / ".typing" / "na64" / folder
        assert os.readlink(link) == f"../../{folder}"


def test_the_lowest_versions_are_the_bounds_of_the_project() -> None:
    # what .ci/run tests with; made again by scripts/make_lowest_versions
    made = runpy.run_path(str(ROOT / "scripts" / "make_lowest_versions"))
    assert made["FILE"].read_text() == made["lowest_versions"]()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) > made["TOOLS"]
    assert "scripts/test --lowest" in (ROOT / ".ci" / "run").read_text()


HEAVY = ("scipy", "pyhf", "matplotlib", "iminuit", "jsonschema", "pandas")


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("na64.limits", ()),
        ("na64.models", ()),
        ("na64.workspaces", ()),
        ("na64.limits.cli", ()),
    ],
)
def test_import_is_cheap(module: str, allowed: tuple[str, ...], tmp_path: Path) -> None:
    code = f"import sys, {module}; print(*[m for m in {(*HEAVY, 'numpy')!r} if m in sys.modules])"
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(allowed)


@pytest.mark.parametrize("package", ["na64.limits", "na64.models", "na64.workspaces"])
def test_each_re_export_is_listed_and_no_submodule_hides_it(package: str, tmp_path: Path) -> None:
    code = (
        f"import importlib, pkgutil, types, {package} as p\n"
        "names = getattr(p, '__all__', [])\n"
        "assert set(names) <= set(dir(p)), names\n"
        "assert not set(names) & {m.name for m in pkgutil.iter_modules(p.__path__)}\n"
        "for name in names:\n"
        "    assert not isinstance(getattr(p, name), types.ModuleType), name\n"
        "try:\n"
        "    p.no_such_name\n"
        "except AttributeError as error:\n"
        "    assert 'no_such_name' in str(error)\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
