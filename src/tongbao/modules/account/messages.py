"""What users sign, what the ledger keeps, why it refuses. Wire format: append, never renumber."""

from typing import Annotated, Final

from msgspec import Meta

from tongbao.kernel import (
    Address,
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
    WeightedKey,
    WeightedKeys,
)
from tongbao.kernel.authentication import KEYS_LIMIT

GUARDIANS_LIMIT: Final = 10

Guardians = Annotated[tuple[Address, ...], Meta(max_length=GUARDIANS_LIMIT)]
"""Accounts that may together give an account other keys; none where nobody may."""

OlderKeys = Annotated[tuple[PublicKey, ...], Meta(max_length=KEYS_LIMIT)]
"""Keys that an account had before."""


class Open(Message, tag=1, permission=True):
    """Open an account for keys that sign too; its id is derived and never changes.

    `under` lists it among the sender's own: a till, a desk, a fund of an institution.
    """

    keys: WeightedKeys
    ordinary: Small
    sensitive: Small
    lanes: Small
    under: bool = False

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


class SetGuardians(Message, tag=8, sensitive=True):
    """Name who may recover the sender's account, and how many must agree; nobody, and 0 of them.

    Where there are guardians already, the change waits as one of keys does.
    """

    guardians: Guardians
    threshold: Small


class ProposeRecovery(Message, tag=9, sensitive=True):
    """Ask, as one of its guardians, that an account gets other keys; these keys sign too."""

    account: Address
    keys: WeightedKeys
    ordinary: Small
    sensitive: Small

    def also_signed_by(self) -> tuple[Key, ...]:
        """Every new key."""
        return tuple(entry.key for entry in self.keys)


class ApproveRecovery(Message, tag=10, sensitive=True):
    """Agree, as another guardian, to what one has asked for."""

    recovery: Id


class VetoRecovery(Message, tag=11, sensitive=True):
    """End a recovery of the sender's account.

    `older` is for the 30 days after one was carried out: keys from before it, which sign too.
    """

    recovery: Id
    older: OlderKeys = ()

    def also_signed_by(self) -> tuple[Key, ...]:
        """The keys that say they are older."""
        return tuple(Key(algorithm=Small(1), public=public) for public in self.older)


class CancelChange(Message, tag=12, sensitive=True):
    """Take back what the sender's account waits to change: keys, thresholds, guardians, closing."""


class SetIncoming(Message, tag=13):
    """Say whether payments to the sender must carry a reference, so that they can be told apart."""

    needs_reference: bool = False


class Account(Record, version=1):
    """Who may sign for an address. A closed account keeps its row, without keys, and its heir."""

    keys: Annotated[tuple[WeightedKey, ...], Meta(max_length=KEYS_LIMIT)] = ()
    ordinary: Small = Small(0)
    sensitive: Small = Small(0)
    lanes: Small = Small(0)
    closed_into: Address | None = None


class SubAccount(Record, version=1):
    """That an account was opened under another one, and when."""

    opened_at: Time


class Incoming(Record, version=1):
    """What an account asks of payments to it: there is a row where they need a reference."""


class Guard(Record, version=1):
    """Who may recover an account, and how many of them must agree."""

    guardians: Guardians
    threshold: Small


class Change(Record, version=1):
    """What an account with guardians becomes, or whom it closes into, when it has waited."""

    keys: WeightedKeys
    ordinary: Small
    sensitive: Small
    guardians: Guardians
    threshold: Small
    due_at: Time
    heir: Address | None = None
    postponed: bool = False


class Recovery(Record, version=1):
    """What guardians ask for an account: other keys.

    Until enough of them have agreed it lapses at `due_at`; then it `waits`, and is carried out.
    """

    account: Address
    keys: WeightedKeys
    ordinary: Small
    sensitive: Small
    approvals: Guardians
    asked_at: Time
    due_at: Time
    waits: bool = False
    postponed: bool = False


class Before(Record, version=1):
    """Whose an account was before the first of its recoveries in 30 days, and when that was."""

    recovered_at: Time
    keys: WeightedKeys
    sensitive: Small


class Recovered(Event, tag=1):
    """Guardians have given an account other keys."""

    account: Address
    recovery: Id


class Changed(Event, tag=2):
    """A change that has waited was made; with a number it was refused then, and is given up."""

    account: Address
    number: Count = Count(0)


class Rescued(Value):
    """An account that its guardians have given other keys, for the modules above to hear."""

    account: Address


class Opened(Value):
    """An account that somebody has opened, for the modules above to hear."""

    account: Address
    opener: Address


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
    GUARDIAN_NOT_FOUND = 10, "a guardian is another open account"
    GUARDIAN_IS_DOUBLED = 11, "an account has each guardian once"
    GUARDIANS_ARE_OUT_OF_REACH = 12, "1 <= threshold <= the guardians; 0 where there are none"
    ONE_KEY_IS_ENOUGH = 13, "with guardians, no key reaches the sensitive threshold alone"
    SENDER_IS_NOT_GUARDIAN = 14, "only a guardian of the account recovers it"
    RECOVERY_NOT_FOUND = 15, "a recovery of this id is under way; a veto is its account's"
    SENDER_HAS_APPROVED = 16, "a guardian approves a recovery once"
    RECOVERY_WAITS = 17, "one recovery of an account waits at a time, and changes wait for its end"
    KEYS_ARE_TOO_YOUNG = 18, "for 30 days after a recovery, keys from before it have a veto"
    CHANGE_NOT_FOUND = 19, "a change of the sender's account waits"
