"""A store is made, its spaces are listed with quotas, and what it has erased is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Place
from tongbao.services.data_store.erasures import Erasures
from tongbao.services.data_store.folder import StoreFolder
from tongbao.services.data_store.names import Kind

SPACE = "ab" * 32
OTHER = "cd" * 32
NAME = "12" * 32


@pytest.fixture
def own(tmp_path: Path) -> Place:
    """A place without a passphrase: no command of a store wants one."""
    place = Place(tmp_path / "none", passphrase=None)
    made = place.do("data-store", "init", "--folder", str(tmp_path / "store"), "--names", "5")
    assert made["names"] == 5 and made["open"] is False and made["storage"] == "files"
    return place


def test_spaces_are_added_changed_and_removed(own: Place, tmp_path: Path) -> None:
    """Given a new store.

    When a space is added, again with another quota, listed and removed
    Then each answer tells it, and what was not given is the store's own quota
    """
    folder = ("--folder", str(tmp_path / "store"))
    added = own.do("data-store", "space", "add", SPACE, *folder)
    assert added == {"space": SPACE, "bytes": 1_073_741_824, "names": 5}
    own.do("data-store", "space", "add", SPACE, "--bytes", "10", *folder)
    listed = own.do("data-store", "space", "list", *folder)
    assert listed == {"open": False, "spaces": [{"space": SPACE, "bytes": 10, "names": 5}]}
    assert own.call("data-store", "space", "list", *folder).last == "1 space served"
    removed = own.do("data-store", "space", "remove", SPACE, *folder)
    assert removed == {"space": SPACE, "erased": 0}
    again = own.call("data-store", "space", "remove", SPACE, *folder)
    assert again.code == 4 and "not listed" in again.err


def test_what_was_erased_is_listed_and_a_space_is_erased_as_a_whole(
    own: Place, tmp_path: Path
) -> None:
    """Given a space with a key, and erasures of another one.

    When the space is removed with --erase, and erasures are listed
    Then the key is gone, and there is a receipt of each
    """
    found = StoreFolder(tmp_path / "store")
    folder = ("--folder", str(found.path))
    Erasures(found.erasures, found.served().id).write(OTHER, Kind.BLOB, NAME)
    keys = found.spaces / SPACE / "keys"
    keys.mkdir(parents=True)
    (keys / NAME).write_bytes(b"k" * 40)
    removed = own.do("data-store", "space", "remove", SPACE, "--erase", *folder)
    assert removed == {"space": SPACE, "erased": 1}
    assert not (keys / NAME).exists()
    listed = own.do("data-store", "erasures", *folder)["erasures"]
    assert [(one["space"], one["name"]) for one in listed] == [(SPACE, NAME), (OTHER, NAME)]
    of_one = own.call("data-store", "erasures", "--space", OTHER, *folder)
    assert of_one.last == "1 blob erased"


def test_what_is_no_store_no_space_or_no_origin_is_told(own: Place, tmp_path: Path) -> None:
    """Given a store.

    When a folder is none, a space is no key, it is made twice, or would listen in the clear
    Then the command ends with the code and what to do
    """
    folder = ("--folder", str(tmp_path / "store"))
    cases = (
        (("space", "list", "--folder", str(tmp_path)), 66, "data-store init"),
        (("init", *folder), 66, "name a new folder"),
        (("space", "add", "AB", *folder), 2, "64 hex digits"),
        (("run", "--host", "0.0.0.0", *folder), 78, "behind-tls-proxy"),  # noqa: S104
        (("run", "--host", "0.0.0.0", "--behind-tls-proxy", *folder), 78, "--origin"),  # noqa: S104
        (("run", "--origin", "store.example", *folder), 2, "no origin"),
        (("run", "--tls-key", "key.pem", *folder), 2, "goes with its key"),
        (("run", "--s3", "bucket.toml", *folder), 66, "leave --s3 out"),
    )
    for arguments, code, said in cases:
        told = own.call("data-store", *arguments)
        assert (told.code, said in told.err) == (code, True), (arguments, told)
