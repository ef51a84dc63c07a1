"""Two attestations of one month in the model: who is caught, and where the bond goes."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import permutations
from typing import Any, Final, NamedTuple

from tongbao.simulation.model import market
from tongbao.simulation.model.books import Turn, need
from tongbao.simulation.model.curve import signature_is_valid
from tongbao.simulation.model.market import Row
from tongbao.simulation.model.numbers import DataWhy

TEXTS: Final = {
    "about": "person|household",
    "batch": "[0-9a-f]{64}",
    "iss": "[0-9a-f]{40}",
    "method": "scan|device|check-in|self",
    "period": "[0-9]{4}-(0[1-9]|1[0-2])",
    "schema": "[a-z][a-z0-9_]{0,31}[.][1-9][0-9]{0,2}",
    "sub": "[0-9a-f]{64}",
    "supersedes": "[0-9a-f]{64}",
}
NUMBERS: Final = {"iat": range(2**53), "version": range(1, 1001)}
TUPLE: Final = ("iss", "sub", "schema", "period", "version")


class Signed(NamedTuple):
    """What an attestation says, and what it is signed with."""

    said: Row
    kid: str
    signed: bytes
    signature: bytes


def read(text: str) -> Signed:
    """An attestation of the one form."""
    header, payload, signature = text.split(".")
    try:
        kid = _kid(_bytes(header))
        said = _payload(_bytes(payload))
        found = Signed(said, kid, f"{header}.{payload}".encode(), _bytes(signature))
    except (ValueError, KeyError, TypeError, AttributeError):
        found = None
    need(found is not None, DataWhy.ATTESTATION_IS_MALFORMED)
    assert found is not None
    return found


def _bytes(text: str) -> bytes:
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise ValueError
    return data


def _kid(header: bytes) -> str:
    told = json.loads(header)
    parts = [f'"{name}":"{told[name]}"' for name in ("alg", "kid", "typ")]
    spelled = {"{" + ",".join(order) + "}" for order in permutations(parts)}
    right = told["alg"] in ("Ed25519", "EdDSA") and told["typ"] == "tongbao-attestation+jws"
    if not right or header.decode() not in spelled or len(_bytes(told["kid"])) != 32:
        raise ValueError
    return str(told["kid"])


def _payload(text: bytes) -> Row:
    said: dict[str, Any] = json.loads(text)
    spelled = json.dumps(said, sort_keys=True, separators=(",", ":"))
    optional = {"supersedes"} if said["version"] == 1 else set[str]()
    members = {*TEXTS, *NUMBERS} - optional
    fits = spelled.encode() == text and set(said) == members
    fits = fits and all(type(said[name]) is int and said[name] in NUMBERS[name] for name in NUMBERS)
    if not fits or not all(re.fullmatch(TEXTS[name], said[name]) for name in members & {*TEXTS}):
        raise ValueError
    return said


def prove_two_contents(turn: Turn, msg: Row) -> None:
    """A source has said two things of one month."""
    books = turn.books
    one, other = read(msg["first"]), read(msg["second"])
    told, again = ([found.said[name] for name in TUPLE] for found in (one, other))
    need(told == again and one.said["batch"] != other.said["batch"], DataWhy.CONTENTS_AGREE)
    name = market.name_of(*told)
    need(name not in books.data_proven, DataWhy.LIE_IS_PROVEN)
    source, key = one.said["iss"], (one.said["iss"], one.said["schema"])
    need(key in books.data_sources, DataWhy.SOURCE_NOT_FOUND)
    row = books.data_sources[key]
    keys = [*row.get("keys", ()), *market.lone_keys(turn, source)]
    for found in (one, other):
        need(found.kid in keys and _is_signed(found), DataWhy.ATTESTATION_IS_NOT_SIGNED)
    del books.data_sources[key]
    count = market.units(row["bond"])
    market.change_bond(turn, source, row["asset"], -count, -count)
    market.earn(turn, row["asset"].partition(".")[2], row["asset"], count)
    books.data_proven[name] = {"at": turn.time, "by": turn.sender}
    caught = dict(zip(("source", "subject", "schema", "period", "version"), told, strict=True))
    lost = {"asset": row["asset"], "bond": row["bond"]}
    turn.events.append({"@type": "data.contradicted"} | caught | lost)


def _is_signed(found: Signed) -> bool:
    return signature_is_valid(_bytes(found.kid), found.signed, found.signature)


RULES: Final = {"data.prove_two_contents": prove_two_contents}
