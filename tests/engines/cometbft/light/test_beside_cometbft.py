"""Our light client beside CometBFT's own, on one chain: both believe and refuse the same."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.engines.cometbft.light.beside import light_client, relay, relayed, unchanged
from tests.engines.cometbft.whole_node import begun
from tests.sdk.kept_chain import pay
from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.form import parts_of
from tongbao.engines.cometbft.light.hashes import header_hash
from tongbao.engines.cometbft.light.rpc_forms import light_block_of
from tongbao.engines.cometbft.light.types import LightBlock
from tongbao.engines.cometbft.light.verifier import Terms, Trusted, trusted_after, verify
from tongbao.engines.cometbft.rpc import Rpc
from tongbao.engines.cometbft.rpc_answers import SignedHeaderJson, ValidatorsAnswer
from tongbao.engines.solo.engine import wall_clock

DAY = 86_400 * 10**9
FIRST = 1
NEXT = 2
LATER = 4


class Running(NamedTuple):
    """A chain of a real CometBFT, and where its RPC is."""

    chain: str
    rpc: Path
    last: int


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Started once, with some blocks."""
    folder = tmp_path_factory.mktemp("beside")
    with begun(folder) as (chain, operator, shop):
        for _ in range(3):
            operator.send(pay(shop, "0.01"))
        text = (folder / "cometbft" / "config" / "config.toml").read_text()
        found = re.search(r'laddr = "unix://(.*rpc\.sock)"', text)
        assert found is not None
        yield Running(chain.id, Path(found[1]), chain.head().height)


def asked(running: Running, height: int, changes: Any) -> LightBlock:
    """A light block as a liar tells it."""
    told = {}
    for method in ("commit", "validators"):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"height": str(height)}}
        told[method] = msgspec.json.decode(relayed(running.rpc, call, changes))["result"]
    signed = msgspec.convert(told["commit"]["signed_header"], SignedHeaderJson, strict=False)
    validators = msgspec.convert(told["validators"], ValidatorsAnswer, strict=False).validators
    return light_block_of(signed, validators)


def terms() -> Terms:
    """CometBFT's own: a day's trust, ten seconds of drift."""
    return Terms(wall_clock() * 10**6, DAY, 10 * 10**9)


def first(running: Running) -> Trusted:
    """Trust in block 1."""
    return trusted_after(asked(running, FIRST, unchanged))


def test_both_believe_the_same_headers(running: Running, tmp_path: Path) -> None:
    """
    Given a chain that a real CometBFT has made and trust in block 1,
    when `cometbft light` and ours are asked for each later header,
    then both believe it, and it has the hash that its votes name.
    """
    trusted = first(running)
    with (
        relay(running.rpc, unchanged) as address,
        light_client(address, running.chain, FIRST, trusted.hash.hex(), tmp_path) as theirs,
    ):
        for height in range(NEXT, running.last + 1):
            ours = verify(trusted, asked(running, height, unchanged), terms())
            believed = theirs.commit(height)
            assert believed is not None
            assert believed["commit"]["block_id"]["hash"] == ours.hash.hex().upper()


def commits(change: Callable[[Any], None]) -> Callable[[int], Any]:
    """Lie about the commit of a height."""

    def at(height: int) -> Any:
        def changes(method: str, parameters: dict[str, Any], result: Any) -> None:
            if method == "commit" and result["signed_header"]["header"]["height"] == str(height):
                change(result["signed_header"])

        return changes

    return at


def validators(change: Callable[[Any], None]) -> Callable[[int], Any]:
    """Lie about the validators of a height."""

    def at(height: int) -> Any:
        def changes(method: str, parameters: dict[str, Any], result: Any) -> None:
            if method == "validators" and result["block_height"] == str(height):
                change(result["validators"])

        return changes

    return at


def rehashed(change: Callable[[Any], None]) -> Callable[[int], Any]:
    """Lie about a header, and give its votes the hash that it has then."""

    def forge(signed: Any) -> None:
        change(signed["header"])
        found = msgspec.convert(signed, SignedHeaderJson, strict=False)
        header, _, _ = parts_of(light_block_of(found, []))
        signed["commit"]["block_id"]["hash"] = header_hash(header).hex().upper()

    return commits(forge)


def setting(member: str, value: Any) -> Callable[[Any], None]:
    """Give a member another value."""

    def change(found: Any) -> None:
        found[member] = value

    return change


def voting(**members: Any) -> Callable[[Any], None]:
    """Change the only vote."""

    def change(signed: Any) -> None:
        signed["commit"]["signatures"][0].update(members)

    return change


NOBODY = {"signature": None, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z"}
LIES: dict[str, tuple[Callable[[int], Any], Fault]] = {
    "an app hash": (rehashed(setting("app_hash", "AB" * 32)), Fault.WRONG_SIGNATURE),
    "an app hash alone": (
        commits(lambda signed: signed["header"].update(app_hash="AB" * 32)),
        Fault.OTHER_BLOCK,
    ),
    "a time to come": (
        rehashed(setting("time", "2100-01-01T00:00:00Z")),
        Fault.AHEAD,
    ),
    "a signature": (
        commits(voting(signature=base64.b64encode(bytes(64)).decode())),
        Fault.WRONG_SIGNATURE,
    ),
    "a vote for none": (commits(voting(block_id_flag=3)), Fault.TOO_LITTLE_TRUST),
    "an absent vote": (commits(voting(block_id_flag=1, **NOBODY)), Fault.TOO_LITTLE_TRUST),
    "a round": (
        commits(lambda signed: signed["commit"].update(round=7)),
        Fault.WRONG_SIGNATURE,
    ),
    "a power": (
        validators(lambda found: found[0].update(voting_power="7")),
        Fault.OTHER_VALIDATORS,
    ),
}
AS_NEXT = {Fault.TOO_LITTLE_TRUST: Fault.TOO_FEW_VOTES}
"""The next header's validators are known, so that only their majority is asked for."""


@pytest.mark.parametrize("what", LIES)
def test_both_refuse_the_same_lies(running: Running, tmp_path: Path, what: str) -> None:
    """
    Given a node that lies about a header, its votes or its validators,
    when `cometbft light` and ours are asked for a later header and for the next one,
    then neither believes it.
    """
    trusted = first(running)
    lie, fault = LIES[what]
    for height, expected in ((LATER, fault), (NEXT, AS_NEXT.get(fault, fault))):
        with pytest.raises(LightError) as caught:
            verify(trusted, asked(running, height, lie(height)), terms())
        assert caught.value.fault is expected
        home = tmp_path / str(height)
        with (
            relay(running.rpc, lie(height)) as address,
            light_client(address, running.chain, FIRST, trusted.hash.hex(), home) as theirs,
        ):
            assert theirs.commit(height) is None
            assert theirs.commit(FIRST) is not None


def test_the_rpc_client_gives_the_same_light_blocks(running: Running) -> None:
    """
    Given the client of CometBFT's RPC that a node has,
    when it is asked for a height,
    then its light block is the one that was judged here.
    """
    rpc = Rpc(running.rpc)
    found = light_block_of(rpc.commit(LATER), rpc.validators(LATER))
    rpc.close()
    assert found == asked(running, LATER, unchanged)
