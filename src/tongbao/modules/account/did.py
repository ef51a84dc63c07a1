"""The DID document of an account (W3C Decentralized Identifiers 1.0): `did:tongbao:<chain>:<id>`.

The id survives every change of keys, so the DID does too. A closed account resolves to a document
without methods, which a resolver reports as deactivated.
"""

from typing import Any, Final

from tongbao.kernel import Address, ChainId
from tongbao.modules.account.messages import Account

CONTEXTS: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1")


def did_of(chain: ChainId, address: Address) -> str:
    """The DID of an account."""
    return f"did:tongbao:{chain}:{address}"


def did_document(chain: ChainId, address: Address, account: Account) -> dict[str, Any]:
    """The document as JSON members; each key is a JsonWebKey2020 with an OKP JWK (RFC 8037)."""
    did = did_of(chain, address)
    methods = [
        {
            "id": f"{did}#{entry.key.public}",
            "type": "JsonWebKey2020",
            "controller": did,
            "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": entry.key.public},
        }
        for entry in account.keys
    ]
    references = [method["id"] for method in methods]
    document: dict[str, Any] = {
        "@context": list(CONTEXTS),
        "id": did,
        "verificationMethod": methods,
        "authentication": references,
        "assertionMethod": references,
    }
    if account.closed_into is not None:
        document["alsoKnownAs"] = [did_of(chain, account.closed_into)]
    return document
