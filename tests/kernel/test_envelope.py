"""Envelopes: one spelling on the ledger, any JOSE spelling at the door, nothing else."""

import json
from itertools import permutations
from typing import Any

import pytest

from tests.fixed_chain import key
from tests.golden_file import check_golden
from tongbao.kernel import Invalid, InvalidTransaction
from tongbao.kernel.envelope import (
    SPELLING_BYTES_LIMIT,
    TYPE,
    assemble,
    combine,
    decode_envelope,
    encode_base64url,
    normalise,
    signing_input,
)
from tongbao.kernel.kernel_module import TRANSACTION_BYTES

PAYLOAD = b'{"any":"bytes"}'
NAMES = ("ann", "ben", "cleo")


def signed_by(*names: str) -> bytes:
    """The payload signed by these, in the ledger's spelling."""
    keys = [key(name) for name in names]
    return assemble(
        PAYLOAD, {one.key_id: one.sign(signing_input(one.key_id, PAYLOAD)) for one in keys}
    )


def why(wire: bytes) -> Invalid:
    """Why an envelope is invalid."""
    with pytest.raises(InvalidTransaction) as caught:
        decode_envelope(wire)
    return caught.value.why


def with_header(text: str) -> bytes:
    """A compact envelope with this text as its protected header."""
    head = encode_base64url(text.encode())
    signature = encode_base64url(bytes(64))
    return f"{head}.{encode_base64url(PAYLOAD)}.{signature}".encode()


def test_one_signature_is_compact_and_several_are_general() -> None:
    """
    Given the same payload signed by one and by three,
    when the envelopes are decoded,
    then payload and keys come back, and the bytes are the golden ones.
    """
    one, three = signed_by("ann"), signed_by(*NAMES)
    assert one.count(b".") == 2 and three.startswith(b'{"payload":')
    assert decode_envelope(one).payload == decode_envelope(three).payload == PAYLOAD
    keys = [signature.public_key for signature in decode_envelope(three).signatures]
    assert keys == sorted(key(name).public_key for name in NAMES)
    check_golden("transactions.json", "envelope_of_one", one.decode())
    check_golden("transactions.json", "envelope_of_three", three.decode())


@pytest.mark.parametrize("algorithm", ["Ed25519", "EdDSA"])
@pytest.mark.parametrize("order", list(permutations(("alg", "kid", "typ"))))
def test_the_header_has_its_three_members_in_any_order(
    algorithm: str, order: tuple[str, ...]
) -> None:
    """
    Given a header with its members in one of six orders,
    when the envelope is decoded,
    then the signer is who kid says.
    """
    members = {"alg": algorithm, "kid": key("ann").key_id, "typ": TYPE}
    text = json.dumps({name: members[name] for name in order}, separators=(",", ":"))
    (signature,) = decode_envelope(with_header(text)).signatures
    assert (signature.kid, signature.public_key) == (key("ann").key_id, key("ann").public_key)


KID = key("ann").key_id
HEADERS: dict[str, str] = {
    "another type": f'{{"alg":"Ed25519","kid":"{KID}","typ":"JWT"}}',
    "no type": f'{{"alg":"Ed25519","kid":"{KID}"}}',
    "another algorithm": f'{{"alg":"HS256","kid":"{KID}","typ":"{TYPE}"}}',
    "none": f'{{"alg":"none","kid":"{KID}","typ":"{TYPE}"}}',
    "critical": f'{{"alg":"Ed25519","crit":["b64"],"b64":false,"kid":"{KID}","typ":"{TYPE}"}}',
    "an embedded key": f'{{"alg":"Ed25519","jwk":{{}},"kid":"{KID}","typ":"{TYPE}"}}',
    "a doubled member": f'{{"alg":"Ed25519","kid":"{KID}","kid":"{KID}","typ":"{TYPE}"}}',
    "a space": f'{{"alg":"Ed25519", "kid":"{KID}","typ":"{TYPE}"}}',
    "an escape": f'{{"alg":"Ed2551\\u0039","kid":"{KID}","typ":"{TYPE}"}}',
    "a null": f'{{"alg":"Ed25519","kid":"{KID}","typ":"{TYPE}","cty":null}}',
    "a line end": f'{{"alg":"Ed25519","kid":"{KID}","typ":"{TYPE}"}}\n',
    "a list": "[]",
    "deep": "[" * 100_000,
    "nothing": "",
}


@pytest.mark.parametrize("name", HEADERS)
def test_any_other_header_is_invalid(name: str) -> None:
    """
    Given a header that is not exactly alg, kid and typ,
    when the envelope is decoded,
    then it is invalid.
    """
    assert why(with_header(HEADERS[name])) is Invalid.HEADER_IS_NOT_ALLOWED


@pytest.mark.parametrize(
    "kid", [KID[:-1], KID + "A", KID[:-1] + "_", KID + "=", "", "+" * 43, KID.replace(KID[0], "é")]
)
def test_a_kid_that_is_not_the_one_spelling_of_a_key_is_invalid(kid: str) -> None:
    """
    Given a kid of another size, alphabet or spelling,
    when the envelope is decoded,
    then it is invalid.
    """
    text = json.dumps({"alg": "Ed25519", "kid": kid, "typ": TYPE}, separators=(",", ":"))
    assert why(with_header(text)) in (
        Invalid.HEADER_IS_NOT_ALLOWED,
        Invalid.BASE64_IS_NOT_CANONICAL,
    )


def test_every_other_last_character_of_every_part_is_invalid() -> None:
    """
    Given an envelope whose parts end with unused bits,
    when these bits are set, in each of the other ways,
    then it is invalid each time.
    """
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    parts = signed_by("ann").decode().split(".")
    refused = 0
    for at, part in enumerate(parts):
        for other in alphabet.replace(part[-1], ""):
            changed = [*parts]
            changed[at] = part[:-1] + other
            try:
                decoded = decode_envelope(".".join(changed).encode())
            except InvalidTransaction as error:
                refused += error.why is Invalid.BASE64_IS_NOT_CANONICAL
                continue
            assert decoded != decode_envelope(signed_by("ann"))
    assert refused >= 15, "the signature's last character alone has 15 other spellings"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"{}",
        b"{",
        b'{"payload":"","signatures":[]}',
        b"\xff" * 50,
        b"{" * 100_000,
    ],
)
def test_junk_is_invalid(text: bytes) -> None:
    """
    Given bytes that are no JWS,
    when they are decoded and normalised,
    then they are invalid and nothing else is raised.
    """
    assert why(text).code < 100
    if text[:1] == b"{":
        with pytest.raises(InvalidTransaction):
            normalise(text)


@pytest.mark.parametrize("spoil", ["=", "+", "/", " ", "\n"])
def test_padding_and_other_alphabets_are_invalid(spoil: str) -> None:
    """
    Given a signature with a character that base64url does not have,
    when the envelope is decoded,
    then it is invalid.
    """
    wire = signed_by("ann").decode()
    for changed in (wire + spoil, wire[:-1] + spoil, wire[:-10] + spoil + wire[-9:]):
        assert why(changed.encode()).code < 100


def general(*names: str) -> dict[str, Any]:
    """The general serialization as plain members."""
    members: dict[str, Any] = json.loads(signed_by(*names))
    return members


def compact_json(members: Any) -> bytes:
    """Sorted, without spaces."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def test_signatures_stand_in_the_order_of_their_keys_and_once() -> None:
    """
    Given general envelopes with signatures unsorted, doubled, single and stripped,
    when they are decoded,
    then none is valid.
    """
    members = general(*NAMES)
    backwards = members | {"signatures": members["signatures"][::-1]}
    doubled = members | {"signatures": [members["signatures"][0]] * 2}
    single = members | {"signatures": members["signatures"][:1]}
    none = members | {"signatures": []}
    assert why(compact_json(backwards)) is Invalid.SIGNATURES_ARE_NOT_SORTED
    assert why(compact_json(doubled)) is Invalid.SIGNATURES_ARE_NOT_SORTED
    assert why(compact_json(single)) is Invalid.ENVELOPE_IS_MALFORMED
    assert why(compact_json(none)) is Invalid.ENVELOPE_IS_MALFORMED


def test_sixteen_signatures_are_the_most() -> None:
    """
    Given sixteen and seventeen signers,
    when their envelopes are decoded,
    then the first is accepted and the other can't be made or read.
    """
    sixteen = [f"signer {at}" for at in range(16)]
    assert len(decode_envelope(signed_by(*sixteen)).signatures) == 16
    members = general(*sixteen)
    members["signatures"].append(members["signatures"][-1])
    assert why(compact_json(members)) is Invalid.ENVELOPE_IS_MALFORMED


def test_a_general_envelope_has_one_spelling_on_the_ledger_and_many_at_the_door() -> None:
    """
    Given a general envelope with spaces, another order of members and of signatures,
    when it is decoded it is invalid; when it is normalised first,
    then it is the one spelling.
    """
    members = general(*NAMES)
    shuffled = {
        "signatures": [dict(reversed(part.items())) for part in members["signatures"][::-1]],
        "payload": members["payload"],
    }
    for text in (json.dumps(shuffled), json.dumps(members, indent=2), json.dumps(members)):
        assert why(text.encode()) is Invalid.ENVELOPE_IS_NOT_CANONICAL
        assert normalise(b"\n" + text.encode() + b"\r\n ") == signed_by(*NAMES)


def test_what_no_chain_would_take_in_any_spelling_is_too_large() -> None:
    """
    Given text of twice the bytes that a genesis may allow for a transaction, and one more,
    when both are normalised and combined, as JSON, as compact form and as noise,
    then the first is read for what it is, and the other is too large whatever it is.
    """
    assert 2 * TRANSACTION_BYTES.high == SPELLING_BYTES_LIMIT

    def reasons(size: int) -> list[Invalid | None]:
        found: list[Invalid | None] = []
        for text in (b"{".ljust(size, b"["), signed_by("ann").ljust(size, b"A"), b"A" * size):
            for read in (normalise, lambda each: combine([each])):
                try:
                    read(b" \n" + text)
                    found.append(None)
                except InvalidTransaction as error:
                    found.append(error.why)
        return found

    malformed = Invalid.ENVELOPE_IS_MALFORMED
    assert reasons(SPELLING_BYTES_LIMIT) == [malformed, malformed, None, None, None, malformed]
    assert reasons(SPELLING_BYTES_LIMIT + 1) == [Invalid.TRANSACTION_IS_TOO_LARGE] * 6


def test_a_general_or_flattened_envelope_of_one_becomes_compact() -> None:
    """
    Given one signature in general and in flattened JSON,
    when they are normalised,
    then both are the compact form.
    """
    protected, payload, signature = signed_by("ann").decode().split(".")
    part = {"protected": protected, "signature": signature}
    for members in ({"payload": payload, "signatures": [part]}, {"payload": payload, **part}):
        assert normalise(json.dumps(members).encode()) == signed_by("ann")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda members: members | {"header": {"kid": "x"}},
        lambda members: members | {"signatures": [members["signatures"][0] | {"header": {}}]},
        lambda members: members | {"payload": 5},
        lambda members: {"signatures": members["signatures"]},
        lambda members: members | {"signatures": {}},
    ],
)
def test_unprotected_headers_and_unknown_members_stay_invalid(spoil: Any) -> None:
    """
    Given a general envelope with something in it that no signature covers,
    when it is normalised,
    then it is invalid.
    """
    with pytest.raises(InvalidTransaction):
        normalise(json.dumps(spoil(general("ann", "ben"))).encode())


def test_doubled_names_are_invalid_at_the_door_too() -> None:
    """
    Given a general envelope in which a name stands twice, once with an escape in it,
    when it is normalised,
    then it is invalid.
    """
    text = signed_by("ann", "ben")
    for again in (b'{"payload":"e30",', b'{"p\\u0061yload":"e30",'):
        with pytest.raises(InvalidTransaction):
            normalise(again + text[1:])


def test_signatures_made_apart_are_combined() -> None:
    """
    Given one payload signed by three people apart,
    when their transactions are combined,
    then it is what all three together would have made.
    """
    assert combine([signed_by(name) for name in NAMES]) == signed_by(*NAMES)
    assert combine([signed_by("ann", "cleo"), signed_by("ben")]) == signed_by(*NAMES)
