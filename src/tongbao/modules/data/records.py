"""What the ledger keeps of the data market. Wire format: append, never renumber."""

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Count,
    Event,
    Hash,
    Id,
    PublicKey,
    Record,
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
    Panel,
    Period,
    Phase,
    Purpose,
    Purposes,
    Region,
    Regions,
    Schema,
    SourceKeys,
    Version,
    Volume,
    Votes,
)


class Definition(Record, version=1):
    """The fields of a schema, in its order."""

    fields: Fields


class Enterprise(Record, version=1):
    """What an enterprise may ask for; when it was last suspended, and registered again after."""

    region: Region
    purposes: Purposes
    asks: Asks
    suspended: bool = False
    suspended_at: Time | None = None
    restored_at: Time | None = None


class Source(Record, version=1):
    """How, how much and with which bond a source attests batches of a schema.

    `keys` could sign alone for it when it was admitted or committed, the latest last.
    """

    method: Method
    volume: Volume
    asset: AssetId
    bond: Amount
    keys: SourceKeys = ()


class Bond(Record, version=1):
    """What a source or agent has posted, and how much of it is reserved."""

    amount: Amount
    reserved: Amount


class Batch(Record, version=1):
    """A commitment to a month's rows; it is live until a version supersedes it or it is retired."""

    source: Address
    owner: Address
    subject: Hash
    schema: Schema
    period: Period
    version: Version
    commitment: Hash
    method: Method
    supersedes: Id | None = None
    superseded: bool = False
    retired: bool = False


class Named(Record, version=1):
    """The batch that has a commitment, or is one source's version of a month."""

    batch: Id


class Committed(Record, version=1):
    """How many batches a source has committed about one month."""

    batches: Count


class Offer(Record, version=1):
    """A standing policy of an owner; `used` of its cap on `day`, in days since 1970."""

    owner: Address
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
    day: Count = Count(0)
    used: Count = Count(0)


class Order(Record, version=1):
    """One grant to one buyer for one purpose, from its request to its end.

    `deadline` is that of its phase, as it was when the phase began; since then it has grown by what
    the clock has gained over `grown`. `secured` is reserved of the sealing agent's bond. A claim is
    `late` when its panel has not decided in time.
    """

    buyer: Address
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
    delete_by: Time
    phase: Phase
    deadline: Time
    grown: Count
    asked_at: Time
    seller: Address | None = None
    offer: Id | None = None
    grant_hash: Hash | None = None
    package_root: Hash | None = None
    chunks: Chunks | None = None
    a_commit: Hash | None = None
    b_lock: Hash | None = None
    secured: Amount | None = None
    sealed_at: Time | None = None
    nonce: Nonce | None = None
    confirmed_at: Time | None = None
    frozen_until: Time | None = None
    b: Hash | None = None
    revealed_at: Time | None = None
    evidence_hash: Hash | None = None
    deposit: Amount | None = None
    panel: Panel = ()
    votes: Votes = ()
    late: bool = False
    ended_at: Time | None = None


class Used(Record, version=1):
    """The order that has used a buyer's key."""

    order: Id


class Licence(Record, version=1):
    """What a buyer keeps, until when, and the bond that it deletes it then.

    `next_at` is when the network is seen next, to know whether it stood still.
    """

    order: Id
    buyer: Address
    owner: Address
    asset: AssetId
    bond: Amount
    delete_by: Time
    next_at: Time


class Party(Record, version=1):
    """Orders under way of a buyer or seller, and how many it has let lapse."""

    open: Count = Count(0)
    lapses: Count = Count(0)


class Earning(Record, version=1):
    """What somebody has earned and not pulled yet."""

    amount: Amount


class Serving(Record, version=1):
    """Since when an adjudicator can be called."""

    since: Time


class Clock(Record, version=1):
    """When the module last saw a block, and how much all gaps until then came to, in ms."""

    seen_at: Time
    next_at: Time
    open: Count
    grown: Count


class Proven(Record, version=1):
    """When, and by whom, a source was shown to have signed two contents of one month."""

    at: Time
    by: Address


class Reached(Event, tag=1):
    """An order has come to another phase."""

    order: Id
    phase: Phase


class Deleted(Event, tag=2):
    """A licence has ended: its buyer has attested deletion, or has lost its bond."""

    order: Id
    attested: bool = False
    attestation_hash: Hash | None = None


class Froze(Event, tag=3):
    """A supervisor has frozen an order, on a ground."""

    order: Id
    until: Time
    reason: Small


class Contradicted(Event, tag=4):
    """A source has signed two contents of one month: it is one no more, and its bond is lost."""

    source: Address
    subject: Hash
    schema: Schema
    period: Period
    version: Version
    asset: AssetId
    bond: Amount
