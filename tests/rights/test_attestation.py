"""Attestations: what a source signs, what is refused, and the proof of two contents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec.structs import replace

from tests.rights.material import batch, fixed
from tongbao.kernel import ed25519, envelope, jcs
from tongbao.kernel.identifiers import Hash
from tongbao.rights.attestation import (
    TYPE,
    Attestation,
    BadAttestation,
    check_attested,
    proves_two_contents,
    read_attestation,
    sign_attestation,
)
from tongbao.rights.batch import commitment_of

SEED = fixed("source seed")
KEY = ed25519.public_key_of(SEED)
HEADER = batch().header
ATTESTATION = Attestation(
    about="person",
    batch=Hash(commitment_of(HEADER).hex()),
    iat=1_793_000_000,
    iss=HEADER.source,
    method="scan",
    period=HEADER.period,
    schema=HEADER.schema,
    sub=HEADER.subject,
    version=1,
)


def signed(payload: bytes, typ: str = TYPE, seed: bytes = SEED) -> bytes:
    """Any payload, signed."""
    kid = envelope.encode_base64url(ed25519.public_key_of(seed))
    text = envelope.signing_input(kid, payload, typ)
    return text + b"." + envelope.encode_base64url(ed25519.sign(seed, text)).encode()


def test_what_a_source_attests_is_read_as_it_was_signed() -> None:
    """Given a first and a second version, when read with the source's key, then the same again."""
    second = replace(ATTESTATION, version=2, supersedes=ATTESTATION.batch, batch=Hash("ab" * 32))
    for one in (ATTESTATION, second):
        assert read_attestation(sign_attestation(one, SEED), KEY) == one
    check_attested(ATTESTATION, HEADER)


def test_any_jose_library_writes_and_reads_an_attestation() -> None:
    """Given joserfc, when it signs ours or reads ours, then both agree on the payload."""
    key = OKPKey.import_key(
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "d": envelope.encode_base64url(SEED),
            "x": envelope.encode_base64url(KEY),
        }
    )
    header = {"alg": "Ed25519", "kid": envelope.encode_base64url(KEY), "typ": TYPE}
    theirs = jws.serialize_compact(header, jcs.encode(ATTESTATION), key, algorithms=["Ed25519"])
    assert read_attestation(theirs.encode(), KEY) == ATTESTATION
    read = jws.deserialize_compact(sign_attestation(ATTESTATION, SEED), key, algorithms=["Ed25519"])
    assert json.loads(read.payload) == jcs.to_builtins(ATTESTATION)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda told: told | {"gift": "eggs"}, id="an unknown member"),
        pytest.param(lambda told: told | {"method": "hearsay"}, id="an unknown method"),
        pytest.param(lambda told: told | {"about": "village"}, id="about a group"),
        pytest.param(lambda told: told | {"version": 0}, id="version 0"),
        pytest.param(lambda told: told | {"version": 2}, id="no predecessor"),
        pytest.param(lambda told: told | {"supersedes": "ab" * 32}, id="a first with one"),
        pytest.param(lambda told: told | {"period": "2026-13"}, id="no month"),
        pytest.param(lambda told: told | {"iat": 1.5}, id="half a second"),
        pytest.param(lambda told: told | {"batch": "AB" * 32}, id="upper case"),
        pytest.param(lambda told: {k: v for k, v in told.items() if k != "sub"}, id="no subject"),
    ],
)
def test_what_is_not_an_attestation_is_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """Given a payload with a wrong, missing or unknown member, when read, then refused."""
    payload = json.dumps(
        change(jcs.to_builtins(ATTESTATION)), sort_keys=True, separators=(",", ":")
    )
    with pytest.raises(BadAttestation):
        read_attestation(signed(payload.encode()), KEY)


def test_another_key_type_spelling_or_size_is_refused() -> None:
    """Given a good attestation, when it is signed or spelled otherwise, then refused with why."""
    payload = jcs.encode(ATTESTATION)
    good = signed(payload)
    cases = {
        "another key": signed(payload, seed=fixed("stranger")),
        "no compact JWS": signed(payload, typ="tongbao-tx+jws"),
        "not in RFC 8785 form": signed(payload.replace(b":", b": ", 1)),
        "the signature is not valid": good[:-86] + signed(b"{}")[-86:],
        "longer than 4096 bytes": good + b"A" * 4_096,
    }
    for why, jws_text in cases.items():
        with pytest.raises(BadAttestation, match=why):
            read_attestation(jws_text, KEY)


def test_an_attestation_of_another_batch_is_refused() -> None:
    """Given an attestation, when laid beside another batch's header, then refused."""
    for other in (batch(4).header, batch(5, "2026-11").header):
        with pytest.raises(BadAttestation):
            check_attested(ATTESTATION, other)


def test_two_signed_contents_for_one_month_are_a_proof_against_the_source() -> None:
    """Given two attestations, when they have one tuple and two contents, then it is proven."""
    one = sign_attestation(ATTESTATION, SEED)
    other = replace(ATTESTATION, batch=Hash("ab" * 32), iat=ATTESTATION.iat + 1)
    assert proves_two_contents(one, sign_attestation(other, SEED), {KEY})
    own = ed25519.public_key_of(fixed("another key of the source's"))
    by_other = sign_attestation(other, fixed("another key of the source's"))
    assert proves_two_contents(one, by_other, {KEY, own})
    harmless = (
        replace(ATTESTATION, iat=ATTESTATION.iat + 1),
        replace(other, period="2026-11"),
        replace(other, version=2, supersedes=ATTESTATION.batch),
        replace(other, sub=Hash("cd" * 32)),
    )
    for second in harmless:
        assert not proves_two_contents(one, sign_attestation(second, SEED), {KEY})
    assert not proves_two_contents(one, sign_attestation(other, fixed("stranger")), {KEY})
    assert not proves_two_contents(one, b"", {KEY})


@given(st.data())
def test_hostile_bytes_are_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    """Given a good one with any bytes changed, when read, then BadAttestation, or it is itself."""
    good = sign_attestation(ATTESTATION, SEED)
    at = data.draw(st.integers(0, len(good)))
    text = good[:at] + data.draw(st.binary(max_size=8)) + good[at + data.draw(st.integers(0, 8)) :]
    try:
        assert read_attestation(text, KEY) == ATTESTATION and text == good
    except BadAttestation:
        assert text != good
