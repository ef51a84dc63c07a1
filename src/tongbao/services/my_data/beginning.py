"""How a person's folder begins, is opened, and is made again when it was lost."""

from __future__ import annotations

from pathlib import Path

from tongbao.kernel import Address
from tongbao.modules import data
from tongbao.sdk.client import Client
from tongbao.sdk.data.store_client import StoreClient
from tongbao.sdk.http import HttpChain
from tongbao.sdk.key_file import Cost
from tongbao.services.my_data.home import Home, HomeError
from tongbao.services.my_data.keys import PersonKeys
from tongbao.services.my_data.ledger import keys_of
from tongbao.services.my_data.notebook import Notebook
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.recovery import (
    RecoveryFacts,
    new_code,
    read_recovery,
    write_recovery,
)
from tongbao.services.my_data.shelf import Shelf


def begin(
    folder: Path,
    passphrase: str,
    node: str,
    store: str,
    *,
    trust: bytes | None = None,
    cost: Cost | None = None,
) -> Home:
    """A new folder for the chain that a node serves, and a store.

    By a trust file what the node answers is checked; without one the node is believed. Raises
    HomeError, Unreachable, VerificationError.
    """
    node, store = node.rstrip("/"), store.rstrip("/")
    with HttpChain(node, trust=trust) as chain:
        chain.query(data.clock)  # by which a node that can't be believed is found out now
        notebook = Notebook(
            account=None,
            chain=chain.id,
            node=node,
            store=store,
            trust=None if trust is None else trust.decode(),
        )
    return Home.create(folder, passphrase, notebook, cost=cost)


def recovery_file(home: Home) -> tuple[bytes, str]:
    """A recovery file of this folder, and the code that opens it."""
    notebook, code = home.notebook, new_code()
    facts = RecoveryFacts(
        account=notebook.account,
        chain=notebook.chain,
        node=notebook.node,
        root=home.keys.root.hex(),
        store=notebook.store,
        trust=notebook.trust,
    )
    return write_recovery(facts, code), code


def open_person(folder: Path, passphrase: str) -> Person:
    """A folder with its node and store. Raises HomeError, WrongPassphrase, Unreachable."""
    home = Home.open(folder, passphrase)
    try:
        return connected(home)
    except BaseException:
        home.close()
        raise


def connected(home: Home) -> Person:
    """A folder that is open, with the node and the store that it names."""
    notebook = home.notebook
    account = notebook.account
    session = None if account is None else (account, home.keys.signer)
    chain = HttpChain(notebook.node, session=session, trust=trust_of(notebook))
    try:
        return Person(home, chain, StoreClient(notebook.store, home.keys.space))
    except BaseException:
        chain.close()
        raise


def trust_of(notebook: Notebook) -> bytes | None:
    """The trust file by which the node is believed, if the person has named one."""
    return None if notebook.trust is None else notebook.trust.encode()


def use_account(home: Home, chain: Client, account: str) -> None:
    """Take an account for the person's own; its key must be one of the account's.

    Raises HomeError.
    """
    if home.keys.signer.key_id not in keys_of(chain, Address(account)):
        raise HomeError(
            f"the account {account[:64]} does not have this folder's key",
            "let it be opened for the key that `tongbao mydata account show` prints",
            4,
        )
    if home.notebook.account not in (None, account):
        raise HomeError(
            f"this folder is of the account {home.notebook.account} already",
            "make another folder for another account",
            2,
        )
    home.note(account=account)


def recover(
    folder: Path,
    passphrase: str,
    file: bytes,
    code: str,
    *,
    account: str | None = None,
    cost: Cost | None = None,
) -> Person:
    """The folder that was lost, under a passphrase: keys from the file, the rest from the store.

    `account` is needed only where the file was made before there was one and the store has no
    notebook. Raises BadRecovery, HomeError, Unreachable, StoreAway.
    """
    facts = read_recovery(file, code)
    root = bytes.fromhex(facts.root)
    keys = PersonKeys(root)
    with StoreClient(facts.store, keys.space) as store:
        found, names = Shelf(store, keys).newest_note()
    notebook = found or Notebook(
        account=account or facts.account,
        chain=facts.chain,
        node=facts.node,
        store=facts.store,
        trust=facts.trust,
    )
    home = Home.create(folder, passphrase, notebook, root=root, cost=cost)
    person = connected(home)
    person.has_shelved(names)
    return person
