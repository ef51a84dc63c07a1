"""What the commands of a source share: their options, and the source with its chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tongbao.cli.options import (
    Passphrase,
    folder_option,
    json_option,
    node_option,
    passphrase_option,
)
from tongbao.cli.session import Session

if TYPE_CHECKING:
    from tongbao.cli.session import OpenChain
    from tongbao.sdk.signer import SoftwareKey
    from tongbao.services.data_source.source import Source

F = TypeVar("F", bound=Callable[..., Any])


def everywhere(function: F) -> F:
    """The options of each command."""
    for option in (json_option, passphrase_option, node_option, folder_option):
        function = option(function)
    return function


@contextmanager
def opened(
    folder: Path, node: str | None, passphrase_file: Path | None
) -> Iterator[tuple[Source, OpenChain]]:
    """A source and its chain. Raises SourceError for another chain."""
    from tongbao.services.data_source.settings import SourceError
    from tongbao.services.data_source.source import open_source

    session, signer = _begun(folder, node, passphrase_file)
    with (
        session.open(write=True) as chain,
        open_source(folder, session.passphrase.get(), signer) as source,
    ):
        if chain.id != source.settings.chain:
            raise SourceError(
                f"the node serves {chain.id}, and the source is of {source.settings.chain}",
                "name a node of its chain: --node",
            )
        yield source, chain


@contextmanager
def opened_alone(folder: Path, passphrase_file: Path | None) -> Iterator[Source]:
    """A source, for what needs no chain."""
    from tongbao.services.data_source.source import open_source

    session, signer = _begun(folder, None, passphrase_file)
    with open_source(folder, session.passphrase.get(), signer) as source:
        yield source


def _begun(
    folder: Path, node: str | None, passphrase_file: Path | None
) -> tuple[Session, SoftwareKey]:
    from tongbao.services.data_source.settings import read_settings

    settings = read_settings(folder)
    session = Session(folder, Passphrase(passphrase_file), node)
    return session, session.keystore.unlock(settings.key, session.passphrase.get())
