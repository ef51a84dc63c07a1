"""What users sign, and why the ledger refuses. Wire format: append, never renumber."""

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Hash,
    Id,
    Message,
    PublicKey,
    Reason,
    Small,
    Time,
)
from tongbao.modules.data.types import (
    Asks,
    Batches,
    Chunks,
    DailyCap,
    Fields,
    Lasting,
    Method,
    Mode,
    Nonce,
    Period,
    Purpose,
    Purposes,
    Region,
    Regions,
    Schema,
    SignedText,
    Verdict,
    Version,
    Volume,
)


class DefineSchema(Message, tag=1):
    """Let rows of a kind be traded; a registrar says so, once and for all."""

    schema: Schema
    fields: Fields
    sensitive: bool = False


class RegisterEnterprise(Message, tag=2):
    """Let an enterprise ask for fields, for purposes; a registrar says so, also to change it."""

    enterprise: Address
    region: Region
    purposes: Purposes
    asks: Asks


class SuspendEnterprise(Message, tag=3):
    """Let an enterprise ask and be given no more, until a registrar registers it again."""

    enterprise: Address


class AdmitSource(Message, tag=4):
    """Let a source attest batches of a schema; its bond is reserved out of what it has posted."""

    source: Address
    schema: Schema
    method: Method
    volume: Volume
    asset: AssetId
    bond: Amount


class EndSource(Message, tag=5):
    """Let a source attest batches of a schema no more; its bond is free again."""

    source: Address
    schema: Schema


class PostBond(Message, tag=6):
    """Add to the sender's bond, as a source or an agent."""

    asset: AssetId
    amount: Amount


class WithdrawBond(Message, tag=7):
    """Take back what is free of the sender's bond."""

    asset: AssetId
    amount: Amount


class Commit(Message, tag=8):
    """Commit to a month's rows of a person: a source, or the person itself (`self`)."""

    owner: Address
    subject: Hash
    schema: Schema
    period: Period
    version: Version
    commitment: Hash
    method: Method
    supersedes: Id | None = None


class Retire(Message, tag=9):
    """Let a batch of the sender's be sold no more: it is erased, or not the sender's to sell."""

    batch: Id


class MakeOffer(Message, tag=10, sensitive=True):
    """Tell what the sender's rows may be sold for, to whom and how often, and who seals for it."""

    schema: Schema
    fields: Fields
    purposes: Purposes
    mode: Mode
    regions: Regions
    retention_ms: Lasting
    asset: AssetId
    price: Amount
    floor: Amount
    daily_cap: DailyCap
    expires_at: Time
    agent: Address | None = None


class WithdrawOffer(Message, tag=11):
    """Take an offer of the sender's back, at once."""

    offer: Id


class PlaceOrder(Message, tag=12):
    """Ask an owner for some fields of some batches, and set price and bond aside."""

    owner: Address
    schema: Schema
    fields: Fields
    purpose: Purpose
    mode: Mode
    batches: Batches
    asset: AssetId
    price: Amount
    fee: Amount
    deletion_bond: Amount
    request_hash: Hash
    buyer_key: PublicKey
    seal_by: Time
    delete_by: Time


class Seal(Message, tag=13):
    """Consent: the owner, or the agent of its offer, has a package and both halves of its key."""

    order: Id
    offer: Id
    grant_hash: Hash
    package_root: Hash
    chunks: Chunks
    a_commit: Hash
    b_lock: Hash


class Confirm(Message, tag=14):
    """The buyer has the package and `a`, and they are those that were sealed."""

    order: Id
    grant_hash: Hash
    package_root: Hash
    nonce: Nonce


class Reveal(Message, tag=15):
    """Publish `b`, which opens the package to who has `a`, and earns the money."""

    order: Id
    b: Hash


class Accept(Message, tag=16):
    """The buyer is content before the deadline."""

    order: Id


class CancelOrder(Message, tag=17):
    """The buyer takes an order back that it has not confirmed."""

    order: Id


class WithdrawOrder(Message, tag=18):
    """The owner does not sell, after all."""

    order: Id


class Freeze(Message, tag=19):
    """A supervisor lets an order not be revealed until a time."""

    order: Id
    until: Time
    reason: Small


class AttestDeletion(Message, tag=20):
    """The buyer has deleted what it got, and says so with the hash of its attestation."""

    licence: Id
    attestation_hash: Hash


class Pull(Message, tag=21):
    """Take what the sender has earned."""

    asset: AssetId


class Serve(Message, tag=22):
    """An adjudicator can be called to panels from now on, or no more."""

    serves: bool = False


class Claim(Message, tag=23):
    """The buyer says that the package is faulty, and sets a deposit aside; a panel decides."""

    order: Id
    evidence_hash: Hash


class Vote(Message, tag=24):
    """A member of the panel says what it found; after the deadline a supervisor says it alone."""

    order: Id
    verdict: Verdict


class ProveTwoContents(Message, tag=25):
    """Show two attestations that say two things of one month: the source ends, and its bond goes.

    Anybody may, and is paid nothing for it.
    """

    first: SignedText
    second: SignedText


class Why(Reason):
    """Every refusal of this module."""

    SENDER_IS_NOT_REGISTRAR = 1, "an account of a member with the role data_registrar does this"
    SCHEMA_IS_DEFINED = 2, "a schema is defined once; a change is a new version of it"
    SENSITIVE_IS_REFUSED = 3, "rows of sensitive categories are not sold"
    WORD_IS_DOUBLED = 4, "fields, purposes, schemas, regions and batches are named once in a list"
    SCHEMA_NOT_FOUND = 5, "the schema is defined"
    FIELD_NOT_FOUND = 6, "the fields are those of the schema"
    ACCOUNT_NOT_FOUND = 7, "owners, sources, agents and enterprises are open accounts"
    ENTERPRISE_NOT_FOUND = 8, "an enterprise is registered"
    ASSET_NOT_FOUND = 9, "the asset is defined"
    DECIMALS_DIFFER = 10, "an amount is written with exactly its asset's decimals"
    SOURCE_HAS_NO_ROLE = 11, "a source acts for a member with the role data_source"
    SOURCE_IS_ADMITTED = 12, "a source is admitted once for a schema"
    SOURCE_NOT_FOUND = 13, "a source is admitted for the schema and the method"
    BOND_IS_TOO_LOW = 14, "the free bond of a source or agent covers what is asked of it"
    METHOD_IS_SELF = 15, "only a person says `self`, about itself; a source never does"
    VOLUME_IS_SPENT = 16, "a source commits at most its volume of batches about one month"
    VERSION_IS_TAKEN = 17, "a source says one thing of a subject, schema, period and version"
    COMMITMENT_IS_TAKEN = 18, "a commitment is registered once"
    PREDECESSOR_IS_WRONG = 19, "a version names the live one before it; the first one none"
    BATCH_NOT_FOUND = 20, "a batch has this id"
    SENDER_IS_NOT_OWNER = 21, "only the person whose rows they are does this"
    BATCH_IS_NOT_LIVE = 22, "a batch was neither superseded nor retired"
    EXPIRY_IS_WRONG = 23, "an offer expires later than this block, within data.offer_ms"
    PRICE_IS_BELOW_FLOOR = 24, "a price is at least the offer's floor, and above zero"
    TOO_MANY_OFFERS = 25, "an owner has at most data.offers_limit offers"
    OFFER_NOT_FOUND = 26, "an offer of the owner's has this id"
    BUYER_IS_NOT_ACTIVE = 27, "a buyer is a registered enterprise that nobody has suspended"
    PURPOSE_IS_NOT_REGISTERED = 28, "a buyer asks for a purpose that it is registered for"
    FIELD_IS_NOT_REGISTERED = 29, "a buyer asks for fields that it is registered for"
    BATCH_IS_NOT_OWNERS = 30, "the batches are of the owner and the schema"
    PRICE_IS_NOT_ABOVE_FEE = 31, "a price is above its fee"
    KEY_IS_NOT_ACCEPTABLE = 32, "a buyer's key is an X25519 key below 2^255-19, of no low order"
    KEY_WAS_USED = 33, "a buyer's key was never in an order before"
    SEAL_TIME_IS_WRONG = 34, "an order is sealed later than this block, within data.seal_ms"
    DELETION_TIME_IS_WRONG = 35, "deletion is due data.deletion_ms after seal_by, or later"
    TOO_MANY_ORDERS = 36, "a party has so many orders under way as its lapses let it"
    ORDER_NOT_FOUND = 37, "an order has this id"
    ORDER_IS_ELSEWHERE = 38, "an order is in the state that the message begins from"
    DEADLINE_HAS_PASSED = 39, "a message comes before the deadline of the order's state"
    SENDER_MAY_NOT_SEAL = 40, "the owner or the agent of its offer seals"
    OFFER_HAS_EXPIRED = 41, "an offer covers orders until it expires"
    OFFER_DOES_NOT_COVER = 42, "an offer covers schema, fields, purpose, mode, region and asset"
    RETENTION_IS_TOO_LONG = 43, "deletion is due within the offer's retention"
    DAILY_CAP_IS_REACHED = 44, "an offer grants at most its cap in a day"
    SENDER_IS_NOT_BUYER = 45, "only the buyer does this"
    SEAL_DIFFERS = 46, "what is confirmed is what was sealed"
    SENDER_DID_NOT_SEAL = 47, "the owner or the agent that sealed reveals"
    LOCK_DOES_NOT_OPEN = 48, "b is the one that b_lock was made of"
    ORDER_IS_FROZEN = 49, "a frozen order is not revealed"
    SENDER_IS_NOT_SUPERVISOR = 50, "an account of a member with the role supervisor does this"
    FREEZE_IS_WRONG = 51, "a freeze ends later than this block, within data.freeze_ms"
    LICENCE_NOT_FOUND = 52, "a licence that has not ended has this id"
    NOTHING_IS_EARNED = 53, "who pulls has earned something in this asset"
    PARTY_CANNOT_CLOSE = 54, "an account stays open until its data business has ended"
    SENDER_IS_NOT_ADJUDICATOR = 55, "an account of a member with the role adjudicator does this"
    TOO_MANY_ADJUDICATORS = 56, "at most data.adjudicators_limit adjudicators can be called"
    PANEL_IS_TOO_SMALL = 57, "three adjudicators without a conflict can be called"
    SENDER_IS_NOT_ON_PANEL = 58, "a claim is decided by its panel; after that by a supervisor"
    SENDER_HAS_VOTED = 59, "each member of a panel votes once"
    FIELD_IS_RESERVED = 60, "no field is named `event`: that is the first cell of every row"
    CHUNKS_ARE_NOT_PADDED = 61, "a package has a power of two of chunks, else it does not open"
    ATTESTATION_IS_MALFORMED = 62, "both texts are attestations as docs/data-formats.md has them"
    CONTENTS_AGREE = (
        63,
        "two attestations of one subject, schema, month and version name two batches",
    )
    LIE_IS_PROVEN = 64, "two contents of a month are proven once"
    ATTESTATION_IS_NOT_SIGNED = (
        65,
        "both are signed by keys that sign, or signed, alone for the source",
    )
