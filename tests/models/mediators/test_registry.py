"""Mediators by name, and those that another installed distribution brings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import BUILT_IN, available_mediators, mediator

MODULE = """
from na64.models.mediators.vectors import VectorMediator

def boson():
    return VectorMediator("protophobic", "g", {"e": 1.0, "nu_e": 0.5}, citations=("toy",))

def broken():
    return "no mediator"
"""
METADATA = """
Metadata-Version: 2.1
Name: toy-mediators
Version: 1.0
"""
ENTRY_POINTS = """
[na64.mediators]
protophobic = toy_mediators:boson
broken = toy_mediators:broken
dark-photon = toy_mediators:broken
"""


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a distribution as an installer would: a module and its metadata on sys.path."""
    (tmp_path / "toy_mediators.py").write_text(MODULE)
    info = tmp_path / "toy_mediators-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(dedent(METADATA).lstrip())
    (info / "entry_points.txt").write_text(dedent(ENTRY_POINTS).lstrip())
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("toy_mediators", None)


def test_every_built_in_mediator_keeps_the_protocol() -> None:
    for name in BUILT_IN:
        found = mediator(name)
        assert isinstance(found, Mediator)
        assert found.name == name
        assert found.citations
        widths = found.partial_widths(np.array([1e-6, 0.05, 2.0]))
        assert all(np.shape(width) == (3,) and np.all(width >= 0.0) for width in widths.values())


def test_names_of_the_documentation() -> None:
    expected = {"dark-photon", "b-minus-l", "l-mu-l-tau", "vector", "axial", "scalar"}
    assert {*expected, "pseudoscalar"} <= set(available_mediators())


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="dark-photon"):
        mediator("dark-foton")


@pytest.mark.usefixtures("third_party")
def test_a_third_party_mediator_is_found_and_scanned() -> None:
    from na64.limits import scan

    assert "protophobic" in available_mediators()
    found = mediator("protophobic")
    assert found.name == "protophobic"
    exclusion = scan("na64e-2016", model="protophobic", masses_gev=np.array([0.05]))
    assert exclusion.specification.mediator.name == "protophobic"
    assert exclusion.status[0].value == "ok"
    photon = scan("na64e-2016", masses_gev=np.array([0.05]))
    # g -> epsilon e; 1/9 of its decays is to a neutrino of half the charge. The dark photon's
    # resonance, broad through its dark decays, adds 0.2 % even at 50 MeV
    ratio = exclusion.observed[0] / (photon.observed[0] * 0.302822)
    assert ratio == pytest.approx(3.0, rel=3e-3)


@pytest.mark.usefixtures("third_party")
def test_a_third_party_object_must_be_a_mediator_and_cannot_replace_a_built_in() -> None:
    with pytest.raises(InputError, match=r"'toy_mediators:broken' .* does not return a mediator"):
        mediator("broken")
    assert mediator("dark-photon").parameter == "epsilon"
