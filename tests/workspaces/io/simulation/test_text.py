"""Simulations in tables of text."""

from pathlib import Path

import pytest

from na64.models.errors import InputError
from na64.workspaces.io.simulation.description import Cut, SimulationFile
from na64.workspaces.io.simulation.reading import read_rows


def rows(folder: Path, text: str, *, binomial: bool = True, **said):
    path = folder / "table.csv"
    path.write_text(text)
    return read_rows(SimulationFile(file=str(path), **said), binomial=binomial)[0]


PLAIN = "mass_gev,passed,generated\n0.1,20,100\n0.01,0,100\n1,100,100\n"


def test_counts_by_mass_in_order(tmp_path):
    found = rows(tmp_path, PLAIN)
    assert [(row.mass_gev, row.value, row.passed, row.generated) for row in found] == [
        (0.01, 0.0, 0.0, 100.0),
        (0.1, 0.2, 20.0, 100.0),
        (1.0, 1.0, 100.0, 100.0),
    ]


@pytest.mark.parametrize("row", ["0.1,1e300,1e11", "0.1,1e90,1e300"])
def test_numbers_with_which_nothing_can_be_computed(tmp_path, row):
    with pytest.raises(InputError, match=r"0\.1 GeV.*at most 1e\+100, one is 1e\+300"):
        rows(tmp_path, f"mass_gev,passed,generated\n{row}\n", binomial=False)


def test_the_sha256_is_that_of_the_file(tmp_path):
    import hashlib

    path = tmp_path / "table.csv"
    path.write_text(PLAIN)
    _, digest = read_rows(SimulationFile(file=str(path)), binomial=True)
    assert digest == hashlib.sha256(PLAIN.encode()).hexdigest()


def test_columns_of_other_names_units_weights_and_comments(tmp_path):
    text = "# made by a test\nm [MeV];w;w2;n;region\n\n10;3;6;50;a\n10;9;9;50;b\n20;4;8;50;a\n"
    found = rows(
        tmp_path,
        text,
        mass="m",
        passed="w",
        squares="w2",
        generated="n",
        cuts=(Cut("region", equals="a"),),
    )
    assert [(row.mass_gev, row.value, row.passed) for row in found] == [
        (0.01, 0.06, 1.5),
        (0.02, 0.08, 2.0),
    ]
    # passed / generated is the efficiency of weighted events as well
    assert [row.passed / row.generated for row in found] == pytest.approx([0.06, 0.08])


def test_values_with_errors_are_counts_of_that_error(tmp_path):
    text = "mass_gev,eff,err\n0.1,0.2,0.04\n0.2,0.5,0.05\n"
    found = rows(tmp_path, text, value="eff", error="err")
    # binomial: e^2 = v (1 - v)/n
    assert [row.generated for row in found] == pytest.approx([100.0, 100.0])
    found = rows(tmp_path, text, value="eff", error="err", binomial=False)
    assert [row.passed for row in found] == pytest.approx([25.0, 100.0])


def test_a_grid_of_couplings(tmp_path):
    text = "mass_gev,c,passed\n" + "".join(
        f"{mass},{coupling},{k}\n" for k, (mass, coupling) in enumerate([(1, 2), (1, 1), (2, 1)])
    )
    complete = text + "2,2,9\n"
    found = rows(tmp_path, complete, coupling="c", generated_number=10.0)
    assert [(row.mass_gev, row.coupling, row.passed) for row in found] == [
        (1.0, 1.0, 1.0),
        (1.0, 2.0, 0.0),
        (2.0, 1.0, 2.0),
        (2.0, 2.0, 9.0),
    ]
    with pytest.raises(InputError, match=r"table.csv: has no row for mass 2 GeV, coupling 2; 2 m"):
        rows(tmp_path, text, coupling="c", generated_number=10.0)


@pytest.mark.parametrize(
    ("text", "said", "message"),
    [
        ("", {}, "table.csv: is empty"),
        ("mass_gev,passed,generated\n", {}, "has no rows that count"),
        (
            "mass_gev,pased,generated\n1,1,2\n",
            {},
            r"unknown column 'passed' \(did you mean 'pased'",
        ),
        ("mass_gev,passed,generated\n1,one,2\n", {}, "line 2: column 'passed' must be a finite"),
        ("mass_gev,passed,generated\n1,nan,2\n", {}, "line 2: column 'passed' must be a finite"),
        ("mass_gev,passed,generated\n1,1,2\n2,1,x\n", {}, r"csv: line 3: column 'generated' must"),
        (
            "mass_gev,passed,generated\n1,1,2\n2,3,2\n",
            {},
            "line 3: column 'passed' is 3, more than",
        ),
        ("mass_gev,passed,generated\n1,1\n", {}, "line 2: has 2 cells for 3 columns"),
        ("mass_gev,passed,generated\n1,1,0\n", {}, "mass 1 GeV: nothing was generated"),
        ("mass_gev,passed,generated\n1,-1,5\n", {}, "line 2: mass 1 GeV: the weights that pass ad"),
        ("mass_gev,passed,generated\n1,1,2\n1,1,2\n", {}, "mass 1 GeV is there twice"),
        ("mass_gev,passed,generated\n-1,1,2\n", {}, "must be positive"),
        ("mass_gev,passed,mass_gev\n1,1,2\n", {}, "two columns of the name 'mass_gev'"),
        ("mass_gev [m],passed,generated\n1,1,2\n", {}, "unknown unit of the mass 'm'"),
        ("mass_gev [MeV],passed,generated\n1,1,2\n", {"mass_unit": "keV"}, "masses are in MeV"),
        ("mass_gev,v,e\n1,0.5,0.6\n", {"value": "v", "error": "e"}, "more than one event has"),
        ("mass_gev,v,e\n1,0.5,0\n", {"value": "v", "error": "e"}, "error must be positive"),
        ("mass_gev,v,e\n1,1,0.1\n", {"value": "v", "error": "e"}, "has no binomial error"),
        ("mass_gev,passed,s,generated\n1,1,4,9\n", {"squares": "s"}, "0.25 effective events"),
        ("mass_gev,passed,s,generated\n1,0,4,9\n", {"squares": "s"}, "add up to 0"),
        ("mass_gev,passed,generated\n" + "1,1,2\n" * 6000, {}, "more than 5000 rows"),
        ("mass_gev,passed,generated\n" + "\n" * 200_001, {}, "more than 200000 lines"),
        (f"mass_gev,passed,generated\n{'9' * 140_000},1,2\n", {}, "line 2: field larger than"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, text, said, message):
    with pytest.raises(InputError, match=message):
        rows(tmp_path, text, **said)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match=r"no\.csv: No such file"):
        read_rows(SimulationFile(file=str(tmp_path / "no.csv")), binomial=True)
    with pytest.raises(InputError, match=r"is of no kind that is read here; those are \.csv"):
        read_rows(SimulationFile(file=str(tmp_path / "no.dat")), binomial=True)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is no regular file"):
        read_rows(SimulationFile(file=str(tmp_path / "folder.csv")), binomial=True)
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as stream:
        stream.truncate(16_000_001)  # sparse: no byte of it is written
    with pytest.raises(InputError, match="has 16000001 bytes, more than the 16000000"):
        read_rows(SimulationFile(file=str(huge)), binomial=True)
