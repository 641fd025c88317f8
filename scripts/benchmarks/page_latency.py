"""Latency of the page of `explore`: from a key on a slider until the data of the curve changed.

Needs the extra `web`, playwright and a Chromium of the system. The page is served by a process of
its own, as for a user, and looked at by a headless browser. Each slider is moved by one step after
another, as often as asked for, once there and back before it counts; both times are taken in the
browser, on its clock. Beside it stands the processor time that the server spent per step.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["CHROMIUM", "FLAGS", "begin_timing", "main", "measure", "serving"]

CHROMIUM = Path("/usr/bin/chromium")
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

#: notes when a key goes down and when data of a curve change
TIMING = """() => {
    window.pressed = 0; window.waits = [];
    window.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
    Bokeh.documents[0].on_change((event) => {
        // data of a curve, or a figure of its own where there are other curves
        const curve = event.attr === "data" && event.model?.name;
        if ((curve || event.attr === "children") && window.pressed) {
            window.waits.push(performance.now() - window.pressed);
            window.pressed = 0;
        }
    });
}"""


def serving(*words: str) -> tuple[subprocess.Popen[str], str]:
    """Start the page and return its process and its address."""
    command = [sys.executable, "-m", "na64.limits.cli", "explore", "--no-browser", "--port", "0"]
    process = subprocess.Popen([*command, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise RuntimeError("the page did not begin")
    return process, address


def begin_timing(page: Any) -> None:
    """Note the times of keys and of changes of curves from now on."""
    page.evaluate(TIMING)


def measure(page: Any, label: str, steps: int, *, key: str = "ArrowRight") -> list[float]:
    """Move a slider by steps and return how long the curve took to follow, in milliseconds."""
    handle = (
        page.locator(f".bk-slider-title:has-text('{label}')").locator("..").locator(".noUi-handle")
    )
    waits = []
    for _ in range(steps):
        page.evaluate("window.waits = []")
        handle.press(key)
        page.wait_for_function("window.waits.length > 0", timeout=60_000, polling=5)
        waits.append(float(page.evaluate("window.waits[0]")))
        page.wait_for_timeout(150)
    return waits


def _processor_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def main(argv: list[str]) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("search", nargs="?", default="na64e-2016-2022")
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--sliders", default="α_D,mass ratio,exposure,missing energy,confidence")
    wanted = parser.parse_args(argv)
    from playwright.sync_api import sync_playwright

    process, address = serving(wanted.search)
    every: list[float] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
            page = browser.new_page(viewport={"width": 1250, "height": 950})
            page.goto(address)
            page.locator("pre", has_text="na64-limits scan").wait_for(timeout=60_000)
            begin_timing(page)
            print(f"{wanted.search}: milliseconds from a key to the new curve, and of processor")
            print(f"{'slider':<18}{'median':>8}{'least':>8}{'most':>8}{'server':>8}")
            for label in wanted.sliders.split(","):
                measure(page, label, 2)
                measure(page, label, 2, key="ArrowLeft")
                before = _processor_seconds(process.pid)
                waits = measure(page, label, wanted.steps)
                spent = 1e3 * (_processor_seconds(process.pid) - before) / wanted.steps
                every += waits
                middle = statistics.median(waits)
                print(f"{label:<18}{middle:8.0f}{min(waits):8.0f}{max(waits):8.0f}{spent:8.0f}")
                page.get_by_role("button", name="everything as the card has it").click()
                page.wait_for_timeout(1500)
            print(f"{'all':<18}{statistics.median(every):8.0f}")
            browser.close()
    finally:
        process.terminate()
        process.wait()
    return 0
