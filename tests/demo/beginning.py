"""A new chain in a folder as the demonstration begins it, for tests that start its node."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tongbao.demo.serving import SECRET_FILE
from tongbao.sdk.folder import Folder
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR, create_chain
from tongbao.sdk.signer import SoftwareKey

SECRET: Final = "00" * 32


def silent(stage: str, done: int, total: int) -> None:
    """Show no progress."""


def new_chain(folder: Path) -> SoftwareKey:
    """Begin a chain in the folder, closed again; the key of its bank."""
    (folder / SECRET_FILE).write_text(SECRET)
    chain, _ = create_chain(folder, passphrase=SECRET, name="purchases")
    chain.close()
    return Keystore(Folder(folder).keys).unlock(OPERATOR, SECRET)
