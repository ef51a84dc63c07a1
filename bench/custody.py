"""A chain of many accounts that were opened and funded by transactions, so its genesis is small.

An institution opens the accounts of its customers under one key of its own: one signature covers
all that a transaction opens.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from bench.workload import AUTHORITY
from tongbao.engines.solo import Producer
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    ChainId,
    Id,
    Message,
    Reference,
    Small,
    Time,
)
from tongbao.modules import account, asset
from tongbao.modules.registry import registry
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.opening import open_producer
from tongbao.sdk.signer import SoftwareKey

BANK = SoftwareKey.from_seed(bytes([1]) * 32)
CUSTODY = SoftwareKey.from_seed(bytes([2]) * 32)
OPENED_AT_ONCE = 250
FUNDED_AT_ONCE = 200
A_BLOCK = 20
HOUR_MS = 3_600_000


class Custody:
    """The folder of such a chain, and signed payments between its accounts."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; `build` makes the chain."""
        self.folder = Folder(folder)
        self.bank = genesis_address(0)
        self.usd = AssetId(f"USD.{self.bank}")
        self.accounts: list[Address] = []
        self.nonces: dict[Address, int] = {}
        self.random = random.Random(1)
        self.chain_id = ChainId("")

    def open(self) -> Producer:
        """The chain, ready to decide, as a node's start makes it ready."""
        return open_producer(self.folder, self.folder.genesis(), AUTHORITY)[0]

    def build(self, accounts: int) -> None:
        """Begin the chain, open the accounts and fund each."""
        genesis = build_genesis(
            registry(), "custody", wall_clock(), AUTHORITY.key_id, (single_key(BANK.key_id),)
        )
        self.folder.lay_out(genesis)
        producer = self.open()
        self.chain_id = producer.machine.chain
        opening: Message = account.Open(
            keys=single_key(CUSTODY.key_id).keys,
            ordinary=Small(1),
            sensitive=Small(1),
            lanes=Small(1),
        )
        for wires in self._blocks([opening] * accounts, OPENED_AT_ONCE, (BANK, CUSTODY)):
            self.accounts += map(Address, self._made(producer, wires))
        self._made(producer, [self._signed(self.bank, self._usd(), (BANK,))])
        funding = [self._transfer(payee, Amount("1000.00")) for payee in self.accounts]
        for wires in self._blocks(funding, FUNDED_AT_ONCE, (BANK,)):
            self._made(producer, wires)
        producer.store.close()

    def payments(self, count: int) -> list[bytes]:
        """Signed payments between accounts drawn at random."""
        found = []
        for _ in range(count):
            payer, payee = self.random.sample(self.accounts, 2)
            amount = Amount.of(self.random.randint(1, 100), 2)
            found.append(self._signed(payer, (self._transfer(payee, amount),), (CUSTODY,)))
        return found

    def _usd(self) -> tuple[Message, ...]:
        """The asset, all of it in the bank's hands."""
        define = asset.Define(code=AssetCode("USD"), scale=Small(2))
        all_of_it = Amount("90000000000000.00")
        why = Reference("bench")
        return define, asset.Issue(asset=self.usd, amount=all_of_it, payee=self.bank, reference=why)

    def _transfer(self, payee: Address, amount: Amount) -> Message:
        return asset.Transfer(asset=self.usd, amount=amount, payee=payee)

    def _blocks(
        self, messages: list[Message], at_once: int, keys: tuple[SoftwareKey, ...]
    ) -> Iterator[list[bytes]]:
        """Transactions of the bank with `at_once` messages each, a block's worth at a time."""
        parts = [tuple(messages[at : at + at_once]) for at in range(0, len(messages), at_once)]
        for at in range(0, len(parts), A_BLOCK):
            yield [self._signed(self.bank, part, keys) for part in parts[at : at + A_BLOCK]]

    def _signed(
        self, sender: Address, messages: tuple[Message, ...], keys: tuple[SoftwareKey, ...]
    ) -> bytes:
        nonce = self.nonces[sender] = self.nonces.get(sender, 0) + 1
        expires = Time(wall_clock() + HOUR_MS)
        return sign(payload_bytes(self.chain_id, sender, nonce, expires, messages), keys)

    def _made(self, producer: Producer, wires: list[bytes]) -> list[Id]:
        """Make a block of transactions that all apply; the ids of what they made."""
        made = producer.make(tuple(wires), wall_clock())
        assert made is not None and not made.invalid
        assert not any(result.number for result in made.decided.results)
        producer.maintain(idle=False)
        decode = producer.machine.registry.receipt_decoder.decode
        return [each for receipt in made.decided.receipts for each in decode(receipt).ids]
