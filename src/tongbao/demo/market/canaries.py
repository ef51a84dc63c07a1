"""Values that were planted in rows are looked for where no value may be.

Two households that are not of the data set sell a row with a text that stands nowhere else. The
text is looked for as it is, in hex, base64, UTF-16 and zlib, in every byte of the folders, in what
the node's metrics say, and in all that went over the sockets of node, store, agent and panel. And
whoever has the ledger may guess: none of its hashes is one of a count of eggs from 0 to 100.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.demo.market.opening import BUYERS, Market
from tongbao.demo.market.wires import Wire
from tongbao.kernel import jcs
from tongbao.modules import data
from tongbao.modules.data import data_hash
from tongbao.sdk.data.facts import all_of

PIECE_BYTES: Final = 1 << 22
MOST_EGGS: Final = 100
FIELDS: Final = ("packages", "eggs", "cents", "size")
SALT_BYTES: Final = 16


class Canaries(Struct, frozen=True, kw_only=True):
    """What was looked for, where, and what was found: `found` is to be empty."""

    planted: int
    forms: int
    files: int
    bytes_read: int
    bytes_sent: int
    hashes: int
    guesses: int
    found: tuple[str, ...]


def forms_of(text: str) -> dict[str, bytes]:
    """How a text can stand in bytes; base64 has three ways, by what stands before it."""
    plain = text.encode()
    forms = {
        "plain": plain,
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "UTF-16 little": text.encode("utf-16-le"),
        "UTF-16 big": text.encode("utf-16-be"),
        "zlib": zlib.compress(plain),
    }
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + plain)
        # The first and last groups depend on what is around the text.
        forms[f"base64 {shift}"] = coded[4 if shift else 0 : -4]
        forms[f"base64url {shift}"] = coded[4 if shift else 0 : -4].translate(_URL)
    return forms


def all_forms(texts: Sequence[str]) -> dict[str, bytes]:
    """How each of some texts can stand in bytes."""
    return {
        f"planted text {place} as {name}": form
        for place, text in enumerate(texts, 1)
        for name, form in forms_of(text).items()
    }


_URL: Final = bytes.maketrans(b"+/", b"-_")


def look(
    market: Market,
    texts: Sequence[str],
    folders: Mapping[str, Path],
    told: Mapping[str, bytes],
    wires: Sequence[Wire],
) -> Canaries:
    """Look through folders and texts, guess at the ledger's hashes; wires have looked already."""
    forms = all_forms(texts)
    found: list[str] = []
    files = size = 0
    for where, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                files += 1
                size += path.stat().st_size
                inside = path.relative_to(folder)
                found += [f"{where}/{inside}: {name}" for name in names_in(_pieces(path), forms)]
    for where, text in told.items():
        files += 1
        size += len(text)
        found += [f"{where}: {name}" for name in names_in((text,), forms)]
    for wire in wires:
        found += [f"sockets of the {wire.name}: {name}" for name in wire.found]
    hashes = ledger_hashes(market)
    guesses = guessed_hashes()
    found += [f"a hash on the ledger is of {guesses[one]}" for one in hashes & guesses.keys()]
    return Canaries(
        planted=len(texts),
        forms=len(forms),
        files=files,
        bytes_read=size,
        hashes=len(hashes),
        guesses=len(guesses),
        bytes_sent=sum(wire.bytes for wire in wires),
        found=tuple(sorted(found)),
    )


def names_in(pieces: Iterable[bytes], forms: Mapping[str, bytes]) -> list[str]:
    """Which of the forms stand in bytes that come in pieces."""
    longest = max(map(len, forms.values()))
    left, before = dict(forms), b""
    for piece in pieces:
        window = before + piece
        for name in [name for name, form in left.items() if form in window]:
            del left[name]
        before = window[-longest:]
    return [name for name in forms if name not in left]


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def ledger_hashes(market: Market) -> set[str]:
    """Every hash of 32 bytes that the ledger has of batches and orders."""
    found: set[str | None] = set()
    for household in market.households:
        for _, batch in all_of(market.chain, data.batches_of, owner=household.address):
            found |= {batch.commitment, batch.subject}
    for label in BUYERS:
        for _, row in all_of(market.chain, data.bought, buyer=market.parties[label].address):
            found |= {row.request_hash, row.grant_hash, row.package_root, row.evidence_hash}
            found |= {row.a_commit, row.b_lock, row.b}
    return {one for one in found if one}


def guessed_hashes() -> dict[str, str]:
    """The hashes that a count of eggs has if nobody salts it, and what each is of."""
    guesses: dict[str, str] = {}
    for eggs in range(MOST_EGGS + 1):
        for text in (f"{eggs}".encode(), jcs.encode(eggs), eggs.to_bytes(4, "big")):
            guesses[sha256(text).hexdigest()] = f"SHA-256 of {eggs}"
            guesses[data_hash("batch", text).hex()] = f"H of {eggs}"
            for name in FIELDS:
                for salt in (b"", bytes(SALT_BYTES)):
                    cell = data_hash("cell", name.encode(), salt, text)
                    guesses[cell.hex()] = f"an unsalted cell of {eggs}"
    return guesses
