"""The table of calculators: their names and settings, in the one place where they have names.

Nothing here computes, so that commands can show options and specifications can be read without
loading the numerics: a calculator names the module beside this one whose functions do the work.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from na64.limits.calculators.protocol import Calculator, Engine
from na64.models.declaration import check_declared, declare
from na64.models.errors import InputError, unknown_name

if TYPE_CHECKING:
    from na64.limits.calculators.protocol import Array
    from na64.limits.likelihood.compiled import SignalBatch

__all__ = [
    "CALCULATORS",
    "ENSEMBLES",
    "Asymptotic",
    "Auto",
    "Bayesian",
    "Exact",
    "FeldmanCousins",
    "Toys",
    "calculator",
    "calculator_from_dict",
    "described",
    "settings_of",
]

#: auxiliary data of an ensemble of counts: as observed, or thrown with the counts
ENSEMBLES: Final = ("aux-fixed", "aux-fluctuated")

_TOLERANCE: Final[Mapping[str, Any]] = {
    "at_least": 1e-12,
    "at_most": 0.1,
    "help": "Relative tolerance of a limit.",
}


class _Row:
    """What all calculators do alike; see `Calculator`."""

    __slots__ = ()
    name: ClassVar[str]
    smooth: ClassVar[bool] = True
    two_sided: ClassVar[bool] = False
    large_counts: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_declared(self)

    @property
    def noiseless(self) -> Calculator | None:
        """The calculator itself, where its numbers have no statistical noise."""
        return cast(Calculator, self) if self.smooth else None

    def to_dict(self) -> dict[str, Any]:
        """Return the name and all settings."""
        return {"name": self.name, **{key: getattr(self, key) for key in settings_of(self.name)}}

    def on(self, batch: SignalBatch, counts: Array) -> Engine:
        """Put the module that has its name to work."""
        module = importlib.import_module(f"na64.limits.calculators.{self.name.replace('-', '_')}")
        if cast(Calculator, self).ensemble is None:
            return cast(Engine, module.Engine(self, batch, counts))
        merging = importlib.import_module("na64.limits.calculators.equivalence")
        return cast(Engine, merging.on_merged_bins(module.Engine, self, batch, counts))


@dataclass(frozen=True, slots=True)
class _Enumerated(_Row):
    """A calculator that enumerates the counts, auxiliary data as observed."""

    ensemble: ClassVar[str | None] = ENSEMBLES[0]
    smallest_p_value: ClassVar[float] = 1e-12

    max_datasets: int = declare(
        50_000, at_least=1, at_most=10_000_000, help="Largest ensemble that is enumerated."
    )


@dataclass(frozen=True, slots=True)
class Exact(_Enumerated):
    """CLs by enumeration of the counts, auxiliary data as observed.

    Attributes
    ----------
    max_datasets
        Largest number of datasets of one ensemble, 1 to 1e7; larger ensembles are refused.
    tolerance
        Relative tolerance of a limit where CLs jumps, 1e-12 to 0.1.
    """

    name: ClassVar[str] = "exact"
    summary: ClassVar[str] = "CLs, counts enumerated"

    tolerance: float = declare(1e-5, **_TOLERANCE)


@dataclass(frozen=True, slots=True)
class Auto(_Enumerated):
    """Exact where the counts can be enumerated, otherwise toys, never a formula.

    Attributes
    ----------
    max_datasets
        As of `Exact`; where more are needed toys are thrown.
    tolerance
        As of `Exact`.
    toys
        Pseudo-experiments per mass, 1000 to 1e7; fewer in models of many parameters.
    seed
        Of the random numbers, not negative.
    """

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "exact where the counts can be enumerated, otherwise toys"

    tolerance: float = declare(1e-5, **_TOLERANCE)
    toys: int = declare(
        100_000, at_least=1000, at_most=10_000_000, help="Toys per hypothesis and mass."
    )
    seed: int = declare(1, help="Of the toys.")

    @property
    def noiseless(self) -> Calculator:
        """The exact calculator, which refuses where toys would be needed."""
        return Exact(max_datasets=self.max_datasets, tolerance=self.tolerance)


@dataclass(frozen=True, slots=True)
class Asymptotic(_Row):
    """CLs from formulas for large counts.

    Attributes
    ----------
    tolerance
        Relative tolerance of a limit, 1e-12 to 0.1.
    """

    name: ClassVar[str] = "asymptotic"
    summary: ClassVar[str] = "CLs from formulas, too strong for few events"
    ensemble: ClassVar[str | None] = None
    smallest_p_value: ClassVar[float] = 0.0
    large_counts: ClassVar[bool] = True

    tolerance: float = declare(1e-6, **_TOLERANCE)


@dataclass(frozen=True, slots=True)
class Toys(_Row):
    """CLs from pseudo-experiments.

    Attributes
    ----------
    toys
        Pseudo-experiments per hypothesis and mass, 1 to 1e7.
    seed
        Of the random numbers, not negative.
    ensemble
        ``aux-fixed`` (what the exact method enumerates) or ``aux-fluctuated`` (as pyhf does).
    """

    name: ClassVar[str] = "toys"
    summary: ClassVar[str] = "CLs, counts thrown"
    smooth: ClassVar[bool] = False

    toys: int = declare(
        10_000, at_least=1, at_most=10_000_000, help="Toys per hypothesis and mass."
    )
    seed: int = declare(1, help="Of the toys.")
    ensemble: str = declare(
        ENSEMBLES[0],
        allowed=ENSEMBLES,
        help="Toys with auxiliary data as observed (aux-fixed) or thrown (aux-fluctuated).",
    )

    @property
    def smallest_p_value(self) -> float:
        """One toy."""
        return 1.0 / self.toys


@dataclass(frozen=True, slots=True)
class FeldmanCousins(_Enumerated):
    """Unified intervals by enumeration of the counts, auxiliary data as observed.

    Attributes
    ----------
    max_datasets
        Largest number of datasets of one ensemble, 1 to 1e7; larger ensembles are refused.
    """

    name: ClassVar[str] = "feldman-cousins"
    summary: ClassVar[str] = "unified intervals, counts enumerated"
    two_sided: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Bayesian(_Row):
    """Upper limits of a posterior, with a prior that is flat in the signal events.

    Attributes
    ----------
    samples
        Points of an integral over more than three nuisance parameters, 64 to 1e6.
    max_datasets
        Largest ensemble of expected counts that is enumerated, 1 to 1e7; larger ones are thrown.
    toys
        How many counts are thrown for one that is larger, 1 to 1e7.
    seed
        Of the samples and the toys, not negative.
    """

    name: ClassVar[str] = "bayesian"
    summary: ClassVar[str] = "flat prior in the signal, nuisances integrated out"
    ensemble: ClassVar[str | None] = ENSEMBLES[0]
    smallest_p_value: ClassVar[float] = 0.0

    samples: int = declare(
        2048, at_least=64, at_most=1_000_000, help="Points of an integral over many nuisances."
    )
    max_datasets: int = declare(
        500, at_least=1, at_most=10_000_000, help="Largest ensemble that is enumerated."
    )
    toys: int = declare(300, at_least=1, at_most=10_000_000, help="Toys per hypothesis and mass.")
    seed: int = declare(1, help="Of the toys.")


#: calculators by name; the first is the default
CALCULATORS: Final[Mapping[str, type[Calculator]]] = {
    row.name: row for row in (Auto, Exact, Asymptotic, Toys, FeldmanCousins, Bayesian)
}


def settings_of(name: str) -> dict[str, Any]:
    """Return the settings of a calculator with their defaults.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if name not in CALCULATORS:
        raise unknown_name("method", name, CALCULATORS)
    return {item.name: item.default for item in fields(cast(Any, CALCULATORS[name]))}


def calculator(name: str = "auto", /, **settings: Any) -> Calculator:
    """Return a calculator by name.

    Parameters
    ----------
    name
        Key of `CALCULATORS`.
    settings
        Its settings; those not given have their defaults.

    Raises
    ------
    InputError
        For an unknown name, a setting that the calculator does not have, and a value that is
        not allowed.

    Examples
    --------
    >>> calculator("toys", seed=3)
    Toys(toys=10000, seed=3, ensemble='aux-fixed')
    """
    known = settings_of(name)
    for key, value in settings.items():
        if key not in known:
            others = [other for other in CALCULATORS if key in settings_of(other)]
            if others:
                raise InputError(
                    f"the method '{name}' has no setting '{key}'; it belongs to {', '.join(others)}"
                )
            raise unknown_name(f"setting of the method '{name}'", key, known)
        wanted = type(known[key])
        allowed = (int, float) if wanted is float else (wanted,)
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise InputError(
                f"method '{name}': {key} must be of type {wanted.__name__}, is {value!r}"
            )
    return CALCULATORS[name](**settings)


def calculator_from_dict(data: object, where: str = "calculator") -> Calculator:
    """Return the calculator that `Calculator.to_dict` described.

    Parameters
    ----------
    data
        ``name`` and settings; not trusted.
    where
        Names the place in messages.

    Raises
    ------
    InputError
        If it is not the description of a calculator.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{where} must be a table, is a {type(data).__name__}")
    settings = {str(key): value for key, value in data.items()}
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise InputError(f"{where}: the name of a method is missing: {', '.join(CALCULATORS)}")
    try:
        return calculator(name, **settings)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def described(chosen: Calculator, used: str = "") -> dict[str, Any]:
    """Return what documents quote of a calculator: method, ensemble, seed, toys.

    Parameters
    ----------
    chosen
        What was asked for.
    used
        The methods that made the numbers, where that is not clear from what was asked for.
    """
    settings = chosen.to_dict()
    thrown = used != Exact.name
    return {
        "method": chosen.name,
        **({"used": used} if used else {}),
        "ensemble": chosen.ensemble,
        "seed": settings.get("seed") if thrown else None,
        "toys": settings.get("toys") if thrown else None,
    }
