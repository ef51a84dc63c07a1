"""What a history of the market has come to: transitions, outcomes, faults and refusals, counted.

The names are those of the design's two tables. Nothing here is asked of the ledger or of the model:
only receipts are read, and the orders' rows as both had them after each block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

Row = Mapping[str, Any]
Orders = Mapping[str, Row]

RUNNING: Final = ("open", "sealed", "confirmed", "revealed", "claimed")
TRANSITIONS: Final = (
    ("-", "open", "buyer"),
    ("open", "sealed", "owner"),
    ("open", "sealed", "agent"),
    ("open", "cancelled", "buyer"),
    ("open", "withdrawn", "owner"),
    ("open", "lapsed", "deadline"),
    ("sealed", "confirmed", "buyer"),
    ("sealed", "cancelled", "buyer"),
    ("sealed", "withdrawn", "owner"),
    ("sealed", "lapsed", "deadline"),
    ("confirmed", "revealed", "owner"),
    ("confirmed", "revealed", "agent"),
    ("confirmed", "withdrawn", "owner"),
    ("confirmed", "lapsed", "deadline"),
    ("revealed", "settled", "buyer"),
    ("revealed", "settled", "deadline"),
    ("revealed", "claimed", "buyer"),
    ("claimed", "upheld", "panel"),
    ("claimed", "rejected", "panel"),
    ("claimed", "upheld", "supervisor"),
    ("claimed", "rejected", "supervisor"),
    ("licence", "deleted", "buyer"),
    ("licence", "lost", "deadline"),
)
OUTCOMES: Final = (
    "never sealed: all back",
    "cancelled: all back",
    "withdrawn: all back",
    "never confirmed: all back, the buyer's fault",
    "the owner never reveals: all back, its fault",
    "the agent never reveals: its bond pays the owner",
    "the buyer was suspended before reveal: all back, no fault",
    "the order was frozen before reveal: all back, no fault",
    "a wrong b is refused",
    "the b of another order is refused",
    "a stranger's reveal is refused",
    "a reveal said again is refused",
    "a late b is refused",
    "claim upheld: the agent's bond pays the voters",
    "claim upheld against the owner: all back",
    "claim rejected: the owner is paid, the deposit is the voters'",
    "the buyer accepts: the owner is paid",
    "the buyer is silent: the owner is paid",
)
FAULTS: Final = (
    "a halt with orders under way",
    "a step after a deadline that has grown",
    "a licence that a halt has prolonged",
    "a message after a deadline and before its sweep",
    "an order frozen",
    "a frozen order revealed afterwards",
    "a buyer suspended with an order under way",
    "a suspended buyer registered again",
    "a claim late",
    "a claim on which nobody voted decided",
    "a batch retired or superseded under an order",
    "an offer withdrawn or expired under an order",
    "a party held back by its lapses",
    "an agent without bond enough",
    "a source ended by two contents",
    "an owner who reveals for its agent",
    "several orders fall due in one block",
    "a machine begun anew from its rows",
)
WRONG_LOCK, NOT_SEALER, ELSEWHERE, TOO_LATE = 11048, 11047, 11038, 11039
TOO_MANY, LOW_BOND, NOT_LIVE, NO_OFFER, EXPIRED = 11036, 11014, 11022, 11026, 11041


class Counts(Struct):
    """So often each has happened."""

    transitions: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Count others in."""
        for name in ("transitions", "outcomes", "faults"):
            getattr(self, name).update(getattr(other, name))

    def missing(self) -> Iterator[str]:
        """What never happened, and what nobody has foreseen."""
        wanted = {
            "transition": (self.transitions, tuple(map(shown, TRANSITIONS))),
            "outcome": (self.outcomes, OUTCOMES),
            "fault": (self.faults, FAULTS),
        }
        for kind, (counted, names) in wanted.items():
            yield from (f"{kind} {name}" for name in names if not counted[name])
            yield from (f"unforeseen {kind} {name}" for name in counted if name not in names)


def shown(transition: tuple[str, str, str]) -> str:
    """A transition as a line."""
    before, after, by = transition
    return f"{before} -> {after} by {by}"


class Books(Struct, frozen=True):
    """What the market's tables held after a block, as far as counting needs it."""

    orders: Orders
    enterprises: Mapping[str, Row]
    licences: Orders
    lapses: Mapping[str, int]
    grown: int


NOTHING: Final = Books({}, {}, {}, {}, 0)


class Watch:
    """Reads a history's receipts, block by block."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.counts = Counts()
        self._before = NOTHING
        self._phases: dict[str, str] = {}
        self._revealed: set[str] = set()

    def block(
        self,
        time: int,
        said: Sequence[tuple[Row, Row]],
        due: Row | None,
        books: Books,
    ) -> None:
        """Count a block: payloads with their receipts, what fell due, and the books after it."""
        after = books
        ended = 0
        for event in (due or {}).get("events", ()):
            ended += event["@type"] == "data.reached"
            self._happened(event, "", after)
        self.counts.faults["several orders fall due in one block"] += ended > 1
        for payload, receipt in said:
            sender = payload.get("sender", "")
            if receipt["outcome"] == "applied":
                self._applied(time, payload, receipt, after)
            elif receipt["outcome"] == "refused":
                message = payload["messages"][receipt.get("message", 0)]
                self._refused(receipt["number"], sender, message, after)
        self._compare(after)
        self._before = after

    # What was applied

    def _applied(self, time: int, payload: Row, receipt: Row, after: Books) -> None:
        sender = payload["sender"]
        for event in receipt.get("events", ()):
            if event["@type"] == "data.reached":
                self._grew(time, event["order"])
            self._happened(event, sender, after)
        for message in payload["messages"]:
            if message["@type"] == "data.suspend_enterprise":
                rows = self._before.orders.values()
                under_way = any(
                    row["buyer"] == message["enterprise"] and row["phase"] in RUNNING
                    for row in rows
                )
                self.counts.faults["a buyer suspended with an order under way"] += under_way
            if message["@type"] == "data.register_enterprise":
                row = self._before.enterprises.get(message["enterprise"], {})
                again = "suspended" in row
                self.counts.faults["a suspended buyer registered again"] += again
            if message["@type"] == "data.reveal":
                self._revealed.add(message["b"])

    def _grew(self, time: int, order: str) -> None:
        row = self._before.orders.get(order)
        late = row is not None and row["phase"] in RUNNING and time >= row["deadline"]
        self.counts.faults["a step after a deadline that has grown"] += late

    def _happened(self, event: Row, sender: str, after: Books) -> None:
        kind = event["@type"]
        if kind == "data.reached":
            self._reached(event["order"], event["phase"], sender, after)
        elif kind == "data.deleted":
            attested = event.get("attested", False)
            how = ("licence", *(("deleted", "buyer") if attested else ("lost", "deadline")))
            self.counts.transitions[shown(how)] += 1
        elif kind == "data.froze":
            self.counts.faults["an order frozen"] += 1
        elif kind == "data.contradicted":
            self.counts.faults["a source ended by two contents"] += 1

    def _reached(self, order: str, phase: str, sender: str, after: Books) -> None:
        row = after.orders[order]
        before = self._phases.get(order, "-")
        self._phases[order] = phase
        by = role_of(row, phase, sender)
        self.counts.transitions[shown((before, phase, by))] += 1
        if phase == "revealed":
            faults = self.counts.faults
            faults["a frozen order revealed afterwards"] += "frozen_until" in row
            faults["an owner who reveals for its agent"] += by == "owner" and "secured" in row
        told = outcome_of(row, before, phase, by, after)
        if told:
            self.counts.outcomes[told] += 1
        if phase in ("upheld", "rejected") and not any(row["votes"]):
            self.counts.faults["a claim on which nobody voted decided"] += 1

    # What was refused

    def _refused(self, number: int, sender: str, message: Row, after: Books) -> None:
        counts = self.counts
        if message["@type"] == "data.reveal":
            self._refused_reveal(number, message)
        phase = self._phases.get(message.get("order", ""), "")
        late = number == TOO_LATE and phase in RUNNING
        counts.faults["a message after a deadline and before its sweep"] += late
        sealing = message["@type"] == "data.seal"
        counts.faults["an agent without bond enough"] += sealing and number == LOW_BOND
        under = "a batch retired or superseded under an order"
        counts.faults[under] += sealing and number == NOT_LIVE
        gone = sealing and number in (NO_OFFER, EXPIRED)
        counts.faults["an offer withdrawn or expired under an order"] += gone
        lapsed = number == TOO_MANY and max(
            self._before.lapses.get(sender, 0), after.lapses.get(sender, 0)
        )
        counts.faults["a party held back by its lapses"] += bool(lapsed)

    def _refused_reveal(self, number: int, message: Row) -> None:
        outcomes = self.counts.outcomes
        phase = self._phases.get(message["order"], "")
        if number == WRONG_LOCK:
            other = message["b"] in self._revealed
            outcomes["the b of another order is refused" if other else "a wrong b is refused"] += 1
        outcomes["a stranger's reveal is refused"] += number == NOT_SEALER
        over = ("revealed", "claimed", "settled", "upheld", "rejected")
        outcomes["a reveal said again is refused"] += number == ELSEWHERE and phase in over
        late = number == TOO_LATE or (number == ELSEWHERE and phase == "lapsed")
        outcomes["a late b is refused"] += late

    # What blocks do by themselves

    def _compare(self, after: Books) -> None:
        faults = self.counts.faults
        faults["a halt with orders under way"] += after.grown > self._before.grown
        for name, row in after.licences.items():
            known = self._before.licences.get(name, row)
            faults["a licence that a halt has prolonged"] += row["delete_by"] > known["delete_by"]
        for name, row in after.orders.items():
            late = "late" in row and "late" not in self._before.orders.get(name, {})
            faults["a claim late"] += late


def role_of(row: Row, phase: str, sender: str) -> str:
    """As what somebody has moved an order."""
    if not sender:
        return "deadline"
    if phase in ("upheld", "rejected"):
        voted = sum(vote == phase for vote in row["votes"])
        return "panel" if voted > 1 else "supervisor"
    if phase in ("sealed", "revealed"):
        return "owner" if sender == row["owner"] else "agent"
    return "owner" if phase == "withdrawn" else "buyer"


def outcome_of(row: Row, before: str, phase: str, by: str, after: Books) -> str:
    """The row of the table of deviations that an order's end is; empty for one that goes on."""
    agent = "secured" in row
    if phase == "lapsed":
        return lapse_of(row, before, agent, after)
    if phase == "settled":
        how = "the buyer accepts" if by == "buyer" else "the buyer is silent"
        return f"{how}: the owner is paid"
    return {
        "cancelled": "cancelled: all back",
        "withdrawn": "withdrawn: all back",
        "upheld": "claim upheld: the agent's bond pays the voters"
        if agent
        else "claim upheld against the owner: all back",
        "rejected": "claim rejected: the owner is paid, the deposit is the voters'",
    }.get(phase, "")


def lapse_of(row: Row, before: str, agent: bool, after: Books) -> str:
    """Whose fault it was that nobody went on."""
    if before == "open":
        return "never sealed: all back"
    if before == "sealed":
        return "never confirmed: all back, the buyer's fault"
    if "frozen_until" in row:
        return "the order was frozen before reveal: all back, no fault"
    buyer = after.enterprises.get(row["buyer"], {})
    if "suspended" in buyer or buyer.get("suspended_at", -1) >= row["confirmed_at"]:
        return "the buyer was suspended before reveal: all back, no fault"
    if agent:
        return "the agent never reveals: its bond pays the owner"
    return "the owner never reveals: all back, its fault"
