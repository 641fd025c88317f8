"""What a signal depends on beside the setup, the mediator and the masses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from na64.models.declaration import check_declared, declare, record_of
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.production.process import Approximation, Emission

__all__ = ["DEFAULT_SETTINGS", "SignalSettings", "uses"]

_SECTOR: Final = "dark_sector"


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """Settings of every signal; each uses those that it has a use for, see `uses`.

    Attributes
    ----------
    production
        Approximation of the cross-section of emission: ``etl``, ``ww`` or ``iww``.
    annihilation
        Whether resonant annihilation of the cascade's positrons is included.
    inelastic
        Whether inelastic scattering off the nuclei is included.
    initial_state_radiation
        Whether the positrons and electrons of the resonance radiate. Adds masses below its lower
        edge and takes 5-12 % off above it; off in published limits.
    bound_electrons
        Whether the electrons of the target move as they do in atoms; without, they are at rest, as
        in published limits.
    primary_positrons
        Whether the positrons of a positron beam annihilate before their first pair production;
        without, only those of the shower do, as with an electron beam. For comparisons.
    invisible_branching
        Branching ratio to states that nothing sees, of a particle that decays in flight.
    dark_sector
        Dark matter that the mediator decays to; None leaves it to its neutrinos.

    Raises
    ------
    InputError
        For an unknown name, a wrong type, a value out of range.
    """

    production: str = declare(
        Approximation.ETL.value,
        help="Cross-section: etl (exact tree level), ww or iww (Weizsacker-Williams).",
        allowed=tuple(kind.value for kind in Approximation),
    )
    annihilation: bool = declare(
        True,
        help="Without the resonance of e+ e-.",
        flag="no-annihilation",
        words=("with annihilation", "without annihilation"),
    )
    inelastic: bool = declare(
        True,
        help="Without inelastic scattering off nuclei.",
        flag="elastic-only",
        words=("with inelastic scattering", "elastic only"),
    )
    initial_state_radiation: bool = declare(
        False,
        help="With initial-state radiation of the annihilating pair.",
        flag="radiation",
        words=("with radiation", "without radiation"),
    )
    bound_electrons: bool = declare(
        False,
        help="With the motion of atomic electrons in the resonance of e+ e-.",
        flag="bound-electrons",
        words=("electrons in motion", "electrons at rest"),
    )
    primary_positrons: bool = declare(
        True,
        help="Of a positron beam only the shower annihilates, for comparison.",
        flag="no-primary-positrons",
        words=("with primary positrons", "without primary positrons"),
    )
    invisible_branching: float = declare(
        0.0,
        help="Of a particle that decays in flight: share of decays that nothing sees.",
        at_most=1.0,
        words=("BR(invisible) = {:g}",),
    )
    dark_sector: DarkSector | None = None

    def __post_init__(self) -> None:
        check_declared(self)
        if self.dark_sector is not None and not isinstance(self.dark_sector, DarkSector):
            raise InputError("dark sector must be a DarkSector or None")

    def emission(self, kind: str, lepton: str = "e") -> Emission:
        """Return the process in which a lepton emits a mediator of a kind."""
        return Emission(kind, lepton, self.production, self.inelastic)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        sector = self.dark_sector
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**data, _SECTOR: None if sector is None else sector.to_dict()}

    @classmethod
    def from_dict(cls, data: object, where: str = "settings") -> SignalSettings:
        """Return the settings that plain data give; those that are missing have their defaults.

        Parameters
        ----------
        data
            As `to_dict` returns it; not trusted.
        where
            Path of the data in its document, for messages.

        Raises
        ------
        InputError
            For what is no such data, with its path.
        """
        if isinstance(data, Mapping) and data.get(_SECTOR) is not None:
            data = {**data, _SECTOR: DarkSector.from_dict(data[_SECTOR], f"{where}.{_SECTOR}")}
        return record_of(cls, data, where)


#: every setting at its default, and no dark matter
DEFAULT_SETTINGS: Final = SignalSettings()


def uses(signal: Callable[..., object]) -> frozenset[str]:
    """Return the names of the fields of `SignalSettings` that a signal function has a use for.

    The module of a signal function declares them as ``USES``.

    Raises
    ------
    InputError
        For a function whose module does not.
    """
    found = getattr(sys.modules[signal.__module__], "USES", None)
    if not isinstance(found, frozenset):
        raise InputError(
            f"the module {signal.__module__} does not declare in USES which settings its signal "
            "has a use for"
        )
    return found
