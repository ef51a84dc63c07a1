"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel import Address, Amount, AssetId, Id, Message, Reason, Record, Reference, Time

PERIOD_LIMIT_MS: Final = 366 * 86_400_000

PeriodMs = NewType("PeriodMs", Annotated[int, Meta(ge=0, le=PERIOD_LIMIT_MS)])
"""How long a period is, in milliseconds: at most 366 days."""


class Grant(Message, tag=1, sensitive=True):
    """Let a holder pay out of what the sender owns: so much in all and, where told, each period."""

    holder: Address
    asset: AssetId
    total: Amount
    expires_at: Time
    each_period: Amount | None = None
    period_ms: PeriodMs = PeriodMs(0)


class Revoke(Message, tag=2):
    """End a mandate that the sender has granted, at once."""

    mandate: Id


class Collect(Message, tag=3):
    """Pay by a mandate that the sender holds, out of what its owner owns."""

    mandate: Id
    amount: Amount
    payee: Address
    reference: Reference | None = None


class Mandate(Record, version=1):
    """What a holder may pay of an owner's, and how much of that was paid."""

    owner: Address
    holder: Address
    asset: AssetId
    total: Amount
    spent: Amount
    expires_at: Time
    period_began: Time
    spent_in_period: Amount
    each_period: Amount | None = None
    period_ms: PeriodMs = PeriodMs(0)


class Why(Reason):
    """Every refusal of this module."""

    ASSET_NOT_FOUND = 1, "the asset is defined"
    DECIMALS_DIFFER = 2, "an amount is written with exactly its asset's decimals"
    AMOUNT_IS_ZERO = 3, "a mandate is for at least one unit"
    EXPIRY_HAS_PASSED = 4, "a mandate expires later than this block's time"
    HOLDER_NOT_FOUND = 5, "the holder is another open account"
    PERIOD_IS_WRONG = 6, "an amount each period has a period, and is at most the total"
    TOO_MANY_MANDATES = 7, "an owner has at most mandate.mandates_limit mandates granted"
    MANDATE_NOT_FOUND = 8, "no mandate has this id: it was revoked, spent or has expired"
    SENDER_IS_NOT_OWNER = 9, "only who has granted a mandate revokes it"
    SENDER_IS_NOT_HOLDER = 10, "only its holder pays by a mandate"
    MANDATE_HAS_EXPIRED = 11, "a mandate is used before it expires"
    TOTAL_IS_EXCEEDED = 12, "no more is paid by a mandate than its total"
    PERIOD_IS_EXCEEDED = 13, "no more is paid by a mandate in a period than it says"
    REFERENCE_IS_MISSING = 14, "the payee asks for a reference with every payment"
    PAYEE_IS_VAULT = 15, "a payee is an account, and no module's vault"
