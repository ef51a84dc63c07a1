"""A history with its index, and the plain way to the same answers: walk all receipts, all of it."""

from __future__ import annotations

import json
from typing import Any

from tongbao.engines.solo import Producer
from tongbao.index import Movement, Recalled
from tongbao.kernel import Machine
from tongbao.kernel.envelope import decode_envelope
from tongbao.modules.registry import registry
from tongbao.store.memory import MemoryStore
from tongbao.store.record import BlockRecord
from tongbao.testing.genesis import PEOPLE, genesis_of
from tongbao.testing.histories import History
from tongbao.testing.keys import named_key

PAYING = ("asset.issue", "asset.redeem", "asset.transfer")


def random_blocks(seed: str, transactions: int) -> tuple[str, list[BlockRecord]]:
    """A chain's id, and the records of a random history of it."""
    store = MemoryStore()
    machine = Machine(registry(), genesis_of(registry()), store, -1, 0)
    producer = Producer(machine, store, named_key("authority"))
    producer.begin()
    producer.maintain(idle=True)
    history = History(machine, seed, transactions, [named_key(person) for person in PEOPLE])
    for step in history.steps():
        wires = tuple(dict.fromkeys(found.wire for found in step.submissions))
        producer.make(wires, step.time)
        producer.maintain(idle=True)
        history.world.refresh()
    return machine.chain, [store.block(height) for height in range(store.height + 1)]


class Oracle:
    """All movements and transactions of some blocks, the newest first."""

    def __init__(self, records: list[BlockRecord]) -> None:
        """Walk them."""
        self.movements: list[Movement] = []
        self.transactions: list[Recalled] = []
        self.references: dict[tuple[int, int], set[str]] = {}
        for record in records:
            for index, wire in enumerate(record.transactions):
                payload = json.loads(decode_envelope(wire).payload)
                self._take(record, index, payload, json.loads(record.receipts[index]))
            if len(record.receipts) > len(record.transactions):
                due = json.loads(record.receipts[-1])
                self._take(record, len(record.transactions), {}, due)
        self.movements.reverse()
        self.transactions.reverse()

    def _take(self, record: BlockRecord, index: int, payload: Any, receipt: Any) -> None:
        identifier, number = record.outbox[index] if payload else (b"", 0)
        own = payload.get("reference")
        messages = payload.get("messages", [])
        paying = [message for message in messages if message["@type"] in PAYING]
        moved = [one for one in receipt.get("events", ()) if one["@type"] == "asset.moved"]
        for place, event in enumerate(moved):
            reference = own
            if paying and all(
                event.get(member) == paying[0].get(member)
                for member in ("asset", "amount", "payee")
            ):
                reference = paying.pop(0).get("reference", own)
            self.movements.append(
                Movement(
                    record.height,
                    index,
                    place,
                    record.time,
                    identifier.hex(),
                    event["asset"],
                    event["amount"],
                    event.get("payer"),
                    event.get("payee"),
                    reference,
                )
            )
        self.transactions.append(
            Recalled(
                record.height,
                index,
                record.time,
                identifier.hex(),
                payload.get("sender", ""),
                number,
                own,
                len(moved),
            )
        )
        said = [own, *(message.get("reference") for message in messages)]
        self.references[record.height, index] = {text for text in said if text is not None}

    def movements_of(self, account: str, asset: str | None = None) -> list[Movement]:
        """Those from or to an account."""
        return [
            one
            for one in self.movements
            if account in (one.payer, one.payee) and asset in (None, one.asset)
        ]

    def transactions_of(self, account: str) -> list[Recalled]:
        """Those that an account sent, or that moved value from or to it."""
        touched = {(one.height, one.index) for one in self.movements_of(account)}
        return [
            one
            for one in self.transactions
            if one.sender == account or (one.height, one.index) in touched
        ]

    def by_reference(self, reference: str) -> list[Recalled]:
        """Those that bear a reference."""
        return [
            one for one in self.transactions if reference in self.references[one.height, one.index]
        ]

    @property
    def accounts(self) -> list[str]:
        """Every account or vault that occurs."""
        found = {one.sender for one in self.transactions}
        for one in self.movements:
            found |= {one.payer or "", one.payee or ""}
        return sorted(found - {""})

    @property
    def assets(self) -> list[str]:
        """Every asset that moved."""
        return sorted({one.asset for one in self.movements})
