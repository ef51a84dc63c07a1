"""A campaign through a network that loses and cuts: what clients report is what happened."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec
import pytest

from tests.fixed_chain import BEGIN, FixedChain, key
from tests.node.conftest import serving_chain
from tests.sdk.bad_proxy import bad_proxy
from tongbao.kernel import Address, Amount, Reference
from tongbao.kernel.envelope import decode_envelope
from tongbao.modules import asset
from tongbao.sdk.client import Applied, Refused
from tongbao.sdk.errors import Unreachable, id_and_expiry
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.local import Chain
from tongbao.sdk.wallet import Wallet
from tongbao.sdk.wallet_asynchronous import AsyncWallet

SEED: Final = 20
BADNESS: Final = 0.6
PATIENCE_S: Final = 0.15
"""So short that many calls end in Unreachable, after two attempts."""
PAYMENTS: Final = 40
BATCHES: Final = 8
BATCH: Final = 25
TOO_MUCH: Final = 7
"""Every so many payments is larger than what there is, and is refused."""

Outcomes = dict[str, str]
"""By transaction id, what a client was told: `applied HEIGHT.INDEX` or `refused NUMBER`."""


class Story:
    """One chain, whose three accounts pay each other through the proxy."""

    def __init__(self, fixed: FixedChain) -> None:
        """Nothing is reported yet."""
        self.fixed = fixed
        self.outcomes: Outcomes = {}
        self.unreachable = 0

    def amounts(self, count: int) -> Iterator[Amount]:
        """One cent, two cents, and so on, so that each amount names its payment."""
        for number in range(1, count + 1):
            text = "5000.00" if number % TOO_MUCH == 0 else f"0.{number:02d}"
            yield Amount(text)

    def pay(self, payee: Address, amount: Amount) -> asset.Transfer:
        """One payment."""
        return asset.Transfer(asset=self.fixed.cny, amount=amount, payee=payee)

    def tell(self, identifier: str, answer: Applied | Exception) -> None:
        """Note a decided answer; one transaction has one."""
        assert identifier not in self.outcomes
        if isinstance(answer, Refused):
            assert answer.transaction_id == identifier
            self.outcomes[identifier] = f"refused {answer.number}"
        else:
            assert isinstance(answer, Applied), answer
            assert answer.id == identifier
            self.outcomes[identifier] = f"applied {answer.height}.{answer.index}"

    # The four ways to submit

    def send(self, wallet: Wallet) -> None:
        """Send payments with a wallet, and settle what stays open."""
        for amount in self.amounts(PAYMENTS):
            payment = self.pay(self.fixed.shop, amount)
            undecided: bytes | None = None
            while True:
                try:
                    if undecided is None:
                        answer: Applied | Refused = wallet.send(payment)
                    else:
                        assert wallet.unsettled == (undecided,)
                        answer = wallet.settle(undecided)
                except Refused as refused:
                    answer = refused
                except Unreachable as error:
                    self.unreachable += 1
                    undecided = error.transaction
                    continue
                break
            told = answer.id if isinstance(answer, Applied) else answer.transaction_id
            self.tell(told, answer)

    async def send_asynchronously(self, wallet: AsyncWallet) -> None:
        """The same with `await`."""
        for amount in self.amounts(PAYMENTS):
            payment = self.pay(self.fixed.alice, amount)
            undecided: bytes | None = None
            while True:
                try:
                    if undecided is None:
                        answer: Applied | Refused = await wallet.send(payment)
                    else:
                        answer = await wallet.settle(undecided)
                except Refused as refused:
                    answer = refused
                except Unreachable as error:
                    self.unreachable += 1
                    undecided = error.transaction
                    continue
                break
            told = answer.id if isinstance(answer, Applied) else answer.transaction_id
            self.tell(told, answer)

    def submit_batches(self, chain: HttpChain, batches: list[list[bytes]]) -> None:
        """Submit batches, and once more whatever stays open."""
        for batch in batches:
            left = batch
            while left:
                answers = chain.submit_many(left)
                left = self.told(left, answers)

    async def submit_batches_asynchronously(
        self, chain: AsyncHttpChain, batches: list[list[bytes]]
    ) -> None:
        """The same with `await`, and every other batch one by one, all at once."""
        for number, batch in enumerate(batches):
            left = batch
            while left:
                if number % 2:
                    answers = await chain.submit_many(left)
                else:
                    answers = await asyncio.gather(*(self._attempt(chain, one) for one in left))
                left = self.told(left, answers)

    async def _attempt(self, chain: AsyncHttpChain, wire: bytes) -> Applied | Exception:
        try:
            return await chain.submit(wire)
        except (Refused, Unreachable) as error:
            return error

    def told(self, wires: list[bytes], answers: list[Applied | Exception]) -> list[bytes]:
        """Note what is decided; give back what is not."""
        left = []
        for wire, answer in zip(wires, answers, strict=True):
            if isinstance(answer, Unreachable):
                self.unreachable += 1
                assert answer.transaction == wire
                left.append(wire)
            else:
                self.tell(id_and_expiry(wire)[0], answer)
        return left

    # What is so

    def batches(self, name: str, payee: Address) -> list[list[bytes]]:
        """Signed payments of one account, a part of them too large."""
        wires = [
            self.fixed.signed(name, self.pay(payee, amount))
            for _ in range(BATCHES * BATCH // PAYMENTS)
            for amount in self.amounts(PAYMENTS)
        ]
        return [wires[at : at + BATCH] for at in range(0, len(wires), BATCH)]


def what_happened(chain: Chain, after: int) -> tuple[Outcomes, Counter[str], dict[str, set[int]]]:
    """From the blocks: outcomes, what each account gained in cents, and the nonces it used."""
    outcomes: Outcomes = {}
    gained: Counter[str] = Counter()
    used: dict[str, set[int]] = {}
    blocks = range(after + 1, chain.head().height + 1)
    count = sum(len(chain.block(height).transactions) for height in blocks)
    for one in islice(chain.happenings(after=f"{after}.99"), count):
        place = int(one.cursor.partition(".")[2])
        payload = msgspec.json.decode(
            decode_envelope(chain.block(one.height).transactions[place]).payload
        )
        nonces = used.setdefault(one.sender, set())
        assert payload["nonce"] not in nonces
        nonces.add(payload["nonce"])
        assert one.id not in outcomes
        outcomes[one.id] = f"refused {one.number}" if one.number else f"applied {one.cursor}"
        if not one.number:
            (message,) = payload["messages"]
            cents = Amount(message["amount"]).units
            gained[message["payee"]] += cents
            gained[one.sender] -= cents
    return outcomes, gained, used


def balances(chain: Chain, fixed: FixedChain) -> Counter[str]:
    """What the three accounts hold, in cents."""
    found: Counter[str] = Counter()
    for name in (fixed.bank, fixed.alice, fixed.shop):
        held = chain.query(asset.balance, name, fixed.cny)
        found[name] = 0 if held is None else held.amount.units
    return found


def fund(fixed: FixedChain) -> None:
    """Let all three have enough."""
    issues = [
        asset.Issue(
            asset=fixed.cny,
            amount=Amount("1000.00"),
            payee=payee,
            reference=Reference(f"fund-{place}"),
        )
        for place, payee in enumerate((fixed.bank, fixed.alice, fixed.shop))
    ]
    fixed.make(fixed.signed("bank", *issues))


@pytest.mark.parametrize("colour", ["synchronous", "asynchronous"])
def test_what_clients_report_through_a_bad_network_is_what_happened(colour: str) -> None:
    """
    Given a proxy that drops, cuts, delays or answers 503 to three of five requests,
    when a wallet sends payments and another account submits batches through it, with settling,
    then ids, outcomes, balances and nonces are what the clients report: nothing twice, nothing
    lost, and every kind of fault has occurred.
    """
    fixed = FixedChain()
    fund(fixed)
    story = Story(fixed)
    payee = fixed.alice if colour == "synchronous" else fixed.shop
    batches = story.batches("bank", payee)
    with fixed.running(lambda: BEGIN + 60_000) as chain, serving_chain(fixed, chain) as served:
        before, start = balances(chain, fixed), chain.head().height
        with bad_proxy(served.address, SEED, BADNESS) as (address, counts):
            if colour == "synchronous":
                synchronous(story, address, batches)
            else:
                asyncio.run(asynchronous(story, address, batches))
        outcomes, gained, used = what_happened(chain, start)
        after = balances(chain, fixed)
        nexts = {name: chain.next_nonce(Address(name)) for name in used}

    print(f"{colour}: {len(outcomes)} transactions, {story.unreachable} times unreachable")
    print("; ".join(f"{name}: {count}" for name, count in counts.items()))
    assert all(counts.values()), counts
    assert story.unreachable > 0
    assert story.outcomes == outcomes
    assert len(outcomes) == PAYMENTS + BATCHES * BATCH
    assert len([one for one in outcomes.values() if one.startswith("refused")]) > TOO_MUCH
    assert dict(after) == {name: before[name] + gained[name] for name in before}
    assert nexts == {name: max(nonces) + 1 for name, nonces in used.items()}


def synchronous(story: Story, address: str, batches: list[list[bytes]]) -> None:
    """Both ways of submitting, one after the other."""
    fixed = story.fixed
    with patient(address) as chain:
        story.send(chain.wallet(fixed.alice, key("alice")))
        story.submit_batches(chain, batches)


def briefly(seconds: float) -> None:
    """Pause for a tenth of what is asked for."""
    threading.Event().wait(seconds * 0.1)


def patient(address: str) -> HttpChain:
    """A client whose hello came through, with little patience from then on."""
    chain = HttpChain(address, patience_s=60, wait=briefly)
    chain.patience_s = PATIENCE_S
    return chain


async def asynchronous(story: Story, address: str, batches: list[list[bytes]]) -> None:
    """Both at once."""
    fixed = story.fixed
    async with await AsyncHttpChain.connect(address, patience_s=60) as chain:
        chain.patience_s = PATIENCE_S
        await asyncio.gather(
            story.send_asynchronously(chain.wallet(fixed.shop, key("shop"))),
            story.submit_batches_asynchronously(chain, batches),
        )
