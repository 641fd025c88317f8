"""scripts/run and scripts/test: one installation, any folder, plain words when it cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT

TOOLS = ("bash", "cat", "dirname", "mkdir", "readlink", "sh")

# Stands for the python of a virtual environment: notes what it is asked to do.
STUB = """\
#!/bin/sh
case "$1 $2" in
"-m pip" | "-m pytest" | "-m sphinx") echo "$*" >>"{log}" ;;
*) exec "{python}" "$@" ;;
esac
"""
COMMAND = """\
#!/bin/sh
echo "na64-limits $*" >>"{log}"
"""


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder for PATH with what the scripts need, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, f"{name} is needed for this test"
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what the scripts touch, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def log(checkout: Path) -> Path:
    """Put a stand-in for the environment into the checkout and return its log."""
    log = checkout / "log"
    executable(checkout / ".venv/bin/python", STUB.format(log=log, python=sys.executable))
    executable(checkout / ".venv/bin/na64-limits", COMMAND.format(log=log))
    return log


def run(program: Path, *arguments: str, tools: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env={"PATH": str(tools), "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("script", ["run", "test", "docs"])
def test_without_python_it_says_so(checkout: Path, tools: Path, script: str) -> None:
    done = run(checkout / "scripts" / script, tools=tools, cwd=checkout)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no Python >= 3.11 found")
    assert not (checkout / ".venv").exists()


def test_an_old_python_does_not_count(checkout: Path, tools: Path) -> None:
    executable(tools / "python3", "#!/bin/sh\nexit 1\n")
    done = run(checkout / "scripts/run", tools=tools, cwd=checkout)
    assert done.stderr.startswith("error: no Python >= 3.11 found")


def test_without_the_venv_module_it_says_so(checkout: Path, tools: Path) -> None:
    executable(tools / "python3.12", '#!/bin/sh\ncase "$2" in *venv*) exit 1 ;; esac\n')
    done = run(checkout / "scripts/test", tools=tools, cwd=checkout)
    assert done.returncode == 1
    assert done.stderr.startswith("error: python3.12 has no venv module")


def test_it_installs_once_and_again_when_the_project_file_changes(
    checkout: Path, tools: Path, log: Path
) -> None:
    script = checkout / "scripts/test"
    for _ in range(2):
        assert run(script, tools=tools, cwd=checkout).returncode == 0
    lines = log.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["pip", "pytest", "pytest"]
    assert lines[0].endswith(f"--editable {checkout}[test]")
    # what was installed for the tests is enough to run
    assert run(checkout / "scripts/run", tools=tools, cwd=checkout).returncode == 0
    assert sum("pip" in line for line in log.read_text().splitlines()) == 1
    with (checkout / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    assert run(script, tools=tools, cwd=checkout).returncode == 0
    assert sum("pip" in line for line in log.read_text().splitlines()) == 2


def test_the_lowest_versions_have_an_environment_of_their_own(
    checkout: Path, tools: Path, log: Path
) -> None:
    shutil.copytree(checkout / ".venv", checkout / ".venv-lowest")
    script = checkout / "scripts/test"
    assert run(script, "--lowest", "-x", tools=tools, cwd=checkout).returncode == 0
    install, tests = log.read_text().splitlines()
    constraints = f"--constraint {checkout}/scripts/lowest-versions.txt"
    assert install.endswith(f"{constraints} --editable {checkout}[test]")
    assert tests.endswith("-W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning -x")
    assert not (checkout / ".venv" / ".installed-test").exists()
    shutil.rmtree(checkout / ".venv-lowest")
    done = run(script, "--lowest", tools=tools, cwd=checkout)
    assert done.returncode == 1
    assert "no Python for the lowest versions found (looked for python3.11 " in done.stderr


def test_run_computes_into_out_from_any_folder_and_through_a_link(
    checkout: Path, tools: Path, log: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(Path("..") / "a checkout" / "scripts" / "run")
    done = run(elsewhere / "link", "na64e-2016", "--cl", "0.95", tools=tools, cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    out = checkout / "out"
    assert out.is_dir()
    _, scan, plot = log.read_text().splitlines()
    assert scan == (
        f"na64-limits scan na64e-2016 --cl 0.95 --force -o {out}/scan.json -o {out}/scan.csv"
    )
    assert plot.startswith(f"na64-limits plot {out}/scan.json ")
    assert plot.endswith(f"-o {out}/scan.pdf -o {out}/scan.png")
    assert [path.name for path in elsewhere.iterdir()] == ["link"]


def test_arguments_reach_pytest_and_paths_are_those_of_the_caller(
    checkout: Path, tools: Path, log: Path
) -> None:
    folder = checkout / "tests" / "unit"
    folder.mkdir(parents=True)
    (folder / "test_it.py").touch()
    words = ("-k", "a or b", "test_it.py::test_one")
    assert run(checkout / "scripts/test", *words, tools=tools, cwd=folder).returncode == 0
    assert log.read_text().splitlines()[-1] == (
        "-m pytest -n auto --maxprocesses 4 --dist worksteal "
        f"-k a or b {folder}/test_it.py::test_one"
    )


def test_the_site_is_built_with_warnings_as_errors(checkout: Path, tools: Path, log: Path) -> None:
    done = run(checkout / "scripts/docs", "-E", tools=tools, cwd=checkout)
    assert done.returncode == 0, done.stderr
    install, build = log.read_text().splitlines()
    assert install.endswith(f"--editable {checkout}[docs]")
    assert build == "-m sphinx -W --keep-going -j auto -b html -d build/docs docs out/docs -E"
    assert done.stderr.endswith(f"done: {checkout}/out/docs/index.html\n")


def test_a_failing_scan_stops_the_script(checkout: Path, tools: Path, log: Path) -> None:
    executable(checkout / ".venv/bin/na64-limits", f'#!/bin/sh\necho "$1" >>"{log}"\nexit 2\n')
    done = run(checkout / "scripts/run", tools=tools, cwd=checkout)
    assert done.returncode == 2
    assert log.read_text().splitlines()[1:] == ["scan"]


@pytest.mark.parametrize("script", ["scripts/run", "scripts/test", "scripts/docs", ".ci/run"])
def test_scripts_can_be_run_and_are_bash(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    bash = shutil.which("bash")
    assert bash
    subprocess.run([bash, "-n", ROOT / script], check=True)
