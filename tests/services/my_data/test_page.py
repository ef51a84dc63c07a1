"""The page over HTTP: who comes in, what it tells, and what is done by one form each."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from msgspec.structs import replace

from tests.services.data_agent.buying import Bought
from tests.services.data_agent.market import ADDRESSES
from tests.services.my_data.page_process import Page, serving
from tests.services.my_data.people import People
from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.offering import offer
from tongbao.services.my_data.page.words import table
from tongbao.services.my_data.person import Person

YES = {"yes": "yes"}


class Scene:
    """Alice with two months on offer, one sale that is paid, one ordered, and one refused."""

    def __init__(self, people: People, person: Person) -> None:
        """Play it."""
        self.people, self.person, self.market = people, person, people.market
        given = people.consented(person)
        for month in ("2026-01", "2026-03"):
            people.told(given, month)
        collect(person)
        assert self.market.agent is not None
        self.offer, _ = offer(person, people.terms(), self.market.agent.address)
        self.batches = [Id(one.batch) for one in person.notebook.batches]
        paid = self.bought()
        paid.fetch()
        paid.confirm()
        self.market.reach(paid.order, "revealed")
        self.market.send("bob", data.Accept(order=paid.order))
        self.paid = paid.order
        self.ordered = self.bought(delete_by=paid.request.delete_by + 1).order
        self.market.reach(self.ordered, "sealed")
        request = self.market.request(*self.batches, owner=person.account)
        purpose = data.Purpose("dpv:Advertising")
        assert self.market.ask(replace(request, purpose=purpose)).status_code == 403

    def bought(self, **changes: object) -> Bought:
        """Bob asks for both months, and orders them."""
        for one in self.person.notebook.batches:
            self.market.batches[Id(one.batch)] = self.person.shelf.fetch(one.commitment)
        owner = self.person.account
        return Bought(self.market, self.market.request(*self.batches, owner=owner, **changes))


@pytest.fixture
def scene(people: People, alice: Person) -> Scene:
    """What the page has to show."""
    return Scene(people, alice)


@pytest.fixture
def page(scene: Scene) -> Iterator[Page]:
    """The page of it."""
    with serving(scene.person) as found:
        yield found


def test_one_screen_says_who_asked_and_what_came_of_it(scene: Scene, page: Page) -> None:
    """Given a sale, an order and a refusal, when looked at, then all is told in both languages."""
    with page.inside() as browser:
        english = browser.get("/").text
        chinese = browser.get("/?lang=zh").text
    for text, words in ((english, 0), (chinese, 1)):
        for key in ("asked.title", "refused.title", "earned.title", "offers.title", "rows.title"):
            assert list(table()[key].values())[words] in text
        assert scene.market.request().why in text
        assert "19.00" in text and "20.00" in text
        assert ADDRESSES["bob"] in text
        assert "2026-02" in text  # the month that the club left out
    assert "the buyer is not registered for this purpose" in english
    assert "买方未就此用途登记" in chinese
    assert 'lang="zh-Hans"' in chinese


def test_nobody_comes_in_but_by_the_address_and_only_once(page: Page) -> None:
    """Given the page, when asked without the cookie, with a wrong or a used token, then 403."""
    with page.browser() as stranger:
        assert stranger.get("/").status_code == 403
        assert stranger.get("/enter?token=wrong").status_code == 403
    with page.browser() as browser:
        entered = browser.get(page.entrance, follow_redirects=False)
        cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert browser.get("/").status_code == 200
    with page.browser() as late:
        answer = late.get(page.entrance)
        assert answer.status_code == 403 and "token" not in answer.text


def test_other_sites_can_neither_see_nor_do_anything(scene: Scene, page: Page) -> None:
    """
    Given a browser that is in,
    when a form comes from another page, or a request by another name of this machine,
    then it is refused, and nothing was done.
    """
    form = {"name": scene.offer, **YES}
    with page.inside() as browser:
        for origin in ("http://evil.example", "null", ""):
            headers = {"origin": origin}
            assert browser.post("/do/withdraw", data=form, headers=headers).status_code == 403
        del browser.headers["origin"]
        assert browser.post("/do/withdraw", data=form).status_code == 403
        port = page.origin.rpartition(":")[2]
        for host in (f"evil.example:{port}", f"localhost:{port}", "127.0.0.1"):
            assert browser.get("/", headers={"host": host}).status_code == 421
        assert browser.get("/do/withdraw").status_code == 405
    assert scene.offer in scene.person.owned().offers


def test_no_script_and_nothing_of_others_is_on_the_page(page: Page) -> None:
    """Given the page, when its headers and parts are looked at, then all is its own."""
    with page.inside() as browser:
        answer = browser.get("/")
        assert "<script" not in answer.text and "style=" not in answer.text
        assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", answer.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "script-src" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text):
            assert browser.get(path).status_code == 200


def done(answer: httpx2.Response) -> str:
    """What the page says was done."""
    return str(httpx2.URL(str(answer.url)).params.get("done"))


def test_an_offer_an_order_and_a_month_end_by_one_form_each(scene: Scene, page: Page) -> None:
    """
    Given the page's forms,
    when each is sent with its confirmation, and once without,
    then offer and order are withdrawn, the month erased, and without nothing happens.
    """
    with page.inside() as browser:
        for path, form in (
            ("/do/withdraw", {"name": scene.ordered}),
            ("/do/erase", {"batch": scene.batches[0]}),
        ):
            assert browser.post(path, data=form).status_code == 400
        assert scene.market.shown(scene.ordered).phase == "sealed"
        assert done(browser.post("/do/pull")) == "pulled"
        assert done(browser.post("/do/withdraw", data={"name": scene.ordered, **YES})) == (
            "withdrawn"
        )
        assert scene.market.shown(scene.ordered).phase == "withdrawn"
        assert done(browser.post("/do/withdraw", data={"name": scene.paid, **YES})) == "refused"
        erased = browser.post("/do/erase", data={"batch": scene.batches[0], **YES})
        assert done(erased) == "erased"
        assert scene.person.owned().batches[scene.batches[0]].retired
        assert done(browser.post("/do/withdraw", data={"name": scene.offer, **YES})) == "withdrawn"
        assert scene.person.owned().offers == {}
        assert done(browser.post("/do/erase", data={"batch": "all", **YES})) == "erased"
        assert scene.person.notebook.batches == ()
        assert done(browser.post("/do/collect")) == "collected"
        assert done(browser.post("/do/erase", data={"batch": "nothing", **YES})) == "failed"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/do/sell", b"", 404),
        ("/do/withdraw", b"\xff\xfe", 400),
        ("/do/withdraw", b"&".join(b"a=%d" % place for place in range(9)), 400),
        ("/do/withdraw", b"x" * 3_000, 413),
        ("/static/x/../page.html", b"", 404),
        ("/static/x/words.toml", b"", 405),
    ],
)
def test_a_form_that_is_none_does_nothing(
    people: People, alice: Person, path: str, body: bytes, status: int
) -> None:
    """Given hostile forms and paths, when sent, then each is refused."""
    del people
    with serving(alice) as page, page.inside() as browser:
        assert browser.post(path, content=body).status_code == status


def test_what_stands_in_the_address_is_never_shown(alice: Person) -> None:
    """Given an address with markup where the page tells what was done, when shown, then no word."""
    with serving(alice) as page, page.inside() as browser:
        text = browser.get("/?done=failed&number=<b>you won</b>").text
        assert "you won" not in text
        assert browser.get("/?done=<b>").status_code == 200


def test_every_text_is_there_in_both_languages() -> None:
    """Given the table of texts, when looked at, then each has both, and they differ."""
    assert all(set(texts) == {"en", "zh"} for texts in table().values())
    assert all(texts["en"] != texts["zh"] for texts in table().values() if texts["en"] != "“{why}”")
