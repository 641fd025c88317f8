"""From a state of the page to its limit, its figure and its files.

Everything is computed by the functions that the command line calls, with the yields and limits in
events that earlier states left (`na64.limits.scanning.known`), so that what the page shows and
hands out is what a command would write, to the last byte.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Final

from na64.limits.explore.state import State
from na64.limits.figures.figure import figure
from na64.limits.figures.overlays import Beside, default_overlays
from na64.limits.figures.picture import Picture, picture
from na64.limits.figures.style import figure_bytes
from na64.limits.planes.transforms import find_plane, to_plane
from na64.limits.results.axes import COUPLING
from na64.limits.results.limit import Limit
from na64.limits.scanning.known import Known, NotKnownError
from na64.limits.scanning.progress import Progress, silent
from na64.limits.scanning.request import specify
from na64.limits.scanning.runner import exclude, scan
from na64.limits.scanning.signal import expected_signal
from na64.models.errors import InputError, unknown_name
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import available_cards, load_card, parse_card
from na64.workspaces.io.shipped import shipped_or_file
from na64.workspaces.io.toml import toml_text

__all__ = ["Answer", "Catalogue", "Commands", "Explorer", "file_names"]

#: how many limits are kept, to go back to
_MOST: Final = 64


class Catalogue:
    """The searches that the page offers: the shipped ones, and files read when it began.

    Parameters
    ----------
    files
        Cards of the user. The page knows them by their names alone, not by where they are.

    Raises
    ------
    InputError
        For a card with problems or one that there is not, and for two files of the same name.
    """

    def __init__(self, files: Sequence[str] = ()) -> None:
        self._texts: dict[str, str] = {}
        self._cards: dict[tuple[str, tuple[str, ...]], RunCard] = {}
        for file in files:
            name, text = Path(file).name, shipped_or_file("search", "cards", file)
            if self._texts.setdefault(name, text) != text:
                raise InputError(f"two files are called {name}: the page tells them by that name")
            self.card(name)

    def offered(self, named: str) -> str:
        """Return the name by which the page knows a shipped card, or a file that was read."""
        return named if named in available_cards() else Path(named).name

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the searches, those of files first."""
        return (*self._texts, *available_cards())

    def card(self, search: str, overrides: Sequence[str] = ()) -> RunCard:
        """Return the card of a search, with settings on top.

        Raises
        ------
        InputError
            For a name that the page does not offer, and for settings that are not allowed.
        """
        key = (search, tuple(overrides))
        if key not in self._cards:
            self._cards = {**dict(list(self._cards.items())[-_MOST:]), key: self._read(*key)}
        return self._cards[key]

    def _read(self, search: str, overrides: Sequence[str]) -> RunCard:
        if search in self._texts:
            json = Path(search).suffix == ".json"
            return parse_card(self._texts[search], search, overrides=overrides, json=json)
        if search not in available_cards():
            raise unknown_name("search", search, self.names)
        return load_card(search, overrides)


@dataclass(frozen=True, slots=True)
class Answer:
    """What belongs to a state.

    Attributes
    ----------
    state
        The state.
    limit
        The limit in its plane.
    card
        The card with the settings of the state.
    beside
        What the figure shows beside the limit.
    shown
        The figure as data.
    complete
        Whether the expected limits are there, too; without them there are no files.
    """

    state: State
    limit: Limit
    card: RunCard
    beside: Beside
    shown: Picture
    complete: bool = True

    def file(self, name: str) -> bytes:
        """Return what a file holds, by its suffix; the card is TOML, the limit JSON or CSV.

        Parameters
        ----------
        name
            Out of `file_names`, or another with such a suffix.
        """
        suffix = Path(name).suffix
        if suffix == ".toml":
            return toml_text(self.card.to_dict()).encode()
        if suffix == ".pdf":
            made = figure([self.limit], beside=self.beside, names=[file_names(self.state)[".json"]])
            return figure_bytes(made, name)
        return self.limit.to_text(suffix).encode()


def file_names(state: State) -> dict[str, str]:
    """Return the names of the files of a state by their suffixes."""
    stem = "limit" if state.plane == COUPLING else f"limit-{state.plane}"
    return {
        ".json": f"{stem}.json",
        ".csv": f"{stem}.csv",
        ".pdf": f"{stem}.pdf",
        ".toml": "card.toml",
        ".sh": f"{stem}.sh",
    }


#: the command lines that write the files of a state, that of the scan first: a state and its card
Commands = Callable[[State, RunCard], Sequence[Sequence[str]]]


class Explorer:
    """Computes answers; one for all who look at the page, for it knows nothing of any of them.

    Parameters
    ----------
    catalogue
        The searches that there are.
    commands
        What writes the command lines of a state; results say the first in their provenance.
    tables
        As in `na64.limits.scan`.
    """

    def __init__(
        self, catalogue: Catalogue, commands: Commands, *, tables: TableStore | None = None
    ) -> None:
        self.catalogue = catalogue
        self.commands = commands
        self._tables = tables
        self._known = Known()
        self._scans: OrderedDict[State, Limit] = OrderedDict()
        self._lock = Lock()

    def answer(
        self,
        state: State,
        *,
        progress: Progress = silent,
        early: Callable[[Answer], object] | None = None,
    ) -> Answer:
        """Return the limit of a state and all that is told of it.

        Parameters
        ----------
        state
            Positions of the controls.
        progress
            Called with the name of each stage as it begins.
        early
            Called with the observed limit alone, the same numbers, where the expected ones take
            much longer.

        Raises
        ------
        NA64Error
            For settings that are not allowed together, and where the computation failed.
        """
        progress("card")
        plain = self.catalogue.card(state.search)
        card = self.catalogue.card(state.search, state.overrides(plain))

        def at_once() -> None:
            made = specify(card, **state.settings())
            if early is None or made.expected_only or not _is_converted(state.plane):
                return
            signal = expected_signal(made, tables=self._tables, known=self._known)
            limit = exclude(signal, known=self._known, expected=False)
            early(self._in_plane(state, card, limit, progress, complete=False))

        limit = self._scan(state, card, progress, at_once)
        command = list(self.commands(state, plain)[0])
        facts: Mapping[str, Any] = {**limit.provenance, "command": command}
        return self._in_plane(state, card, replace(limit, provenance=facts), progress)

    def _in_plane(
        self, state: State, card: RunCard, limit: Limit, progress: Progress, complete: bool = True
    ) -> Answer:
        if state.plane != COUPLING:
            progress(f"plane of {state.plane}")
            # a command reads the scan from its file, whose keys are in order
            ordered = {name: limit.yields[name] for name in sorted(limit.yields)}
            limit = replace(limit, yields=ordered)
            limit = to_plane(limit, state.plane, tables=self._tables, progress=progress)
        progress("figure")
        beside = Beside(overlays=default_overlays(limit))
        shown = picture([limit], beside=beside)
        return Answer(state, limit, card, beside, shown, complete)

    def lines(self, state: State) -> list[list[str]]:
        """Return the command lines that write the files of a state."""
        return [list(words) for words in self.commands(state, self.catalogue.card(state.search))]

    def _scan(
        self, state: State, card: RunCard, progress: Progress, at_once: Callable[[], None]
    ) -> Limit:
        """Return the limit on the coupling; do what can be done at once if it takes longer."""
        key = replace(state, plane=COUPLING)
        with self._lock:
            if key in self._scans:
                return self._scans[key]

        def made(known: Known) -> Limit:
            return scan(
                card, tables=self._tables, progress=progress, known=known, **state.settings()
            )

        try:
            found = made(self._known.as_it_is)
        except NotKnownError:
            at_once()
            found = made(self._known)
        with self._lock:
            self._scans[key] = found
            while len(self._scans) > _MOST:
                self._scans.popitem(last=False)
        return found


def _is_converted(plane: str) -> bool:
    """Whether a limit in a plane follows from that on the coupling without further scans."""
    return plane == COUPLING or find_plane(plane).convert is not None
