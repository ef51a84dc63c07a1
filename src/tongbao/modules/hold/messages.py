"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from tongbao.kernel import Address, Amount, AssetId, Id, Message, Reason, Record, Time


class Place(Message, tag=1):
    """Set the sender's value aside for a payee; the new hold's id is derived."""

    payee: Address
    asset: AssetId
    amount: Amount
    expires_at: Time


class Capture(Message, tag=2):
    """Pay an open hold out to its payee."""

    hold: Id


class Hold(Record, version=1):
    """Value the vault owns on behalf of a payer."""

    payer: Address
    payee: Address
    asset: AssetId
    amount: Amount
    expires_at: Time


class Why(Reason):
    """Every refusal of this module."""

    AMOUNT_IS_ZERO = 1, "a hold sets at least one unit aside"
    EXPIRY_HAS_PASSED = 2, "a hold expires later than this block's time"
    HOLD_NOT_FOUND = 3, "no open hold has this id"
    HOLD_HAS_EXPIRED = 4, "a hold is captured before it expires"
    SENDER_IS_NOT_PAYEE = 5, "only the payee captures a hold"
    PAYEE_NOT_FOUND = 6, "the payee is an open account"
    PAYER_CANNOT_CLOSE = 7, "an account stays open until its holds are captured or returned"
    PAYEE_NEEDS_REFERENCE = 40, "a hold carries no reference, which its payee asks for"
