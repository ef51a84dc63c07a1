"""Delete what was bought, and attest it: files and keys first, then the message."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tongbao.kernel import ChainId, jcs
from tongbao.kernel.identifiers import Address, Id
from tongbao.modules.data import data_hash
from tongbao.sdk.data.orders_folder import Deal, OrdersFolder
from tongbao.sdk.folder import sync_folder

ATTESTATION: Final = "deletion"
"""The tag of the hash of an attestation."""


class DeletionAttested(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a buyer attests: at this time (ms UTC) it had deleted what an order brought."""

    account: Address
    chain: ChainId
    deleted_at: int
    licence: Id
    order: Id


def attestation_hash(text: bytes) -> bytes:
    """The 32 bytes that stand for an attestation on the ledger."""
    return data_hash(ATTESTATION, text)


def delete_files(folder: OrdersFolder, order: str, deal: Deal) -> None:
    """Remove the package, the evidence and the rows that were written; what is gone is gone."""
    package = folder.package(order)
    evidence = (folder.path / "evidence").glob(f"{order}-*")
    part = package.with_name(package.name + ".part")
    for path in (package, part, *evidence, *map(Path, deal.files)):
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)


def delete_keys(folder: OrdersFolder, order: str, attested: DeletionAttested | None) -> Deal:
    """Forget the order's key and `a`, and keep the attestation in the same record."""
    deal = folder.deal(order)
    text = deal.attestation
    if attested is not None and not text:
        text = jcs.encode(msgspec.to_builtins(attested)).decode()
    left = replace(deal, secret="", a="", files=(), attestation=text)
    folder.keep_deal(order, left)
    return left
