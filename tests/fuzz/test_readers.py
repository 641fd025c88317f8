"""No reader does anything with a damaged file but read it, or refuse it in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from scripts.fuzzing.cases import ReaderCase, reader_cases
from scripts.fuzzing.documents import Document
from scripts.fuzzing.judging import judge_reading
from scripts.fuzzing.readers import READERS
from scripts.fuzzing.trees import Change, Twice, changed_bytes, changed_tree, dumped

#: examples; scripts/fuzz runs as many as one likes
EXAMPLES = 1850


@pytest.mark.parametrize("kind", READERS)
def test_every_reader_reads_its_sound_documents(
    documents: tuple[Document, ...], kind: str, tmp_path: Path
) -> None:
    # a reader that refused all of them would pass the test below
    for reader in READERS[kind]:
        outcomes = {
            item.name: ReaderCase(reader, item, (), ()).judge(tmp_path).outcome
            for item in documents
            if item.kind == kind
        }
        outcomes.pop("likelihood-background-only.json", None)  # which has no signal
        assert set(outcomes.values()) == {"read"}, (reader, outcomes)


def test_a_damaged_document_is_read_or_refused(
    documents: tuple[Document, ...], tmp_path: Path
) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(reader_cases(documents))
    def examples(case: ReaderCase) -> None:
        verdict = case.judge(tmp_path)
        assert not verdict.fault, f"{verdict.fault}\n{verdict.details[-2000:]}"

    examples()


def test_the_judge_sees_what_is_wrong() -> None:
    def broken(content: bytes) -> object:
        return json.loads(content)["key"]

    assert judge_reading(broken, b"{}").outcome == "internal error"
    assert judge_reading(broken, b'{"key": 1}').outcome == "read"


def test_changes_change_what_they_say() -> None:
    tree = {"a": [1, 2], "b": {"c": "x"}}
    every = {
        dumped(changed_tree(tree, [Change(kind, place, value)]))
        for kind in range(11)
        for place in range(6)
        for value in range(60)
    }
    assert tree == {"a": [1, 2], "b": {"c": "x"}}
    assert '{"a": [1, 2], "b": {"c": "x", "c": "x"}}' in every  # a key that is there twice
    assert '{"a": [1, NaN], "b": {"c": "x"}}' in every
    assert '{"a": [1], "b": {"c": "x"}}' in every
    assert '{"b": {"c": "x"}}' in every
    assert '{"a": {"value": [1, 2]}, "b": {"c": "x"}}' in every
    assert len(every) > 300
    assert dumped(Twice(a=1)) == '{"a": 1, "a": 1}'
    assert changed_bytes(b"abc", [Change(2, 1, 0)]) == b"acc"
    assert changed_bytes(b"abc", [Change(3, 1, 0)]) == b"a"
