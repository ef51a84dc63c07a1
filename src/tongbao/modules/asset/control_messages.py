"""Control over an asset's holdings: what is signed, what is kept, on which grounds.

Compare XRPL's RequireAuth, Freeze and Clawback, and Stellar's AUTH_REQUIRED, AUTH_REVOCABLE,
AUTH_CLAWBACK_ENABLED and AUTH_IMMUTABLE. Wire format: append, never renumber.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Count,
    Event,
    Hash,
    Id,
    Message,
    Record,
    Small,
    Time,
    Value,
)

FLAGS_LIMIT: Final = 4
SHARES_LIMIT: Final = 64

Flag = NewType(
    "Flag", Annotated[str, Meta(pattern=r"^(?:authorisation|clawback|freezing|limits)\Z")]
)
"""A power over holdings: only authorised accounts hold; value is taken back; holdings are frozen;
holdings are limited."""

Flags = Annotated[tuple[Flag, ...], Meta(max_length=FLAGS_LIMIT)]

AUTHORISATION: Final = Flag("authorisation")
CLAWBACK: Final = Flag("clawback")
FREEZING: Final = Flag("freezing")
LIMITS: Final = Flag("limits")

Scope = NewType("Scope", Annotated[str, Meta(pattern=r"^(?:both|credits|debits)\Z")])
"""What a freeze stops: value that comes in, that goes out, or both."""

CREDITS: Final = Scope("credits")
DEBITS: Final = Scope("debits")

Capacity = NewType("Capacity", Annotated[str, Meta(pattern=r"^(?:issuer|supervisor)\Z")])
"""As what somebody acts on a holding."""

ISSUER: Final = Capacity("issuer")
SUPERVISOR: Final = Capacity("supervisor")

Kind = NewType(
    "Kind",
    Annotated[
        str,
        Meta(
            pattern=r"^(?:authorised|deauthorised|limited|frozen|unfrozen|clawed_back|recalled)\Z"
        ),
    ],
)
"""What an act was."""

GROUNDS: Final[Mapping[int, str]] = {
    1: "an order of a court",
    2: "an order of an authority",
    3: "a sanctions list",
    4: "a suspicion of fraud",
    5: "a suspicion of money laundering",
    6: "an error in an earlier payment or issue",
    7: "insolvency of the holder",
    8: "a request of the holder",
    9: "the asset's published terms",
    10: "the business relationship has ended",
    11: "the holder's identity is not verified",
}
"""Why somebody acts on a holding, by number. Numbers are added, and never mean something else."""


class SetFlags(Message, tag=5):
    """Switch powers over the sender's asset on or off, and lock some for ever as they then are."""

    asset: AssetId
    switch_on: Flags = ()
    switch_off: Flags = ()
    lock: Flags = ()


class Authorise(Message, tag=6):
    """Let an account hold the sender's asset, where that needs authorisation."""

    asset: AssetId
    account: Address


class Deauthorise(Message, tag=7):
    """Let an account hold the sender's asset no more; what it holds stays where it is."""

    asset: AssetId
    account: Address
    reason: Small
    basis_hash: Hash | None = None


class SetLimit(Message, tag=8):
    """Limit one account's holding of the sender's asset or, without an account, everybody's.

    Without a limit, the one that there was ends. An account's own limit goes before everybody's.
    """

    asset: AssetId
    reason: Small
    account: Address | None = None
    limit: Amount | None = None
    basis_hash: Hash | None = None


class Freeze(Message, tag=9):
    """Stop a holding until a time: as the asset's issuer, or as a supervisor.

    It takes the place of the freeze that the issuer, or a supervisor, had put on it before.
    """

    asset: AssetId
    account: Address
    scope: Scope
    reason: Small
    until: Time
    as_supervisor: bool = False
    basis_hash: Hash | None = None


class Unfreeze(Message, tag=10):
    """End a freeze: the issuer the issuer's, any supervisor that of supervisors."""

    asset: AssetId
    account: Address
    as_supervisor: bool = False


class ClawBack(Message, tag=11):
    """Take value of the sender's asset back out of a holding, into the sender's own."""

    asset: AssetId
    account: Address
    amount: Amount
    reason: Small
    basis_hash: Hash | None = None


class Controls(Record, version=1):
    """The powers over an asset's holdings, everybody's limit, and all that is reserved of it."""

    flags: Flags = ()
    locked: Flags = ()
    limit: Amount | None = None
    reserved: Amount | None = None


class Frozen(Value):
    """A freeze: by whom, of what, on which ground, since when and until when (exclusive)."""

    by: Address
    scope: Scope
    reason: Small
    since: Time
    until: Time


class Share(Value):
    """What one module, named by its vault, has reserved inside a holding."""

    by: Address
    amount: Amount


class Standing(Record, version=1):
    """What stands on one holding. There is no row where nothing does.

    A freeze that has ended may stand here still: it counts while the time is before its `until`.
    """

    authorised: bool = False
    limit: Amount | None = None
    frozen_by_issuer: Frozen | None = None
    frozen_by_supervisor: Frozen | None = None
    reserved: Annotated[tuple[Share, ...], Meta(max_length=SHARES_LIMIT)] = ()


class Act(Record, version=1):
    """One act on somebody's holding, kept for the person whom it hit and for whoever counts."""

    account: Address
    asset: AssetId
    kind: Kind
    by: Address
    capacity: Capacity
    at: Time
    reason: Small | None = None
    scope: Scope | None = None
    until: Time | None = None
    amount: Amount | None = None
    basis_hash: Hash | None = None


class Tally(Record, version=1):
    """How often somebody has acted in one capacity, by kind."""

    authorised: Count = Count(0)
    deauthorised: Count = Count(0)
    limited: Count = Count(0)
    frozen: Count = Count(0)
    unfrozen: Count = Count(0)
    clawed_back: Count = Count(0)
    recalled: Count = Count(0)


class Statement(Value):
    """What was issued of an asset, and where it is: `issued = held + on_hold + reserved`.

    `on_hold` is what vaults own, `reserved` what modules have reserved inside holdings, `held` what
    accounts are free to spend.
    """

    issued: Amount
    held: Amount
    on_hold: Amount
    reserved: Amount


class Controlled(Event, tag=2):
    """Somebody has acted on a holding; the act's row says on which ground and in what capacity."""

    act: Id
    asset: AssetId
    account: Address
    kind: Kind
    by: Address
    capacity: Capacity
    reason: Small | None = None
    until: Time | None = None
