"""A scan as a file asks for it: the keys of `na64.limits.specify`, declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from na64.limits.calculators.registry import CALCULATORS
from na64.limits.results.specification import Specification
from na64.limits.scanning.grids import parse_grid
from na64.limits.scanning.request import GRIDS, find_mediator, refines, specify
from na64.limits.scanning.settings import SETTINGS
from na64.models.declaration import Key, declare
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.charges import load_charges
from na64.workspaces.cards.reader import load_card
from na64.workspaces.io.tables import TableReader

__all__ = ["Asked", "file_beside", "read_settings"]

Values = Mapping[str, Any]
#: returns the card of a name or file with overrides
Load = Callable[[str, tuple[str, ...]], RunCard]


def file_beside(name: str, names: Values) -> str:
    """Return a name, or the path of a file, which is relative to the folder of the file read.

    Parameters
    ----------
    name
        The name or path.
    names
        What the reader knows; ``folder`` is that of the file.
    """
    path = Path(name)
    folder = names.get("folder")
    if not path.suffix or path.is_absolute() or folder is None:
        return name
    return str(Path(folder) / path)


def _search(name: str, _values: Values, names: Values) -> tuple[str, ...]:
    return _searches((name,), _values, names)


def _searches(found: tuple[str, ...], _values: Values, names: Values) -> tuple[str, ...]:
    files = tuple(file_beside(name, names) for name in found)
    for name in files:
        load_card(name)
    return files


def _model(name: str, _values: Values, _names: Values) -> str:
    find_mediator(name)
    return name


def _charges(name: str, _values: Values, names: Values) -> str:
    file = file_beside(name, names)
    load_charges(file)
    return file


def _masses(text: str, _values: Values, _names: Values) -> str:
    parse_grid(text)
    return text


def _listed(numbers: tuple[float, ...], _values: Values, _names: Values) -> str:
    return _masses(",".join(map(repr, numbers)), _values, _names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `na64.limits.scan` is asked for.

    Attributes
    ----------
    search
        Cards by name or file, several for a combination.
    masses
        Masses of the scan in GeV, ``LO:HI:N`` or a comma list; those of the card if None.
    grid, model, charges, overrides, shared, confidence_level, expected_only, method
        As `na64.limits.specify` has them; charges are a file of a mediator.
    settings
        Settings of signal, dark sector and calculator by their keywords.
    """

    search: tuple[str, ...] = declare(
        help="card of a search, by name or file",
        accepts=str,
        to=_search,
        other=Key(name="searches", accepts=tuple[str, ...], fewest=2, to=_searches),
    )
    masses: str | None = declare(
        None,
        help="grid of masses in GeV, LO:HI:N or a comma list",
        accepts=str,
        to=_masses,
        other=Key(name="masses_gev", accepts=tuple[float, ...], above=0.0, to=_listed),
    )
    grid: str = declare("auto", help="whether a range is refined", allowed=GRIDS)
    model: str | None = declare(None, help="mediator", to=_model)
    charges: str | None = declare(None, help="file of a mediator's charges", to=_charges)
    overrides: tuple[str, ...] = declare((), help="changes of the first card, PATH=VALUE")
    shared: tuple[str, ...] = declare((), help="nuisances that are one in all searches")
    confidence_level: float = declare(0.9, help="of the limit", above=0.0)
    expected_only: bool = declare(False, help="leave the data alone")
    method: str | None = declare(None, help="calculator", allowed=tuple(CALCULATORS))
    settings: Mapping[str, Any] = field(default_factory=dict)

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if self.model is not None and self.charges is not None:
            yield "charges", "give model or charges, not both"
            return
        try:
            self.specification()
        except InputError as error:
            yield "", str(error)

    def specification(
        self, load: Load = load_card, find: Callable[[str], Mediator] = find_mediator
    ) -> Specification:
        """Return the specification of the scan.

        Parameters
        ----------
        load
            Returns the card of a name or file with overrides.
        find
            Returns the mediator of a name.

        Raises
        ------
        InputError
            As `na64.limits.specify`.
        """
        first, *others = self.search
        model: str | Mediator | None = self.model and find(self.model)
        if self.charges is not None:
            model = load_charges(self.charges)
        return specify(
            [load(first, self.overrides), *(load(name, ()) for name in others)],
            masses_gev=self.masses,
            grid=self.grid,
            model=model,
            shared=self.shared,
            confidence_level=self.confidence_level,
            expected_only=self.expected_only,
            method=self.method,
            **self.settings,
        )

    @property
    def tips(self) -> bool:
        """Whether the scan looks closer where excluded regions begin and end."""
        return refines(self.masses, self.grid)


def read_settings(reader: TableReader) -> dict[str, Any]:
    """Return the settings of a scan that a table has, each read as it is declared."""
    return {
        name: reader.value(name, item.hint, item.key)
        for name, item in SETTINGS.items()
        if reader.has(name)
    }
