"""A person's consent that a source attests months of rows, and where it leaves them.

A compact JWS, signed by a key of the person's account: docs/data-services.md. It is given once;
whoever withdraws it deletes the drop at the store. The pseudonym by which the source knows the
person follows from it, so that neither can choose one that is another's.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta, Struct

from tongbao.kernel import ed25519, jcs
from tongbao.kernel.envelope import encode_base64url
from tongbao.kernel.identifiers import SAFE_INTEGER, Address, ChainId, Hash
from tongbao.rights.attestation import Method
from tongbao.rights.batch import subject_of
from tongbao.rights.cells import Salt
from tongbao.rights.exchange_key import exchange_key_is_acceptable
from tongbao.rights.schema import SchemaName
from tongbao.sdk.signed_documents import BadDocument, read_document, sign_document
from tongbao.sdk.signer import Signer

TYPE: Final = "tongbao-data-consent+jws"
CONSENT_BYTES_LIMIT: Final = 4_096
STORE_LIMIT: Final = 300

StoreAddress = Annotated[str, Meta(pattern=r"^https?://[!-~]+\Z", max_length=STORE_LIMIT)]
"""Where a store is, as `https://store.example`."""


class BadConsent(ValueError):
    """A text is no consent, or one that nobody can keep; it says why."""


class Consent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person signs: whose rows, from whom, of what, until when (ms UTC), and where to."""

    account: Address
    chain: ChainId
    drop: Hash
    """The token by which a parcel may be left: 32 bytes, known to person and source."""
    ends: Annotated[int, Meta(ge=0, le=SAFE_INTEGER)]
    inbox: Hash
    """The space of the person in the store."""
    key: Hash
    """The X25519 key that parcels are sealed to."""
    method: Method
    schema: SchemaName
    source: Address
    store: StoreAddress
    subject_salt: Salt


class SignedConsent(Struct, frozen=True, kw_only=True):
    """A consent, who signed it, and the text as it was given."""

    consent: Consent
    public_key: bytes
    text: bytes

    @property
    def id(self) -> bytes:
        """SHA-256 of what was signed: other spellings of a signature are the same consent."""
        return sha256(jcs.encode(self.consent) + self.public_key).digest()

    @property
    def key_id(self) -> str:
        """The key that signed, in base64url; whether it is the account's, the ledger says."""
        return encode_base64url(self.public_key)

    @property
    def subject(self) -> Hash:
        """The source's pseudonym for the person: that of the key that signed."""
        consent = self.consent
        return subject_of(consent.source, self.public_key, bytes.fromhex(consent.subject_salt))


_decoder = jcs.decoder(Consent)


def sign_consent(signer: Signer, consent: Consent) -> bytes:
    """The JWS of a consent by a key of the person's account."""
    return sign_document(signer, consent, TYPE)


def read_consent(text: bytes) -> SignedConsent:
    """What was consented to, by the key that stands in it. Raises BadConsent.

    Whether the key is one of the account, heavy enough to sign alone, the ledger says.
    """
    text = text.strip(b" \t\r\n")
    try:
        consent, signature = read_document(text, _decoder, TYPE, CONSENT_BYTES_LIMIT)
    except BadDocument as error:
        raise BadConsent(str(error)) from None
    if not ed25519.verify(signature.public_key, signature.signed, signature.signature):
        raise BadConsent("the signature is not valid: ask the person to consent anew")
    if not exchange_key_is_acceptable(bytes.fromhex(consent.key)):
        raise BadConsent("its key is no X25519 key that can be sealed to")
    if consent.method == "self":
        raise BadConsent("what the person says itself needs no source")
    return SignedConsent(consent=consent, public_key=signature.public_key, text=text)
