"""Sessions: opened by a signed challenge, once, at one origin; short, and ended at will."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import httpx2
import pytest
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.fixed_chain import FixedChain, key
from tests.node.conftest import Served, serving
from tests.node.test_submitting import problem
from tongbao.kernel import InvalidTransaction, Key, PublicKey, Small, WeightedKey
from tongbao.kernel.envelope import decode_envelope
from tongbao.modules import account
from tongbao.node.access.account_keys import CONFIRM_MS
from tongbao.node.access.callers import wall_clock_ms
from tongbao.node.access.challenges import Challenges
from tongbao.sdk.bearer import SessionAuth
from tongbao.sdk.builder import sign
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.sessions import (
    CHALLENGE_PATH,
    END_PATH,
    SESSIONS_PATH,
    Challenge,
    SessionError,
    check_challenge,
    sign_challenge,
)
from tongbao.sdk.signer import SoftwareKey

ALICE = FixedChain.alice
SHOP = FixedChain.shop
PATIENCE_S: Final = 10


@pytest.fixture
def members() -> Iterator[Served]:
    """A node that answers members."""
    with serving(read_policy="members") as found:
        yield found


def challenge_of(served: Served, address: str) -> Challenge:
    """A challenge of a node."""
    answer = served.client.post(CHALLENGE_PATH, json={"account": address})
    assert answer.status_code == 200, answer.text
    return Challenge(**answer.json())


def answered(served: Served, signed: bytes) -> httpx2.Response:
    """What a node says to a signed challenge."""
    headers = {"content-type": "application/jose"}
    return served.client.post(SESSIONS_PATH, content=signed, headers=headers)


def bearer(token: str) -> dict[str, str]:
    """The header that a token goes into."""
    return {"Authorization": f"Bearer {token}"}


def opened(served: Served, address: str, signer: SoftwareKey) -> dict[str, str]:
    """The header of a new session."""
    answer = answered(served, sign_challenge(challenge_of(served, address), signer))
    assert answer.status_code == 200, answer.text
    return bearer(answer.json()["token"])


def test_a_signed_challenge_opens_a_session_of_its_account(members: Served) -> None:
    """
    Given a challenge for Alice, which names chain, origin and end,
    when her key signs it,
    then there is a session that reads what is hers, and nothing without it.
    """
    challenge = challenge_of(members, ALICE)
    answer = answered(members, sign_challenge(challenge, key("alice"))).json()
    statement = f"/v1/accounts/{ALICE}/statement?asset={members.fixed.cny}"

    assert (challenge.account, challenge.chain) == (ALICE, members.chain.id)
    assert challenge.origin == members.address
    assert answer["account"] == ALICE
    assert members.client.get(statement, headers=bearer(answer["token"])).status_code == 200
    refused = members.client.get(statement)
    problem(refused, 401)
    assert refused.headers["www-authenticate"] == 'Bearer realm="tongbao"'


def test_anothers_statement_is_not_told(members: Served) -> None:
    """
    Given a session of Alice,
    when she asks for what is the shop's, or for everybody's,
    then each is forbidden, with the scope that it needs; what is nobody's alone is told.
    """
    alice = opened(members, ALICE, key("alice"))
    cny = members.fixed.cny
    for path in (
        f"/v1/accounts/{SHOP}/statement?asset={cny}",
        f"/v1/accounts/{SHOP}/export?asset={cny}",
        f"/v1/accounts/{SHOP}/bundle?asset={cny}",
        f"/v1/accounts/{SHOP}/movements",
        f"/v1/accounts/{SHOP}/transactions",
        f"/v1/accounts/{SHOP}/holdings",
        f"/v1/asset/balance?account={SHOP}&asset={cny}",
        f"/v1/rows/asset.holdings?key={SHOP}&key={cny}",
        f"/v1/rows/asset.holdings/proof?key={SHOP}&key={cny}",
        f"/v1/events?account={SHOP}",
        f"/v1/assets/{cny}/movements",
        f"/accounts/{SHOP}?address={ALICE}",
        "/v1/blocks/1",
        "/v1/events",
        "/v1/search?text=a",
        "/",
    ):
        answer = members.client.get(path, headers=alice)
        problem(answer, 403)
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"], path
    for path in ("/v1", "/v1/headers/1", "/v1/genesis", f"/v1/assets/{cny}", "/v1/trust"):
        assert members.client.get(path, headers=alice).status_code == 200, path


def test_what_a_body_asks_for_is_looked_at_too(members: Served) -> None:
    """
    Given a session of Alice,
    when she asks for proofs of several rows, and for dry runs,
    then they are of her rows, and as her, alone.
    """
    alice = opened(members, ALICE, key("alice"))
    cny = members.fixed.cny

    def proofs(*owners: str) -> int:
        rows = [{"table": "asset.holdings", "key": [owner, cny]} for owner in owners]
        asked = members.client.post("/v1/proofs", json={"rows": rows}, headers=alice)
        return asked.status_code

    def dry_run(wire: bytes) -> int:
        headers = alice | {"content-type": "application/json"}
        payload = decode_envelope(wire).payload
        return members.client.post("/v1/dry-runs", content=payload, headers=headers).status_code

    others = members.fixed.signed("shop", account.SetLanes(lanes=Small(2)))
    assert (proofs(ALICE), proofs(SHOP), proofs(ALICE, SHOP)) == (200, 403, 403)
    assert (dry_run(members.fixed.pay("1.00")), dry_run(others)) == (200, 403)


def test_a_challenge_opens_one_session(members: Served) -> None:
    """
    Given a challenge that has opened a session,
    when the same signature comes again, as somebody who has overheard it would send it,
    then it opens none.
    """
    signed = sign_challenge(challenge_of(members, ALICE), key("alice"))

    assert answered(members, signed).status_code == 200
    assert "answered before" in problem(answered(members, signed), 401)["detail"]


def test_nobody_opens_a_session_of_another(members: Served) -> None:
    """
    Given challenges for Alice and for the shop,
    when the wrong key signs, one is changed, is of another node or chain, or of no signature,
    then none opens a session.
    """
    mine, others = challenge_of(members, ALICE), challenge_of(members, SHOP)
    good = sign_challenge(mine, key("alice"))
    with serving() as second:
        foreign = challenge_of(second, ALICE)
    for signed in (
        sign_challenge(mine, key("shop")),
        sign_challenge(others, key("alice")),
        sign_challenge(replace(mine, account=SHOP), key("shop")),
        sign_challenge(replace(mine, ends=mine.ends + 1), key("alice")),
        sign_challenge(replace(mine, origin="https://evil.example"), key("alice")),
        sign_challenge(replace(mine, chain=replace_last(mine.chain)), key("alice")),
        sign_challenge(foreign, key("alice")),
        good[:-86] + b"A" * 86,
    ):
        problem(answered(members, signed), 401)
    for nonsense in (b"", b"a.b.c", members.fixed.pay("1.00")):
        problem(answered(members, nonsense), 400)
    assert answered(members, good).status_code == 200


def replace_last(text: str) -> str:
    """Another text of the same length."""
    return text[:-1] + ("a" if text[-1] != "a" else "b")


def test_a_challenge_of_another_host_is_not_answered(members: Served) -> None:
    """
    Given a challenge that the node made under one of its names,
    when it is answered under another one,
    then it opens no session.
    """
    signed = sign_challenge(challenge_of(members, ALICE), key("alice"))
    headers = {"content-type": "application/jose", "host": "localhost"}

    problem(members.client.post(SESSIONS_PATH, content=signed, headers=headers), 401)


def test_a_host_with_a_port_that_can_not_be_is_no_origin(members: Served) -> None:
    """
    Given a node,
    when a challenge is asked for under a port beyond all ports, and one is answered there,
    then it says what is wrong with the header Host.
    """
    headers = {"host": "127.0.0.1:65536"}
    signed = sign_challenge(challenge_of(members, ALICE), key("alice"))
    answers = (
        members.client.post(CHALLENGE_PATH, json={"account": ALICE}, headers=headers),
        members.client.post(
            SESSIONS_PATH, content=signed, headers={"content-type": "application/jose", **headers}
        ),
    )
    for answer in answers:
        assert "Host" in problem(answer, 400)["detail"]


def test_a_client_signs_no_challenge_of_another_node() -> None:
    """
    Given a challenge that a node passes on from another one, to open a session there,
    when a client is asked to sign it, or one for another account,
    then it does not.
    """
    made = Challenges("chain", lambda: 0).make(ALICE, "https://bank.example")

    check_challenge(made, "https://BANK.example:443/v1", ALICE)
    for address, whose in (
        ("https://evil.example", ALICE),
        ("http://bank.example", ALICE),
        ("https://bank.example:8443", ALICE),
        ("https://bank.example", SHOP),
    ):
        with pytest.raises(SessionError):
            check_challenge(made, address, whose)


def test_a_signature_for_a_session_is_no_transaction() -> None:
    """
    Given a signed challenge,
    when it is read as a transaction,
    then it is none: its type is another.
    """
    made = Challenges("chain", lambda: 0).make(ALICE, "https://bank.example")
    with pytest.raises(InvalidTransaction):
        decode_envelope(sign_challenge(made, key("alice")))


def test_a_session_is_ended_alone_or_with_all_of_its_account(members: Served) -> None:
    """
    Given three sessions of Alice and one of the shop,
    when one of hers is ended, and then all,
    then that one, and then each of hers is refused, and the shop's goes on.
    """
    first, second, third = (opened(members, ALICE, key("alice")) for _ in range(3))
    shop = opened(members, SHOP, key("shop"))

    def known() -> list[int]:
        asked = (first, second, third, shop)
        return [members.client.get("/v1", headers=one).status_code for one in asked]

    assert members.client.post(END_PATH, headers=first).json() == {"ended": 1}
    assert known() == [401, 200, 200, 200]
    ended = members.client.post(END_PATH, params={"which": "all"}, headers=second)
    assert ended.json() == {"ended": 2}
    assert known() == [401, 401, 401, 200]
    problem(members.client.post(END_PATH), 401)


def test_a_client_opens_its_session_and_another_when_that_has_ended(members: Served) -> None:
    """
    Given a client with an account's key, at a node for members,
    when it reads and pays, its session is ended, and it follows events of its account,
    then it goes on in a new session without anybody's doing.
    """
    auth = SessionAuth(ALICE, key("alice"))
    client = httpx2.Client(base_url=members.address, auth=auth)
    with HttpChain(members.address, client=client) as chain:
        first = auth.token
        members.client.post(END_PATH, headers=bearer(first))
        happened = chain.happenings("0.0", account=ALICE)
        assert next(happened).cursor.startswith("1.")
        assert auth.token not in ("", first)
    with HttpChain(members.address, session=(ALICE, key("alice"))) as chain:
        assert chain.wallet(ALICE, key("alice")).build() is not None
        assert chain.submit(members.fixed.pay("1.00")).height == 2
    with pytest.raises(SessionError, match="the key is none of"):
        HttpChain(members.address, session=(ALICE, key("shop")))


def test_an_asynchronous_client_does_the_same(members: Served) -> None:
    """
    Given a client with `await` and an account's key,
    when it reads what is its account's,
    then it does so in a session.
    """

    async def ask() -> int:
        signer = key("alice")
        async with await AsyncHttpChain.connect(members.address, session=(ALICE, signer)) as chain:
            found = await chain.statement(ALICE, members.fixed.cny)
            return len(found.movements)

    assert asyncio.run(ask()) == 1


def ends_by(until: float, lines: Iterator[str]) -> None:
    """A stream ends, though it would have gone on with a sign of life after each heartbeat."""
    for _ in lines:
        assert time.monotonic() < until, "the stream goes on"


def test_a_key_that_was_taken_away_reads_no_more() -> None:
    """
    Given a session that a second key of Alice has opened, and a stream that it has begun,
    when that key is removed, and ten seconds have passed by the node's clock,
    then the stream ends, the session is refused, and the key opens no other; her first key does.
    """
    added = key("alice-2")
    public = PublicKey(added.key_id)
    adding = account.AddKey(
        added=WeightedKey(key=Key(algorithm=Small(1), public=public), weight=Small(1))
    )
    clock = [wall_clock_ms()]
    path = f"/v1/events?account={ALICE}"
    members = serving(read_policy="members", heartbeat_ms=50, now_ms=lambda: clock[0])
    with members as served, ExitStack() as streaming:
        payload = decode_envelope(served.fixed.signed("alice", adding)).payload
        assert served.send(sign(payload, [key("alice"), added])).status_code == 200
        session = opened(served, ALICE, added)
        stream = served.client.stream("GET", path, headers=session, timeout=PATIENCE_S)
        lines = streaming.enter_context(stream).iter_lines()
        assert next(lines).startswith("retry")
        removing = served.fixed.signed("alice", account.RemoveKey(removed=public))
        assert served.send(removing).status_code == 200
        clock[0] += CONFIRM_MS
        ends_by(time.monotonic() + PATIENCE_S, lines)

        for _ in range(2):
            problem(served.client.get("/v1", headers=session), 401)
        problem(answered(served, sign_challenge(challenge_of(served, ALICE), added)), 401)
        assert opened(served, ALICE, key("alice"))


def test_a_stream_ends_with_its_session() -> None:
    """
    Given streams of events, over HTTP and a WebSocket, that a session of Alice has begun,
    when the session is ended,
    then both end within a heartbeat, and a WebSocket without a session is not begun.
    """
    with serving(read_policy="members", heartbeat_ms=50) as served:
        alice = opened(served, ALICE, key("alice"))
        address = served.address.replace("http", "ws")
        address += f"/v1/events/socket?account={ALICE}&after=0.0"
        with pytest.raises(InvalidStatus, match="401"):
            connect(address)
        path = f"/v1/events?account={ALICE}"
        with (
            served.client.stream("GET", path, headers=alice) as stream,
            connect(address, additional_headers=alice) as socket,
        ):
            lines = stream.iter_lines()
            assert next(lines).startswith("retry")
            assert str(socket.recv(10)).startswith('{"cursor":"1.0"')
            httpx2.post(f"{served.address}{END_PATH}", headers=alice)
            for _ in lines:
                pass
            with pytest.raises(ConnectionClosed):
                socket.recv(10)
