"""The whole model: it reads the JSON that people signed and says what the ledger must answer.

Everything is written for being obviously right: books are copied before each transaction and put
back where it is refused, what falls due is found by looking at everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from tongbao.simulation.model import holds, ids, mischief, money
from tongbao.simulation.model.books import Books, No, Turn
from tongbao.simulation.model.clerk import Clerk
from tongbao.simulation.model.numbers import KernelWhy
from tongbao.simulation.model.people import People
from tongbao.simulation.model.upgrades import Agreed, Upgrades

ACCOUNT_MODULE: Final = 1
HOLD_EXPIRY_INDEX: Final = 2
THING_DUE_INDEX: Final = 3

Receipt = dict[str, Any]


class Given(NamedTuple):
    """A transaction as the model sees it: the JSON, who signed, what was done to the bytes.

    `forms`: where bytes were damaged, the numbers of which one must be the answer.
    """

    payload: dict[str, Any]
    signers: tuple[str, ...]
    forms: tuple[int, ...]
    signature_is_wrong: bool


class Limits(NamedTuple):
    """The parameters of a chain that the model knows."""

    expiry_ms: int
    due_items: int
    transaction_rows: int
    block_rows: int
    upgrade_notice: int


class Model:
    """One chain in plain dicts."""

    def __init__(
        self, chain: str, limits: Limits, agreed: Agreed, unacceptable: frozenset[str]
    ) -> None:
        """A chain before its genesis; `unacceptable` are keys that no account may have."""
        self.books = Books()
        self._limits = limits
        self.clerk = Clerk(self.books, chain, limits.expiry_ms)
        self._people = People(unacceptable)
        self._rules: dict[str, Callable[[Turn, dict[str, Any]], None]] = {
            **self._people.rules,
            **money.RULES,
            **holds.RULES,
            **mischief.RULES,
            **Upgrades(agreed, limits.upgrade_notice).rules,
        }
        self._spent = 0
        self._height = 0

    def genesis(self, accounts: list[dict[str, Any]], jars: list[int]) -> None:
        """Open the first accounts and fill the jars."""
        turn = Turn(self.books, 0, None)
        turn.origin = ids.of_genesis(ACCOUNT_MODULE)
        for opening in accounts:
            self._people.open(turn, opening)
        self.books.jars.update(enumerate(jars))

    # Transactions

    def block(
        self, height: int, time: int, transactions: Iterable[Given]
    ) -> tuple[list[Receipt | tuple[int, ...]], Receipt | None]:
        """A block's receipts (or numbers of which one must be it), and that of its due work."""
        self._spent = 0
        self._height = height
        due = self._due(height, time)
        return [self._transaction(given, time) for given in transactions], due

    def _transaction(self, given: Given, time: int) -> Receipt | tuple[int, ...]:
        if given.forms:
            return given.forms
        payload = given.payload
        try:
            self.clerk.judge(payload, set(given.signers), given.signature_is_wrong, time)
        except No as no:
            return {"outcome": "invalid", "number": no.number}
        return self._carry_out(payload, time)

    def _carry_out(self, payload: dict[str, Any], time: int) -> Receipt:
        """All messages, or none."""
        before = self.books.copy()
        sender = payload["sender"]
        turn = self._turn(time, sender)
        made: list[str] = []
        at = 0
        try:
            self._check_block()
            for at, msg in enumerate(payload["messages"]):
                turn.origin = ids.of_message(sender, payload.get("lane", 0), payload["nonce"], at)
                turn.ids = []
                self._rules[msg["@type"]](turn, msg)
                made += turn.ids
            mischief.check_conservation(turn)
        except No as no:
            self.books.restore(before)
            receipt = {"outcome": "refused", "number": no.number}
            return receipt | ({"message": at} if at else {})
        finally:
            self._spent += turn.burnt
        return {"outcome": "applied"} | _said(made, turn.events)

    def _turn(self, time: int, sender: str | None) -> Turn:
        turn = Turn(self.books, time, sender)
        turn.height = self._height
        turn.rows_limit = self._limits.transaction_rows
        return turn

    def _check_block(self) -> None:
        if self._spent >= self._limits.block_rows:
            raise No(KernelWhy.BLOCK_WORK_IS_SPENT)

    # Due work

    def _due(self, height: int, time: int) -> Receipt | None:
        """Expired holds and things that fall due, in turn, up to the block's share."""
        lists = [self._next_hold, self._next_thing]
        at = height % len(lists)
        lists = lists[at:] + lists[:at]
        left = self._limits.due_items
        done = stuck = 0
        made: list[str] = []
        events: list[dict[str, Any]] = []
        while left and any(find(time) for find in lists):
            for find in lists:
                found = find(time)
                if not left or found is None:
                    continue
                left -= 1
                turn, number = self._item(time, *found)
                if number is None:
                    done += 1
                    made += turn.ids
                    events += turn.events
                else:
                    stuck += 1
                    events.append(number)
        counts = {name: count for name, count in (("done", done), ("stuck", stuck)) if count}
        return counts | _said(made, events) if counts else None

    def _next_hold(self, time: int) -> tuple[str, int, bool] | None:
        ready = [(held.expires, name) for name, held in self.books.holds.items()]
        due, name = min(ready, default=(time + 1, ""))
        return (name, due, True) if due <= time else None

    def _next_thing(self, time: int) -> tuple[str, int, bool] | None:
        books = self.books
        ready = [
            (thing.due, name)
            for name, thing in books.things.items()
            if thing.due is not None and name not in books.stuck
        ]
        due, name = min(ready, default=(time + 1, ""))
        return (name, due, False) if due <= time else None

    def next_due(self) -> int | None:
        """The earliest time at which something falls due, None when nothing does."""
        books = self.books
        times = [held.expires for held in books.holds.values()]
        for name, thing in books.things.items():
            if thing.due is not None and name not in books.stuck:
                times.append(thing.due)
        return min(times, default=None)

    def _item(
        self, time: int, name: str, due: int, is_hold: bool
    ) -> tuple[Turn, dict[str, Any] | None]:
        """Do one item; what is told of it when it is stuck, else None."""
        turn = self._turn(time, None)
        if is_hold:
            turn.origin = ids.of_due(holds.MODULE, HOLD_EXPIRY_INDEX, name, due)
            holds.expire(turn, name)
            return turn, None
        before = self.books.copy()
        turn.origin = ids.of_due(mischief.MODULE, THING_DUE_INDEX, name, due)
        number = 0
        try:
            self._check_block()
            mischief.fall_due(turn, name)
            mischief.check_conservation(turn)
        except No as no:
            self.books.restore(before)
            number = no.number
        self._spent += turn.burnt
        thing = self.books.things.get(name)
        if thing is None or thing.due != due:
            return turn, None
        self.books.stuck[name] = due, number
        told = {"@type": "kernel.stuck", "module": mischief.MODULE, "row": name, "number": number}
        return turn, told


def _said(made: list[str], events: list[dict[str, Any]]) -> Receipt:
    """The members of a receipt that are left out when empty."""
    return ({"ids": made} if made else {}) | ({"events": events} if events else {})
