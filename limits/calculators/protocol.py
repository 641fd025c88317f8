"""What a calculator is: settings that can be written down, and the numbers made with them.

A calculator is a frozen dataclass. Its fields are its settings, each with ``metadata={"help":
...}``, from which options of commands are made; whatever does not change the result (processes,
memory) is no setting. The limits of a mass depend on its signal, on the data and on the settings,
to the last bit: never on which other masses are in the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from na64.limits.calculators.roots import Edges
    from na64.limits.likelihood.compiled import SignalBatch

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

__all__ = ["Calculator", "Choosing", "Engine"]


class Calculator(Protocol):
    """How often data like the observed ones are expected at a signal strength.

    Attributes
    ----------
    name
        Its key in `na64.limits.calculators.registry.CALCULATORS`.
    summary
        A few words for the help of commands.
    smooth
        Whether equal signals have equal limits. Edges can be polished by root finding with the
        calculator `noiseless` alone.
    two_sided
        Whether a strength may be excluded because the data have more signal.
    large_counts
        Whether it rests on formulas that hold for large counts only.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    smooth: ClassVar[bool]
    two_sided: ClassVar[bool]
    large_counts: ClassVar[bool]

    @property
    def ensemble(self) -> str | None:
        """``aux-fixed`` or ``aux-fluctuated`` for ensembles of counts, None for formulas."""

    @property
    def smallest_p_value(self) -> float:
        """Discovery p-values below it cannot be told from zero."""

    @property
    def noiseless(self) -> Calculator | None:
        """The same without statistical noise, None where there is no such thing."""

    def to_dict(self) -> dict[str, Any]:
        """Return the name and all settings."""

    def on(self, batch: SignalBatch, counts: Array) -> Engine:
        """Put it to work on M signals, each with some events, and observed counts, shape (B,)."""


class Engine(Protocol):
    """A calculator at work on M signals and observed counts."""

    def __init__(self, settings: Any, batch: SignalBatch, counts: Array) -> None: ...

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> Edges:
        """Return where the p-value is alpha = 1 - confidence level; which limits to compute."""

    def p_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return what is compared with alpha (CLs, for most) at given signal events.

        Parameters
        ----------
        nu, mass
            Signal events, positive, and index of the mass, shape (N,).
        expected
            Whether to compute the expected values as well.

        Returns
        -------
        tuple
            Observed, shape (N,), and expected ones, shape (5, N) (NaN unless asked for).
        """

    def discovery_p_values(self, q0: Array) -> Array:
        """Return the probability of at least q0 (M,) without a signal, for M masses."""

    def median_significance(self, theta: Array) -> Array:
        """Return the median significance of a signal of mu = 1, shape (M,).

        Parameters
        ----------
        theta
            Nuisance parameters with which the signal is there, shape (P, M).

        Returns
        -------
        ndarray
            NaN where a fit failed, infinite where no outcome of the background is so signal-like.
        """


@runtime_checkable
class Choosing(Protocol):
    """An engine that chooses among methods, mass by mass."""

    def methods(self, masses: Index) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return which method gave the last p-values of some masses, and why (empty: no need)."""
