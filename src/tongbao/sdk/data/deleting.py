"""Delete what was bought, and attest it: files and keys first, then the message."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tongbao.rights.deletion import Deletion, deletion_bytes
from tongbao.sdk.data.orders_folder import Deal, OrdersFolder
from tongbao.sdk.data.rows_files import part_of
from tongbao.sdk.folder import sync_folder


def delete_files(folder: OrdersFolder, order: str, deal: Deal) -> None:
    """Remove the package, the evidence and the rows that were written; what is gone is gone."""
    package = folder.package(order)
    evidence = (folder.path / "evidence").glob(f"{order}-*")
    part = package.with_name(package.name + ".part")
    rows = [path for name in deal.files for path in (Path(name), part_of(Path(name)))]
    for path in (package, part, *evidence, *rows):
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)


def delete_keys(folder: OrdersFolder, order: str, attested: Deletion | None) -> Deal:
    """Forget the order's key and `a`, and keep the attestation in the same record."""
    deal = folder.deal(order)
    text = deal.attestation
    if attested is not None and not text:
        text = deletion_bytes(attested).decode()
    left = replace(deal, secret="", a="", files=(), attestation=text)
    folder.keep_deal(order, left)
    return left
