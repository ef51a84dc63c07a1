"""Names of accounts: kept whole, never mistaken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongbao.cli.book import FILE, AccountBook
from tongbao.cli.failures import CommandError
from tongbao.kernel import Address
from tongbao.sdk.genesis_builder import genesis_address

BOB = Address("2f" * 20)


def test_a_remembered_name_is_read_back(tmp_path: Path) -> None:
    """
    Given a name that was remembered,
    when the book is read again,
    then it has the name, and the operator whom every chain has.
    """
    AccountBook(tmp_path).remember("bob", BOB)

    book = AccountBook(tmp_path)
    assert book.names == {"bob": BOB, "operator": genesis_address(0)}
    assert book.address("bob") == book.address(BOB) == BOB
    assert book.names_of(BOB) == ["bob"]


def test_a_name_is_never_given_to_another(tmp_path: Path) -> None:
    """
    Given a remembered name,
    when another account is to have it,
    then it is refused and the file is as before.
    """
    book = AccountBook(tmp_path)
    book.remember("bob", BOB)
    before = (tmp_path / FILE).read_bytes()

    with pytest.raises(CommandError, match="bob is remembered already"):
        book.remember("bob", Address("3f" * 20))
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("name", ["", "Bob", "1bob", "b b", "b" * 33, "b/../c", "bób", "b\n"])
def test_what_could_be_mistaken_is_no_name(name: str, tmp_path: Path) -> None:
    """
    Given text that is no name,
    when an account is to have it,
    then it is refused and no file is made.
    """
    with pytest.raises(CommandError, match="can't be a name"):
        AccountBook(tmp_path).remember(name, BOB)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", '{"bob":1}', '{"bob":"2f"}', "\udcff"])
def test_a_damaged_book_is_told(text: str, tmp_path: Path) -> None:
    """
    Given a file that is no book,
    when it is read,
    then the error names it and says how to go on.
    """
    (tmp_path / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(CommandError, match=r"accounts\.json can't be read") as caught:
        AccountBook(tmp_path)
    assert caught.value.exit_code == 65
