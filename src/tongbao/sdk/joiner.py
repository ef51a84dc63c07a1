"""What an engine that joins by a snapshot can't know of modules."""

from __future__ import annotations

from msgspec import Struct

from tongbao.kernel import Genesis, GenesisError, Machine, Registry
from tongbao.kernel.code import kept_upgrades
from tongbao.kernel.state import Backing
from tongbao.sdk.announced import ModuleError
from tongbao.sdk.choosing import choose_modules, likely_tables
from tongbao.sdk.opening import machine_on
from tongbao.store.store import Store


class InstalledCode(Struct, frozen=True):
    """The modules that are installed here, for a chain with this genesis file."""

    genesis: Genesis

    def registry(self, rows: Backing, height: int, /) -> Registry:
        """Those that genesis and the upgrades among the rows name. Raises GenesisError."""
        try:
            return choose_modules(self.genesis, kept_upgrades(rows), height, to_write=True)
        except ModuleError as error:
            raise GenesisError(str(error)) from error

    def machine(self, store: Store, /) -> Machine:
        """A machine on the rows of a store, under the root of its last header. Raises StoreError,
        GenesisError, ModuleError.
        """
        return machine_on(store, self.genesis, likely_tables(self.genesis), to_write=True)
