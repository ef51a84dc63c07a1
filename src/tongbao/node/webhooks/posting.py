"""One message to one endpoint: signed by HMAC-SHA256 (RFC 2104) over the time and the body."""

from __future__ import annotations

import hmac
import ssl
import time
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from typing import Final

import httpx2

from tongbao.node.webhooks.addresses import NotAllowed, Resolve, address_for, resolved
from tongbao.node.webhooks.endpoints import Target

PATIENCE_S: Final = 10.0
"""For each of: to connect, to send, to wait for the answer's head."""
ANSWER_BYTES_LIMIT: Final = 65_536
CURSOR: Final = "Tongbao-Cursor"
TIMESTAMP: Final = "Tongbao-Timestamp"
SIGNATURE: Final = "Tongbao-Signature"
VERSION: Final = "v1"


class NotDelivered(Exception):
    """An endpoint that did not take a message; the text says why, and never where it is."""


def signature_of(secret: bytes, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 in hex of the time as in its header, a dot, and the body."""
    return f"{VERSION}={hmac.digest(secret, timestamp.encode() + b'.' + body, sha256).hex()}"


class Poster:
    """Posts to one endpoint."""

    def __init__(
        self,
        target: Target,
        secret: bytes,
        resolve: Resolve = resolved,
        clock: Callable[[], float] = time.time,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is sent yet. `resolve` is asked before each message; `context` judges the host's
        certificate, by the system's authorities unless one is given.
        """
        self._target = target
        self._secret = secret
        self._resolve = resolve
        self._clock = clock
        self._client = httpx2.Client(
            verify=context or ssl.create_default_context(),
            timeout=PATIENCE_S,
            trust_env=False,
            follow_redirects=False,
        )

    def post(self, cursor: str, body: bytes) -> None:
        """Send one message; it was taken when this returns. Raises NotDelivered."""
        target = self._target
        try:
            address = address_for(target, self._resolve)
        except NotAllowed as error:
            raise NotDelivered(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise NotDelivered("the host has no address now") from error
        timestamp = str(int(self._clock()))
        headers = {
            "Host": f"{_bracketed(target.host)}:{target.port}",
            "Content-Type": "application/json",
            "User-Agent": "Tongbao",
            CURSOR: cursor,
            TIMESTAMP: timestamp,
            SIGNATURE: signature_of(self._secret, timestamp, body),
        }
        url = f"{target.scheme}://{_bracketed(address)}:{target.port}{target.path}"
        # The certificate is judged by the host's name, though its address is what is connected to.
        extensions = {"sni_hostname": target.host}
        try:
            with self._client.stream(
                "POST", url, content=body, headers=headers, extensions=extensions
            ) as answer:
                status = answer.status_code
                _drain(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NotDelivered(f"no answer: {type(error).__name__}") from error
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotDelivered(f"answered with status {status}")

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def _drain(answer: httpx2.Response) -> None:
    """Read a short answer to its end, so that the connection can be used again."""
    size, until = 0, time.monotonic() + PATIENCE_S
    for part in answer.iter_raw():
        size += len(part)
        if size > ANSWER_BYTES_LIMIT or time.monotonic() > until:
            return


def _bracketed(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
