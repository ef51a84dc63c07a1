"""Requests to a service that speaks S3, signed by AWS Signature Version 4.

As "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference says. Written
here since it is sixty lines over HMAC, where a client of S3 brings a second HTTP stack with it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from msgspec import Struct

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SAFE: Final = "-_.~"


class Credentials(Struct, frozen=True):
    """Who signs; the repr of it shows no secret."""

    access_key: str
    secret_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        """The access key alone."""
        return f"Credentials({self.access_key})"


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Parameters as they are signed, and sent."""
    pairs = sorted(
        (quote(name, safe=SAFE), quote(value, safe=SAFE)) for name, value in parameters.items()
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed_headers(
    credentials: Credentials,
    region: str,
    *,
    method: str,
    host: str,
    path: str,
    query: str,
    payload_hash: str,
    now: datetime,
    further: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers of one request, `further` ones signed with it.

    `path` and `query` stand as they are sent; `payload_hash` is the SHA-256 of the body in hex.
    """
    time = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": host,
        "x-amz-content-sha256": payload_hash,
        "x-amz-date": time,
        **(further or {}),
    }
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = "\n".join((method, path, query, lines, names, payload_hash))
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    text = "\n".join((ALGORITHM, time, scope, sha256(request.encode()).hexdigest()))
    key = b"AWS4" + credentials.secret_key.encode()
    for part in (time[:8], region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers
