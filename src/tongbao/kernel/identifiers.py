"""Identifiers, numbers and texts that stand in transactions, rows and proofs.

They are plain `str` or `int` at run time and distinct types for mypy. msgspec checks the pattern or
the bounds that each carries when it decodes, so a value that came in from outside has this form.
Patterns end with the text (Z after a backslash): Python's `$` also matches before a line end, which
would be a second spelling.
"""

from hashlib import sha256
from typing import Annotated, Final, NewType

from msgspec import Meta

SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785 section 3.2.2.3)."""

SETTING_NAME: Final = r"^[a-z][a-z0-9_]{0,23}[.][a-z][a-z0-9_]{0,47}\Z"
"""The form of a parameter's or feature's name: its module's, then its own."""

ROLE_NAME: Final = r"^[a-z][a-z0-9_]{0,31}\Z"
"""The form of the name of a role that members of a consortium can have."""

ROLES_LIMIT: Final = 32
"""Roles that the modules of one chain declare."""

ID_BYTES: Final = 20
VAULT_ZEROS: Final = "0" * 36

Id = NewType("Id", Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")])
"""The name of a thing that a message or due work created: 20 bytes in lowercase hex."""

Address = NewType("Address", Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")])
"""The name of an account or of a module's vault: 20 bytes in lowercase hex."""

AssetId = NewType("AssetId", Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}\Z")])
"""`CODE.issuer`: a code of 1 to 12 characters and the issuer's address."""

AssetCode = NewType("AssetCode", Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]{0,11}\Z")])
"""The part of an asset's id that its issuer chooses."""

Hash = NewType("Hash", Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")])
"""A SHA-256 value in lowercase hex."""

PublicKey = NewType(
    "PublicKey", Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")]
)
"""32 bytes in base64url without padding, in the one spelling whose unused bits are zero."""

Reference = NewType("Reference", Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,35}\Z")])
"""A business reference (ISO 20022 Max35Text, less everything that could hold a sentence)."""

TransactionReference = NewType(
    "TransactionReference", Annotated[str, Meta(pattern=r"^(?:[A-Za-z0-9-]{1,35}|[0-9a-f]{64})\Z")]
)
"""A transaction's own reference: a business reference, or a salted hash of 32 bytes in hex."""

ChainId = NewType("ChainId", Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,23}-[0-9a-f]{8}\Z")])
"""A chain's name and the first 8 hex digits of its genesis hash."""

Name = NewType("Name", Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}\Z")])
"""The name of a module, parameter or feature."""

Time = NewType("Time", Annotated[int, Meta(ge=0, le=SAFE_INTEGER)])
"""Milliseconds since 1970-01-01T00:00:00Z."""

Count = NewType("Count", Annotated[int, Meta(ge=0, le=SAFE_INTEGER)])
"""A number of things, or a height."""

Small = NewType("Small", Annotated[int, Meta(ge=0, le=65_535)])
"""A small number: a weight, a threshold, a scale, a lane."""


def vault_of(module_number: int) -> Address:
    """The address that only module `module_number` may debit and credit.

    No hash gives an address of this form but with a chance of 2**-144.
    """
    return Address(f"{VAULT_ZEROS}{module_number:04x}")


def is_vault(address: Address) -> bool:
    """Whether an address belongs to a module and not to an account."""
    return address.startswith(VAULT_ZEROS)


def derived_id(domain: bytes, *parts: bytes) -> Id:
    """The first 20 bytes of SHA-256("tongbao/" || domain || "/1" || parts), in hex.

    Every part has a fixed length or is the last one, so no two lists of parts run together.
    """
    return Id(sha256(b"tongbao/" + domain + b"/1" + b"".join(parts)).hexdigest()[: 2 * ID_BYTES])
