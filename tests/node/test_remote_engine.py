"""A front's engine over the link to a core, both in this process: what it takes and tells."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from tests.fixed_chain import BEGIN, FixedChain, forged
from tongbao.engines.interface import Deciding
from tongbao.engines.solo import Answer, Busy, EngineStopped, Ticket
from tongbao.engines.solo.engine import StoppedForUpgrade
from tongbao.kernel import InvalidTransaction, Outcome
from tongbao.kernel.reasons import Invalid
from tongbao.node.processes.core_link import CoreLink
from tongbao.node.processes.remote_engine import RemoteEngine
from tongbao.node.processes.rows import Paying, answer_of, answered, decode_answers, encode
from tongbao.sdk.local import Chain
from tongbao.store.errors import DiskFull

NOW = BEGIN + 60_000
LIMIT = 200


def with_front(
    story: Callable[[FixedChain, Chain, RemoteEngine], Coroutine[Any, Any, None]],
) -> None:
    """Play a story on a front that is linked to a chain; the front checks signatures by itself."""
    fixed = FixedChain()

    async def play(chain: Chain, sockets: Path) -> None:
        engine = RemoteEngine(chain.registry, chain.id, LIMIT, lambda: NOW)
        engine.start(sockets, 0)
        await asyncio.wait_for(engine.begun.wait(), 10)
        try:
            await story(fixed, chain, engine)
        finally:
            await engine.stop()

    with (
        fixed.running(lambda: NOW) as chain,
        tempfile.TemporaryDirectory(prefix="tongbao-") as sockets,
    ):
        link = CoreLink(cast(Deciding, chain.engine), chain.store, Path(sockets))
        try:
            asyncio.run(play(chain, Path(sockets)))
        finally:
            link.close()


async def told(engine: RemoteEngine, wire: bytes) -> Answer:
    """What a transaction comes to. Raises what was in the way."""
    return await asyncio.wrap_future(engine.submit(wire).future())


def test_what_a_front_takes_is_decided_by_the_core_in_order() -> None:
    """
    Given a front that is linked to a core,
    when it takes many payments at once, and one of them twice,
    then each is applied in the order in which it came, the doubled one once, and nothing waits.
    """

    async def story(fixed: FixedChain, chain: Chain, engine: RemoteEngine) -> None:
        wires = [fixed.pay("0.10") for _ in range(60)]
        tickets = [engine.submit(wire) for wire in (*wires, wires[0])]
        assert tickets[-1] is tickets[0]
        assert engine.is_pending(tickets[5].transaction.id) and engine.waiting == len(wires)
        answers = [await asyncio.wrap_future(ticket.future()) for ticket in tickets[:-1]]
        places = [(one.height, one.index) for one in answers]
        assert places == sorted(set(places))
        assert {one.outcome for one in answers} == {Outcome.APPLIED}
        assert [one.receipt for one in answers] == [
            chain.block(one.height).receipts[one.index] for one in answers
        ]
        assert engine.waiting == 0 and engine.why_stopped is None
        assert engine.height == chain.head().height

    with_front(story)


def test_a_front_refuses_what_needs_no_state_and_tells_what_the_core_refuses() -> None:
    """
    Given a front that is linked to a core,
    when what is malformed, forged, expired or too dear comes,
    then the first three are invalid by their reasons, and the last is refused by the core.
    """

    async def story(fixed: FixedChain, chain: Chain, engine: RemoteEngine) -> None:
        with pytest.raises(InvalidTransaction, match=r"ENVELOPE_IS_MALFORMED"):
            engine.submit(b"nothing")
        with pytest.raises(InvalidTransaction, match=r"SIGNATURE_IS_WRONG"):
            await told(engine, forged(fixed.pay("1.00")))
        late = RemoteEngine(chain.registry, chain.id, LIMIT, lambda: NOW + 48 * 3_600_000)
        with pytest.raises(InvalidTransaction, match=r"EXPIRY_HAS_PASSED"):
            late.submit(fixed.pay("1.00"))
        refused = await told(engine, fixed.pay("1000.00"))
        assert refused.outcome is Outcome.REFUSED and chain.why(refused.number)
        assert engine.waiting == 0

    with_front(story)


def test_a_full_front_says_so_and_forgets_nothing() -> None:
    """
    Given a front whose queue is bounded,
    when more comes at once than it takes,
    then the rest is told to come back, and all that was taken is decided.
    """

    async def story(fixed: FixedChain, chain: Chain, engine: RemoteEngine) -> None:
        taken: list[Ticket] = []

        def flood() -> None:
            taken.extend(engine.submit(fixed.pay("0.01")) for _ in range(2 * LIMIT))

        with pytest.raises(Busy):
            flood()
        assert 0 < len(taken) <= LIMIT
        for ticket in taken:
            answer = await asyncio.wrap_future(ticket.future())
            assert answer.outcome is Outcome.APPLIED

    with_front(story)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(bytes(32), 7, 3, Outcome.REFUSED, 2005, b"{}"),
        InvalidTransaction(Invalid.NONCE_IS_TOO_FAR, "300 above"),
        InvalidTransaction(Invalid.NONCE_IS_TOO_FAR, "300 above", again_at=NOW),
        Busy("full"),
        DiskFull("no space"),
        EngineStopped("closed"),
        StoppedForUpgrade("other code"),
    ],
)
def test_answers_cross_the_link_as_they_are(answer: Answer | Exception) -> None:
    """
    Given any answer that an engine gives,
    when it goes over as a row,
    then it arrives as the same kind, with the same text.
    """
    [row] = decode_answers(encode([answered(5, answer)]))
    assert not isinstance(row, Paying) and row.number == 5
    found = answer_of(row, bytes(32))
    if isinstance(answer, Answer):
        assert found == answer
    else:
        assert type(found) is type(answer) and str(found) == str(answer)
        assert getattr(found, "again_at", None) == getattr(answer, "again_at", None)
