"""A module as somebody else would write it: nothing in the platform knows its name."""

from __future__ import annotations

from typing import Annotated, NewType

from msgspec import Meta

from tongbao.kernel import Context, Hash, Message, Module, Reason, Record, Small, View, require

Grade = NewType("Grade", Annotated[str, Meta(pattern=r"^[A-F]\Z")])
Weights = Annotated[tuple[Small, ...], Meta(max_length=3)]


class KeepNote(Message, tag=1):
    """Keep a note for later."""

    lane: Small
    weights: Weights
    grade: Grade
    urgent: bool = False
    note_hash: Hash | None = None


class Note(Record, version=1):
    """A note."""

    grade: Grade


class Why(Reason):
    """Every refusal of this module."""

    NOTE_IS_KEPT = 1, "a note is kept once"


module = Module(1000, "notes", reasons=Why)
notes = module.table(1, key=Small, value=Note)


@module.handler
def keep(ctx: Context, msg: KeepNote) -> None:
    """Write the note."""
    require(msg.lane not in ctx[notes], Why.NOTE_IS_KEPT)

    # From here it succeeds.
    ctx[notes][msg.lane] = Note(grade=msg.grade)


@module.query
def note_of(view: View, lane: Small) -> Note | None:
    """One note."""
    return view[notes].get(lane)
