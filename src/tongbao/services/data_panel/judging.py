"""Open the evidence of a case and judge it: the same function as the buyer's, on the same bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import chain as chain_of
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import jcs
from tongbao.kernel.identifiers import Hash, Id
from tongbao.modules import data
from tongbao.rights.chunk_file import ChunkFile
from tongbao.rights.chunks import DoesNotOpen
from tongbao.rights.judge import Verdict, judge
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.rights.parcel import BadParcel, evidence_context, open_parcel_file
from tongbao.rights.requests import evidence_hash
from tongbao.sdk.client import Client
from tongbao.sdk.data.facts import commitments_of, ordered, sealed_of

JUDGED: Final = ".judged-"
"""How names of files begin whose chunks are judged now."""
HEAD_BYTES: Final = 256
"""The first line of evidence is shorter."""


class NoEvidence(Exception):
    """Nothing came, or nothing that opens with this adjudicator's keys."""


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    a: Annotated[Hash, Meta(description="the half that the buyer was given")]
    order: Id


_decoder = jcs.decoder(_Head)


def sweep_judged(folder: Path) -> None:
    """Remove what a program left that was killed while it judged."""
    for path in folder.glob(f"{JUDGED}*"):
        path.unlink(missing_ok=True)


def judge_case(
    chain: Client, order: str, row: data.Order, parcel: Path, secrets: list[bytes]
) -> Verdict:
    """The verdict on what came. Raises NoEvidence where that is nothing that can be opened.

    The chunks lie in a file beside the parcel while they are judged; `a` is never on disk.
    """
    if not parcel.exists():
        raise NoEvidence("no evidence came")
    for secret in secrets:
        descriptor, name = tempfile.mkstemp(prefix=JUDGED, dir=parcel.parent)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "wb"):
                pass
            a = _unpack(order, row, parcel, secret, path)
            return _verdict(chain, order, row, a, path)
        except (BadParcel, DoesNotOpen) as error:
            why = str(error)
        finally:
            path.unlink(missing_ok=True)
    raise NoEvidence(why if secrets else "there is no key to open it with")


def _unpack(order: str, row: data.Order, parcel: Path, secret: bytes, path: Path) -> bytes:
    """`a`; the chunks go into a file. Raises BadParcel for another text, or one too long."""
    context, pieces = open_parcel_file("evidence", secret, parcel)
    if context != evidence_context(bytes.fromhex(order)):
        raise BadParcel("it is evidence on another order")
    head, first, rest = _first_line(pieces)
    left = (row.chunks or 0) * SEALED_CHUNK_BYTES
    with path.open("wb") as file:
        for piece in chain_of((first,), rest):
            left -= len(piece)
            if left < 0:
                raise BadParcel("it has more chunks than the package")
            file.write(piece)
    if head.order != order:
        raise BadParcel("it is evidence on another order")
    return bytes.fromhex(head.a)


def _first_line(pieces: Iterator[bytes]) -> tuple[_Head, bytes, Iterator[bytes]]:
    begun, line, first = b"", b"", b""
    for piece in pieces:
        begun += piece
        line, end, first = begun.partition(b"\n")
        if end:
            break
        if len(begun) > HEAD_BYTES:
            break
    try:
        head: _Head = jcs.decode_canonical(_decoder, line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BadParcel("its first line is not that of evidence") from None
    return head, first, pieces


def _verdict(chain: Client, order: str, row: data.Order, a: bytes, path: Path) -> Verdict:
    commitments = commitments_of(order, row)
    said = evidence_hash(bytes.fromhex(order), a, sealed_of(order, row).package_root)
    if row.evidence_hash != said.hex():
        return Verdict.EVIDENCE_IS_NOT_COMMITTED
    return judge(ordered(chain, order, row), commitments, a, ChunkFile(path))
