"""Quotas at the door: who can't pay is told when to come again, and takes nobody's turn."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import pytest

from tests.fixed_chain import BEGIN, FixedChain, forged
from tests.node.conftest import serving_chain
from tests.node.process import running
from tests.node.test_submitting import problem
from tests.sponsored_chain import Sponsored, SponsoredChain
from tongbao.engines.interface import Deciding
from tongbao.engines.solo import Answer, Busy, Options, SoloEngine, Ticket
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import InvalidTransaction
from tongbao.kernel.reasons import Invalid
from tongbao.node.processes.core_link import CoreLink
from tongbao.node.processes.remote_engine import RemoteEngine
from tongbao.sdk.client import Applied
from tongbao.sdk.http import HttpChain
from tongbao.sdk.local import Chain

ACCOUNTS: Final = 200
EVADERS: Final = tuple(f"evader {number}" for number in range(ACCOUNTS))
NOW: Final = BEGIN + 60_000
LIMIT: Final = 1_200
HONEST: Final = 10
PATIENCE_S: Final = 60.0

Story = Callable[[SponsoredChain, Chain, RemoteEngine], Coroutine[Any, Any, None]]


def evaded() -> SponsoredChain:
    """A sponsor of 200 accounts, and one of a single account, both with more than is sent."""
    many, one = Sponsored(100_000, 60_000, EVADERS), Sponsored(100_000, 60_000, ("honest",))
    return SponsoredChain({"many": many, "one": one})


def with_front(sponsored: SponsoredChain, limit: int, *stories: Story) -> None:
    """Play stories, each on a front of its own that is linked to the chain's core."""

    async def play(story: Story, chain: Chain, sockets: Path) -> None:
        engine = RemoteEngine(chain.registry, chain.id, limit, lambda: NOW)
        engine.start(sockets, 0)
        await asyncio.wait_for(engine.begun.wait(), 10)
        try:
            await story(sponsored, chain, engine)
        finally:
            await engine.stop()

    with (
        sponsored.running(lambda: NOW) as chain,
        tempfile.TemporaryDirectory(prefix="tongbao-") as sockets,
    ):
        link = CoreLink(cast(Deciding, chain.engine), chain.store, Path(sockets))
        try:
            for story in stories:
                asyncio.run(play(story, chain, Path(sockets)))
        finally:
            link.close()


async def told(engine: RemoteEngine, *wires: bytes) -> list[Answer | BaseException]:
    """What transactions come to."""
    futures = [asyncio.wrap_future(engine.submit(wire).future()) for wire in wires]
    return await asyncio.gather(*futures, return_exceptions=True)


def flooded(chain: SponsoredChain, submit: Callable[[bytes], Ticket]) -> list[Ticket]:
    """Accounts of one sponsor send until nothing more is taken, then the single one of another.

    The tickets of the single one's.
    """

    def flood() -> None:
        for number in range(2 * LIMIT):
            submit(chain.pay(EVADERS[number % ACCOUNTS]))

    with pytest.raises(Busy):
        flood()
    return [submit(chain.pay("honest")) for _ in range(HONEST)]


def turns_of(answers: Sequence[Answer]) -> list[int]:
    """How many others were decided between each two of these."""
    assert len({one.height for one in answers}) == 1
    places = [one.index for one in answers]
    return [after - before - 1 for before, after in pairwise(places)]


def test_200_accounts_of_one_sponsor_get_one_share_of_a_front() -> None:
    """
    Given a sponsor with 200 accounts who flood a front, and one with a single account,
    when the single one sends ten payments,
    then all are taken, and from its first turn on every other place is its own.
    """

    async def story(sponsored: SponsoredChain, chain: Chain, engine: RemoteEngine) -> None:
        await told(engine, *map(sponsored.pay, (*EVADERS, "honest")))
        tickets = flooded(sponsored, engine.submit)
        answers = [await asyncio.wrap_future(one.future()) for one in tickets]
        assert turns_of(answers) == [1] * (HONEST - 1)

    with_front(evaded(), LIMIT, story)


def test_200_accounts_of_one_sponsor_get_one_share_of_an_embedded_chain() -> None:
    """
    Given the same two sponsors on a chain in this process, while a block is being waited for,
    when the 200 accounts send until nothing more is taken, and then the single one,
    then its payments are taken, and have every other place.
    """
    sponsored = evaded()
    options = Options(queue_transactions=LIMIT)
    with sponsored.running(lambda: NOW, options) as chain:
        engine = cast(SoloEngine, chain.engine)
        warm = chain.submit_many([sponsored.pay(name) for name in (*EVADERS, "honest")])
        assert all(isinstance(one, Applied) for one in warm)
        with engine.reading():
            tickets = flooded(sponsored, engine.submit)
        assert turns_of([one.result(PATIENCE_S) for one in tickets]) == [1] * (HONEST - 1)


def test_who_has_spent_is_refused_before_a_signature_is_looked_at() -> None:
    """
    Given an account whose sponsor had five tokens, all of which it has spent,
    when it sends more, under signatures that are right and wrong,
    then all are refused at once with the time when there is a token, and nothing waits.
    """

    async def story(sponsored: SponsoredChain, chain: Chain, engine: RemoteEngine) -> None:
        answers = await told(engine, *[sponsored.pay("a") for _ in range(5)])
        assert all(isinstance(one, Answer) for one in answers)
        for wire in (sponsored.pay("a"), forged(sponsored.pay("a"))):
            with pytest.raises(InvalidTransaction, match="ALLOWANCE_IS_SPENT") as error:
                engine.submit(wire)
            assert error.value.again_at is not None and error.value.again_at > NOW
        assert engine.waiting == 0

    with_front(SponsoredChain({"bank": Sponsored(5, 1, ("a", "b"))}), 200, story)


def test_what_is_sent_at_once_is_let_in_as_far_as_tokens_go() -> None:
    """
    Given an account that a front knows, whose sponsor has nine tokens left,
    when it sends twenty payments at once, and others of its sponsor ten,
    then nine are applied, and each of the others is told when to come again, in no block.
    """

    async def story(sponsored: SponsoredChain, chain: Chain, engine: RemoteEngine) -> None:
        await told(engine, sponsored.pay("a"), sponsored.pay("b"))
        height = chain.head().height
        names = ["a"] * 20 + ["b"] * 10
        answers = await told(engine, *map(sponsored.pay, names))
        applied = [one for one in answers if isinstance(one, Answer)]
        refused = [one for one in answers if isinstance(one, InvalidTransaction)]
        assert (len(applied), len(refused)) == (9, 21)
        assert {one.why for one in refused} == {Invalid.ALLOWANCE_IS_SPENT}
        assert all(one.again_at is not None and one.again_at > NOW for one in refused)
        blocks = range(height + 1, chain.head().height + 1)
        assert sum(len(chain.block(number).transactions) for number in blocks) == 9

    with_front(SponsoredChain({"bank": Sponsored(11, 1, ("a", "b"))}), 200, story)


def test_strangers_who_name_a_sponsor_take_nothing_from_it() -> None:
    """
    Given a sponsor with five tokens, and a stranger who names it without its signature,
    when the stranger sends a hundred, and an account of the sponsor as many as there are tokens,
    then the stranger's are invalid, and the account's are all applied.
    """

    async def story(sponsored: SponsoredChain, chain: Chain, engine: RemoteEngine) -> None:
        await told(engine, sponsored.pay("a"))
        named = [sponsored.pay("stranger", sponsor="bank") for _ in range(100)]
        answers = await told(engine, *named, *[sponsored.pay("a") for _ in range(4)])
        whys = {one.why for one in answers if isinstance(one, InvalidTransaction)}
        assert whys == {Invalid.SPONSOR_HAS_NOT_SIGNED}
        assert [one for one in answers[100:] if not isinstance(one, Answer)] == []

    with_front(SponsoredChain({"bank": Sponsored(5, 1, ("a",))}, ["stranger"]), 600, story)


def test_a_core_that_refuses_one_that_the_front_does_not_know_says_when() -> None:
    """
    Given a sponsor whose tokens were spent before the front began, and a front that knows nobody,
    when an account of it sends, and then another payment,
    then the core says when there are tokens, and after that the front does so by itself.
    """

    async def story(sponsored: SponsoredChain, chain: Chain, engine: RemoteEngine) -> None:
        [first] = await told(engine, sponsored.pay("a"))
        assert isinstance(first, InvalidTransaction) and first.again_at is not None
        await told(engine, sponsored.pay("one"))  # its block brings what is known of all before it
        with pytest.raises(InvalidTransaction, match="ALLOWANCE_IS_SPENT") as error:
            engine.submit(sponsored.pay("a"))
        assert error.value.again_at is not None

    sponsored = SponsoredChain(
        {"bank": Sponsored(5, 1, ("a",)), "other": Sponsored(50, 60, ("one",))}
    )
    sponsored.make(*[sponsored.pay("a") for _ in range(5)], after_ms=NOW - BEGIN - 2_000)
    with_front(sponsored, 200, story)


def test_another_front_learns_from_the_beginning() -> None:
    """
    Given a front that has learned who pays for two accounts of one sponsor, and is gone,
    when another one takes its place, and one of them sends all that there is,
    then that front refuses the next one by itself.
    """
    sponsored = SponsoredChain({"bank": Sponsored(6, 1, ("a", "b"))})

    async def first(chain: SponsoredChain, _: Chain, engine: RemoteEngine) -> None:
        await told(engine, chain.pay("a"), chain.pay("b"))

    async def second(chain: SponsoredChain, _: Chain, engine: RemoteEngine) -> None:
        answers = await told(engine, *[chain.pay("b") for _ in range(4)])
        assert all(isinstance(one, Answer) for one in answers)
        with pytest.raises(InvalidTransaction, match="ALLOWANCE_IS_SPENT"):
            engine.submit(chain.pay("b"))

    with_front(sponsored, 200, first, second)


def test_over_http_it_is_429_with_the_time_and_clients_wait_for_it() -> None:
    """
    Given a node, and an account whose sponsor gets a token each half a minute,
    when it sends more than that, alone and in a batch, and then through a client,
    then it is told 429 with the seconds until then, or "not taken"; and the client waits as long.
    """
    begin = wall_clock() - 120_000
    late_ms = [120_000]
    sponsored = SponsoredChain({"bank": Sponsored(2, 2, ("a",))}, begin=begin)

    def wait(seconds: float) -> None:
        waited.append(seconds)
        late_ms[0] += round(seconds * 1_000)

    waited: list[float] = []
    with (
        sponsored.running(lambda: begin + late_ms[0]) as chain,
        serving_chain(cast(FixedChain, sponsored), chain) as served,
    ):
        assert [served.send(sponsored.pay("a")).status_code for _ in range(2)] == [200, 200]
        wire = sponsored.pay("a")
        told = problem(served.send(wire), 429)
        seconds = int(served.send(wire).headers["retry-after"])
        batch = {"transactions": [wire.decode()]}
        [line] = served.client.post("/v1/transactions", json=batch).json()["results"]
        with HttpChain(served.address, wait=wait, patience_s=90) as client:
            done = client.submit(wire)
            many = client.submit_many([sponsored.pay("a"), sponsored.pay("a")])

    assert told["number"] == line["number"] == Invalid.ALLOWANCE_IS_SPENT.number
    assert line["state"] == "not taken"
    assert 20 <= seconds <= 31
    assert done.height and all(isinstance(one, Applied) for one in many)
    assert 1 <= len(waited) <= 8 and 60 <= sum(waited) <= 120


def test_whom_nobody_pays_for_shares_one_bucket() -> None:
    """
    Given accounts for whom nobody stands, and a common bucket of sixteen,
    when they send thirty together, and an account with a sponsor one,
    then sixteen are applied, the others are told when, and the sponsored one's is applied.
    """

    async def story(sponsored: SponsoredChain, chain: Chain, engine: RemoteEngine) -> None:
        answers = await told(engine, *map(sponsored.pay, [*strangers, "a"]))
        assert isinstance(answers[-1], Answer)
        assert sum(isinstance(one, Answer) for one in answers[:-1]) == 16
        with pytest.raises(InvalidTransaction, match="ALLOWANCE_IS_SPENT"):
            engine.submit(sponsored.pay(strangers[0]))

    strangers = [f"stranger {number}" for number in range(30)]
    with_front(SponsoredChain({"bank": Sponsored(5, 1, ("a",))}, strangers), 200, story)


def test_a_node_of_several_processes_refuses_what_is_spent_before_its_signature(
    tmp_path: Path,
) -> None:
    """
    Given a real node with a front, and an account whose sponsor has five tokens,
    when it sends six, one of another sponsor one, and somebody forges one in its name,
    then five are applied, the sixth and the forged one are 429, and the other sponsor's is applied.
    """
    folder = tmp_path / "chain"
    sponsored = SponsoredChain(
        {"bank": Sponsored(5, 1, ("a",)), "other": Sponsored(5, 1, ("b",))},
        begin=wall_clock() - 10_000,
        folder=folder,
    )
    sponsored.lay_out(folder)
    with running(folder, "--processes", "2", "--log-level", "warning") as node:
        codes = [node.send(sponsored.pay("a")).status_code for _ in range(5)]
        sixth, false = node.send(sponsored.pay("a")), node.send(forged(sponsored.pay("a")))
        other = node.send(sponsored.pay("b"))
        assert node.stop() == 0

    assert (codes, other.status_code) == ([200] * 5, 200)
    for one in (sixth, false):
        assert (one.status_code, one.json()["number"]) == (429, Invalid.ALLOWANCE_IS_SPENT.number)
        assert 1 <= int(one.headers["retry-after"]) <= 60
