"""In Chromium: nothing to blame for axe, for the console, or at 360 pixels; pages that live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import Largest, Shown, showing
from tongbao.console.static import Static

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
HEIGHT = 800
MORPH_MANY = """async (path) => {
    const { morph } = await import(path);
    let seed = 7;
    const below = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
    const tree = (depth) => {
        const made = document.createElement(["p", "div", "ul"][below(3)]);
        if (below(2)) made.title = String(below(3));
        for (let count = below(5); count > 0; count--) {
            const kind = below(depth > 0 ? 4 : 1);
            const child = kind === 0 ? document.createTextNode(String(below(4))) : tree(depth - 1);
            if (kind === 3) child.dataset.key = String(count + below(3));
            made.append(child);
        }
        return made;
    };
    const wrong = [];
    for (let round = 0; round < 2000; round++) {
        const old = tree(3), wanted = tree(3), was = old.outerHTML;
        const kept = [...old.children].find((child) => child.dataset.key !== undefined);
        const key = kept?.dataset.key;
        const of = (parent) => [...parent.children].filter((child) => child.dataset.key === key);
        const others = of(wanted), only = of(old);
        morph(old, wanted);
        const isKept = key === undefined || others.length !== 1 || only.length !== 1
            || others[0].nodeName !== kept.nodeName || kept.parentNode === old;
        for (const made of old.querySelectorAll(".fresh")) made.removeAttribute("class");
        const isEqual = old.childNodes.length === wanted.childNodes.length
            && [...old.childNodes].every((node, at) => node.isEqualNode(wanted.childNodes[at]));
        if (!isEqual || !isKept) wrong.push([was, wanted.outerHTML]);
    }
    return wrong;
}"""
LIKE_OTHERS = {"genesis", "odd", "several", "vault"}
"""Pages of which there is another of the same making."""

MOST_READ = ("overview", "transaction", "account", "statement", "history")

OUTSIDE = """() => {
    const end = (part) => part.getBoundingClientRect().right;
    const cards = [...document.querySelectorAll("section, .figures, main > .facts")];
    return cards.flatMap((card) => [...card.querySelectorAll("*")]
        .filter((part) => end(part) > end(card)).map((part) => part.outerHTML));
}"""
"""What hangs out of its card to the right, as HTML."""

SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
JUDGE = """async (options) => {
    const { violations } = await axe.run(options);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => [id, html]));
}"""


@contextmanager
def looking(
    browser: Browser,
    shown: Shown,
    width: int = 1280,
    language: str = "en",
    script: bool = True,
    harmless: str = "the server responded with a status of 4",
) -> Iterator[Page]:
    """A tab. In the end its console is empty, but for what is harmless.

    A breach of the content security policy would stand there too.
    """
    context = browser.new_context(
        base_url=shown.served.address,
        viewport={"width": width, "height": HEIGHT},
        locale=language,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert [text for text in wrong if harmless not in text] == []


@pytest.mark.parametrize(
    ("width", "language", "is_all"),
    [(360, "zh", True), (1280, "en", True), (360, "en", False), (1280, "zh", False)],
)
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Browser, shown: Shown, width: int, language: str, is_all: bool
) -> None:
    """
    Given every kind of page, and the most read ones in the other language too,
    when axe judges it by WCAG 2.2 AA in light and in dark, and its width is measured,
    then there is no violation, and nothing to scroll sideways.
    """
    every = tuple(name for name in shown.pages if name not in LIKE_OTHERS)
    found = {}
    with looking(browser, shown, width, language) as page:
        for name in every if is_all else MOST_READ:
            page.goto(shown.pages[name])
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
            page.evaluate(AXE_SCRIPT)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                found[name, scheme] = page.evaluate(JUDGE, AXE)
    assert {key: wrong for key, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("width", "language"), [(360, "en"), (360, "zh"), (641, "en"), (1025, "zh")]
)
def test_the_largest_values_fit(
    browser: Browser, largest: Largest, width: int, language: str
) -> None:
    """
    Given the widest codes of twelve letters and the largest amounts of both extreme scales,
    when every page that shows them is measured in a language, at the width where a layout begins,
    then there is nothing to scroll sideways, and nothing hangs out of its card.
    """
    found = {}
    with looking(browser, largest, width, language) as page:
        for name, path in largest.pages.items():
            page.goto(path)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found[name] = (max(over, 0), page.evaluate(OUTSIDE))
    assert found == dict.fromkeys(largest.pages, (0, []))


def test_a_payment_appears_while_the_page_is_open(browser: Browser) -> None:
    """
    Given an open overview and the payer's open page,
    when payments are made,
    then each shows it without being loaded again, and without motion where none is wanted.
    """
    with showing() as shown:
        fixed = shown.fixed
        with looking(browser, shown) as page, looking(browser, shown) as account:
            account.goto(f"/accounts/{fixed.alice}")
            page.goto("/")
            page.evaluate("window.loadedOnce = true")
            expect(page.locator("#live")).to_have_text("Live")
            expect(account.locator("#live")).to_have_text("Live")
            for left in ("57.50", "47.50"):
                identifier = shown.send(fixed.pay("10.00"))
                row = page.locator(f'tr[data-key="transaction-{identifier}"]')
                expect(row).to_contain_text("Applied")
                expect(account.get_by_role("cell", name=left)).to_be_visible()
                assert row.get_attribute("class") == "fresh"
                assert page.evaluate("document.getAnimations().length") == 0
            height = shown.served.chain.head().height
            expect(page.locator(".figures .big").first).to_have_text(str(height))
            assert page.evaluate("window.loadedOnce") is True
            assert page.evaluate("document.querySelectorAll('[data-key]').length") == 7 + 8


def test_morphing_gives_what_is_wanted(browser: Browser, shown: Shown) -> None:
    """
    Given many pairs of small random documents, with and without keys, from a seed,
    when the first of each is morphed into the second,
    then they are equal, and an element whose key both have is still the same one.
    """
    with looking(browser, shown) as page:
        page.goto("/")
        wrong = page.evaluate(MORPH_MANY, Static().path("morph.js"))

    assert wrong == []


def test_what_somebody_is_doing_is_not_disturbed(browser: Browser) -> None:
    """
    Given an open page with a focused link, a text that is being typed, and a selected id,
    when the page is renewed,
    then focus, typing and selection are what they were.
    """
    with showing() as shown, looking(browser, shown) as page:
        page.goto("/")
        expect(page.locator("#live")).to_have_text("Live")
        link = page.locator(f'tr[data-key="transaction-{shown.paid}"] th a')
        link.focus()
        page.locator("#q").evaluate("field => { field.value = 'abc' }")
        link.evaluate("link => getSelection().selectAllChildren(link)")
        identifier = shown.send(shown.fixed.pay("1.00"))
        expect(page.locator(f'tr[data-key="transaction-{identifier}"]')).to_be_visible()

        assert link.evaluate("link => link === document.activeElement")
        assert page.locator("#q").input_value() == "abc"
        assert page.evaluate("getSelection().toString()") == shown.paid


def test_pages_are_complete_without_script(browser: Browser, shown: Shown) -> None:
    """
    Given a browser without script,
    when somebody searches, opens what was signed, and chooses a language and an appearance,
    then all of it works.
    """
    with looking(browser, shown, script=False) as page:
        page.goto("/")
        page.locator("#q").fill(shown.paid)
        page.locator("#q").press("Enter")
        assert page.url.endswith(f"/transactions/{shown.paid}")
        page.locator("summary").first.click()
        expect(page.locator("details pre").first).to_be_visible()
        page.get_by_role("link", name="中文").click()
        expect(page.locator("h1")).to_have_text("交易")
        page.get_by_role("link", name="深色").click()
        assert page.url.endswith(f"/transactions/{shown.paid}")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        ground = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert ground == "rgb(14, 20, 25)"


def test_the_keyboard_reaches_the_content_first(browser: Browser, shown: Shown) -> None:
    """
    Given a page that was just opened,
    when Tab is pressed, and Enter,
    then the skip link is seen, and leads to the content.
    """
    with looking(browser, shown) as page:
        page.goto("/blocks")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.getAttribute('href')")

    assert focused == f"/blocks/{shown.served.chain.head().height}"


def test_a_proof_is_downloaded_from_the_page(browser: Browser, shown: Shown) -> None:
    """
    Given a transaction's page,
    when its proof is downloaded,
    then the file is the proof that the interface gives.
    """
    with looking(browser, shown) as page:
        page.goto(f"/transactions/{shown.paid}")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the proof").click()
        content = download.value.path().read_bytes()

    assert download.value.suggested_filename == f"transaction-{shown.paid[:16]}.proof.json"
    assert content == shown.served.client.get(f"/v1/transactions/{shown.paid}/proof").content


def test_a_node_that_comes_back_is_followed_again(browser: Browser) -> None:
    """
    Given an open page,
    when the node cannot be reached while something happens, and then can,
    then the page says that it reconnects, and shows then what happened.
    """
    with showing() as away, looking(browser, away, harmless="net::ERR_FAILED") as page:
        page.goto("/")
        expect(page.locator("#live")).to_have_text("Live")
        page.context.route("**/*", lambda route: route.abort())
        identifier = away.send(away.fixed.pay("1.00"))
        expect(page.locator("#live")).to_have_text("Reconnecting")
        page.context.unroute("**/*")
        expect(page.locator(f'tr[data-key="transaction-{identifier}"]')).to_be_visible()
        expect(page.locator("#live")).to_have_text("Live")
