"""Check one grant of a pack: that its receipt, its order and its transactions say the same.

What is asked is what a reader of the receipt relies on: the owner, or the agent of its own proven
offer, has signed the hash of exactly this receipt; its terms are those of the order on the ledger;
and what was bought is deleted in time, or is still held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Struct

from tongbao.kernel import Id, Record, jcs
from tongbao.modules.data import Licence, Order
from tongbao.modules.data.tables import CANCELLED, REJECTED, UPHELD, WITHDRAWN
from tongbao.rights.deletion import BadDeletion, deletion_hash, read_deletion
from tongbao.rights.receipt import BadReceipt, Receipt, ReceiptDiffers, check_receipt, read_receipt
from tongbao.rights.requests import BadRequest, grant_hash, read_request
from tongbao.sdk.data.pack import Grant, Pack
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.verification import Verified

DAY_MS: Final = 86_400_000
"""A transaction expires within a day, so no seal is older when it stands in a block."""

MAKERS: Final = frozenset({"data.commit", "data.make_offer", "data.place_order", "data.reveal"})
"""Messages of the market that make one thing each; the others make none."""

PLACED: Final = (
    "asset", "batches", "buyer_key", "delete_by", "deletion_bond", "fee", "fields", "mode", "owner",
    "price", "purpose", "request_hash", "schema",
)  # fmt: skip
"""What an order has as it was placed."""

Message = Mapping[str, Any]


class Evidence(Struct, frozen=True, kw_only=True):
    """What a pack has of one grant. `licence` is None where it was not revealed."""

    grant: Grant
    receipt: bytes
    request: bytes
    row: Verified
    licence: Verified | None
    deletion: bytes | None
    transactions: tuple[Verified, ...]


class VerifiedGrant(Struct, frozen=True, kw_only=True):
    """What is proven of a grant, in times of blocks (ms UTC).

    `deleted_at` is when the deletion was attested; `held` says that the licence has not ended. One
    that is neither, though it was revealed, has ended without an attestation.
    """

    receipt: Receipt
    phase: str
    height: int
    sealed_at: int
    revealed: bool
    deleted_at: int | None
    held: bool

    @property
    def in_time(self) -> bool:
        """Whether the buyer keeps nothing, or may still keep it, or attested deletion in time."""
        if not self.revealed or self.held:
            return True
        return self.deleted_at is not None and self.deleted_at < self.receipt.delete_by


class Act(Struct, frozen=True):
    """A message of a transaction that is about a grant, and the thing that it made."""

    transaction: Verified
    message: Message
    made: str | None

    @property
    def kind(self) -> str:
        """Its wire name."""
        return str(self.message["@type"])

    @property
    def sender(self) -> str:
        """Who has signed it."""
        return str(self.transaction.value["sender"])


def check_grant(pack: Pack, evidence: Evidence) -> VerifiedGrant:
    """What is proven of a grant. Raises VerificationError."""
    order = _order_of(evidence)
    receipt = _receipt_of(pack, evidence, order)
    acts = Acts(evidence, order)
    _check_begin(acts, evidence.row, receipt)
    sealed = _check_seal(acts, evidence, receipt, order)
    _check_steps(acts, order)
    _check_end(acts, order)
    if not pack.first_time <= sealed.time < pack.before_time:
        wrong(f"order {receipt.order} was not sealed in the period")
    if abs(receipt.made_at - sealed.time) > DAY_MS:
        differs(f"order {receipt.order}: made_at is not of the day of the seal")
    deleted_at, held = _check_licence(acts, evidence, order)
    acts.check_all_used()
    return VerifiedGrant(
        receipt=receipt,
        phase=order.phase,
        height=evidence.row.height,
        sealed_at=sealed.time,
        revealed=order.b is not None,
        deleted_at=deleted_at,
        held=held,
    )


def wrong(detail: str) -> NoReturn:
    """The pack says something else than its proofs."""
    raise VerificationError(Finding.PACK_IS_WRONG, detail)


def unreadable(detail: str) -> NoReturn:
    """The pack has not its one form."""
    raise VerificationError(Finding.PACK_IS_UNREADABLE, detail)


def differs(detail: str) -> NoReturn:
    """A receipt is of other terms than its order."""
    raise VerificationError(Finding.RECEIPT_DIFFERS, detail)


def _order_of(evidence: Evidence) -> Order:
    """The order as it stands on the ledger."""
    row, name = evidence.row, evidence.grant.order
    if (row.name, row.key) != ("data.orders", (name,)) or row.value is None:
        wrong(f"the row of order {name} is of another")
    found: Order = _of(row.value, Order)
    if any(one.height > row.height for one in evidence.transactions):
        wrong(f"the row of order {name} is older than what happened to it")
    return found


def _of(value: Any, kind: type[Record]) -> Any:
    """A row, which has the form that this program knows. Raises VerificationError."""
    try:
        return jcs.convert(value, kind)
    except msgspec.ValidationError as error:
        unreadable(f"a row is of another version than this program's: {error}")


def _receipt_of(pack: Pack, evidence: Evidence, order: Order) -> Receipt:
    """The receipt, which is of this order and was sealed."""
    name = evidence.grant.order
    try:
        request = read_request(evidence.request)
        receipt = read_receipt(evidence.receipt)
    except (BadReceipt, BadRequest) as error:
        unreadable(f"order {name}: {error}")
    if order.grant_hash != grant_hash(evidence.receipt).hex():
        raise VerificationError(Finding.RECEIPT_IS_NOT_SEALED, f"order {name}")
    try:
        check_receipt(evidence.receipt, name, order, request)
    except (BadReceipt, ReceiptDiffers) as error:
        differs(f"order {name}: {error}")
    if receipt.chain != pack.chain:
        differs(f"order {name}: chain")
    if pack.account != (receipt.buyer if pack.role == "buyer" else receipt.owner):
        wrong(f"order {name} is of another {pack.role}")
    return receipt


class Acts:
    """What the transactions of a grant do about it."""

    def __init__(self, evidence: Evidence, order: Order) -> None:
        """Pick the messages that are about the grant. Raises VerificationError."""
        self.name = evidence.grant.order
        self._licence = evidence.grant.licence
        self._offer = order.offer
        self._of = [list(self._about(one)) for one in evidence.transactions]
        self._used: set[str | None] = set()
        self._all = evidence.transactions
        heights = [one.height for one in self._all]
        if heights != sorted(heights) or len(set(evidence.grant.transactions)) != len(heights):
            unreadable(f"order {self.name}: transactions stand once, in their order")
        for one in evidence.transactions:
            if one.receipt["outcome"] != "applied":
                wrong(f"order {self.name}: transaction {one.transaction_id} was not applied")

    def _about(self, transaction: Verified) -> Iterator[Act]:
        for message, made in with_made(transaction):
            kind = message["@type"]
            about = message.get("order") == self.name or made == self.name
            about |= kind == "data.make_offer" and made == self._offer
            about |= kind == "data.attest_deletion" and message["licence"] == self._licence
            if about and kind.startswith("data."):
                yield Act(transaction, message, made)

    def every(self, kind: str) -> list[Act]:
        """The acts of a kind, in their order."""
        return [act for acts in self._of for act in acts if act.kind == kind]

    def one(self, kind: str, is_it: Callable[[Act], bool]) -> Act:
        """The one act of a kind that is so. Raises VerificationError where there is none."""
        for act in self.every(kind):
            if is_it(act):
                self.use(act)
                return act
        return wrong(f"order {self.name}: no such {kind} is proven")

    def use(self, act: Act) -> None:
        """Note that a transaction is needed."""
        self._used.add(act.transaction.transaction_id)

    def check_all_used(self) -> None:
        """Refuse a transaction that is about something else. Raises VerificationError."""
        for one in self._all:
            if one.transaction_id not in self._used:
                wrong(f"order {self.name}: transaction {one.transaction_id} is about another")


def with_made(transaction: Verified) -> list[tuple[Message, str | None]]:
    """Each message of a transaction, with the thing that it made.

    Where messages of other modules stand between, it is not known which made what: then nothing
    is said to be made, and what needs it is refused.
    """
    messages = transaction.value["messages"]
    ids = list(transaction.receipt.get("ids", ()))
    makers = [one for one in messages if one["@type"] in MAKERS]
    if len(makers) != len(ids):
        return [(message, None) for message in messages]
    left = iter(ids)
    return [(one, next(left) if one["@type"] in MAKERS else None) for one in messages]


def _check_begin(acts: Acts, row: Verified, receipt: Receipt) -> None:
    """The order was placed by the buyer as it stands."""
    acts.one(
        "data.place_order",
        lambda act: (
            act.made == acts.name
            and act.sender == receipt.buyer
            and all(act.message.get(name) == row.value.get(name) for name in PLACED)
        ),
    )


def _check_seal(acts: Acts, evidence: Evidence, receipt: Receipt, order: Order) -> Verified:
    """Who may has sealed this receipt, by an offer of the owner's that covers it."""
    offer = acts.one(
        "data.make_offer", lambda act: act.made == order.offer and act.sender == order.owner
    ).message
    hashed = grant_hash(evidence.receipt).hex()
    seals = [act for act in acts.every("data.seal") if act.message["grant_hash"] == hashed]
    if not seals:
        raise VerificationError(Finding.RECEIPT_IS_NOT_SEALED, f"order {acts.name}")
    may = (order.owner, offer.get("agent"))
    if seals[0].sender not in may or seals[0].sender != order.seller:
        raise VerificationError(Finding.CONSENT_IS_NOT_THE_OWNERS, f"order {acts.name}")
    if seals[0].message["offer"] != order.offer:
        wrong(f"order {acts.name} was sealed by another offer")
    acts.use(seals[0])
    _check_covered(offer, receipt)
    return seals[0].transaction


def _check_covered(offer: Message, receipt: Receipt) -> None:
    """The offer, as the owner signed it, covers the receipt."""
    covers = {
        "schema": offer["schema"] == receipt.schema,
        "fields": set(receipt.fields) <= set(offer["fields"]),
        "purpose": receipt.purpose in offer["purposes"],
        "mode": offer["mode"] == receipt.mode,
        "region": receipt.region in offer["regions"],
        "retention_ms": offer["retention_ms"] == receipt.retention_ms,
        "asset": offer["asset"] == receipt.asset,
    }
    beyond = [name for name, is_so in covers.items() if not is_so]
    if beyond:
        differs(f"order {receipt.order}: {', '.join(beyond)} of the proven offer")


def _check_steps(acts: Acts, order: Order) -> None:
    """The steps that the order has taken were taken by whom they must be."""
    if order.confirmed_at is not None:
        acts.one(
            "data.confirm",
            lambda act: act.sender == order.buyer and act.message["grant_hash"] == order.grant_hash,
        )
    if order.b is not None:
        sellers = (order.owner, order.seller)
        acts.one("data.reveal", lambda act: act.sender in sellers and act.message["b"] == order.b)
    if order.evidence_hash is not None:
        said = order.evidence_hash
        acts.one(
            "data.claim",
            lambda act: act.sender == order.buyer and act.message["evidence_hash"] == said,
        )
    for member, verdict in zip(order.panel, order.votes, strict=True):
        if verdict is not None:
            acts.one("data.vote", _is_vote(member, verdict))


def _is_vote(member: str, verdict: str) -> Callable[[Act], bool]:
    return lambda act: act.sender == member and act.message["verdict"] == verdict


def _check_end(acts: Acts, order: Order) -> None:
    """How it ended, where somebody has ended it; deadlines end the others."""
    if order.phase in (UPHELD, REJECTED):
        votes = [act for act in acts.every("data.vote") if act.message["verdict"] == order.phase]
        if not votes:
            wrong(f"order {acts.name}: no vote is proven for {order.phase}")
    if order.phase == CANCELLED:
        acts.one("data.cancel_order", lambda act: act.sender == order.buyer)
    if order.phase == WITHDRAWN:
        acts.one("data.withdraw_order", lambda act: act.sender == order.owner)
    for act in (*acts.every("data.accept"), *acts.every("data.vote"), *acts.every("data.freeze")):
        acts.use(act)


def _check_licence(acts: Acts, evidence: Evidence, order: Order) -> tuple[int | None, bool]:
    """When deletion was attested, and whether the licence has not ended."""
    name, licence, row = acts.name, evidence.grant.licence, evidence.licence
    if (order.b is None) != (licence is None):
        wrong(f"order {name}: a licence comes with a reveal, and with it alone")
    if licence is None or row is None:
        return None, False
    revealed = acts.one("data.reveal", lambda act: act.message["b"] == order.b)
    if revealed.made != licence:
        wrong(f"order {name}: the reveal made another licence")
    if (row.name, row.key) != ("data.licences", (licence,)):
        wrong(f"the row of the licence of order {name} is of another")
    if any(one.height > row.height for one in evidence.transactions):
        wrong(f"the row of the licence of order {name} is older than what happened to it")
    attested = acts.every("data.attest_deletion")
    if row.value is not None:
        held: Licence = _of(row.value, Licence)
        if held.order != name or attested:
            wrong(f"order {name}: a licence that is there was not ended")
        return None, True
    if not attested:
        if evidence.deletion is not None:
            wrong(f"order {name}: nobody attested a deletion on the ledger")
        return None, False
    return _check_deletion(acts, evidence, order, licence), False


def _check_deletion(acts: Acts, evidence: Evidence, order: Order, licence: Id) -> int:
    """When the buyer attested deletion; the document, where it is there, is what was attested."""
    act = acts.one("data.attest_deletion", lambda act: act.sender == order.buyer)
    text = evidence.deletion
    if text is not None:
        try:
            said = read_deletion(text)
        except BadDeletion as error:
            unreadable(f"order {acts.name}: {error}")
        about = (said.account, said.order, said.licence, said.chain)
        chain = act.transaction.chain
        if deletion_hash(text).hex() != act.message["attestation_hash"] or about != (
            order.buyer,
            acts.name,
            licence,
            chain,
        ):
            wrong(f"order {acts.name}: what was attested on the ledger is another document")
    return act.transaction.time
