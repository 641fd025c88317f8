"""Published curves read for another mediator: by couplings, branching ratios and lifetimes.

A curve says at which coupling g_1 of its own mediator a search expects as many events as it
excludes. For another mediator the coupling g is that of the same number,

    sigma(g) B(g) eff(g) = sigma_1(g_1) B_1 eff_1(g_1),

with the rates of `na64.models.recasting.production`, the branching ratio to what the search sees,
and the efficiency of its decay volume where X must live long enough to reach it.

References
----------
Ilten, Soreq, Williams and Xue, arXiv:1801.04847, eqs. (2.2) and (2.22)-(2.24).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.planes.displaced import converted_edges, edges_of
from na64.limits.planes.y import coupling_from_y
from na64.models.arrays import FloatArray
from na64.models.constants import CHARGED_PION_MASS_GEV, LEPTON_MASSES_GEV
from na64.models.decays.hadrons import NARROW_RESONANCES_GEV
from na64.models.errors import InputError
from na64.models.mediators.charges import FERMIONS
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.naming import mass_name
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.registry import mediator as registered
from na64.models.recasting.channels import UNSEEN, FinalState, Lifetime, Production
from na64.models.recasting.decays import HADRONIC_REACH_GEV, seen_width, total_width, widths_known
from na64.models.recasting.production import (
    AXIAL_FROM_GEV,
    HEAVIEST_GEV,
    exchange_strength,
    production_rate,
)
from na64.workspaces.io.curves import Axis, Curve, CurveKind, load_curve, log_log_interpolation

__all__ = ["recast_curve"]

Flags = NDArray[np.bool_]

#: points per decade of mass between those of a curve, for what resonances and thresholds do
_FINE: Final = 40
_DIGITS: Final = 6
#: how far from a narrow resonance a search for visible decays is taken at its word
_LEFT_OUT_GEV: Final = 0.02
#: largest coupling for which a rate is the square of it
_PERTURBATIVE: Final = np.sqrt(4.0 * np.pi)


def recast_curve(
    curve: Curve | str, mediator: Mediator | str, sector: DarkSector | None = None
) -> Curve:
    """Return a published curve for another mediator.

    Parameters
    ----------
    curve
        A curve, the name of a shipped one, or a file: a limit or region in (mass, coupling) that
        names model, production and final state; or a limit on y of invisible decays with alpha_d
        and ratio.
    mediator
        The other mediator or its name.
    sector
        What it decays to beside the Standard Model; None for its own decays alone.

    Returns
    -------
    Curve
        In (mass, coupling) of the mediator, with a remark in its provenance; the curve itself if
        it is one of that mediator. Points between those of the curve are added where couplings or
        branching ratios change.

    Raises
    ------
    InputError
        For a curve that cannot be converted at any mass, with the reason.
    """
    if isinstance(curve, str):
        curve = load_curve(curve)
    new = registered(mediator) if isinstance(mediator, str) else mediator
    if curve.model == new.name:
        return curve
    curve = _in_coupling(curve)
    _check_curve(curve)
    recasting = _Recasting(curve, registered(curve.model), new, sector)
    recasting.check_kinds()
    if FinalState.VIRTUAL in curve.final_state:
        points = recasting.exchanged()
    elif curve.lifetime is Lifetime.DISPLACED:
        points = recasting.displaced()
    else:
        points = recasting.pointwise()
    return _made(curve, new, sector, points)


def _in_coupling(curve: Curve) -> Curve:
    """Return a limit on y of invisible decays as one on the coupling, by its own dark sector."""
    axes = (curve.x_axis.name, curve.y_axis.name, set(curve.final_state))
    alpha_d, ratio = curve.alpha_d, curve.ratio
    if axes != ("m_chi", "y", {FinalState.INVISIBLE}) or alpha_d is None or ratio is None:
        return curve
    sector = DarkSector(curve.dark_matter or DarkMatter.DIRAC, alpha_d=alpha_d, ratio=ratio)
    return dataclasses.replace(
        curve,
        x_axis=Axis("m_A'", curve.x_axis.unit),
        y_axis=Axis(registered(curve.model).parameter, "1"),
        points=tuple(
            (x * sector.ratio, float(coupling_from_y(y, sector))) for x, y in curve.points
        ),
    )


def _check_curve(curve: Curve) -> None:
    """Refuse curves that do not say enough."""
    if curve.kind is CurveKind.THERMAL:
        raise InputError(f"curve {curve.name} is a thermal line: it is computed, not recast")
    missing = [key for key in ("model", "production", "final_state") if not getattr(curve, key)]
    if missing:
        raise InputError(f"curve {curve.name} cannot be recast: its file names no {missing[0]}")
    if FinalState.RECOIL in curve.final_state:
        raise InputError(
            f"curve {curve.name} cannot be recast: the rate of recoils depends on what dark matter "
            "scatters off"
        )
    coupling = registered(curve.model).parameter
    if curve.y_axis.name != coupling or curve.x_axis.unit != "GeV" or curve.x_axis.name == "m_chi":
        raise InputError(
            f"curve {curve.name} cannot be recast: it is {curve.y_axis.name} against "
            f"{curve.x_axis.name}, not {coupling} against the mass in GeV"
        )


def _made(curve: Curve, new: Mediator, sector: DarkSector | None, points: FloatArray) -> Curve:
    digits = [tuple(float(f"{value:.{_DIGITS}g}") for value in pair) for pair in points]
    return dataclasses.replace(
        curve,
        name=f"{curve.name}-{new.name}",
        title=f"{curve.title}; recast to {new.name}",
        label=f"{curve.label}, recast",
        model=new.name,
        x_axis=Axis(mass_name(new), "GeV"),
        y_axis=Axis(new.parameter, curve.y_axis.unit),
        searches=(),
        assumptions="",
        provenance=f"recast from {curve.model} to {new.name} by {', '.join(curve.production)}"
        f"{' (the least factor of these)' if len(curve.production) > 1 else ''} and "
        f"{', '.join(curve.final_state)} as in arXiv:1801.04847; before: {curve.provenance}",
        points=tuple(digits),
        dark_matter=None if sector is None else sector.species,
        alpha_d=None if sector is None else sector.alpha_d,
        ratio=None if sector is None else sector.ratio,
    )


@dataclass(frozen=True, slots=True)
class _Recasting:
    """A curve, the mediator that it is of, and the one that it shall be of."""

    curve: Curve
    old: Mediator
    new: Mediator
    sector: DarkSector | None

    def refused(self, why: str) -> InputError:
        return InputError(f"curve {self.curve.name} cannot be recast to {self.new.name}: {why}")

    def check_kinds(self) -> None:
        """Refuse bosons that are no vectors."""
        for one in (self.old, self.new):
            if one.kind not in (MediatorKind.VECTOR, MediatorKind.AXIAL):
                raise self.refused(
                    f"{one.name} is {one.kind}, and rates are compared between vectors"
                )

    def exchanged(self) -> FloatArray:
        """Points of a curve of a boson that is exchanged: g^2 x_a x_b stays."""
        x, y = self.path()
        ratio = np.full_like(x, np.inf)
        for process in self.curve.production:
            try:
                strengths = [exchange_strength(process, one, x) for one in (self.new, self.old)]
            except InputError as error:
                raise self.refused(str(error)) from None
            if np.any(strengths[1] == 0.0) or np.any(strengths[0] * strengths[1] <= 0.0):
                raise self.refused("the product of its couplings vanishes or has another sign")
            ratio = strengths[0] / strengths[1]
        return np.stack([x, y / np.sqrt(ratio)], axis=1)

    def pointwise(self) -> FloatArray:
        """Points of a curve whose efficiency does not depend on the lifetime."""
        x, y = self.path()
        production, made = self.production_ratio(x)
        known, why = self.where_known(x)
        with np.errstate(all="ignore"):
            signal = y**2 / production * self.old_branching(x)
            coupling = np.sqrt(self.square_of(signal, x))
        sound = made & known & np.isfinite(coupling) & (coupling > 0.0)
        fewest = 3 if self.curve.kind is CurveKind.REGION else 2
        if np.count_nonzero(sound) < fewest:
            raise self.refused(why or f"it does not decay to {', '.join(self.curve.final_state)}")
        sound &= coupling * self.largest_charge(x) < _PERTURBATIVE
        if np.count_nonzero(sound) < fewest:
            raise self.refused("the couplings would be beyond perturbation theory")
        return np.stack([x, coupling], axis=1)[sound]

    def displaced(self) -> FloatArray:
        """Path around the region of a search for decays behind a shield."""
        curve = self.curve
        if curve.kind is not CurveKind.REGION or curve.decay_volume is None:
            raise self.refused(
                "a search for displaced decays needs both edges and the decay_volume in its file"
            )
        if self.sector is not None and self.sector.width_gev(1.0, 1.0, self.new.kind) > 0.0:
            raise self.refused("it decays to dark matter before it reaches the detector")
        x, low, high = edges_of(curve, self.masses(min(curve.x), max(curve.x)))
        production, made = self.production_ratio(x)
        known, why = self.where_known(x)
        totals = [total_width(one, x) for one in (self.old, self.new)]
        seen = [seen_width(one, curve.final_state, x) for one in (self.old, self.new)]
        sound = made & known & (seen[0] > 0.0) & (seen[1] > 0.0) & (production > 0.0)
        if not np.any(sound):
            raise self.refused(why or f"it does not decay to {', '.join(curve.final_state)}")
        with np.errstate(all="ignore"):
            events = production * (seen[1] / totals[1]) / (seen[0] / totals[0])
            lives = totals[1] / totals[0]
        found = converted_edges(
            x[sound], (low[sound], high[sound]), events[sound], lives[sound], curve.decay_volume
        )
        if found is None:
            raise self.refused("it is not made often enough to be seen at any lifetime")
        return found

    def production_ratio(self, x: FloatArray) -> tuple[FloatArray, Flags]:
        """Rate of the new mediator over that of the old one, and where it is known.

        Of several processes whose shares are not known the least ratio counts: there are at least
        as many events.
        """
        ratios = []
        for process in self.curve.production:
            try:
                new, old = (production_rate(process, one, x) for one in (self.new, self.old))
            except InputError as error:
                raise self.refused(str(error)) from None
            opened = x < HEAVIEST_GEV.get(process, np.inf)
            if np.any(opened) and not np.any(new[opened] > 0.0):
                raise self.refused(f"it is not made by {process}, as its couplings vanish")
            with np.errstate(all="ignore"):
                ratios.append(np.where(opened & (old > 0.0), new / old, np.inf))
        least = np.min(ratios, axis=0)
        return least, np.asarray(np.isfinite(least) & (least > 0.0))

    def where_known(self, x: FloatArray) -> tuple[Flags, str]:
        """Where widths and rates can be trusted, and why not elsewhere."""
        curve = self.curve
        known, why = np.ones(len(x), bool), ""
        if self.new.kind is MediatorKind.AXIAL:
            known &= x >= AXIAL_FROM_GEV
            why = f"axial vectors are made as vectors are above {AXIAL_FROM_GEV:g} GeV only"
        invisible = set(curve.final_state) <= {FinalState.INVISIBLE, FinalState.ANY}
        if not (invisible and self.sector is not None) and FinalState.ANY not in curve.final_state:
            for one in (self.old, self.new):
                fine = widths_known(one, x)
                if not np.all(fine):
                    why = f"the hadronic width of {one.name} is not known at its masses"
                known &= fine
        if not np.all(x < HADRONIC_REACH_GEV):
            why = why or f"couplings mix with those of the Z above {HADRONIC_REACH_GEV:g} GeV"
            known &= x < HADRONIC_REACH_GEV
        self.check_sector()
        return known, why

    def check_sector(self) -> None:
        """Refuse another dark sector where the resonance of annihilation depends on it."""
        curve, sector = self.curve, self.sector
        if Production.RESONANT_ANNIHILATION not in curve.production or curve.alpha_d is None:
            return
        same = sector is not None and (sector.alpha_d, sector.ratio) == (
            curve.alpha_d,
            curve.ratio,
        )
        if not same or curve.dark_matter not in (None, sector.species if sector else None):
            raise self.refused(
                f"its resonant annihilation holds for alpha_D = {curve.alpha_d:g}"
                + (f" and m_A' = {curve.ratio:g} m_chi" if curve.ratio else "")
                + (f" of {curve.dark_matter} dark matter" if curve.dark_matter else "")
            )

    def old_branching(self, x: FloatArray) -> FloatArray:
        """Branching ratio to what is seen in the model of the curve."""
        states = self.curve.final_state
        if FinalState.ANY in states:
            return np.ones_like(x)
        seen = seen_width(self.old, states, x)
        if FinalState.INVISIBLE in states and (
            self.curve.alpha_d is not None or not np.any(seen > 0.0)
        ):
            return np.ones_like(x)  # decays to dark matter are taken for granted
        return np.asarray(seen / total_width(self.old, x))

    def square_of(self, signal: FloatArray, x: FloatArray) -> FloatArray:
        """Solve v B(v) = signal for the square v of the coupling.

        With the width D to dark matter, which is no function of v, and v S of v T to what is seen:
        v (D' + v S)/(D + v T) = signal, D' = D where dark matter counts as seen and 0 elsewhere.
        """
        states = self.curve.final_state
        if FinalState.ANY in states:
            return signal
        total, seen = total_width(self.new, x), seen_width(self.new, states, x)
        dark = np.zeros_like(x)
        if self.sector is not None:
            dark = self.sector.width_gev(x, x, self.new.kind)
        if not np.any(dark + seen > 0.0):
            if FinalState.INVISIBLE in states:
                raise self.refused("it has no invisible decay: it needs dark matter to decay to")
            raise self.refused(f"it does not decay to {', '.join(states)}")
        counted = dark if FinalState.INVISIBLE in states else np.zeros_like(x)
        linear = counted - signal * total
        root = np.sqrt(linear**2 + 4.0 * seen * signal * dark)
        # the positive root of S v^2 + linear v - signal D, without cancellation on either side
        direct = (root - linear) / (2.0 * seen)
        turned = 2.0 * signal * dark / (root + linear)
        return np.asarray(np.where((linear > 0.0) | (seen <= 0.0), turned, direct))

    def largest_charge(self, x: FloatArray) -> FloatArray:
        """The largest coupling per unit of the free one."""
        couplings = [self.new.coupling(fermion, x**2) for fermion in FERMIONS]
        return np.asarray(np.max(np.abs(couplings), axis=0))

    def masses(self, low: float, high: float) -> FloatArray:
        """Masses between two, finer at resonances and thresholds, with those of the curve.

        A search for visible decays that does not tell resonances from their surroundings is left
        alone there: what it has is a line across them, often across a mass range left out.
        """
        count = max(int(np.ceil(_FINE * np.log10(high / low))), 2)
        fine = np.geomspace(low, high, count)
        unseen = set(self.curve.final_state) <= UNSEEN
        found = [np.asarray(self.curve.x)]
        for centre, half in NARROW_RESONANCES_GEV:
            if not unseen:
                fine = fine[np.abs(fine - centre) > max(8.0 * half, _LEFT_OUT_GEV)]
            elif low < centre < high:
                found.append(centre + half * np.array([-8.0, -3.0, -1.0, 0.0, 1.0, 3.0, 8.0]))
        found.append(fine)
        daughters = np.array([*LEPTON_MASSES_GEV.values(), CHARGED_PION_MASS_GEV])
        found.append(np.outer(2.0 * daughters, [0.9999, 1.001, 1.01, 1.05]).ravel())
        everything = np.unique(np.concatenate(found))
        return everything[(everything >= low) & (everything <= high)]

    def path(self) -> tuple[FloatArray, FloatArray]:
        """The points of the curve with some between them."""
        x, y = np.array(self.curve.x), np.array(self.curve.y)
        if self.curve.kind is CurveKind.LIMIT:
            fine = self.masses(x[0], x[-1])
            return fine, log_log_interpolation(fine, x, y)
        pieces: list[Sequence[float] | FloatArray] = []
        for index in range(len(x) - 1):
            steps = max(int(np.ceil(_FINE * abs(np.log10(x[index + 1] / x[index])))), 1)
            where = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
            ends = np.log([[x[index], y[index]], [x[index + 1], y[index + 1]]])
            pieces.append(np.exp(ends[0] + where * (ends[1] - ends[0])))
        joined = np.concatenate([*pieces, [[x[-1], y[-1]]]])
        return joined[:, 0], joined[:, 1]
