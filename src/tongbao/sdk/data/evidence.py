"""What a buyer shows the panel: `a` and the chunks, sealed for each adjudicator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from tongbao.kernel import jcs
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.rights.parcel import evidence_context, seal_parcel_file
from tongbao.sdk.data.agent_client import ServiceClient
from tongbao.sdk.signed_requests import HEADER, now_ms, sign_request
from tongbao.sdk.signer import Signer

READ_BYTES: Final = 1_048_576


def evidence_head(order: str, a: bytes) -> bytes:
    """The first line of the evidence."""
    return jcs.encode({"a": a.hex(), "order": order}) + b"\n"


def seal_evidence(
    order: str, a: bytes, chunks: Sequence[bytes], receiver_key: bytes, path: Path
) -> None:
    """Write the parcel for the holder of a key; it is there once it is whole."""
    head = evidence_head(order, a)

    def pieces() -> Iterator[bytes]:
        yield head
        yield from chunks

    part = path.with_name(path.name + ".part")
    length = len(head) + len(chunks) * SEALED_CHUNK_BYTES
    part.unlink(missing_ok=True)
    context = evidence_context(bytes.fromhex(order))
    seal_parcel_file("evidence", context, receiver_key, pieces(), length, part)
    part.replace(path)


class PanelClient(ServiceClient):
    """What a buyer asks an adjudicator's panel program."""

    def __init__(self, url: str, signer: Signer, account: str) -> None:
        """Name it; nothing is sent."""
        super().__init__(url, signer, account)
        self._url = url.rstrip("/")
        self._signer = signer
        self._account = account

    def leave(self, order: str, parcel: Path) -> None:
        """Send a parcel of evidence, from its file. Raises AgentRefused, AgentAway."""
        path = f"/v1/evidence/{order}"
        signed = sign_request(
            self._signer,
            method="PUT",
            url=self._url + path,
            body_hash=_hash_of(parcel),
            account=self._account,
            now_ms=now_ms(),
        )
        headers = {
            HEADER: signed,
            "content-type": "application/octet-stream",
            "content-length": str(parcel.stat().st_size),
        }
        self.ask("PUT", path, content=_read(parcel), headers=headers)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            yield piece


def _hash_of(path: Path) -> bytes:
    found = sha256()
    for piece in _read(path):
        found.update(piece)
    return found.digest()
