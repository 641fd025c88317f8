"""The page in a process of its own, and a browser of the system without a window.

Tests with a browser are skipped where there is none, unless ``NA64_REQUIRE_BROWSER`` is set: then
they fail. No browser is ever downloaded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.shared import ROOT

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: one bin: limits in a moment
TOY = """
name = "toy"
title = "A toy <b>search</b> with 1e11 electrons"
topology = "missing-energy"
defaults = { model = "dark-photon", masses = { low_gev = 0.01, high_gev = 0.5, points = 8 } }
beam = { particle = "e-", energy_gev = 100, source = "test" }
target = { material = "ecal", source = "<img src=x onerror=alert(1)>" }
window = { missing_energy_gev = 50, source = "test" }
[[bins]]
name = "one"
exposure = { value = 1e11, relative_uncertainty = 0.05, source = "test" }
efficiency = { value = 0.5, relative_uncertainty = 0.1, source = "test" }
background = { value = 0.4, relative_uncertainty = 0.3, source = "test" }
observed = { value = 0, source = "test" }
"""


def missing(why: str) -> None:
    """Skip, or fail where the tests must be run."""
    if os.environ.get("NA64_REQUIRE_BROWSER"):
        pytest.fail(f"no browser: {why}")
    pytest.skip(f"no browser: {why}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser of the system, driven by Playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing("playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        missing("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Tab:
    """A tab of its own visitor, and all that it asked for and complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture
def tab(chromium) -> Iterator[Any]:
    """Return a function that opens an address in a context of its own."""
    contexts = []

    def opened(address: str) -> Tab:
        context = chromium.new_context(viewport={"width": 1250, "height": 950})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)  # on a machine that has other work
        made = Tab(page)
        page.on("request", lambda request: made.requests.append(request.url))
        page.on("websocket", lambda socket: made.requests.append(socket.url))
        page.on("pageerror", lambda error: made.errors.append(str(error)))
        page.on("dialog", lambda dialog: made.errors.append(f"dialog: {dialog.message}"))
        page.goto(address)
        return made

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[str]:
    """The page of a toy card, as the command line serves it; its address."""
    folder = tmp_path_factory.mktemp("secret-folder")
    (folder / "toy.toml").write_text(TOY)
    command = [sys.executable, "-m", "na64.limits.cli", "explore", "--no-browser", "--port", "0"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / ".typing"),
        "NA64_LIMITS_CACHE": str(folder / "tables"),
    }
    process = subprocess.Popen(
        [*command, str(folder / "toy.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        cwd=Path(folder),
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), "the page did not begin"
    yield address
    process.terminate()
    process.wait()
    process.stdout.close()
