"""The module, its rows and its parameters."""

from typing import Final

from tongbao.kernel import Address, Id, Module, Small, Time
from tongbao.kernel.kernel_module import DAY_MS
from tongbao.kernel.kernel_module import module as kernel
from tongbao.modules import account, member, upgrade
from tongbao.modules.governance.member_actions import LONGEST_HALT_MS
from tongbao.modules.governance.messages import (
    COUNCIL_LIMIT,
    Ballot,
    Council,
    Phase,
    Proposal,
    Why,
)

OPEN: Final = Phase("open")
APPROVED: Final = Phase("approved")
REJECTED: Final = Phase("rejected")
LAPSED: Final = Phase("lapsed")
CANCELLED: Final = Phase("cancelled")
CARRIED_OUT: Final = Phase("carried_out")
FAILED: Final = Phase("failed")

UNDER_WAY: Final = (OPEN, APPROVED)
WAITING: Final = 0
ENDED: Final = 1

module = Module(
    4,
    "governance",
    uses=(kernel, account.module, upgrade.module),
    may_use=(member.module,),
    reasons=Why,
    haltable=False,
)

OPERATORS_LIMIT = module.parameter(
    "operators_limit",
    default=COUNCIL_LIMIT,
    low=1,
    high=COUNCIL_LIMIT,
    meaning="operators that propose and vote",
)
PROPOSALS_LIMIT = module.parameter(
    "proposals_limit",
    default=16,
    low=1,
    high=100,
    meaning="proposals of one operator that are open or wait to be carried out",
)
VOTING_MS = module.parameter(
    "voting_ms",
    default=30 * DAY_MS,
    low=60_000,
    high=365 * DAY_MS,
    meaning="milliseconds between a block's time and the latest `closes_at` of a proposal in it",
)
HALT_MS = module.parameter(
    "halt_ms",
    default=3 * DAY_MS,
    low=60_000,
    high=LONGEST_HALT_MS,
    meaning="milliseconds that a halt of a module may last",
)
HALT_REST_MS = module.parameter(
    "halt_rest_ms",
    default=DAY_MS,
    low=1,
    high=LONGEST_HALT_MS,
    meaning="milliseconds between the end of a module's halt and its next halt",
)


def due_time(proposal: Proposal) -> Time | None:
    """When a proposal lapses or is carried out; None for one that has ended."""
    if proposal.phase == OPEN:
        return proposal.closes_at
    return proposal.carries_at if proposal.phase == APPROVED else None


def proposer_under_way(proposal: Proposal) -> Address | None:
    """Whose proposal is still under way."""
    return proposal.proposer if proposal.phase in UNDER_WAY else None


def shelf(proposal: Proposal) -> int:
    """Among which proposals one is listed."""
    return WAITING if proposal.phase in UNDER_WAY else ENDED


COUNCIL: Final = Small(0)
"""The key of the one row of `councils`."""

councils = module.table(1, key=Small, value=Council)
proposals = module.table(2, key=Id, value=Proposal)
ballots = module.table(3, key=tuple[Id, Address], value=Ballot)
by_due_time = module.index(4, of=proposals, by=due_time)
by_proposer = module.index(5, of=proposals, by=proposer_under_way)
by_shelf = module.index(6, of=proposals, by=shelf)
