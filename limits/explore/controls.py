"""The controls of the page: widgets, and what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from na64.limits.explore.compute import Answer, Catalogue
from na64.limits.explore.state import State, cut_of
from na64.limits.planes.transforms import PLANES
from na64.limits.results.axes import COUPLING
from na64.limits.scanning.request import NO_DARK_MATTER
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import available_mediators
from na64.workspaces.io.optional import need

__all__ = ["Controls", "label_of"]

#: what a menu says for what the card decides
_USUAL: Final = "that of the card"
#: sliders of numbers: label, lowest, highest, step, whether the slider is one of the logarithm
_SLIDERS: Final[Mapping[str, tuple[str, float, float, float, bool]]] = {
    "alpha_d": ("α_D", 0.01, 1.0, 0.01, False),
    "ratio": ("mass ratio m_mediator/m_χ", 2.05, 10.0, 0.05, False),
    "exposure": ("exposure, times that of the card", -1.0, 2.0, 0.01, True),
    "background": ("background, times that of the card", -1.0, 1.0, 0.01, True),
    "cut": ("cut", 1.0, 100.0, 1.0, False),
    "confidence_level": ("confidence level", 0.5, 0.99, 0.01, False),
}
#: where sliders of a dark sector stand as long as nothing says otherwise
_SECTOR: Final = DarkSector()
#: digits of a number that a slider of a logarithm gives
_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class _Slider:
    """A slider, and how its position is a number."""

    widget: Any
    logarithmic: bool

    @property
    def number(self) -> float:
        position = float(self.widget.value)
        return float(f"{10.0**position:.{_DIGITS}g}") if self.logarithmic else position

    def show(self, number: float) -> None:
        """Move to a number, wherever it is."""
        position = math.log10(number) if self.logarithmic else number
        self.widget.param.update(
            start=min(self.widget.start, position),
            end=max(self.widget.end, position),
            value=position,
        )


def label_of(setting: str) -> str:
    """Return what a setting is called on the page.

    Examples
    --------
    >>> label_of("alpha_d"), label_of("dark_matter")
    ('α_D', 'dark matter')
    """
    return _SLIDERS[setting][0] if setting in _SLIDERS else setting.replace("_", " ")


class Controls:
    """Menus and sliders, the state that they say, and the state that they are made to show.

    Parameters
    ----------
    catalogue
        The searches that there are.
    state
        Where they begin.
    moved
        Called with the new state when somebody moves one.
    """

    def __init__(
        self, catalogue: Catalogue, state: State, moved: Callable[[State], object]
    ) -> None:
        panel = need("panel", extra="web")
        self.state = state
        self._catalogue = catalogue
        self._moved = moved
        self._quiet = False
        planes = {"coupling of the model": COUPLING, **{name: name for name in PLANES}}
        species = [kind.value for kind in DarkMatter]
        self.menus = {
            "search": _menu(panel, "search", {name: name for name in catalogue.names}),
            "model": _menu(panel, "model", {_USUAL: "", **_same(available_mediators())}),
            "dark_matter": _menu(
                panel, "dark matter", {_USUAL: "", **_same([*species, NO_DARK_MATTER])}
            ),
            "plane": _menu(panel, "plane", planes),
        }
        self.sliders = {name: _slider(panel, name) for name in _SLIDERS}
        self.reset = panel.widgets.Button(
            name="everything as the card has it", sizing_mode="stretch_width"
        )
        self.reset.on_click(self._reset)
        self.show(state)
        for name, menu in self.menus.items():
            menu.param.watch(self._watcher(name), "value")
        for name, slider in self.sliders.items():
            slider.widget.param.watch(self._watcher(name), "value")

    @property
    def widgets(self) -> list[Any]:
        """The widgets from the top to the bottom."""
        sliders = {name: item.widget for name, item in self.sliders.items()}
        order = ("search", "model", "dark_matter", "alpha_d", "ratio", "exposure", "background",
                 "cut", "confidence_level", "plane")  # fmt: skip
        return [*({**self.menus, **sliders}[name] for name in order), self.reset]

    def show(self, state: State) -> None:
        """Put the controls where a state has them."""
        self.state = state
        self._quiet = True
        try:
            for name, menu in self.menus.items():
                value = getattr(state, name)
                if value not in menu.options.values():  # an address may name what there is not
                    menu.options = {**menu.options, value: value}
                menu.value = value
            for name, slider in self.sliders.items():
                if (number := getattr(state, name)) is not None:
                    slider.show(number)
            self._show_cut(state)
        finally:
            self._quiet = False

    def settle(self, answer: Answer) -> None:
        """Put the sliders that nobody has moved where the answer has them."""
        self._quiet = True
        try:
            sector = answer.limit.specification.dark_sector
            for name in ("alpha_d", "ratio"):
                widget = self.sliders[name].widget
                widget.disabled = sector is None and getattr(self.state, name) is None
                if sector is not None and getattr(self.state, name) is None:
                    self.sliders[name].show(getattr(sector, name))
        finally:
            self._quiet = False

    def _reset(self, _event: Any) -> None:
        """Leave out every setting but the search."""
        usual = State(self.state.search)
        self.show(usual.at(alpha_d=_SECTOR.alpha_d, ratio=_SECTOR.ratio))
        self.show(usual)
        self._moved(usual)

    def _show_cut(self, state: State) -> None:
        if state.search not in self._catalogue.names:
            return
        found = cut_of(self._catalogue.card(state.search))
        slider = self.sliders["cut"].widget
        slider.disabled = found is None
        if found is not None:
            name, value, highest = found
            slider.param.update(
                name=f"{name.removesuffix('_gev').replace('_', ' ')} [GeV]",
                step=1.0 if highest > 20.0 else 0.1,
                start=min(1.0, value, state.cut or value),
                end=max(highest, state.cut or value),
                value=state.cut or value,
            )

    def _watcher(self, name: str) -> Callable[[Any], None]:
        def moved(event: Any) -> None:
            if self._quiet:
                return
            value = self.sliders[name].number if name in self.sliders else event.new
            state = self.state.at(**{name: value})
            if name == "search":
                self.show(state)
            self.state = state
            self._moved(state)

        return moved


def _same(names: Any) -> dict[str, str]:
    return {name: name for name in names}


def _menu(panel: Any, label: str, options: Mapping[str, str]) -> Any:
    return panel.widgets.Select(name=label, options=dict(options), sizing_mode="stretch_width")


def _slider(panel: Any, name: str) -> _Slider:
    label, low, high, step, logarithmic = _SLIDERS[name]
    shown: dict[str, Any] = {}
    if logarithmic:
        models = need("bokeh.models", extra="web")
        code = f"return '×' + Number(Math.pow(10, tick).toPrecision({_DIGITS}))"
        shown["format"] = models.CustomJSTickFormatter(code=code)
    widget = panel.widgets.FloatSlider(
        name=label,
        start=low,
        end=high,
        step=step,
        value=0.0 if logarithmic else getattr(_SECTOR, name, low),
        sizing_mode="stretch_width",
        **shown,
    )
    return _Slider(widget, logarithmic)
