"""Inspections in the model: who reads what is another's, and what was counted."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model import ids
from tongbao.simulation.model.books import Turn, need
from tongbao.simulation.model.numbers import ReadingWhy

GROUNDS: Final = range(1, 10)
KINDS: Final = ("histories", "pages", "queries", "rows", "statements")


def acts_as(turn: Turn, role: str) -> bool:
    """Whether the sender acts for an active member with a role."""
    member = turn.books.members.get(turn.books.acting.get(turn.sender or "", ""))
    return member is not None and member.status == "active" and role in member.roles


def begin(turn: Turn, msg: dict[str, Any]) -> None:
    """A supervisor says whose data it is about to read, and why."""
    assert turn.sender is not None
    books, of = turn.books, msg["account"]
    need(acts_as(turn, "supervisor"), ReadingWhy.SENDER_IS_NOT_SUPERVISOR)
    need(of != turn.sender, ReadingWhy.ACCOUNT_IS_OWN)
    need(msg["reason"] in GROUNDS, ReadingWhy.REASON_IS_UNKNOWN)
    need(msg["until"] > turn.time, ReadingWhy.END_HAS_PASSED)
    lasts = msg["until"] - turn.time
    need(lasts <= turn.values["reading.inspection_ms"], ReadingWhy.INSPECTION_IS_TOO_LONG)
    going = any(
        (one["by"], one["account"]) == (turn.sender, of) and one["until"] > turn.time
        for one in books.inspections.values()
    )
    need(not going, ReadingWhy.INSPECTION_IS_OPEN)
    said = {member: msg[member] for member in ("account", "reason", "basis_hash", "until")}
    made = ids.new(turn)
    books.inspections[made] = said | {"by": turn.sender, "since": turn.time}
    books.newest_inspections[turn.sender, of] = made
    count(turn, turn.sender, "inspections", 1)


def end(turn: Turn, msg: dict[str, Any]) -> None:
    """Who has begun an inspection ends it."""
    inspections, name = turn.books.inspections, msg["inspection"]
    need(name in inspections, ReadingWhy.INSPECTION_NOT_FOUND)
    need(inspections[name]["by"] == turn.sender, ReadingWhy.SENDER_IS_NOT_INSPECTOR)
    need(turn.time < inspections[name]["until"], ReadingWhy.INSPECTION_HAS_ENDED)
    inspections[name] = inspections[name] | {"until": turn.time}


def record(turn: Turn, msg: dict[str, Any]) -> None:
    """An operator says what was read."""
    books, batch, reads = turn.books, msg["batch"], msg["reads"]
    need(acts_as(turn, "operator"), ReadingWhy.SENDER_IS_NOT_OPERATOR)
    names = [one["inspection"] for one in reads]
    ordered = all(one["since"] <= one["until"] for one in reads)
    some = all(sum(one.get(kind, 0) for kind in KINDS) for one in reads)
    need(ordered and some and len(set(names)) == len(names), ReadingWhy.READS_ARE_CONFUSED)
    need(all(name in books.inspections for name in names), ReadingWhy.INSPECTION_NOT_FOUND)
    sender = turn.sender
    assert sender is not None
    known = any((name, sender, batch) in books.reads for name in names)
    need(not known, ReadingWhy.BATCH_IS_RECORDED)
    for name, one in zip(names, reads, strict=True):
        inspection = books.inspections[name]
        who = {member: inspection[member] for member in ("account", "by")}
        counted = {member: value for member, value in one.items() if value}
        books.reads[name, sender, batch] = who | {"recorder": sender, "counted": counted}
        for kind in KINDS:
            count(turn, inspection["by"], kind, one.get(kind, 0))
        turn.events.append({"@type": "reading.reads_recorded", "counted": counted} | who)


def count(turn: Turn, by: str, what: str, more: int) -> None:
    """More in a supervisor's tally."""
    before = turn.books.reading_tallies.get(by, {})
    if more:
        turn.books.reading_tallies[by] = before | {what: before.get(what, 0) + more}


RULES: Final = {
    "reading.open_inspection": begin,
    "reading.close_inspection": end,
    "reading.record_reads": record,
}
