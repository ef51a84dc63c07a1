"""What can be planned, and what becomes of it when it falls due."""

from enum import IntEnum

from tongbao.kernel import Id, Message, Reason, Record, Small, Time


class How(IntEnum):
    """How an item behaves when it falls due."""

    DONE = 0
    REFUSES = 1
    LINGERS = 2


class Plan(Message, tag=1):
    """Plan chores, one after the other, and as many errands."""

    due_at: Time
    hows: Small
    count: Small
    then_fail: Small = Small(0)


class Behave(Message, tag=2):
    """Change how a chore behaves."""

    chore: Id
    how: Small


class Chore(Record, version=1):
    """Something to do at a time."""

    due_at: Time
    how: Small


class Why(Reason):
    """Every refusal of this module."""

    CHORE_REFUSES = 1, "this chore can't be done"
    CHORE_NOT_FOUND = 2, "no chore has this id"
    PLANS_HAVE_ENDED = 3, "nothing is planned any more"
    PLAN_FAILS = 4, "a plan may fail at its end"
