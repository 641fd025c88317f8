"""Origin: where numbers of a result come from that its specification alone does not give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from numpy.typing import ArrayLike

from na64.limits.results.specification import Specification

__all__ = ["GIVEN", "Origin"]

#: policy of a result whose signal was handed in
GIVEN: Final = "given"


@dataclass(frozen=True, slots=True)
class Origin:
    """The computation from which a result was carried over, instead of being made anew.

    Attributes
    ----------
    specification
        What was computed.
    policy
        What became of masses that could not be carried over: ``refuse`` (there were none),
        ``leave-out`` or ``recompute``. ``given``: the signal was not computed from the
        specification but handed in; such a result is rescaled, but not computed again.
    origin
        Where that came from, if it was carried over itself.
    """

    specification: Specification
    policy: str
    origin: Origin | None = None

    def at(self, masses_gev: ArrayLike) -> Origin:
        """Return the same at other masses."""
        before = None if self.origin is None else self.origin.at(masses_gev)
        return replace(self, specification=self.specification.at(masses_gev), origin=before)

    @property
    def given(self) -> bool:
        """Whether the signal was handed in, here or before."""
        return self.policy == GIVEN or (self.origin is not None and self.origin.given)

    def to_dict(self) -> dict[str, Any]:
        """Return the origin as plain data."""
        return {
            "specification": self.specification.to_dict(),
            "policy": self.policy,
            "origin": None if self.origin is None else self.origin.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str) -> Origin:
        """Return the origin that plain data describe."""
        before = data["origin"]
        return cls(
            Specification.from_dict(data["specification"], f"{where}.specification"),
            data["policy"],
            None if before is None else cls.from_dict(before, f"{where}.origin"),
        )
