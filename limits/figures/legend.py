"""The words of a figure of scans: its title, and what tells one scan from another."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from na64.limits.figures.style import SPECIES, coupling_symbol, symbol
from na64.limits.results.limit import Exclusion
from na64.models.mediators.naming import DARK_PHOTON_MASS

__all__ = ["model_words", "scan_labels", "scan_title", "shared_parts", "told_apart"]

#: options of a scan: what they are called when on and off, and what they usually are
_SWITCHES: Final = {
    "annihilation": ("with annihilation", "without annihilation", True),
    "inelastic": ("with inelastic scattering", "elastic only", True),
    "initial_state_radiation": ("with radiation", "without radiation", False),
    "primary_positrons": ("with primary positrons", "without primary positrons", True),
}
_NUMBERS: Final = {
    "splitting": r"$\Delta = {:g}$",
    "invisible_branching": "BR(invisible) = {:g}",
}
#: what a model is called in a title, and what its coupling multiplies; ``<X>`` is the boson,
#: ``<g>`` the coupling. Mesons are known by the axes
_MODELS: Final = {
    "dark-photon": "dark photon",
    "invisible-meson": "",
    "alp": "axion-like particle",
    "b-minus-l": "$<X>$ of $B - L$ with light Dirac neutrinos",
    "b-minus-l-left-handed": "$<X>$ of $B - L$ with left-handed neutrinos",
    "b-minus-l-heavy-neutrinos": "$<X>$ of $B - L$ with heavy neutrinos",
    "l-mu-l-tau": r"$<X>$ of $L_\mu - L_\tau$",
    "vector": r"vector boson with $<g>\,\bar\ell\gamma^\mu\ell\,<X>_\mu$",
    "axial": r"axial-vector boson with $<g>\,\bar\ell\gamma^\mu\gamma_5\ell\,<X>_\mu$",
    "scalar": r"scalar with $<g>\,<X>\,\bar\ell\ell$",
    "pseudoscalar": r"pseudoscalar with $i<g>\,<X>\,\bar\ell\gamma_5\ell$",
}
#: characters of a line of the legend
_WIDTH: Final = 72


def scan_title(exclusions: Sequence[Exclusion]) -> str:
    """Say above the legend what holds for every scan."""
    lines = [", ".join(shared_parts([_name(exclusion) for exclusion in exclusions]))]
    parts = []
    if len({exclusion.confidence_level for exclusion in exclusions}) == 1:
        parts.append(_level(exclusions[0]))
    first = exclusions[0]
    if len({(found.model, found.mass_parameter) for found in exclusions}) == 1:
        parts.append(model_words(first.model, first.parameter, first.mass_parameter))
    if len({_sector(exclusion) for exclusion in exclusions}) == 1:
        parts.append(_sector(first))
    columns = zip(*(_numbers(found) for found in exclusions), strict=True)
    parts += [column[0] for column in columns if len(set(column)) == 1]
    lines.append(", ".join(part for part in parts if part))
    return "\n".join(_wrapped(line) for line in lines if line)


def model_words(model: str, parameter: str, mass: str) -> str:
    """Name a mediator and its interaction; empty for one that the axes already name."""
    if model == "dark-photon" and mass == DARK_PHOTON_MASS:
        return ""
    boson = symbol(mass).removeprefix("m_").removeprefix("{").removesuffix("}")
    words = _MODELS.get(model, f"model {_plain(model)}")
    return words.replace("<X>", boson).replace("<g>", coupling_symbol(parameter, mass))


def scan_labels(exclusions: Sequence[Exclusion], names: Sequence[str] = ()) -> list[str]:
    """Name each scan by what tells it from the others.

    Parameters
    ----------
    exclusions
        The scans.
    names
        Their files, the last resort; numbered if there are none.

    Returns
    -------
    list of str
        All different; the empty text for a single scan.
    """
    if len(exclusions) == 1:
        return [""]
    shared = len(shared_parts([_name(exclusion) for exclusion in exclusions]))
    rows = [_facts(exclusion, shared) for exclusion in exclusions]
    telling = [column for column in zip(*rows, strict=True) if len(set(column)) > 1]
    labels = [_joined(facts) for facts in zip(*telling, strict=True)] or [""] * len(rows)
    return told_apart(labels, names)


def told_apart(labels: Sequence[str], names: Sequence[str] = ()) -> list[str]:
    """Add names to labels that are empty or not the only ones of their kind; break long lines."""
    known = [_plain(name) for name in names or (f"limit {k + 1}" for k in range(len(labels)))]
    count = Counter(labels)
    whole = [
        label if label and count[label] == 1 else ", ".join(part for part in (label, name) if part)
        for label, name in zip(labels, known, strict=True)
    ]
    return [_wrapped(label) for label in whole]


def shared_parts(names: Sequence[str]) -> list[str]:
    """Return the first parts of names, between commas, that are the same; all if the names are.

    Every name keeps at least one part of its own, unless all are the same.
    """
    parts = [name.split(", ") for name in names]
    if all(name == parts[0] for name in parts):
        return parts[0]
    columns = zip(*(name[:-1] for name in parts), strict=False)
    same = itertools.takewhile(lambda column: len(set(column)) == 1, columns)
    return [column[0] for column in same]


def _wrapped(text: str) -> str:
    """Break a line that is too long at its commas: never inside a formula."""
    lines = [""]
    for part in text.split(", "):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if _length(longer) > _WIDTH and lines[-1]:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def _length(text: str) -> int:
    """Return about how many characters a text with formulas has when it is drawn."""
    return len(re.sub(r"\\,|[${}_^]", "", re.sub(r"\\[A-Za-z]+", "x", text)))


def _plain(text: str) -> str:
    """Return a text in which no dollar sign begins a formula."""
    return text.replace("$", r"\$")


def _joined(facts: Sequence[tuple[str, bool]]) -> str:
    """Join what tells a scan from others; what is usual is told where there is nothing else."""
    unusual = ", ".join(text for text, usual in facts if text and not usual)
    return unusual or ", ".join(text for text, _ in facts if text)


def _facts(exclusion: Exclusion, shared: int) -> tuple[tuple[str, bool], ...]:
    """Return everything by which scans may differ, and whether that is usual, in fixed order."""
    toys = exclusion.toys is not None
    options = exclusion.options
    switches = (
        (on if options.get(key, usual) else off, options.get(key, usual) == usual)
        for key, (on, off, usual) in _SWITCHES.items()
    )
    texts = (
        ", ".join(_name(exclusion).split(", ")[shared:]),
        _sector(exclusion),
        exclusion.model,
        exclusion.method,
        exclusion.production,
        _level(exclusion),
        (exclusion.ensemble or "") if toys else "",
        f"{exclusion.toys} toys" if toys else "",
        f"seed {exclusion.seed}" if toys else "",
        *_numbers(exclusion),
        ", ".join(_settings(exclusion)),
    )
    return (*((text, False) for text in texts), *switches)


def _name(exclusion: Exclusion) -> str:
    return _plain(exclusion.title or exclusion.search)


def _level(exclusion: Exclusion) -> str:
    return f"{100.0 * exclusion.confidence_level:g}% CL"


def _settings(exclusion: Exclusion) -> list[str]:
    """Return the settings of the card that its title does not tell."""
    card = exclusion.provenance.get("card")
    made = card.get("overrides", []) if isinstance(card, dict) else []
    return [_plain(str(setting)) for setting in made if str(setting) not in exclusion.title]


def _numbers(exclusion: Exclusion) -> list[str]:
    """Return options that are numbers, in words; empty where one is not set."""
    values = ((text, exclusion.options.get(key, 0.0)) for key, text in _NUMBERS.items())
    return [text.format(value) if value else "" for text, value in values]


def _sector(exclusion: Exclusion) -> str:
    parts = []
    if exclusion.dark_matter is not None and exclusion.ratio is not None:
        mass = symbol(exclusion.mass_parameter)
        species = SPECIES.get(exclusion.dark_matter, exclusion.dark_matter)
        parts.append(rf"{species} $\chi$, ${mass} = {exclusion.ratio:g}\,m_\chi$")
    if exclusion.alpha_d is not None:
        parts.append(rf"$\alpha_D = {exclusion.alpha_d:g}$")
    return ", ".join(parts)
