"""What an agent deletes of its blobs, while another thread seals one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tongbao.sdk.data.store_client import StoreAway
from tongbao.sdk.vault import Vault
from tongbao.services.data_agent.journal import Journal
from tongbao.services.data_agent.shelf import Shelf

FIRST = "00" * 32
"""A blob that comes before every other."""


class Space:
    """A store's space in memory, in which something else happens during a deletion."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        """Do that once."""
        self.blobs: dict[str, bytes] = {}
        self.meanwhile = [meanwhile]

    def put(self, name: str, file: Path) -> None:
        """Keep the bytes of a file."""
        self.blobs[name] = file.read_bytes()

    def get(self, name: str, first: int, count: int) -> bytes:
        """All of them: the test asks for no part."""
        return self.blobs[name]

    def delete(self, name: str) -> None:
        """Destroy a blob."""
        if self.meanwhile:
            self.meanwhile.pop()()
        self.blobs.pop(name, None)

    def names(self) -> list[str]:
        """All blobs that are there."""
        return list(self.blobs)


def test_a_package_that_was_sealed_while_litter_is_deleted_stays(tmp_path: Path) -> None:
    """
    Given litter at the store, and a package that is being sealed,
    when the sealing ends, and says that the package is needed, while the litter is deleted,
    then the litter is gone and the package is there.
    """
    journal = Journal(tmp_path)
    sealed: list[str] = []

    def written(write: Callable[[bytes], object]) -> None:
        write(b"a package")

    def end() -> None:
        journal.gone(sealed[0])  # as the line of the order does, which needs it
        sealing.__exit__(None, None, None)

    space = Space(end)
    with (
        closing(journal),
        Vault.create(tmp_path / "vault", PASSPHRASE, CHEAP) as vault,
    ):
        shelf = Shelf(journal, vault, space, tmp_path)
        journal.leave(FIRST)
        sealing = shelf.sealing(written)
        sealed.append(sealing.__enter__())
        shelf.tidy()

        assert (space.blobs, journal.left()) == ({sealed[0]: b"a package"}, [])


class Away(Space):
    """A space whose store takes nothing."""

    def put(self, name: str, file: Path) -> None:
        """Refuse."""
        raise StoreAway("the store is away")


def test_a_store_that_takes_nothing_fills_no_disk_of_the_agent_s(tmp_path: Path) -> None:
    """
    Given a store that is away,
    when a package is sealed for it again and again,
    then no file of any try is left in the agent's folder.
    """

    def written(write: Callable[[bytes], object]) -> None:
        write(b"a package")

    with (
        closing(Journal(tmp_path)) as journal,
        Vault.create(tmp_path / "vault", PASSPHRASE, CHEAP) as vault,
    ):
        shelf = Shelf(journal, vault, Away(list), tmp_path)
        for _ in range(3):
            with pytest.raises(StoreAway), shelf.sealing(written):
                raise AssertionError("nothing was kept")
        assert not list((tmp_path / "work").iterdir())
