"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta

from tongbao.kernel import (
    Address,
    Count,
    Event,
    Hash,
    Id,
    Message,
    Reason,
    Record,
    Small,
    Time,
    Value,
)

READS_LIMIT: Final = 64

GROUNDS: Final[Mapping[int, str]] = {
    1: "an order of a court",
    2: "an order of an authority",
    3: "a sanctions list",
    4: "a suspicion of fraud",
    5: "a suspicion of money laundering",
    6: "supervision that the law provides for",
    7: "insolvency of the account's owner",
    8: "a request or complaint of the account's owner",
    9: "a dispute about a payment",
}
"""Why somebody inspects an account, by number. Numbers are added, and never mean another thing."""


class Counted(Value):
    """How often data was read under one inspection, by kind, from the first time to the last."""

    inspection: Id
    since: Time
    until: Time
    histories: Count = Count(0)
    pages: Count = Count(0)
    queries: Count = Count(0)
    rows: Count = Count(0)
    statements: Count = Count(0)


class OpenInspection(Message, tag=1):
    """State on which basis a supervisor, the sender, reads what is an account's, until a time.

    `basis_hash` is the salted hash of the file or order that it goes by: no name, and no number.
    """

    account: Address
    reason: Small
    basis_hash: Hash
    until: Time


class CloseInspection(Message, tag=2):
    """End an inspection of the sender's before its time."""

    inspection: Id


class RecordReads(Message, tag=3):
    """Record what was read of others' data at a node; the sender acts for an operator.

    `batch` is the node's own for these reads and no others: sent again, it counts once.
    """

    batch: Hash
    reads: Annotated[tuple[Counted, ...], Meta(min_length=1, max_length=READS_LIMIT)]


class Inspection(Record, version=1):
    """By whom an account is inspected, on which ground and basis, since when, until when."""

    by: Address
    account: Address
    reason: Small
    basis_hash: Hash
    since: Time
    until: Time


class Opening(Record, version=1):
    """The newest inspection of an account by a supervisor; it may have ended."""

    inspection: Id


class Reads(Record, version=1):
    """What one batch counts under one inspection, and which account of an operator's says so."""

    account: Address
    by: Address
    recorder: Address
    counted: Counted


class Tally(Record, version=1):
    """How many inspections a supervisor has opened, and how often it has read under them."""

    inspections: Count = Count(0)
    histories: Count = Count(0)
    pages: Count = Count(0)
    queries: Count = Count(0)
    rows: Count = Count(0)
    statements: Count = Count(0)


class ReadsRecorded(Event, tag=1):
    """A supervisor has read what is an account's, under an inspection."""

    account: Address
    by: Address
    counted: Counted


class Why(Reason):
    """Every refusal of this module."""

    SENDER_IS_NOT_SUPERVISOR = 1, "an active member that is a supervisor opens an inspection"
    ACCOUNT_IS_OWN = 2, "an inspection is of somebody else's account"
    REASON_IS_UNKNOWN = 3, "a ground is one of the table of grounds"
    END_HAS_PASSED = 4, "an inspection ends later than this block's time"
    INSPECTION_IS_TOO_LONG = 5, "an inspection lasts at most reading.inspection_ms"
    INSPECTION_IS_OPEN = 6, "a supervisor has one open inspection of an account at a time"
    INSPECTION_NOT_FOUND = 7, "reading what is another's needs an inspection of that account"
    SENDER_IS_NOT_INSPECTOR = 8, "only who has opened an inspection ends it"
    INSPECTION_HAS_ENDED = 9, "an inspection serves until its end: open another one"
    SENDER_IS_NOT_OPERATOR = 10, "an active member that is an operator records what was read"
    READS_ARE_CONFUSED = 11, "a batch names an inspection once, with reads and times in order"
    BATCH_IS_RECORDED = 12, "a batch is recorded once"
