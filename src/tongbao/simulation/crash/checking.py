"""Comparing a node, or its folder, with the book."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import httpx2

from tongbao.index.history import FILE, Index
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.opening import open_chain
from tongbao.simulation.crash.book import FUNDS, Book, Place, Sent, Wrong
from tongbao.simulation.crash.clients import write_down

LATEST: Final = 60
PAGE: Final = 1_000
BATCH: Final = 200


def check_status(book: Book, sent: Sent, status: dict[str, Any]) -> None:
    """Whether a status after a restart is true, which is never `pending`. Raises Wrong."""
    state = status["state"]
    if state not in ("applied", "refused", "unknown"):
        raise Wrong(f"{sent.id} is {state} right after a start")
    if state == "unknown" and sent.is_decided:
        raise Wrong(f"{sent.id} was acknowledged at {sent.place}, and is lost")
    write_down_if_known(book, sent, status)


def write_down_if_known(book: Book, sent: Sent, status: dict[str, Any]) -> None:
    """A status that says more than was known before. Raises Wrong when it contradicts."""
    if sent.never:
        if status["state"] != "unknown":
            raise Wrong(f"{sent.id} happened after it was said that it never does")
        return
    write_down(book, sent, status)


class Checker:
    """Compares a node right after its start with the book; nobody sends meanwhile."""

    def __init__(self, address: str, book: Book) -> None:
        """Ask at an address."""
        self._book = book
        self._client = httpx2.Client(base_url=address, timeout=60)
        self._heads: dict[int, str] = {}

    def get(self, path: str, **asked: Any) -> Any:
        """An answer as JSON. Raises httpx2.TransportError when the node has ended."""
        found = self._client.get(path, params=asked)
        if found.status_code != httpx2.codes.OK:
            raise Wrong(f"{path} is answered with {found.status_code}: {found.text}")
        return found.json()

    def check(self) -> int:
        """Statuses, what everybody owns, and that history is the same. Its height."""
        for sent in (*self._book.open(), *self._book.latest(LATEST)):
            status = self.get(f"/v1/transactions/{sent.id}", expires=sent.expires)
            check_status(self._book, sent, status)
        self._check_funds()
        return self._check_history()

    def _check_funds(self) -> None:
        """Every cent that was acknowledged moved once, and no other."""
        ground = self._book.ground
        applied = self._book.applied()
        wanted = [FUNDS.units - count for count in applied]
        found = [self._owned(payer) for payer in ground.payers]
        if found != wanted or self._owned(ground.shop) != sum(applied):
            raise Wrong(f"payers own {found} cents, and must own {wanted}")

    def _owned(self, account: str) -> int:
        value = self.get("/v1/asset/balance", account=account, asset=self._book.ground.asset)
        amount = "0.00" if value["value"] is None else str(value["value"]["amount"])
        return int(amount.replace(".", ""))

    def _check_history(self) -> int:
        """A header that was once shown is shown again."""
        height = int(self.get("/v1")["height"])
        for known, header in self._heads.items():
            if self.get(f"/v1/blocks/{known}")["header"] != header:
                raise Wrong(f"block {known} is another one than before")
        self._heads = {height: self.get(f"/v1/blocks/{height}")["header"]}
        return height

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def check_folder(folder: Path, book: Book) -> None:
    """While no node runs: an audit, each transaction ever sent, the index. Raises Wrong."""
    report = audit_folder(folder)
    if report.findings:
        raise Wrong(f"audit: {report.findings[0]}")
    with open_chain(folder) as chain:
        for sent in list(book.sent):
            found = chain.status(sent.id, sent.expires)
            decided = found.height is not None
            if sent.is_decided and not decided:
                raise Wrong(f"{sent.id} was acknowledged at {sent.place}, and is lost")
            if decided and (sent.never or found.number != sent.number):
                raise Wrong(f"{sent.id} came to {found.number}")
            if decided and sent.place not in (None, Place(found.height or 0, found.index or 0)):
                raise Wrong(f"{sent.id} stands at another place than {sent.place}")
        applied = sum(
            chain.status(sent.id).state == "applied" for sent in book.sent if not sent.number
        )
        with Index.open(folder / FILE, chain.id) as index:
            if index.height > chain.head().height:
                raise Wrong("the index knows blocks that the log lacks")
            while index.height < chain.head().height:
                last = min(index.height + BATCH, chain.head().height)
                index.add([chain.block(at) for at in range(index.height + 1, last + 1)])
            if _movements(index, book.ground.shop) != applied:
                raise Wrong("the index does not have each payment once")


def _movements(index: Index, account: str) -> int:
    count, before = 0, None
    while True:
        page = index.movements_of(account, before=before, limit=PAGE)
        count += len(page.movements)
        before = page.before
        if before is None:
            return count
