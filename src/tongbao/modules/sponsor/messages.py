"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel import Address, Count, Message, Reason, Record, Time, Value
from tongbao.kernel.kernel_module import (
    DAY_MS,
    Allowance,
    RowCount,
    Share,
    SponsoredCount,
    Sponsorship,
    Tokens,
)

LASTS_LIMIT_MS: Final = 3_660 * DAY_MS
FIRST_LIMIT: Final = 1_000

Lasts = NewType("Lasts", Annotated[int, Meta(ge=1, le=LASTS_LIMIT_MS)])
"""How many milliseconds a sponsorship lasts from an account's opening: ten years at most."""


class Grant(Message, tag=1):
    """Stand for an account from now on; for one that another sponsor pays for, offer to.

    A later grant takes the place of the sender's earlier one. Without `share` the account may
    spend all that the sender has.
    """

    account: Address
    expires_at: Time | None = None
    share: Share | None = None


class Revoke(Message, tag=2):
    """Stand for an account no more, from the next transaction on; or take an offer back."""

    account: Address


class Take(Message, tag=3):
    """Take the offer of a sponsor: it pays from the next transaction on, in another's place."""

    by: Address


class Leave(Message, tag=4):
    """Be stood for no more by the sponsor of now."""


class SetTerms(Message, tag=5):
    """Stand from now on for every account that the sender opens."""

    lasts_ms: Lasts | None = None
    share: Share | None = None


class EndTerms(Message, tag=6):
    """Stand no more for accounts that the sender opens from now on."""


class Terms(Record, version=1):
    """How a sponsor stands for accounts that it opens."""

    lasts_ms: Lasts | None = None
    share: Share | None = None


class Payment(Value):
    """Who pays for an account's transactions now, and how many messages it could pay at once.

    `payer` is the common bucket where no sponsor pays.
    """

    payer: Address
    tokens: Count
    sponsorship: Sponsorship | None = None


class Sponsor(Value):
    """What a sponsor may spend, the tokens it has left, and for how many accounts it stands."""

    allowance: Allowance
    tokens: Count
    accounts: Count


class Storage(Value):
    """Who pays for an account's rows, how many it owns, and how many `payer` has room for.

    `together` is what all own for whom that one pays, at most `most`.
    """

    payer: Address
    rows: Count
    together: Count
    most: Count


class FirstAllowance(Value):
    """A sponsor of the first block, and those for whom it stands then."""

    sponsor: Address
    capacity: Tokens
    per_minute: Tokens
    accounts: SponsoredCount
    rows: RowCount | None = None
    stands_for: Annotated[tuple[Address, ...], Meta(max_length=FIRST_LIMIT)] = ()


class Start(Value):
    """The sponsors of the first block: accounts that genesis opens, in a section before this."""

    sponsors: Annotated[tuple[FirstAllowance, ...], Meta(max_length=FIRST_LIMIT)]


class Why(Reason):
    """Every refusal of this module."""

    SENDER_IS_NOT_SPONSOR = 1, "a sponsor has an allowance, which operators give"
    ACCOUNT_NOT_FOUND = 2, "a sponsor stands for another open account"
    ACCOUNT_IS_SPONSOR = 3, "a sponsor pays for itself, and nobody for it"
    EXPIRY_HAS_PASSED = 4, "a sponsorship ends later than this block's time"
    TOO_MANY_ACCOUNTS = 5, "a sponsor stands for, or offers to, as many as its allowance says"
    SPONSORSHIP_NOT_FOUND = 6, "a sponsor revokes what it has granted or offered"
    OFFER_NOT_FOUND = 7, "an account takes what a sponsor offers it, before its end"
    ACCOUNT_HAS_NO_SPONSOR = 8, "only an account for which a sponsor stands leaves it"
    TERMS_NOT_FOUND = 9, "only terms that were set are ended"
    SPONSOR_CANNOT_CLOSE = 10, "a sponsor's account stays open until its allowance is ended"
