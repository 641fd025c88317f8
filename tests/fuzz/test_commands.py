"""No command ends with a traceback, whatever its options and files are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings

from scripts.fuzzing.cases import CommandCase, command_cases
from scripts.fuzzing.commands import LINES, commands_without_a_line
from scripts.fuzzing.documents import Document
from scripts.fuzzing.judging import judge_command

EXAMPLES = 150


def test_every_command_has_a_line() -> None:
    assert not commands_without_a_line()
    assert {line.words[:2] for line in LINES} >= {("workspace", "patch"), ("card", "new")}


def test_a_command_answers_or_refuses_in_words(
    documents: tuple[Document, ...], tmp_path: Path
) -> None:
    by_name = {item.name: item for item in documents}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(command_cases(documents))
    def examples(case: CommandCase) -> None:
        verdict = case.judge(tmp_path, by_name)
        assert not verdict.fault, f"{' '.join(case.words)}\n{verdict.fault}\n{verdict.details}"

    examples()


def test_the_judge_sees_what_is_wrong(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert judge_command(["list", "models"]).outcome == "done"
    assert judge_command(["list", "modells"]).outcome == "refused"
    from na64.limits.cli import list as list_command

    def broken(*_words: object) -> None:
        raise IndexError("in a list")

    monkeypatch.setattr(list_command.command, "invoke", broken)
    found = judge_command(["list", "models"])
    assert found.outcome == "fault"
    assert "internal error, IndexError: in a list" in found.fault
