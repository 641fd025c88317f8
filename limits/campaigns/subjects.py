"""What campaigns throw data of: the signals of a specification or of a workspace, at strengths."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.limits import observed_counts
from na64.limits.campaigns.tasks import Kept, Payload, Point
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.limits.results.specification import Specification
from na64.limits.scanning.asked import file_beside
from na64.limits.scanning.invert import in_order, signal_document
from na64.limits.scanning.signal import expected_signal
from na64.models.declaration import declare
from na64.models.errors import InputError
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.reading import read_json
from na64.workspaces.pyhf.write import is_projection

__all__ = ["COLUMNS", "Lasting", "Subject", "SubjectKeys", "count_strengths", "subject_of"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Made = TypeVar("Made")

#: columns that say what a row is about
COLUMNS: Final = ("search", "model", "parameter", "mass_gev", "strength", "events")


def _workspace(
    name: str, _values: Mapping[str, Any], names: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the document of a workspace file, which can be compiled."""
    document = read_json(file_beside(name, names))
    if not isinstance(document, Mapping):
        raise InputError(f"{name}: not a pyhf workspace, which is a JSON object")
    compile_workspace(document)
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKeys:
    """Keys that say of what data are thrown.

    Attributes
    ----------
    workspace
        Document of a pyhf workspace; the search of the file's ``base`` if None.
    measurement
        Of the workspace; its first one if None.
    strengths
        Signal strengths in the workspace.
    couplings
        Couplings in the search, at each of its masses.
    """

    workspace: Mapping[str, Any] | None = declare(
        None, help="pyhf workspace instead of a search, JSON", accepts=str, to=_workspace
    )
    measurement: str | None = declare(None, help="of the workspace")
    strengths: tuple[float, ...] = declare((), help="signal strengths, of a workspace", above=0.0)
    couplings: tuple[float, ...] = declare((), help="couplings, of a search", above=0.0)

    @property
    def alone(self) -> bool:
        """Whether there is a workspace, and no search."""
        return self.workspace is not None

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        wanted, other = ("strengths", "couplings") if self.alone else ("couplings", "strengths")
        what = "a workspace" if self.alone else "a search"
        if not getattr(self, wanted):
            yield wanted, f"{what} needs {wanted}, one or more"
        if getattr(self, other):
            yield other, f"{what} has {wanted}, not {other}"
        if self.measurement is not None and not self.alone:
            yield "measurement", "is that of a workspace, and there is none"

    def asked(self, point: Point, specification: Specification | None = None) -> dict[str, Any]:
        """Return the part of a payload that `subject_of` reads.

        Parameters
        ----------
        point
            The point.
        specification
            What stands in the place of that of the point.
        """
        if self.workspace is not None:
            return {
                "workspace": self.workspace,
                "measurement": self.measurement,
                "strengths": list(self.strengths),
            }
        made = specification or point.asked()
        return {"specification": made.to_dict(), "couplings": list(self.couplings)}


@dataclass(frozen=True, slots=True)
class Subject:
    """Signals at N strengths.

    Attributes
    ----------
    batch
        Signals of M masses, or shapes.
    nu, mass
        Signal events at each strength and the index of its signal, shape (N,).
    counts
        Observed counts, or the nominal background where there are none, shape (B,).
    observed
        Whether there are data.
    rows
        What each strength is, by `COLUMNS`.
    """

    batch: SignalBatch
    nu: Array
    mass: Index
    counts: Array
    observed: bool
    rows: tuple[Mapping[str, Any], ...]


def subject_of(payload: Payload, kept: Kept) -> Subject:
    """Return what a payload asks about.

    Parameters
    ----------
    payload
        With the keys of `SubjectKeys.asked`.
    kept
        What this process keeps.

    Raises
    ------
    InputError
        For a signal without events, and as the specification or the workspace.
    """
    found = _of_workspace(payload) if "workspace" in payload else _of_search(payload, kept)
    for row in found.rows:
        if not row["events"] > 0.0:
            mass = "" if row["mass_gev"] is None else f", {row['mass_gev']:g} GeV"
            raise InputError(
                f"{row['search']}{mass}, {row['parameter']} = {row['strength']:g}: "
                f"no signal event is expected"
            )
    return found


def count_strengths(payload: Payload) -> int:
    """Return how many strengths a task has, at all masses together."""
    masses = len(payload["specification"]["masses_gev"]) if "specification" in payload else 1
    return masses * len(payload.get("couplings") or payload.get("strengths") or ())


def _of_workspace(payload: Payload) -> Subject:
    likelihood = compile_workspace(payload["workspace"], payload["measurement"])
    batch = likelihood.batch()
    strengths = np.array(payload["strengths"], dtype=np.float64)
    nu = strengths * batch.events[0]
    observed = not is_projection(likelihood.model.measurement)
    rows = tuple(
        dict(
            zip(
                COLUMNS,
                (likelihood.model.measurement, None, likelihood.poi, None, *pair),
                strict=True,
            )
        )
        for pair in zip(strengths.tolist(), nu.tolist(), strict=True)
    )
    # the medians that stand in for data in a projection are what is expected without a signal
    return Subject(batch, nu, np.zeros(len(nu), dtype=np.intp), likelihood.observed, observed, rows)


def _of_search(payload: Payload, kept: Kept) -> Subject:
    made = Specification.from_dict(payload["specification"])
    signal = expected_signal(made, tables=kept.tables, known=kept.known)
    if signal.template.by_mass:
        raise InputError(
            f"{made.search}: uncertainties of its simulated signal depend on the mass; throw toys "
            "of the workspaces of its masses instead"
        )
    per_unit = signal.at_coupling(1.0)
    likelihood = compile_workspace(signal_document(signal, per_unit), validate=False)
    couplings = np.array(payload["couplings"], dtype=np.float64)
    masses, n = signal.rates.masses_gev, len(couplings)
    if (power := signal.rates.power) is not None:
        batch = likelihood.inject(in_order(signal, likelihood, per_unit), masses)
        mass = np.repeat(np.arange(len(masses)), n)
        nu = batch.events[mass] * np.tile(couplings**power, len(masses))
    else:  # every coupling has a shape of its own, and the random numbers of its mass
        each = np.stack([signal.at_coupling(c) for c in couplings.tolist()], axis=1)
        each = each.reshape(-1, *each.shape[2:])
        batch = likelihood.inject(in_order(signal, likelihood, each), np.repeat(masses, n))
        mass = np.arange(len(each))
        nu = batch.events
    head = (made.search, made.mediator.name, signal.rates.parameter)
    cells = zip(
        np.repeat(masses, n).tolist(), couplings.tolist() * len(masses), nu.tolist(), strict=True
    )
    return Subject(
        batch,
        nu,
        mass,
        observed_counts(batch, None, observed=not made.expected_only),
        not made.expected_only,
        tuple(dict(zip(COLUMNS, (*head, *cell), strict=True)) for cell in cells),
    )


class Lasting(Generic[Made]):
    """Keeps what is made of the subjects of the last tasks: shards of one have it in common.

    Parameters
    ----------
    make
        Makes it of a payload.
    most
        How many are kept.
    """

    def __init__(self, make: Callable[[Payload, Kept], Made], most: int = 4) -> None:
        self._make = make
        self._most = most
        self._made: OrderedDict[str, Made] = OrderedDict()

    def of(self, payload: Payload, own: Sequence[str], kept: Kept) -> Made:
        """Return what is made of a payload, but for the keys that differ between shards."""
        name = canonical_json({key: value for key, value in payload.items() if key not in own})
        if (found := self._made.get(name)) is None:
            found = self._make(payload, kept)
            self._made[name] = found
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return found
