"""The steps of an order at an agent: each is on the disk before the next is taken.

    open       -> sealing    halves drawn, package in the store, a, b and envelope in the vault,
                             receipt and the signed Seal in the journal; then Seal is sent
               -> refused    by a rule, for now: it is looked at again while the order is open
    sealing    -> sealed     the ledger has our b_lock
    confirmed  -> confirmed  Reveal is sent; or `withheld`, where less than the margin is left
    any end    -> its phase  a, b, envelope and package are destroyed

`consider` brings one order as far as it goes now, whatever happened before: it asks the ledger, and
takes the step that follows from the journal's line. It may be called at any time, also twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from tongbao.kernel import Hash, Id, Invalid, InvalidTransaction
from tongbao.kernel.envelope import decode_base64url
from tongbao.modules import data
from tongbao.rights.chunks import DoesNotOpen, TooLarge
from tongbao.rights.copies import BadCopy
from tongbao.rights.envelope import envelope_info, put_into_envelope
from tongbao.rights.halves import draw_halves
from tongbao.rights.receipt import BadReceipt, make_receipt
from tongbao.rights.requests import DataRequest, grant_hash
from tongbao.rights.schema import BadRow
from tongbao.rights.seal import Sealed, seal_package
from tongbao.sdk.client import AlreadyDecided
from tongbao.sdk.client import Refused as LedgerRefused
from tongbao.sdk.data.parties import institution_of
from tongbao.sdk.data.store_client import StoreRefused
from tongbao.sdk.errors import NodeError, Unreachable, id_and_expiry
from tongbao.sdk.keystore_errors import KeystoreError
from tongbao.sdk.vault import Vault
from tongbao.sdk.wallet import Wallet
from tongbao.services.data_agent.decision import Facts, OrderState, Refuse, decide, is_repeated
from tongbao.services.data_agent.heard import Requests, terms_of
from tongbao.services.data_agent.held import HeldCopies
from tongbao.services.data_agent.journal import Journal, Row, vault_name_of_order
from tongbao.services.data_agent.ledger import ENDED, Ledger
from tongbao.services.data_agent.refusals import Refusal
from tongbao.services.data_agent.shelf import Shelf
from tongbao.services.data_agent.sizes import least_chunks

log = structlog.get_logger("tongbao.services.data_agent")

SEALING: Final = "sealing"
REFUSED: Final = "refused"
WITHHELD: Final = "withheld"
ELSEWHERE: Final = "elsewhere"
"""The owner, or another agent, has sealed it."""
SERVED: Final = ("sealed", "confirmed", "revealed", WITHHELD)
"""Steps in which the buyer gets envelope and chunks."""
OVER: Final = (*ENDED, ELSEWHERE)
TAKEN: Final = (Invalid.NONCE_WAS_USED, Invalid.NONCE_IS_TOO_OLD)
"""Somebody else has sent as this account: what has the nonce never happens."""
NS_PER_MS: Final = 1_000_000


class Secret(Struct, frozen=True, kw_only=True):
    """What the vault has of an order, in hex: it goes when the order ends."""

    a: str
    b: str
    envelope: str


class Line(Struct, frozen=True, kw_only=True):
    """An order's line in the journal."""

    id: str
    owner: str
    buyer: str
    request: str
    step: str
    refused: int = 0
    blob: str = ""
    chunks: int = 0
    b_lock: str = ""
    sealing: bytes | None = None
    receipt: bytes | None = None


KEEP_ORDER: Final = """
INSERT INTO orders (id, owner, buyer, request, step, refused, blob, chunks, b_lock, sealing,
  receipt, at)
VALUES (:id, :owner, :buyer, :request, :step, :refused, :blob, :chunks, :b_lock, :sealing,
  :receipt, :at)
ON CONFLICT (id) DO UPDATE SET step = :step, refused = :refused, blob = :blob, chunks = :chunks,
  b_lock = :b_lock, sealing = :sealing, receipt = :receipt, at = :at
"""


LAST_IN_LINE: Final = "UPDATE orders SET number = (SELECT max(number) + 1 FROM orders) WHERE id = ?"
"""Deliveries are numbered as they come to be served: a cursor passes none that comes later."""


def line_of(name: str, order: data.Order, step: str, **sealed: Any) -> Line:
    """The line of an order at a step, with what was sealed for it."""
    return Line(
        id=name,
        owner=order.owner,
        buyer=order.buyer,
        request=order.request_hash,
        step=step,
        **sealed,
    )


class Selling:
    """The orders of one agent. Any thread may call; one thread at a time for one order."""

    def __init__(self, journal: Journal, vault: Vault, shelf: Shelf, requests: Requests) -> None:
        """With what the agent keeps, and what it has heard."""
        self._journal = journal
        self._vault = vault
        self._shelf = shelf
        self._requests = requests

    def act_as(self, ledger: Ledger, wallet: Wallet) -> None:
        """Ask this ledger, and send as this account."""
        self._ledger = ledger
        self._wallet = wallet

    def tidy(self) -> None:
        """Destroy secrets that a start finds without their order: it ended, or never began."""
        held = {
            vault_name_of_order(row["id"])
            for row in self._journal.rows("SELECT id, step FROM orders")
            if row["step"] == SEALING or row["step"] in SERVED or row["step"] == "claimed"
        }
        for name in self._vault.names():
            if name.startswith(vault_name_of_order("")) and name not in held:
                self._shelf.forget_key(name)

    def row(self, name: str) -> Row | None:
        """The journal's line of an order."""
        return self._journal.row("SELECT * FROM orders WHERE id = ?", name)

    def serves(self, row: Row) -> bool:
        """Whether the buyer gets envelope and chunks: also while only the ledger knows of the seal.

        A buyer that follows the chain asks before the agent has heard what its Seal came to.
        """
        if row["step"] != SEALING:
            return row["step"] in SERVED
        order = self._ledger.order(row["id"])
        return order is not None and order.phase == "sealed" and order.b_lock == row["b_lock"]

    def secret(self, name: str) -> Secret:
        """What the vault has of an order. Raises KeyError after its end."""
        return msgspec.json.decode(self._vault.get(vault_name_of_order(name)), type=Secret)

    def consider(self, name: str) -> None:
        """Bring an order as far as it goes now. Raises what the clients of node and store raise."""
        order, row = self._ledger.order(name), self.row(name)
        if order is None or (row is not None and row["step"] in OVER):
            return
        if row is None and not (order.phase == "open" and self._requests.knows(order.owner)):
            return
        if order.phase == "open":
            if row is not None and row["step"] == SEALING:
                self._send(row)
            else:
                self._open(Id(name), order)
            return
        assert row is not None
        if order.phase in ENDED:
            self._end(row, str(order.phase))
        elif row["b_lock"] != order.b_lock:
            self._end(row, ELSEWHERE)
        elif order.phase == "confirmed":
            self._reveal(row, order)
        else:
            self._step(name, str(order.phase))

    # open

    def _open(self, name: Id, order: data.Order) -> None:
        """Seal an open order, or say why not."""
        heard = self._requests.heard(order.request_hash)
        now = self._ledger.now()
        terms = terms_of(order)
        state = OrderState(
            requested=None if heard is None else terms_of(heard[0]),
            heard_at=0 if heard is None else heard[1],
            used=self._is_used(order.request_hash, name),
            deadline=self._ledger.deadline(order),
            frozen_until=order.frozen_until,
            bond=self._ledger.asked_bond(order),
            free=self._ledger.free_bond(self._wallet.address, order.asset),
        )
        facts = msgspec.structs.replace(self._requests.facts(terms, now), state=state)
        found = decide(terms, facts)
        if isinstance(found, Refuse):
            self._refuse(name, order, found.why.number)
            return
        copies = HeldCopies(self._shelf, [(each, facts.batches[each]) for each in order.batches])
        assert heard is not None
        try:
            if is_repeated(copy.events for copy in copies):
                self._refuse(name, order, Refusal.EVENT_IS_REPEATED.number)
                return
            receipt = self._receipt((name, order), heard[0], found.offer, facts)
            self._seal(name, order, copies, found.offer, receipt)
        except (KeyError, KeystoreError, StoreRefused, BadCopy, DoesNotOpen) as error:
            # Also where a store lies the second time that a copy is asked for.
            log.error("a copy can't be used", order=name, kind=type(error).__name__)
            self._refuse(name, order, Refusal.COPY_IS_MISSING.number)
            return
        except (BadReceipt, BadRow, TooLarge):
            self._refuse(name, order, Refusal.PACKAGE_CAN_NOT_BE_MADE.number)
            return
        row = self.row(name)
        assert row is not None
        self._send(row)

    def _receipt(
        self, order: tuple[Id, data.Order], request: DataRequest, offer: Id, facts: Facts
    ) -> bytes:
        """What both sides agree on."""
        assert facts.enterprise is not None
        return make_receipt(
            chain=self._ledger.chain.id,
            order_id=order[0],
            order=order[1],
            request=request,
            offer_id=offer,
            offer=dict(facts.offers)[offer],
            enterprise=facts.enterprise,
            seller=self._wallet.address,
            made_at=facts.time,
            institution=institution_of(self._ledger.chain, order[1].buyer),
        )

    def _is_used(self, request: str, name: str) -> bool:
        found = self._journal.rows(
            "SELECT id FROM orders WHERE request = ? AND id <> ? AND b_lock <> ''", request, name
        )
        return bool(found)

    def _refuse(self, name: str, order: data.Order, number: int) -> None:
        row = self.row(name)
        if row is None or (row["step"], row["refused"]) != (REFUSED, number):
            self._write(line_of(name, order, REFUSED, refused=number))
            log.info("an order is refused", order=name, number=number)

    def _seal(
        self, name: Id, order: data.Order, copies: HeldCopies, offer: Id, receipt: bytes
    ) -> None:
        """Seal under new halves, and keep everything, the signed Seal last."""
        halves, place = draw_halves(), bytes.fromhex(name)
        made: list[Sealed] = []
        least = least_chunks(len(copies[0].cells), len(order.fields), len(copies))

        def write(out: Callable[[bytes], object]) -> None:
            made.append(seal_package(place, halves, copies, order.fields, out, least_chunks=least))

        with self._shelf.sealing(write) as blob:
            (sealed,) = made
            grant = grant_hash(receipt)
            info = envelope_info(place, grant, sealed)
            key = decode_base64url(order.buyer_key.encode("ascii"))
            envelope = put_into_envelope(key, halves.a, info)
            secret = Secret(a=halves.a.hex(), b=halves.b.hex(), envelope=envelope.hex())
            self._vault.put(vault_name_of_order(name), msgspec.json.encode(secret))
            seal = data.Seal(
                order=name,
                offer=offer,
                grant_hash=Hash(grant.hex()),
                package_root=Hash(sealed.package_root.hex()),
                chunks=data.Chunks(sealed.chunk_count),
                a_commit=Hash(sealed.a_commit.hex()),
                b_lock=Hash(sealed.b_lock.hex()),
            )
            self._write(
                line_of(
                    name,
                    order,
                    SEALING,
                    blob=blob,
                    chunks=sealed.chunk_count,
                    b_lock=str(seal.b_lock),
                    sealing=self._wallet.build(seal),
                    receipt=receipt,
                )
            )

    def _send(self, row: Row) -> None:
        """Send the Seal that is on the disk, for the first time or again."""
        name, transaction = row["id"], row["sealing"]
        try:
            self._wallet.settle(transaction)
        except LedgerRefused as error:
            self._give_up(row, error.number)
        except InvalidTransaction as error:
            identifier, expires = id_and_expiry(transaction)
            status = self._ledger.chain.status(identifier, expires)
            if status.never or (error.why in TAKEN and status.state == "unknown"):
                self._give_up(row, Refusal.SEAL_IS_TOO_LATE.number)
        except AlreadyDecided:
            return  # the next look at the ledger tells
        else:
            self._step(name, "sealed")

    def _give_up(self, row: Row, number: int) -> None:
        """The Seal never happens: its halves are used no more, and the order is open still."""
        self._destroy(row)
        with self._journal.writing() as file:
            file.execute(
                "UPDATE orders SET b_lock = '', sealing = NULL, receipt = NULL WHERE id = ?",
                (row["id"],),
            )
        self._step(row["id"], REFUSED, number)
        log.warning("the ledger has refused a seal", order=row["id"], number=number)

    # confirmed

    def _reveal(self, row: Row, order: data.Order) -> None:
        """Publish b, unless it could be seen and not included: it would give the data away."""
        name = row["id"]
        now = self._ledger.now()
        margin = self._ledger.parameter(data.MARGIN_MS)
        if now + margin >= self._ledger.deadline(order):
            self._step(name, WITHHELD)
            return
        self._step(name, "confirmed")
        buyer = self._ledger.chain.query(data.enterprise, order.buyer)
        frozen = order.frozen_until is not None and now < order.frozen_until
        if buyer is None or buyer.suspended or frozen:
            return  # it is looked at again
        try:
            b = Hash(self.secret(name).b)
        except KeyError:
            log.error("the secret of an order is lost: was an old vault brought back?", order=name)
            return
        transaction = self._wallet.build(data.Reveal(order=Id(name), b=b))
        try:
            self._wallet.settle(transaction)
        except LedgerRefused as error:
            log.warning("the ledger has refused a reveal", order=name, number=error.number)
        except AlreadyDecided:
            return  # the next look at the ledger tells
        except (InvalidTransaction, Unreachable, NodeError):
            self._wallet.abandon(transaction)  # a later look sends another, within the margin
            raise
        else:
            self._step(name, "revealed")

    # any end

    def _end(self, row: Row, phase: str) -> None:
        """Destroy what the order had, and say how it ended; its blob goes at the next look."""
        self._destroy(row)
        self._step(row["id"], phase)

    def _destroy(self, row: Row) -> None:
        self._shelf.forget_key(vault_name_of_order(row["id"]))
        if row["blob"]:
            with self._journal.writing() as file:
                file.execute("INSERT OR IGNORE INTO litter VALUES (?)", (row["blob"],))
                file.execute("UPDATE orders SET blob = '' WHERE id = ?", (row["id"],))

    # The journal

    def _step(self, name: str, step: str, refused: int = 0) -> None:
        row = self.row(name)
        assert row is not None
        if (row["step"], row["refused"]) == (step, refused):
            return
        with self._journal.writing() as file:
            file.execute(
                "UPDATE orders SET step = ?, refused = ? WHERE id = ?", (step, refused, name)
            )
            if row["step"] == SEALING and step in SERVED:
                file.execute(LAST_IN_LINE, (name,))
            file.execute("INSERT INTO steps VALUES (?, ?, ?, ?)", (name, step, refused, _now()))
        log.info("an order has come to a step", order=name, step=step)

    def _write(self, line: Line) -> None:
        """The line of an order that is open, and what was sealed for it if it was."""
        told = {**msgspec.structs.asdict(line), "at": _now()}
        with self._journal.writing() as file:
            file.execute(KEEP_ORDER, told)
            file.execute(
                "INSERT INTO steps VALUES (?, ?, ?, ?)",
                (line.id, line.step, line.refused, told["at"]),
            )
            file.execute("DELETE FROM litter WHERE blob = ?", (line.blob,))


def _now() -> int:
    return time.time_ns() // NS_PER_MS
