"""In Chromium: on a consortium's pages axe blames nothing, they fit 360 pixels, and live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, expect

from tests.console.governed import Governed, governing
from tests.console.test_browser import AXE, JUDGE, OUTSIDE, SCHEMES, looking
from tests.fixed_chain import key
from tests.modules.member_steps import FIRST
from tests.node.access.test_sessions import opened


@pytest.fixture(scope="module")
def governed() -> Iterator[Governed]:
    """One chain for all tests that only look."""
    with governing() as found:
        yield found


@pytest.mark.parametrize(("width", "language"), [(360, "zh"), (1280, "en"), (360, "en")])
def test_axe_finds_nothing_on_the_pages_of_a_consortium(
    browser: Browser, governed: Governed, width: int, language: str
) -> None:
    """
    Given every kind of page of a consortium,
    when axe judges it by WCAG 2.2 AA in light and in dark, and its width is measured,
    then there is no violation, nothing to scroll sideways, and nothing hangs out of its card.
    """
    found = {}
    with looking(browser, governed, width, language) as page:
        for name, path in governed.pages.items():
            page.goto(path)
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
            assert page.evaluate(OUTSIDE) == [], name
            page.evaluate(AXE_SCRIPT)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                found[name, scheme] = page.evaluate(JUDGE, AXE)
    assert {key: wrong for key, wrong in found.items() if wrong} == {}


def test_a_proposal_is_written_by_a_form_without_script(
    browser: Browser, governed: Governed
) -> None:
    """
    Given a browser without script,
    when somebody chooses an action, fills it in wrongly and then well,
    then the field that is wrong says so and keeps its text, and at last there is the command.
    """
    with looking(browser, governed, script=False) as page:
        page.goto("/proposals")
        page.get_by_role("link", name="Make a proposal").click()
        page.get_by_label("What shall be done").select_option("grant_role")
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Member's LEI").fill(FIRST[:-1] + "0")
        page.get_by_label("Role", exact=True).select_option("adjudicator")
        page.get_by_role("button", name="Write the command").click()
        wrong = page.get_by_label("Member's LEI")
        expect(wrong).to_have_attribute("aria-invalid", "true")
        expect(wrong).to_have_value(FIRST[:-1] + "0")
        expect(page.get_by_label("Role", exact=True)).to_have_value("adjudicator")
        wrong.fill(FIRST)
        page.get_by_role("button", name="Write the command").click()
        expect(page.locator("pre").last).to_contain_text('"role":"adjudicator"')


def test_an_open_page_of_a_proposal_shows_a_vote_that_comes(browser: Browser) -> None:
    """
    Given an open page of a proposal, followed by script,
    when the operator who was missing approves,
    then the page shows the vote and that it is approved or carried out, without being asked.
    """
    with governing() as other, looking(browser, other) as page:
        page.goto(f"/proposals/{other.open}")
        expect(page.locator("#live")).to_have_text("Live")
        other.vote(other.open)
        expect(page.locator(".heading .outcome")).not_to_have_text("Open")
        expect(page.get_by_text("Approves")).to_have_count(2)


def test_a_page_is_renewed_for_who_may_read_it_and_not_the_stream(browser: Browser) -> None:
    """
    Given a node for members, and an operator whose session may read proposals but not all events,
    when a vote comes while a proposal's page is open,
    then the page shows it all the same, and asks ever more seldom while nothing is told to it.
    """
    with governing(read_policy="members") as other:
        session = opened(other.served, other.fixed.bank, key("bank"))
        context = browser.new_context(base_url=other.served.address, extra_http_headers=session)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/proposals/{other.open}")
        expect(page.locator("#live")).to_have_text("Reconnecting")
        other.vote(other.open)
        expect(page.get_by_text("Approves")).to_have_count(2, timeout=20_000)
        context.close()

    assert len([url for url in asked if "/v1/events" in url]) <= 6
