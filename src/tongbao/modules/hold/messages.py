"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Hash,
    Id,
    Message,
    Reason,
    Record,
    Small,
    Time,
)


class Place(Message, tag=1):
    """Set the sender's value aside for a payee; the new hold's id is derived."""

    payee: Address
    asset: AssetId
    amount: Amount
    expires_at: Time


class Capture(Message, tag=2):
    """Pay an open hold out to its payee: all of it, or an amount; what is left stays on hold."""

    hold: Id
    amount: Amount | None = None


class Release(Message, tag=3):
    """Give an open hold for the sender back to its payer."""

    hold: Id


class Extend(Message, tag=4):
    """Let an open hold of the sender's expire later."""

    hold: Id
    expires_at: Time


class Recall(Message, tag=5):
    """Give an open hold of the sender's own asset back to its payer, where the asset has clawback.

    What is on hold can't be clawed back; what came back can.
    """

    hold: Id
    reason: Small
    basis_hash: Hash | None = None


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
    HOLD_HAS_EXPIRED = 4, "a hold is captured or extended before it expires"
    SENDER_IS_NOT_PAYEE = 5, "only the payee captures or releases a hold"
    PAYEE_NOT_FOUND = 6, "the payee is an open account"
    PAYER_CANNOT_CLOSE = 7, "an account stays open until its holds are captured or returned"
    AMOUNT_IS_ABOVE_HOLD = 8, "no more is captured than is on hold"
    SENDER_IS_NOT_PAYER = 9, "only the payer extends a hold"
    EXTENSION_IS_EARLIER = 10, "an extended hold expires later than before"
