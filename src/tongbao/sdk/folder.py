"""The folder of a chain: where its files stand, and how a new one is laid out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec

from tongbao.engines.headers import is_network
from tongbao.kernel import Genesis, GenesisError
from tongbao.kernel.genesis import chain_id, read_genesis, write_genesis
from tongbao.sdk.network_trust import first_trust
from tongbao.sdk.proofs import FORMAT, NetworkTrust, SoloTrust, TrustFile

OPEN_PASSPHRASE: Final = "passphrase.txt"
"""In a developer's folder: the passphrase of its keys, for everybody who has the folder."""


PARTIAL: Final = ".part-"
"""How names of files in making begin; after a kill they may be removed."""
BACKUP_FILE: Final = "backup.json"
"""What makes a folder a backup: it has the other names of a chain's folder as well."""


class FolderError(Exception):
    """A chain's folder that can't be used; the text says what to do."""

    exit_code = 66

    def __init__(self, text: str, advice: str = "") -> None:
        """Carry what is wrong and, unless the text says it, what to do."""
        super().__init__(text)
        self.advice = advice


class Folder:
    """The files of one chain: `genesis.json`, `trust.json`, `keys/`, `log/`, `state/`, `lock`.

    A node keeps `index.sqlite` there as well, which may be removed while it is stopped.
    """

    def __init__(self, path: Path | str) -> None:
        """Name the folder; nothing is touched."""
        self.path = Path(path)
        self.genesis_file = self.path / "genesis.json"
        self.trust_file = self.path / "trust.json"
        self.keys = self.path / "keys"

    @property
    def exists(self) -> bool:
        """Whether a chain was laid out here."""
        return self.genesis_file.exists()

    def lay_out(self, genesis: Genesis) -> None:
        """Write genesis and trust file into a new folder. Raises FolderError if one is there."""
        if self.exists:
            raise FolderError(f"{self.path} already holds a chain: open it, or name another folder")
        self.path.mkdir(parents=True, exist_ok=True)
        write_new(self.trust_file, msgspec.json.format(trust_bytes(genesis)) + b"\n")
        write_new(self.genesis_file, write_genesis(genesis))

    def genesis(self) -> Genesis:
        """The genesis file. Raises FolderError, also where the folder is a chain's backup."""
        if (self.path / BACKUP_FILE).exists():
            raise FolderError(
                f"{self.path} is a backup, and not opened as a chain: make a chain of it with "
                f"`tongbao restore {self.path} --folder NEW`, and look at that"
            )
        if not self.exists:
            raise FolderError(
                f"{self.path} holds no chain: begin one with `tongbao init --folder {self.path}`"
            )
        try:
            return read_genesis(self.genesis_file.read_bytes())
        except GenesisError as error:
            raise FolderError(
                f"{self.genesis_file}: {error}",
                f"bring {self.genesis_file} back from a copy: it never changes, and every party "
                "of the chain has the same",
            ) from error

    def foreign_trust(self, genesis: Genesis) -> str:
        """What is wrong with a trust file that is not this genesis file's; "" where nothing is.

        A folder without one misleads nobody.
        """
        if not self.trust_file.exists():
            return ""
        try:
            found = msgspec.json.decode(self.trust_file.read_bytes(), type=SoloTrust | NetworkTrust)
        except (msgspec.DecodeError, ValueError):
            found = None
        if found == trust_file(genesis):
            return ""
        return (
            f"{self.trust_file} is not the one of genesis.json: hand it to nobody, and write it "
            f"anew with `tongbao proof trust --folder {self.path} --out {self.trust_file}`"
        )


def trust_file(genesis: Genesis) -> TrustFile:
    """The trust file that belongs to a genesis file; hand it to whoever shall believe proofs.

    Raises GenesisError for a network whose validators no section of governance names.
    """
    if is_network(genesis):
        return first_trust(genesis)
    return SoloTrust(format=FORMAT, chain=chain_id(genesis), keys=genesis.engine.keys)


def trust_bytes(genesis: Genesis) -> bytes:
    """The same as bytes."""
    return msgspec.json.encode(trust_file(genesis), order="sorted")


def write_new(path: Path, text: bytes) -> None:
    """Write a file that must not exist, durably: whole under its name, or not there."""
    write_pieces(path, (text,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same for a file that is not in memory at once."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    sync_folder(path.parent)


def write_private(path: Path, text: bytes) -> None:
    """Put a file that its user alone may read in its place, whole and durably, or leave what was.

    Several may write at once. Raises OSError.
    """
    partial = path.parent / f"{PARTIAL}{token_hex(8)}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
