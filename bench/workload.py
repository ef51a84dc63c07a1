"""Many funded accounts, payments between them that are signed beforehand, and a chain of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tongbao.engines.solo import Options, Producer, SoloEngine
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import (
    Amount,
    AssetCode,
    AssetId,
    ChainId,
    Machine,
    Message,
    Reference,
    Small,
    Time,
)
from tongbao.kernel.genesis import Section, chain_id
from tongbao.modules import asset
from tongbao.modules.registry import registry
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import open_producer
from tongbao.sdk.signer import SoftwareKey
from tongbao.store.store import Store

ISSUES_AT_ONCE = 200
SAMPLES = 1_000
AUTHORITY_SEED = bytes(32)
AUTHORITY = SoftwareKey.from_seed(AUTHORITY_SEED)


class Accounts:
    """Accounts of a genesis file, and what they sign; account 0 is the bank."""

    def __init__(self, accounts: int) -> None:
        """Make the keys of so many accounts; `chain_id` is set by whoever begins the chain."""
        self.keys = [
            SoftwareKey.from_seed(sha256(b"bench" + at.to_bytes(8, "big")).digest())
            for at in range(accounts)
        ]
        self.openings = tuple(single_key(key.key_id) for key in self.keys)
        self.addresses = [genesis_address(at) for at in range(accounts)]
        self.chain_id = ChainId("")
        self.usd = AssetId(f"USD.{self.addresses[0]}")
        self.nonces = [0] * accounts
        self.random = random.Random(1)
        self._samples: list[bytes] = []

    def funding(self) -> list[bytes]:
        """The transactions that define the asset and give everybody some."""
        messages: list[Message] = [asset.Define(code=AssetCode("USD"), scale=Small(2))]
        messages += self.admitted()
        messages += [
            asset.Issue(
                asset=self.usd,
                amount=Amount("1000000.00"),
                payee=address,
                reference=Reference(f"bench-{at}"),
            )
            for at, address in enumerate(self.addresses)
        ]
        return [
            self._signed(0, tuple(messages[at : at + ISSUES_AT_ONCE]))
            for at in range(0, len(messages), ISSUES_AT_ONCE)
        ]

    def admitted(self) -> list[Message]:
        """What the bank sends between defining the asset and issuing it: nothing."""
        return []

    def signed(self, account: int, *messages: Message) -> bytes:
        """A transaction of an account."""
        return self._signed(account, messages)

    def _signed(self, account: int, messages: tuple[Message, ...]) -> bytes:
        self.nonces[account] += 1
        expires = Time(wall_clock() + 3_600_000)
        sender = self.addresses[account]
        payload = payload_bytes(self.chain_id, sender, self.nonces[account], expires, messages)
        return sign(payload, (self.keys[account],))

    def samples(self, count: int) -> list[bytes]:
        """Bytes that look like so many payments: the same signed ones again and again."""
        if not self._samples:
            before, self.nonces = self.nonces, list(self.nonces)
            self._samples = self.payments(SAMPLES)
            self.nonces = before
        return [self._samples[at % SAMPLES] for at in range(count)]

    def payments(self, count: int, together: int = 1) -> list[bytes]:
        """Signed transactions of `together` payments each, all accounts drawn at random."""
        return [self._paying(payer, payees) for payer, *payees in self.draw(count, together)]

    def from_one(self, payer: int, together: int) -> bytes:
        """A signed transaction in which one account pays others drawn at random."""
        others = [each for each in range(len(self.keys)) if each != payer]
        return self._paying(payer, self.random.sample(others, together))

    def _paying(self, payer: int, payees: list[int]) -> bytes:
        messages = tuple(
            asset.Transfer(
                asset=self.usd,
                amount=Amount.of(self.random.randint(1, 100), 2),
                payee=self.addresses[payee],
            )
            for payee in payees
        )
        return self._signed(payer, messages)

    def draw(self, count: int, together: int = 1) -> Iterator[list[int]]:
        """Accounts of so many transactions: the payer of each, then the payees."""
        for _ in range(count):
            yield self.random.sample(range(len(self.keys)), 1 + together)


class Workload(Accounts):
    """A chain with one authority, and its accounts."""

    def __init__(self, folder: Path, accounts: int) -> None:
        """Begin a chain in `folder` with `accounts` accounts that hold money."""
        super().__init__(accounts)
        self.folder = Folder(folder)
        genesis = build_genesis(
            *(registry(), "bench", wall_clock(), AUTHORITY.key_id, self.openings),
            *(self.parameters(), self.sections()),
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.store = Store.open(folder, chain=chain_id(genesis))
        machine = Machine(registry(), genesis, self.store, -1, 0)
        self.producer = Producer(machine, self.store, AUTHORITY)
        self.producer.begin()
        self.producer.maintain(idle=True)
        self.chain_id = machine.chain
        self._fund()

    def parameters(self) -> dict[str, int]:
        """What genesis sets other than declared."""
        return {}

    def sections(self) -> tuple[Section, ...]:
        """What genesis says to modules besides the accounts."""
        return ()

    def _fund(self) -> None:
        wires = self.funding()
        for at in range(0, len(wires), 50):
            made = self.producer.make(tuple(wires[at : at + 50]), wall_clock())
            assert made is not None and not made.invalid
            assert not any(result.number for result in made.decided.results)
            self.producer.maintain(idle=True)

    def lay_out(self) -> None:
        """Close the chain, and write the files of a folder that `tongbao run` serves."""
        self.store.close()
        if not self.folder.exists:
            self.folder.lay_out(self.producer.machine.genesis_file)

    def reopen(self) -> None:
        """Open the chain again after it was closed, as a start of a node does."""
        genesis = self.producer.machine.genesis_file
        self.producer, self.store = open_producer(self.folder, genesis, AUTHORITY)

    def chain(self, options: Options) -> Chain:
        """The chain behind its engine, as applications have it."""
        engine = SoloEngine(self.producer, options)
        engine.start()
        return Chain(engine, self.store, self.producer.machine.genesis_file)
