"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Event,
    Hash,
    Message,
    Reason,
    Record,
    Reference,
    Small,
)


class Define(Message, tag=1, permission=True):
    """Define the asset `CODE.sender`; what is fixed here never changes."""

    code: AssetCode
    scale: Small
    cap: Amount | None = None
    metadata_hash: Hash | None = None


class Issue(Message, tag=2, permission=True):
    """Create value of the sender's asset for an account, against an external reference."""

    asset: AssetId
    amount: Amount
    payee: Address
    reference: Reference


class Redeem(Message, tag=3):
    """Retire value of the sender's asset that the sender holds, against an external reference."""

    asset: AssetId
    amount: Amount
    reference: Reference


class Transfer(Message, tag=4):
    """Pay: move the sender's value to another account."""

    asset: AssetId
    amount: Amount
    payee: Address
    reference: Reference | None = None
    remittance_hash: Hash | None = None


class Definition(Record, version=1):
    """What an asset is: decimals, most that may be issued, and a hash of its published terms."""

    issuer: Address
    scale: Small
    cap: Amount | None = None
    metadata_hash: Hash | None = None


class Supply(Record, version=1):
    """How much of an asset was issued and not redeemed."""

    issued: Amount


class Holding(Record, version=1):
    """What one account or vault owns of one asset; there is no row for nothing."""

    amount: Amount


class Settled(Record, version=1):
    """An external reference that was used: what was issued to whom, or redeemed by whom."""

    amount: Amount
    account: Address
    redeemed: bool = False


class Moved(Event, tag=1):
    """Value went from payer to payee; without a payer it was issued, without a payee redeemed."""

    asset: AssetId
    amount: Amount
    payer: Address | None = None
    payee: Address | None = None


class Why(Reason):
    """Every refusal of this module."""

    ASSET_IS_DEFINED = 1, "an issuer defines a code once"
    SCALE_IS_TOO_LARGE = 2, "an asset has 0 to 18 decimals"
    ASSET_NOT_FOUND = 3, "the asset is defined"
    DECIMALS_DIFFER = 4, "an amount is written with exactly its asset's decimals"
    AMOUNT_IS_ZERO = 5, "an amount is at least one unit"
    SENDER_IS_NOT_ISSUER = 6, "only an asset's issuer issues and redeems it"
    REFERENCE_WAS_USED = 7, "an external reference is used once for an asset"
    CAP_IS_EXCEEDED = 8, "no more is issued than the cap, and never more than 2^63 - 1 units"
    PAYER_HAS_NOT_AGREED = 9, "only the sender or a vault's own module pays"
    VAULT_IS_CLOSED = 10, "only its own module credits a vault"
    PAYEE_NOT_FOUND = 11, "the payee is an open account"
    PAYEE_IS_PAYER = 12, "payer and payee are two"
    BALANCE_IS_TOO_LOW = 13, "the payer owns at least the amount"
    ISSUER_CANNOT_CLOSE = 14, "an account that defined assets stays open for those who hold them"
    TOO_MANY_HOLDINGS = 15, "an account that closes holds at most 100 assets"
    FLAG_IS_LOCKED = 16, "a flag that was locked never changes again"
    FLAGS_CONTRADICT = 17, "a flag is named once, to be switched on or off"
    CLAWBACK_COMES_TOO_LATE = 18, "clawback is switched on while nothing of the asset is issued"
    CONTROL_IS_OFF = 19, "the asset has the flag of this control switched on"
    SENDER_IS_NOT_SUPERVISOR = 20, "a supervisor acts as one"
    HOLDER_NOT_FOUND = 21, "who is controlled is an open account, and not the issuer's own"
    REASON_IS_UNKNOWN = 22, "a control act has a ground, by its number"
    END_HAS_PASSED = 23, "a freeze ends later than this block's time"
    FREEZE_IS_TOO_LONG = 24, "a freeze lasts `asset.freeze_ms` at most"
    FREEZE_NOT_FOUND = 25, "the freeze that is to end goes on"
    NOTHING_CHANGES = 26, "a control act changes something"
    PAYER_IS_NOT_AUTHORISED = 27, "the payer may hold the asset"
    PAYEE_IS_NOT_AUTHORISED = 28, "the payee may hold the asset"
    PAYER_IS_FROZEN = 29, "no freeze stops what leaves the payer's holding"
    PAYEE_IS_FROZEN = 30, "no freeze stops what arrives in the payee's holding"
    LIMIT_IS_EXCEEDED = 31, "a payee holds no more than its limit"
    VALUE_IS_RESERVED = 32, "what modules have reserved in a holding stays there"
