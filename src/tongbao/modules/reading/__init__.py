"""Reading: who inspects what is another's, on which basis, and how much was read."""

from tongbao.modules.reading.messages import (
    GROUNDS,
    READS_LIMIT,
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
from tongbao.modules.reading.rules import (
    current,
    inspections_of,
    is_for_members,
    reads_of,
    show,
    tally,
)
from tongbao.modules.reading.tables import MEMBERS_ONLY, module

__all__ = [
    "GROUNDS",
    "MEMBERS_ONLY",
    "READS_LIMIT",
    "CloseInspection",
    "Counted",
    "Inspection",
    "OpenInspection",
    "Opening",
    "Reads",
    "ReadsRecorded",
    "RecordReads",
    "Tally",
    "Why",
    "current",
    "inspections_of",
    "is_for_members",
    "module",
    "reads_of",
    "show",
    "tally",
]
