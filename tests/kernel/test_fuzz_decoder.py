"""A fuzzer over the decoder: every input is invalid by number, or is its own spelling."""

import os
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.fixed_chain import FixedChain, key
from tongbao.kernel import Invalid, InvalidTransaction, jcs
from tongbao.kernel.envelope import (
    assemble,
    decode_base64url,
    decode_envelope,
    encode_base64url,
    normalise,
    signing_input,
)
from tongbao.modules.registry import registry

DECODER = registry().payload_decoder
ROUNDS = int(os.environ.get("TONGBAO_FUZZ_ROUNDS", "12000"))
TOKENS = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1.0", b"1e9", b"-1", b"\\u0000",
    b'"@type"', b'"nonce":1,', b".", b"=", b"+", b"/", b" ", b"\n", b"\x00", b"\xff", b"9" * 40,
    b'"lane":0,', b'"amount":"1"', "店".encode(), b"\\ud800",
)  # fmt: skip


def flip(choose: random.Random, text: bytes) -> bytes:
    """One bit flipped."""
    if not text:
        return text
    data = bytearray(text)
    data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
    return bytes(data)


def cut(choose: random.Random, text: bytes) -> bytes:
    """An end or a middle missing."""
    low = choose.randrange(len(text) + 1)
    high = choose.randrange(low, len(text) + 1)
    return text[:low] + text[high:]


def insert(choose: random.Random, text: bytes) -> bytes:
    """A token somewhere."""
    at = choose.randrange(len(text) + 1)
    return text[:at] + choose.choice(TOKENS) + text[at:]


def splice(choose: random.Random, text: bytes) -> bytes:
    """A piece of itself somewhere else."""
    low = choose.randrange(len(text) + 1)
    high = choose.randrange(low, len(text) + 1)
    at = choose.randrange(len(text) + 1)
    return text[:at] + text[low:high] + text[at:]


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (flip, cut, insert, splice)


def mutate(choose: random.Random, text: bytes) -> bytes:
    """One to three mutations."""
    for _ in range(choose.randint(1, 3)):
        text = choose.choice(MUTATIONS)(choose, text)
    return text


def resigned(payload: bytes, names: tuple[str, ...]) -> bytes:
    """A payload in an envelope with good signatures: only the payload is fuzzed."""
    keys = [key(name) for name in names]
    return assemble(
        payload, {one.key_id: one.sign(signing_input(one.key_id, payload)) for one in keys}
    )


def inside(choose: random.Random, wire: bytes) -> bytes:
    """A mutated payload, signed again."""
    payload = mutate(choose, decode_envelope(wire).payload)
    return resigned(payload, choose.choice((("alice",), ("alice", "bank"))))


def header(choose: random.Random, wire: bytes) -> bytes:
    """A mutated protected header."""
    if wire[:1] == b"{":
        return mutate(choose, wire)
    head, _, rest = wire.partition(b".")
    return encode_base64url(mutate(choose, decode_base64url(head))).encode() + b"." + rest


def shuffled(choose: random.Random, wire: bytes) -> bytes:
    """Signatures of a general envelope in another order."""
    if wire[:1] != b"{":
        return wire
    return (
        wire[:40].replace(b"payload", b"payload ") + wire[40:]
        if choose.random() < 0.5
        else (
            b'{"signatures":'
            + wire.partition(b'"signatures":')[2][:-1]
            + b","
            + wire[1:].partition(b',"signatures":')[0]
            + b"}"
        )
    )


ATTACKS = (mutate, inside, header, shuffled)


def corpus() -> list[bytes]:
    """Good transactions of several kinds."""
    chain = FixedChain()
    payload = decode_envelope(chain.pay("1.00")).payload
    return [
        chain.pay("12.50"),
        chain.place("1.00", 60_000),
        resigned(payload, ("alice", "bank")),
        resigned(payload, ("alice", "bank", "shop")),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_decoded_is_invalid_or_its_own_spelling(seed: int) -> None:
    """
    Given thousands of mutations of good transactions,
    when each is decoded, and normalised first,
    then it is invalid with a number or decodes to exactly its own bytes, and nothing else escapes.
    """
    choose = random.Random(seed)
    machine = FixedChain().producer.machine
    good = corpus()
    reached: Counter[str] = Counter()
    for _ in range(ROUNDS):
        wire = choose.choice(ATTACKS)(choose, choose.choice(good))
        reached[judge(machine.decode, wire)] += 1
        with suppress(InvalidTransaction):
            normalise(wire)
    print(dict(reached.most_common()))
    expected = {
        Invalid.ENVELOPE_IS_MALFORMED,
        Invalid.ENVELOPE_IS_NOT_CANONICAL,
        Invalid.BASE64_IS_NOT_CANONICAL,
        Invalid.HEADER_IS_NOT_ALLOWED,
        Invalid.PAYLOAD_IS_MALFORMED,
        Invalid.PAYLOAD_IS_NOT_CANONICAL,
        Invalid.CHAIN_IS_ANOTHER,
        Invalid.SIGNATURE_IS_WRONG,
    }
    missing = {reason.name for reason in expected} - set(reached)
    assert not missing, f"never reached: {missing}"


def judge(decode: Callable[[bytes], object], wire: bytes) -> str:
    """The reason's name, or "accepted" for what is its own spelling."""
    try:
        decode(wire)
    except InvalidTransaction as error:
        return error.why.name
    envelope = decode_envelope(wire)
    payload = DECODER.decode(envelope.payload)
    assert jcs.encode(payload) == envelope.payload
    assert normalise(wire) == wire
    return "accepted"
