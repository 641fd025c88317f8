"""The words of figures: the title, and what tells one limit from another."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from na64.limits.calculators.status import Status
from na64.limits.figures.style import SPECIES
from na64.limits.figures.typeset import drawn_length, plain_text, split_parts, typeset
from na64.limits.results.axes import coupling_tex, tex
from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.limits.scanning.settings import SIGNAL
from na64.models.declaration import in_words
from na64.models.mediators.naming import DARK_PHOTON_MASS, interaction_words

__all__ = [
    "Assumed",
    "assumed",
    "labels",
    "left_out_words",
    "mediator_words",
    "name_of",
    "ratio_words",
    "title",
    "told_apart",
]

#: characters of a line of the legend
_WIDTH: Final = 72


@dataclass(frozen=True, slots=True)
class Assumed:
    """The dark sector that a limit holds for.

    Attributes
    ----------
    dark_matter
        Species, None without dark matter.
    alpha_d
        g_D^2/(4 pi), None where it is on an axis.
    ratio
        m_mediator/m_chi.
    splitting
        Relative mass splitting.
    """

    dark_matter: str | None = None
    alpha_d: float | None = None
    ratio: float | None = None
    splitting: float = 0.0


@dataclass(frozen=True, slots=True)
class _Fact:
    """Something in which limits may differ.

    Attributes
    ----------
    text
        What a label says of it; empty for nothing.
    title
        What the title says if all limits have it in common.
    usual
        Whether it is what one expects: told only where there is nothing else to tell.
    """

    text: str
    title: str = ""
    usual: bool = False


def assumed(limit: Limit) -> Assumed:
    """Return the dark sector that a limit holds for; in a plane of relics that of the relic."""
    options, sector = limit.plane.options, limit.specification.dark_sector
    if "dark_matter" in options:
        return Assumed(options["dark_matter"], None, options["ratio"], options["splitting"])
    if sector is None:
        return Assumed()
    return Assumed(sector.species.value, sector.alpha_d, sector.ratio, sector.splitting)


def title(limits: Sequence[Limit]) -> str:
    """Say above the legend what holds for every limit."""
    names = [name_of(limit) for limit in limits]
    columns = zip(*(_facts(limit, limits, ()) for limit in limits), strict=True)
    same = [column[0].title for column in columns if len(set(column)) == 1]
    first = split_parts(names[0])
    shared = [first[k] for k in _shared_parts(names)]
    # titles of cards name the mediator, some of them with less detail
    same = [text for text in same if text and not any(text in part for part in shared)]
    shared = [part for part in shared if not any(text.startswith(part) for text in same)]
    lines = [", ".join(shared), ", ".join(same)]
    return "\n".join(line for line in lines if line)


def labels(limits: Sequence[Limit], names: Sequence[str] = ()) -> list[str]:
    """Name each limit by what tells it from the others.

    Parameters
    ----------
    limits
        The limits.
    names
        Their files, the last resort; numbered if there are none.

    Returns
    -------
    list of str
        All different; the empty text for a single limit.
    """
    if len(limits) == 1:
        return [""]
    shared = _shared_parts([name_of(limit) for limit in limits])
    columns = zip(*(_facts(limit, limits, shared) for limit in limits), strict=True)
    telling = [column for column in columns if len({fact.text for fact in column}) > 1]
    found = [_joined(facts) for facts in zip(*telling, strict=True)]
    return told_apart(found or [""] * len(limits), names)


def told_apart(found: Sequence[str], names: Sequence[str] = ()) -> list[str]:
    """Add names to labels that are empty or not the only ones of their kind; break long lines."""
    known = [plain_text(name) for name in names or (f"limit {k + 1}" for k in range(len(found)))]
    count = Counter(found)
    whole = [
        label if label and count[label] == 1 else ", ".join(part for part in (label, name) if part)
        for label, name in zip(found, known, strict=True)
    ]
    return [_wrapped(label) for label in whole]


def left_out_words(limit: Limit) -> str:
    """Say which masses were left out on purpose; empty if none were."""
    ranges = []
    for out, rows in itertools.groupby(
        range(len(limit.status)), lambda row: limit.status[row] is Status.LEFT_OUT
    ):
        masses = limit.masses_gev[np.array(list(rows))]
        if out:
            ends = dict.fromkeys(f"{mass:.3g}" for mass in (masses[0], masses[-1]))
            ranges.append("-".join(ends))
    return f"left out: {', '.join(ranges)} GeV" if ranges else ""


def name_of(limit: Limit) -> str:
    """Return the name of a search for people."""
    return typeset(limit.specification.title)


def mediator_words(made: Specification) -> str:
    """Name the mediator of a specification for people, without its interaction."""
    words = _interaction(made)
    if words is None:
        return typeset(made.mediator.name.replace("-", " "))
    return words.split(" with $")[0] or typeset(made.mediator.name.replace("-", " "))


def ratio_words(limit: Limit, ratio: float) -> str:
    """Write the mass of a limit's mediator in terms of that of dark matter."""
    return rf"${tex(limit.specification.mass_parameter)} = {ratio:g}\,m_\chi$"


def _facts(limit: Limit, limits: Sequence[Limit], shared: Sequence[int]) -> list[_Fact]:
    """Return everything by which limits may differ, in fixed order.

    Parameters
    ----------
    limit, limits
        One of the limits, and all.
    shared
        Which parts of its name are in the title.
    """
    made = limit.specification
    level = f"{100.0 * made.confidence_level:g}% CL"
    chosen = [
        ", ".join(setting for setting in card.overrides if setting not in made.title)
        for card in made.cards
    ]
    own = [part for k, part in enumerate(split_parts(name_of(limit))) if k not in shared]
    return [
        _Fact(", ".join(own)),
        _Fact(level, level),
        _Fact(mediator_words(made), _model_words(made)),
        *_of_sector(limit),
        *_of_calculator(made, limits),
        *_of_signal(made),
        _Fact(", ".join(typeset(text) for text in chosen if text)),
        _Fact(f"shared {', '.join(made.shared)}" if made.shared else ""),
        _Fact(", ".join(f"{key} = {value}" for key, value in sorted(limit.plane.options.items())
                        if key not in ("dark_matter", "ratio", "splitting"))),
    ]  # fmt: skip


def _of_sector(limit: Limit) -> list[_Fact]:
    found = assumed(limit)
    if found.dark_matter is None or found.ratio is None:
        return [_Fact("")] * 4
    species = SPECIES.get(found.dark_matter, found.dark_matter)
    thermal = "thermal " if limit.plane.excluded_below else ""
    # a coupling with a dimension gives the one to dark matter the same
    unit = r"\,\mathrm{GeV}^{-2}" if limit.y.unit == "GeV^-1" else ""
    alpha_d = "" if found.alpha_d is None else rf"$\alpha_D = {found.alpha_d:g}{unit}$"
    splitting = rf"$\Delta = {found.splitting:g}$" if found.splitting else ""
    ratio = ratio_words(limit, found.ratio)
    return [
        _Fact(species, rf"{thermal}{species} $\chi$"),
        _Fact(ratio, ratio),
        _Fact(alpha_d, alpha_d),
        _Fact(splitting, splitting),
    ]


def _of_calculator(made: Specification, limits: Sequence[Limit]) -> list[_Fact]:
    """The calculator, and its settings where all limits have the same one."""
    settings = made.calculator.to_dict()
    name = str(settings.pop("name"))
    if any(other.specification.calculator.name != name for other in limits):
        return [_Fact(name)]
    return [_Fact(_setting(key, value)) for key, value in sorted(settings.items())]


def _setting(key: str, value: object) -> str:
    """A name by itself, a number after what it is called."""
    return value if isinstance(value, str) else f"{key.replace('_', ' ')} {value}"


def _of_signal(made: Specification) -> list[_Fact]:
    facts = []
    for item in SIGNAL.values():
        value = getattr(made.settings, item.name)
        words, usual = in_words(item, value), value == item.default
        quiet = usual and not isinstance(value, (bool, str))
        facts.append(_Fact("" if quiet else words, "" if usual else words, usual))
    return facts


def _model_words(made: Specification) -> str:
    """Name a mediator and its interaction; empty for one that the axes already name."""
    if made.mass_parameter == DARK_PHOTON_MASS:
        return ""
    words = _interaction(made)
    return f"model {typeset(made.mediator.name)}" if words is None else words


def _interaction(made: Specification) -> str | None:
    """Name a mediator and its interaction; None for one that is not built in."""
    mass = made.mass_parameter
    boson = tex(mass).removeprefix("m_").removeprefix("{").removesuffix("}")
    coupling = coupling_tex(made.mediator.parameter, mass)
    return interaction_words(made.mediator, boson, coupling)


def _joined(facts: Sequence[_Fact]) -> str:
    """Join what tells a limit from others; what is usual is told where there is nothing else."""
    unusual = ", ".join(fact.text for fact in facts if fact.text and not fact.usual)
    return unusual or ", ".join(fact.text for fact in facts if fact.text)


def _shared_parts(names: Sequence[str]) -> list[int]:
    """Return which parts of names, between commas, are the same; all if the names are.

    Names of as many parts are compared part by part, others from the front. Every name keeps at
    least one part of its own, unless all are the same.
    """
    parts = [split_parts(name) for name in names]
    if all(name == parts[0] for name in parts):
        return list(range(len(parts[0])))
    if len({len(name) for name in parts}) == 1:
        return [k for k, column in enumerate(zip(*parts, strict=True)) if len(set(column)) == 1]
    columns = zip(*(name[:-1] for name in parts), strict=False)
    same = itertools.takewhile(lambda column: len(set(column)) == 1, columns)
    return list(range(len(list(same))))


def _wrapped(text: str) -> str:
    """Break a line that is too long at its commas: never inside a formula."""
    lines = [""]
    for part in split_parts(text):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if drawn_length(longer) > _WIDTH and lines[-1]:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] = longer
    return "\n".join(lines)
