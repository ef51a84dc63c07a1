"""The page in Chromium: nothing for axe to blame, nothing too wide, and two taps to say no."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from tests.console.conftest import browser as _browser
from tests.console.test_browser import AXE, HEIGHT, JUDGE, OUTSIDE, SCHEMES
from tests.services.my_data.page_process import Page, serving
from tests.services.my_data.people import People
from tests.services.my_data.test_page import Scene
from tongbao.services.my_data.person import Person

browser = _browser
"""One Chromium for this file."""


@contextmanager
def looking(browser: Browser, page: Page, width: int, language: str) -> Iterator[Tab]:
    """A tab that has come in; in the end its console is empty."""
    context = browser.new_context(
        base_url=page.origin, viewport={"width": width, "height": HEIGHT}, locale=language
    )
    tab = context.new_page()
    wrong: list[str] = []
    tab.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    yield tab
    context.close()
    assert wrong == []


@pytest.fixture
def scene(people: People, alice: Person) -> Scene:
    """What the page has to show."""
    return Scene(people, alice)


def judged(tab: Tab) -> dict[str, object]:
    """What axe and a ruler find, in light and in dark."""
    found: dict[str, object] = {}
    tab.evaluate(AXE_SCRIPT)
    for scheme in SCHEMES:
        tab.emulate_media(color_scheme=scheme)
        found[scheme] = tab.evaluate(JUDGE, AXE)
        name = os.environ.get("TONGBAO_SCREENSHOTS")
        if name:
            size = tab.viewport_size
            assert size is not None
            lang = tab.evaluate("document.documentElement.lang")
            path = Path(name) / f"{lang}-{size['width']}-{scheme}-{tab.title()}.png"
            tab.screenshot(path=path, full_page=True)
    wide = "document.documentElement.scrollWidth > innerWidth"
    found["wide"] = tab.evaluate(wide)
    found["outside"] = tab.evaluate(OUTSIDE)
    return {key: wrong for key, wrong in found.items() if wrong}


@pytest.mark.parametrize(("width", "language"), [(360, "zh-CN"), (1280, "en")])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Browser, scene: Scene, width: int, language: str
) -> None:
    """Given the page with all its parts, when judged in light and dark, then nothing is wrong."""
    with serving(scene.person) as page, looking(browser, page, width, language) as tab:
        tab.goto(page.entrance)
        assert judged(tab) == {}
        tab.get_by_role("link", name="中文" if language == "en" else "English").click()
        assert judged(tab) == {}


def test_saying_no_takes_two_taps(browser: Browser, scene: Scene) -> None:
    """
    Given an order, an offer and a month,
    when its box is ticked and its button pressed, without script,
    then it is withdrawn or erased, and the page says so; without the tick nothing is sent.
    """
    with serving(scene.person) as page, looking(browser, page, 1280, "en") as tab:
        tab.goto(page.entrance)
        for part, yes, button, said in (
            ("asked", "Yes, withdraw", "Withdraw", "Withdrawn."),
            ("offers", "Yes, withdraw", "Withdraw", "Withdrawn."),
            ("rows", "Yes, erase for good", "Erase", "Erased."),
        ):
            form = tab.locator(f"[data-part={part}] form").first
            form.get_by_role("button", name=button).click()
            form.get_by_label(yes).check()
            form.get_by_role("button", name=button).click()
            expect(tab.get_by_role("status")).to_contain_text(said)
        assert scene.market.shown(scene.ordered).phase == "withdrawn"
        assert scene.person.owned().offers == {}
        assert len(scene.person.notebook.batches) == 1


def test_who_has_no_address_sees_a_closed_door(browser: Browser, alice: Person) -> None:
    """Given a tab without the cookie, when the page is opened, then it tells what to do."""
    context = browser.new_context(locale="zh-CN")
    with serving(alice) as page:
        tab = context.new_page()
        tab.goto(page.origin)
        expect(tab.get_by_role("heading")).to_have_text("已关闭")
        tab.evaluate(AXE_SCRIPT)
        assert tab.evaluate(JUDGE, AXE) == []
    context.close()
