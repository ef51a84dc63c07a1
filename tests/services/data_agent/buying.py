"""A buyer that the test plays: from a request to rows."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx2

from tests.modules.data_steps import COUNT, DAY
from tests.services.data_agent.market import Market
from tongbao.modules import data
from tongbao.rights.envelope import take_out_of_envelope
from tongbao.rights.judge import Commitments, Order, delivery_is_committed
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.rights.opened import bought_rows
from tongbao.rights.receipt import check_receipt
from tongbao.rights.requests import DataRequest, grant_hash, request_hash
from tongbao.rights.seal import Sealed
from tongbao.sdk.data.facts import ordered_batch

LOOK_S = 0.02


def sealed_of(row: data.Order) -> Sealed:
    """What was sealed, as the ledger has it."""
    assert row.package_root and row.chunks and row.a_commit and row.b_lock
    return Sealed(
        package_root=bytes.fromhex(row.package_root),
        chunk_count=row.chunks,
        a_commit=bytes.fromhex(row.a_commit),
        b_lock=bytes.fromhex(row.b_lock),
    )


class Bought:
    """An order of bob's, from its request to its rows."""

    def __init__(self, market: Market, request: DataRequest, *, orders: bool = True) -> None:
        """Ask, and order unless that is for later."""
        self.market = market
        self.request = request
        self.secret = secrets.token_bytes(32)
        answer = market.ask(request)
        assert answer.json() == {"request_hash": request_hash(request).hex()}, answer.text
        if orders:
            self.place()

    def place(self) -> None:
        """Order what was asked for."""
        self.order = self.market.order(self.request, self.secret)

    def fetch(self) -> list[bytes]:
        """What the agent delivers, held to the ledger; `a` is kept."""
        market, place = self.market, f"/v1/deliveries/{self.order}"
        row = market.reach(self.order, "sealed", "confirmed")
        with market.asking("bob") as client:
            told = patiently(client, place).json()
            content = patiently(client, f"{place}/chunks").content
        size = SEALED_CHUNK_BYTES
        chunks = [content[at : at + size] for at in range(0, len(content), size)]
        receipt = told["receipt"].encode()
        check_receipt(receipt, self.order, row, self.request)
        grant = grant_hash(receipt)
        assert grant.hex() == row.grant_hash and len(chunks) == told["chunks"]
        envelope, name = bytes.fromhex(told["envelope"]), bytes.fromhex(self.order)
        self.a = take_out_of_envelope(self.secret, envelope, name, grant, sealed_of(row))
        assert delivery_is_committed(name, sealed_of(row), self.a, chunks)
        return chunks

    def confirm(self) -> None:
        """Say that it is there."""
        row = self.market.shown(self.order)
        assert row.grant_hash and row.package_root
        self.market.send(
            "bob",
            data.Confirm(
                order=self.order,
                grant_hash=row.grant_hash,
                package_root=row.package_root,
                nonce=data.Nonce(secrets.token_hex(16)),
            ),
        )

    def rows(self, chunks: Sequence[bytes]) -> list[Any]:
        """The counts that were bought."""
        row = self.market.reach(self.order, "revealed", "settled")
        assert row.b is not None
        batches = [self.market.chain.query(data.batch, name) for name in row.batches]
        order = Order(
            id=bytes.fromhex(self.order),
            schema=row.schema,
            schema_fields=(DAY, COUNT),
            fields=row.fields,
            batches=tuple(ordered_batch(one) for one in batches if one),
        )
        commitments = Commitments(sealed=sealed_of(row), b=bytes.fromhex(row.b))
        return [one.values[COUNT] for one in bought_rows(order, commitments, self.a, chunks)]


def patiently(client: httpx2.Client, path: str) -> httpx2.Response:
    """A good answer, from an agent that may be dead for a moment, or has to learn of its seal."""
    while True:
        with suppress(httpx2.TransportError):
            answer = client.get(path)
            if answer.status_code == httpx2.codes.OK:
                return answer
        threading.Event().wait(LOOK_S)
