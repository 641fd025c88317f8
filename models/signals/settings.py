"""What a signal depends on beside the setup, the mediator and the masses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from na64.models.declared import check_declared, declared, read_declared, setting
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

    production: str = field(
        default=Approximation.ETL.value,
        metadata=setting(
            help="Cross-section: etl (exact tree level), ww or iww (Weizsacker-Williams).",
            option="production",
            allowed=Approximation,
        ),
    )
    annihilation: bool = field(
        default=True,
        metadata=setting(
            help="Without the resonance of e+ e-.",
            option="no-annihilation",
            negated=True,
            words=("with annihilation", "without annihilation"),
        ),
    )
    inelastic: bool = field(
        default=True,
        metadata=setting(
            help="Without inelastic scattering off nuclei.",
            option="elastic-only",
            negated=True,
            words=("with inelastic scattering", "elastic only"),
        ),
    )
    initial_state_radiation: bool = field(
        default=False,
        metadata=setting(
            help="With initial-state radiation of the annihilating pair.",
            option="radiation",
            words=("with radiation", "without radiation"),
        ),
    )
    primary_positrons: bool = field(
        default=True,
        metadata=setting(
            help="Of a positron beam only the shower annihilates, for comparison.",
            option="no-primary-positrons",
            negated=True,
            words=("with primary positrons", "without primary positrons"),
        ),
    )
    invisible_branching: float = field(
        default=0.0,
        metadata=setting(
            help="Of a particle that decays in flight: share of decays that nothing sees.",
            option="invisible-branching",
            low=0.0,
            high=1.0,
            words=("BR(invisible) = {:g}",),
        ),
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
        data = {item.name: getattr(self, item.name) for item in declared(SignalSettings)}
        sector = self.dark_sector
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
        sector: DarkSector | None = None
        if isinstance(data, Mapping) and _SECTOR in data:
            if data[_SECTOR] is not None:
                sector = DarkSector.from_dict(data[_SECTOR], f"{where}.{_SECTOR}")
            data = {key: value for key, value in data.items() if key != _SECTOR}
        given = read_declared(cls, data, where)
        try:
            return replace(cls(**given), dark_sector=sector)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None


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
