"""The commands of campaigns: what they say, write and draw, and with which exit code they end."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import na64.workspaces.io.optional as optional
from na64.limits.campaigns.executors import AnyExecutor
from na64.limits.campaigns.picture import campaign_figure
from na64.limits.campaigns.running import Resources, begin
from na64.limits.campaigns.store import Store
from na64.limits.campaigns.table import collect
from na64.models.errors import InputError
from tests.shared import ROOT

TEXT = """
format = 1
name = "commands"
refused = "leave-out"
[base]
search = "na64mu-2022"
masses = [0.02, 0.05]
method = "asymptotic"
[[axes]]
model = ["dark-photon", "l-mu-l-tau", "alp"]
[[axes]]
confidence_level = "0.8:0.95:2"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("commands") / "campaign"
    with ThreadPoolExecutor(1) as executor:
        counts = begin(TEXT, "commands.toml", made, Resources(AnyExecutor(executor, 1)))
    assert (counts.points, counts.done, counts.left_out) == (6, 4, 2)
    return made


def test_documents_fit_their_schemas_and_files_agree(call, folder: Path) -> None:
    for words, name in ((("status",), "campaign-status-1"), (("collect",), "campaign-1")):
        schema = json.loads((ROOT / "workspaces" / "schemas" / f"{name}.json").read_text())
        done = call("campaign", *words, str(folder), "--json")
        assert done.code == 0, done.err
        jsonschema.validate(done.data, schema)
    files = [f"table{suffix}" for suffix in (".json", ".csv", ".parquet")]
    done = call("campaign", "collect", str(folder), *(w for f in files for w in ("-o", f)))
    assert done.code == 0, done.err
    document = json.loads(Path("table.json").read_text())
    assert document["axes"] == ["model", "confidence_level"]
    assert [row[:2] for row in document["rows"]] == [
        *([number, "done"] for number in (0, 0, 1, 1, 2, 2, 3, 3)),
        [4, "left-out"],
        [5, "left-out"],
    ]
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(Path("table.parquet").read_bytes()))
    assert table.column_names == document["columns"]
    assert [list(row.values()) for row in table.to_pylist()] == document["rows"]
    lines = Path("table.csv").read_text().splitlines()
    assert lines[0].split(",") == document["columns"]
    assert len(lines) == 1 + len(document["rows"])


def test_commands_that_are_refused(call, folder: Path) -> None:
    Path("file.toml").write_text(TEXT)
    run = ("campaign", "run", "file.toml", "-o", "new")
    plot = ("campaign", "plot", str(folder), "-o", "a.png")
    for words, said in (
        ((*run, "--jobs", "0"), "at least one job is needed, not 0"),
        ((*run, "--executor", "dusk"), "unknown executor 'dusk' (did you mean 'dask'?)"),
        ((*run, "--scheduler", "tcp://a:1"), "--scheduler is of no use without --executor dask"),
        (
            (*run, "--executor", "dask", "--scheduler", "tcp://a:1", "--jobs", "2"),
            "--jobs is of no use with --scheduler",
        ),
        (("campaign", "run", "no.toml", "-o", "new"), "no such file"),
        (("campaign", "run", "file.toml", "-o", "no/new"), "cannot make no/new"),
        (("campaign", "status", "nowhere"), "nowhere: there is no campaign"),
        (("campaign", "retry", str(folder)), "say which points: --failed"),
        (("campaign", "plot", str(folder)), "no output"),
        (
            (*plot, "--x", "confidence"),
            "unknown axis 'confidence' (did you mean 'confidence_level'?)",
        ),
        (
            ("campaign", "plot", str(folder), "-o", "a.png", "--y", "search"),
            "no point has a number",
        ),
        (("campaign", "plot", str(folder), "-o", "a.png", "--where", "model=x"), "no point has"),
        (("campaign", "plot", str(folder), "-o", "a.png", "--where", "model"), "KEY=VALUE"),
    ):
        done = call(*words)
        assert done.code == 2, (words, done)
        assert said in done.err, (words, done.err)
    assert sorted(path.name for path in Path().iterdir()) == ["file.toml"]


def test_what_is_not_installed_is_one_line(
    call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(optional, "import_module", missing)
    Path("file.toml").write_text(TEXT)
    done = call("campaign", "run", "file.toml", "-o", "new", "--executor", "dask")
    assert done.err.splitlines() == [
        "error: campaigns on a cluster: needs distributed, which is not installed: "
        "pip install 'na64-limits[dask]'"
    ]
    done = call("campaign", "collect", str(folder), "-o", "table.parquet", "-o", "table.csv")
    assert done.err.splitlines() == [
        "error: tables as Parquet: needs pyarrow, which is not installed: "
        "pip install 'na64-limits[parquet]'"
    ]
    assert not Path("table.csv").exists()


def test_a_campaign_that_is_not_finished(call, folder: Path) -> None:
    Path("part").mkdir()
    with Store(folder) as whole:
        head = whole.head
    Store.begin(Path("part"), head).close()
    done = call("campaign", "collect", "part")
    assert done.code == 3
    assert "6 of 6 points have no result yet" in done.err


def test_the_figure_has_a_curve_per_value_of_the_other_axes(folder: Path) -> None:
    with Store(folder) as store:
        found = collect(store)
    axes = campaign_figure(found, where={"mass_gev": "0.05"}).axes[0]
    rows = [dict(zip(found.table.columns, row, strict=True)) for row in found.table.rows]
    drawn = {tuple(line.get_ydata().tolist()) for line in axes.get_lines()}  # type: ignore[union-attr]
    for model in ("dark-photon", "l-mu-l-tau"):
        wanted = [r["observed"] for r in rows if r["model"] == model and r["mass_gev"] == 0.05]
        assert tuple(wanted) in drawn
    assert axes.get_xlabel() == "confidence level"
    along = campaign_figure(found, x="mass_gev", where={"model": "l-mu-l-tau"}).axes[0]
    assert {tuple(line.get_xdata().tolist()) for line in along.get_lines()} == {(0.02, 0.05)}  # type: ignore[union-attr]
    with pytest.raises(InputError, match="no point has model scalar; there are dark-photon"):
        campaign_figure(found, where={"model": "scalar"})
