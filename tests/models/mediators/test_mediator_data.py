"""Mediators as data: the way through a file and back, and what is refused on it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.models.mediators.alp import PhotonCoupledMediator
from na64.models.mediators.charges import FERMIONS
from na64.models.mediators.data import PLUG_IN, mediator_from_dict, mediator_to_dict
from na64.models.mediators.gauge_bosons import LMuLTau
from na64.models.mediators.mesons import InvisibleMesons
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.registry import BUILT_IN, mediator
from na64.models.mediators.spin_zero import SpinZeroMediator
from na64.models.mediators.vectors import (
    AxialMediator,
    HeavyNeutrinos,
    NeutrinoType,
    VectorMediator,
    dark_photon,
)
from na64.workspaces.io.jsonio import canonical_json

MASSES = np.array([1e-6, 0.01, 0.3, 2.0, 12.0])

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20
)
numbers = st.floats(-1e3, 1e3, allow_nan=False)
charges = st.dictionaries(st.sampled_from(FERMIONS), numbers)
citations = st.lists(texts, max_size=3).map(tuple)
heavy = st.builds(
    HeavyNeutrinos, number=st.integers(1, 5), charge=numbers, ratio=st.floats(0.1, 100.0)
)
mediators = st.one_of(
    st.builds(
        VectorMediator,
        texts,
        texts,
        charges,
        numbers,
        citations,
        st.sampled_from(NeutrinoType),
        st.none() | heavy,
    ),
    st.builds(AxialMediator, texts, texts, charges, numbers, citations),
    st.builds(
        SpinZeroMediator,
        texts,
        st.sampled_from([MediatorKind.SCALAR, MediatorKind.PSEUDOSCALAR]),
        texts,
        charges,
        citations,
    ),
    st.builds(PhotonCoupledMediator, texts, texts, citations),
    st.builds(LMuLTau, texts, texts, citations),
    st.builds(InvisibleMesons, texts, texts, citations),
)


def through_a_file(found: Mediator) -> Mediator:
    return mediator_from_dict(json.loads(canonical_json(mediator_to_dict(found))))


@given(made=mediators)
@settings(max_examples=300, deadline=None)
def test_the_way_through_a_file_keeps_everything(made: Mediator) -> None:
    found = through_a_file(made)
    assert type(found) is type(made)
    assert mediator_to_dict(found) == mediator_to_dict(made)
    # what has been through a file once comes back bit by bit
    assert through_a_file(found) == found
    for fermion in FERMIONS:
        assert np.allclose(made.coupling(fermion), found.coupling(fermion), rtol=1e-11, atol=0.0)
    with np.errstate(over="ignore"):
        before, after = made.partial_widths(MASSES), found.partial_widths(MASSES)
    assert before.keys() == after.keys()
    for state, width in before.items():
        # a threshold that moves in the last digit moves the width next to it by more
        assert np.allclose(width, after[state], rtol=1e-9, atol=1e-300), state


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_mediator_keeps_all_of_its_digits(name: str) -> None:
    own = mediator(name)
    found = through_a_file(own)
    assert found == own
    assert {key: list(value) for key, value in found.partial_widths(MASSES).items()} == {
        key: list(value) for key, value in own.partial_widths(MASSES).items()
    }


def test_data_of_another_mediator_of_a_built_in_name_are_taken_as_they_are() -> None:
    mine = replace(dark_photon(), unit=0.5, charges={"e": -1.0, "u": 0.5})
    assert through_a_file(mine) == mine
    nearly = {**mediator_to_dict(dark_photon()), "unit": 0.302822120871}
    assert mediator_from_dict(nearly) != dark_photon()


def test_attributes_with_a_default_may_be_left_out() -> None:
    data = {"type": "vector", "name": "mine", "parameter": "g", "charges": {"e": 1}}
    assert mediator_from_dict(data) == VectorMediator("mine", "g", {"e": 1.0})


VECTOR: dict[str, Any] = {
    "type": "vector",
    "name": "mine",
    "parameter": "g",
    "charges": {"e": 1.0},
}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "signal.mediator must be a table, is list"),
        ({1: 2}, "signal.mediator must be a table"),
        ({}, "signal.mediator.type is missing; allowed: vector, axial"),
        ({**VECTOR, "type": "vektor"}, "signal.mediator.type: .*did you mean 'vector'"),
        ({**VECTOR, "type": ["vector"]}, "signal.mediator.type must be a text"),
        ({**VECTOR, "charge": 1}, "signal.mediator: unknown key 'charge' .*'charges'"),
        ({"type": "vector", "name": "x", "parameter": "g"}, "signal.mediator.charges is missing"),
        ({**VECTOR, "charges": {"electron": 1}}, "signal.mediator.charges: unknown fermion"),
        ({**VECTOR, "charges": {"e": True}}, "signal.mediator.charges.e must be a number"),
        ({**VECTOR, "charges": {"e": float("nan")}}, "signal.mediator.charges.e must be finite"),
        ({**VECTOR, "charges": {"e": 10**400}}, "signal.mediator.charges.e must be finite"),
        ({**VECTOR, "charges": [1.0]}, "signal.mediator.charges must be a table"),
        ({**VECTOR, "unit": "e"}, "signal.mediator.unit must be a number"),
        ({**VECTOR, "name": ""}, "signal.mediator.name must be a text of one line"),
        ({**VECTOR, "name": "a\nb"}, "signal.mediator.name must be a text of one line"),
        ({**VECTOR, "name": "a" * 501}, "signal.mediator.name must be no longer than"),
        ({**VECTOR, "citations": "x"}, "signal.mediator.citations must be a list"),
        ({**VECTOR, "citations": ["x", 1]}, r"signal.mediator.citations\[1\] must be a text"),
        ({**VECTOR, "kind": "axial"}, "signal.mediator.kind must be 'vector' for this type"),
        ({**VECTOR, "kind": "vectr"}, "signal.mediator.kind: unknown value 'vectr'"),
        ({**VECTOR, "neutrinos": "heavy"}, "signal.mediator.neutrinos: unknown value"),
        ({**VECTOR, "heavy_neutrinos": {"number": 3}}, "heavy_neutrinos.charge is missing"),
        (
            {**VECTOR, "heavy_neutrinos": {"number": 1.5, "charge": 1, "ratio": 3}},
            "heavy_neutrinos.number must be a whole number",
        ),
        (
            {**VECTOR, "heavy_neutrinos": {"number": 0, "charge": 1, "ratio": 3}},
            "signal.mediator.heavy_neutrinos: heavy neutrinos: a number of 1 or more",
        ),
        (
            {**VECTOR, "type": "spin-zero", "kind": "vector"},
            "signal.mediator: a spin-zero mediator is scalar or pseudoscalar",
        ),
        ({"type": PLUG_IN, "name": "x"}, "signal.mediator.kind is missing"),
    ],
)
def test_data_that_are_wrong_are_refused_with_their_path(data: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mediator_from_dict(data, "signal.mediator")


MODULE = """
from na64.models.mediators.vectors import VectorMediator, dark_photon

class Own(VectorMediator):
    pass

def plain():
    return VectorMediator("plain", "g", {"e": 1.0})

def own():
    return Own("own", "g", {"e": 1.0}, citations=("toy",))

def misnamed():
    return VectorMediator("another", "g", {"e": 1.0})
"""
ENTRY_POINTS = """
[na64.mediators]
plain = toy_bosons:plain
own = toy_bosons:own
misnamed = toy_bosons:misnamed
"""


@pytest.fixture
def plug_ins(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Install two mediators of another package; undone by the patch that is handed out."""
    (tmp_path / "toy_bosons.py").write_text(MODULE)
    info = tmp_path / "toy_bosons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-bosons\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(dedent(ENTRY_POINTS).lstrip())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        yield patch
    sys.modules.pop("toy_bosons", None)


def test_a_plug_in_of_a_type_of_ours_is_data(plug_ins: pytest.MonkeyPatch) -> None:
    data = mediator_to_dict(mediator("plain"))
    plug_ins.undo()
    assert mediator_from_dict(data) == VectorMediator("plain", "g", {"e": 1.0})


def test_a_plug_in_of_its_own_class_is_asked_for(plug_ins: pytest.MonkeyPatch) -> None:
    found = mediator("own")
    data = mediator_to_dict(found)
    assert data == {
        "type": "plug-in",
        "name": "own",
        "kind": "vector",
        "parameter": "g",
        "citations": ["toy"],
        "class": "toy_bosons:Own",
        "entry_point": "toy_bosons:own",
    }
    assert mediator_from_dict(data) == found
    with pytest.raises(InputError, match=r"parameter is 'h', .* has 'g': another version"):
        mediator_from_dict({**data, "parameter": "h"})
    plug_ins.undo()
    with pytest.raises(InputError, match=r"mediator: the model 'own' .*: install the package"):
        mediator_from_dict(data)


def test_a_class_that_nobody_registers_is_written_but_not_read() -> None:
    class Mine(VectorMediator):
        pass

    data = mediator_to_dict(Mine("mine", "g", {"e": 1.0}))
    assert data["entry_point"] is None
    with pytest.raises(InputError, match="no installed package registers it"):
        mediator_from_dict(data)


@pytest.mark.usefixtures("plug_ins")
def test_a_plug_in_has_the_name_it_is_registered_under() -> None:
    with pytest.raises(InputError, match="'misnamed' returns one named 'another'"):
        mediator("misnamed")
