"""`workspace prune`, `rename` and `patch`; `limit` and `cls` of all patches; their page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from na64.limits.results.schemas import validate
from na64.workspaces.pyhf.write import pyhf_digest
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "published-likelihoods.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
ASYMPTOTIC = ("--method", "asymptotic", "--cl", "0.95")
ALL = ("limit", "BkgOnly.json", "--patchset", "patchset.json", *ASYMPTOTIC)


@pytest.fixture
def published(call) -> Any:
    """The background workspace and the patchset of the page, in the folder of the test."""
    exec(compile(SCRIPTS[0], "the page", "exec"), {})
    return call


def change_patchset(change: Any) -> None:
    document = json.loads(Path("patchset.json").read_text())
    change(document)
    Path("patchset.json").write_text(json.dumps(document))


def test_commands_on_one_signal_and_on_all_agree(published) -> None:
    signal = ("BkgOnly.json", "patchset.json", "--name", "signal_250_60", "-o", "signal.json")
    pruned = ("signal.json", "--smaller-than", "0.01", "-o", "pruned.json")
    for words in (
        (*ALL, "-o", "limits.json"),
        ("workspace", "patch", *signal),
        ("workspace", "prune", *pruned),
    ):
        assert published(*words).code == 0
    # what the two commands say of one signal is the same to the last digit
    limits = json.loads(Path("limits.json").read_text())
    validate(limits, "limits", "na64-limits/patch-limits/1", "limits.json")
    (one,) = [patch for patch in limits["patches"] if patch["name"] == "signal_250_60"]
    alone = published("limit", "signal.json", *ASYMPTOTIC, "--json").data
    for key in ("observed", "expected", "observed_events", "expected_events", "status"):
        assert one[key] == alone[key]
    # a modifier of 0.2 % on a tenth of the background is nothing to the limit
    pruned = published("limit", "pruned.json", *ASYMPTOTIC, "--json").data
    assert pruned["observed"] != alone["observed"]
    assert pruned["observed"] == pytest.approx(alone["observed"], rel=1e-3)
    # the page says that this grid has signals on both sides of a contour
    assert [len(lines) for lines in limits["contours"]["expected"]] == [1] * 5
    assert len(limits["contours"]["observed"]) == 1


def test_results_do_not_depend_on_the_number_of_processes(published) -> None:
    some = ("--patches", "signal_*_0")
    for jobs in ("1", "2"):
        done = published(*ALL, *some, "--jobs", jobs, "-o", f"{jobs}.csv", "-o", f"{jobs}.json")
        assert done.code == 0, done.err
    assert Path("1.csv").read_bytes() == Path("2.csv").read_bytes()
    one, two = (json.loads(Path(f"{jobs}.json").read_text()) for jobs in ("1", "2"))
    del one["provenance"], two["provenance"]
    assert one == two
    assert [patch["name"] for patch in one["patches"]] == [
        f"signal_{heavy}_0" for heavy in (100, 250, 350)
    ]


def test_one_patch_that_fails_leaves_the_others_their_limits(published) -> None:
    def spoil(document: Any) -> None:
        document["patches"][1]["patch"][0]["path"] = "/channels/4/samples/0"
        del document["patches"][2]["patch"][0]["value"]["data"]

    change_patchset(spoil)
    done = published(*ALL, "--patches", "signal_[12]*", "-o", "l.json", "-o", "l.svg")
    assert done.code == 3
    assert "no limit for 2 of 5 patches: signal_100_30: patch 'signal_100_30', operation 0" in (
        done.err
    )
    found = json.loads(Path("l.json").read_text())
    validate(found, "limits", "na64-limits/patch-limits/1", "l.json")
    states = [patch["status"] for patch in found["patches"]]
    assert states == ["ok", "failed", "failed", "ok", "ok"]
    assert "'data' is a required property" in found["patches"][2]["message"]
    assert found["patches"][1]["observed"] is None

    # nothing at all is a failure
    assert published(*ALL, "--patches", "signal_100_30,signal_250_0", "-o", "m.csv").code == 1
    assert published("cls", *ALL[1:6], "--patches", "signal_100_30").code == 1


def test_cls_of_all_patches(published) -> None:
    words = ("cls", *ALL[1:4], "--method", "asymptotic", "--patches", "signal_250_60")
    found = published(*words, "--mu", "0.5,2", "--json").data
    validate(found, "CLs", "na64-limits/patch-cls/1", "stdout")
    (one,) = found["patches"]
    published("workspace", "patch", *ALL[1:2], ALL[3], "--name", "signal_250_60", "-o", "s.json")
    alone = published("cls", "s.json", "--mu", "0.5,2", "--method", "asymptotic", "--json").data
    assert (one["observed"], one["expected"]) == (alone["observed"], alone["expected"])


def test_patchsets_of_this_project_give_the_limits_of_its_scans(call) -> None:
    call("workspace", "build", "na64e-2016", "--masses", "0.05,0.1", "--directory", "d")
    done = call("limit", "d/background-only.json", "--patchset", "d/patchset.json", "--json")
    assert done.code == 0, done.err
    scan = call("scan", "na64e-2016", "--masses", "0.05,0.1", "--json").data
    couplings = [patch["coupling"] for patch in done.data["patches"]]
    assert [one["mass_gev"] for one in couplings] == scan["masses_gev"]
    for index, one in enumerate(couplings):
        # the numbers of workspaces have 12 digits
        assert one["observed"] == pytest.approx(scan["observed"][index], rel=1e-9)
        bands = [band[index] for band in scan["expected"]]
        assert one["expected"] == pytest.approx(bands, rel=1e-9)


def test_inspection_of_both_files(published) -> None:
    background = published("workspace", "inspect", "BkgOnly.json", "--json").data
    assert background["signal_samples"] == []
    assert background["nuisances"] == ["mu_bkg", "tune", "trigger"]
    patches = published("workspace", "inspect", "patchset.json", "--json").data
    assert patches["digests"] == {"sha256": background["pyhf_digest"]}
    assert patches["labels"] == ["m_heavy", "m_light"]
    assert len(patches["patches"]) == 8
    assert patches["patches"][0] == {
        "channels": ["0"], "name": "signal_100_0", "operations": 1, "values": [100, 0],
    }  # fmt: skip
    text = published("workspace", "inspect", "patchset.json").out
    assert "signal_350_240      350      240" in text
    assert "no sample: the background only" in published("workspace", "inspect", "BkgOnly.json").out


def test_digits_of_workspaces_are_kept(published) -> None:
    document = json.loads(Path("BkgOnly.json").read_text())
    document["channels"][0]["samples"][0]["data"][0] = 9.000000000000002
    Path("digits.json").write_text(json.dumps(document))
    published("workspace", "rename", "digits.json", "--channel", "SR", "SR1", "-o", "there.json")
    published("workspace", "rename", "there.json", "--channel", "SR1", "SR", "-o", "back.json")
    assert pyhf_digest(json.loads(Path("back.json").read_text())) == pyhf_digest(document)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("workspace", "prune", "BkgOnly.json"), "nothing is left out"),
        (("workspace", "prune", "BkgOnly.json", "--channel", "*"), "no channel would be left"),
        (("workspace", "prune", "BkgOnly.json", "--sample", "tpo"), "did you mean 'top'?"),
        (("workspace", "prune", "BkgOnly.json", "--modifier-type", "staterror"), "allowed: norm"),
        (("workspace", "prune", "patchset.json", "--channel", "SR"), "`workspace patch WS.json`"),
        (("workspace", "rename", "BkgOnly.json"), "nothing is renamed"),
        (
            ("workspace", "rename", "BkgOnly.json", "--sample", "top", "other"),
            "two samples in channel 'SR' would have the name 'other'",
        ),
        (
            ("workspace", "rename", "BkgOnly.json", "--sample", "top", "a", "--sample", "top", "b"),
            "sample 'top' gets two names",
        ),
        # the free factor and the constrained one cannot be one parameter
        (
            ("workspace", "rename", "BkgOnly.json", "--modifier", "mu_bkg", "tune"),
            "the result would not do: ",
        ),
        (("workspace", "patch", "BkgOnly.json", "patchset.json"), "choose one with --name or"),
        (
            ("workspace", "patch", "BkgOnly.json", "patchset.json", "--name", "a", "--values", "1"),
            "choose one with --name or",
        ),
        (
            ("workspace", "patch", "BkgOnly.json", "patchset.json", "--values", "251,60"),
            "the nearest is 'signal_250_60' with m_heavy = 250, m_light = 60",
        ),
        (("workspace", "patch", "BkgOnly.json", "patchset.json", "--values", "1"), "1 values for"),
        (("workspace", "patch", "-", "-"), "stdin ('-') is given twice"),
        (("workspace", "patch", "BkgOnly.json", "BkgOnly.json"), "not a pyhf patchset"),
        ((*ALL, "--patches", "signal_1"), "did you mean 'signal_"),
        ((*ALL, "--jobs", "0"), "at least one job"),
        ((*ALL[:4], "--cl", "1.5"), "confidence level must be between 0 and 1"),
        (("limit", "BkgOnly.json", "--patches", "a"), "need a --patchset"),
        (("cls", "BkgOnly.json", "--unverified"), "need a --patchset"),
        (("cls", "BkgOnly.json", "--jobs", "2"), "shares the patches of a --patchset"),
        (("limit", "BkgOnly.json"), "no sample carries the parameter of interest"),
    ],
)
def test_refused(published, words: tuple[str, ...], message: str) -> None:
    before = sorted(Path().iterdir())
    done = published(*words, "-o", "out.json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert "internal error" not in done.err
    assert message in done.err
    assert sorted(Path().iterdir()) == before


def test_another_workspace_is_refused_unless_that_is_meant(published) -> None:
    published("workspace", "prune", "BkgOnly.json", "--smaller-than", "0.01", "-o", "other.json")
    words = ("limit", "other.json", *ALL[2:], "--patches", "signal_250_60")
    done = published(*words)
    assert done.code == 2
    assert "the patchset is not for this workspace: it names one with sha256" in done.err
    done = published(*words, "--unverified", "--json")
    assert done.code == 0
    assert "warning: the patchset is not for this workspace" in done.err
    assert done.data["patchset"]["verified"] is False


def test_figures_are_of_one_or_two_numbers(published) -> None:
    done = published("limit", "BkgOnly.json", "-o", "one.pdf")
    assert (done.code, "figures are of the limits of a patchset" in done.err) == (2, True)

    def more(document: Any) -> None:
        document["metadata"]["labels"].append("coupling")
        for number, patch in enumerate(document["patches"]):
            patch["metadata"]["values"].append(f"case {number}")

    change_patchset(more)
    done = published(*ALL, "-o", "grid.pdf")
    assert done.code == 2
    assert "these have 3: m_heavy, m_light, coupling" in done.err
    assert not Path("grid.pdf").exists()
