"""The folder of an agent: settings, journal, vault, and what is on its way to the store.

    agent.json       chain, node, store and account: nothing secret
    vault/           the account's key, a root secret; a, b and envelopes, keys of copies
    journal.sqlite   what happened
    nonces, work/    signed requests that were carried out; ciphertext on its way

The agent's user alone may read it (mode 0700).
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from msgspec import Struct

from tongbao.kernel import Address
from tongbao.rights.limits import KEY_BYTES
from tongbao.sdk.folder import write_pieces
from tongbao.sdk.key_file import Cost
from tongbao.sdk.signer import SoftwareKey
from tongbao.sdk.vault import Vault
from tongbao.services.data_agent.journal import Journal

FILE: Final = "agent.json"
VAULT: Final = "vault"
ROOT: Final = "root"
ACCOUNT: Final = "account"
LABEL: Final = b"tongbao/data-agent/1/"


class FolderError(Exception):
    """A folder that is none of an agent's; the text says what to do."""

    exit_code = 66


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom the agent asks, and as whom it acts, on which chain."""

    version: int = 1
    account: Address
    chain: str
    node: str
    store: str


class Keys(Struct, frozen=True):
    """The agent's own keys: its account's, that of its space at the store, and for copies."""

    account: SoftwareKey
    space: SoftwareKey
    exchange: bytes


def create(
    folder: Path, settings: Settings, seed: bytes, passphrase: str, cost: Cost | None = None
) -> Keys:
    """A new agent's folder; `seed` is of the account's key.

    Raises FolderError, KeystoreError, OSError.
    """
    if (folder / FILE).exists():
        raise FolderError(f"{folder} is an agent's already: name another --folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    with Vault.create(folder / VAULT, passphrase, cost) as vault:
        vault.put(ROOT, secrets.token_bytes(KEY_BYTES))
        vault.put(ACCOUNT, seed)
        keys = keys_of(vault)
    Journal(folder).close()
    write_settings(folder, settings)
    return keys


def read_settings(folder: Path) -> Settings:
    """The settings of a folder. Raises FolderError."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        raise FolderError(
            f"{folder} is no agent's folder: `tongbao data-agent init` makes one"
        ) from None
    except msgspec.DecodeError as error:
        raise FolderError(f"{path}: {error}: correct it, or restore it from a copy") from None


def write_settings(folder: Path, settings: Settings) -> None:
    """Put settings in their place."""
    write_pieces(folder / FILE, (msgspec.json.format(msgspec.json.encode(settings)), b"\n"))


def keys_of(vault: Vault) -> Keys:
    """The agent's own keys."""
    root = vault.get(ROOT)
    space, exchange = (
        HKDFExpand(SHA256(), KEY_BYTES, LABEL + label).derive(root)
        for label in (b"space", b"exchange")
    )
    return Keys(SoftwareKey(vault.get(ACCOUNT)), SoftwareKey(space), exchange)


def public_exchange_key(keys: Keys) -> bytes:
    """The key that copies are sealed for."""
    return X25519PrivateKey.from_private_bytes(keys.exchange).public_key().public_bytes_raw()
