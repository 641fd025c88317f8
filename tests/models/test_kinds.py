"""One row per kind of mediator: look-ups, and what is said where a row is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pytest

from na64.models.anomalies import anomalous_moment
from na64.models.errors import InputError
from na64.models.inspection import production_by_annihilation, production_by_primakoff
from na64.models.kinds import EMITTED_KINDS, KINDS, structure
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.naming import mass_name
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.spin_zero import SpinZeroMediator
from na64.models.mediators.vectors import VectorMediator
from na64.models.response.windows import DisplacedWindow, MissingEnergyWindow
from na64.models.signals.alp import alp_rates
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target


class MadeUp(StrEnum):
    """A kind that somebody adds to the enumeration and forgets everywhere else."""

    TENSOR = "tensor"


@dataclass(frozen=True)
class Tensor(VectorMediator):
    """A mediator of that kind."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", MadeUp.TENSOR)


BOSON: Any = Tensor("spin-two", "g", {"e": 1.0, "nu_e": 1.0})
KIND: Any = MadeUp.TENSOR
ELECTRONS, ECAL = Beam("e-", 100.0), Target(material("ecal"))
WINDOW = MissingEnergyWindow(50.0)


def signal(**changes: object) -> object:
    settings = SignalSettings(**changes)  # type: ignore[arg-type]
    return missing_energy_rates(ELECTRONS, ECAL, WINDOW, BOSON, [0.1], settings=settings)


@pytest.mark.parametrize(
    ("what", "use"),
    [
        ("the amplitude of emission", lambda: structure(KIND, 0.1, 0.5e-3)),
        ("the amplitude of emission", lambda: SignalSettings().emission(KIND)),
        ("the amplitude of emission", signal),
        ("the width to dark matter", lambda: DarkSector().width_gev(0.1, 0.1, KIND)),
        ("the anomalous moment", lambda: anomalous_moment(KIND, 0.1, "mu")),
        ("the name of the mass", lambda: mass_name(BOSON)),
        ("the width to fermions", lambda: SpinZeroMediator("x", KIND, "g", {"e": 1.0})),
        (
            "the number of spin states",
            lambda: production_by_annihilation(BOSON, 0.1, energy_gev=50.0, dark_sector=None),
        ),
        ("the production", lambda: production_by_primakoff(BOSON, 0.1, energy_gev=50.0)),
        (
            "the production",
            lambda: alp_rates(ELECTRONS, ECAL, DisplacedWindow(400, 900, 50, 50), BOSON, [0.1]),
        ),
    ],
)
def test_a_kind_without_a_row_never_gets_a_default(what: str, use: Callable[[], object]) -> None:
    message = rf"{what} of a mediator of the kind 'tensor' .* KINDS of na64.models.kinds has no row"
    with pytest.raises(InputError, match=message):
        use()


def test_every_kind_has_its_row() -> None:
    assert set(KINDS) == set(MediatorKind)
    assert {row.spin_states for row in KINDS.values()} == {1, 3, 5}
    others = {MediatorKind.PHOTON_COUPLED, MediatorKind.SPIN_TWO}
    assert set(EMITTED_KINDS) == set(MediatorKind) - others


@pytest.mark.parametrize("kind", EMITTED_KINDS)
def test_what_leptons_emit_has_amplitude_moment_and_dark_widths(kind: MediatorKind) -> None:
    row = KINDS[kind]
    assert np.all(np.isfinite(structure(kind, [0.1, 1.0], 0.1).t))
    assert row.moment is not None
    assert row.dark is not None
    assert (row.fermions is None) == (row.spin_states == 3)


def test_a_photon_coupled_boson_has_none_of_these() -> None:
    kind = MediatorKind.PHOTON_COUPLED
    with pytest.raises(InputError, match="leptons do not emit a photon-coupled boson"):
        structure(kind, 0.1, 0.1)
    with pytest.raises(InputError, match="photon-coupled mediator does not decay to dark matter"):
        DarkSector().width_gev(0.1, 0.1, kind)
    with pytest.raises(InputError, match="no one-loop moment"):
        anomalous_moment(kind, 0.1, "mu")


def test_leptons_and_photons_make_a_boson_of_spin_two() -> None:
    row = KINDS[MediatorKind.SPIN_TWO]
    assert not row.from_photons
    assert row.primakoff is not None
    assert row.dark is not None
    with pytest.raises(InputError, match="amplitude of a spin-2 boson off a nucleus has not been"):
        structure(MediatorKind.SPIN_TWO, 0.1, 0.1)
    with pytest.raises(InputError, match="no one-loop moment"):
        anomalous_moment(MediatorKind.SPIN_TWO, 0.1, "mu")


def test_parity_forbids_a_pseudoscalar_to_decay_to_scalars() -> None:
    with pytest.raises(InputError, match="pseudoscalar does not decay to scalar dark matter"):
        DarkSector(DarkMatter.SCALAR).width_gev(0.1, 0.1, MediatorKind.PSEUDOSCALAR)
