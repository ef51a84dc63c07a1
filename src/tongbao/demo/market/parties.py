"""Who takes part in the market, and what everything costs: all derived from one seed.

Households are those of the data set, in the order of their numbers, with a key for each member that
the data set's demographics name. Those at the end of the list meet somebody who misbehaves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from tongbao.demo.baskets import transactions_file
from tongbao.kernel import Address, Amount, AssetCode, Key, PublicKey, Small, WeightedKey
from tongbao.modules import account, data
from tongbao.sdk.signer import SoftwareKey

CODE: Final = AssetCode("USD")
SCALE: Final = 2
DEMOGRAPHICS_FILE: Final = "demographics.parquet"
MANY: Final = "5+"
"""What the demographics say of households of five and more."""

PERIODS: Final = tuple(data.Period(f"2017-{month:02}") for month in (10, 11, 12))
"""The months that are attested: the last quarter of the data set."""
CHECK_INS: Final = PERIODS[-1:]
"""The months of which the club attests check-ins."""
PLAYS: Final = 4
"""Every so manieth household is a member of the club."""
INSURES: Final = 2
"""Of every so manieth household the insurer buys the history."""
EGGS: Final = data.Schema("eggs.1")
BADMINTON: Final = data.Schema("badminton_generated.1")
USA: Final = data.Region("US")
RISK: Final = data.Purpose("dpv:RiskAssessment")
PRODUCTS: Final = data.Purpose("dpv:ProductDevelopment")
VIEW, STORE = data.Mode("view"), data.Mode("store")
DAY_MS: Final = 86_400_000
KEEP_MS: Final = 30 * DAY_MS
DELETION_BOND: Final = Amount("0.50")


class Party(Struct, frozen=True):
    """An institution's account: its label, key and address."""

    label: str
    key: SoftwareKey
    address: Address


class Household(Struct, frozen=True):
    """A household: its number, a key of each member, its address, and the secrets of its data."""

    number: int
    keys: tuple[SoftwareKey, ...]
    address: Address
    seed: bytes

    @property
    def label(self) -> str:
        """How it is named."""
        return household_label(self.number)

    @property
    def owner_key(self) -> bytes:
        """What its batches' keys are wrapped with."""
        return self._derived("owner").seed

    @property
    def space(self) -> SoftwareKey:
        """The key of its space in the store."""
        return self._derived("space")

    @property
    def drop(self) -> bytes:
        """The token by which sources leave parcels there."""
        return self._derived("drop").seed

    @property
    def exchange(self) -> bytes:
        """The secret of the key that parcels are sealed to."""
        return self._derived("exchange").seed

    @property
    def exchange_key(self) -> bytes:
        """The public half."""
        secret = X25519PrivateKey.from_private_bytes(self.exchange)
        return secret.public_key().public_bytes_raw()

    def _derived(self, name: str) -> SoftwareKey:
        return SoftwareKey.derive(self.seed, f"{self.label}/{name}")


def household_label(number: int) -> str:
    """How the household of a number is named."""
    return f"household/{number}"


def member_keys(seed: bytes, number: int, members: int) -> tuple[SoftwareKey, ...]:
    """A key for each member of a household."""
    label = household_label(number)
    return tuple(SoftwareKey.derive(seed, f"{label}/{place}") for place in range(members))


def shared_account(keys: tuple[SoftwareKey, ...]) -> account.Open:
    """An account of which each member may send, and two must agree to what is sensitive."""
    return account.Open(
        keys=tuple(
            WeightedKey(key=Key(algorithm=Small(1), public=PublicKey(key.key_id)), weight=Small(1))
            for key in keys
        ),
        ordinary=Small(1),
        sensitive=Small(min(2, len(keys))),
        lanes=Small(1),
    )


def household_sizes(path: Path | None = None) -> dict[int, int]:
    """How many members the demographics say a household has: of 801 of them.

    Raises DatasetMissing.
    """
    from pyarrow import parquet

    place = path or transactions_file().with_name(DEMOGRAPHICS_FILE)
    table = parquet.read_table(place, columns=["household_id", "household_size"])
    sizes = zip(table["household_id"].to_pylist(), table["household_size"].to_pylist(), strict=True)
    return {number: 5 if size == MANY else int(size) for number, size in sizes if size}


def household_numbers(path: Path | None = None) -> list[int]:
    """The numbers of all households of the data set, in order. Raises DatasetMissing."""
    from pyarrow import compute, parquet

    table = parquet.read_table(path or transactions_file(), columns=["household_id"])
    return sorted(map(int, compute.unique(table["household_id"]).to_pylist()))


def month_price(number: int) -> Amount:
    """What a household wants for a month of its eggs."""
    return Amount.of(40 + number % 7 * 5, SCALE)


def history_price(number: int) -> Amount:
    """What it wants for its history, and for a month of its badminton."""
    return Amount.of(300 + number % 9 * 25, SCALE)


def fee_of(price: Amount) -> Amount:
    """The agent's share: a twentieth, in whole cents."""
    return Amount.of(price.units // 20, SCALE)
