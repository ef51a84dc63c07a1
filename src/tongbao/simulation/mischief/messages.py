"""What a bad or unlucky module could do. Used by the simulator and by tests alone."""

from __future__ import annotations

from enum import IntEnum

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Count,
    Id,
    Message,
    Reason,
    Record,
    Small,
    Time,
    Value,
)


class Rob(Message, tag=1):
    """Pay the sender out of somebody else's holding."""

    payer: Address
    asset: AssetId
    amount: Amount


class Burn(Message, tag=2):
    """Do so much work, in rows read, for nothing."""

    rows: Count


class Pour(Message, tag=3):
    """Move drops from one jar to another; all jars together keep what they have."""

    source: Small
    target: Small
    drops: Small


class Spill(Message, tag=4):
    """Take drops out of a jar and put them nowhere: the module breaks its own conservation."""

    jar: Small
    drops: Small


class Make(Message, tag=5):
    """Make a thing that falls due, and then behaves as its habit says."""

    due_at: Time
    habit: Small


class Squat(Message, tag=6):
    """Put a thing under an id of the sender's choice, perhaps one that is still to be derived."""

    place: Id
    habit: Small


class Repair(Message, tag=7):
    """Write a thing anew, which puts it back into its due list if it was stuck."""

    thing: Id
    due_at: Time
    habit: Small


class Tell(Message, tag=8):
    """Say how many things have a habit, by what the module keeps in memory."""

    habit: Small
    things: Count


class Regret(Message, tag=9):
    """Make a thing, pour drops, and refuse."""

    due_at: Time
    habit: Small


class SetAside(Message, tag=10):
    """Reserve value in a holding for the module, also in one that is not the sender's."""

    owner: Address
    asset: AssetId
    amount: Amount


class LetGo(Message, tag=11):
    """Let an owner spend again what the module had reserved."""

    owner: Address
    asset: AssetId
    amount: Amount


class Deliver(Message, tag=12):
    """Pay somebody out of what the module had reserved."""

    owner: Address
    asset: AssetId
    amount: Amount
    payee: Address


class Claim(Record, version=1):
    """What the module believes to have reserved in a holding."""

    amount: Amount


class Jar(Record, version=1):
    """A jar of drops."""

    drops: Small


class Habit(IntEnum):
    """What a thing does when it falls due."""

    TIDY = 0  # removes itself, as it should
    REFUSES = 1
    LINGERS = 2  # leaves its row as it is
    POSTPONES = 3  # falls due a second later, and is tidy then
    BURNS = 4  # does more work than it may
    SPILLS = 5  # breaks the conservation of drops
    BREEDS = 6  # leaves a tidy thing behind that falls due a second later
    ROBS = 7  # takes from the vault of another module


class Thing(Record, version=1):
    """Something that falls due. Without a time it never does."""

    owner: Address
    habit: Small
    due_at: Time | None = None


class Start(Value):
    """How many drops are in each jar at first, jars being numbered from 0."""

    jars: tuple[Jar, ...]


class Why(Reason):
    """Every refusal of this module."""

    JAR_IS_TOO_EMPTY = 1, "a jar has the drops that are taken out"
    THING_NOT_FOUND = 2, "the thing is there"
    COUNT_IS_ANOTHER = 3, "so many things have the habit"
    IT_IS_REGRETTED = 4, "nothing is regretted"
    THING_WILL_NOT = 5, "a thing does what falls due"
    HABIT_IS_UNKNOWN = 6, "a habit is 0 to 7"
    JARS_ARE_ONE = 7, "drops go from one jar to another"
    CLAIM_IS_TOO_SMALL = 8, "the module has reserved what it gives up"
