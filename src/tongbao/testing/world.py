"""What a writer of random histories knows: who there is, what they own, which ids and keys exist.

It is read from the machine after each block and may be out of date inside one, as with people: what
is stale is refused, and that is wanted too.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final, TypeVar

from tongbao.kernel import (
    UNITS_LIMIT,
    Address,
    Amount,
    AssetId,
    Count,
    Id,
    Machine,
    Name,
    PublicKey,
    Reference,
    Time,
)
from tongbao.kernel.kernel_module import (
    Allowance,
    Halt,
    NodeId,
    Peer,
    Sponsorship,
    Upgrade,
    Validator,
)
from tongbao.modules import account, asset, governance, member
from tongbao.sdk.signer import Signer, SoftwareKey

T = TypeVar("T")

ODD_CHANCE: Final = 0.04
"""How often one value of a message is chosen so that something should refuse it."""

MARKET: Final = ("schemas", "enterprises", "sources", "bonds", "earnings", "used_keys")

NOBODY: Final = Address("ff" * 20)
UNKNOWN_ID: Final = Id("ee" * 20)
UNKNOWN_ASSET: Final = AssetId(f"NONE.{NOBODY}")


class World:
    """One random history's knowledge, with its own source of chance."""

    def __init__(self, machine: Machine, seed: str, signers: Sequence[Signer]) -> None:
        """Begin after genesis; `signers` hold the keys of its accounts."""
        self.random = Random(seed)
        self._seed = seed.encode().ljust(32, b"\0")[:32]
        self._made = 0
        self.signers: dict[str, Signer] = {signer.key_id: signer for signer in signers}
        self.machine = machine
        self.time = machine.time
        self.used: dict[tuple[Address, int], set[int]] = {}
        self.references: dict[AssetId, list[Reference]] = {}
        self.closed: list[Address] = []
        self.people: dict[Address, account.Account] = {}
        self.guards: dict[Address, account.Guard] = {}
        self.changes: dict[Address, account.Change] = {}
        self.rescues: dict[Address, account.Before] = {}
        self.patience: int | None = None
        """How many ms the next block comes after the last one, where a story wants to wait."""
        self.assets: dict[AssetId, asset.Definition] = {}
        self.holdings: dict[Address, list[tuple[AssetId, Amount]]] = {}
        self.controls: dict[AssetId, asset.Controls] = {}
        self.standings: dict[tuple[Address, AssetId], asset.Standing] = {}
        self.upgrades: dict[Count, Upgrade] = {}
        self.validators: dict[PublicKey, Validator] = {}
        self.peers: dict[NodeId, Peer] = {}
        self.council: governance.Council | None = None
        self.ballots: set[tuple[Id, Address]] = set()
        self.members: dict[member.Lei, member.Member] = {}
        self.acting: dict[Address, member.Acting] = {}
        self.permissions: dict[member.PermissionName, member.Permission] = {}
        self.halts: dict[Name, Halt] = {}
        self.allowances: dict[Address, Allowance] = {}
        self.sponsorships: dict[Address, Sponsorship] = {}
        self.offers: dict[tuple[Address, Address], Sponsorship] = {}
        self.market: dict[str, dict[Any, Any]] = {name: {} for name in MARKET}
        """Rows of tables of `data` that are not keyed by Id, by name."""
        self.rows: dict[str, dict[Id, Any]] = {}
        """Rows of every table that is keyed by Id, by its name, such as `hold.holds`."""
        self.refresh()

    # Facts

    def refresh(self) -> None:
        """Read what is there after the last block."""
        self.people.clear()
        self.closed.clear()
        for address, row in self._items("account.accounts"):
            if row.closed_into is None:
                self.people[address] = row
            else:
                self.closed.append(address)
        self.guards = dict(self._items("account.guards"))
        self.changes = dict(self._items("account.changes"))
        self.rescues = dict(self._items("account.rescues"))
        self.assets = dict(self._items("asset.definitions"))
        self.holdings.clear()
        for (owner, held), row in self._items("asset.holdings"):
            self.holdings.setdefault(owner, []).append((held, row.amount))
        self.controls = dict(self._items("asset.controls"))
        self.standings = dict(self._items("asset.standings"))
        self.upgrades = dict(self._items("kernel.upgrades"))
        self.validators = dict(self._items("kernel.validators"))
        self.peers = dict(self._items("kernel.peers"))
        self.council = next((row for _, row in self._items("governance.councils")), None)
        self.ballots = {key for key, _ in self._items("governance.ballots")}
        self.members = dict(self._items("member.members"))
        self.acting = dict(self._items("member.acting_accounts"))
        self.permissions = dict(self._items("member.permissions"))
        self.halts = dict(self._items("kernel.halts"))
        self.allowances = dict(self._items("kernel.allowances"))
        self.sponsorships = dict(self._items("kernel.sponsorships"))
        self.offers = dict(self._items("kernel.offers"))
        if "data" in {module.name for module in self.machine.registry.modules}:
            self.market = {name: dict(self._items(f"data.{name}")) for name in MARKET}
        for table in self.machine.registry.tables.values():
            if table.has_derived_ids:
                name = f"{table.module.name}.{table.name}"
                self.rows[name] = dict(self._items(name))

    def _items(self, name: str) -> Any:
        table = self.machine.registry.table(name)
        return self.machine.audit(table.module)[table].items()

    def highest(self, sender: Address, lane: int) -> int:
        """The highest nonce that was used or written for a lane."""
        return max(self.used.get((sender, lane), ()), default=0)

    def balance(self, owner: Address, held: AssetId) -> int:
        """What an owner had of an asset after the last block, in units."""
        found = [amount.units for asset_id, amount in self.holdings.get(owner, ())]
        known = [asset_id for asset_id, _ in self.holdings.get(owner, ())]
        return found[known.index(held)] if held in known else 0

    # Chance

    def odd(self) -> bool:
        """Whether to choose something that should not pass."""
        return self.random.random() < ODD_CHANCE

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.random.random() < probability

    def one(self, options: Sequence[T]) -> T:
        """One of several."""
        return options[int(self.random.random() * len(options))]

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)

    def new_signer(self) -> SoftwareKey:
        """A key that nobody has yet; its signer is kept."""
        self._made += 1
        signer = SoftwareKey.derive(self._seed, f"key-{self._made}")
        self.signers[signer.key_id] = signer
        return signer

    # Choices

    def somebody(self) -> Address:
        """An open account."""
        return self.one(list(self.people))

    def other_than(self, sender: Address) -> Address:
        """An open account beside the sender; at odd times one that can't be a payee."""
        if self.odd():
            return self.one([sender, NOBODY, *self.closed])
        others = [address for address in self.people if address != sender]
        return self.one(others) if others else NOBODY

    def amount(self, units: int, decimals: int) -> Amount:
        """An amount of so many units, as far as there can be; at odd times none, or otherwise."""
        if self.odd():
            units, decimals = self.one([(0, decimals), (units, (decimals + 1) % 19)])
        return Amount.of(min(units, UNITS_LIMIT), decimals)

    def soon(self) -> Time:
        """A time shortly after the next block's; at odd times not after it."""
        if self.odd():
            return Time(self.time - self.number(0, 1_000))
        return Time(self.time + self.one([1, 1_000, self.number(1, 60_000), 10_000_000]))

    def reference(self, of: AssetId) -> Reference:
        """A new external reference for an asset; at odd times one that was used for it."""
        known = self.references.setdefault(of, [])
        if known and self.odd():
            return self.one(known)
        known.append(Reference(f"ref-{len(known) + 1}"))
        return known[-1]
