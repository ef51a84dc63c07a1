"""Calling commands in this process, and looking at what they say."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import msgspec
from click.testing import CliRunner
from msgspec import Struct

from tongbao.cli.main import root

PASSPHRASE = "correct horse battery staple"
VARIABLES = (
    "TONGBAO_API_KEY",
    "TONGBAO_FOLDER",
    "TONGBAO_MODULES",
    "TONGBAO_NEW_PASSPHRASE",
    "TONGBAO_NODE",
    "TONGBAO_PASSPHRASE",
    "TONGBAO_PKCS11_MODULE",
    "TONGBAO_SIGNER_PIN",
)


class Told(Struct, frozen=True):
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line of its standard output."""
        return self.out.rstrip("\n").rpartition("\n")[2]

    @property
    def json(self) -> Any:
        """Its one object."""
        return msgspec.json.decode(self.out)


class Place:
    """A folder, and commands that are run on it."""

    def __init__(self, folder: Path, passphrase: str | None = PASSPHRASE) -> None:
        """Keep the folder and the passphrase of its keys."""
        self.folder = folder
        self.passphrase = passphrase

    @property
    def environment(self) -> dict[str, str | None]:
        """What the commands find in their environment."""
        values: dict[str, str | None] = dict.fromkeys(VARIABLES)
        return values | {
            "TONGBAO_FOLDER": str(self.folder),
            "TONGBAO_PASSPHRASE": self.passphrase,
        }

    def call(self, *words: str, stdin: str | bytes | IO[Any] | None = None) -> Told:
        """Run a command to its end, whatever it is."""
        runner = CliRunner(env=self.environment)
        result = runner.invoke(root, words, input=stdin, catch_exceptions=False)
        return Told(result.exit_code, result.stdout, result.stderr)

    def do(self, *words: str) -> Any:
        """Run a command that succeeds; its JSON object."""
        told = self.call(*words, "--json")
        assert told.code == 0, told
        return told.json
