"""A person at work: the folder, the ledger, the store and the agents, put together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

import msgspec

from tongbao.kernel import Address
from tongbao.sdk.client import Client
from tongbao.sdk.data.store_client import StoreClient
from tongbao.sdk.wallet import Wallet
from tongbao.services.my_data.agents import AgentDoor
from tongbao.services.my_data.home import Home, HomeError
from tongbao.services.my_data.keys import PersonKeys
from tongbao.services.my_data.ledger import Owned
from tongbao.services.my_data.notebook import Notebook
from tongbao.services.my_data.shelf import Shelf

SHELVED: Final = "shelved"
"""The vault's record of which states of the notebook the store may have."""


class Person:
    """One person's folder with everything it talks to. Use it in `with`."""

    def __init__(self, home: Home, chain: Client, store: StoreClient) -> None:
        """Put the parts together; all of them are closed with it. Raises HomeError."""
        if chain.id != home.notebook.chain:
            raise HomeError(
                f"the node serves {chain.id}, and this folder is of {home.notebook.chain}",
                "name a node of that chain: `tongbao mydata move --node URL`",
                65,
            )
        self.home = home
        self.chain = chain
        self.shelf = Shelf(store, home.keys)
        self.store = store
        self._doors: dict[str, AgentDoor] = {}

    @property
    def keys(self) -> PersonKeys:
        """All keys of the person."""
        return self.home.keys

    @property
    def notebook(self) -> Notebook:
        """What is noted now."""
        return self.home.notebook

    @property
    def account(self) -> Address:
        """The person's account. Raises HomeError while there is none."""
        if self.notebook.account is None:
            raise HomeError(
                "this folder has no account yet: let one be opened for its key "
                "(`tongbao mydata account`), then `tongbao mydata account use ADDRESS`"
            )
        return Address(self.notebook.account)

    @property
    def wallet(self) -> Wallet:
        """What sends for the account."""
        return self.chain.wallet(self.account, self.keys.signer)

    def now(self) -> int:
        """The ledger's time, in ms UTC."""
        return self.chain.now()

    def owned(self) -> Owned:
        """What the ledger has of this person now."""
        return Owned(self.chain, self.account)

    def door(self, agent: str) -> AgentDoor:
        """An agent by its account, which must be noted. Raises KeyError."""
        if agent not in self._doors:
            url = self.notebook.agents[agent]
            self._doors[agent] = AgentDoor(url, self.keys.signer, self.account)
        return self._doors[agent]

    def meet(self, url: str) -> Address:
        """Note the agent at an address; its account. Raises AgentError."""
        door = AgentDoor(url, self.keys.signer, self.account)
        try:
            account = door.about(self.chain).account
        finally:
            door.close()
        if self.notebook.agents.get(account) != door.url:
            self.home.note(agents={**self.notebook.agents, account: door.url})
            if account in self._doors:
                self._doors.pop(account).close()
        return account

    def put_notebook(self) -> None:
        """Let the store have the newest state, and only that. May be called again."""
        shelved = self._shelved()
        if shelved.number == self.notebook.number and len(shelved.names) == 1:
            return
        name = self.shelf.new_name()
        names = (*shelved.names, name)
        self._note_shelved(_Shelved(number=-1, names=names))
        self.shelf.put_note(name, self.notebook)
        for old in shelved.names:
            self.shelf.remove(old)
        self._note_shelved(_Shelved(number=self.notebook.number, names=(name,)))

    def litter(self) -> list[str]:
        """What lies at the store and is neither a batch that is noted nor the notebook."""
        noted = {one.commitment for one in self.notebook.batches} | set(self._shelved().names)
        return sorted(self.shelf.names() - noted)

    def has_shelved(self, names: tuple[str, ...]) -> None:
        """Note which states the store has, after a folder was made again."""
        self._note_shelved(_Shelved(number=-1, names=names))

    def _shelved(self) -> _Shelved:
        with suppress(KeyError):
            return msgspec.json.decode(self.home.vault.get(SHELVED), type=_Shelved)
        return _Shelved(number=-1, names=())

    def _note_shelved(self, shelved: _Shelved) -> None:
        self.home.vault.put(SHELVED, msgspec.json.encode(shelved))

    def close(self) -> None:
        """Close everything."""
        closing: list[Callable[[], None]] = [one.close for one in self._doors.values()]
        for close in (*closing, self.store.close, self.chain.close, self.home.close):
            close()

    def __enter__(self) -> Self:
        """Close at the end of the `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


class _Shelved(msgspec.Struct, frozen=True):
    """`number` is that of the state that lies there alone; -1 while that is not known."""

    number: int
    names: tuple[str, ...]
