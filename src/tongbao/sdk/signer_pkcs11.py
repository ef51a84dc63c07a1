"""A key on a token that never leaves it: PKCS#11 3.0, Ed25519 by CKM_EDDSA (section 2.3.14).

One session is kept. Where it breaks, the library is begun anew, which is how a token that was
pulled out and put back is found; a PIN that was refused once is never tried again, since tokens
lock themselves after a few.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from tongbao.engines.solo.signing import PROBE, SignerError, SignerUnavailable
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.signer import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from tongbao.sdk.signer_address import BadSigner, Pkcs11Address
from tongbao.sdk.signers import is_signed

OCTET_STRING: Final = b"\x04\x20"
"""How a point of 32 bytes begins where it stands as DER (PKCS#11 3.0 section 2.3.3)."""
PIN_ERRORS: Final = (
    *(pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinInvalid),
    *(pkcs11.exceptions.PinLenRange, pkcs11.exceptions.PinExpired),
    *(pkcs11.exceptions.PinLocked, pkcs11.exceptions.UserPinNotInitialized),
)
KEYS_LIMIT: Final = 2
"""More keys of a name than one are too many, however many there are."""


class Pkcs11Signer:
    """Signs with the private key that an address names. Its repr shows the public key only."""

    algorithm: Final = "Ed25519"

    def __init__(self, address: Pkcs11Address, module: str, pin: str) -> None:
        """Open a session, find the key, and have it sign a probe.

        Raises BadSigner for a library that is none, SignerUnavailable where token or key are not
        there, SignerError for a PIN that is refused.
        """
        self._address = address
        self._pin = pin
        self._refused = ""
        self._session: Any = None
        self._key: Any = None
        self.public_key = b""
        try:
            self._library = pkcs11.lib(module)
        except pkcs11.exceptions.PKCS11Error as error:
            if type(error) is pkcs11.exceptions.PKCS11Error:  # none of the standard's: the loader's
                raise BadSigner(f"{module} is no PKCS#11 library: {error}") from error
            raise SignerUnavailable(f"{module} does not begin: {told(error)}") from error
        self._open()
        self.key_id = encode_base64url(self.public_key)
        try:
            self._sign(PROBE)
        except BaseException:
            self.close()
            raise

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, verified. Raises SignerUnavailable, SignerError."""
        if self._session is not None:
            try:
                return self._sign(message)
            except SignerUnavailable:
                pass  # the session may have been too old, or the token away for a moment
        self._open(anew=True)
        return self._sign(message)

    def close(self) -> None:
        """Close the session. May be called again."""
        session, self._session, self._key = self._session, None, None
        if session is not None:
            try:
                session.close()
            except pkcs11.exceptions.PKCS11Error:
                return  # the token has gone, and the session with it

    def __repr__(self) -> str:
        """The public key."""
        return f"Pkcs11Signer({self.key_id})"

    def _sign(self, message: bytes) -> bytes:
        try:
            signature = bytes(self._key.sign(message, mechanism=Mechanism.EDDSA))
        except pkcs11.exceptions.PKCS11Error as error:
            self.close()
            raise SignerUnavailable(f"the token does not sign: {told(error)}") from error
        if len(signature) != SIGNATURE_BYTES or not is_signed(self.public_key, message, signature):
            self.close()
            raise SignerUnavailable("the token's signature is wrong: it was not used")
        return signature

    def _open(self, *, anew: bool = False) -> None:
        """A session in which the key is; `anew` makes the library look for tokens again."""
        if self._refused:
            raise SignerError(self._refused)
        self.close()
        try:
            if anew:
                self._library.reinitialize()
            token = self._library.get_token(**self._names())
            try:
                self._session = token.open(user_pin=self._pin)
            except pkcs11.exceptions.UserAlreadyLoggedIn:
                self._session = token.open()  # by another signer of this process
            self._find()
        except PIN_ERRORS as error:
            self._refuse(error)
        except pkcs11.exceptions.PKCS11Error as error:
            self.close()
            raise SignerUnavailable(f"{self._place()}: {told(error)}") from error

    def _names(self) -> dict[str, Any]:
        """How the library looks for the token."""
        names: dict[str, Any] = {}
        if self._address.token:
            names["token_label"] = self._address.token
        if self._address.serial:
            names["token_serial"] = self._address.serial.encode()
        return names

    def _find(self) -> None:
        """The private key of the address, and the public one beside it."""
        self._key = self._one(ObjectClass.PRIVATE_KEY)
        point = bytes(self._one(ObjectClass.PUBLIC_KEY)[Attribute.EC_POINT])
        found = point.removeprefix(OCTET_STRING)
        if len(found) != PUBLIC_KEY_BYTES:
            self.close()
            raise SignerError(f"{self._place()}: its public key is not one of Ed25519")
        if self.public_key and found != self.public_key:
            self.close()
            raise SignerError(f"{self._place()} is another key than before: bring the right token")
        self.public_key = found

    def _one(self, kind: ObjectClass) -> Any:
        """The one object of a class that the address names."""
        wanted: dict[Attribute, Any] = {
            Attribute.CLASS: kind,
            Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
        }
        if self._address.label:
            wanted[Attribute.LABEL] = self._address.label
        if self._address.id:
            wanted[Attribute.ID] = self._address.id
        found = list(self._session.get_objects(wanted))
        name = "private" if kind is ObjectClass.PRIVATE_KEY else "public"
        if len(found) >= KEYS_LIMIT:
            self.close()
            raise SignerError(f"{self._place()} names {len(found)} {name} keys: add id=%XX to it")
        if not found:
            self.close()
            raise SignerUnavailable(
                f"{self._place()}: the token has no {name} key of Ed25519 (CKK_EC_EDWARDS) by it"
            )
        return found[0]

    def _refuse(self, error: Exception) -> NoReturn:
        self.close()
        self._refused = (
            f"{self._place()}: the PIN was refused ({type(error).__name__}), and is not tried "
            "again: correct it before the token locks itself"
        )
        raise SignerError(self._refused) from error

    def _place(self) -> str:
        """Which key is meant, as far as the address says."""
        address = self._address
        token = address.token or f"serial {address.serial}"
        return f"key {address.label or address.id.hex()} on token {token}"


def told(error: Exception) -> str:
    """An error of the library in words: its class says what it is, its text often nothing."""
    text = str(error)
    name = type(error).__name__
    return f"{name}: {text}" if text else name
