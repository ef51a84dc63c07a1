"""What is kept of each endpoint: how far it was told, and the letters that nobody took.

Both are durable before anything goes on, each file whole or as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tongbao.node.webhooks.endpoints import WebhookError
from tongbao.sdk.folder import write_pieces
from tongbao.sdk.place import place_of

FOLDER: Final = "webhooks"
"""In the chain's folder, or wherever the program that posts is told to keep it."""
LETTERS_LIMIT: Final = 10_000
"""With so many dead letters an endpoint is waited for: what comes then is not put aside."""
SUFFIX: Final = ".json"


class Letter(Struct, frozen=True):
    """A happening that an endpoint did not take: its cursor, why, and when (ms UTC)."""

    cursor: str
    why: str
    at: int
    body: Raw


class Kept:
    """The files of one endpoint."""

    def __init__(self, folder: Path, name: str) -> None:
        """Use `folder/name`, made where it is not there."""
        self._folder = folder / name
        self._letters = self._folder / "letters"
        self._cursor = self._folder / "cursor"
        self._letters.mkdir(parents=True, exist_ok=True)

    @property
    def cursor(self) -> str | None:
        """The last happening that is done with; None where nothing was. Raises WebhookError."""
        try:
            found = self._cursor.read_text(encoding="ascii").strip()
            place_of(found)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise WebhookError(
                f"{self._cursor}: {error}: write the last cursor that the endpoint has had into it"
            ) from error
        return found

    def done(self, cursor: str) -> None:
        """Say durably that all up to a happening is done with. Raises OSError."""
        write_pieces(self._cursor, (f"{cursor}\n".encode(),))

    def letters(self) -> list[Letter]:
        """All dead letters, oldest first. Raises WebhookError."""
        found = []
        for path in self._letters.glob(f"*{SUFFIX}"):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Letter))
            except FileNotFoundError:
                continue  # sent again meanwhile
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise WebhookError(f"{path} is no letter ({error}): move it away") from error
        return sorted(found, key=lambda letter: place_of(letter.cursor))

    @property
    def is_full(self) -> bool:
        """Whether no letter more may be put aside."""
        return sum(1 for _ in self._letters.glob(f"*{SUFFIX}")) >= LETTERS_LIMIT

    def put_aside(self, letter: Letter) -> None:
        """Keep a letter durably. Raises OSError."""
        write_pieces(self._path(letter.cursor), (msgspec.json.encode(letter),))

    def remove(self, letter: Letter) -> None:
        """Forget a letter, which was taken."""
        self._path(letter.cursor).unlink(missing_ok=True)

    def _path(self, cursor: str) -> Path:
        return self._letters / f"{cursor}{SUFFIX}"
