"""How an inspection begins and ends, and how what was read under it is counted and told."""

from collections import Counter
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import (
    Address,
    Audit,
    Context,
    Count,
    Cursor,
    Hash,
    Id,
    Page,
    View,
    require,
)
from tongbao.modules import member
from tongbao.modules.reading.messages import (
    GROUNDS,
    CloseInspection,
    Counted,
    Inspection,
    Opening,
    OpenInspection,
    Reads,
    ReadsRecorded,
    RecordReads,
    Tally,
    Why,
)
from tongbao.modules.reading.tables import (
    INSPECTION_MS,
    MEMBERS_ONLY,
    by_account,
    by_reader,
    inspections,
    module,
    openings,
    recorded,
    tallies,
)

KINDS: Final = ("histories", "pages", "queries", "rows", "statements")


@module.handler
def open_inspection(ctx: Context, msg: OpenInspection) -> Id:
    """Write the inspection down, for whom it is about to see."""
    is_supervisor = member.has_role(ctx, ctx.sender, member.SUPERVISOR)
    require(is_supervisor, Why.SENDER_IS_NOT_SUPERVISOR)
    require(msg.account != ctx.sender, Why.ACCOUNT_IS_OWN)
    require(msg.reason in GROUNDS, Why.REASON_IS_UNKNOWN)
    require(msg.until > ctx.time, Why.END_HAS_PASSED)
    longest = ctx.parameter(INSPECTION_MS)
    require(msg.until <= ctx.time + longest, Why.INSPECTION_IS_TOO_LONG)
    before = newest(ctx, ctx.sender, msg.account)
    require(before is None or before.until <= ctx.time, Why.INSPECTION_IS_OPEN)

    # From here it succeeds.
    made = ctx[inspections].add(
        Inspection(
            by=ctx.sender,
            account=msg.account,
            reason=msg.reason,
            basis_hash=msg.basis_hash,
            since=ctx.time,
            until=msg.until,
        )
    )
    ctx[openings][ctx.sender, msg.account] = Opening(inspection=made)
    counted = ctx[tallies].get(ctx.sender) or Tally()
    ctx[tallies][ctx.sender] = replace(counted, inspections=Count(counted.inspections + 1))
    return made


@module.handler
def close_inspection(ctx: Context, msg: CloseInspection) -> None:
    """End it now, also for who is no supervisor any more; what was read stays recorded."""
    inspection = ctx[inspections].one(msg.inspection, Why.INSPECTION_NOT_FOUND)
    require(inspection.by == ctx.sender, Why.SENDER_IS_NOT_INSPECTOR)
    require(ctx.time < inspection.until, Why.INSPECTION_HAS_ENDED)

    # From here it succeeds.
    ctx[inspections][msg.inspection] = replace(inspection, until=ctx.time)


@module.handler
def record_reads(ctx: Context, msg: RecordReads) -> None:
    """Count what a node has answered, and tell it to those whose data it was.

    A node's clock is not a block's: times are told as the node has them, and an inspection that has
    ended meanwhile is no reason to hide what was read.
    """
    is_operator = member.has_role(ctx, ctx.sender, member.OPERATOR)
    require(is_operator, Why.SENDER_IS_NOT_OPERATOR)
    named = {counted.inspection for counted in msg.reads}
    is_plain = len(named) == len(msg.reads) and all(map(is_in_order, msg.reads))
    require(is_plain, Why.READS_ARE_CONFUSED)
    found = [ctx[inspections].one(one.inspection, Why.INSPECTION_NOT_FOUND) for one in msg.reads]
    # By who records it, so that nobody takes the name of another's batch before it is decided.
    keys = [(one.inspection, ctx.sender, msg.batch) for one in msg.reads]
    is_new = all(key not in ctx[recorded] for key in keys)
    require(is_new, Why.BATCH_IS_RECORDED)

    # From here it succeeds.
    for counted, inspection in zip(msg.reads, found, strict=True):
        keep(ctx, msg.batch, counted, inspection)


def is_in_order(counted: Counted) -> bool:
    """Whether something was read, and the first time is not after the last."""
    return counted.since <= counted.until and any(getattr(counted, kind) for kind in KINDS)


def keep(ctx: Context, batch: Hash, counted: Counted, inspection: Inspection) -> None:
    """Keep what a batch counts under one inspection, add it to the tally, and tell it."""
    by, account = inspection.by, inspection.account
    ctx[recorded][counted.inspection, ctx.sender, batch] = Reads(
        account=account, by=by, recorder=ctx.sender, counted=counted
    )
    told = ctx[tallies].get(by)
    assert told is not None, "an inspection has been counted"
    more = {kind: Count(getattr(told, kind) + getattr(counted, kind)) for kind in KINDS}
    ctx[tallies][by] = replace(told, **more)
    ctx.emit(ReadsRecorded(account=account, by=by, counted=counted))


def newest(ctx: View, by: Address, of: Address) -> Inspection | None:
    """The newest inspection of an account by a supervisor, whether it has ended or not."""
    opening = ctx[openings].get((by, of))
    return None if opening is None else ctx[inspections].get(opening.inspection)


# Questions of clients


@module.query
def show(view: View, inspection: Id) -> Inspection | None:
    """One inspection, also one that has ended."""
    return view[inspections].get(inspection)


@module.query
def current(view: View, by: Address, account: Address) -> Opening | None:
    """The newest inspection of an account by a supervisor; `show` says until when it serves."""
    return view[openings].get((by, account))


@module.query
def inspections_of(
    view: View, account: Address, after: Cursor | None = None
) -> Page[Id, Inspection]:
    """Who has inspected an account and on which basis, oldest first, a page at a time."""
    return view.page(by_account, account, after)


@module.query
def reads_of(
    view: View, account: Address, after: Cursor | None = None
) -> Page[tuple[Id, Address, Hash], Reads]:
    """What supervisors have read of an account's data, oldest first, a page at a time."""
    return view.page(by_reader, account, after)


@module.query
def tally(view: View, by: Address) -> Tally | None:
    """How many inspections a supervisor has opened and how often it has read, for everybody."""
    return view[tallies].get(by)


@module.query
def is_for_members(view: View) -> bool:
    """Whether the chain says that nodes answer members alone, whatever their own settings."""
    return view.parameter(MEMBERS_ONLY) == 1


# What is always true


@module.invariant
def tallies_count_what_is_kept(view: Audit) -> bool:
    """Each tally counts the inspections and reads that are kept, and no others."""
    kept = Counter((row.by, "inspections") for row in view[inspections].values())
    for row in view[recorded].values():
        kept.update({(row.by, kind): getattr(row.counted, kind) for kind in KINDS})
    told = Counter(
        {
            (by, name): getattr(row, name)
            for by, row in view[tallies].items()
            for name in row.__struct_fields__
        }
    )
    return +kept == +told


@module.invariant
def openings_are_inspections(view: Audit) -> bool:
    """Each opening names an inspection of that account by that supervisor."""
    for (by, account), row in view[openings].items():
        found = view[inspections].get(row.inspection)
        if found is None or (found.by, found.account) != (by, account):
            return False
    return True
