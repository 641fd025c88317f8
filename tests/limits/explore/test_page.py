"""The page, looked at by a browser: what a user sees and gets, and who is asked for what."""

from __future__ import annotations

import http.client
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from na64.limits.figures.interactive import html_figure
from na64.limits.scanning.runner import scan
from na64.workspaces.cards.reader import parse_card
from tests.limits.explore.conftest import TOY

pytestmark = pytest.mark.browser

#: limits on the screen, by mass
CURVE = """() => {
    // those on the screen: the document remembers models that were taken out
    const models = Bokeh.documents[0].roots().flatMap((root) => [...root.references()]);
    const sources = models.filter(
        (model) => model.type === "ColumnDataSource" && (model.name || "").startsWith("points: "));
    return Array.from(sources[0].data.y);
}"""


#: whether a part of the page is grey
GREY = "() => [...Bokeh.documents[0].all_models].some((model) => model.styles?.filter)"


def ready(tab) -> None:
    """Wait for the limit that the controls ask for."""
    tab.page.locator("pre", has_text="na64-limits scan").wait_for()


def slider(tab, label: str):
    title = tab.page.locator(".bk-slider-title", has_text=label)
    return title.locator("..").locator(".noUi-handle")


def moved(tab, before: list[float]) -> list[float]:
    """Wait until the curve is another one, and return it."""
    tab.page.wait_for_function(f"(before) => ({CURVE})()[0] !== before", arg=before[0])
    found: list[float] = tab.page.evaluate(CURVE)
    return found


def lines(tab) -> list[list[str]]:
    return [shlex.split(line) for line in tab.page.locator("pre").inner_text().splitlines()]


def test_a_visit(served, tab, call, tmp_path) -> None:
    visit = tab(served)
    ready(visit)
    first = visit.page.evaluate(CURVE)
    assert first == pytest.approx(scan(parse_card(TOY, "toy")).observed.tolist(), rel=1e-9)

    # drag: the curve moves while the hand does, and the address says where it is
    handle = slider(visit, "exposure")
    box = handle.bounding_box()
    mouse = visit.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + 60, box["y"] + 5, steps=4)
    stronger = moved(visit, first)
    mouse.up()
    assert all(a < b for a, b in zip(stronger, first, strict=True))
    visit.page.wait_for_url("**exposure=*")
    assert "exposure=" in visit.page.url
    visit.page.locator("pre", has_text="exposure*=").wait_for()

    # another plane; the files are those of the command lines on the screen
    visit.page.locator("select").nth(3).select_option("y")
    visit.page.locator("pre", has_text="limit-y.json").wait_for()
    visit.page.wait_for_url("**plane=y*")
    (tmp_path / "toy.toml").write_text(TOY)
    shown = lines(visit)
    for words in shown:
        outcome = call(*words[1:])
        assert outcome.code == 0, outcome.err
    for button, name in (
        ("JSON", "limit-y.json"),
        ("CSV", "limit-y.csv"),
        ("PDF", "limit-y.pdf"),
        ("card", "card.toml"),
    ):
        with visit.page.expect_download() as download:
            visit.page.locator("a", has_text=button).click()
        assert download.value.suggested_filename == name
        assert Path(download.value.path()).read_bytes() == (tmp_path / name).read_bytes(), name
    with visit.page.expect_download() as download:
        visit.page.locator("a", has_text="command lines").click()
    saved = Path(download.value.path()).read_text().splitlines()
    assert [shlex.split(line) for line in saved] == shown

    # the address holds the state
    again = tab(visit.page.url)
    ready(again)
    again.page.locator("pre", has_text="limit-y.json").wait_for()
    assert lines(again) == shown
    assert again.page.evaluate(CURVE) == visit.page.evaluate(CURVE)
    check_quiet(visit, again)


def test_what_is_impossible_is_said_and_the_page_lives(served, tab) -> None:
    visit = tab(served)
    ready(visit)
    first = visit.page.evaluate(CURVE)
    visit.page.locator("select").nth(3).select_option("g-agg")
    alert = visit.page.get_by_role("alert")
    alert.wait_for()
    assert "has no plane of g-agg" in alert.inner_text()
    assert "`" not in alert.inner_text()
    assert visit.page.evaluate(CURVE) == first  # the last one, in grey
    visit.page.wait_for_function(GREY)
    visit.page.locator("select").nth(3).select_option("coupling of the model")
    alert.wait_for(state="detached")
    slider(visit, "α_D").press("ArrowRight")
    moved(visit, first)
    visit.page.wait_for_function(f"() => !({GREY})()")
    check_quiet(visit)


def test_two_tabs_do_not_disturb_each_other(served, tab) -> None:
    one, other = tab(served), tab(f"{served}?search=toy.toml&exposure=3&alpha-d=0.5")
    ready(one)
    ready(other)
    before = one.page.evaluate(CURVE), other.page.evaluate(CURVE)
    assert before[0] != before[1]
    slider(other, "α_D").press("ArrowRight")
    after = moved(other, before[1])
    assert one.page.evaluate(CURVE) == before[0]
    assert "exposure" not in one.page.url
    slider(one, "α_D").press("ArrowLeft")
    moved(one, before[0])
    assert other.page.evaluate(CURVE) == after


def test_an_address_that_says_nonsense(served, tab) -> None:
    visit = tab(f"{served}?exposure=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    alert = visit.page.get_by_role("alert")
    alert.wait_for()
    assert "must be a number, is '<img" in alert.inner_text()
    ready(visit)
    check_quiet(visit)


def check_quiet(*visits) -> None:
    """Nobody but the page itself was asked, no text of a card became a script, no path is told."""
    for visit in visits:
        asked = [urlsplit(url) for url in visit.requests]
        hosts = {url.hostname for url in asked if url.scheme not in ("about", "blob", "data")}
        assert hosts <= {"127.0.0.1"}
        assert visit.errors == []
        html = visit.page.evaluate(
            "() => [...Bokeh.documents[0].all_models].map((model) => model.text).join()"
        )
        assert "secret-folder" not in html
        assert "onerror=alert" in html  # a source of the card: it is there, as a text
        assert visit.page.locator("img[onerror]").count() == 0


def test_whoever_calls_it_by_another_name_is_refused(served) -> None:
    place = urlsplit(served)
    for host, status in (
        (place.netloc, 200),
        (f"localhost:{place.port}", 200),
        (f"rebound.example:{place.port}", 421),
        ("127.0.0.1.example", 421),
    ):
        connection = http.client.HTTPConnection(place.hostname, place.port)
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        assert answer.status == status, host
        text = answer.read().decode()
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "https://" not in text
        connection.close()


def test_another_origin_gets_no_connection(served) -> None:
    place = urlsplit(served)
    for origin, status in ((f"http://{place.netloc}", 101), ("http://evil.example", 403)):
        connection = http.client.HTTPConnection(place.hostname, place.port)
        connection.request("GET", "/")
        text = connection.getresponse().read().decode()
        token = text.split('"token":"')[1].split('"')[0]
        connection.request(
            "GET",
            "/ws",
            headers={
                "Origin": origin,
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Protocol": f"bokeh, {token}",
            },
        )
        assert connection.getresponse().status == status
        connection.close()


def test_a_file_of_html_in_a_browser(tab, tmp_path) -> None:
    limit = scan(parse_card(TOY, "toy"))
    (tmp_path / "figure.html").write_text(html_figure([limit]), encoding="utf-8")
    visit = tab(f"file://{tmp_path}/figure.html")
    visit.page.locator("canvas").first.wait_for()
    assert [url for url in visit.requests if not url.startswith(("file:", "data:"))] == []
    assert visit.errors == []
    assert visit.page.locator("img[onerror]").count() == 0
    # ask a point
    place = visit.page.evaluate("""() => {
        const view = Object.values(Bokeh.index.roots ?? Bokeh.index)[0];
        const source = [...view.model.document.all_models].filter(
            (m) => m.type === "ColumnDataSource" && m.data.t0)[0];
        const frame = view.frame, box = view.canvas_view.el.getBoundingClientRect();
        return [box.x + frame.x_scale.compute(source.data.x[3]),
                box.y + frame.y_scale.compute(source.data.y[3])];
    }""")
    visit.page.mouse.move(*place)
    told = visit.page.locator(".bk-Tooltip")
    told.wait_for()
    text = told.evaluate("(element) => element.shadowRoot.textContent")
    assert f"{limit.observed[3]:.4g}" in text
    assert "events at the limit" in text
