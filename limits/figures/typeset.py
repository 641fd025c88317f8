r"""Texts of cards, curves and users as figures write them: numbers, particles and symbols typeset.

Texts are plain, such as ``9.37e11 electrons`` or ``eta' -> e+ e-``. What looks like a number with
an exponent, a particle or a symbol becomes a formula; what stands between dollar signs is one
already. A text that is no formula in spite of its dollar signs is drawn as it is: no text raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from matplotlib.mathtext import MathTextParser

from na64.limits.results.axes import tex

__all__ = ["drawable", "drawn_length", "plain_text", "split_parts", "typeset", "with_remark"]

#: letters that are written by their names; `beta` is more often a word
_GREEK: Final = (
    "alpha|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi|"
    "omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
#: what a symbol may neither follow nor go before: it would be a part of a name
_FREE: Final = r"(?<![\w.\\/^-])"
_ENDS: Final = r"(?![\w^]|\.\w|-\w)"
_PARTICLE: Final = r"e|mu|tau|pi|rho|K|W"
_POWER: Final = r"(?P<power>[+-]?\d{1,4})"
_DIGITS: Final = r"(?<![\w.\\^-])(?P<digits>\d+(?:\.\d+)?)"
#: characters that no font has, but for the end of a line
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
#: a formula; a dollar sign after a backslash is one of the text
_FORMULA: Final = re.compile(r"((?<!\\)\$(?:[^$\\]|\\.)*\$)")
#: a formula, a number that it equals, and in what units if there is another formula
_EQUATION: Final = re.compile(
    r"(?<!\\)\$(?P<left>[^$]+)\$ = (?P<value>\d+(?:\.\d+)?)(?: \$(?P<unit>[^$]+)\$)?(?![\w.])"
)


def _letter(name: str) -> str:
    return f"\\{name}" if re.fullmatch(_GREEK, name) else name


def _number(found: re.Match[str]) -> str:
    digits, power = found["digits"], int(found["power"])
    factor = "" if float(digits) == 1.0 else rf"{digits}\times"
    return rf"${factor}10^{{{power}}}$"


def _pair(found: re.Match[str]) -> str:
    letter = _letter(found["pair"])
    return rf"${letter}^{found['first']}{letter}^{found['second']}$"


def _indexed(found: re.Match[str]) -> str:
    name = f"{found['letter']}_{found['index']}"
    if found["index"] == "agg":
        return f"${tex(name)}$"
    index = _letter(found["index"].removesuffix("'"))
    whole = f"{{{index}'}}" if found["index"].endswith("'") else index
    return f"${_letter(found['letter'])}_{whole}$"


def _moment(found: re.Match[str]) -> str:
    lepton = found["lepton"]
    return f"$(g-2)_{_letter(lepton)}$" if lepton else "$g-2$"


#: what is looked for, in this order, and how it is written
_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = tuple(
    (re.compile(pattern), write)
    for pattern, write in (
        (rf"{_DIGITS}[eE]{_POWER}(?!\w|\.\d)", _number),
        (rf"{_DIGITS}\s?[x×]\s?10\^{_POWER}(?!\w|\.\d)", _number),
        (rf"(?<![\w.\\^-])10\^{_POWER}(?!\w|\.\d)", lambda m: f"$10^{{{m['power']}}}$"),
        (
            r"\b(?P<unit>[afpn]b|[kMGT]?eV|c?m|s)\^(?P<exponent>-?\d)(?!\w|\.\d)",
            lambda m: f"{m['unit']}$^{{{m['exponent']}}}$",
        ),
        (rf"{_FREE}L_mu ?- ?L_tau{_ENDS}", lambda _: r"$L_\mu - L_\tau$"),
        (rf"{_FREE}B ?- ?L{_ENDS}", lambda _: "$B - L$"),
        (rf"{_FREE}\(?g ?- ?2\)?(?:_(?P<lepton>e|mu|tau){_ENDS})?", _moment),
        (
            rf"{_FREE}(?P<pair>{_PARTICLE})(?P<first>[+-]) ?(?P=pair)(?P<second>[+-])(?![\w^+-])",
            _pair,
        ),
        (
            rf"{_FREE}(?P<letter>{_PARTICLE})(?P<charge>[+-])(?![\w^+-])",
            lambda m: f"${_letter(m['letter'])}^{m['charge']}$",
        ),
        (rf"{_FREE}(?P<letter>pi|K)0{_ENDS}", lambda m: f"${_letter(m['letter'])}^0$"),
        (r"\bNA64mu(?![\w-])", lambda _: r"NA64$\mu$"),
        (r"\bnu-Cal\b", lambda _: r"$\nu$-Cal"),
        (rf"{_FREE}J/psi{_ENDS}", lambda _: r"$J/\psi$"),
        (rf"{_FREE}eta(?:'|-prime){_ENDS}", lambda _: r"$\eta'$"),
        (rf"{_FREE}(?P<boson>[AZ])(?:'|-prime){_ENDS}", lambda m: f"${m['boson']}'$"),
        (
            rf"{_FREE}(?P<letter>[A-Za-z]|{_GREEK})_(?P<index>agg|{_GREEK}|[A-Za-z]'?){_ENDS}",
            _indexed,
        ),
        (rf"{_FREE}(?P<greek>{_GREEK}){_ENDS}", lambda m: f"${_letter(m['greek'])}$"),
        (r"(?<![-<])->", lambda _: r"$\to$"),
        ("<=", lambda _: "≤"),
        (">=", lambda _: "≥"),
        (r"\+/?-(?!\w*[+-])(?= ?\d)", lambda _: "±"),
    )
)


def typeset(text: str) -> str:
    r"""Return a text with its numbers, particles and symbols as formulas of matplotlib.

    Examples
    --------
    >>> typeset("9.37e11 electrons")
    '$9.37\\times10^{11}$ electrons'
    >>> typeset("eta' -> e+ e-")
    "$\\eta'$ $\\to$ $e^+e^-$"
    >>> typeset("1e9 $")
    '$10^{9}$ \\$'
    """
    text = _CONTROL.sub(" ", text)
    found = drawable(text)
    for pattern, write in _RULES:
        parts = _FORMULA.split(found)
        parts[::2] = [pattern.sub(write, part) for part in parts[::2]]
        found = "".join(parts)
    found = _EQUATION.sub(_equation, found)
    return found if _is_drawn(found) else plain_text(text)


def drawable(text: str) -> str:
    """Return a text with formulas as it is, or as plain text if matplotlib cannot draw them."""
    text = _CONTROL.sub(" ", text)
    return text if _is_drawn(text) else plain_text(text)


def _equation(found: re.Match[str]) -> str:
    right = found["value"] + (rf"\,{found['unit']}" if found["unit"] else "")
    return f"${found['left']} = {right}$"


def with_remark(text: str, remark: str) -> str:
    """Return a text with a remark in brackets, in those that it ends with if there are any."""
    if not text:
        return remark
    return f"{text[:-1]}, {remark})" if text.endswith(")") else f"{text} ({remark})"


def plain_text(text: str) -> str:
    """Return a text in which no dollar sign begins a formula, without control characters."""
    return re.sub(r"(?<!\\)\$", r"\\$", _CONTROL.sub(" ", text))


def split_parts(text: str) -> list[str]:
    """Return what stands between the commas of a text; those of formulas part nothing."""
    parts = [""]
    for piece in _FORMULA.split(text):
        first, *others = [piece] if _FORMULA.fullmatch(piece) else piece.split(", ")
        parts[-1] += first
        parts += others
    return parts


def drawn_length(text: str) -> int:
    """Return about how many characters wide a text with formulas is."""
    return len(re.sub(r"\\[,;!]|[${}_^]", "", re.sub(r"\\[A-Za-z]+", "x", text)))


@cache
def _parser() -> MathTextParser[Any]:
    return MathTextParser("path")


@cache
def _is_drawn(text: str) -> bool:
    """Whether matplotlib can draw a text: every line has whole formulas, without errors."""
    for line in text.split("\n"):
        dollars = len(re.findall(r"(?<!\\)\$", line))
        if dollars % 2:
            return False
        try:
            if dollars:
                _parser().parse(line)
        except (ValueError, RuntimeError):  # what the parser says of a formula that is none
            return False
    return True
