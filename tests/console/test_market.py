"""Pages show what the ledger has of data that people sell, in words, and nothing beyond it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser

from tests.console.test_browser import AXE, JUDGE, OUTSIDE, SCHEMES, looking
from tests.console.traded import Traded, trading
from tongbao.modules import data
from tongbao.modules.data import Order


@pytest.fixture(scope="module")
def traded() -> Iterator[Traded]:
    """One chain for all tests that only look."""
    with trading() as found:
        yield found


SEEN = {
    "en": ("Offers of its data", "Grants of its data", "Who keeps its data", "asked for", "paid"),
    "zh": ("数据出售要约", "对外的数据授权", "谁持有其数据", "已请求", "已付款"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_person_sees_offers_grants_and_who_keeps_what_until_when(
    traded: Traded, language: str
) -> None:
    """
    Given a person with an offer, an order that waits, one that was paid and one withdrawn,
    when the person's page is read in either language,
    then each is there with schema, purpose, state, end and price, and the licence that is left.
    """
    page = traded.get(f"/accounts/{traded.fixed.alice}", language)
    assert all(text in page for text in SEEN[language])
    assert all(text in page for text in ("eggs.1", "AcademicResearch", "20.00", "10.00"))
    for order in (traded.asked, traded.sold, traded.withdrawn):
        assert f'data-key="sold-{order}"' in page
    assert page.count('data-key="kept-') == 1


def test_an_enterprise_and_a_source_are_told_as_they_stand(traded: Traded) -> None:
    """
    Given a registered enterprise and an admitted source,
    when their pages are read,
    then they say what it may ask for and what it asked, and what the source attests.
    """
    shop = traded.get(f"/accounts/{traded.fixed.shop}")
    assert "may ask" in shop and "May ask of eggs.1" in shop
    assert f'data-key="bought-{traded.asked}"' in shop and 'data-key="holds-' in shop
    bank = traded.get(f"/accounts/{traded.fixed.bank}")
    assert "Attests data as a source" in bank and "checked in" in bank and "50.00" in bank


def test_a_grant_has_its_steps_and_is_told_to_its_parties_alone(traded: Traded) -> None:
    """
    Given an order that waits, one that ended well and one that did not,
    when their pages are read under a party, and under another account, or by a wrong id,
    then a party reads the steps that were taken, and the others that there is none, or a form.
    """
    asked = traded.get(traded.grant(traded.asked))
    assert asked.count("not yet") == 4 and "The next step comes before" in asked
    sold = traded.get(traded.grant(traded.sold, "shop"))
    assert "The key is out" in sold and "not yet" not in sold and "Paid" in sold
    assert "Withdrawn by the person" in traded.get(traded.grant(traded.withdrawn))
    answers = {
        traded.grant(traded.sold, "bank"): 404,
        f"/accounts/{traded.fixed.alice}/grants/{'ab' * 20}": 404,
        f"/accounts/{traded.fixed.alice}/grants/eggs": 400,
    }
    for path, status in answers.items():
        assert traded.served.client.get(path).status_code == status


def test_pages_have_no_key_no_half_and_no_hash_of_a_package(traded: Traded) -> None:
    """
    Given an order whose key is out,
    when every page about it is read,
    then none has `b`, a lock, a root, a hash of a request or grant, or a buyer's key.
    """
    with traded.fixed.reading() as chain:
        order = chain.query(data.order, traded.sold)
    assert order is not None
    texts = [traded.get(path) for path in traded.pages.values()]
    for secret in secrets_of(order):
        assert all(secret not in text for text in texts)


def secrets_of(order: Order) -> list[str]:
    """What of an order no page has to show."""
    names = ("b", "b_lock", "a_commit", "package_root", "grant_hash", "request_hash", "buyer_key")
    return [str(getattr(order, name)) for name in (*names, "nonce")]


def test_under_members_a_person_reads_its_own_and_no_other(traded: Traded) -> None:
    """
    Given a node whose readers are members, and alice's session,
    when she reads her page and grants, the grant as the shop's, and the shop's page,
    then the first two are hers, and the others are refused; schemas and the clock are nobody's.
    """
    with trading(read_policy="members") as closed:
        asked = {
            f"/accounts/{closed.fixed.alice}": 200,
            closed.grant(closed.sold): 200,
            closed.grant(closed.sold, "shop"): 403,
            f"/accounts/{closed.fixed.shop}": 403,
            "/v1/data/schema?schema=eggs.1": 200,
            "/v1/data/clock": 200,
            f"/v1/data/enterprise?account={closed.fixed.shop}": 200,
            f"/v1/data/bought?buyer={closed.fixed.shop}": 403,
        }
        found = {path: closed.served.client.get(path).status_code for path in asked}
    assert found == asked


@pytest.mark.parametrize(("width", "language"), [(360, "zh"), (1280, "en"), (360, "en")])
def test_axe_finds_nothing_on_the_pages_of_a_market(
    browser: Browser, traded: Traded, width: int, language: str
) -> None:
    """
    Given every kind of page about data,
    when axe judges it by WCAG 2.2 AA in light and in dark, and its width is measured,
    then there is no violation, nothing to scroll sideways, and nothing hangs out of its card.
    """
    found = {}
    with looking(browser, traded, width, language) as page:
        for name, path in traded.pages.items():
            page.goto(path)
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
            assert page.evaluate(OUTSIDE) == [], name
            page.evaluate(AXE_SCRIPT)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                found[name, scheme] = page.evaluate(JUDGE, AXE)
    assert {key: wrong for key, wrong in found.items() if wrong} == {}
