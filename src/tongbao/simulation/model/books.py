"""The model's books: plain dicts of what there is, copied whole where something may be taken back.

Nothing of the ledger's own code is used here or beside it. Amounts are integers of units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

VAULT: Final = "0" * 36


class No(Exception):
    """A refusal, or a reason to be invalid, by its number."""

    def __init__(self, number: int) -> None:
        """Carry the number."""
        super().__init__(number)
        self.number = int(number)


def need(condition: bool, number: int) -> None:
    """Say no with `number` unless `condition` holds."""
    if not condition:
        raise No(number)


class Account(NamedTuple):
    """Keys as (public, algorithm, weight); a closed account has an heir and nothing else."""

    keys: tuple[tuple[str, int, int], ...] = ()
    ordinary: int = 0
    sensitive: int = 0
    lanes: int = 0
    heir: str | None = None


Guard = tuple[tuple[str, ...], int]
"""Guardians, and how many of them must agree."""


class Change(NamedTuple):
    """What an account becomes, and when."""

    account: Account
    guard: Guard
    due: int
    heir: str | None
    postponed: bool = False


class Recovery(NamedTuple):
    """What guardians ask for."""

    of: str
    account: Account
    approvals: tuple[str, ...]
    asked: int
    due: int
    waits: bool = False
    postponed: bool = False


class Asset(NamedTuple):
    """What an issuer defined."""

    issuer: str
    scale: int
    cap: int | None
    terms: str | None


class Settled(NamedTuple):
    """What an external reference was used for."""

    units: int
    account: str
    redeemed: bool


class Hold(NamedTuple):
    """Value set aside."""

    payer: str
    payee: str
    asset: str
    units: int
    expires: int


class Mandate(NamedTuple):
    """Whose value, who may pay it, and how much of that was paid."""

    owner: str
    holder: str
    asset: str
    total: int
    expires: int
    began: int
    each: int | None
    period: int
    spent: int = 0
    lately: int = 0


class Sponsorship(NamedTuple):
    """Who pays for an account, until when, and which share of tokens and tokens a minute it has."""

    sponsor: str
    expires: int | None = None
    share: tuple[int, int] | None = None


class Rules(NamedTuple):
    """The powers over an asset's holdings, everybody's limit, and all that is reserved."""

    flags: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    limit: int | None = None
    reserved: int = 0


class Freeze(NamedTuple):
    """Who stops which way of a holding, why, since when and until when."""

    by: str
    scope: str
    reason: int
    since: int
    until: int


class Standing(NamedTuple):
    """What stands on a holding; `shares` are (vault, units) in the order of vaults."""

    authorised: bool = False
    limit: int | None = None
    by_issuer: Freeze | None = None
    by_supervisor: Freeze | None = None
    shares: tuple[tuple[str, int], ...] = ()

    @property
    def reserved(self) -> int:
        """All that is reserved in the holding."""
        return sum(units for _, units in self.shares)


class Thing(NamedTuple):
    """A thing of the simulator's module; without a time it never falls due."""

    owner: str
    habit: int
    due: int | None


class Proposal(NamedTuple):
    """What somebody proposed, by the rules of that moment, and what has become of it."""

    proposer: str
    actions: list[dict[str, Any]]
    closes: int
    voters: tuple[str, ...]
    threshold: int
    delay: int
    phase: str = "open"
    approvals: int = 0
    rejections: int = 0
    carries: int | None = None
    number: int = 0


class Member(NamedTuple):
    """An institution that takes part, did, or may again."""

    name: str
    status: str
    roles: frozenset[str]


class Books:
    """All that there is, but for nonces, which are never taken back."""

    def __init__(self) -> None:
        """Begin empty."""
        self.accounts: dict[str, Account] = {}
        self.guards: dict[str, Guard] = {}
        self.changes: dict[str, Change] = {}
        self.recoveries: dict[str, Recovery] = {}
        self.rescues: dict[str, tuple[int, Account]] = {}
        self.incoming: dict[str, bool] = {}
        """Accounts that ask for a reference with every payment."""
        self.sub_accounts: dict[tuple[str, str], int] = {}
        self.assets: dict[str, Asset] = {}
        self.issued: dict[str, int] = {}
        self.balances: dict[tuple[str, str], int] = {}
        self.settled: dict[tuple[str, str], Settled] = {}
        self.holds: dict[str, Hold] = {}
        self.mandates: dict[str, Mandate] = {}
        self.rules: dict[str, Rules] = {}
        self.standings: dict[tuple[str, str], Standing] = {}
        self.acts: dict[str, dict[str, Any]] = {}
        self.tallies: dict[tuple[str, str], dict[str, int]] = {}
        self.claims: dict[tuple[str, str], int] = {}
        self.inspections: dict[str, dict[str, Any]] = {}
        self.newest_inspections: dict[tuple[str, str], str] = {}
        self.reads: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.reading_tallies: dict[str, dict[str, int]] = {}
        self.jars: dict[int, int] = {}
        self.things: dict[str, Thing] = {}
        self.upgrades: dict[int, dict[str, Any]] = {}
        self.features: dict[str, int] = {}
        self.parameters: dict[str, int] = {}
        self.validators: dict[str, int] = {}
        self.peers: dict[str, bool] = {}
        self.council: dict[str, Any] = {}
        self.proposals: dict[str, Proposal] = {}
        self.ballots: dict[tuple[str, str | None], tuple[str, int]] = {}
        self.members: dict[str, Member] = {}
        self.acting: dict[str, str] = {}
        self.permissions: dict[str, frozenset[str]] = {}
        self.halts: dict[str, int] = {}
        self._open_market()
        self.allowances: dict[str, tuple[int, int, int, int | None]] = {}
        """What sponsors have: tokens, tokens a minute, accounts, rows."""
        self.sponsorships: dict[str, Sponsorship] = {}
        self.offers: dict[tuple[str, str], Sponsorship] = {}
        self.terms: dict[str, tuple[int | None, tuple[int, int] | None]] = {}
        self.buckets: dict[str, tuple[int, int]] = {}
        """How many units were left when, as the end of a block has it; so `shares`."""
        self.shares: dict[str, tuple[int, int]] = {}
        self.stuck: dict[str, tuple[int, int]] = {}
        """Things marked stuck: when they were due, and the number."""

    def _open_market(self) -> None:
        """Nothing is known of the data market, either, and no row is counted."""
        self.stored: dict[str, int] = {}
        """How many rows everybody owns, of those that came under quotas."""
        self.data_schemas: dict[str, dict[str, Any]] = {}
        self.data_enterprises: dict[str, dict[str, Any]] = {}
        self.data_sources: dict[tuple[str, str], dict[str, Any]] = {}
        self.data_bonds: dict[tuple[str, str], tuple[int, int]] = {}
        """Units posted, and of these reserved, by party and asset."""
        self.data_batches: dict[str, dict[str, Any]] = {}
        self.data_commitments: dict[str, str] = {}
        self.data_statements: dict[str, str] = {}
        self.data_committed: dict[tuple[str, str, str], int] = {}
        self.data_offers: dict[str, dict[str, Any]] = {}
        self.data_orders: dict[str, dict[str, Any]] = {}
        self.data_keys: dict[str, str] = {}
        self.data_licences: dict[str, dict[str, Any]] = {}
        self.data_parties: dict[str, tuple[int, int]] = {}
        """Orders under way, and lapses."""
        self.data_earnings: dict[tuple[str, str], int] = {}
        self.data_adjudicators: dict[str, int] = {}
        self.data_clock: dict[int, dict[str, int]] = {}
        self.data_proven: dict[str, dict[str, Any]] = {}

    def copy(self) -> dict[str, dict[Any, Any]]:
        """All of it as it is now."""
        return {name: dict(entries) for name, entries in vars(self).items()}

    def restore(self, copy: dict[str, dict[Any, Any]]) -> None:
        """Back to a copy."""
        vars(self).update(copy)

    def is_open(self, address: str) -> bool:
        """Whether an address is an account that nobody has closed."""
        account = self.accounts.get(address)
        return account is not None and account.heir is None


class Turn:
    """One transaction's messages, or one due item: who acts, when, and what came of it."""

    def __init__(self, books: Books, time: int, sender: str | None) -> None:
        """Nothing has come of it yet."""
        self.books = books
        self.time = time
        self.height = 0
        self.sender = sender
        self.origin: tuple[bytes, ...] = ()
        self.ids: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.burnt = 0
        self.drops_lost = 0
        self.values: dict[str, int] = {}
        """The parameters of the block."""
        self.halted: Mapping[str, int] = {}
        """Until when modules stand still, as was decided before the block."""
        self.bounds: Mapping[str, tuple[int, int]] = {}
        self.unacceptable: frozenset[str] = frozenset()

    @property
    def rows_limit(self) -> int:
        """The rows that one transaction may read and write."""
        return self.values["kernel.transaction_rows"]


def read_amount(text: str) -> tuple[int, int]:
    """Units and decimals of an amount as it is written: "12.50" is 1250 with 2."""
    whole, point, fraction = text.partition(".")
    return int(whole + fraction), len(fraction) if point else 0


def write_amount(units: int, scale: int) -> str:
    """The amount as it is written, with exactly so many decimals."""
    if scale == 0:
        return str(units)
    whole, fraction = divmod(units, 10**scale)
    return f"{whole}.{fraction:0{scale}d}"


def is_vault(address: str) -> bool:
    """Whether an address is a module's and no account's."""
    return address.startswith(VAULT)
