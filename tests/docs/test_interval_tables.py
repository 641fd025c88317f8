"""The tables of docs/intervals.md are what the code gives, and agree with what is published."""

from __future__ import annotations

import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

import pytest

from tests.shared import ROOT

PAGE = (ROOT / "docs" / "intervals.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "make_interval_tables"
    loader = SourceFileLoader("make_interval_tables", str(path))
    spec = spec_from_loader("make_interval_tables", loader)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows_of(title: str) -> list[list[str]]:
    """The cells of a table of the page, without its header."""
    part = PAGE.split(f"### {title}\n\n")[1].split("\n\n")[0]
    return [[c.strip() for c in line.split("|")[1:-1]] for line in part.splitlines()[2:]]


def numbers(cell: str) -> list[float]:
    return [float(x) for x in re.findall(r"-?[0-9][0-9.e+-]*", cell)]


def test_every_table_is_on_the_page(script: ModuleType) -> None:
    for title in script.SECTIONS:
        assert len(rows_of(title)) >= (7 if "published" in title else 11)


def test_unified_intervals(script: ModuleType) -> None:
    """Rows of the page: what is printed in the paper, and a sample computed again."""
    rows = rows_of("Unified intervals: table IV of Feldman and Cousins, 90 %")
    assert len(rows) >= 12
    printed = {(n, b): (low, high) for n, b, low, high in script.printed()}
    far = 0
    for n, b, old, new, differ, beyond in rows:
        low, high = printed[int(n), float(b)]
        assert numbers(old) == [low, high]
        if beyond:  # section IV B of the paper: the grid of backgrounds is one of 0.02
            far += 1
            assert float(beyond) == pytest.approx(high, abs=0.025)
            assert numbers(new)[1] < high
        else:
            assert float(differ) <= script.FC_TOLERANCE
    assert far == 6
    for row in (rows[0], rows[2], rows[-2]):
        here = script.unified(int(row[0]), float(row[1]))
        assert numbers(row[3]) == pytest.approx(here, abs=6e-5)


def test_bayesian_limits(script: ModuleType) -> None:
    for n, low, mine, high, other in script.poisson_rows():
        # two decimals are printed
        assert mine == pytest.approx(low, abs=0.0051), n
        assert other == pytest.approx(high, abs=0.0051), n
    for (name, closed, here, cls), row in zip(
        script.closed_rows(), rows_of("Bayesian limits at 90 % without uncertainties"), strict=True
    ):
        assert here == pytest.approx(closed, rel=1e-9), name
        assert numbers(row[2]) == pytest.approx([here], abs=1e-6)
        if "shares" not in name:
            assert cls == pytest.approx(here, rel=1e-6), name


def test_bayesian_limits_with_uncertainties(script: ModuleType) -> None:
    rows = rows_of("Bayesian limits at 90 % with uncertainties")
    assert len(rows) >= 12
    for row in rows:
        closed, here = float(row[1]), float(row[2])
        error = 4.0 * float(row[4]) * here if row[4] else 1e-6 * here
        assert abs(here - closed) < error, row[0]
    # quadrature in one and two parameters, sampling in four
    some = (1, 3, 5)
    sample = script.nuisance_rows([script.AUXILIARY[i] for i in some], ())
    for row, (_, closed, here, _) in zip([rows[i] for i in some], sample, strict=True):
        assert (float(row[1]), float(row[2])) == pytest.approx((closed, here), abs=2e-6)


def test_profile_intervals(script: ModuleType) -> None:
    rows = rows_of("Profile intervals at 90 %")
    assert len(rows) >= 12
    for row, (name, closed, here) in zip(rows, script.profile_rows(), strict=True):
        assert here == pytest.approx(closed, abs=1e-7), name
        assert numbers(row[2]) == pytest.approx(here, abs=1e-6)
    for source, _, old, new, top, three in script.published_profile_rows():
        # digits that are printed
        assert new == pytest.approx(old, abs=5e-3 if source == "Cousins" else 2e-5)
        if top is not None:
            assert three == pytest.approx(top, abs=2e-5)
