"""The second process: totals out of proof files alone. It imports no store and no node.

Run as `python -m tongbao.demo.read_back FOLDER ADDRESS`: asks the node for a proof of every total
of `parties.json`, keeps them in `proofs.jsonl`, verifies each against `trust.json`, and prints the
totals as one line of JSON. The trust file comes from whoever began the chain, not from the node.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
from msgspec import Raw, Struct

from tongbao.kernel import Amount
from tongbao.sdk.verification import Verified, verify

PROOFS: Final = "proofs.jsonl"
PARTIES: Final = "parties.json"
TRUST: Final = "trust.json"
ROLES: Final = ("household", "store")
AT_ONCE: Final = 256
TIMEOUT_S: Final = 60.0
ROUNDS: Final = 5
"""How often it asks anew because the chain has moved on between two of its requests."""

Row = tuple[str, tuple[str, ...]]
"""A table's name and a key."""


class Parties(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose rows the proofs must speak of: the asset, and addresses by label."""

    asset: str
    addresses: dict[str, str]
    references: dict[str, str]


class _Proofs(Struct):
    """What a node answers: proof files as they are."""

    height: int
    proofs: tuple[Raw, ...]


class Totals(Struct, frozen=True):
    """Cents spent by household and received by store, at one height of one chain."""

    chain: str
    height: int
    households: dict[str, int]
    stores: dict[str, int]
    proofs: int


class ReadBackError(Exception):
    """Proofs that verify and still don't say what was asked."""


def rows_of(parties: Parties) -> list[Row]:
    """The rows that say every total: what each party holds, what each household was given."""
    held: list[Row] = [
        ("asset.holdings", (address, parties.asset)) for address in parties.addresses.values()
    ]
    given: list[Row] = [
        ("asset.settled", (parties.asset, reference)) for reference in parties.references.values()
    ]
    return held + given


def collect(folder: Path, address: str) -> None:
    """Ask a node for a proof of each row, all of one height. Raises ReadBackError."""
    parties = msgspec.json.decode((folder / PARTIES).read_bytes(), type=Parties)
    rows = rows_of(parties)
    with httpx2.Client(base_url=address, timeout=TIMEOUT_S) as client:
        for _ in range(ROUNDS):
            parts = [
                _proofs(client, rows[at : at + AT_ONCE]) for at in range(0, len(rows), AT_ONCE)
            ]
            if len({part.height for part in parts}) == 1:
                break
        else:
            raise ReadBackError("the chain moves on faster than proofs can be asked for")
    lines = [bytes(proof) + b"\n" for part in parts for proof in part.proofs]
    (folder / PROOFS).write_bytes(b"".join(lines))


def _proofs(client: httpx2.Client, rows: list[Row]) -> _Proofs:
    wanted = [{"table": table, "key": key} for table, key in rows]
    answer = client.post("/v1/proofs", content=msgspec.json.encode({"rows": wanted}))
    if answer.is_error:
        raise ReadBackError(f"the node gives no proofs: {answer.text}")
    return msgspec.json.decode(answer.content, type=_Proofs)


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
    """Print the totals of the folder and the node named on the command line."""
    folder, address = Path(sys.argv[1]), sys.argv[2]
    collect(folder, address)
    sys.stdout.buffer.write(msgspec.json.encode(read_back(folder)) + b"\n")


if __name__ == "__main__":
    main()
