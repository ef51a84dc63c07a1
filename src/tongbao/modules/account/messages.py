"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from typing import Annotated

from msgspec import Meta

from tongbao.kernel import (
    Address,
    Key,
    Message,
    PublicKey,
    Reason,
    Record,
    Small,
    Value,
    WeightedKey,
    WeightedKeys,
)
from tongbao.kernel.authentication import KEYS_LIMIT


class Open(Message, tag=1, permission=True):
    """Open an account for keys that sign too; its id is derived and never changes."""

    keys: WeightedKeys
    ordinary: Small
    sensitive: Small
    lanes: Small

    def also_signed_by(self) -> tuple[Key, ...]:
        """Every key of the new account."""
        return tuple(entry.key for entry in self.keys)


class AddKey(Message, tag=2, sensitive=True):
    """Add a key, which signs too, to the sender's keys."""

    added: WeightedKey

    def also_signed_by(self) -> tuple[Key, ...]:
        """The added key."""
        return (self.added.key,)


class RotateKey(Message, tag=3, sensitive=True):
    """Put a new key, which signs too, in the place and with the weight of an old one."""

    old: PublicKey
    new: Key

    def also_signed_by(self) -> tuple[Key, ...]:
        """The new key."""
        return (self.new,)


class RemoveKey(Message, tag=4, sensitive=True):
    """Remove one of the sender's keys; those left must still reach both thresholds."""

    removed: PublicKey


class SetThresholds(Message, tag=5, sensitive=True):
    """Set the weight that ordinary and sensitive transactions of the sender need."""

    ordinary: Small
    sensitive: Small


class SetLanes(Message, tag=6):
    """Declare more lanes, each with nonces of its own, for many transactions side by side."""

    lanes: Small


class Close(Message, tag=7, sensitive=True, last=True):
    """Close the sender's account for ever; what it owns goes to the heir."""

    heir: Address


class Account(Record, version=1):
    """Who may sign for an address. A closed account keeps its row, without keys, and its heir."""

    keys: Annotated[tuple[WeightedKey, ...], Meta(max_length=KEYS_LIMIT)] = ()
    ordinary: Small = Small(0)
    sensitive: Small = Small(0)
    lanes: Small = Small(0)
    closed_into: Address | None = None


class Closing(Value):
    """An account that closes, for the modules above to hear."""

    account: Address
    heir: Address


class Start(Value):
    """The accounts that genesis opens; their ids are derived in this order."""

    accounts: tuple[Open, ...]


class Why(Reason):
    """Every refusal of this module."""

    KEY_IS_DOUBLED = 1, "an account has each key once"
    ALGORITHM_IS_NOT_SUPPORTED = 2, "a key's algorithm is 1 (Ed25519)"
    KEY_IS_NOT_ACCEPTABLE = 3, "an Ed25519 key is a canonical point outside the small subgroup"
    WEIGHT_IS_ZERO = 4, "a key weighs 1 to 255"
    THRESHOLD_IS_OUT_OF_REACH = 5, "1 <= ordinary <= sensitive <= the weight of all keys"
    TOO_MANY_KEYS = 6, "an account has at most 16 keys"
    KEY_NOT_FOUND = 7, "the key is one of the sender's"
    LANES_OUT_OF_RANGE = 8, "an account has 1 to 16 lanes, and never fewer than before"
    HEIR_NOT_FOUND = 9, "the heir is another open account"
