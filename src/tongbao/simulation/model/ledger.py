"""The whole model: it reads the JSON that people signed and says what the ledger must answer.

Everything is written for being obviously right: books are copied before each transaction and put
back where it is refused, what falls due is found by looking at everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from tongbao.simulation.model import (
    attestations,
    controls,
    council,
    grants,
    guardians,
    holds,
    ids,
    inspections,
    mandates,
    market,
    members,
    mischief,
    money,
    sponsors,
    storage,
    verdicts,
)
from tongbao.simulation.model.books import Books, No, Turn
from tongbao.simulation.model.clerk import Clerk
from tongbao.simulation.model.council import Council
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


Waiting = Callable[[], Iterable[tuple[int, str]]]
Act = Callable[[Turn, str], None]


class DueList(NamedTuple):
    """A list of what falls due: whose, by which index, what waits until when, and what it does."""

    module: int
    name: str
    place: int
    waiting: Waiting
    act: Act


class Model:
    """One chain in plain dicts."""

    def __init__(self, chain: str, agreed: Agreed, unacceptable: frozenset[str]) -> None:
        """A chain before its genesis; `unacceptable` are keys that no account may have."""
        self.books = Books()
        self.books.parameters.update(agreed.given)
        self._agreed = agreed
        self._unacceptable = unacceptable
        self._values: dict[str, int] = {}
        self._halted: dict[str, int] = {}
        self.clerk = Clerk(self.books, chain)
        upgrades = Upgrades(agreed)
        self._council = Council(agreed.authorities, upgrades)
        self._people = People(unacceptable)
        self._rules: dict[str, Callable[[Turn, dict[str, Any]], None]] = {
            **self._people.rules,
            **money.RULES,
            **controls.RULES,
            **holds.RULES,
            **mandates.RULES,
            **inspections.RULES,
            **market.RULES,
            **grants.RULES,
            **verdicts.RULES,
            **attestations.RULES,
            **mischief.RULES,
            **sponsors.RULES,
            **upgrades.rules,
            **self._council.rules,
        }
        changing = self._people.guardians
        self._dues = (
            DueList(
                guardians.MODULE,
                "account",
                guardians.CHANGES_INDEX,
                self._changes_due,
                changing.make_change,
            ),
            DueList(
                guardians.MODULE,
                "account",
                guardians.RECOVERIES_INDEX,
                self._recoveries_due,
                guardians.end_recovery,
            ),
            DueList(holds.MODULE, "hold", HOLD_EXPIRY_INDEX, self._holds_due, holds.expire),
            DueList(
                mandates.MODULE,
                "mandate",
                mandates.EXPIRY_INDEX,
                self._mandates_due,
                mandates.expire,
            ),
            *self._data_dues(),
            DueList(
                council.MODULE,
                "governance",
                council.DUE_INDEX,
                self._proposals_due,
                self._council.fall_due,
            ),
            DueList(
                mischief.MODULE, "mischief", THING_DUE_INDEX, self._things_due, mischief.fall_due
            ),
        )
        self._spent = 0
        self._height = 0
        self._time = 0

    def genesis(
        self,
        accounts: list[dict[str, Any]],
        jars: list[int],
        seats: dict[str, Any],
        institutions: list[dict[str, Any]],
        first_sponsors: list[dict[str, Any]],
    ) -> None:
        """Open the first accounts, admit members, fill the jars, and name operators by `seats`."""
        self._read_values()
        turn = self._turn(0, None)
        turn.origin = ids.of_genesis(ACCOUNT_MODULE)
        for opening in accounts:
            self._people.open(turn, opening)
        for told in institutions:
            members.admit(turn, told | {"member": told["lei"]})
        self.books.jars.update(enumerate(jars))
        if seats:
            council.seat(turn, seats)
        for told in first_sponsors:
            sponsors.allow(self.books, told)

    def _data_dues(self) -> tuple[DueList, ...]:
        """What falls due in the data market: ticks, deadlines, offers, licences."""
        books = self.books
        lists: tuple[tuple[int, Waiting, Act], ...] = (
            (
                grants.TICK_INDEX,
                lambda: [
                    (clock["next_at"], grants.CLOCK)
                    for clock in books.data_clock.values()
                    if clock["open"]
                ],
                grants.tick,
            ),
            (
                grants.DEADLINE_INDEX,
                lambda: [
                    (order["deadline"], name)
                    for name, order in books.data_orders.items()
                    if order["phase"] in grants.RUNNING and "late" not in order
                ],
                grants.fall_due,
            ),
            (
                grants.OFFER_INDEX,
                lambda: [(one["expires_at"], name) for name, one in books.data_offers.items()],
                market.expire_offer,
            ),
            (
                grants.LICENCE_INDEX,
                lambda: [(one["next_at"], name) for name, one in books.data_licences.items()],
                verdicts.forfeit,
            ),
        )
        return tuple(
            DueList(market.MODULE, "data", place, waiting, act) for place, waiting, act in lists
        )

    def _read_values(self) -> None:
        """What a block goes by is what was set before it."""
        self._values = self._agreed.defaults | self.books.parameters
        self._halted = members.halted(self.books.halts)
        self.clerk.expiry_ms = self._values["kernel.expiry_ms"]

    # Transactions

    def block(
        self, height: int, time: int, transactions: Iterable[Given]
    ) -> tuple[list[Receipt | tuple[int, ...]], Receipt | None]:
        """A block's receipts (or numbers of which one must be it), and that of its due work."""
        self._spent = 0
        self._height = height
        self._time = time
        self._read_values()
        due = self._due(height, time)
        self.clerk.cashier.begin(time, self._values)
        receipts = [self._transaction(given, time) for given in transactions]
        self.clerk.cashier.end()
        return receipts, due

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
                members.go_on(turn, msg["@type"].partition(".")[0])
                members.may(turn, msg["@type"])
                self._rules[msg["@type"]](turn, msg)
                made += turn.ids
            mischief.check_conservation(turn)
            storage.judge(turn, before)
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
        turn.values = self._values
        turn.halted = self._halted
        turn.bounds = self._agreed.bounds
        turn.unacceptable = self._unacceptable
        return turn

    def _check_block(self) -> None:
        if self._spent >= self._values["kernel.block_rows"]:
            raise No(KernelWhy.BLOCK_WORK_IS_SPENT)

    # Due work

    def _due(self, height: int, time: int) -> Receipt | None:
        """What falls due, the lists in turn, up to the block's share."""
        going = [listed for listed in self._dues if time >= self._halted.get(listed.name, 0)]
        ready = [listed for listed in going if _next(listed, time) is not None]
        at = height % len(ready) if ready else 0
        lists = ready[at:] + ready[:at]
        left = self._values["kernel.due_items"]
        done = stuck = 0
        made: list[str] = []
        events: list[dict[str, Any]] = []
        while left and any(_next(due, time) for due in lists):
            for due in lists:
                found = _next(due, time)
                if not left or found is None:
                    continue
                left -= 1
                turn, number = self._item(time, due, *found)
                if number is None:
                    done += 1
                    made += turn.ids
                    events += turn.events
                else:
                    stuck += 1
                    events.append(number)
        counts = {name: count for name, count in (("done", done), ("stuck", stuck)) if count}
        return counts | _said(made, events) if counts else None

    def _changes_due(self) -> Iterable[tuple[int, str]]:
        return [(change.due, name) for name, change in self.books.changes.items()]

    def _recoveries_due(self) -> Iterable[tuple[int, str]]:
        return [(asked.due, name) for name, asked in self.books.recoveries.items()]

    def _mandates_due(self) -> Iterable[tuple[int, str]]:
        return [(one.expires, name) for name, one in self.books.mandates.items()]

    def _holds_due(self) -> Iterable[tuple[int, str]]:
        return [(held.expires, name) for name, held in self.books.holds.items()]

    def _proposals_due(self) -> Iterable[tuple[int, str]]:
        ready = [(council.due_of(one), name) for name, one in self.books.proposals.items()]
        return [(due, name) for due, name in ready if due is not None]

    def _things_due(self) -> Iterable[tuple[int, str]]:
        return [
            (thing.due, name)
            for name, thing in self.books.things.items()
            if thing.due is not None and name not in self.books.stuck
        ]

    def next_due(self) -> int | None:
        """The earliest time at which something falls due, None when nothing does."""
        halted = members.halted(self.books.halts)
        found = []
        for listed in self._dues:
            until = halted.get(listed.name, 0)
            least = until if until > self._time else 0
            found += [max(due, least) for due, _ in listed.waiting()]
        return min(found, default=None)

    def _item(
        self, time: int, listed: DueList, due: int, name: str
    ) -> tuple[Turn, dict[str, Any] | None]:
        """Do one item; what is told of it when it is stuck, else None."""
        turn = self._turn(time, None)
        before = self.books.copy()
        turn.origin = ids.of_due(listed.module, listed.place, name, due)
        number = 0
        try:
            self._check_block()
            listed.act(turn, name)
            mischief.check_conservation(turn)
            storage.count(turn, before)
        except No as no:
            self.books.restore(before)
            number = no.number
        self._spent += turn.burnt
        if (due, name) not in listed.waiting():
            return turn, None
        assert listed.module == mischief.MODULE, f"{name} of {listed.module} is stuck: {number}"
        self.books.stuck[name] = due, number
        told = {"@type": "kernel.stuck", "module": mischief.MODULE, "row": name, "number": number}
        return turn, told


def _next(listed: DueList, time: int) -> tuple[int, str] | None:
    """What falls due next in a list, if by now."""
    due, name = min(listed.waiting(), default=(time + 1, ""))
    return (due, name) if due <= time else None


def _said(made: list[str], events: list[dict[str, Any]]) -> Receipt:
    """The members of a receipt that are left out when empty."""
    return ({"ids": made} if made else {}) | ({"events": events} if events else {})
