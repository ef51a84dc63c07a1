"""The kernel's own tables and parameters: module 0, declared like any other."""

from __future__ import annotations

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel.identifiers import (
    SETTING_NAME,
    Address,
    Count,
    Hash,
    Name,
    PublicKey,
    Small,
    Time,
)
from tongbao.kernel.module import Module
from tongbao.kernel.nonces import Nonces
from tongbao.kernel.reasons import KernelWhy
from tongbao.kernel.schema import Event, Record, Value

DAY_MS: Final = 86_400_000
TOKENS_LIMIT: Final = 100_000_000
ROWS_LIMIT: Final = 1_000_000_000
UPGRADE_LINES_LIMIT: Final = 64
"""Modules, and features, that one upgrade may name."""

RowKeyText = NewType("RowKeyText", Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){1,240}\Z")])
"""A row key in hex."""


SettingName = NewType("SettingName", Annotated[str, Meta(pattern=SETTING_NAME)])
"""The name of a parameter or feature, after its module's: `kernel.block_rows`."""

Power = NewType("Power", Annotated[int, Meta(ge=1, le=1_000_000)])
"""What a validator's vote weighs. A hundred of the heaviest stay far below CometBFT's 2^60."""

Tokens = NewType("Tokens", Annotated[int, Meta(ge=1, le=TOKENS_LIMIT)])
"""What a bucket holds at most, or what flows into it each minute: one token pays one message."""

SponsoredCount = NewType("SponsoredCount", Annotated[int, Meta(ge=0, le=1_000_000)])
"""How many accounts a sponsor may stand for."""

RowCount = NewType("RowCount", Annotated[int, Meta(ge=0, le=ROWS_LIMIT)])
"""How many rows may be owned together by those for whom one sponsor pays."""

NodeId = NewType("NodeId", Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")])
"""A node of a network by its connection key: the first 20 bytes of that key's SHA-256, in hex."""


class Mark(Record, version=1):
    """A due item that was refused, or that left its entry in place: skipped until it changes."""

    due: Time
    number: Count


class ParameterValue(Record, version=1):
    """What a parameter is set to."""

    value: Count


class FeatureStart(Record, version=1):
    """The first height at which a feature is active."""

    height: Count


class ModuleLine(Value):
    """A module that decides on this chain: its code is that of `hash`, or a node won't start."""

    number: Small
    name: Name
    version: Small
    hash: Hash


ModuleLines = Annotated[tuple[ModuleLine, ...], Meta(max_length=UPGRADE_LINES_LIMIT)]
"""The modules of an upgrade."""

FeatureNames = Annotated[tuple[SettingName, ...], Meta(max_length=UPGRADE_LINES_LIMIT)]
"""The features that an upgrade begins."""


class Upgrade(Record, version=1):
    """What begins at a height: modules with other code, new modules, features."""

    modules: ModuleLines = ()
    features: FeatureNames = ()


class Validator(Record, version=1):
    """A key that votes on blocks, and what its vote weighs."""

    power: Power


class Peer(Record, version=1):
    """A node that may connect to the nodes of the network."""


class Halt(Record, version=1):
    """A module that does nothing, nor those that use it, while a block's time is below `until`."""

    until: Time


class Allowance(Record, version=1):
    """What a sponsor may spend: a bucket of tokens, what flows in, how many accounts it carries.

    And how many rows it and those accounts may own together: `common_rows` where it doesn't say.
    """

    capacity: Tokens
    per_minute: Tokens
    accounts: SponsoredCount
    rows: RowCount | None = None


class Share(Value):
    """A bucket of one account's own: how much of its sponsor's tokens it can spend."""

    capacity: Tokens
    per_minute: Tokens


class Sponsorship(Record, version=1):
    """That a sponsor pays for an account: until when, where it ends, and within which share."""

    sponsor: Address
    expires_at: Time | None = None
    share: Share | None = None


class Bucket(Record, version=1):
    """What was in a bucket at a time, in units of which a token has 60,000."""

    level: Count
    at: Time


class Carried(Record, version=1):
    """How many accounts a sponsor stands for, or has offered to."""

    accounts: Count


class Owned(Record, version=1):
    """How many rows an account owns, or all together for whom one pays."""

    rows: Count


class Stuck(Event, tag=1):
    """A due item was marked stuck; `number` is the refusal, 0 when it left its entry in place."""

    module: Small
    row: RowKeyText
    number: Count


module = Module(0, "kernel", reasons=KernelWhy)
module.package = "tongbao.kernel"

nonces = module.table(1, key=tuple[Address, Small], value=Nonces)
marks = module.table(2, key=tuple[Small, Small, RowKeyText], value=Mark)
parameters = module.table(3, key=SettingName, value=ParameterValue)
features = module.table(4, key=SettingName, value=FeatureStart)
upgrades = module.table(5, key=Count, value=Upgrade)
in_order = module.index(6, of=upgrades, by=lambda upgrade: 0)
validators = module.table(7, key=PublicKey, value=Validator)
peers = module.table(8, key=NodeId, value=Peer)
validators_in_order = module.index(9, of=validators, by=lambda validator: 0)
peers_in_order = module.index(10, of=peers, by=lambda peer: 0)
halts = module.table(11, key=Name, value=Halt)
halts_in_order = module.index(12, of=halts, by=lambda halt: 0)
allowances = module.table(13, key=Address, value=Allowance)
sponsorships = module.table(14, key=Address, value=Sponsorship)
offers = module.table(
    15, key=tuple[Address, Address], value=Sponsorship, owner=lambda key, offer: offer.sponsor
)
buckets = module.table(16, key=Address, value=Bucket)
shares = module.table(17, key=Address, value=Bucket)
carried = module.table(18, key=Address, value=Carried)
allowances_in_order = module.index(19, of=allowances, by=lambda allowance: 0)
by_sponsor = module.index(20, of=sponsorships, by=lambda sponsorship: sponsorship.sponsor)
offers_by_sponsor = module.index(21, of=offers, by=lambda offer: offer.sponsor)
stored = module.table(22, key=Address, value=Owned)
stored_by_payer = module.table(23, key=Address, value=Owned)

COMMON: Final = module.vault
"""The bucket of all for whom no sponsor pays."""

TRANSACTION_BYTES = module.parameter(
    "transaction_bytes",
    default=65_536,
    low=4_096,
    high=1_048_576,
    meaning="bytes of a transaction's envelope",
)
EXPIRY_MS = module.parameter(
    "expiry_ms",
    default=DAY_MS,
    low=60_000,
    high=DAY_MS,
    meaning="milliseconds between a block's time and the latest `expires` in it",
)
TRANSACTION_ROWS = module.parameter(
    "transaction_rows",
    default=10_000,
    low=100,
    high=10_000,
    meaning="rows that one transaction or due item reads and writes",
)
BLOCK_ROWS = module.parameter(
    "block_rows",
    default=1_000_000,
    low=10_000,
    high=1_000_000,
    meaning="rows that the transactions of one block read and write before the next is refused",
)
DUE_ITEMS = module.parameter(
    "due_items",
    default=1_000,
    low=1,
    high=10_000,
    meaning="due items that open one block",
)
JSON_DEPTH = module.parameter(
    "json_depth",
    default=16,
    low=4,
    high=32,
    meaning="levels of objects and arrays in a payload; the declared messages stay within it",
)
UPGRADE_NOTICE = module.parameter(
    "upgrade_notice",
    default=1,
    low=1,
    high=1_000_000,
    meaning="blocks between the one that schedules an upgrade and the first that it decides",
)
VALIDATORS_LIMIT = module.parameter(
    "validators_limit",
    default=100,
    low=1,
    high=100,
    meaning="validators that vote on blocks",
)
PEERS_LIMIT = module.parameter(
    "peers_limit",
    default=256,
    low=1,
    high=256,
    meaning="nodes that may connect to those of the network",
)
QUOTAS = module.parameter(
    "quotas",
    default=0,
    low=0,
    high=1,
    meaning="1 where each transaction in a block is paid for with tokens; 0 where none is",
)
COMMON_CAPACITY = module.parameter(
    "common_capacity",
    default=1_000,
    low=16,
    high=TOKENS_LIMIT,
    meaning="tokens in the bucket of all for whom no sponsor pays, when it is full",
)
COMMON_PER_MINUTE = module.parameter(
    "common_per_minute",
    default=600,
    low=1,
    high=TOKENS_LIMIT,
    meaning="tokens that flow each minute into the bucket of all for whom no sponsor pays",
)
COMMON_ROWS = module.parameter(
    "common_rows",
    default=100_000,
    low=1,
    high=ROWS_LIMIT,
    meaning="rows that all for whom no sponsor pays may own together, under quotas",
)
