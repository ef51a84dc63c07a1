"""Sign a transaction with nothing but a JOSE library and a JSON canonicalizer (RFC 8785).

Reads `{"payload": {...}, "keys": [private JWK, ...]}` from standard input and prints the
transaction: a compact JWS for one key, general JSON for several. The ledger's API takes either.
"""

import json
import sys
from typing import Any

import rfc8785
from joserfc import jws
from joserfc.jwk import KeySet, OKPKey

ALGORITHM = "Ed25519"


def header(key: dict[str, Any]) -> dict[str, Any]:
    """`kid` is the public key itself; `typ` keeps this signature from meaning anything else."""
    return {"alg": ALGORITHM, "kid": key["x"], "typ": "tongbao-tx+jws"}


def sign(payload: dict[str, Any], keys: list[dict[str, Any]]) -> str:
    """The transaction, as text."""
    data = rfc8785.dumps(payload)
    if len(keys) == 1:
        return jws.serialize_compact(
            header(keys[0]), data, OKPKey.import_key(keys[0]), algorithms=[ALGORITHM]
        )
    found = KeySet([OKPKey.import_key({**key, "kid": key["x"]}) for key in keys])
    members: list[Any] = [{"protected": header(key)} for key in keys]
    return json.dumps(jws.serialize_json(members, data, found, algorithms=[ALGORITHM]))


def main() -> None:
    """Sign what comes in."""
    task = json.load(sys.stdin)
    print(sign(task["payload"], task["keys"]))


if __name__ == "__main__":
    main()
