"""What W3C's Decentralized Identifiers (DIDs) v1.0 demands of a DID document, as a JSON Schema.

W3C publishes no schema with the Recommendation, so this one is written from its normative
sentences; each rule names its section at https://www.w3.org/TR/2022/REC-did-core-20220719/.
"""

from __future__ import annotations

from typing import Any, Final

# 3.1: did = "did:" method-name ":" method-specific-id
IDCHAR: Final = "(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})"
DID: Final = f"did:[a-z0-9]+:(?:{IDCHAR}*:)*{IDCHAR}+"
# 3.2: did-url = did path-abempty [ "?" query ] [ "#" fragment ]
DID_URL: Final = f"^{DID}(?:/[^?#\\s]*)*(?:[?][^#\\s]*)?(?:#[^#\\s]*)?$"
URI: Final = r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+$"

PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
"""Members of RFC 7518 and RFC 8037 that belong to private or secret keys."""

did: Final[dict[str, Any]] = {"type": "string", "pattern": f"^{DID}$"}
did_url: Final[dict[str, Any]] = {"type": "string", "pattern": DID_URL}
uri: Final[dict[str, Any]] = {"type": "string", "pattern": URI}


def set_of(*items: dict[str, Any]) -> dict[str, Any]:
    """4: a set is a list without doubles."""
    return {"type": "array", "uniqueItems": True, "items": {"anyOf": list(items)}}


# 5.2: a verification method has id (DID URL), type (one string) and controller (DID).
method: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "type", "controller"],
    "properties": {
        "id": did_url,
        "type": {"type": "string", "minLength": 1},
        "controller": did,
        # 5.2.1: a JWK (RFC 7517) without private parts.
        "publicKeyJwk": {
            "type": "object",
            "required": ["kty"],
            "properties": {"kty": {"type": "string"}} | dict.fromkeys(PRIVATE, False),
        },
        "publicKeyMultibase": {"type": "string"},
    },
    # 5.2.1: not both ways for the same material; 5.2: the type tells which, so there is one.
    "oneOf": [{"required": ["publicKeyJwk"]}, {"required": ["publicKeyMultibase"]}],
}
# 5.3: a relationship holds methods, embedded or referred to by DID URL.
relationship: Final = set_of(method, did_url)
RELATIONSHIPS: Final = (
    "authentication",  # 5.3.1
    "assertionMethod",  # 5.3.2
    "keyAgreement",  # 5.3.3
    "capabilityInvocation",  # 5.3.4
    "capabilityDelegation",  # 5.3.5
)
# 5.4: a service has id (URI), type and endpoint.
service: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "type", "serviceEndpoint"],
    "properties": {"id": uri},
}

SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",  # 5
    "required": ["id"],  # 5.1.1
    "properties": {
        # 6.3.1: a string or a list whose first is W3C's, followed by other contexts.
        "@context": {
            "oneOf": [
                {"const": "https://www.w3.org/ns/did/v1"},
                {
                    "type": "array",
                    "minItems": 1,
                    "prefixItems": [{"const": "https://www.w3.org/ns/did/v1"}],
                    "items": {"anyOf": [uri, {"type": "object"}]},
                },
            ]
        },
        "id": did,  # 5.1.1
        "controller": {"anyOf": [did, set_of(did)]},  # 5.1.2
        "alsoKnownAs": set_of(uri),  # 5.1.3
        "verificationMethod": set_of(method),  # 5.2
        "service": set_of(service),  # 5.4
    }
    | dict.fromkeys(RELATIONSHIPS, relationship),
}
