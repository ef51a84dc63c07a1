"""A key that a service keeps, asked over HTTPS with a certificate of ours.

The protocol is one request (docs/operate/signers.md): `POST BASE/sign` with the key's name and the
message; the answer has the signature and the public key. A signature is used only if it is one.
"""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import Final

import httpx2
import msgspec
from msgspec import Struct

from tongbao.engines.solo.signing import PROBE, SignerUnavailable
from tongbao.kernel import InvalidTransaction
from tongbao.kernel.envelope import decode_base64url, encode_base64url
from tongbao.sdk.signer import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from tongbao.sdk.signer_address import BadSigner, HttpsAddress
from tongbao.sdk.signers import is_signed

PATIENCE_S: Final = 5.0
"""For each of: to connect, to send, to wait for the next part of the answer."""
ANSWER_BYTES_LIMIT: Final = 4_096
ATTEMPTS: Final = 2
"""A connection that was kept may have been closed at the other end meanwhile."""


class SignRequest(Struct, frozen=True):
    """What is asked: the name of a key, and the message in base64url."""

    key: str
    message: str


class SignAnswer(Struct, frozen=True):
    """What is answered: the key and the signature (RFC 8032), both in base64url."""

    public_key: str
    signature: str


class HttpsSigner:
    """Signs by asking a key service. Its repr shows the public key only."""

    algorithm: Final = "Ed25519"

    def __init__(self, address: HttpsAddress) -> None:
        """Connect, and have it sign a probe, which tells the public key.

        Raises BadSigner for files that can't be used, SignerUnavailable for a service that does
        not answer, or answers with what is no signature.
        """
        self._address = address
        self._client = httpx2.Client(
            verify=_context(address), timeout=PATIENCE_S, trust_env=False, follow_redirects=False
        )
        self.public_key = b""
        try:
            self._ask(PROBE)
        except BaseException:
            self.close()
            raise
        self.key_id = encode_base64url(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, verified. Raises SignerUnavailable."""
        return self._ask(message)

    def close(self) -> None:
        """Close the connection. May be called again."""
        self._client.close()

    def __repr__(self) -> str:
        """The public key."""
        return f"HttpsSigner({self.key_id})"

    def _ask(self, message: bytes) -> bytes:
        asked = SignRequest(self._address.key, encode_base64url(message))
        answer = self._answer(msgspec.json.encode(asked))
        try:
            public_key = decode_base64url(answer.public_key.encode())
            signature = decode_base64url(answer.signature.encode())
        except InvalidTransaction as error:
            raise SignerUnavailable("the key service's answer is not base64url") from error
        if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
            raise SignerUnavailable("the key service's answer has other sizes than Ed25519's")
        if self.public_key and public_key != self.public_key:
            raise SignerUnavailable("the key service signs with another key than before")
        if not is_signed(public_key, message, signature):
            raise SignerUnavailable("the key service's signature is wrong: it was not used")
        self.public_key = public_key
        return signature

    def _answer(self, body: bytes) -> SignAnswer:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, content = self._post(body)
                break
            except httpx2.TimeoutException as error:
                raise SignerUnavailable(
                    f"the key service did not answer within {PATIENCE_S:g} s"
                ) from error
            except httpx2.HTTPError as error:
                if attempt == ATTEMPTS:
                    raise SignerUnavailable(f"the key service can't be asked: {error}") from error
        if status != HTTPStatus.OK:
            raise SignerUnavailable(f"the key service answered with status {status}")
        try:
            return msgspec.json.decode(content, type=SignAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SignerUnavailable(f"the key service's answer is no answer: {error}") from error

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """The status, and as much of the answer as one may have."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        url = f"{self._address.base}/sign"
        with self._client.stream("POST", url, content=body, headers=headers) as response:
            content = b""
            for part in response.iter_raw():
                content += part
                if len(content) > ANSWER_BYTES_LIMIT:
                    raise SignerUnavailable(
                        f"the key service's answer has more than {ANSWER_BYTES_LIMIT} bytes"
                    )
            return response.status_code, content


def _context(address: HttpsAddress) -> ssl.SSLContext:
    """TLS with a certificate of ours; the service's is one of `authorities`, else the system's."""
    named = address.authorities
    try:
        context = ssl.create_default_context(cafile=named or None)
        named = address.certificate
        # A passphrase would be asked for at the terminal: without one here, it is an error.
        context.load_cert_chain(named, address.private_key or None, password="")
    except OSError as error:  # also what TLS says
        raise BadSigner(
            f"{named} can't be used ({error.strerror or error}): it is a PEM file, a private key "
            "is its own and has no passphrase"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
