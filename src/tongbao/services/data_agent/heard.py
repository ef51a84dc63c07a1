"""Requests: what buyers ask about owners, heard and written down before an order is placed.

Everything that is asked is shown to the owner, what is refused too. What is asked again is the same
line. A request that can't be read is shown as far as it names an owner.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import Address, Id
from tongbao.modules import data
from tongbao.rights.requests import BadRequest, DataRequest, read_request, request_hash
from tongbao.services.data_agent.decision import DAY_MS, Facts, Refuse, Terms, decide
from tongbao.services.data_agent.journal import PAGE, Journal, Row
from tongbao.services.data_agent.ledger import Ledger
from tongbao.services.data_agent.refusals import Refusal
from tongbao.services.data_agent.shelf import Shelf

A_DAY: Final = 100
"""New requests of one buyer about one owner in a day."""
BUYERS_A_DAY: Final = 1_000
"""New requests of all buyers about one owner in a day, and as many of those that no registered
enterprise makes: accounts that anybody opens crowd out no buyer."""
STRANGE: Final = (Refusal.REQUEST_IS_MALFORMED.number, Refusal.BUYER_IS_NOT_REGISTERED.number)


class Refused(Exception):
    """A rule refuses, and its number is told."""

    def __init__(self, why: Refusal, detail: str = "") -> None:
        """Carry the rule."""
        super().__init__(detail or why.rule)
        self.why = why


class HeardOrder(Struct, frozen=True, omit_defaults=True):
    """What became of an order that followed a request: its step, and the rule that refused it."""

    order: str
    step: str
    refused: int = 0


class HeardLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an owner's log. `request` is what was asked, None where it can't be read."""

    cursor: str
    at: int
    buyer: str
    request: Any
    refused: int = 0
    rule: str = ""
    orders: tuple[HeardOrder, ...] = ()


class _Owned(Struct):
    owner: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]


class Requests:
    """The log of requests. Any thread may call."""

    def __init__(self, journal: Journal, ledger: Ledger, shelf: Shelf, account: str) -> None:
        """As this agent's account."""
        self._journal = journal
        self._ledger = ledger
        self._shelf = shelf
        self._account = account

    def hear(self, buyer: str, body: bytes) -> str:
        """Write a request down, and answer its hash. Raises Refused: that is written as well."""
        now = self._ledger.now()
        try:
            request = read_request(body)
        except BadRequest as error:
            self._write_unread(buyer, body, now)
            raise Refused(Refusal.REQUEST_IS_MALFORMED, str(error)) from None
        if request.buyer != buyer:
            raise Refused(Refusal.SENDER_IS_NOT_BUYER)
        name = request_hash(request).hex()
        found = self._line_of(name)
        if found is None and not self.knows(request.owner):
            raise Refused(Refusal.NO_OFFER)
        if found is None or found["refused"]:
            why = self._judge(request, now)
            self._write((name, request.owner, buyer, body.decode()), now, why)
        else:
            why = None
        if why is not None:
            raise Refused(why)
        return name

    def knows(self, owner: str) -> bool:
        """Whether an owner has appointed this agent for anything: others have no log here."""
        if self._shelf.count(owner):
            return True
        return any(offer.agent == self._account for _, offer in self._ledger.offers(owner))

    def heard(self, name: str) -> tuple[DataRequest, int] | None:
        """A request that was heard and not refused, and when."""
        found = self._line_of(name)
        if found is None or found["refused"]:
            return None
        return read_request(found["terms"].encode()), found["at"]

    def facts(self, terms: Terms, now: int) -> Facts:
        """What is so, for deciding about terms."""
        chain = self._ledger.chain
        return Facts(
            agent=Address(self._account),
            time=now,
            enterprise=chain.query(data.enterprise, terms.buyer),
            offers=self._ledger.offers(terms.owner),
            batches=self._ledger.batches(terms.batches),
            copies={Id(name): open_ for name, open_ in self._shelf.fields(terms.batches).items()},
        )

    def lines(self, owner: str, after: int) -> list[HeardLine]:
        """An owner's log after a number, a page at a time."""
        found = self._journal.rows(
            "SELECT * FROM asked WHERE owner = ? AND number > ? ORDER BY number LIMIT ?",
            *(owner, after, PAGE),
        )
        return [self._shown(row) for row in found]

    def _shown(self, row: Row) -> HeardLine:
        orders = self._journal.rows("SELECT * FROM orders WHERE request = ?", row["hash"])
        return HeardLine(
            cursor=str(row["number"]),
            at=row["at"],
            buyer=row["buyer"],
            request=msgspec.json.decode(row["terms"]) if row["terms"] else None,
            refused=row["refused"],
            rule=rule_of(row["refused"]),
            orders=tuple(HeardOrder(one["id"], one["step"], one["refused"]) for one in orders),
        )

    def _judge(self, request: DataRequest, now: int) -> Refusal | None:
        """What an order of this request would be refused for."""
        if request.chain != self._ledger.chain.id:
            return Refusal.CHAIN_DIFFERS
        terms = terms_of(request)
        found = decide(terms, self.facts(terms, now))
        return found.why if isinstance(found, Refuse) else None

    def _line_of(self, name: str) -> Row | None:
        return self._journal.row("SELECT * FROM asked WHERE hash = ?", name)

    def _write_unread(self, buyer: str, body: bytes, now: int) -> None:
        try:
            owner = msgspec.json.decode(body, type=_Owned).owner
        except (msgspec.DecodeError, ValueError, RecursionError):
            return
        if not self.knows(owner):
            return
        name = sha256(body).hexdigest()
        self._write((name, owner, buyer, ""), now, Refusal.REQUEST_IS_MALFORMED)

    def _write(self, line: tuple[str, str, str, str], now: int, why: Refusal | None) -> None:
        """Write a line, or what is so now of one that was refused. Raises Refused for too many."""
        name, owner, buyer, terms = line
        number = 0 if why is None else why.number
        with self._journal.writing() as file:
            changed = file.execute(
                "UPDATE asked SET refused = ? WHERE hash = ? AND owner = ? AND buyer = ?",
                (number, name, owner, buyer),
            )
            if changed.rowcount:
                return
            since = now - DAY_MS
            found = file.execute(
                "SELECT sum((refused IN (?, ?)) = ?) AS n, sum(buyer = ?) AS own"
                " FROM asked WHERE owner = ? AND at > ?",
                (*STRANGE, number in STRANGE, buyer, owner, since),
            ).fetchone()
            if (found["n"] or 0) >= BUYERS_A_DAY or (found["own"] or 0) >= A_DAY:
                raise Refused(Refusal.TOO_MANY_REQUESTS)
            file.execute(
                "INSERT INTO asked (hash, owner, buyer, terms, at, refused)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (name, owner, buyer, terms, now, number),
            )


def terms_of(asked: DataRequest | data.Order) -> Terms:
    """What a request or an order asks for."""
    return Terms(
        owner=asked.owner,
        buyer=asked.buyer,
        schema=asked.schema,
        fields=asked.fields,
        purpose=asked.purpose,
        mode=asked.mode,
        batches=asked.batches,
        asset=asked.asset,
        price=asked.price,
        fee=asked.fee,
        delete_by=asked.delete_by,
    )


def rule_of(number: int) -> str:
    """A rule's sentence by its number; of the ledger's rules, which are above 999, only so much."""
    for each in Refusal:
        if each.number == number:
            return each.rule
    return f"the ledger refused it: {number}" if number else ""
