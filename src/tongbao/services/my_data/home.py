"""The folder of a person's program: a vault with the root secret and the notebook, and a lock.

Everything in it can be made again from the recovery file, the ledger and the store.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Final, Self

from msgspec.structs import replace

from tongbao.rights.limits import KEY_BYTES
from tongbao.sdk.key_file import Cost
from tongbao.sdk.vault import Vault
from tongbao.services.my_data.keys import PersonKeys
from tongbao.services.my_data.notebook import Notebook, read_notebook, write_notebook
from tongbao.store.lock import take_lock

ROOT: Final = "root"
NOTEBOOK: Final = "notebook"
LOCK: Final = "lock"
VAULT: Final = "vault"


class HomeError(Exception):
    """A folder of mydata that can't be used; the text says what to do."""

    exit_code = 66

    def __init__(self, text: str, advice: str = "", exit_code: int = 66) -> None:
        """Carry what is wrong, what to do unless the text says it, and the exit code."""
        super().__init__(text)
        self.advice = advice
        self.exit_code = exit_code


class Home:
    """One folder, open: nobody else has it open at the same time. Use it in `with`."""

    def __init__(self, folder: Path, vault: Vault, lock: int, notebook: Notebook) -> None:
        """Made by `create` and `open`."""
        self.folder = folder
        self.vault = vault
        self.keys = PersonKeys(vault.get(ROOT))
        self.notebook = notebook
        self._lock = lock

    @classmethod
    def create(
        cls,
        folder: Path,
        passphrase: str,
        notebook: Notebook,
        *,
        root: bytes | None = None,
        cost: Cost | None = None,
    ) -> Self:
        """A new folder; with a root, that of a folder which was lost. Raises HomeError."""
        if (folder / VAULT).exists():
            raise HomeError(f"{folder} is a folder of mydata already: take another, or use it")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _locked(folder)
        try:
            vault = Vault.create(folder / VAULT, passphrase, cost)
            vault.put(NOTEBOOK, write_notebook(notebook))
            vault.put(ROOT, secrets.token_bytes(KEY_BYTES) if root is None else root)
            return cls(folder, vault, lock, notebook)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> Self:
        """The folder with its passphrase. Raises HomeError, WrongPassphrase, BadNotebook."""
        if not (folder / VAULT).is_dir():
            raise HomeError(
                f"{folder} is no folder of mydata: `tongbao mydata init`, or name it by --folder"
            )
        lock = _locked(folder)
        try:
            vault = Vault.open(folder / VAULT, passphrase)
            notebook = read_notebook(_record(vault, NOTEBOOK, folder))
            _record(vault, ROOT, folder)
            return cls(folder, vault, lock, notebook)
        except BaseException:
            os.close(lock)
            raise

    def note(self, **changes: Any) -> None:
        """Write the next state of the notebook, durably."""
        changed = replace(self.notebook, number=self.notebook.number + 1, **changes)
        self.vault.put(NOTEBOOK, write_notebook(changed))
        self.notebook = changed

    def take(self, notebook: Notebook) -> None:
        """Put a notebook that was found at the store in the place of this one."""
        self.vault.put(NOTEBOOK, write_notebook(notebook))
        self.notebook = notebook

    def close(self) -> None:
        """Forget the keys, and let others open the folder."""
        self.vault.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        """Close at the end of the `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _record(vault: Vault, name: str, folder: Path) -> bytes:
    try:
        return vault.get(name)
    except KeyError:
        raise HomeError(
            f"{folder} was not made to its end, or has lost its record {name}: remove the folder, "
            "and `tongbao mydata recover FILE` (or `init`, if it was never used)"
        ) from None


def _locked(folder: Path) -> int:
    """The lock of a folder, held until it is closed or the process ends. Raises HomeError."""
    try:
        return take_lock(folder / LOCK)
    except BlockingIOError:
        raise HomeError(
            f"{folder} is in use by another `tongbao mydata`",
            "wait for it, or stop its page (Ctrl-C there)",
            75,
        ) from None
