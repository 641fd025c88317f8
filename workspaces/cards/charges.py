"""A user's own mediator: kind and charges as one TOML table, as docs/mediators.md shows."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.declaration import declare
from na64.models.errors import InputError
from na64.models.kinds import EMITTED_KINDS
from na64.models.mediators.charges import FERMIONS, NEUTRINOS
from na64.models.mediators.data import mediator_to_dict
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.spin_zero import SpinZeroMediator
from na64.models.mediators.vectors import AxialMediator, NeutrinoType, VectorMediator
from na64.workspaces.io.reading import read_text
from na64.workspaces.io.tables import read_file
from na64.workspaces.io.toml import parse_toml, toml_text

__all__ = ["charges_text", "load_charges", "parse_charges"]

_KINDS: Final = tuple(kind.value for kind in EMITTED_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    name: str = declare(help="free to choose", pattern=r"[a-z0-9][a-z0-9-]*")
    kind: str = declare(help="kind of mediator", allowed=_KINDS)
    parameter: str = declare("g", help="free parameter", pattern=r"[A-Za-z_][A-Za-z0-9_]*")
    neutrinos: NeutrinoType | None = declare(None, help="left-handed, or dirac for a vector")
    references: tuple[str, ...] = declare((), help="papers")
    charges: Mapping[str, float] = declare(
        help="coupling of each fermion per unit of the parameter",
        allowed=tuple(FERMIONS),
        at_least=-math.inf,
    )

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if not any(self.charges.get(lepton) for lepton in LEPTON_MASSES_GEV):
            leptons = ", ".join(LEPTON_MASSES_GEV)
            yield (
                "charges",
                f"no charged lepton has a charge, so no beam produces it; give {leptons}",
            )
        if self.neutrinos is NeutrinoType.DIRAC and self.kind != MediatorKind.VECTOR:
            yield "neutrinos", f"'dirac' is a choice for a vector, not for kind '{self.kind}'"
        if self.neutrinos and not any(self.charges.get(fermion) for fermion in NEUTRINOS):
            yield "neutrinos", "given, but no neutrino has a charge"


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
        The table.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For text that is no TOML; with every problem and its place.
    """
    file = read_file(_File, parse_toml(text, f"charges {where}"), "charges", where)
    name, parameter, charges = file.name, file.parameter, file.charges
    if file.kind == MediatorKind.VECTOR:
        neutrinos = file.neutrinos or NeutrinoType.LEFT_HANDED
        return VectorMediator(
            name, parameter, charges, citations=file.references, neutrinos=neutrinos
        )
    if file.kind == MediatorKind.AXIAL:
        return AxialMediator(name, parameter, charges, citations=file.references)
    return SpinZeroMediator(name, MediatorKind(file.kind), parameter, charges, file.references)


def charges_text(mediator: Mediator) -> str:
    """Return the TOML text of which `parse_charges` makes a mediator.

    Raises
    ------
    InputError
        For a mediator that is more than a kind and charges.
    """
    data = mediator_to_dict(mediator)
    table: dict[str, object] = {
        key: data[key] for key in ("name", "parameter", "charges") if key in data
    }
    table |= {"kind": str(mediator.kind), "references": list(mediator.citations)}
    if data.get("neutrinos") == NeutrinoType.DIRAC.value:
        table["neutrinos"] = NeutrinoType.DIRAC.value
    try:
        text = toml_text(table)
        same = mediator_to_dict(parse_charges(text)) == data
    except InputError:
        same = False
    if not same:
        raise InputError(f"the mediator '{mediator.name}' is more than a file of charges can say")
    return text
