"""The names that a person gives to accounts: `accounts.json` in the chain's folder.

It is a convenience of this folder and nothing that the ledger knows: `{"alice": "<address>"}`.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import write_file
from tongbao.kernel import Address
from tongbao.sdk.genesis_builder import genesis_address

FILE: Final = "accounts.json"
OPERATOR: Final = "operator"
NAME: Final = re.compile("[a-z][a-z0-9-]{0,31}")
ADDRESS: Final = re.compile("[0-9a-f]{40}")
NAME_RULE: Final = "a name is 1 to 32 of a-z, 0-9 and -, and begins with a letter"


def check_name(name: str) -> str:
    """A name that an account or key may have. Raises CommandError."""
    if NAME.fullmatch(name) is None:
        raise CommandError(f"{name!r} can't be a name", NAME_RULE)
    return name


class AccountBook:
    """Names of accounts, in one chain's folder."""

    def __init__(self, folder: Path) -> None:
        """Read the file if there is one. Raises CommandError when it is damaged."""
        self._path = folder / FILE
        self._names: dict[str, Address] = {OPERATOR: genesis_address(0)}
        if self._path.exists():
            self._names |= self._read()

    def _read(self) -> dict[str, Address]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Address])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CommandError(
                f"{self._path} can't be read: {error}",
                'repair it: {"name": "40 hex characters"}; or move it away: the ledger has it all',
                Exit.WRONG,
            ) from error

    @property
    def names(self) -> dict[str, Address]:
        """All names and their addresses, in the order of the names."""
        return dict(sorted(self._names.items()))

    def address(self, text: str) -> Address:
        """The address of a name, or of an address. Raises CommandError."""
        if text in self._names:
            return self._names[text]
        if ADDRESS.fullmatch(text):
            return Address(text)
        raise CommandError(
            f"no account is remembered as {text!r}",
            "see `tongbao account names`; make one with `tongbao account create NAME`, "
            "or give an address of 40 hex characters",
        )

    def names_of(self, address: str) -> list[str]:
        """What an address is remembered as."""
        return [name for name, known in self.names.items() if known == address]

    def remember(self, name: str, address: Address) -> None:
        """Keep a name, durably. Raises CommandError when it is another's, OSError.

        Whose account `operator` is where nothing was kept is a guess, which gives way.
        """
        check_name(name)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self._path.parent):
            kept = self._read() if self._path.exists() else {}
            self._names |= kept
            known = kept.get(name)
            if known is not None and known != address:
                raise CommandError(
                    f"{name} is remembered already as {known}", "choose another name"
                )
            self._names[name] = address
            write_file(self._path, msgspec.json.format(msgspec.json.encode(self.names)) + b"\n")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time adds names; others wait for the moment that it takes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
