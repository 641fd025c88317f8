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
from na64.models.declaration import declare
from na64.models.errors import InputError, unknown_name

if TYPE_CHECKING:
    from na64.limits.calculators.protocol import Array, Index
    from na64.limits.calculators.roots import Edges
    from na64.limits.likelihood.compiled import SignalBatch

__all__ = [
    "CALCULATORS",
    "ENSEMBLES",
    "Asymptotic",
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
#: smallest discovery p-value that an enumeration can tell from zero
_SMALLEST_P_VALUE: Final = 1e-12


class _Row:
    """What all calculators do alike; see `Calculator`."""

    __slots__ = ()
    name: ClassVar[str]
    engine: ClassVar[str]

    @property
    def _engine(self) -> Engine:
        return cast(Engine, importlib.import_module(f"na64.limits.calculators.{self.engine}"))

    def to_dict(self) -> dict[str, Any]:
        """Return the name and all settings."""
        return {"name": self.name, **{key: getattr(self, key) for key in settings_of(self.name)}}

    def limits(
        self, batch: SignalBatch, counts: Array, alpha: float, *, observed: bool, expected: bool
    ) -> Edges:
        """Return where the p-value is alpha."""
        return self._engine.limits(self, batch, counts, alpha, observed=observed, expected=expected)

    def p_values(
        self, batch: SignalBatch, counts: Array, nu: Array, mass: Index, *, expected: bool
    ) -> tuple[Array, Array]:
        """Return what is compared with alpha at given signal events."""
        return self._engine.p_values(self, batch, counts, nu, mass, expected=expected)

    def discovery_p_values(self, batch: SignalBatch, counts: Array, q0: Array) -> Array:
        """Return the probability of at least q0 without a signal."""
        return self._engine.discovery_p_values(self, batch, counts, q0)

    def median_significance(self, batch: SignalBatch, counts: Array) -> Array:
        """Return the median significance of a signal of mu = 1."""
        return self._engine.median_significance(self, batch, counts)


@dataclass(frozen=True, slots=True)
class Exact(_Row):
    """CLs by enumeration of the counts, auxiliary data as observed.

    Attributes
    ----------
    max_datasets
        Largest number of datasets of one ensemble; larger ones are refused.
    tolerance
        Relative tolerance of a limit where CLs jumps.
    """

    name: ClassVar[str] = "exact"
    engine: ClassVar[str] = "exact"
    summary: ClassVar[str] = "CLs, counts enumerated"
    smooth: ClassVar[bool] = True
    two_sided: ClassVar[bool] = False

    max_datasets: int = declare(50_000, help="Largest ensemble that is enumerated.")
    tolerance: float = declare(1e-5, help="Relative tolerance of a limit.")

    def __post_init__(self) -> None:
        _check_size(self.max_datasets)
        _check_tolerance(self.tolerance)

    @property
    def ensemble(self) -> str | None:
        """Auxiliary data as observed."""
        return ENSEMBLES[0]

    @property
    def smallest_p_value(self) -> float:
        """Discovery p-values below it cannot be told from zero."""
        return _SMALLEST_P_VALUE


@dataclass(frozen=True, slots=True)
class Asymptotic(_Row):
    """CLs from formulas for large counts.

    Attributes
    ----------
    tolerance
        Relative tolerance of a limit.
    """

    name: ClassVar[str] = "asymptotic"
    engine: ClassVar[str] = "asymptotic"
    summary: ClassVar[str] = "CLs from formulas, too strong for few events"
    smooth: ClassVar[bool] = True
    two_sided: ClassVar[bool] = False

    tolerance: float = declare(1e-6, help="Relative tolerance of a limit.")

    def __post_init__(self) -> None:
        _check_tolerance(self.tolerance)

    @property
    def ensemble(self) -> str | None:
        """Formulas have none."""
        return None

    @property
    def smallest_p_value(self) -> float:
        """All discovery p-values are numbers."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Toys(_Row):
    """CLs from pseudo-experiments.

    Attributes
    ----------
    toys
        Pseudo-experiments per hypothesis and mass, at least one.
    seed
        Of the random numbers, not negative.
    ensemble
        ``aux-fixed`` (what the exact method enumerates) or ``aux-fluctuated`` (as pyhf does).
    """

    name: ClassVar[str] = "toys"
    engine: ClassVar[str] = "toys"
    summary: ClassVar[str] = "CLs, counts thrown"
    smooth: ClassVar[bool] = False
    two_sided: ClassVar[bool] = False

    toys: int = declare(10_000, help="Toys per hypothesis and mass.")
    seed: int = declare(1, help="Of the toys.")
    ensemble: str = declare(
        ENSEMBLES[0],
        help="Toys with auxiliary data as observed (aux-fixed) or thrown (aux-fluctuated).",
    )

    def __post_init__(self) -> None:
        if self.toys < 1:
            raise InputError(f"at least one toy is needed, not {self.toys}")
        if self.seed < 0:
            raise InputError(f"the seed must not be negative, is {self.seed}")
        if self.ensemble not in ENSEMBLES:
            raise unknown_name("ensemble", self.ensemble, ENSEMBLES)

    @property
    def smallest_p_value(self) -> float:
        """One toy."""
        return 1.0 / self.toys


@dataclass(frozen=True, slots=True)
class FeldmanCousins(_Row):
    """Unified intervals by enumeration of the counts, auxiliary data as observed.

    Attributes
    ----------
    max_datasets
        Largest number of datasets of one ensemble; larger ones are refused.
    """

    name: ClassVar[str] = "feldman-cousins"
    engine: ClassVar[str] = "feldman_cousins"
    summary: ClassVar[str] = "unified intervals, counts enumerated"
    smooth: ClassVar[bool] = True
    two_sided: ClassVar[bool] = True

    max_datasets: int = declare(50_000, help="Largest ensemble that is enumerated.")

    def __post_init__(self) -> None:
        _check_size(self.max_datasets)

    @property
    def ensemble(self) -> str | None:
        """Auxiliary data as observed."""
        return ENSEMBLES[0]

    @property
    def smallest_p_value(self) -> float:
        """Discovery p-values below it cannot be told from zero."""
        return _SMALLEST_P_VALUE


#: calculators by name; the first is the default
CALCULATORS: Final[Mapping[str, type[Calculator]]] = {
    row.name: row for row in (Exact, Asymptotic, Toys, FeldmanCousins)
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


def calculator(name: str = "exact", /, **settings: Any) -> Calculator:
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
            raise unknown_name(f"setting of the method '{name}'", key, known)
        wanted = type(known[key])
        allowed = (int, float) if wanted is float else (wanted,)
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise InputError(
                f"method '{name}': {key} must be of type {wanted.__name__}, is {value!r}"
            )
    return CALCULATORS[name](**settings)


def calculator_from_dict(data: Mapping[str, Any], where: str = "calculator") -> Calculator:
    """Return the calculator that `Calculator.to_dict` described.

    Parameters
    ----------
    data
        ``name`` and settings.
    where
        Names the place in messages.

    Raises
    ------
    InputError
        If it is not the description of a calculator.
    """
    settings = {str(key): value for key, value in data.items()}
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise InputError(f"{where}: the name of a method is missing: {', '.join(CALCULATORS)}")
    try:
        return calculator(name, **settings)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def described(chosen: Calculator) -> dict[str, Any]:
    """Return what documents quote of a calculator: method, ensemble, seed, toys."""
    settings = chosen.to_dict()
    return {
        "method": chosen.name,
        "ensemble": chosen.ensemble,
        "seed": settings.get("seed"),
        "toys": settings.get("toys"),
    }


def _check_size(max_datasets: int) -> None:
    if max_datasets < 1:
        raise InputError(f"max_datasets must be at least one, is {max_datasets}")


def _check_tolerance(tolerance: float) -> None:
    if not 0.0 < tolerance < 1.0:
        raise InputError(f"the tolerance must be between 0 and 1, is {tolerance:g}")
