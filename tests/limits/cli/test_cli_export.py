"""`export hepdata`: a record of real scans that its reader can verify, ask and make again."""

from __future__ import annotations

import json
import shlex
import sys
import tarfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyhf
import pytest
import yaml
from hepdata_validator.full_submission_validator import FullSubmissionValidator
from matplotlib.figure import Figure

from na64.limits.cli.command_lines import command_lines
from na64.limits.results.axes import Plane
from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.limits.scanning.request import specify
from na64.limits.scanning.restated import restated
from na64.models.mediators.vectors import VectorMediator
from tests.shared import toy_limit

MASSES = ("--masses", "0.01,0.05,0.6")
FAST = ("--method", "asymptotic")
CHARGES = 'name = "mine"\nkind = "vector"\nparameter = "kappa"\n[charges]\ne = 2.0\nmu = 1.0\n'


def validated(folder: Path) -> dict[str, Any]:
    """The head of a submission that HEPData's validator takes."""
    validator = FullSubmissionValidator(autoload_remote_schemas=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its files open
        assert validator.validate(directory=str(folder)), validator.get_messages()
    return next(iter(yaml.safe_load_all((folder / "submission.yaml").read_text())))


@pytest.fixture
def sketched(monkeypatch) -> None:
    """Figures take long: here they are empty."""
    monkeypatch.setattr("na64.limits.publication.hepdata.figure", lambda _: Figure((1, 1)))


@pytest.mark.usefixtures("sketched")
def test_a_reader_of_a_record_has_the_likelihood_and_the_numbers(call) -> None:
    """Scan, publish, unpack: pyhf takes the patchset; `limit` of a patch is the scan's limit."""
    assert call("scan", "na64e-2016", "--masses", "0.01,0.3", "-o", "scan.json").code == 0
    assert call("to-plane", "scan.json", "--plane", "y", "-o", "y.json").code == 0
    done = call("export", "hepdata", "scan.json", "y.json", "-o", "record", "--inspire", "1234567")
    assert done.code == 0, done.err
    assert "4 tables" in done.err
    head = validated(Path("record/submission"))
    (likelihood,) = [item for item in head["additional_resources"] if item.get("type")]
    assert likelihood["type"] == "HistFactory"  # one for both: it is the same

    # the archive that HEPData takes has the same files
    with tarfile.open("record/submission.tar.gz") as archive:
        archive.extractall("reader", filter="data")
    files = {path.name: path.read_bytes() for path in Path("record/submission").iterdir()}
    assert {path.name: path.read_bytes() for path in Path("reader").iterdir()} == files
    with tarfile.open(f"reader/{likelihood['location']}") as archive:
        archive.extractall("likelihood", filter="data")
    background = json.loads(Path("likelihood/background-only.json").read_text())
    patchset = pyhf.PatchSet(json.loads(Path("likelihood/patchset.json").read_text()))
    patchset.verify(pyhf.Workspace(background))  # digests
    assert patchset.references == {"hepdata": "ins1234567"}
    assert patchset.labels == ["mass_gev", "epsilon"]

    limit = Limit.read("scan.json")
    table = yaml.safe_load(Path("reader/scan_limits.yaml").read_text())
    observed = [cell["value"] for cell in table["dependent_variables"][0]["values"]]
    assert observed == limit.observed.tolist()
    found = {}
    for patch in patchset:
        Path("patched.json").write_text(json.dumps(patchset.apply(background, patch.name)))
        answer = call("limit", "patched.json", "--json").data["coupling"]
        assert answer["mass_gev"] == patch.values[0]
        found[answer["mass_gev"]] = (answer["observed"], *answer["expected"])
    assert list(found) == limit.masses_gev.tolist()
    # roots are found to 1e-5 in signal strengths, half of that in couplings
    for row, mass in enumerate(limit.masses_gev.tolist()):
        wanted = (limit.observed[row], *limit.expected[:, row])
        assert found[mass] == pytest.approx(wanted, rel=1e-5)

    # and the record does not depend on when and how often it is made
    again = call(
        *("export", "hepdata", "scan.json", "y.json", "-o", "record", "--inspire", "1234567"),
        "--force",
    )
    assert again.code == 0, again.err
    assert {p.name: p.read_bytes() for p in Path("record/submission").iterdir()} == files


SCANS: dict[str, tuple[str, ...]] = {
    "usual": ("na64mu-2022", "--masses", "0.05"),
    "settings": (
        *("na64e-2016", *MASSES, *FAST, "--cl", "0.95", "--no-annihilation", "--elastic-only"),
        *("--dark-matter", "scalar", "--ratio", "4", "--alpha-d", "0.5", "--expected-only"),
        *("--set", "bins.0.efficiency=0.4"),
    ),
    "charges": ("na64e-2016", *MASSES, *FAST, "--charges", "mine.toml"),
    "combination": (
        *("na64e-2016", "--combine", "na64e-2023", "--shared", "exposure", *MASSES),
        *("--method", "asymptotic", "--tolerance", "1e-4"),
    ),
}
STEPS: dict[str, list[tuple[str, ...]]] = {
    "usual": [("to-plane", "--plane", "y")],
    "settings": [("to-plane", "--plane", "g")],
    "charges": [
        ("recast", "--model", "dark-photon", "--leave-out"),
        ("to-plane", "--plane", "y", "--normalisation", "product"),
    ],
    "combination": [("to-plane", "--plane", "y", "--alpha-d", "0.5", "--recompute")],
}


@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("name", SCANS)
def test_the_commands_of_a_record_make_its_results_again(call, monkeypatch, name) -> None:
    """In an empty folder with the resolved cards: every byte but the command line itself."""
    Path("mine.toml").write_text(CHARGES)
    file = "step-0.json"
    assert call("scan", *SCANS[name], "-o", file).code == 0
    for number, (command, *words) in enumerate(STEPS[name], 1):
        file, before = f"step-{number}.json", file
        done = call(command, before, *words, "-o", file)
        assert done.code == 0, done.err
    done = call("export", "hepdata", file, "-o", "record", "--no-likelihood")
    assert done.code == 0, done.err
    assert "without commands" not in done.err
    validated(Path("record/submission"))
    whole = json.loads(Path(file).read_text())
    monkeypatch.chdir("record/submission")
    Path(file).rename("published.json")
    lines = Path(file).with_suffix(".sh").read_text().splitlines()
    assert len(lines) >= 1 + len(STEPS[name])  # a dark sector of its own is a recast
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "na64-limits"
        done = call(*words)
        assert done.code == 0, f"{line}: {done.err}"
    made = json.loads(Path(file).read_text())
    for document in (made, whole):
        del document["provenance"]["command"]
    assert made == whole


@pytest.mark.parametrize(
    "made",
    [
        specify(),
        specify("na64mu-2022", model="l-mu-l-tau"),
        specify("na64e-semi-visible-2016-2018", alpha_d=0.2),
        specify("na64e-2016", model="b-minus-l", dark_matter="scalar", ratio=2.5),
        specify("na64e-2016", production="ww", method="toys", toys=2000, expected_only=True),
        specify("na64h-2022", confidence_level=0.95),
        specify("na64e-run4", masses_gev=[0.1], model=VectorMediator("mine", "k", {"e": 1.0})),
    ],
    ids=lambda made: f"{made.search} {made.mediator.name}",
)
def test_a_specification_is_restated(made: Specification) -> None:
    words = restated(made)
    assert specify(made.cards, **words) == made
    # what is as usual is not said
    assert len(words) <= 4


def test_the_command_of_a_plane_of_relics() -> None:
    """Its result names the relic, that of the scan or another; nothing more is said."""
    made = toy_limit(specify("na64e-2016", masses_gev=[0.1, 0.2]))
    options = {"omega_h2": 0.11, "dark_matter": "majorana", "ratio": 4.0, "splitting": 0.0}
    plane = Plane("alpha-d", options, excluded_below=True)
    scan, words = command_lines(
        replace(made, plane=plane), "a.json", cards=["card.toml"], charges={}
    )
    assert scan[:3] == ["na64-limits", "scan", "card.toml"]
    assert scan[-1] == words[2] == "before-1-a.json"
    assert words[:2] == ["na64-limits", "to-plane"]
    assert words[3:] == [
        *("--plane", "alpha-d", "--omega-h2", "0.11", "--dark-matter", "majorana"),
        *("--ratio", "4", "-o", "a.json"),
    ]


def test_without_the_library_the_extra_is_named(call, monkeypatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "hepdata_lib"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "hepdata_lib", None)
    assert call("scan", "na64e-2016", "--masses", "0.1", *FAST, "-o", "scan.json").code == 0
    done = call("export", "hepdata", "scan.json", "-o", "record")
    assert done.code == 2
    assert done.err == (
        "error: a record of HEPData: needs hepdata_lib, which is not installed: "
        "pip install 'na64-limits[hepdata]'\n"
    )
    assert not Path("record").exists()


@pytest.mark.usefixtures("sketched")
def test_folders(call) -> None:
    """What is in the way is told before the work, and nothing is mixed with a record."""
    scan = ("na64e-2016", "--masses", "0.1", *FAST)
    assert call("scan", *scan, "-o", "a.json").code == 0
    Path("b.json").write_bytes(Path("a.json").read_bytes())
    words = ("export", "hepdata", "--no-likelihood", "-o")
    assert "there is no folder 'no'" in call(*words, "no/where", "a.json").err
    assert "is a file" in call(*words, "a.json", "a.json").err
    assert call(*words, "record", "a.json").code == 0
    assert "not empty (--force" in call(*words, "record", "a.json").err
    done = call(*words, "record", "b.json", "--force")
    assert done.code == 2
    assert "a.json" in done.err
    assert "not of this record" in done.err
    assert call(*words, "record", "a.json", "--force").code == 0
    assert "a and b are the same result" in call(*words, "twice", "a.json", "b.json").err
    # files of the same name are told apart
    Path("other").mkdir()
    assert call("to-plane", "a.json", "--plane", "y", "-o", "other/a.json").code == 0
    assert call(*words, "two", "a.json", "other/a.json").code == 0
    assert {"a-1.json", "a-2.json"} <= {path.name for path in Path("two/submission").iterdir()}
