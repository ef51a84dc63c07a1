"""How operators decide: proposals, votes, what falls due, and what is always true of them."""

from collections import Counter

from msgspec.structs import replace

from tongbao.kernel import (
    Address,
    Audit,
    Context,
    Count,
    Cursor,
    GenesisError,
    Id,
    Name,
    Page,
    PublicKey,
    Small,
    View,
    Work,
    require,
)
from tongbao.kernel.halting import halts_listed
from tongbao.kernel.kernel_module import Halt as ModuleHalt
from tongbao.kernel.kernel_module import NodeId, Peer, Validator, halts_in_order, peers_in_order
from tongbao.kernel.kernel_module import validators_in_order as in_order
from tongbao.kernel.membership import admit_peer, peers_listed, set_validator, validators_listed
from tongbao.modules import account, member, upgrade
from tongbao.modules.account import Closing
from tongbao.modules.governance.actions import carry_out
from tongbao.modules.governance.council import (
    found_council,
    has_one_seat_each,
    heard,
    is_heard,
    standing_of,
)
from tongbao.modules.governance.member_actions import Halt
from tongbao.modules.governance.messages import (
    Action,
    Ballot,
    Cancel,
    Choice,
    Council,
    Decided,
    Delay,
    Found,
    Operators,
    Phase,
    Proposal,
    Propose,
    Start,
    Vote,
    Why,
)
from tongbao.modules.governance.tables import (
    APPROVED,
    CANCELLED,
    CARRIED_OUT,
    COUNCIL,
    ENDED,
    FAILED,
    LAPSED,
    OPEN,
    PROPOSALS_LIMIT,
    REJECTED,
    UNDER_WAY,
    VOTING_MS,
    WAITING,
    ballots,
    by_due_time,
    by_proposer,
    by_shelf,
    councils,
    module,
    proposals,
)
from tongbao.modules.upgrade import Scheduling

APPROVE = Choice("approve")
NOT_FAILED = Count(0)
EMERGENCY_PART = 3
AT_ONCE = Delay(0)


# The first operators


@module.genesis
def begin(ctx: Work, start: Start) -> None:
    """Name the first operators, validators and peers. Raises GenesisError."""
    keys = [validator.key for validator in start.validators]
    if keys and sorted(keys) != sorted(ctx.genesis.engine.keys):
        raise GenesisError(
            "section governance: its validators are not the keys that the genesis file's engine "
            "has: name the same keys in both"
        )
    sections = [each.module for each in ctx.genesis.sections]
    if member.module.name in sections[sections.index(Name(module.name)) :]:
        raise GenesisError(
            "section member: it stands after section governance, whose operators act for members: "
            "put it before that"
        )
    for validator in start.validators:
        set_validator(ctx, validator.key, validator.power)
    for node in start.peers:
        admit_peer(ctx, node)
    found_council(
        ctx,
        Council(operators=start.operators, threshold=start.threshold, delay_ms=start.delay_ms),
    )


@module.handler
def found(ctx: Context, msg: Found) -> None:
    """Name the first operators of a chain that has none."""
    require(msg.authority in ctx.genesis.engine.keys, Why.SIGNER_IS_NOT_AUTHORITY)
    require(COUNCIL not in ctx[councils], Why.OPERATORS_ARE_NAMED)
    found_council(
        ctx, Council(operators=msg.operators, threshold=msg.threshold, delay_ms=msg.delay_ms)
    )


# Proposals


@module.handler
def propose(ctx: Context, msg: Propose) -> Id:
    """Open a proposal that could be carried out now, with the sender's approval."""
    council = ctx[councils].one(COUNCIL, Why.SENDER_IS_NOT_OPERATOR)
    require(ctx.sender in council.operators, Why.SENDER_IS_NOT_OPERATOR)
    require(is_heard(ctx, ctx.sender), Why.MEMBER_IS_NOT_ACTIVE)
    latest = ctx.time + ctx.parameter(VOTING_MS)
    require(ctx.time < msg.closes_at <= latest, Why.CLOSING_TIME_IS_WRONG)
    most = ctx.parameter(PROPOSALS_LIMIT)
    under_way = ctx.page(by_proposer, ctx.sender, None, limit=most).rows
    require(len(under_way) < most, Why.TOO_MANY_PROPOSALS)
    why = ctx.attempt(carry_out, msg.actions, keep=False)
    if why is not None:
        require(False, why)

    voters = heard(ctx, council)
    threshold, delay_ms = terms(council, voters, msg.actions)

    # From here it succeeds.
    proposal = Proposal(
        proposer=ctx.sender,
        actions=msg.actions,
        closes_at=msg.closes_at,
        voters=voters,
        threshold=threshold,
        delay_ms=delay_ms,
        phase=OPEN,
        approvals=Small(0),
        rejections=Small(0),
    )
    made = ctx[proposals].add(proposal)
    cast(ctx, made, proposal, APPROVE)
    return made


def terms(council: Council, voters: Operators, actions: tuple[Action, ...]) -> tuple[Small, Delay]:
    """How many approvals a proposal needs, and how long it waits then.

    What does nothing but halt needs a third of the voters, and does not wait.
    """
    if not all(isinstance(action, Halt) for action in actions):
        return council.threshold, council.delay_ms
    third = -(-len(voters) // EMERGENCY_PART)
    return Small(min(council.threshold, third)), AT_ONCE


@module.handler
def vote(ctx: Context, msg: Vote) -> None:
    """Count one operator's vote, and decide where it decides."""
    proposal = ctx[proposals].one(msg.proposal, Why.PROPOSAL_NOT_FOUND)
    is_open = proposal.phase == OPEN and ctx.time < proposal.closes_at
    require(is_open, Why.PROPOSAL_IS_CLOSED)
    require(ctx.sender in proposal.voters, Why.SENDER_IS_NOT_VOTER)
    require((msg.proposal, ctx.sender) not in ctx[ballots], Why.SENDER_HAS_VOTED)
    require(is_heard(ctx, ctx.sender), Why.MEMBER_IS_NOT_ACTIVE)

    # From here it succeeds.
    cast(ctx, msg.proposal, proposal, msg.choice)


@module.handler
def cancel(ctx: Context, msg: Cancel) -> None:
    """End a proposal of the sender's that is under way."""
    proposal = ctx[proposals].one(msg.proposal, Why.PROPOSAL_NOT_FOUND)
    require(proposal.proposer == ctx.sender, Why.SENDER_IS_NOT_PROPOSER)
    require(proposal.phase in UNDER_WAY, Why.PROPOSAL_HAS_ENDED)
    require(is_heard(ctx, ctx.sender), Why.MEMBER_IS_NOT_ACTIVE)

    # From here it succeeds.
    put(ctx, msg.proposal, proposal, CANCELLED)


def cast(ctx: Context, name: Id, proposal: Proposal, choice: Choice) -> None:
    """Keep the sender's vote and count it; the one that decides is told."""
    ctx[ballots][name, ctx.sender] = Ballot(choice=choice, at=ctx.time)
    approves = choice == APPROVE
    counted = replace(
        proposal,
        approvals=Small(proposal.approvals + approves),
        rejections=Small(proposal.rejections + (not approves)),
    )
    if counted.approvals >= counted.threshold:
        put(ctx, name, replace(counted, carries_at=ctx.time + counted.delay_ms), APPROVED)
    elif len(counted.voters) - counted.rejections < counted.threshold:
        put(ctx, name, counted, REJECTED)
    else:
        ctx[proposals][name] = counted


def put(ctx: Work, name: Id, proposal: Proposal, phase: Phase, number: Count = NOT_FAILED) -> None:
    """Write a proposal that has come to another phase, and tell it."""
    ctx[proposals][name] = replace(proposal, phase=phase, number=number)
    ctx.emit(Decided(proposal=name, phase=phase, number=number))


@module.due(by_due_time)
def fall_due(ctx: Work, name: Id, proposal: Proposal) -> None:
    """Carry out an approved proposal, all of it or nothing; an open one lapses."""
    if proposal.phase == OPEN:
        put(ctx, name, proposal, LAPSED)
        return
    why = ctx.attempt(carry_out, proposal.actions)
    if why is None:
        put(ctx, name, proposal, CARRIED_OUT)
    else:
        put(ctx, name, proposal, FAILED, Count(why.number))


# What is refused elsewhere for their sake


@module.hears(account.closing)
def keep_operators_open(ctx: Work, said: Closing) -> None:
    """An operator whom nobody can reach would count among those who must agree."""
    council = ctx[councils].get(COUNCIL)
    is_operator = council is not None and said.account in council.operators
    require(not is_operator, Why.OPERATOR_CANNOT_CLOSE)


@module.hears(upgrade.scheduling)
def decide_upgrades(ctx: Work, said: Scheduling) -> None:
    """One key that signs blocks is not enough where operators decide."""
    require(COUNCIL not in ctx[councils], Why.OPERATORS_DECIDE)


# Questions


@module.query
def operators(view: View) -> Council | None:
    """The operators, their threshold and their delay; nothing where nobody was named."""
    return view[councils].get(COUNCIL)


@module.query
def show(view: View, proposal: Id) -> Proposal | None:
    """One proposal, whatever has become of it."""
    return view[proposals].get(proposal)


@module.query
def waiting(view: View, after: Cursor | None = None) -> Page[Id, Proposal]:
    """Proposals that are open or wait to be carried out, a page at a time."""
    return view.page(by_shelf, WAITING, after)


@module.query
def ended(view: View, after: Cursor | None = None) -> Page[Id, Proposal]:
    """Proposals that were carried out or came to nothing, a page at a time."""
    return view.page(by_shelf, ENDED, after)


@module.query
def votes(
    view: View, proposal: Id, after: Cursor | None = None
) -> Page[tuple[Id, Address], Ballot]:
    """The votes on a proposal, a page at a time."""
    return view.page(ballots, proposal, after)


@module.query
def validators(view: View, after: Cursor | None = None) -> Page[PublicKey, Validator]:
    """The keys that vote on blocks, a page at a time; none under an engine with one authority."""
    return validators_listed(view, in_order, after)


@module.query
def halts(view: View, after: Cursor | None = None) -> Page[Name, ModuleHalt]:
    """When each module's last halt ends or ended; none was halted that is not there."""
    return halts_listed(view, halts_in_order, after)


@module.query
def peers(view: View, after: Cursor | None = None) -> Page[NodeId, Peer]:
    """The nodes that may connect to those of the network, a page at a time."""
    return peers_listed(view, peers_in_order, after)


# What is always true


@module.invariant
def operators_can_decide(view: Audit) -> bool:
    """No account or member is operator twice, and all who are heard reach the threshold."""
    return all(
        1 <= council.threshold <= len(heard(view, council))
        and len(set(council.operators)) == len(council.operators)
        and has_one_seat_each([standing_of(view, name) for name in council.operators])
        for council in view[councils].values()
    )


@module.invariant
def votes_are_counted(view: Audit) -> bool:
    """Each proposal counts the votes that its voters have cast, and no others."""
    cast_votes = Counter[tuple[Id, str]]()
    for (name, voter), ballot in view[ballots].items():
        proposal = view[proposals].get(name)
        if proposal is None or voter not in proposal.voters:
            return False
        cast_votes[name, ballot.choice] += 1
    return all(
        cast_votes[name, "approve"] == proposal.approvals
        and cast_votes[name, "reject"] == proposal.rejections
        for name, proposal in view[proposals].items()
    )


@module.invariant
def open_proposals_are_undecided(view: Audit) -> bool:
    """An open proposal has not enough approvals yet, and can still have them."""
    return all(
        proposal.approvals < proposal.threshold <= len(proposal.voters) - proposal.rejections
        for proposal in view[proposals].values()
        if proposal.phase == OPEN
    )
