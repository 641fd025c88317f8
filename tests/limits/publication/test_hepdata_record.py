"""Records of HEPData of results that nobody computed: what is in them, and that it is all."""

from __future__ import annotations

import io
import math
import socket
import tarfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hepdata_validator.full_submission_validator import FullSubmissionValidator
from matplotlib.figure import Figure
from matplotlib.image import imread

from na64.limits.calculators.status import BAND_ORDER, Status
from na64.limits.publication.archives import tar_gz
from na64.limits.publication.hepdata import Record, hepdata_record
from na64.limits.publication.pictures import pictures
from na64.limits.publication.words import sqrt_s_gev
from na64.limits.results.origin import GIVEN, Origin
from na64.limits.scanning.request import specify
from na64.models.errors import InputError
from na64.models.targets import Beam
from tests.shared import open_regions, toy_limit

MASSES = np.array([0.0123456789012, 0.1, 0.7])


def toy(search: str = "na64e-2016-2022", **request):
    return toy_limit(specify(search, masses_gev=MASSES, method="asymptotic", **request))


def documents(record: Record) -> dict[str, dict[str, Any]]:
    """The tables by name, each with what submission.yaml says of it."""
    _, *tables = yaml.safe_load_all(record.files["submission.yaml"])
    return {
        table["name"]: {**table, **yaml.safe_load(record.files[table["data_file"]])}
        for table in tables
    }


def column(table: dict[str, Any], header: str) -> list[Any]:
    (found,) = [
        variable
        for variable in (*table["independent_variables"], *table["dependent_variables"])
        if variable["header"]["name"] == header
    ]
    return [cell["value"] for cell in found["values"]]


def cells(values) -> list[Any]:
    return ["-" if value is None or math.isnan(value) else value for value in values]


@pytest.fixture(autouse=True)
def drawn(monkeypatch) -> None:
    """Figures take most of the time: here they are empty."""
    monkeypatch.setattr("na64.limits.publication.hepdata.figure", lambda _: Figure((1, 1)))


@pytest.fixture
def offline(monkeypatch) -> None:
    def refuse(*_args, **_words):
        raise AssertionError("asks the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def check(record: Record, folder: Path) -> None:
    """HEPData's own validator has nothing to say against the archive."""
    path = folder / "submission.tar.gz"
    path.write_bytes(record.archive)
    validator = FullSubmissionValidator(autoload_remote_schemas=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its files open
        assert validator.validate(archive=str(path)), validator.get_messages()


@pytest.mark.usefixtures("offline")
def test_a_record_of_several_searches_and_planes(tmp_path) -> None:
    """One table of limits each, numbers to the last digit, yields once for a specification."""
    first = toy()
    results = [first, first.to_plane("y"), toy("na64mu-run4")]
    record = hepdata_record(results, ["a", "b", "c"], likelihood=False, inspire=1234567)
    check(record, tmp_path)
    tables = documents(record)
    assert list(tables) == [
        *("a limits", "a yields", "a counts", "b limits"),
        *("c limits", "c yields", "c counts"),
    ]
    for name, result in zip("abc", results, strict=True):
        table = tables[f"{name} limits"]
        assert column(table, f"${result.x.tex}$") == result.masses_gev.tolist()
        columns = table["dependent_variables"]
        assert len(columns) == 5 + (not result.expected_only)
        found = [[cell["value"] for cell in item["values"]] for item in columns]
        wanted = [*([] if result.expected_only else [result.observed]), *result.expected]
        assert found == [values.tolist() for values in wanted]
    head = next(iter(yaml.safe_load_all(record.files["submission.yaml"])))
    assert head["record_ids"] == [{"id": 1234567, "type": "inspire"}]


def test_bands_are_errors_of_the_median_where_none_is_missing() -> None:
    result = toy()
    table = documents(hepdata_record([result], ["a"], likelihood=False))["a limits"]
    (median,) = [v for v in table["dependent_variables"] if v["header"]["name"].endswith("median")]
    for row, cell in enumerate(median["values"]):
        for sigma, error in zip((1, 2), cell["errors"], strict=True):
            assert error["label"] == f"{sigma} s.d."
            for side, sign in (("minus", -1), ("plus", 1)):
                edge = result.expected[BAND_ORDER.index(sign * sigma), row]
                assert cell["value"] + error["asymerror"][side] == pytest.approx(edge, rel=1e-11)
                assert math.copysign(1.0, error["asymerror"][side]) == sign


@pytest.mark.usefixtures("offline")
def test_what_does_not_exist_is_a_dash(tmp_path) -> None:
    """No exclusion at one mass, and no upper bands at another, of which the rest is kept."""
    result = toy()
    nothing = open_regions([math.nan, 1e-5, 7e-5])
    result = replace(
        result,
        regions=nothing,
        expected_regions=(
            *result.expected_regions[:3],
            nothing,
            open_regions([math.nan, math.nan, 9e-5]),
        ),
        status=(Status.NO_EXCLUSION, Status.OK, Status.OK),
    )
    record = hepdata_record([result], ["a"], likelihood=False)
    check(record, tmp_path)
    table = documents(record)["a limits"]
    *numbers, states = table["dependent_variables"]
    assert [cell["value"] for cell in states["values"]] == ["no-exclusion", "ok", "ok"]
    for item, values in zip(numbers, (result.observed, *result.expected), strict=True):
        assert [cell["value"] for cell in item["values"]] == cells(values)
        assert not any("errors" in cell for cell in item["values"])


@pytest.mark.usefixtures("offline")
def test_regions_have_both_edges(tmp_path) -> None:
    """Two intervals at one mass, one at another and none at the third."""
    observed = (((1e-5, 2e-5), (4e-5, None)), ((3e-5, 5e-5),), ())
    result = replace(toy(), regions=observed, power=None)
    record = hepdata_record([result], ["a"], likelihood=False)
    check(record, tmp_path)
    table = documents(record)["a regions"]
    places, numbers = (
        [cell["value"] for cell in item["values"]] for item in table["independent_variables"]
    )
    # the expected regions of the toy have an interval at the third mass
    assert places == [MASSES[0], MASSES[0], MASSES[1], MASSES[2]]
    assert numbers == [1, 2, 1, 1]
    name = r"Observed, {} edge of $\epsilon$"
    assert column(table, name.format("lower")) == [1e-5, 4e-5, 3e-5, "-"]
    assert column(table, name.format("upper")) == [2e-5, "-", 5e-5, "-"]
    # an upper limit has no such table
    assert "a regions" not in documents(hepdata_record([toy()], ["a"], likelihood=False))


def test_qualifiers_and_keywords() -> None:
    """CL, model, plane, dark sector, search, beam; reactions; the energies of a fixed target."""
    result = toy(alpha_d=0.5, ratio=4.0, dark_matter="scalar", confidence_level=0.95).to_plane("y")
    table = documents(hepdata_record([result], ["a"], likelihood=False))["a limits"]
    said = {item["name"]: item["value"] for item in table["dependent_variables"][0]["qualifiers"]}
    assert said["CL"] == 95.0
    assert said["MODEL"] == "dark-photon"
    assert said["PLANE"] == "y against m_chi"
    assert said["DARK MATTER"] == "scalar"
    assert said["m_A'/m_chi"] == 4.0
    assert said["ALPHA_D"] == 0.5
    assert said["BEAM"] == "e-, 100 GeV"
    assert said["SEARCH"] == result.specification.title
    words = {item["name"]: item["values"] for item in table["keywords"]}
    assert words["reactions"] == ["E- NUCLEUS --> E- NUCLEUS DARK-PHOTON", "E+ E- --> DARK-PHOTON"]
    # sqrt(2 * 100 * 0.9315) and sqrt(2 * 100 * 0.511e-3), by hand, to four digits
    assert words["cmenergies"] == [13.68, 0.3197]
    assert "projection" not in words["phrases"]


@pytest.mark.parametrize(("particle", "mass"), [("mu-", 0.1056583755), ("K-", 0.493677)])
def test_energy_in_the_centre_of_mass(particle, mass) -> None:
    """From the four-momenta: s = (E + m)^2 - p^2."""
    for energy, target in ((50.0, 0.938), (160.0, 0.511e-3)):
        momentum = math.sqrt(energy**2 - mass**2)
        wanted = math.sqrt((energy + target - momentum) * (energy + target + momentum))
        assert sqrt_s_gev(Beam(particle, energy), target) == pytest.approx(wanted, rel=1e-9)


def test_limits_on_mesons_name_them() -> None:
    made = toy_limit(specify("na64h-2022"), yields={"charge-exchange": np.ones(2)})
    table = documents(hepdata_record([made], ["a"], likelihood=False))["a limits"]
    assert column(table, "Meson") == ["eta", "eta-prime"]
    words = {item["name"]: item["values"] for item in table["keywords"]}
    assert words["reactions"] == [
        "PI- NUCLEUS --> ETA NUCLEUS",
        "PI- NUCLEUS --> ETA-PRIME NUCLEUS",
    ]
    said = {item["name"]: item["value"] for item in table["dependent_variables"][0]["qualifiers"]}
    assert "SIGNAL" not in said  # the signal depends on none of its settings


def test_counts_and_efficiencies_are_those_of_the_card() -> None:
    result = toy()
    (card,) = result.specification.cards
    tables = documents(hepdata_record([result], ["a"], likelihood=False))
    counts = tables["a counts"]
    assert column(counts, "Bin") == [item.name for item in card.bins]
    assert column(counts, "Observed events") == [item.observation.value for item in card.bins]
    assert sum(column(counts, "Particles on target")) == pytest.approx(9.37e11, rel=1e-3)
    yields = tables["a yields"]
    for process, values in result.yields.items():
        assert column(yields, f"Accepted signal events, {process}") == values.tolist()
    efficiencies = [v for v in yields["dependent_variables"] if "efficiency" in v["header"]["name"]]
    assert len(efficiencies) == len(card.bins)
    assert all(0.0 < c["value"] < 1.0 for item in efficiencies for c in item["values"])
    # of a projection nothing was observed
    future = documents(hepdata_record([toy("na64e-run4")], ["a"], likelihood=False))["a counts"]
    assert not any("Observed" in v["header"]["name"] for v in future["dependent_variables"])


def test_the_same_results_give_the_same_bytes() -> None:
    first, second = (hepdata_record([toy()], ["a"], likelihood=False) for _ in range(2))
    assert first.archive == second.archive
    with tarfile.open(fileobj=io.BytesIO(first.archive)) as archive:
        entries = archive.getmembers()
        assert [entry.name for entry in entries] == sorted(first.files)
        assert {(e.mtime, e.uid, e.gid, e.uname) for e in entries} == {(0, 0, 0, "")}
    assert tar_gz({"b": "1", "a": b"2"}) == tar_gz({"a": "2", "b": b"1"})


def test_pictures() -> None:
    """A page, an image and a thumbnail as HEPData shows it: 240 pixels wide, of the same shape."""
    shown = Figure((6.4, 4.8))
    shown.subplots().fill_between([0.0, 1.0], [0.0, 1.0], [1.0, 1.0], color="#3a5fb0")
    files = pictures(shown, "a")
    assert list(files) == ["a.pdf", "a.png", "thumb_a.png"]
    assert files["a.pdf"].startswith(b"%PDF")
    large, small = (imread(io.BytesIO(files[name])) for name in ("a.png", "thumb_a.png"))
    assert small.shape[:2] == (180, 240)
    # the thumbnail is the image seen from afar: as dark on average, each half
    for rows in (slice(0, 0.5), slice(0.5, 1)):
        far, near = (_part(picture, rows) for picture in (small, large))
        assert far == pytest.approx(near, abs=0.01)
    assert pictures(shown, "a") == files


def _part(picture, rows: slice) -> float:
    height = len(picture)
    return float(picture[int(rows.start * height) : int(rows.stop * height), :, :3].mean())


def test_what_a_submitter_must_know() -> None:
    """Expected limits whose likelihood has the data; a signal that was given; folders."""
    secret = toy(expected_only=True)
    given = replace(toy(), origin=Origin(toy().specification, GIVEN))
    told = replace(toy(), provenance={"command": ["na64-limits", "scan", "-o", "/home/me/a.json"]})
    record = hepdata_record([secret, given, told], ["a", "b", "c"], likelihood=False)
    a, b, c = record.warnings
    assert a.startswith("a: has expected limits only")
    assert b.startswith("b: its signal was given")
    assert c.startswith("c: the command line in its provenance names folders")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "0 names for 1 results"),
        (["a b"], "'a b' is no name"),
        (["../a"], "is no name"),
        (["a" * 49], "at most 48"),
    ],
)
def test_names(names, words) -> None:
    with pytest.raises(InputError, match=words):
        hepdata_record([toy()], names, likelihood=False)
    with pytest.raises(InputError, match="two results of one name"):
        hepdata_record([toy(), toy()], ["a", "A"], likelihood=False)
