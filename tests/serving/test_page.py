"""The page in a real browser: type, submit, read, correct, while the version changes under it."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, sync_playwright
from prefect_dvc import hashing
from servers import Server

from gazette.serving import pull

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SHOTS = os.environ.get("GAZETTE_SCREENSHOTS")  # a folder for pictures to look at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; apt-get install chromium"),
]
OURS = ("http://127.0.0.1", "data:,")
DESKTOP, PHONE = {"width": 1280, "height": 1000}, {"width": 360, "height": 780}


@pytest.fixture(scope="module")
def server(bundles: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("application")
    put(folder, bundles[0])
    server = Server(folder, "--folder", "news")
    yield server
    server.end()


def put(folder: Path, bundle: Path) -> None:
    """Replace the folder of an application as `gazette pull` does."""
    copy = folder / "new"
    shutil.copytree(bundle, copy)
    pull.swap_folder(copy, folder / "news", hashing.dvc_hash(bundle))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that may ask nobody but the server; no error of its script goes unseen."""
    context = browser.new_context(viewport=getattr(request, "param", DESKTOP), color_scheme="light")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda sent: faults.extend([sent.url] if sent.url[:16] not in OURS else []))
    yield page
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{request.node.name}.png", full_page=True)
    context.close()
    assert not faults


def ask(page: Page, text: str) -> None:
    page.get_by_label("An article").fill(text)
    page.get_by_role("button", name="Label it").click()
    page.locator("#words", has_text=text).wait_for()


def color(page: Page, word: str) -> str:
    return str(page.locator("#words span", has_text=word).first.evaluate("node => node.style.background"))


def share(page: Page, row: int) -> float:
    """Of its cell that a bar fills."""
    script = "bar => bar.getBoundingClientRect().width / bar.closest('table').getBoundingClientRect().width"
    return float(page.locator("#labels .bar").nth(row).evaluate(script))


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_text_gets_labels_with_bars_and_words_for_and_against(page: Page, server: Server) -> None:
    page.goto(server.address)
    ask(page, "the goal at the bank, goal again")
    first = page.locator("#labels tr").first.inner_text()
    assert "sport" in first and "%" in first and share(page, 0) > 0.3 > 0.2 > share(page, 1)
    assert page.locator("#words").inner_text() == "the goal at the bank, goal again"
    assert "--for" in color(page, "goal") and "--against" in color(page, "bank")
    page.get_by_role("button", name="trade").click()
    assert "--against" in color(page, "goal")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"


def test_a_correction_is_sent_and_counted(page: Page, server: Server) -> None:
    page.goto(server.address)
    ask(page, "goal")
    page.get_by_label("Wrong?").select_option("trade")
    page.get_by_role("button", name="Send the correction").click()
    page.get_by_text("written down as trade").wait_for()
    (file,) = (server.log.parent / "feedback").iterdir()
    assert json.loads(file.read_text().splitlines()[-1])["label"] == "trade"


def fail_if(page: Page, condition: Callable[[dict[str, Any]], bool], status: int) -> None:
    """Let the server fail the requests of which the condition holds."""

    def answer(route: Route) -> None:
        if condition(route.request.post_data_json):
            route.fulfill(status=status, json={"detail": "it failed"})
        else:
            route.continue_()

    page.route("**/v1/predict", answer)


def test_a_text_whose_labels_are_not_on_screen_cannot_be_corrected(page: Page, server: Server) -> None:
    fail_if(page, lambda record: "bank" in record["texts"], 503)
    page.goto(server.address)
    ask(page, "goal")
    page.get_by_label("An article").fill("bank")
    page.get_by_role("button", name="Label it").click()
    page.get_by_text("it failed").wait_for()
    assert page.locator("#answer").is_hidden()
    assert page.evaluate("asked") == "goal"


def test_labels_come_without_words_if_these_take_too_long(page: Page, server: Server) -> None:
    fail_if(page, lambda record: record["explain"], 504)
    page.goto(server.address)
    page.get_by_label("An article").fill("goal")
    page.get_by_role("button", name="Label it").click()
    page.locator("#answer").wait_for(state="visible")
    assert "sport" in page.locator("#labels tr").first.inner_text() and page.locator("#why").is_hidden()
    page.get_by_label("Wrong?").select_option("trade")
    page.get_by_role("button", name="Send the correction").click()
    page.get_by_text("written down as trade").wait_for()


def test_a_change_of_version_shows_without_a_reload(page: Page, server: Server, bundles: list[Path]) -> None:
    page.goto(server.address)
    before = page.locator("#version").inner_text()
    page.get_by_text(hashing.dvc_hash(bundles[0])[:12]).first.wait_for()
    ask(page, "goal")
    put(server.log.parent, bundles[1])
    page.get_by_text(hashing.dvc_hash(bundles[1])[:12]).first.wait_for(timeout=15_000)
    assert page.locator("#version").inner_text() != before
    page.locator("#live", has_text="changes of version").wait_for()
    ask(page, "bank")
    assert "trade" in page.locator("#labels tr").first.inner_text()


def test_the_keyboard_alone_suffices(page: Page, server: Server) -> None:
    page.goto(server.address)
    page.keyboard.type("goal")
    page.keyboard.press("Control+Enter")
    page.locator("#answer").wait_for(state="visible")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))
        if reached[-1] == "trade" and page.evaluate("document.activeElement.tagName") == "BUTTON":
            page.keyboard.press("Enter")
            assert page.locator("#subject").inner_text() == "trade"
    assert "Send the correction" in reached and "Label it" in reached, reached


def test_a_token_is_asked_for_and_used(browser: Any, bundles: list[Path], tmp_path: Path) -> None:
    known = hashlib.sha256(b"secret").hexdigest()
    server = Server(tmp_path, "--folder", str(bundles[0]), environment={"GAZETTE_TOKENS": known})
    page = browser.new_page()
    try:
        page.goto(server.address)
        page.get_by_label("An article").fill("goal")
        page.get_by_role("button", name="Label it").click()
        page.get_by_label("Token").fill("secret")
        page.get_by_role("button", name="Label it").click()
        page.locator("#answer").wait_for(state="visible")
        assert "sport" in page.locator("#labels tr").first.inner_text()
    finally:
        page.close()
        server.end()
