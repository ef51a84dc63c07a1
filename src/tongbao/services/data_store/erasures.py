"""What was erased stays erased: names, apart from what they named.

    FOLDER/store             the id of the store, so that another store's folder is found out
    FOLDER/SPACE/blobs/NAME  when a blob and its key were erased; the same for `inbox` and `drops`

No backup of the blobs brings this folder back to an earlier day. At each start it is looked
through, and whatever a restored backup has brought back is removed. A name that is here is never
served and never taken again; so it is with parcels that were fetched, and tokens withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tongbao.sdk.folder import write_private
from tongbao.sdk.signed_requests import now_ms as clock_ms
from tongbao.services.data_store.durable import make_folder, sizes_in, sweep_partial
from tongbao.services.data_store.names import ERASED_LIMIT, NAME, SPACES_LIMIT, Kind, Receipt
from tongbao.services.serving.problems import Problem

FILE: Final = "store"
KINDS: Final = (Kind.BLOB, Kind.PARCEL, Kind.DROP)


class ErasuresError(Exception):
    """The folder of erasures is not there, or another store's; the text says what to do."""

    exit_code = 78
    advice = (
        "bring that folder back, or name it: --erasures. --new-erasures begins an empty one: what "
        "was erased before may then come back out of a backup"
    )


class Erasures:
    """The names that were erased. Whoever writes holds the lock of the space."""

    def __init__(self, folder: Path, store_id: str, now_ms: Callable[[], int] = clock_ms) -> None:
        """Use the folder of a store. Raises ErasuresError."""
        self._folder = folder
        self._now_ms = now_ms
        self._counts: dict[str, int] = {}
        try:
            found = (folder / FILE).read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            raise ErasuresError(f"{folder} is not there, or no folder of erasures") from None
        if found != store_id:
            raise ErasuresError(f"{folder} has the erasures of another store")

    @staticmethod
    def begin(folder: Path, store_id: str) -> None:
        """Lay out an empty folder. Raises ErasuresError where it has something."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ErasuresError(f"{folder} has something in it already")
        folder.chmod(0o700)
        write_private(folder / FILE, f"{store_id}\n".encode("ascii"))

    def find(self, space: str, kind: Kind, name: str) -> Receipt | None:
        """The receipt of what was erased; None where it was not."""
        try:
            text = self._path(space, kind, name).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(text, type=Receipt)

    def write(self, space: str, kind: Kind, name: str) -> Receipt:
        """Say durably that a name is erased: the receipt, of the first time. Raises OSError."""
        known = self.find(space, kind, name)
        if known is not None:
            return known
        if self.count(space) >= ERASED_LIMIT:
            raise Problem(507, "so many names of this space were erased: begin another space")
        receipt = Receipt(erased_at=self._now_ms(), name=name, space=space)
        path = self._path(space, kind, name)
        if not path.parents[1].is_dir() and len(self.spaces()) >= SPACES_LIMIT:
            raise Problem(507, "the store has all the spaces that it takes")
        make_folder(path.parents[1])
        make_folder(path.parent)
        write_private(path, msgspec.json.encode(receipt))
        self._counts[space] += 1
        return receipt

    def count(self, space: str) -> int:
        """How many names of a space were erased."""
        if space not in self._counts:
            self._counts[space] = sum(1 for kind in KINDS for _ in self.names(space, kind))
        return self._counts[space]

    def spaces(self) -> list[str]:
        """The spaces of which something was erased."""
        return sorted(path.name for path in self._folder.iterdir() if NAME.match(path.name))

    def names(self, space: str, kind: Kind) -> Iterator[str]:
        """The names that were erased."""
        for name, _ in sizes_in(self._folder / space / kind):
            yield name

    def receipts(self, space: str, kind: Kind = Kind.BLOB) -> Iterator[Receipt]:
        """The receipts of a space, by name."""
        for name in self.names(space, kind):
            found = self.find(space, kind, name)
            if found is not None:
                yield found

    def sweep(self) -> None:
        """Remove what a program that was killed had in making."""
        sweep_partial(self._folder)
        for space in self.spaces():
            for kind in KINDS:
                sweep_partial(self._folder / space / kind)

    def _path(self, space: str, kind: Kind, name: str) -> Path:
        return self._folder / space / kind / name
