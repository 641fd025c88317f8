"""One visit to the page: its controls, its figure, its words, its files."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Any, Final

from na64.limits.explore.compute import Answer, Explorer, file_names
from na64.limits.explore.controls import Controls, label_of
from na64.limits.explore.newest import Newest
from na64.limits.explore.state import State
from na64.limits.figures.interactive import Canvas, draw, padded, redraw
from na64.limits.figures.picture import Picture
from na64.limits.figures.sources import provenance_html
from na64.models.errors import InputError, NA64Error
from na64.workspaces.io.optional import need

__all__ = ["Page"]

#: milliseconds after which a scan that is not done is said to be under way
_SLOW: Final = 300
#: how a figure looks whose limit is not that of the controls
_GREY: Final = {"filter": "grayscale(1)", "opacity": "0.4"}
_FILES: Final = {
    ".json": "JSON",
    ".csv": "CSV",
    ".pdf": "PDF",
    ".toml": "card",
    ".sh": "command lines",
}


class Page:
    """The page of one visitor; nothing of it is shared with another.

    Parameters
    ----------
    explorer
        Computes the answers.
    first
        The state of an address that says nothing.
    query
        What the address says.
    address
        Where the state is written to: called with the query of every state; None for nowhere.
    """

    def __init__(
        self,
        explorer: Explorer,
        first: State,
        query: Mapping[str, str],
        address: Any = None,
    ) -> None:
        self._panel = need("panel", extra="web")
        self._explorer = explorer
        self._address = address
        self._document = self._panel.state.curdoc
        self._answer: Answer | None = None
        self._canvas: Canvas | None = None
        self._shown: Picture | None = None
        self._newest: Newest[State, Answer] = Newest(self._work, self._told)
        self._misread = ""
        try:
            state = State.from_query(query, first.search)
        except InputError as error:
            state, self._misread = first, str(error)
        self.controls = Controls(explorer.catalogue, state, self._moved)
        html = self._panel.pane.HTML
        self.heading = html("", sizing_mode="stretch_width", margin=(10, 10, 0, 10))
        self.figure = self._panel.pane.Bokeh(None, sizing_mode="stretch_width")
        self.progress = html("", height=24, sizing_mode="stretch_width", margin=(0, 10))
        self.problem = html("", sizing_mode="stretch_width", margin=(0, 10))
        self.commands = html("", sizing_mode="stretch_width", margin=(0, 10))
        self.sources = html("", sizing_mode="stretch_width", margin=(0, 10))
        self.files = {
            suffix: self._panel.widgets.FileDownload(
                callback=partial(self._file, suffix),
                filename=name,
                label=_FILES[suffix],
                embed=False,
                auto=True,
                disabled=True,
                width=120,
            )
            for suffix, name in file_names(state).items()
        }
        if self._document is not None:
            self._document.on_session_destroyed(lambda _context: self._newest.close())
            # what a thread tells before the session is there would be lost
            self._document.add_next_tick_callback(partial(self.ask, state))
        else:
            self.ask(state)

    @property
    def layout(self) -> Any:
        """All of it."""
        panel = self._panel
        side = panel.Column(*self.controls.widgets, width=320, margin=(10, 10))
        main = panel.Column(
            self.heading,
            self.problem,
            self.progress,
            self.figure,
            panel.Row(*self.files.values()),
            self.commands,
            self.sources,
            sizing_mode="stretch_width",
        )
        return panel.Row(side, main, sizing_mode="stretch_width")

    def ask(self, state: State) -> None:
        """Have the limit of a state computed and shown."""
        number = self._newest.ask(state)
        if self._document is not None:
            self._document.add_timeout_callback(partial(self._slow, number), _SLOW)

    def _moved(self, state: State) -> None:
        self._misread = ""
        self.ask(state)

    # -- in threads --------------------------------------------------------------------------

    def _work(self, state: State, progress: Any, early: Any) -> Answer:
        return self._explorer.answer(state, progress=progress, early=early)

    def _told(self, number: int, state: State, result: Answer | NA64Error) -> None:
        if self._document is None:
            self._show(state, result)
        else:
            self._document.add_next_tick_callback(partial(self._show, state, result))

    # -- in the page -------------------------------------------------------------------------

    def _slow(self, number: int) -> None:
        """Say what is being done, and look again as long as something is."""
        stage = self._newest.stage
        self.progress.object = f"<em>computing: {escape(stage)} …</em>" if stage else ""
        if stage and number:
            self._document.add_timeout_callback(partial(self._slow, number), _SLOW)

    def _show(self, state: State, result: Answer | NA64Error) -> None:
        if not self._newest.stage:
            self.progress.object = ""
        if isinstance(result, NA64Error):
            self._complain(str(result))
            self._tell_address()
            return
        self.problem.object = _alert(self._misread) if self._misread else ""
        self._draw(result)
        if result.complete:
            self._answer = result
            if self._document is None:
                self._tell(result)
            else:  # the curve is on its way to the browser first
                self._document.add_next_tick_callback(partial(self._tell, result))

    def _tell(self, answer: Answer) -> None:
        """Write what belongs to the figure: words, sources, files, the address."""
        if answer is not self._answer:
            return
        state = answer.state
        self.heading.object = f"<b>{escape(answer.shown.title)}</b>".replace("\n", "<br>")
        if state == self.controls.state:
            self.controls.settle(answer)
        self.commands.object = (
            "<details open><summary>the same from the command line</summary>"
            f"<pre style='white-space:pre-wrap'>{escape(self._lines(state))}</pre></details>"
        )
        notes = "".join(f"<li>{escape(text)}</li>" for text in answer.limit.warnings)
        self.sources.object = (f"<ul>{notes}</ul>" if notes else "") + provenance_html(
            [answer.limit]
        )
        for suffix, name in file_names(state).items():
            self.files[suffix].param.update(filename=name, disabled=False)
        self._tell_address()

    def _tell_address(self) -> None:
        if self._address is not None:
            self._address(self.controls.state.to_query())

    def _complain(self, message: str) -> None:
        """Show what is wrong; the figure keeps the last limit, in grey."""
        self.problem.object = _alert(message)
        self.figure.styles = _GREY
        for button in self.files.values():
            button.disabled = True

    def _draw(self, answer: Answer) -> None:
        """Change the data of the figure, or make a new one where it has other curves.

        An answer without bands leaves their place in the figure empty until they are there.
        """
        before, shown = self._shown, answer.shown
        if not answer.complete and before is not None:
            shown = padded(shown, before)
        same = (
            self._canvas is not None and before is not None and redraw(self._canvas, before, shown)
        )
        if not same and not answer.complete:
            return
        if not same:
            self._canvas = draw(shown)
            for trace, source in zip(shown.traces, self._canvas.sources, strict=True):
                source.name = f"{trace.form.value}: {trace.label}"
            self.figure.object = self._canvas.model
        self._shown = shown
        self.figure.styles = {}

    def _file(self, suffix: str) -> io.BytesIO:
        """Return a file for the browser."""
        if self._answer is None:
            raise InputError("nothing was computed yet")
        state = self._answer.state
        if suffix == ".sh":
            return io.BytesIO(f"{self._lines(state)}\n".encode())
        return io.BytesIO(self._answer.file(file_names(state)[suffix]))

    def _lines(self, state: State) -> str:
        return "\n".join(shlex.join(words) for words in self._explorer.lines(state))


def _alert(message: str) -> str:
    """Return a message as it stands on the page, where settings are called what controls are."""
    message = re.sub(r"`(\w+)`", lambda found: label_of(found[1]), message)
    return (
        "<div role='alert' style='color:#8a1f11;border-left:4px solid #c1121f;"
        f"padding:.4em .8em'>{escape(message)}</div>"
    )
