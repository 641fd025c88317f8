"""Options of commands that draw figures of limits: what they look like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from na64.limits.cli.options import names_option
from na64.limits.figures.appearance import LEGENDS, MASS_UNITS, STYLES
from na64.models.errors import InputError, unknown_name

if TYPE_CHECKING:
    from na64.limits.figures.appearance import Appearance

__all__ = ["Looks", "appearance_options"]

_Pair = tuple[float, float]

#: parameters of the options
_NAMES: Final = (
    "title",
    "labels",
    "label_at",
    "xlim",
    "ylim",
    "no_bands",
    "legend",
    "mass_unit",
    "style",
)


@dataclass(frozen=True, slots=True)
class Looks:
    """What the options of `appearance_options` say.

    Attributes
    ----------
    changes
        Fields of an `Appearance` but those that are by name.
    labels, places
        Pairs of a name and what its label is, or where.
    """

    changes: dict[str, Any]
    labels: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, _Pair], ...]

    def appearance(self, names: Sequence[str], overlays: Iterable[str] = ()) -> Appearance:
        """Return how a figure looks.

        Parameters
        ----------
        names
            Names of the results in their order, such as their files; one that occurs more than
            once takes its labels in turn.
        overlays
            Names of what stands beside them, which labels may be for.

        Raises
        ------
        InputError
            For a label of a name that there is not, or more labels than things of that name.
        """
        from na64.limits.figures.appearance import Appearance

        own, beside = [""] * len(names), {}
        turn: Counter[str] = Counter()
        others = set(overlays)
        for name, text in self.labels:
            rows = [row for row, known in enumerate(names) if known == name]
            if not rows and name not in others:
                raise unknown_name("file or overlay of a label", name, {*names, *others})
            if rows:
                if turn[name] == len(rows):
                    raise InputError(f"'{name}' has more labels than results")
                own[rows[turn[name]]] = text
                turn[name] += 1
            else:
                beside[name] = text
        last = max((row + 1 for row, text in enumerate(own) if text), default=0)
        return Appearance(
            labels=tuple(own[:last]),
            overlay_labels=beside,
            label_at=dict(self.places),
            **self.changes,
        )


def appearance_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--title``, ``--label``, ``--xlim`` and so on; the function receives the ``looks``."""

    @wraps(function)
    def run(**given: Any) -> Any:
        looks = _looks({name: given.pop(name) for name in _NAMES})
        from na64.limits.figures.appearance import Appearance

        Appearance(**looks.changes)  # what is wrong is said before anything is computed
        return function(looks=looks, **given)

    options = (
        click.option("--title", metavar="TEXT", help="Above the curves; '' for none."),
        click.option(
            "--label",
            "labels",
            metavar="NAME=TEXT",
            multiple=True,
            help="Label of a file or an overlay; repeatable.",
        ),
        click.option(
            "--label-at",
            metavar="NAME=X,Y",
            multiple=True,
            help="Where the label of a file or an overlay begins; repeatable.",
        ),
        click.option("--xlim", metavar="LO:HI", help="Ends of the axis of masses."),
        click.option("--ylim", metavar="LO:HI", help="Ends of the other axis."),
        click.option("--no-bands", is_flag=True, help="Without expected bands."),
        names_option(
            "--legend",
            names=lambda: [*(place.replace(" ", "-") for place in LEGENDS), "only"],
            help="Where the legend stands: {names}; with `only` curves have no labels of "
            "their own.  [default: auto]",
        ),
        names_option("--mass-unit", names=lambda: MASS_UNITS, help="{names}  [default: GeV]"),
        names_option("--style", names=lambda: STYLES, help="{names}  [default: paper]"),
    )
    made: Callable[..., Any] = run
    for option in reversed(options):
        made = option(made)
    return made


def _looks(given: Mapping[str, Any]) -> Looks:
    """Return what the options say."""
    title, legend = given["title"], given["legend"]
    changes: dict[str, Any] = {
        "title": None if title is None else title.replace("\\n", "\n"),
        "xlim": _ends(given["xlim"], "--xlim"),
        "ylim": _ends(given["ylim"], "--ylim"),
        "bands": not given["no_bands"],
    }
    if legend == "only":
        changes["label_curves"] = False
    elif legend is not None:
        allowed = [*(place.replace(" ", "-") for place in LEGENDS), "only"]
        if legend not in allowed:
            raise unknown_name("place of a legend", legend, allowed)
        changes["legend"] = legend.replace("-", " ")
    changes |= {name: given[name] for name in ("mass_unit", "style") if given[name] is not None}
    places = [_named(text, "--label-at", "NAME=X,Y") for text in given["label_at"]]
    return Looks(
        changes,
        tuple(_named(text, "--label", "NAME=TEXT") for text in given["labels"]),
        tuple((name, _pair(value, "--label-at", ",", "X,Y")) for name, value in places),
    )


def _named(text: str, flag: str, form: str) -> tuple[str, str]:
    """Return both sides of the equals sign."""
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise InputError(f"{flag} '{text}': must be {form}")
    return name, value


def _ends(text: str | None, flag: str) -> _Pair | None:
    return None if text is None else _pair(text, flag, ":", "LO:HI")


def _pair(text: str, flag: str, sign: str, form: str) -> _Pair:
    parts = text.split(sign)
    try:
        low, high = (float(part) for part in parts)
    except ValueError:
        raise InputError(f"{flag} '{text}': must be {form}, two numbers") from None
    return low, high
