"""A buyer's folder: what is needed to go on is in it before anything is sent.

vault/      records under the passphrase: requests, keys of orders, receipts, what is under way
packages/   chunks as they were fetched, ciphertext: ORDER, and ORDER.part until it is whole
evidence/   sealed parcels for adjudicators
lock        one program at a time
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from tongbao.kernel import jcs
from tongbao.sdk.vault import Vault
from tongbao.store.lock import take_lock

PRIVATE: Final = 0o700
REQUEST, SENDING, ORDER, STREAM = "request-", "sending-", "order-", "stream-"
CURSORS: Final = "cursors"

T = TypeVar("T")


class FolderIsBusy(Exception):
    """Another program has the folder open."""

    exit_code = 75


class UnknownOrder(LookupError):
    """The folder has no record of an order or request."""

    exit_code = 4


class Asked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request that an agent heard: its text, and who the agent is."""

    agent: str
    text: str


class Placing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The order that a transaction will have made: its request, and the secret of its key."""

    request_hash: str
    secret: str
    public: str


class Sending(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A transaction that is written down before it is sent; it is of an order, or places one."""

    transaction: str
    order: str = ""
    placing: Placing | None = None


class Deal(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a buyer knows of one order beside the ledger; hex but `receipt` and `attestation`.

    `secret` is that of the order's key; `a` is there once the package is fetched and checked.
    `files` are where rows were written to, `told` the adjudicators that have the evidence.
    """

    request_hash: str
    agent: str
    secret: str = ""
    a: str = ""
    receipt: str = ""
    files: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    attestation: str = ""


class OrdersFolder:
    """The folder, open. Close it, or use it in a `with` statement."""

    def __init__(self, path: Path, vault: Vault) -> None:
        """Made by `create` and `open`: takes the lock. Raises FolderIsBusy."""
        self.path = path
        self._vault = vault
        try:
            self._lock = take_lock(path / "lock")
        except BlockingIOError:
            vault.close()
            raise FolderIsBusy(f"another program has {path} open") from None

    @classmethod
    def create(cls, path: Path, passphrase: str) -> OrdersFolder:
        """A new folder under a passphrase. Raises FileExistsError where one is."""
        path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        vault = Vault.create(path / "vault", passphrase)
        for name in ("packages", "evidence"):
            (path / name).mkdir(mode=PRIVATE, exist_ok=True)
        return cls(path, vault)

    @classmethod
    def open(cls, path: Path, passphrase: str) -> OrdersFolder:
        """A folder that there is. Raises what `Vault.open` does, and FolderIsBusy."""
        return cls(path, Vault.open(path / "vault", passphrase))

    def close(self) -> None:
        """Forget the key and give the lock free."""
        self._vault.close()
        os.close(self._lock)

    def __enter__(self) -> OrdersFolder:
        """Use it in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # Requests

    def keep_request(self, request_hash: str, asked: Asked) -> None:
        """Remember a request."""
        self._put(REQUEST + request_hash, asked)

    def request(self, request_hash: str) -> Asked:
        """A request. Raises UnknownOrder."""
        return self._get(REQUEST + request_hash, Asked)

    # What is under way

    def keep_sending(self, sending: Sending) -> str:
        """Write a transaction down before it is sent; the name of the record."""
        name = SENDING + sha256(sending.transaction.encode()).hexdigest()
        self._put(name, sending)
        return name

    def under_way(self) -> list[str]:
        """The names of all transactions of which it is not known here what they came to."""
        return self._names(SENDING)

    def sending(self, name: str) -> Sending:
        """One of them."""
        return self._get(name, Sending)

    def decided(self, name: str) -> None:
        """Forget a transaction that is decided."""
        self._vault.remove(name)

    # Orders

    def keep_deal(self, order: str, deal: Deal) -> None:
        """Write down what is known of an order."""
        self._put(ORDER + order, deal)

    def deal(self, order: str) -> Deal:
        """What is known of an order. Raises UnknownOrder."""
        return self._get(ORDER + order, Deal)

    def has_deal(self, order: str) -> bool:
        """Whether an order is known."""
        try:
            self._vault.get(ORDER + order)
        except KeyError:
            return False
        return True

    def orders(self) -> list[str]:
        """The ids of all orders."""
        return [name.removeprefix(ORDER) for name in self._names(ORDER)]

    def package(self, order: str) -> Path:
        """Where the chunks of an order's package are, or will be."""
        return self.path / "packages" / order

    def evidence(self, order: str, adjudicator: str) -> Path:
        """Where the parcel for an adjudicator is, or will be."""
        return self.path / "evidence" / f"{order}-{adjudicator}"

    # Cursors and streams

    def cursors(self) -> dict[str, str]:
        """How far the deliveries of each agent were pulled."""
        if CURSORS not in self._vault.names():
            return {}
        return self._get(CURSORS, dict[str, str])

    def keep_cursors(self, cursors: dict[str, str]) -> None:
        """Write down how far deliveries were pulled."""
        self._put(CURSORS, cursors)

    def keep_stream(self, name: str, stream: Struct) -> None:
        """Remember a stream of monthly orders."""
        self._put(STREAM + name, stream)

    def streams(self, kind: type[T]) -> dict[str, T]:
        """All streams by their names."""
        return {name.removeprefix(STREAM): self._get(name, kind) for name in self._names(STREAM)}

    def end_stream(self, name: str) -> None:
        """Forget a stream. Raises UnknownOrder."""
        if STREAM + name not in self._vault.names():
            raise UnknownOrder(f"there is no stream {name}: see `data-buyer stream`")
        self._vault.remove(STREAM + name)

    # Records

    def _names(self, prefix: str) -> list[str]:
        return sorted(name for name in self._vault.names() if name.startswith(prefix))

    def _put(self, name: str, record: object) -> None:
        self._vault.put(name, jcs.encode(record))

    def _get(self, name: str, kind: type[T]) -> T:
        try:
            found: T = jcs.decoder(kind).decode(self._vault.get(name))
        except KeyError:
            raise UnknownOrder(f"the folder has no {name}: was it made elsewhere?") from None
        return found
