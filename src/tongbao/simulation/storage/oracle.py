"""What must be true whenever a chain opens: nothing acknowledged is lost, nothing happens twice.

Acknowledged is what was told to somebody: the outcome of a transaction in a block that was made,
or that was found when the chain was opened again. Every block that is there is played by the
independent model, which must come to the same receipts and, at the end, to the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tongbao.engines.solo.header import header_hash, read_header
from tongbao.kernel import Genesis, Registry
from tongbao.kernel.genesis import chain_id, hash_of
from tongbao.kernel.state import after_prefix
from tongbao.simulation.model import rows_of
from tongbao.simulation.modelled import given_of, model_of
from tongbao.simulation.storage.traffic import Sent
from tongbao.store.errors import Pruned
from tongbao.store.interface import AnyStore
from tongbao.store.record import FIRST_REFUSAL, BlockRecord, Status


class Oracle:
    """Remembers what was sent and told, and holds a chain to it."""

    def __init__(self, genesis: Genesis, registry: Registry) -> None:
        """A chain before its first block."""
        self.sent: dict[bytes, Sent] = {}
        self._by_wire: dict[bytes, Sent] = {}
        self.told: list[BlockRecord] = []
        self._registry = registry
        self._chain = chain_id(genesis)
        self._genesis_hash = hash_of(genesis).hex()
        self._places: dict[bytes, Status] = {}
        self._model = model_of(genesis, registry)

    def send(self, sent: Sent) -> None:
        """Somebody sends this, and will want to know what became of it."""
        self.sent[sent.id] = self._by_wire[sent.submission.wire] = sent

    def tell(self, record: BlockRecord) -> None:
        """A block's outcomes are told to who waits for them: from now on they are promised."""
        assert record.height == len(self.told), "a height was skipped, or made twice"
        self._check_header(record)
        self._check_receipts(record)
        for at, (transaction_id, number) in enumerate(record.outbox):
            assert transaction_id not in self._places, "a transaction happened twice"
            assert number == 0 or number >= FIRST_REFUSAL, "an invalid one is in a block"
            self._places[transaction_id] = Status(record.height, at, number)
        self.told.append(record)

    def unanswered(self) -> list[Sent]:
        """What was sent and not answered: its senders ask, or send it again."""
        return [sent for name, sent in self.sent.items() if name not in self._places]

    def check(self, store: AnyStore, wanted_from: int = 0) -> None:
        """Hold an open chain to everything that was told; bodies are wanted from a block on."""
        assert store.first <= wanted_from, "bodies are gone that were wanted"
        assert store.height >= len(self.told) - 1, (
            f"blocks that were acknowledged are lost: {store.height} of {len(self.told) - 1}"
        )
        for record in self.told[: store.first]:
            with suppress(Pruned):
                store.block(record.height)
                raise AssertionError("a pruned body is there")
        for record in self.told[store.first :]:
            assert store.block(record.height) == record, f"block {record.height} is another one"
        for height in range(len(self.told), store.height + 1):
            self.tell(store.block(height))
        headers = store.headers(0, store.height)
        assert [line.header for line in headers] == [record.header for record in self.told]
        for name in self.sent:
            found, wanted = store.status(name), self._places.get(name)
            assert found == wanted, f"the status of a transaction is {found}, not {wanted}"

    def check_rows(self, store: AnyStore) -> None:
        """Every row against the model's books; the store's rows are up to its log."""
        wanted = rows_of(self._model)
        found = dict(self._found(store, set(wanted)))
        for name, rows in found.items():
            assert rows == wanted[name], f"rows of {name} differ from the model's"

    def _found(self, store: AnyStore, names: set[str]) -> Iterator[tuple[str, dict[Any, Any]]]:
        for prefix, table in self._registry.tables.items():
            name = f"{table.module.name}.{table.name}"
            if name in names:
                rows = store.scan(prefix, after_prefix(prefix))
                yield name, {table.key_of(key): json.loads(value) for key, value in rows}

    def _check_header(self, record: BlockRecord) -> None:
        header, _ = read_header(record.header)
        previous = (
            header_hash(read_header(self.told[-1].header)[0]) if self.told else self._genesis_hash
        )
        assert (header.chain, header.height, header.time, header.previous) == (
            self._chain,
            record.height,
            record.time,
            previous,
        ), "the chain of headers is broken"

    def _check_receipts(self, record: BlockRecord) -> None:
        """The model's receipts for a block, that of due work last where there was any."""
        if record.height == 0:
            return
        sent = [self._by_wire[wire] for wire in record.transactions]
        given = [given_of(one.submission) for one in sent]
        receipts, due = self._model.block(record.height, record.time, given)
        wanted = [*receipts, *([] if due is None else [due])]
        found = [json.loads(receipt) for receipt in record.receipts]
        assert found == wanted, f"block {record.height} has {found}, the model {wanted}"
