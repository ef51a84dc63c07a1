"""An adjudicator's folder: the keys that evidence is sealed to, and the cases.

vault/      records under the passphrase: exchange keys, cases, how far the chain was followed
evidence/   parcels as they came, sealed, one for an order; and what is judged now, for a moment
nonces      requests that were carried out
lock        one program at a time that serves or votes
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from tongbao.sdk.vault import Vault
from tongbao.store.lock import take_lock

CASE, KEY, CURSOR = "case-", "key-", "cursor"
KEY_MS: Final = 30 * 86_400_000
"""How long a key is written to; it opens what came for as long as it is kept."""
KEPT_MS: Final = 365 * 86_400_000
"""How long after that it is kept: longer than any case."""

T = TypeVar("T")


class PanelIsBusy(Exception):
    """Another program has the folder open."""

    exit_code = 75


class Case(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A claim that this adjudicator is called to: the vote that was sent, and the transaction."""

    order: str
    vote: str = ""
    ground: str = ""
    transaction: str = ""
    ended: bool = False


class ExchangeSecret(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to write to, in hex, until `ends` (ms UTC)."""

    secret: str
    ends: int

    @property
    def public(self) -> bytes:
        """The 32 bytes that evidence is sealed to."""
        key = X25519PrivateKey.from_private_bytes(bytes.fromhex(self.secret))
        return key.public_key().public_bytes_raw()


class PanelFolder:
    """The folder, open. Close it, or use it in a `with` statement."""

    def __init__(self, path: Path, vault: Vault, *, to_read: bool = False) -> None:
        """Made by `create` and `open`: takes the lock unless `to_read`. Raises PanelIsBusy."""
        self.path = path
        self.incoming = path / "evidence"
        self._vault = vault
        self._lock: int | None = None
        if to_read:
            return
        try:
            self._lock = take_lock(path / "lock")
        except BlockingIOError:
            vault.close()
            raise PanelIsBusy(f"another program has {path} open") from None

    @classmethod
    def create(cls, path: Path, passphrase: str) -> PanelFolder:
        """A new folder under a passphrase."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        vault = Vault.create(path / "vault", passphrase)
        (path / "evidence").mkdir(mode=0o700, exist_ok=True)
        return cls(path, vault)

    @classmethod
    def open(cls, path: Path, passphrase: str, *, to_read: bool = False) -> PanelFolder:
        """A folder that there is; to read it, also while another program has it open."""
        return cls(path, Vault.open(path / "vault", passphrase), to_read=to_read)

    def close(self) -> None:
        """Forget the key and give the lock free."""
        self._vault.close()
        if self._lock is not None:
            os.close(self._lock)

    def __enter__(self) -> PanelFolder:
        """Use it in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # Cases

    def keep(self, case: Case) -> None:
        """Write a case down."""
        self._put(CASE + case.order, case)

    def case(self, order: str) -> Case | None:
        """What is known of a case."""
        return self._get(CASE + order, Case)

    def cases(self) -> Iterator[Case]:
        """All cases."""
        for name in self._vault.names():
            if name.startswith(CASE) and (case := self._get(name, Case)) is not None:
                yield case

    def evidence(self, order: str) -> Path:
        """Where the parcel of an order's evidence is, or will be."""
        return self.incoming / order

    # Keys and the chain

    def secrets(self) -> list[ExchangeSecret]:
        """All exchange keys, the one that ends last first."""
        names = (name for name in self._vault.names() if name.startswith(KEY))
        found = (self._get(name, ExchangeSecret) for name in names)
        return sorted((one for one in found if one), key=lambda one: one.ends, reverse=True)

    def secret_now(self, now: int) -> ExchangeSecret:
        """The key to write to now: a new one where less than half of the last one's time is left.

        Keys that nobody needs any more are removed.
        """
        known = self.secrets()
        for old in known:
            if old.ends + KEPT_MS < now:
                self._vault.remove(KEY + old.public.hex())
        if known and known[0].ends - now > KEY_MS // 2:
            return known[0]
        secret = X25519PrivateKey.generate().private_bytes_raw().hex()
        made = ExchangeSecret(secret=secret, ends=now + KEY_MS)
        self._put(KEY + made.public.hex(), made)
        return made

    @property
    def cursor(self) -> str:
        """How far the chain was followed: its very beginning in a new folder."""
        return self._get(CURSOR, str) or "0.0"

    def follow_from(self, cursor: str) -> None:
        """Write down how far the chain was followed."""
        self._put(CURSOR, cursor)

    def _put(self, name: str, record: object) -> None:
        self._vault.put(name, msgspec.json.encode(record))

    def _get(self, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(self._vault.get(name), type=kind)
        except KeyError:
            return None
