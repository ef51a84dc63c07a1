"""An agent that dies at a named step: its own parts, driven in this process up to there.

What is on the disk is then what a kill at that moment leaves; the real program is started on it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.sdk.kept_chain import PASSPHRASE
from tongbao.kernel import Id
from tongbao.kernel.envelope import decode_envelope
from tongbao.sdk.client import Applied
from tongbao.sdk.vault import Vault
from tongbao.sdk.wallet import Wallet
from tongbao.services.data_agent.program import opened
from tongbao.services.data_agent.stored import StoredBlobs

SEAL, REVEAL = b'"data.seal"', b'"data.reveal"'


class Died(BaseException):
    """The program is no more."""


class DyingWallet(Wallet):
    """A wallet whose process dies with a message, before it is sent or before it is noted."""

    says: bytes = b""
    after_it: bool = False

    def settle(self, transaction: bytes) -> Applied:
        """Submit what was built, or die."""
        is_it = self.says in decode_envelope(transaction).payload
        if is_it and not self.after_it:
            raise Died
        applied = super().settle(transaction)
        if is_it:
            raise Died
        return applied


class DyingVault(Vault):
    """A vault whose process dies before or after the secret of an order is written or removed."""

    writes: bool = False
    removes: bool = False
    after_it: bool = False

    def put(self, name: str, record: bytes) -> None:
        """Keep a record, or die."""
        self._do(self.writes and name.startswith("order-"), lambda: Vault.put(self, name, record))

    def remove(self, name: str) -> None:
        """Remove a record, or die."""
        self._do(self.removes and name.startswith("order-"), lambda: Vault.remove(self, name))

    def _do(self, dies: bool, act: Callable[[], None]) -> None:
        if dies and not self.after_it:
            raise Died
        act()
        if dies:
            raise Died


class DyingBlobs(StoredBlobs):
    """A way to the store whose process dies once a blob was sent."""

    sends: bool = False
    after_it: bool = False

    def put(self, name: str, file: Path) -> None:
        """Keep the bytes of a file, or die."""
        if self.sends and not self.after_it:
            raise Died
        super().put(name, file)
        if self.sends:
            raise Died


def dies(kind: type, **how: object) -> type:
    """A kind of part that dies so."""
    return type(f"Dying{len(how)}", (kind,), how)


STEPS: Final[dict[str, dict[str, Any]]] = {
    "before the package is in the store": {"blobs": dies(DyingBlobs, sends=True)},
    "when the package is in the store": {"blobs": dies(DyingBlobs, sends=True, after_it=True)},
    "before a and b are on the disk": {"vault": dies(DyingVault, writes=True)},
    "when a and b are on the disk": {"vault": dies(DyingVault, writes=True, after_it=True)},
    "before Seal is sent": {"wallet": dies(DyingWallet, says=SEAL)},
    "when Seal is sent": {"wallet": dies(DyingWallet, says=SEAL, after_it=True)},
    "before Reveal is sent": {"wallet": dies(DyingWallet, says=REVEAL)},
    "when Reveal is sent": {"wallet": dies(DyingWallet, says=REVEAL, after_it=True)},
    "before a and b are destroyed": {"vault": dies(DyingVault, removes=True)},
    "when a and b are destroyed": {"vault": dies(DyingVault, removes=True, after_it=True)},
}


def consider_and_die(folder: Path, order: Id, parts: dict[str, Any]) -> bool:
    """Bring an order as far as it goes, and whether the agent has died at it."""
    with opened(folder, PASSPHRASE, **parts) as agent:
        try:
            agent.api.selling.consider(order)
        except Died:
            return True
    return False
