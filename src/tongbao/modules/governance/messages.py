"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel import (
    Address,
    Algorithm,
    Count,
    Event,
    Id,
    Key,
    Message,
    PublicKey,
    Reason,
    Record,
    Small,
    Time,
    Value,
)
from tongbao.kernel.kernel_module import (
    DAY_MS,
    FeatureNames,
    ModuleLines,
    NodeId,
    Power,
    RowCount,
    SettingName,
    SponsoredCount,
    Tokens,
)
from tongbao.modules.governance.member_actions import MemberAction

COUNCIL_LIMIT: Final = 100
ACTIONS_LIMIT: Final = 16
FIRST_PEERS_LIMIT: Final = 256
LONGEST_DELAY_MS: Final = 30 * DAY_MS

Operators = Annotated[tuple[Address, ...], Meta(min_length=1, max_length=COUNCIL_LIMIT)]
"""Accounts that propose and vote; each vote counts the same."""

Delay = NewType("Delay", Annotated[int, Meta(ge=0, le=LONGEST_DELAY_MS)])
"""Milliseconds between a decision and its carrying out."""

Choice = NewType("Choice", Annotated[str, Meta(pattern=r"^(?:approve|reject)\Z")])
"""What an operator says to a proposal."""

Phase = NewType(
    "Phase",
    Annotated[
        str,
        Meta(pattern=r"^(?:open|approved|rejected|lapsed|cancelled|carried_out|failed)\Z"),
    ],
)
"""How far a proposal is."""


class SetValidator(Value, tag=1):
    """Let a key vote on blocks with this power."""

    key: PublicKey
    power: Power


class RemoveValidator(Value, tag=2):
    """Let a key vote on blocks no more."""

    key: PublicKey


class AdmitPeer(Value, tag=3):
    """Let a node connect to those of the network."""

    node: NodeId


class RemovePeer(Value, tag=4):
    """Let a node connect no more."""

    node: NodeId


class SetParameter(Value, tag=5):
    """Set a parameter within its declared bounds."""

    name: SettingName
    value: Count


class ScheduleUpgrade(Value, tag=6):
    """From a height on, modules have this code and features begin."""

    height: Count
    modules: ModuleLines = ()
    features: FeatureNames = ()


class CancelUpgrade(Value, tag=7):
    """Take back an upgrade that has not begun."""

    height: Count


class AddOperator(Value, tag=8):
    """Let one more account propose and vote."""

    operator: Address


class RemoveOperator(Value, tag=9):
    """Let an account propose and vote no more."""

    operator: Address


class SetThreshold(Value, tag=10):
    """Ask for so many approvals of the proposals to come."""

    threshold: Small


class SetDelay(Value, tag=11):
    """Wait so long before the proposals to come are carried out."""

    delay_ms: Delay


class SetAllowance(Value, tag=25):
    """Make an account a sponsor, or give it another allowance: what it and its accounts spend."""

    sponsor: Address
    capacity: Tokens
    per_minute: Tokens
    accounts: SponsoredCount
    rows: RowCount | None = None


class EndAllowance(Value, tag=26):
    """Let an account be a sponsor no more; those for whom it stood pay out of the common bucket."""

    sponsor: Address


Action = (
    SetValidator
    | RemoveValidator
    | AdmitPeer
    | RemovePeer
    | SetParameter
    | ScheduleUpgrade
    | CancelUpgrade
    | AddOperator
    | RemoveOperator
    | SetThreshold
    | SetDelay
    | MemberAction
    | SetAllowance
    | EndAllowance
)
"""One change that operators may decide."""

Actions = Annotated[tuple[Action, ...], Meta(min_length=1, max_length=ACTIONS_LIMIT)]
"""The changes of one proposal, made in this order: all of them or none."""


class Propose(Message, tag=1):
    """Propose changes to the operators, and approve them; the proposal's id is derived."""

    actions: Actions
    closes_at: Time


class Vote(Message, tag=2):
    """Approve or reject an open proposal, once and for all."""

    proposal: Id
    choice: Choice


class Cancel(Message, tag=3):
    """Take back a proposal of the sender's that is not carried out yet."""

    proposal: Id


class Found(Message, tag=4):
    """Name the first operators of a chain that has none; the authority signs too."""

    authority: PublicKey
    operators: Operators
    threshold: Small
    delay_ms: Delay

    def also_signed_by(self) -> tuple[Key, ...]:
        """The authority's key."""
        return (Key(algorithm=Small(Algorithm.ED25519.value), public=self.authority),)


class Council(Record, version=1):
    """The operators of now, how many approvals they ask for, and how long they wait then."""

    operators: Operators
    threshold: Small
    delay_ms: Delay


class Proposal(Record, version=1):
    """What was proposed by the rules of that moment; `number` says why it failed in the end."""

    proposer: Address
    actions: Actions
    closes_at: Time
    voters: Operators
    threshold: Small
    delay_ms: Delay
    phase: Phase
    approvals: Small
    rejections: Small
    carries_at: Time | None = None
    number: Count = Count(0)


class Ballot(Record, version=1):
    """What an operator said to a proposal, and when."""

    choice: Choice
    at: Time


class Decided(Event, tag=1):
    """A proposal has come to a phase; `number` is the refusal of one that failed."""

    proposal: Id
    phase: Phase
    number: Count = Count(0)


class FirstValidator(Value):
    """A validator of the first block."""

    key: PublicKey
    power: Power


class Start(Value):
    """Who governs from the first block on, who votes on blocks then, and who may connect.

    The operators are accounts that genesis opens, in a section before this one. Validators are
    the keys of the genesis file's engine, or none under an engine that has one authority.
    """

    operators: Operators
    threshold: Small
    delay_ms: Delay
    validators: Annotated[tuple[FirstValidator, ...], Meta(max_length=COUNCIL_LIMIT)] = ()
    peers: Annotated[tuple[NodeId, ...], Meta(max_length=FIRST_PEERS_LIMIT)] = ()


class Why(Reason):
    """Every refusal of this module; what an action may say below it is for the kernel to refuse."""

    SENDER_IS_NOT_OPERATOR = 1, "an operator proposes"
    CLOSING_TIME_IS_WRONG = 2, "a proposal closes later than this block, within `voting_ms`"
    TOO_MANY_PROPOSALS = 3, "an operator has at most `proposals_limit` proposals under way"
    PROPOSAL_NOT_FOUND = 4, "a proposal has this id"
    PROPOSAL_IS_CLOSED = 5, "a proposal is voted on while it is open, before it closes"
    SENDER_IS_NOT_VOTER = 6, "those vote who were operators when the proposal was made"
    SENDER_HAS_VOTED = 7, "an operator votes once on a proposal, by proposing it or by `vote`"
    SENDER_IS_NOT_PROPOSER = 8, "only its proposer takes a proposal back"
    PROPOSAL_HAS_ENDED = 9, "a proposal is taken back before it is carried out or has ended"
    THRESHOLD_IS_OUT_OF_REACH = 10, "the threshold is 1 to the number of operators who are heard"
    OPERATOR_IS_DOUBLED = 11, "an account is an operator once"
    ACCOUNT_NOT_FOUND = 12, "an operator, or a sponsor, is an open account"
    OPERATOR_NOT_FOUND = 13, "only an operator can be removed from the operators"
    TOO_MANY_OPERATORS = 14, "there are at most `operators_limit` operators"
    OPERATOR_CANNOT_CLOSE = 15, "an operator's account stays open until others remove the operator"
    OPERATORS_DECIDE = 16, "where there are operators, they propose upgrades"
    OPERATORS_ARE_NAMED = 17, "first operators are named where there are none"
    SIGNER_IS_NOT_AUTHORITY = 18, "the authority is a key that genesis lets sign blocks"
    MEMBER_IS_NOT_ACTIVE = 19, "no operator acts for a member that is suspended or has left"
    MEMBERS_ARE_NOT_KEPT = 20, "a chain has members and roles when it has the module `member`"
    HALT_IS_TOO_LONG = 21, "a halt lasts at most `halt_ms`"
    HALT_IS_TOO_SOON = 22, "a module is halted again `halt_rest_ms` after it last stood still"
    MEMBER_HAS_TWO_SEATS = 23, "a member is operator with one of its accounts"
