"""What commands on one folder share: its names, its keys, and the chain when it is open.

The SDK's parts that need the extra `node` are imported when they are used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from tongbao.cli.book import AccountBook
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import API_KEY_VARIABLE, Passphrase, terminal_of
from tongbao.cli.values import Resolver
from tongbao.kernel import Address, AssetId, Message
from tongbao.modules import asset
from tongbao.sdk.folder import OPEN_PASSPHRASE, Folder

if TYPE_CHECKING:
    from tongbao.cli.sending import Order
    from tongbao.sdk.http import HttpChain
    from tongbao.sdk.keystore import Keystore
    from tongbao.sdk.local import Chain
    from tongbao.sdk.presence import Presence
    from tongbao.sdk.signer import Signer

    OpenChain: TypeAlias = Chain | HttpChain


class Session:
    """One folder, its names and keys, and the passphrase that opens them."""

    def __init__(
        self, folder: Path, passphrase: Passphrase | None = None, node: str | None = None
    ) -> None:
        """Read the names; the chain stays closed. `node` is asked in the place of the folder."""
        self.node = node
        self.folder = Folder(folder)
        self.book = AccountBook(folder)
        self.passphrase = passphrase or Passphrase(None)
        self.passphrase.lies_open_in(folder / OPEN_PASSPHRASE)
        self._chain: OpenChain | None = None

    @property
    def keystore(self) -> Keystore:
        """The keys of the folder."""
        from tongbao.sdk.keystore import Keystore

        return Keystore(self.folder.keys)

    def must_be_chain(self) -> None:
        """Say that a folder has no chain before anybody types a passphrase. Raises FolderError."""
        if self.node is None:
            self.folder.genesis()

    @contextmanager
    def open(self, *, write: bool) -> Iterator[OpenChain]:
        """The chain, until the `with` statement ends: behind a node, else open in this process.

        To write in this process it asks for the passphrase; a node has the authority's key itself.
        """
        with self._own(write) if self.node is None else remote(self.node) as chain:
            self._chain = chain
            try:
                yield chain
            finally:
                self._chain = None

    def _own(self, write: bool) -> OpenChain:
        """The folder's chain; where a node of this machine serves it, nobody else can open it."""
        from tongbao.sdk.opening import open_chain

        self.must_be_chain()
        node = self.served_at()
        if node is not None:
            _note(f"a node serves this folder: {node.address} is asked")
            return remote(node)
        passphrase = self.passphrase.get() if write else None
        return open_chain(self.folder.path, passphrase=passphrase)

    def served_at(self) -> Presence | None:
        """The node of this machine that serves this folder's chain, if one does."""
        from tongbao.kernel.genesis import chain_id
        from tongbao.sdk.presence import node_of

        if not self.folder.exists:
            return None
        return node_of(self.folder.path, chain_id(self.folder.genesis()))

    def note_foreign_trust(self) -> None:
        """Say it when the folder's trust file is not its chain's."""
        wrong = self.folder.foreign_trust(self.folder.genesis())
        if wrong:
            _note(f"note: {wrong}")

    # Names

    def resolver(self) -> Resolver:
        """How short forms are read here; codes of assets are looked up once the chain is open."""
        issuers = None if self._chain is None else self._issuers
        return Resolver(self.book, self.public_key, issuers)

    def public_key(self, name: str) -> str:
        """The public key of a key in the keystore, in base64url. Raises CommandError."""
        keystore = self.keystore
        if name not in keystore.names():
            raise CommandError(
                f"no key is named {name!r}",
                "see `tongbao keys list`, or give the key's 43 characters",
                Exit.NO_KEY,
            )
        return public_text(keystore, name)

    def _issuers(self, code: str) -> list[Address]:
        """The remembered accounts that have defined an asset of this code."""
        assert self._chain is not None
        known = set(self.book.names.values())
        show = self._chain.query
        return [issuer for issuer in known if show(asset.show, AssetId(f"{code}.{issuer}"))]

    # Keys

    def key_names(self, order: Order) -> list[str]:
        """The keys that shall sign: those that were chosen, else the sender's and the sponsor's.

        None is needed where signers were named. Raises CommandError when no key of the keystore
        goes with the sender.
        """
        if order.keys or order.signers:
            return self.chosen_keys(order.keys)
        present = self.keystore.names()
        own = self._keys_named_as(order.sender, present)
        if not own:
            raise CommandError(
                f"no key in the keystore is named as {order.sender} is",
                "name each key that signs: --key NAME (several for 2 of 3), or --signer ADDRESS",
                Exit.NO_KEY,
            )
        sponsor = order.sponsor
        return own + ([] if sponsor is None else self._keys_named_as(sponsor, present))

    def chosen_keys(self, names: tuple[str, ...]) -> list[str]:
        """These names, each once. Raises CommandError for one that the keystore doesn't have."""
        present = self.keystore.names()
        missing = [name for name in names if name not in present]
        if missing:
            raise CommandError(
                f"no key is named {missing[0]!r}", "see `tongbao keys list`", Exit.NO_KEY
            )
        return list(dict.fromkeys(names))

    def _keys_named_as(self, account: str, present: list[str]) -> list[str]:
        """The key with an account's name, as typed or as it is remembered."""
        names = [account, *self.book.names_of(self.book.address(account))]
        return [name for name in names if name in present][:1]

    @contextmanager
    def signing(
        self, names: list[str], addresses: tuple[str, ...], messages: tuple[Message, ...] = ()
    ) -> Iterator[list[Signer]]:
        """Keys of these names, the signers at these addresses until the `with` statement ends, and
        those of the keystore that the messages introduce.
        """
        from tongbao.sdk.signers import open_signer

        with ExitStack() as to_close:
            signers = self._unlock(names, messages)
            for address in addresses:
                signer = open_signer(address, os.environ)
                to_close.callback(signer.close)
                signers.append(signer)
            # Two names may be of one key, which signs once.
            yield list({signer.key_id: signer for signer in signers}.values())

    def _unlock(self, names: list[str], messages: tuple[Message, ...]) -> list[Signer]:
        keystore = self.keystore
        introduced = {key.public for message in messages for key in message.also_signed_by()}
        also = [
            name
            for name in (keystore.names() if introduced else [])
            if name not in names and public_text(keystore, name) in introduced
        ]
        wanted = (*names, *also)
        passphrase = self.passphrase.get() if wanted else ""
        return [keystore.unlock(name, passphrase) for name in wanted]


def _note(text: str) -> None:
    terminal_of(click.get_current_context()).note(text)


def remote(node: str | Presence, trust: Path | None = None) -> HttpChain:
    """The chain that a node serves, believed by a trust file; says so when it has to be patient."""
    said = Event()
    address = node if isinstance(node, str) else node.address

    def wait(seconds: float) -> None:
        if not said.is_set():
            _note(f"{address} does not answer; it is asked again for a while (Ctrl-C stops)")
            said.set()
        Event().wait(seconds)

    return reach(node, wait, trust)


def reach(
    node: str | Presence, wait: Callable[[float], object], trust: Path | None = None
) -> HttpChain:
    """The chain that a node serves, for who pauses by `wait`.

    One of another folder or machine is told the API key of the environment, if there is one.
    """
    from tongbao.sdk.http import HttpChain
    from tongbao.sdk.http_shared import TIMEOUT_S

    if isinstance(node, str):
        api_key = os.environ.get(API_KEY_VARIABLE) or None
        return HttpChain(node, wait=wait, trust=trust, api_key=api_key)
    return HttpChain(node.address, client=node.client(TIMEOUT_S), wait=wait, trust=trust)


def ask(chain: OpenChain, query: Callable[..., Any], arguments: dict[str, Any]) -> tuple[int, Any]:
    """What a module's query finds, behind the height at which that is true."""
    from tongbao.sdk.http import HttpChain

    if isinstance(chain, HttpChain):
        return chain.query_at(query, **arguments)
    with chain.reading() as height:
        return height, chain.query(query, **arguments)


def public_text(keystore: Keystore, name: str) -> str:
    """The public key of a key in base64url."""
    from tongbao.kernel.envelope import encode_base64url

    return encode_base64url(keystore.public_key(name))
