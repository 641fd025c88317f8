"""The command lines that make a result again: scan, recast, to-plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from na64.limits.results.limit import Limit
    from na64.limits.results.origin import Origin
    from na64.limits.results.specification import Specification
    from na64.models.mediators.protocol import Mediator

__all__ = ["command_lines", "scan_words"]

#: options of a plane that its command takes; others of its result follow from the scan
_OF_PLANES = ("normalisation", "fermion", "omega_h2", "dark_matter", "ratio", "splitting")


def command_lines(
    limit: Limit, output: str, *, cards: Sequence[str], charges: Mapping[str, str]
) -> list[list[str]]:
    """Return the words of the commands that make a result again, the last of which writes it.

    Parameters
    ----------
    limit
        Any result, but one of a signal that was given.
    output
        File that the last command writes; those before write ``before-1-...`` of that name.
    cards
        Files of its cards, resolved, in their order.
    charges
        Files of the mediators that are not registered under their names, by these.

    Raises
    ------
    ComputationError
        For a specification that options cannot state.
    InputError
        For a mediator that is neither registered nor in ``charges``.
    """
    steps = [*_scans(limit.specification, limit.origin, cards, charges)]
    if not limit.plane.is_coupling:
        steps.append(_plane_words(limit))
    lines: list[list[str]] = []
    for number, words in enumerate(steps, 1):
        file = output if number == len(steps) else f"before-{len(steps) - number}-{output}"
        given = [lines[-1][-1]] if lines else []
        lines.append(["na64-limits", words[0], *given, *words[1:], "-o", file])
    return lines


def scan_words(
    specification: Specification, cards: Sequence[str], charges: Mapping[str, str]
) -> list[str]:
    """Return the words of the scan of a specification, without an output.

    Parameters
    ----------
    specification, cards, charges
        As in `command_lines`.
    """
    from na64.limits.scanning.restated import restated

    first, *others = cards
    words = ["scan", first]
    for other in others:
        words += ["--combine", other]
    given = restated(specification)
    for name in given.pop("shared", ()):
        words += ["--shared", name]
    if "model" in given:
        words += _model_words(given.pop("model"), charges)
    if "masses_gev" in given:
        masses = given.pop("masses_gev").tolist()
        words += ["--masses", ",".join(f"{mass:.12g}" for mass in masses)]
    if "confidence_level" in given:
        words += ["--cl", f"{given.pop('confidence_level'):.12g}"]
    if given.pop("expected_only", False):
        words.append("--expected-only")
    return [*words, *_setting_words(given)]


def _scans(
    specification: Specification,
    origin: Origin | None,
    cards: Sequence[str],
    charges: Mapping[str, str],
) -> Iterator[list[str]]:
    """Yield the words of the scan and of what its limit was carried to."""
    from na64.limits.scanning.restated import sector_words

    if origin is None:
        yield scan_words(specification, cards, charges)
        return
    yield from _scans(origin.specification, origin.origin, cards, charges)
    words = ["recast"]
    if specification.mediator != origin.specification.mediator:
        words += _model_words(specification.mediator, charges)
    words += _setting_words(sector_words(specification.dark_sector))
    if origin.policy != "refuse":
        words.append(f"--{origin.policy}")
    yield words


def _plane_words(limit: Limit) -> list[str]:
    given = {
        name: value
        for name, value in limit.plane.options.items()
        if name in _OF_PLANES and value is not None
    }
    if not given.get("splitting", True):
        del given["splitting"]
    words = ["to-plane", "--plane", limit.plane.name]
    for name, value in given.items():
        words += [f"--{name.replace('_', '-')}", _text(value)]
    return words


def _model_words(mediator: Mediator, charges: Mapping[str, str]) -> list[str]:
    from na64.models.errors import InputError
    from na64.models.mediators.data import is_registered

    if mediator.name in charges:
        return ["--charges", charges[mediator.name]]
    if not is_registered(mediator):
        raise InputError(f"the mediator '{mediator.name}' is found under no name and in no file")
    return ["--model", mediator.name]


def _setting_words(given: Mapping[str, Any]) -> list[str]:
    """Write settings as options; one that is True or False is a flag that turns it."""
    from na64.limits.scanning.settings import SETTINGS

    words: list[str] = []
    for name, value in given.items():
        flag = "--method" if name == "method" else f"--{SETTINGS[name].option}"
        words += [flag] if isinstance(value, bool) else [flag, _text(value)]
    return words


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
