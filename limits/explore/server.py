"""The server of the page: on this machine, for those who call it by its own address."""

from __future__ import annotations

import ipaddress
import socket
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from na64.limits.explore.compute import Explorer
from na64.limits.explore.page import Page
from na64.limits.explore.state import State
from na64.models.errors import InputError
from na64.workspaces.io.optional import need

__all__ = ["Place", "make_server", "serve"]

_PURPOSE: Final = "the page in the browser"
_LOOPBACK: Final = ("127.0.0.1", "localhost")
_TITLE: Final = "na64-limits explore"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page is.

    Attributes
    ----------
    host
        Address to listen on, one of this machine.
    port
        Its port; 0 for any that is free.
    open_browser
        Whether the page is opened.
    """

    host: str = "127.0.0.1"
    port: int = 0
    open_browser: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InputError(f"a port is a number from 0 to 65535, not {self.port}")
        if not self.host or _is_every(self.host):
            # a page at every address cannot tell by which name it ought to be called
            raise InputError(
                f"'{self.host}' is every address: give the one at which the page is reached"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """What the page may be called in the address of a browser, in lower case."""
        return _LOOPBACK if self.host in _LOOPBACK else (self.host.lower(),)


def serve(explorer: Explorer, first: State, place: Place, ready: Callable[[str], object]) -> None:
    """Show the page until somebody ends the program.

    Parameters
    ----------
    explorer
        Computes the answers.
    first
        The state of an address that says nothing.
    place
        Where the page is.
    ready
        Called with the address once the page is there.

    Raises
    ------
    InputError
        Without Panel, and for a place that is taken or that this machine does not have.
    """
    need("panel", extra="web", purpose=_PURPOSE)
    server = make_server(explorer, first, place)
    address = f"http://{_bracketed(place.host)}:{server.port}/"
    server.start()
    ready(address)
    if place.open_browser:
        webbrowser.open(address)
    try:
        server.io_loop.start()
    finally:
        server.stop()


def make_server(explorer: Explorer, first: State, place: Place) -> Any:
    """Return the server, which listens but does not answer yet.

    A page elsewhere that the browser of the user looks at must not talk to this one. It is asked
    for its origin when it opens a connection; and whoever calls the server by a name that is not
    its own, as a page does whose name was made to lead here, is refused.
    """
    panel_server = need("panel.io.server", extra="web", purpose=_PURPOSE)
    panel = need("panel", extra="web", purpose=_PURPOSE)
    web = need("tornado.web", extra="web", purpose=_PURPOSE)
    port = _port(place)

    def page() -> Any:
        return _visit(panel, explorer, first)

    server = panel_server.get_server(
        {"/": page},
        port=port,
        address=place.host,
        websocket_origin=[f"{_bracketed(name)}:{port}" for name in place.names],
        title=_TITLE,
        start=False,
        show=False,
        use_index=False,
    )

    class Refused(web.RequestHandler):  # type: ignore[misc,name-defined]
        """What is said to those who call the server by another name."""

        def prepare(self) -> None:
            """Refuse whatever is asked."""
            self.set_status(421)
            self.finish("called by a name that is not that of this page\n")

    own = "|".join(name.replace(".", r"\.") for name in place.names)
    server._tornado.add_handlers(rf"(?!(?i:{own})$).*$", [(r".*", Refused)])
    return server


def _visit(panel: Any, explorer: Explorer, first: State) -> Any:
    """Return the page of a new visitor, with the state that his address holds."""
    given = panel.state.session_args
    query = {key: values[-1].decode("utf-8", "replace") for key, values in given.items()}
    location = panel.state.location

    def address(state: dict[str, str]) -> None:
        if location is not None:
            location.search = "?" + _encoded(state)

    return Page(explorer, first, query, address).layout


def _encoded(query: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(query)


def _port(place: Place) -> int:
    """Return the port of a place, one that is free if any will do, or refuse one that is taken."""
    try:
        with socket.socket(_family(place.host)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((place.host, place.port))
            return int(trial.getsockname()[1])
    except OSError as error:
        raise InputError(f"{place.host}, port {place.port}: {error.strerror or error}") from error


def _bracketed(host: str) -> str:
    """Return an address as it stands in the address of a page."""
    return f"[{host}]" if ":" in host else host


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_every(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
