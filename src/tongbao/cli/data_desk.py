"""What commands of buyers and adjudicators share: a folder of their own, a key, and the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec
from msgspec import Struct

from tongbao.cli.book import ADDRESS
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    Passphrase,
    folder_option,
    json_option,
    node_option,
    passphrase_option,
    write_file,
)
from tongbao.cli.session import Session

if TYPE_CHECKING:
    from tongbao.cli.session import OpenChain
    from tongbao.sdk.wallet import Wallet

SETTINGS: Final = "desk.json"

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Desk(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who acts from a folder, by which key of the keystore, and where others' programs are."""

    account: str
    key: str
    places: dict[str, str] = {}


def own_option(name: str, default: str, what: str) -> Any:
    """The option that names the folder of a buyer or adjudicator."""
    return click.option(
        f"--{name}",
        "own",
        type=click.Path(file_okay=False, path_type=Path),
        default=default,
        show_default=True,
        help=what,
    )


def common_options(own: Any) -> Callable[[F], F]:
    """The options of each command of a program whose folder the option `own` names."""

    def decorate(function: F) -> F:
        for option in (json_option, passphrase_option, node_option, folder_option, own):
            function = option(function)
        return click.pass_context(function)  # type: ignore[return-value]

    return decorate


def session_of(given: dict[str, Any]) -> Session:
    """The session of the common options."""
    return Session(given["folder"], Passphrase(given["passphrase_file"]), given["node"])


def lay(session: Session, own: Path, account: str, key: str | None, places: dict[str, str]) -> Desk:
    """The settings of a new folder. Raises CommandError."""
    if (own / SETTINGS).exists():
        raise CommandError(f"{own} is laid out already", "name another folder")
    address = session.book.address(account)
    names = [key] if key else [account, *session.book.names_of(address)]
    found = next((name for name in names if name in session.keystore.names()), None)
    if found is None:
        raise CommandError(
            f"no key in the keystore is named as {account} is", "name it: --key", Exit.NO_KEY
        )
    return Desk(account=address, key=found, places=places)


def keep(own: Path, desk: Desk) -> None:
    """Write the settings of a folder."""
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(own / SETTINGS, msgspec.json.format(msgspec.json.encode(desk)) + b"\n")


def desk_of(own: Path) -> Desk:
    """The settings of a folder. Raises CommandError."""
    path = own / SETTINGS
    try:
        return msgspec.json.decode(path.read_bytes(), type=Desk)
    except FileNotFoundError:
        raise CommandError(f"{own} is not laid out", "do `init` first", Exit.NO_INPUT) from None
    except msgspec.DecodeError as error:
        raise CommandError(f"{path}: {error}", "bring it back from a copy", Exit.WRONG) from None


def places_of(pairs: tuple[str, ...], session: Session) -> dict[str, str]:
    """`ACCOUNT=URL` or `ACCOUNT=FILE`, as typed. Raises CommandError."""
    found: dict[str, str] = {}
    for pair in pairs:
        account, equals, place = pair.partition("=")
        if not equals or not place:
            raise CommandError(f"{pair!r} is not ACCOUNT=PLACE", "as carol=https://agent.example")
        address = session.book.address(account)
        if ADDRESS.fullmatch(address) is None:
            raise CommandError(f"{account!r} is no account", "take a name or 40 hex characters")
        found[address] = place.rstrip("/")
    return found


@contextmanager
def acting(session: Session, desk: Desk) -> Iterator[tuple[OpenChain, Wallet]]:
    """The chain, and the wallet of the desk's account, until the `with` statement ends."""
    session.must_be_chain()
    with session.signing([desk.key], ()) as signers, session.open(write=True) as chain:
        yield chain, chain.wallet(desk.account, *signers)
