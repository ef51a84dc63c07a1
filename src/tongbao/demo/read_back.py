"""The second process: totals out of proof files alone. It imports no store and no node.

Run as `python -m tongbao.demo.read_back FOLDER`: reads `proofs.jsonl`, `parties.json` and
`trust.json`, verifies each proof, and prints the totals as one line of JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from tongbao.kernel import Amount
from tongbao.sdk.verification import Verified, verify

PROOFS: Final = "proofs.jsonl"
PARTIES: Final = "parties.json"
TRUST: Final = "trust.json"
ROLES: Final = ("household", "store")


class Parties(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose rows the proofs must speak of: the asset, and addresses by label."""

    asset: str
    addresses: dict[str, str]
    references: dict[str, str]


class Totals(Struct, frozen=True):
    """Cents spent by household and received by store, at one height of one chain."""

    chain: str
    height: int
    households: dict[str, int]
    stores: dict[str, int]
    proofs: int


class ReadBackError(Exception):
    """Proofs that verify and still don't say what was asked."""


def read_back(folder: Path) -> Totals:
    """Verify every proof in the folder and add up. Raises VerificationError, ReadBackError."""
    parties = msgspec.json.decode((folder / PARTIES).read_bytes(), type=Parties)
    trust = (folder / TRUST).read_bytes()
    proven: dict[tuple[str, tuple[Any, ...]], Verified] = {}
    heads = set()
    for line in _lines(folder / PROOFS):
        found = verify(line, trust)
        proven[found.name, found.key] = found
        heads.add((found.chain, found.height))
    if len(heads) != 1:
        raise ReadBackError(f"the proofs are of {len(heads)} heights, not of one")
    totals: dict[str, dict[str, int]] = {role: {} for role in ROLES}
    for label, address in parties.addresses.items():
        role, name = label.split("/")
        held = _cents(proven, "asset.holdings", (address, parties.asset))
        if role == "household":
            reference = parties.references[label]
            held = _cents(proven, "asset.settled", (parties.asset, reference)) - held
        totals[role][name] = held
    ((chain, height),) = heads
    return Totals(chain, height, totals["household"], totals["store"], len(proven))


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _cents(proven: dict[tuple[str, tuple[Any, ...]], Verified], name: str, key: Any) -> int:
    """The units of a proven row's amount; a proven absence is nothing."""
    found = proven.get((name, key))
    if found is None:
        raise ReadBackError(f"there is no proof of {name} {key}")
    return 0 if found.value is None else Amount(found.value["amount"]).units


def main() -> None:
    """Print the totals of the folder named on the command line."""
    sys.stdout.buffer.write(msgspec.json.encode(read_back(Path(sys.argv[1]))) + b"\n")


if __name__ == "__main__":
    main()
