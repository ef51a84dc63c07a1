"""Keys are made, kept, shown and removed, and their secrets never are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import PASSPHRASE, Place
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.signer import SoftwareKey

SEED = bytes(range(32))


@pytest.fixture
def offline(tmp_path: Path) -> Place:
    """A folder without a chain, where keys may be kept all the same."""
    return Place(tmp_path / "offline")


def test_a_key_is_made_listed_shown_and_removed(offline: Place) -> None:
    """
    Given no keys,
    when one is made, listed, shown and removed,
    then every answer has the same public half, and in the end there is no key.
    """
    made = offline.do("keys", "create", "ann")
    listed = offline.do("keys", "list")
    shown = offline.call("keys", "show", "ann")
    unsure = offline.call("keys", "remove", "ann", stdin="")
    removed = offline.do("keys", "remove", "ann", "--yes")

    assert listed == {"keys": [made]}
    assert shown.last == made["public"]
    assert unsure.code == 2
    assert removed == made
    assert offline.do("keys", "list") == {"keys": []}


@pytest.mark.parametrize(
    "text", [SEED.hex(), f"\n{SEED.hex()} \n", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"]
)
def test_a_key_made_elsewhere_is_imported(text: str, offline: Place, tmp_path: Path) -> None:
    """
    Given a seed as hex digits or base64url,
    when it is imported from a file and from standard input,
    then both keys have its public half, and opening them gives the seed back.
    """
    (tmp_path / "seed").write_text(text)
    offline.do("keys", "import", "one", "--seed-file", str(tmp_path / "seed"))
    told = offline.call("keys", "import", "two", "--seed-file", "-", stdin=text)

    public = SoftwareKey.from_seed(SEED).key_id
    assert told.code == 0
    assert [key["public"] for key in offline.do("keys", "list")["keys"]] == [public, public]
    assert Keystore(offline.folder / "keys").unlock("two", PASSPHRASE).seed == SEED


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "not a seed", "é"])
def test_what_is_no_seed_is_never_repeated(text: str, offline: Place) -> None:
    """
    Given input that is no seed,
    when it is imported,
    then the error does not repeat it, and no key is made.
    """
    told = offline.call("keys", "import", "ann", "--seed-file", "-", stdin=text)

    assert told == type(told)(
        65,
        "",
        "do: write 64 hex digits, or 43 characters of base64url\n"
        "error: the file holds no Ed25519 seed\n",
    )
    assert offline.do("keys", "list") == {"keys": []}


def test_a_new_passphrase_opens_and_the_old_one_does_not(offline: Place, tmp_path: Path) -> None:
    """
    Given a key,
    when its passphrase is changed by a file,
    then the new one changes it again and the old one is refused.
    """
    (tmp_path / "new").write_text("another pass phrase\n")
    change = ("keys", "passphrase", "ann", "--new-passphrase-file", str(tmp_path / "new"))
    made = offline.do("keys", "create", "ann")
    assert offline.do(*change) == made

    assert offline.call(*change).code == 77
    assert Place(offline.folder, "another pass phrase").call(*change).code == 0


def test_names_of_keys_are_taken_once_and_must_exist(offline: Place) -> None:
    """
    Given a key,
    when its name is taken again, and when others are asked for that do not exist,
    then each is refused with what to do.
    """
    made = offline.do("keys", "create", "ann")
    words = (
        ("create", "ann"),
        ("create", "../ann"),
        ("show", "ben"),
        ("remove", "ben", "--yes"),
        ("passphrase", "ben"),
    )
    told = [offline.call("keys", *each) for each in words]

    assert [each.code for each in told] == [2, 2, 77, 77, 77]
    assert all(each.out == "" and len(each.err.splitlines()) == 2 for each in told)
    assert offline.do("keys", "list") == {"keys": [made]}


def test_a_key_is_made_with_no_passphrase_never(offline: Place) -> None:
    """
    Given no passphrase and no terminal, or an empty one,
    when a key is made,
    then it is refused and nothing is written.
    """
    told = [
        Place(offline.folder, each).call("keys", "create", "ann", stdin="") for each in ("", None)
    ]

    assert [each.code for each in told] == [77, 77]
    assert not offline.folder.exists()
