"""Every page in both languages: whole without script, strict headers, errors in the same look."""

from __future__ import annotations

import random
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.console.conftest import Shown, read
from tests.fixed_chain import BEGIN, FIRST_MODULES, fixed_genesis, key
from tests.node.conftest import serving
from tongbao.console import Console
from tongbao.console.rendering import CSP
from tongbao.engines.solo import Producer, SoloEngine
from tongbao.index import Movements
from tongbao.index.history import Index
from tongbao.kernel import Machine
from tongbao.modules import hold
from tongbao.sdk.local import Chain
from tongbao.store.memory import MemoryStore

VOID = {"br", "input", "link", "meta", "wbr", "path", "rect"}
STATUSES = {"unknown": 404, "nothing": 404, "odd": 400, "missing": 404}


class Outline(HTMLParser):
    """What a page is made of: elements in balance, attributes, headings, links, its text."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends: it is the last one that began."""
        if tag not in VOID:
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


class Failing(Index):
    """An index with a defect."""

    def movements_of(
        self, account: str, *, asset: str | None = None, before: str | None = None, limit: int = 50
    ) -> Movements:
        """Raises RuntimeError."""
        raise RuntimeError("canary")


def title_of(text: str) -> str:
    """A page's title."""
    found = re.search(r"<title>(.*?)</title>", text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
def test_every_page_is_whole_in_its_language(shown: Shown, language: str, tag: str) -> None:
    """
    Given every kind of page,
    when it is asked for in a language,
    then it is balanced HTML with that language, one heading, a title of its own, and a skip link.
    """
    titles = {}
    for name, path in shown.pages.items():
        text = shown.get(path, language)
        outline = Outline(text)
        assert outline.open == [], name
        assert outline.all("html")[0]["lang"] == tag
        assert len(outline.all("h1")) == 1
        assert outline.all("a")[0]["href"] == "#content"
        titles[name] = title_of(text)
    assert len(set(titles.values())) >= len(titles) - 2, titles  # two unknown, two searches differ


def test_headers_are_strict_and_nothing_is_inline(shown: Shown) -> None:
    """
    Given every kind of page,
    when its headers and its HTML are looked at,
    then the policy is the strict one, and there is no inline script, style or handler.
    """
    for name, path in shown.pages.items():
        answer = shown.served.client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == STATUSES.get(name, 200), name
        assert answer.headers["content-security-policy"] == CSP
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-cache"
        outline = Outline(answer.text)
        assert [script["src"] for script in outline.all("script")] and not outline.all("style")
        for _, attributes in outline.elements:
            assert not [key for key in attributes if key == "style" or key.startswith("on")]


def test_the_overview_shows_blocks_transactions_and_the_rate(shown: Shown) -> None:
    """
    Given a chain of five blocks over 60.003 seconds,
    when the overview is read,
    then it has the height, every block, every transaction, and the rate with its definition.
    """
    text = shown.get("/")

    assert "5 transactions in blocks 1 to 5, divided by the 60.003 s between" in text
    for height in range(6):
        assert f'href="/blocks/{height}"' in text
    for identifier in (shown.paid, shown.refused, shown.held, shown.several):
        assert f'href="/transactions/{identifier}"' in text
    assert "Refused" in text


def test_a_transaction_shows_exactly_what_was_signed(shown: Shown) -> None:
    """
    Given an applied payment,
    when its page is read,
    then the payload and the JWS stand there as signed, with events and a proof to download.
    """
    found = shown.served.client.get(f"/v1/transactions/{shown.paid}").json()
    text = shown.get(f"/transactions/{shown.paid}")
    shown_text = "".join(Outline(text).text)

    assert found["transaction"] in shown_text
    assert '"amount":"12.50","asset":' in shown_text
    assert "asset.moved" in shown_text and "Applied" in shown_text
    proof = f"/v1/transactions/{shown.paid}/proof"
    assert f'href="{proof}" download="' in text
    assert shown.served.client.get(proof).status_code == 200


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_the_id_is_recomputed_by_what_the_page_says(
    shown: Shown, tmp_path: Path, language: str, end: str
) -> None:
    """
    Given the pages of an applied and of a refused transaction,
    when the payload is saved from there, with or without a line break, and the command is run,
    then it prints the transaction's id.
    """
    printed = []
    for identifier in (shown.paid, shown.refused):
        text = shown.get(f"/transactions/{identifier}", language)
        payload, command = (
            "".join(Outline(found).text)
            for pattern in (r"<pre>(.*?)</pre>", r'<code class="whole">(\(printf .*?)</code>')
            for found in re.findall(pattern, text, re.DOTALL)[:1]
        )
        (tmp_path / "payload.json").write_bytes((payload + end).encode())
        ran = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        printed.append(ran.stdout.split()[0])

    assert printed == [shown.paid, shown.refused]


def test_a_refusal_shows_its_number_and_its_rule(shown: Shown) -> None:
    """
    Given a payment beyond the balance,
    when its page is read in Chinese,
    then the number, the name and the rule are there, the rule marked as English.
    """
    text = shown.get(f"/transactions/{shown.refused}", "zh")

    assert '<a href="/v1/reasons/2013">2013</a> <code>asset.BALANCE_IS_TOO_LOW</code>' in text
    assert '<dd lang="en">the payer owns at least the amount</dd>' in text
    assert "被拒绝" in text


def test_an_account_shows_balances_holds_and_movements(shown: Shown) -> None:
    """
    Given alice, who paid 12.50 and has 20.00 on hold,
    when her page is read,
    then it has what is left with a proof, the hold, and her six movements.
    """
    alice, cny = shown.fixed.alice, shown.fixed.cny
    text = shown.get(f"/accounts/{alice}")

    assert '<td class="number">67.50</td>' in text and '<td class="number">3,750.0000</td>' in text
    assert f"/v1/rows/asset.holdings/proof?key={alice}&amp;key={cny}" in text
    assert '<span class="one">20.00</span> <a' in text
    assert text.count('data-key="moved-') == 6
    assert "Vault of module hold" in shown.get(f"/accounts/{hold.module.vault}")


def test_without_an_index_an_account_says_so() -> None:
    """
    Given a node without an index,
    when an account's page is read,
    then it has the balance, and says that movements are not listed.
    """
    with serving(index="none") as served:
        text = served.client.get(f"/accounts/{served.fixed.alice}").text

    assert '<td class="number">100.00</td>' in text
    assert "The index is not running" in text


def test_a_failure_here_has_a_page_that_tells_nothing() -> None:
    """
    Given a node whose index fails with a text in its error,
    when a browser and a program ask for an account's page,
    then one gets the error page and the other a problem, without the text.
    """
    with serving(index_kind=Failing) as served:
        path = f"/accounts/{served.fixed.alice}"
        page = served.client.get(path, headers={"accept": "text/html", "connection": "close"})
        problem = served.client.get(path)

    assert (page.status_code, problem.status_code) == (500, 500)
    assert "This went wrong here" in page.text and page.headers["content-security-policy"] == CSP
    assert problem.headers["content-type"] == "application/problem+json"
    assert "canary" not in page.text + problem.text


def test_an_asset_shows_its_supply_and_what_is_left(shown: Shown) -> None:
    """
    Given an asset with a cap of a million of which 3,750 were issued, and one without a cap,
    when their pages are read,
    then supply, cap and rest are there, and for the other that it has no cap.
    """
    capped = "".join(Outline(shown.get(f"/assets/{shown.capped}")).text)
    other = shown.get(f"/assets/{shown.fixed.cny}")

    for amount in ("3,750.0000", "1,000,000.0000", "996,250.0000"):
        assert amount in capped
    assert "No cap was set" in other and "100.00" in other


def test_search_finds_each_thing_by_its_name(shown: Shown) -> None:
    """
    Given a height, an id, an address and an asset, in odd spelling,
    when they are searched for,
    then each leads to its page; what is not there gets a page that says so.
    """
    for text, path in (
        (" 3 ", "/blocks/3"),
        (shown.paid.upper(), f"/transactions/{shown.paid}"),
        (shown.fixed.alice.upper(), f"/accounts/{shown.fixed.alice}"),
        (f"cny.{shown.fixed.bank}", f"/assets/{shown.fixed.cny}"),
    ):
        answer = shown.served.client.get("/search", params={"q": text})
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    for text in ("999", "ab" * 32, "ab" * 20, f"EUR.{'ab' * 20}", "coffee", "²", "x" * 300):
        answer = shown.served.client.get("/search", params={"q": text})
        assert answer.status_code == (400 if len(text) > 200 else 404)
        assert "What can be looked for" in answer.text


def test_blocks_and_their_transactions_are_paged() -> None:
    """
    Given 130 payments in few blocks, and a list of blocks that begins below a height,
    when the pages are turned,
    then every transaction is listed once, and so is every block.
    """
    with serving() as served:
        wires = [served.fixed.pay("0.01").decode() for _ in range(130)]
        served.client.post("/v1/transactions", json={"transactions": wires})
        last = served.chain.head().height
        listed = []
        for height in range(2, last + 1):
            path = f"/blocks/{height}"
            while path:
                text = served.client.get(path).text
                listed += re.findall(r'data-key="transaction-([0-9a-f]{64})"', text)
                following = re.search(r'href="(/blocks/\d+\?from=\d+)"', text)
                path = following[1] if following else ""
        blocks = re.findall(r'data-key="block-(\d+)"', served.client.get("/blocks?before=2").text)

    assert len(listed) == len(set(listed)) == 130
    assert blocks == ["1", "0"]


def test_due_work_is_shown_in_its_block() -> None:
    """
    Given a hold that has expired,
    when the page of the block that returned it is read,
    then it tells what was done without a transaction.
    """
    with serving() as served:
        served.send(served.fixed.place("5.00", 59_001))
        served.send(served.fixed.pay("1.00"))
        last = served.chain.head().height
        texts = [served.client.get(f"/blocks/{height}").text for height in range(last + 1)]

    assert sum("Due work" in text and "asset.moved" in text for text in texts) == 1


def test_odd_paths_never_break_a_page(shown: Shown) -> None:
    """
    Given paths and queries made of odd pieces, from a seed,
    when they are asked for,
    then the answer is a page or an error of the asker, never of the node.
    """
    chosen = random.Random(7)
    pieces = ["-1", "0x1", "9" * 30, "%00", "%ff", "..", "null", "' or 1=1", "<b>", "²", "%2e%2e"]
    pieces += [
        "a" * 64,
        "A.b",
        "0" * 40,
        shown.fixed.alice,
        shown.paid,
        "1",
        "",
        " ",
        "\u202e",
        "+",
    ]
    queries = ["before", "after", "from", "q", "lang", "theme", "x"]
    for _ in range(400):
        folder = chosen.choice(["blocks", "transactions", "accounts", "assets", "search", "x"])
        path = f"/{folder}/{chosen.choice(pieces)}" if chosen.random() < 0.8 else f"/{folder}"
        query = {chosen.choice(queries): chosen.choice(pieces) for _ in range(chosen.randrange(3))}
        answer = shown.served.client.get(path, params=query, headers={"accept": "text/html"})
        assert answer.status_code in (200, 303, 400, 404), (path, query, answer.status_code)


def test_a_program_gets_problems_and_a_person_pages(shown: Shown) -> None:
    """
    Given a path that is not there, one of the interface, and a method that pages do not have,
    when a browser and a program ask,
    then the browser gets a page but below /v1, and the program a problem document.
    """
    client = shown.served.client
    kinds = {
        (path, accept): client.get(path, headers={"accept": accept}).headers["content-type"]
        for path in ("/nothing", "/v1/nothing")
        for accept in ("text/html", "application/json")
    }
    posted = client.post("/blocks", headers={"accept": "text/html"})

    assert [kind for kind in kinds.values() if kind.startswith("text/html")] == [
        kinds["/nothing", "text/html"]
    ]
    assert posted.status_code == 405
    assert sorted(posted.headers["allow"].split(", ")) == ["GET", "HEAD"]
    assert "Pages are only read" in posted.text


def test_a_pending_or_unknown_transaction_has_a_page(shown: Shown) -> None:
    """
    Given an id that no block holds,
    when its page is read,
    then it says so, with a status that programs understand, and follows the chain.
    """
    answer = shown.served.client.get(f"/transactions/{'ab' * 32}")

    assert answer.status_code == 404
    assert "No block holds this transaction" in answer.text
    assert 'data-follow="/v1/events?after=' in answer.text


def test_a_chain_that_has_only_begun_has_an_overview() -> None:
    """
    Given a chain that has made no block but its first,
    when the overview is read,
    then it says that there is no rate and no transaction yet.
    """
    store = MemoryStore()
    producer = Producer(
        Machine(FIRST_MODULES, fixed_genesis(), store, -1, 0), store, key("authority")
    )
    producer.begin()
    chain = Chain(SoloEngine(producer, clock=lambda: BEGIN), store, fixed_genesis())
    text = read(Console(chain), "/")

    assert "There is no rate before the second block." in text
    assert "No transaction yet." in text
