"""A node whose chain's first bodies were pruned: what it has, what not, and where to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import httpx2
import pytest
from msgspec import Struct
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.node.process import Node, running
from tests.node.test_streaming import data_of
from tests.node.test_submitting import problem
from tests.sdk.kept_chain import CNY, OWNER
from tests.sdk.pruned_chain import BASE, FIRST, LAST, Pruned, lay, lay_bare
from tongbao.engines.solo import read_header
from tongbao.sdk.bundle_verification import verify_bundle
from tongbao.sdk.client import AlreadyDecided, Refused
from tongbao.sdk.errors import Gone
from tongbao.sdk.folder import Folder
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.place import END_OF_BLOCK
from tongbao.sdk.verification import VerificationError

BEGIN: Final = f"{FIRST - 1}.{END_OF_BLOCK}"


class Served(Struct, frozen=True):
    """A pruned chain, and the node that serves it."""

    pruned: Pruned
    node: Node

    def get(self, path: str, **query: Any) -> httpx2.Response:
        """Whatever a path answers."""
        return self.node.client.get(path, params=query)

    def trusting(self) -> HttpChain:
        """A client that believes nothing without proof."""
        trust = Folder(self.pruned.folder).trust_file
        return HttpChain(self.node.address, trust=trust)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node on blocks 0 to 8 with bodies from block 5 on; nobody pays there."""
    pruned = lay(tmp_path_factory.mktemp("pruned") / "chain")
    with running(pruned.folder) as node:
        yield Served(pruned, node)


def test_a_pruned_transaction_is_told_without_what_was_signed(served: Served) -> None:
    """
    Given a payment and a refusal in pruned blocks, and a payment in one that is there,
    when each is asked for by its id,
    then state, place and number are told of all, and what was signed of the last alone.
    """
    old, refused, kept = (
        served.get(f"/v1/transactions/{identifier}").json()
        for identifier in (served.pruned.old.id, served.pruned.refused, served.pruned.kept.id)
    )

    assert old == {"state": "applied", "time": old["time"], "height": 3, "index": 0}
    assert (refused["state"], refused["height"], refused["number"]) == ("refused", 4, 2013)
    assert refused["why"] and "receipt" not in refused
    assert {"transaction", "payload", "receipt"} <= kept.keys()


def test_a_pruned_block_and_its_proofs_are_gone_but_its_header_is_there(served: Served) -> None:
    """
    Given a node with bodies from block 5 on,
    when a block and a proof below are asked for, and the headers of all heights,
    then the first are 410 and say where bodies begin and who may have them, and no header lacks.
    """
    for path in ("/v1/blocks/0", "/v1/blocks/4", f"/v1/transactions/{served.pruned.old.id}/proof"):
        found = problem(served.get(path), 410)
        assert f"begin with block {FIRST}" in found["detail"]
        assert "ask a node or a backup" in found["detail"]
    headers = [served.get(f"/v1/headers/{height}") for height in range(LAST + 1)]

    read = [read_header(one.json()["header"].encode())[0].height for one in headers]
    assert read == list(range(LAST + 1))
    assert headers[0].headers["etag"]
    assert problem(served.get(f"/v1/headers/{LAST + 1}"), 404)
    assert served.get(f"/v1/blocks/{FIRST}").json()["height"] == FIRST
    assert served.get(f"/v1/transactions/{served.pruned.kept.id}/proof").status_code == 200


def test_the_list_of_blocks_goes_back_to_the_first_and_says_what_it_knows(served: Served) -> None:
    """
    Given a node with bodies from block 5 on,
    when its chain is asked for, and its blocks are listed by fours,
    then the pages reach block 0, and the count of transactions is null where it is not known.
    """
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"before": LAST + 1}
    while page["before"] is not None:
        page = served.get("/v1/blocks", limit=4, before=page["before"]).json()
        found += page["blocks"]

    assert served.get("/v1").json()["first_block"] == FIRST
    assert [line["height"] for line in found] == list(range(LAST, -1, -1))
    assert [line["transactions"] for line in found] == [1] * 4 + [None] * FIRST
    assert all(line["time"] > 0 for line in found)


def test_a_stream_from_before_the_first_body_is_told_where_to_begin(served: Served) -> None:
    """
    Given a node with bodies from block 5 on,
    when streams of all kinds begin at a cursor before, and at the one that the refusal names,
    then the first are 410, and the last tells everything from block 5 on.
    """
    socket = served.node.address.replace("http", "ws") + "/v1/events/socket"
    told = problem(served.get("/v1/events", after="3.0"), 410)
    by_id = served.node.client.get("/v1/events", headers={"last-event-id": f"{FIRST - 1}.0"})
    assert problem(by_id, 410) == told and BEGIN in told["detail"]
    with pytest.raises(InvalidStatus) as refused, connect(f"{socket}?after=3.0"):
        pass
    assert refused.value.response.status_code == 410
    with served.node.client.stream("GET", "/v1/events", params={"after": BEGIN}) as answer:
        events = list(islice(data_of(answer), LAST - FIRST + 1))
    with connect(f"{socket}?after={BEGIN}") as talk:
        assert f'"height":{FIRST},' in str(talk.recv(timeout=30))

    assert [one["height"] for one in events] == list(range(FIRST, LAST + 1))


def test_a_client_learns_that_it_was_decided_though_the_receipt_is_gone(served: Served) -> None:
    """
    Given a payment and a refusal whose blocks were pruned,
    when a client submits the same bytes again, alone, among many and with `await`,
    then it learns that they were decided and where, and nothing moves.
    """
    wires = [served.pruned.wire, served.pruned.refused_wire]

    async def submit() -> None:
        async with await AsyncHttpChain.connect(served.node.address) as chain:
            await chain.submit(served.pruned.wire)

    with HttpChain(served.node.address) as chain:
        with pytest.raises(AlreadyDecided) as decided:
            chain.submit(served.pruned.wire)
        with pytest.raises(Refused) as refused:
            chain.submit(served.pruned.refused_wire)
        with pytest.raises(AlreadyDecided):
            asyncio.run(submit())
        many = chain.submit_many(wires)
        head = chain.head()

    old = served.pruned.old
    assert (decided.value.transaction_id, decided.value.height) == (old.id, old.height)
    assert refused.value.number == 2013
    assert [type(one) for one in many] == [AlreadyDecided, Refused]
    assert head.height == LAST


def test_a_client_tells_what_is_gone_from_what_never_was(served: Served) -> None:
    """
    Given a node with bodies from block 5 on,
    when a client asks for a proof and events of before, and for a proof of nothing,
    then the first are Gone, with the exit code of nothing, and the last is a plain LookupError.
    """
    with HttpChain(served.node.address) as chain:
        with pytest.raises(Gone) as proof:
            chain.prove_transaction(served.pruned.old.id)
        with pytest.raises(Gone, match=BEGIN):
            next(chain.happenings("0.0"))
        with pytest.raises(LookupError) as nothing:
            chain.prove_transaction("ab" * 32)
        status = chain.status(served.pruned.old.id)

    assert (proof.value.exit_code, isinstance(nothing.value, Gone)) == (4, False)
    assert (status.state, status.height) == ("applied", served.pruned.old.height)


def test_with_a_trust_file_only_what_is_proven_is_believed(served: Served) -> None:
    """
    Given a client with a trust file, and a node with bodies from block 5 on,
    when it reads the head, a row and a payment that is there, and asks about one that was pruned,
    then the first are proven, and the last is not believed, with word of who may prove it.
    """
    with served.trusting() as chain:
        assert chain.head().height == LAST
        row = chain.prove_row("asset.holdings", (served.pruned.shop, CNY))
        assert b"15.00" in bytes(row.value)
        assert chain.status(served.pruned.kept.id).state == "applied"
        for ask in (
            lambda: chain.status(served.pruned.old.id),
            lambda: chain.submit(served.pruned.wire),
        ):
            with pytest.raises(VerificationError, match="ask a node that has it"):
                ask()
        (many,) = chain.submit_many([served.pruned.wire])
        assert isinstance(many, VerificationError)


def test_history_says_from_which_block_on_it_knows(served: Served) -> None:
    """
    Given a node that has made its index from a pruned chain,
    when movements and transactions are asked for,
    then they are those from block 5 on, and the answers say so.
    """
    moved = served.get(f"/v1/accounts/{OWNER}/movements", min_height=LAST).json()
    done = served.get(f"/v1/accounts/{OWNER}/transactions", min_height=LAST).json()

    assert [line["height"] for line in moved["movements"]] == list(range(LAST, FIRST - 1, -1))
    assert (moved["from_block"], done["from_block"]) == (FIRST, FIRST)
    assert moved["before"] is None


@pytest.mark.parametrize(("language", "said"), [("en", "pruned"), ("zh", "清理")])
def test_pages_say_what_was_pruned_in_both_languages(
    served: Served, language: str, said: str
) -> None:
    """
    Given a node with bodies from block 5 on,
    when the pages of blocks and transactions are looked at in each language,
    then those of what was pruned are 410 and say so, and the lists end where bodies begin.
    """
    begins = {"en": f"begins with block {FIRST}:", "zh": f"索引自区块 {FIRST} 起"}
    served.get(f"/v1/accounts/{OWNER}/movements", min_height=LAST)

    def page(path: str) -> tuple[int, str]:
        found = served.node.client.get(path, headers={"accept-language": language})
        return found.status_code, found.text

    block, old = page("/blocks/4"), page(f"/transactions/{served.pruned.old.id}")
    refused, listed = page(f"/transactions/{served.pruned.refused}"), page("/blocks")

    assert [found[0] for found in (block, old, refused, listed)] == [410, 410, 410, 200]
    assert all(said in found[1] for found in (block, old, refused, listed))
    assert "/v1/reasons/2013" in refused[1] and "/v1/reasons" not in old[1]
    assert f'href="/blocks/{FIRST}"' in listed[1]
    assert f'href="/blocks/{FIRST - 1}"' not in listed[1] and "before=" not in listed[1]
    account = page(f"/accounts/{served.pruned.shop}")[1]
    assert begins[language] in account
    assert page("/")[0] == page(f"/transactions/{served.pruned.kept.id}")[0] == 200
    assert page(f"/blocks?before={FIRST}")[0] == 200


def test_a_node_on_a_base_alone_serves_and_takes_payments(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """
    Given a chain that stands on its base, without a body yet,
    when it is served, looked at, followed from its head on and paid with,
    then its head is proven, every page is there, the index waits for nobody, and the stream tells
    the first block of its own.
    """
    bare = lay_bare(tmp_path_factory.mktemp("bare") / "chain")
    with running(bare.folder) as node:
        served = Served(bare, node)
        with served.trusting() as chain:
            assert chain.head().height == BASE
        pages = {path: served.get(path) for path in ("/", "/blocks", f"/accounts/{bare.shop}")}
        assert [found.status_code for found in pages.values()] == [200] * 3
        assert "No transaction yet" not in pages["/"].text
        assert f"Bodies begin with block {BASE + 1}" in pages["/"].text
        assert len(served.get("/v1/blocks").json()["blocks"]) == BASE + 1
        moved = served.get(f"/v1/accounts/{bare.shop}/movements", min_height=BASE).json()
        assert (moved["index_height"], moved["from_block"]) == (BASE, BASE + 1)
        with HttpChain(node.address) as chain:
            told = chain.happenings()
            paid = chain.submit(bare.kept_wire)
            assert (next(told).id, paid.height) == (bare.kept.id, BASE + 1)


def test_a_bundle_begins_with_what_the_index_knows(served: Served) -> None:
    """
    Given a node whose index was made anew behind pruned bodies,
    when a bundle of everything is asked for, and one of before,
    then the first is proven, and begins no earlier than the first body, with what was held then;
    the second is refused.
    """
    path = f"/v1/accounts/{served.pruned.shop}/bundle"
    answer = served.get(path, asset=CNY)
    trust = Folder(served.pruned.folder).trust_file.read_bytes()
    found = verify_bundle(answer.content, trust)
    header = served.get(f"/v1/headers/{FIRST}").json()
    assert found.statement.first_time == header["time"]
    assert found.unproven == 0 and {line.height for line in found.statement.lines} <= {5, 6, 7, 8}
    assert found.statement.opening != "0.00"
    before = served.get(path, asset=CNY, to=header["time"] - 1)
    assert before.status_code == 400 and "index begins at" in before.json()["detail"]


@pytest.mark.parametrize("what", ["statement", "export"])
def test_a_statement_of_what_the_index_does_not_know_is_refused(served: Served, what: str) -> None:
    """
    Given a node whose index was made anew behind pruned bodies,
    when statements and exports are asked for that end or begin before that, and of everything,
    then the first are refused with the time that the index begins at; that of everything begins
    there, and says so.
    """
    path = f"/v1/accounts/{served.pruned.shop}/{what}"
    form = {"format": "json"} if what == "export" else {}
    known = served.get(f"/v1/headers/{FIRST}").json()["time"]
    csv = served.get(f"/v1/accounts/{served.pruned.shop}/export", asset=CNY, to="2000-01-01")
    assert (csv.status_code, "index begins at" in csv.json()["detail"]) == (400, True)
    periods = ({"to": known - 1}, {"from": known - 1}, {"from": 0, "to": known - 1}, {"from": 0})
    for period in periods:
        told = served.get(path, asset=CNY, **period, **form)
        assert told.status_code == 400, told.text
        assert f"index begins at {known}" in told.json()["detail"]
    whole = served.get(path, asset=CNY, **form).json()
    begun = served.get(path, asset=CNY, **{"from": known}, **form).json()
    for found in (whole, begun):
        assert (found["first_time"], found["from_block"]) == (known, FIRST)
        assert (found["opening"], len(found["movements"])) != ("0.00", 0)
    assert whole["movements"] == begun["movements"] and whole["opening"] == begun["opening"]


@pytest.mark.parametrize("query", ["until=2000-01-01", "from=2000-01-01"])
def test_the_page_shows_no_figures_of_what_the_index_does_not_know(
    served: Served, query: str
) -> None:
    """
    Given a node whose index was made anew behind pruned bodies,
    when the page of a statement that begins or ends before that is looked at, and that of all,
    then the first has no figures and says when the index begins; the second has them.
    """
    path = f"/accounts/{served.pruned.shop}/statement?asset={CNY}"
    whole, early = served.node.client.get(path), served.node.client.get(f"{path}&{query}")
    assert (whole.status_code, early.status_code) == (200, 200)
    assert 'class="figures"' in whole.text and f"begins with block {FIRST}" in whole.text
    assert 'class="figures"' not in early.text and "balances before are not known" in early.text
