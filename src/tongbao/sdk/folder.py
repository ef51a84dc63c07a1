"""The folder of a chain: where its files stand, and how a new one is laid out."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tongbao.kernel import Genesis, GenesisError
from tongbao.kernel.genesis import chain_id, read_genesis, write_genesis
from tongbao.sdk.proofs import FORMAT, TrustFile


class FolderError(Exception):
    """A chain's folder that can't be used; the text says what to do."""

    exit_code = 66


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
        _write_new(self.trust_file, msgspec.json.format(trust_bytes(genesis)) + b"\n")
        _write_new(self.genesis_file, write_genesis(genesis))

    def genesis(self) -> Genesis:
        """The genesis file. Raises FolderError."""
        if not self.exists:
            raise FolderError(
                f"{self.path} holds no chain: begin one with `tongbao init --folder {self.path}`"
            )
        try:
            return read_genesis(self.genesis_file.read_bytes())
        except GenesisError as error:
            raise FolderError(f"{self.genesis_file}: {error}") from error


def trust_bytes(genesis: Genesis) -> bytes:
    """The trust file that belongs to a genesis file; hand it to whoever shall believe proofs."""
    trust = TrustFile(
        format=FORMAT, chain=chain_id(genesis), engine="solo", keys=genesis.engine.keys
    )
    return msgspec.json.encode(trust, order="sorted")


def _write_new(path: Path, text: bytes) -> None:
    """Write a file that must not exist, durably: whole under its name, or not there."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
