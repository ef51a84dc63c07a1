"""The module `reading`, its tables, indexes and parameters."""

from typing import Final

from tongbao.kernel import Address, Hash, Id, Module
from tongbao.modules import member
from tongbao.modules.reading.messages import Inspection, Opening, Reads, Tally, Why

DAY_MS: Final = 86_400_000

module = Module(10, "reading", uses=(member.module,), reasons=Why)

MEMBERS_ONLY = module.parameter(
    "members_only",
    default=0,
    low=0,
    high=1,
    meaning="1 where nodes answer members alone, 0 where each node decides who may read",
)
INSPECTION_MS = module.parameter(
    "inspection_ms",
    default=30 * DAY_MS,
    low=60_000,
    high=366 * DAY_MS,
    meaning="milliseconds that an inspection may last; another may follow, and each is counted",
)


def by_account_in_time(inspection: Inspection) -> object:
    """Where an inspection is listed: under whose account it is, the oldest first."""
    return inspection.account, inspection.since


def reads_in_time(reads: Reads) -> object:
    """Where reads are listed: under whose account they were, the oldest first."""
    return reads.account, reads.counted.until


inspections = module.table(1, key=Id, value=Inspection)
openings = module.table(2, key=tuple[Address, Address], value=Opening)
recorded = module.table(3, key=tuple[Id, Address, Hash], value=Reads)
tallies = module.table(4, key=Address, value=Tally)
by_account = module.index(5, of=inspections, by=by_account_in_time)
by_reader = module.index(6, of=recorded, by=reads_in_time)
