"""A user's own mediator: kind and charges as one TOML table.

name = "baryophobic"          # free to choose
kind = "vector"               # vector, axial, scalar or pseudoscalar
parameter = "g"               # optional; g if absent
neutrinos = "left-handed"     # optional; or dirac, for a vector
references = []               # optional
[charges]                     # coupling of each fermion per unit of the parameter
e = 1.0
nu_e = 1.0
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.kinds import EMITTED_KINDS
from na64.models.mediators.charges import FERMIONS, NEUTRINOS
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.spin_zero import SpinZeroMediator
from na64.models.mediators.vectors import AxialMediator, NeutrinoType, VectorMediator
from na64.workspaces.cards.fields import Problems, TableReader
from na64.workspaces.io.jsonio import read_text
from na64.workspaces.io.toml import parse_toml

__all__ = ["load_charges", "parse_charges"]

_KINDS: Final = tuple(kind.value for kind in EMITTED_KINDS)
_NAME: Final = r"[a-z0-9][a-z0-9-]*"


def load_charges(path: str | os.PathLike[str]) -> Mediator:
    """Return the mediator that a file describes.

    Raises
    ------
    InputError
        If the file cannot be read or is no TOML; with every problem and its place in the file.
    """
    return parse_charges(read_text(path), os.fspath(path))


def parse_charges(text: str, where: str = "charges") -> Mediator:
    """Return the mediator that a TOML text describes.

    Parameters
    ----------
    text
        The table; see this module.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For text that is no TOML; with every problem and its place.
    """
    data = parse_toml(text, f"charges {where}")
    problems = Problems()
    top = TableReader(data, "", problems)
    name = top.text("name", pattern=_NAME)
    kind = top.text("kind", allowed=_KINDS)
    parameter = top.text("parameter", default="g", pattern=r"[A-Za-z_][A-Za-z0-9_]*")
    neutrinos = top.text("neutrinos", default="left-handed", allowed=[*NeutrinoType])
    references = top.texts("references", default=())
    charges = _charges(top.table("charges"))
    top.finish()
    if neutrinos == NeutrinoType.DIRAC and kind in _KINDS and kind != MediatorKind.VECTOR:
        top.problem("neutrinos", f"'dirac' is a choice for a vector, not for kind '{kind}'")
    if "neutrinos" in data and not any(charges.get(fermion) for fermion in NEUTRINOS):
        top.problem("neutrinos", "given, but no neutrino has a charge")
    problems.raise_if_any("charges", where)
    if kind == MediatorKind.VECTOR:
        return VectorMediator(
            name, parameter, charges, citations=references, neutrinos=NeutrinoType(neutrinos)
        )
    if kind == MediatorKind.AXIAL:
        return AxialMediator(name, parameter, charges, citations=references)
    return SpinZeroMediator(name, MediatorKind(kind), parameter, charges, references)


def _charges(table: TableReader | None) -> Mapping[str, float]:
    if table is None:
        return {}
    found: dict[str, float] = {}
    for fermion in FERMIONS:
        if not table.has(fermion):
            continue
        # charges have either sign, which numbers of cards do not
        value = table.data[fermion]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            table.problem(fermion, "must be a number")
        elif not abs(value) < float("inf"):
            table.problem(fermion, f"must be finite, is {value}")
        else:
            found[fermion] = float(value)
    table.finish()
    if table.sound and not any(found.get(lepton) for lepton in LEPTON_MASSES_GEV):
        leptons = ", ".join(LEPTON_MASSES_GEV)
        table.problem("", f"no charged lepton has a charge, so no beam produces it; give {leptons}")
    return found
