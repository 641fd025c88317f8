"""Problems of a file in one message: how many there are, the first of them, and what to do."""

from __future__ import annotations

from na64.workspaces.io.problems import FileProblemsError, Problem


def told(count: int, most: int | None = None, hint: str = "") -> str:
    problems = [Problem(f"at {number}", "is wrong") for number in range(count)]
    return str(FileProblemsError("file", "some.toml", problems, most=most, hint=hint))


def test_a_hint_is_no_problem_and_counts_as_none() -> None:
    assert told(1, hint="leave it") == "file some.toml: at 0: is wrong; leave it"
    assert told(2, hint="leave it").splitlines() == [
        "file some.toml has 2 problems:",
        "  at 0: is wrong",
        "  at 1: is wrong",
        "leave it",
    ]


def test_of_many_problems_the_first_are_listed_and_all_are_counted() -> None:
    lines = told(12, most=10).splitlines()
    assert lines[0] == "file some.toml has 12 problems:"
    assert lines[-2:] == ["  at 9: is wrong", "  and 2 more"]
    assert "more" not in told(10, most=10)
