"""A person's consent: what is signed, and what nobody may take for one."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from tongbao.kernel import Address, ChainId, Hash, jcs
from tongbao.kernel.envelope import encode_base64url, signing_input
from tongbao.rights.batch import subject_of
from tongbao.rights.cells import Salt
from tongbao.rights.schema import SchemaName
from tongbao.sdk.data.consents import (
    CONSENT_BYTES_LIMIT,
    TYPE,
    BadConsent,
    Consent,
    read_consent,
    sign_consent,
)
from tongbao.sdk.signer import SoftwareKey

KEY = SoftwareKey(sha256(b"alice").digest())
CONSENT = Consent(
    account=Address("11" * 20),
    chain=ChainId("test-00000000"),
    drop=Hash("22" * 32),
    ends=1_800_000_000_000,
    inbox=Hash("33" * 32),
    key=Hash("44" * 31 + "01"),
    method="scan",
    schema=SchemaName("eggs.1"),
    source=Address("55" * 20),
    store="https://store.example",
    subject_salt=Salt("66" * 16),
)


def signed_text(payload: bytes, typ: str = TYPE) -> bytes:
    """A JWS of any payload by alice's key."""
    text = signing_input(KEY.key_id, payload, typ)
    return text + b"." + encode_base64url(KEY.sign(text)).encode()


def test_a_consent_is_read_as_it_was_signed() -> None:
    """Given a consent, when it is signed and read, then it is the same, and names its subject."""
    text = sign_consent(KEY, CONSENT)
    read = read_consent(text + b"\n")
    assert (read.consent, read.public_key, read.text) == (CONSENT, KEY.public_key, text)
    assert read.subject == subject_of(CONSENT.source, KEY.public_key, bytes.fromhex("66" * 16))
    assert read.key_id == KEY.key_id


def test_a_consent_with_a_changed_bit_is_none() -> None:
    """Given a signed consent, when any of its characters is another, then it is refused."""
    text = sign_consent(KEY, CONSENT)
    for place in range(0, len(text), 7):
        other = b"B" if text[place : place + 1] == b"A" else b"A"
        with pytest.raises(BadConsent):
            read_consent(text[:place] + other + text[place + 1 :])


def builtins() -> dict[str, Any]:
    """The members of the consent."""
    found: dict[str, Any] = jcs.to_builtins(CONSENT)
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"drop": None},
        {"ends": -1},
        {"method": "self"},
        {"method": "hearsay"},
        {"key": "00" * 32},
        {"key": "ff" * 32},
        {"store": "file:///etc/passwd"},
        {"store": "https://store.example/\nhost: other"},
        {"inbox": "../" * 21 + "a"},
        {"source": "AA" * 20},
    ],
)
def test_what_nobody_can_keep_is_no_consent(changes: dict[str, Any]) -> None:
    """Given members that are unknown, missing, hostile or useless, when read, then refused."""
    with pytest.raises(BadConsent):
        read_consent(signed_text(jcs.encode(builtins() | changes)))


def test_another_type_spelling_or_length_is_no_consent() -> None:
    """Given a consent of another `typ`, with spaces, or very long, when read, then refused."""
    payload = jcs.encode(CONSENT)
    for text in (
        signed_text(payload, "tongbao-attestation+jws"),
        signed_text(payload.replace(b",", b", ")),
        signed_text(payload) + b" " * CONSENT_BYTES_LIMIT + b"x",
        b"",
        b"..",
        b"\x00" * 100,
    ):
        with pytest.raises(BadConsent):
            read_consent(text)


def test_two_salts_give_two_pseudonyms() -> None:
    """Given two consents with other salts, when read, then nobody can tie their subjects."""
    other = replace(CONSENT, subject_salt=Salt("67" * 16))
    first, second = (read_consent(sign_consent(KEY, each)) for each in (CONSENT, other))
    assert first.subject != second.subject
    assert first.id != second.id
