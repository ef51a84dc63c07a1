"""Ways to damage a transaction's bytes, each with the numbers that the answer may have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from tongbao.kernel import Invalid, jcs
from tongbao.kernel.envelope import TYPE, encode_base64url
from tongbao.kernel.kernel_module import TRANSACTION_BYTES
from tongbao.testing.drafts import ANY_FORM, Draft, Submission
from tongbao.testing.world import World

BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
IN_SIGNATURE: Final = b'"signature":"'

Damage = Callable[[World, Draft], Submission | None]
"""Signs a draft and damages it; None when this draft can't be damaged in that way."""


def number(*reasons: Invalid) -> tuple[int, ...]:
    """The numbers of reasons."""
    return tuple(reason.number for reason in reasons)


def _with_wire(submission: Submission, wire: bytes, *reasons: Invalid) -> Submission:
    return replace(submission, wire=wire, forms=number(*reasons))


def too_large(world: World, draft: Draft) -> Submission:
    """One byte more than the chain takes."""
    limit = world.machine.parameters[TRANSACTION_BYTES.name]
    whole = draft.sign()
    padded = whole.wire.ljust(limit + 1, b"A")
    return _with_wire(whole, padded, Invalid.TRANSACTION_IS_TOO_LARGE)


def malformed(world: World, draft: Draft) -> Submission:
    """Something that is no envelope."""
    whole = draft.sign()
    wire = world.one(
        [
            b"",
            b"garbage",
            b"{}",
            b"..\n.",
            b"[" * 3_000,
            b"{" * 3_000,
            b'{"payload":"","signatures":[]}',
            b'{"payload":"","signatures":null}',
            b" " + whole.wire.replace(b".", b""),
            whole.wire.replace(b".", b"") + b".",
        ]
    )
    return _with_wire(whole, wire, Invalid.ENVELOPE_IS_MALFORMED)


def spaced(world: World, draft: Draft) -> Submission | None:
    """General JSON with a space, or with its members in another order."""
    whole = draft.sign()
    if whole.wire[:1] != b"{":
        return None
    general = json.loads(whole.wire)
    turned = {"signatures": general["signatures"], "payload": general["payload"]}
    wires = [whole.wire + b" ", json.dumps(general).encode(), _compact_json(turned)]
    return _with_wire(whole, world.one(wires), Invalid.ENVELOPE_IS_NOT_CANONICAL)


def _compact_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def other_base64(world: World, draft: Draft) -> Submission:
    """A signature spelled in another way: its last character holds four unused bits."""
    whole = draft.sign()
    end = whole.wire.rindex(b'"') if whole.wire[:1] == b"{" else len(whole.wire)
    last = BASE64.index(chr(whole.wire[end - 1]))
    other = BASE64[last // 16 * 16 + (last + world.number(1, 15)) % 16]
    wire = whole.wire[: end - 1] + other.encode() + whole.wire[end:]
    return _with_wire(whole, wire, Invalid.BASE64_IS_NOT_CANONICAL)


def other_header(world: World, draft: Draft) -> Submission:
    """A header that JOSE allows and the ledger does not, rightly signed."""
    signer = world.one(list(draft.signers.values()))
    usual = {"alg": "Ed25519", "kid": signer.key_id, "typ": TYPE}
    header = world.one(
        [
            usual | {"alg": "none"},
            usual | {"alg": "ES256"},
            usual | {"typ": "JWT"},
            usual | {"kid": encode_base64url(signer.public_key[:31])},
            usual | {"crit": ["b64"], "b64": False},
            {"alg": "Ed25519", "kid": signer.key_id},
        ]
    )
    spaced_header = json.dumps(usual).encode()
    text = spaced_header if world.chance(0.1) else _compact_json(header)
    signed = f"{encode_base64url(text)}.{encode_base64url(draft.payload_bytes())}".encode()
    wire = signed + b"." + encode_base64url(signer.sign(signed)).encode()
    return Submission(wire, {}, (signer.key_id,), number(Invalid.HEADER_IS_NOT_ALLOWED))


def unsorted(world: World, draft: Draft) -> Submission | None:
    """Signatures in another order, or one of them twice."""
    whole = draft.sign()
    if whole.wire[:1] != b"{":
        return None
    general = json.loads(whole.wire)
    signatures = general["signatures"]
    if world.chance(0.5) and len(signatures) < 16:
        signatures.insert(1, signatures[0])
    else:
        signatures.reverse()
    return _with_wire(whole, _compact_json(general), Invalid.SIGNATURES_ARE_NOT_SORTED)


def malformed_payload(world: World, draft: Draft) -> Submission:
    """A payload with members or types that are not the documented ones."""
    payload = json.loads(draft.payload_bytes())
    match world.number(1, 9):
        case 1:
            payload["memo"] = "hello"
        case 2:
            del payload[world.one(sorted(set(payload) - {"lane", "reference", "sponsor"}))]
        case 3:
            payload["nonce"] = world.one([0, -1, 2**53, "1", 1.5, None, True])
        case 4:
            payload["messages"] = world.one([[], {}, None, payload["messages"] * 257])
        case 5:
            payload["messages"][0]["@type"] = world.one(["asset.conjure", "", None])
        case 6:
            payload["messages"][0]["amount"] = world.one(
                ["-1.00", "01.00", "1.", ".5", "1e2", "9223372036854775808", 1, 1.0, ""]
            )
        case 7:
            payload["sender"] = world.one([draft.sender[1:], f"{draft.sender}\n", "", None])
        case 8:
            payload["lane"] = world.one([16, -1, None, "0"])
        case _:
            payload["messages"] = json.loads("[" * 100 + "]" * 100)
    forms = number(Invalid.PAYLOAD_IS_MALFORMED, Invalid.TRANSACTION_IS_TOO_LARGE)
    return draft.sign_text(jcs.encode(payload), forms)


def other_spelling(world: World, draft: Draft) -> Submission:
    """A payload that means the same and is written in another way."""
    text = draft.payload_bytes()
    payload = json.loads(text)
    texts = [
        b" " + text,
        json.dumps(payload).encode(),
        _compact_json(dict(reversed(payload.items()))),
        text.replace(b'"chain":', b'"\\u0063hain":'),
    ]
    if "lane" not in payload:
        texts.append(jcs.encode(payload | {"lane": 0}))
    if "sponsor" not in payload:
        texts.append(jcs.encode(payload | {"sponsor": None}))
    return draft.sign_text(world.one(texts), number(Invalid.PAYLOAD_IS_NOT_CANONICAL))


def wrong_signature(world: World, draft: Draft) -> Submission:
    """A signature of something else, all other things being well."""
    whole = draft.sign()
    draft.nonce += 1
    others = draft.sign().wire
    if whole.wire[:1] != b"{":
        wire = whole.wire.rpartition(b".")[0] + b"." + others.rpartition(b".")[2]
    else:
        at = whole.wire.rindex(IN_SIGNATURE)
        wire = whole.wire[:at] + others[others.rindex(IN_SIGNATURE) :]
    return replace(whole, wire=wire, signature_is_wrong=True)


def any_change(world: World, draft: Draft) -> Submission:
    """One byte changed, put in or left out at random."""
    whole = draft.sign()
    at = world.number(0, len(whole.wire) - 1)
    new = bytes([world.number(0, 255)])
    before, here, after = whole.wire[:at], whole.wire[at : at + 1], whole.wire[at + 1 :]
    wire = world.one([before + new + after, before + new + here + after, before + after])
    if wire == whole.wire:
        wire = whole.wire + b"A"
    return replace(whole, wire=wire, forms=ANY_FORM)


DAMAGES: Final[tuple[Damage, ...]] = (
    too_large,
    malformed,
    spaced,
    other_base64,
    other_header,
    unsorted,
    malformed_payload,
    other_spelling,
    wrong_signature,
    any_change,
)
