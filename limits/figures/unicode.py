"""Mathematics as plain text: for legends and labels where no formula is typeset."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["in_unicode"]

_SYMBOLS: Final = {
    "alpha": "α", "beta": "β", "chi": "χ", "Delta": "Δ", "epsilon": "ε", "eta": "η", "gamma": "γ",
    "Lambda": "Λ", "mu": "μ", "nu": "ν", "phi": "φ", "pi": "π", "sigma": "σ", "tau": "τ",
    "times": "×", "pm": "±", "to": "→", "cdot": "·", "leq": "≤", "geq": "≥", "sim": "∼",
    "left": "", "right": "", "approx": "≈", "rightarrow": "→", "prime": "′", "ell": "ℓ",
    "infty": "∞", "varepsilon": "ε",
}  # fmt: skip
_RAISED: Final = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_LOWERED: Final = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
#: what is between dollar signs; a dollar sign with a backslash is one
_FORMULA: Final = re.compile(r"(?<!\\)\$(.*?)(?<!\\)\$", re.DOTALL)


def in_unicode(text: str) -> str:
    """Return a text with mathematics of matplotlib as plain text.

    Parameters
    ----------
    text
        With formulas between dollar signs. What is not known of a formula stays as it is
        written.

    Examples
    --------
    >>> in_unicode(r"$m_{A'} = 3\\,m_\\chi$, $10^{-4}$ GeV")
    'm_A′ = 3 m_χ, 10⁻⁴ GeV'
    >>> in_unicode(r"five \\$, $g_{a\\gamma\\gamma}$")
    'five $, g_aγγ'
    """
    return _FORMULA.sub(lambda found: _plain(found[1]), text).replace(r"\$", "$")


def _plain(formula: str) -> str:
    formula = re.sub(r"\\(?:mathrm|mathit|text|rm)\b\s*", "", formula)
    formula = re.sub(r"\\[,;:! ]", " ", formula).replace("'", "′").replace("~", " ")
    formula = re.sub(r"\\([A-Za-z]+)\s?", lambda found: _SYMBOLS.get(found[1], found[0]), formula)
    formula = re.sub(r"\^(?:\{([^{}]*)\}|(.))", lambda found: _raised(found), formula)
    formula = re.sub(r"_(?:\{([^{}]*)\}|(.))", lambda found: _lowered(found), formula)
    return formula.replace("{", "").replace("}", "")


def _raised(found: re.Match[str]) -> str:
    inside = found[1] if found[1] is not None else found[2]
    raised = inside.translate(_RAISED)
    return raised if all(a != b for a, b in zip(inside, raised, strict=True)) else f"^{inside}"


def _lowered(found: re.Match[str]) -> str:
    inside = found[1] if found[1] is not None else found[2]
    lowered = inside.translate(_LOWERED)
    return lowered if all(a != b for a, b in zip(inside, lowered, strict=True)) else f"_{inside}"
