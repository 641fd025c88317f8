"""Campaigns of toys: shards of a point add up to one table, whoever computed which of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from na64.limits.calculators.limits import cls_values
from na64.limits.calculators.registry import Exact
from na64.limits.calculators.shards import ShardedToys
from na64.limits.campaigns.description import Plan, parse_campaign
from na64.limits.campaigns.subjects import subject_of
from na64.limits.campaigns.tasks import Kept, folded
from na64.limits.campaigns.toys import TOYS
from na64.limits.cli.entry import cli
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError
from na64.workspaces.io.jsonio import canonical_json

Document = dict[str, Any]
SEARCH = 'search = "na64e-2016-2022"\nmasses_gev = [0.1]'


def file_of(keys: str, base: str = "") -> str:
    head = 'format = 1\nname = "t"\nkind = "toys"\n'
    return f"{head}{f'[base]{chr(10)}{base}{chr(10)}' if base else ''}[toys]\n{keys}\n"


@pytest.fixture
def folder(tmp_path: Path, counting) -> Path:
    document = counting((2.0,), (0.2,), (1.0,), observed=(1,))
    (tmp_path / "ws.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


WORKSPACE = 'workspace = "ws.json"\nstrengths = [2.0, 4.0]\n'


def payloads_of(text: str, folder: Path) -> list[Document]:
    campaign = parse_campaign(text, "t.toml", folder=folder)
    return [dict(p) for p in TOYS.payloads(Plan(campaign).point(0), campaign.options)]


def computed(payload: Document) -> Document:
    """The document as a store gives it back."""
    document: Document = json.loads(canonical_json(TOYS.compute(payload, Kept())))
    return document


def test_a_point_is_as_many_shards_as_its_toys_need(folder):
    some = payloads_of(file_of(WORKSPACE + "toys = 2500\nshard = 1000"), folder)
    assert [p["toys"] for p in some] == [1000, 1000, 500]
    # with more toys the whole shards are the same tasks: none is computed again
    more = payloads_of(file_of(WORKSPACE + "toys = 4000\nshard = 1000"), folder)
    assert more[:2] == some[:2]
    assert len(more) == 4


def test_the_table_does_not_depend_on_the_order(folder):
    payloads = payloads_of(file_of(WORKSPACE + "toys = 2500\nshard = 1000"), folder)
    first = [computed(p) for p in payloads]
    again = [computed(p) for p in reversed(payloads)][::-1]
    assert again == first
    total, whole = folded(TOYS, first)
    assert whole
    assert total is not None
    table = TOYS.table(total)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["strength"] for row in rows] == [2.0, 4.0]
    assert all((row["toys"], row["shards"], row["failed"]) == (2500, 3, 0) for row in rows)
    for row in rows:
        assert row["cls"] == pytest.approx(row["p_signal"] / row["p_background"], rel=1e-12)
    right = TOYS.add(first[0], TOYS.add(first[2], first[1]))
    assert TOYS.table(right) == table


def test_it_stops_after_the_fewest_shards_that_are_enough(folder):
    keys = WORKSPACE + "toys = 100_000\nshard = 500\nrelative_error = 0.12"
    documents = [computed(p) for p in payloads_of(file_of(keys), folder)[:12]]
    total, whole = folded(TOYS, documents)
    assert whole
    assert total is not None
    assert TOYS.enough is not None
    ((first, end),) = total["shards"]
    assert first == 0
    assert 1 < end < 12
    columns, rows = TOYS.table(total).columns, TOYS.table(total).rows
    error = [row[columns.index("cls_error")] / row[columns.index("cls")] for row in rows]
    assert max(error) <= 0.12
    # one shard less is not enough, and what came later makes no difference
    less, whole = folded(TOYS, [*documents[: end - 1], None, *documents[end:]])
    assert not whole
    assert less is not None
    assert not TOYS.enough(less)
    assert folded(TOYS, documents[:end]) == (total, True)
    # without a wanted error all are thrown
    assert not TOYS.enough({**total, "relative_error": 0.0})
    # the larger of the two counts
    assert TOYS.enough({**less, "absolute_error": 0.5})


def test_couplings_of_a_search_are_the_exact_ensemble(tmp_path):
    """Three stated errors, at two couplings of one mass."""
    keys = "couplings = [1e-4, 2e-4]\ntoys = 20_000\nshard = 10_000"
    payloads = payloads_of(file_of(keys, SEARCH), tmp_path)
    total, _ = folded(TOYS, [computed(p) for p in payloads])
    assert total is not None
    table = TOYS.table(total)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    asked = subject_of(payloads[0], Kept())
    exact = cls_values(asked.batch, asked.nu[:, None] / asked.batch.events, calculator=Exact())
    for row, value in zip(rows, exact.observed[:, 0].tolist(), strict=True):
        assert abs(row["cls"] - value) < 3.0 * row["cls_error"]
        assert row["parameter"] == "epsilon"
        assert row["mass_gev"] == 0.1
    assert rows[1]["events"] == pytest.approx(4.0 * rows[0]["events"], rel=1e-12)


def test_a_projection_has_no_observed_value(tmp_path):
    keys = "couplings = [1e-4]\ntoys = 1000"
    text = file_of(keys, SEARCH + "\nexpected_only = true")
    table = TOYS.table(computed(payloads_of(text, tmp_path)[0]))
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["cls"] is None
    assert row["p_background"] is None
    assert 0.0 < row["expected_median"] <= 1.0
    assert "no data" in row["message"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (file_of('workspace = "ws.json"\ncouplings = [1.0]'), "toys.strengths"),
        (file_of('workspace = "ws.json"\ncouplings = [1.0]'), "a workspace has strengths"),
        (file_of("toys = 10", SEARCH), "a search needs couplings"),
        (file_of(WORKSPACE, SEARCH), "the table 'toys' has it all"),
        (file_of(WORKSPACE + "toys = 1_000_000\nshard = 5"), "200000 shards"),
        (file_of(WORKSPACE + "tois = 1"), "did you mean"),
        (file_of(WORKSPACE + "ensemble = 'aux'"), "aux-fixed"),
        (file_of('workspace = "none.json"\nstrengths = [1.0]'), "none.json"),
        (file_of('measurement = "m"\ncouplings = [1.0]', SEARCH), "there is none"),
    ],
)
def test_files_with_problems_name_them(folder, text, words):
    with pytest.raises(InputError, match=words):
        parse_campaign(text, "t.toml", folder=folder)


def test_the_method_is_toys(tmp_path):
    with pytest.raises(InputError, match="not the method 'exact'"):
        payloads_of(file_of("couplings = [1e-4]", SEARCH + '\nmethod = "exact"'), tmp_path)


def test_the_command_writes_what_the_shards_say(folder):
    text = file_of(WORKSPACE + "toys = 1000\nshard = 400")
    (folder / "t.toml").write_text(text, encoding="utf-8")
    out, table = str(folder / "out"), folder / "t.json"
    runner = CliRunner()
    for arguments in (
        ["run", str(folder / "t.toml"), "-o", out, "--jobs", "1", "--no-cache"],
        ["collect", out, "-o", str(table)],
        ["status", out],
    ):
        answer = runner.invoke(cli, ["campaign", *arguments])
        assert answer.exit_code == 0, answer.output
    assert "point 0, whole: toys 1000; cls 0." in answer.output
    found = json.loads(table.read_text(encoding="utf-8"))
    total, _ = folded(TOYS, [computed(p) for p in payloads_of(text, folder)])
    assert total is not None
    wanted = TOYS.table(total)
    cells = [row[found["columns"].index("search") :] for row in found["rows"]]
    assert cells == json.loads(canonical_json([list(row) for row in wanted.rows]))


def test_strengths_of_a_signal_that_is_no_power_law_share_their_random_numbers(counting):
    """Two shapes of one mass: background toys of one shard are the same data."""
    likelihood = compile_workspace(counting(observed=(0, 1, 0)), validate=False)
    signals = np.array([[[2.0, 1.0, 0.5]], [[0.5, 1.0, 2.0]]])
    batch = likelihood.inject(signals, [0.1, 0.1])
    counts = batch.likelihood.observed
    both = ShardedToys(batch, batch.events, np.arange(2), counts).shard(0, 500)
    alone = ShardedToys(batch.take(np.array([1])), batch.events[1:], np.array([0]), counts)
    assert alone.shard(0, 500).background[0].to_dict() == both.background[1].to_dict()


def test_the_files_of_the_page_can_be_read():
    page = (Path(__file__).parents[3] / "docs" / "campaign-toys.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in page.split("```toml\n")[1:]]
    whole = [block for block in blocks if block.startswith("format")]
    assert [parse_campaign(text, "page", folder=Path()).kind for text in whole] == [
        "toys",
        "coverage",
    ]
