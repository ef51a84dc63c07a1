"""What commands on one folder share: its names, its keys, and the chain when it is open.

The SDK's parts that need the extra `node` are imported when they are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tongbao.cli.book import AccountBook
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import Passphrase
from tongbao.cli.values import Resolver
from tongbao.kernel import Address, AssetId, Message
from tongbao.modules import asset
from tongbao.sdk.folder import Folder

if TYPE_CHECKING:
    from tongbao.sdk.keystore import Keystore
    from tongbao.sdk.local import Chain
    from tongbao.sdk.signer import Signer


class Session:
    """One folder, its names and keys, and the passphrase that opens them."""

    def __init__(self, folder: Path, passphrase: Passphrase | None = None) -> None:
        """Read the names; the chain stays closed."""
        self.folder = Folder(folder)
        self.book = AccountBook(folder)
        self.passphrase = passphrase or Passphrase(None)
        self._chain: Chain | None = None

    @property
    def keystore(self) -> Keystore:
        """The keys of the folder."""
        from tongbao.sdk.keystore import Keystore

        return Keystore(self.folder.keys)

    def must_be_chain(self) -> None:
        """Say that a folder has no chain before anybody types a passphrase. Raises FolderError."""
        self.folder.genesis()

    @contextmanager
    def open(self, *, write: bool) -> Iterator[Chain]:
        """The chain, open until the `with` statement ends; to write it asks for a passphrase."""
        from tongbao.sdk.opening import open_chain

        self.must_be_chain()
        passphrase = self.passphrase.get() if write else None
        with open_chain(self.folder.path, passphrase=passphrase) as chain:
            self._chain = chain
            try:
                yield chain
            finally:
                self._chain = None

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

    def key_names(self, sender: str, chosen: tuple[str, ...], sponsor: str | None) -> list[str]:
        """The keys that shall sign: those that were chosen, else the sender's and the sponsor's.

        Raises CommandError when no key of the keystore goes with the sender.
        """
        present = self.keystore.names()
        if chosen:
            missing = [name for name in chosen if name not in present]
            if missing:
                raise CommandError(
                    f"no key is named {missing[0]!r}", "see `tongbao keys list`", Exit.NO_KEY
                )
            return list(dict.fromkeys(chosen))
        own = self._keys_named_as(sender, present)
        if not own:
            raise CommandError(
                f"no key in the keystore is named as {sender} is",
                "name each key that signs: --key NAME (several for 2 of 3)",
                Exit.NO_KEY,
            )
        return own + ([] if sponsor is None else self._keys_named_as(sponsor, present))

    def _keys_named_as(self, account: str, present: list[str]) -> list[str]:
        """The key with an account's name, as typed or as it is remembered."""
        names = [account, *self.book.names_of(self.book.address(account))]
        return [name for name in names if name in present][:1]

    def unlock(self, names: list[str], messages: tuple[Message, ...] = ()) -> list[Signer]:
        """The keys of these names, and those of the keystore that the messages introduce."""
        keystore = self.keystore
        introduced = {key.public for message in messages for key in message.also_signed_by()}
        also = [
            name
            for name in (keystore.names() if introduced else [])
            if name not in names and public_text(keystore, name) in introduced
        ]
        passphrase = self.passphrase.get()
        signers = [keystore.unlock(name, passphrase) for name in (*names, *also)]
        # Two names may be of one key, which signs once.
        return list({signer.key_id: signer for signer in signers}.values())


def public_text(keystore: Keystore, name: str) -> str:
    """The public key of a key in base64url."""
    from tongbao.kernel.envelope import encode_base64url

    return encode_base64url(keystore.public_key(name))
