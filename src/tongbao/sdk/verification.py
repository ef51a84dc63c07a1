"""Check a proof file against a trust file, with nothing else: no node, no store, no network.

A header must be signed by a trusted key or voted for by trusted validators; the row or transaction
must be under its roots. Whatever is wrong raises `VerificationError` with a number and what to do
about it.
"""

from __future__ import annotations

import re
import time
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from tongbao.engines.cometbft.light.form import parts_of
from tongbao.engines.solo.header import HeaderError, decode_header, read_header
from tongbao.kernel import InvalidTransaction, jcs, merkle
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.module import prefix_of
from tongbao.kernel.row_keys import INTEGER_LIMIT, encode_integer, encode_text
from tongbao.kernel.transaction import check_signatures, id_of
from tongbao.kernel.trie_proof import verify_absence, verify_inclusion
from tongbao.modules.registry import registry
from tongbao.sdk.believed import Believed, believed_of
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.network_verification import believe, read_block, terms_of, trusted_of
from tongbao.sdk.proofs import (
    COMETBFT,
    FORMAT,
    KeyPart,
    NetworkTrust,
    ProofFile,
    RowProof,
    SoloTrust,
    TransactionProof,
    TrustFile,
)

FILE_BYTES_LIMIT: Final = 8_388_608
ID_LENGTH: Final = 40
NUMBER_LIMIT: Final = 65_535
PRINTABLE: Final = re.compile("[!-~]+")

__all__ = [
    "Finding",
    "VerificationError",
    "Verified",
    "height_of",
    "read_trust",
    "verify",
    "verify_file",
    "verify_under",
]


class Verified(Struct, frozen=True, kw_only=True):
    """What a proof file proves. `value` is None when it proves that there is no such row."""

    chain: str
    height: int
    time: int
    kind: str
    name: str
    key: tuple[Any, ...] = ()
    value: Any = None
    transaction_id: str | None = None
    receipt: Any = None


_proof_decoder: msgspec.json.Decoder[ProofFile] = msgspec.json.Decoder(ProofFile)
_trust_decoder: msgspec.json.Decoder[TrustFile] = msgspec.json.Decoder(SoloTrust | NetworkTrust)


def verify(proof: bytes, trust: bytes, at: int | None = None) -> Verified:
    """What the proof file proves to somebody who holds the trust file. Raises VerificationError.

    The period of a network's trust file is judged by this computer's clock, or as of the time `at`
    in ms UTC, for what was archived: whose keys the file names could sign then.
    """
    if len(proof) > FILE_BYTES_LIMIT:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, "more than 8 MiB")
    try:
        found = _proof_decoder.decode(proof)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, str(error)) from error
    if found.format != FORMAT:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, f"format {found.format}")
    trusted = read_trust(trust)
    return verify_file(found, trusted, at)


def verify_file(proof: ProofFile, trust: TrustFile, at: int | None = None) -> Verified:
    """The same for files that were read already. Raises VerificationError."""
    check_engine(proof.engine, trust)
    if isinstance(trust, SoloTrust):
        return verify_under(proof, signed_header(proof.header, trust))
    now = wall_clock() if at is None else at
    return verify_under(proof, believe(proof, trusted_of(trust), terms_of(trust, now)))


def verify_under(proof: ProofFile, header: Believed) -> Verified:
    """The same for a header that was read and believed already. Raises VerificationError."""
    state = proof.state if isinstance(proof, RowProof) else None
    if header.engine != COMETBFT and (state, proof.block, proof.blocks) != (None, None, ()):
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, "members of a network's proof")
    if isinstance(proof, RowProof):
        return _row(proof, header)
    return _transaction(proof, header)


def height_of(proof: ProofFile) -> int:
    """The height that a proof speaks of, which nobody has checked. Raises VerificationError."""
    if proof.engine == COMETBFT:
        return int(parts_of(read_block(proof.header))[0].height) - 1
    try:
        return int(decode_header(proof.header.encode("ascii", "replace"))[0].height)
    except HeaderError as error:
        raise VerificationError(Finding.HEADER_IS_WRONG, str(error)) from error


def wall_clock() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000


def read_trust(trust: bytes) -> TrustFile:
    """Read a trust file. Raises VerificationError."""
    try:
        found = _trust_decoder.decode(trust)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise VerificationError(Finding.TRUST_IS_UNREADABLE, str(error)) from error
    if found.format != FORMAT:
        raise VerificationError(Finding.TRUST_IS_UNREADABLE, f"format {found.format}")
    return found


def check_engine(engine: str, trust: TrustFile) -> None:
    """Raises VerificationError where a proof is of another engine than a trust file."""
    if engine != trust.engine:
        raise VerificationError(Finding.ENGINE_IS_ANOTHER, f"{engine}, not {trust.engine}")


def signed_header(text: str, trust: SoloTrust) -> Believed:
    """A header, signed by somebody trusted for its chain. Raises VerificationError."""
    try:
        header, signer = read_header(text.encode("ascii", "replace"))
    except HeaderError as error:
        raise VerificationError(Finding.HEADER_IS_WRONG, str(error)) from error
    if signer not in trust.keys:
        raise VerificationError(Finding.SIGNER_IS_NOT_TRUSTED, signer)
    if header.chain != trust.chain:
        raise VerificationError(Finding.CHAIN_IS_ANOTHER, f"{header.chain}, not {trust.chain}")
    return believed_of(header)


def _row(proof: RowProof, header: Believed) -> Verified:
    root = bytes.fromhex(header.state)
    try:
        path = sha256(full_key_of(proof)).digest()
        _check_key(proof)
        value = _canonical(proof.value) if bytes(proof.value) else None
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, str(error)) from error
    if value is None:
        proven = verify_absence(root, path, proof.proof)
    else:
        proven = verify_inclusion(root, path, sha256(value).digest(), proof.proof)
    if not proven:
        raise VerificationError(Finding.ROW_IS_NOT_PROVEN)
    if proof.name != table_name(proof.module, proof.table):
        raise VerificationError(Finding.NAME_IS_WRONG, table_name(proof.module, proof.table))
    return Verified(
        chain=header.chain,
        height=header.height,
        time=header.time,
        kind="row",
        name=proof.name,
        key=tuple(_part_value(part) for part in proof.key),
        value=None if value is None else msgspec.json.decode(value),
    )


def _transaction(proof: TransactionProof, header: Believed) -> Verified:
    try:
        wire = proof.transaction.encode("ascii")
        receipt = _canonical(proof.receipt)
        paths = [_hash(step) for step in proof.transaction_path]
        receipt_paths = [_hash(step) for step in proof.receipt_path]
        envelope = decode_envelope(wire)
        check_signatures(envelope.signatures)
        leaves = header.leaves(wire, receipt)
    except (ValueError, msgspec.DecodeError, RecursionError, InvalidTransaction) as error:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, str(error)) from error
    tree, receipt_tree = bytes.fromhex(header.transactions), bytes.fromhex(header.receipts)
    stands = merkle.verify_inclusion(tree, leaves[0], proof.index, proof.size, tuple(paths))
    says = merkle.verify_inclusion(
        receipt_tree, leaves[1], proof.index, proof.receipts, tuple(receipt_paths)
    )
    more = proof.receipts - proof.size
    if not stands or not says or not 0 <= more <= header.more_receipts:
        raise VerificationError(Finding.TRANSACTION_IS_NOT_PROVEN)
    return Verified(
        chain=header.chain,
        height=header.height,
        time=header.time,
        kind="transaction",
        name="transaction",
        transaction_id=id_of(envelope.payload).hex(),
        value=msgspec.json.decode(envelope.payload),
        receipt=msgspec.json.decode(receipt),
    )


def _hash(text: str) -> bytes:
    """A hash in lowercase hex without blanks, its one spelling. Raises ValueError."""
    found = bytes.fromhex(text)
    if found.hex() != text:
        raise ValueError(f"a hash is lowercase hex, not {text[:80]!a}")
    return found


def _canonical(raw: msgspec.Raw) -> bytes:
    """The RFC 8785 form of embedded JSON: a proof file may be spaced out by other programs."""
    return jcs.encode(msgspec.json.decode(raw))


def full_key_of(proof: RowProof) -> bytes:
    """The full key that a row proof speaks of. Raises ValueError."""
    if not (0 <= proof.module <= NUMBER_LIMIT and 0 <= proof.table <= NUMBER_LIMIT):
        raise ValueError("module and table are 0 to 65535")
    if not proof.key:
        raise ValueError("a row key has at least one part")
    return prefix_of(proof.module, proof.table) + b"".join(map(_part_bytes, proof.key))


def _check_key(proof: RowProof) -> None:
    """Whether the key is one that its table can have. Raises ValueError.

    Else a proof of absence could carry any words: no row ever has such a key.
    """
    for part in proof.key:
        if part.text is not None and not PRINTABLE.fullmatch(part.text):
            raise ValueError("a text in a key is printable ASCII without blanks")
    table = registry().tables.get(prefix_of(proof.module, proof.table))
    if table is None:
        return
    values = [_part_value(part) for part in proof.key]
    if tuple(map(_part_form, proof.key)) != table.codec.parts:
        raise ValueError(f"a key of {proof.name} is {', '.join(table.codec.parts)}")
    for value, kind in zip(values, table.codec.kinds, strict=True):
        msgspec.convert(value, kind)


def _part_form(part: KeyPart) -> str:
    """The form of a part: "id", "text" or "integer"."""
    if part.id is not None:
        return "id"
    return "integer" if part.text is None else "text"


def _part_bytes(part: KeyPart) -> bytes:
    match part:
        case KeyPart(id=str() as text, text=None, integer=None) if len(text) == ID_LENGTH:
            identity = bytes.fromhex(text)
            if identity.hex() == text:  # one spelling: what is shown is what is proven
                return identity
        case KeyPart(id=None, text=str() as text, integer=None) if "\0" not in text:
            return encode_text(text)
        case KeyPart(id=None, text=None, integer=int() as number) if 0 <= number <= INTEGER_LIMIT:
            return encode_integer(number)
    raise ValueError("a key part is one of id, text, integer")


def _part_value(part: KeyPart) -> str | int | None:
    return next(value for value in (part.id, part.text, part.integer) if value is not None)


def table_name(module: int, table: int) -> str:
    """The name of a table of this distribution, or its two numbers."""
    found = registry().tables.get(prefix_of(module, table))
    return f"{module}.{table}" if found is None else f"{found.module.name}.{found.name}"
