"""A chain in memory with quotas: sponsors, the accounts for which they stand, and strangers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.fixed_chain import BEGIN, HOUR, key
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tongbao.engines.solo import Options, Producer, SoloEngine
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Decided,
    Machine,
    Message,
    Reference,
    Small,
    Time,
)
from tongbao.kernel.genesis import chain_id, section
from tongbao.kernel.kernel_module import (
    COMMON_CAPACITY,
    COMMON_PER_MINUTE,
    QUOTAS,
    SponsoredCount,
    Tokens,
)
from tongbao.modules import asset, sponsor
from tongbao.modules.registry import registry
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY
from tongbao.store.interface import AnyStore
from tongbao.store.memory import MemoryStore
from tongbao.store.store import Store

MINT: Final = "mint"
"""A sponsor with more tokens than any test needs: it has given everybody money."""
PLENTY: Final = 1_000_000
COMMON: Final = (16, 1)


class Sponsored(Struct, frozen=True):
    """A sponsor: what its bucket holds, what flows in each minute, for whom it stands."""

    capacity: int
    per_minute: int
    accounts: tuple[str, ...] = ()


class SponsoredChain:
    """A producer on a chain whose accounts are named, each with money of the mint."""

    def __init__(
        self,
        sponsors: Mapping[str, Sponsored],
        strangers: Sequence[str] = (),
        common: tuple[int, int] = COMMON,
        begin: int = BEGIN,
        folder: Path | None = None,
    ) -> None:
        """Begin it, in memory unless a folder is given, which `lay_out` completes.

        `common` is the bucket of all for whom no sponsor pays.
        """
        every = {MINT: Sponsored(PLENTY, PLENTY), **sponsors}
        self.names = [*every, *(name for one in every.values() for name in one.accounts)]
        self.names += strangers
        self.begin = begin
        self.nonces = dict.fromkeys(self.names, 0)
        self._address = {name: genesis_address(at) for at, name in enumerate(self.names)}
        self.cny = AssetId(f"CNY.{self.address(MINT)}")
        first = tuple(
            sponsor.FirstAllowance(
                sponsor=self.address(name),
                capacity=Tokens(one.capacity),
                per_minute=Tokens(one.per_minute),
                accounts=SponsoredCount(1_000),
                stands_for=tuple(self.address(each) for each in one.accounts),
            )
            for name, one in every.items()
        )
        self.genesis = build_genesis(
            registry(),
            "sponsored",
            begin,
            key("authority").key_id,
            tuple(single_key(key(name).key_id) for name in self.names),
            {QUOTAS.name: 1, COMMON_CAPACITY.name: common[0], COMMON_PER_MINUTE.name: common[1]},
            (section("sponsor", sponsor.Start(sponsors=first)),),
        )
        self.store: AnyStore = MemoryStore()
        if folder is not None:
            folder.mkdir()
            self.store = Store.open(folder, chain=chain_id(self.genesis))
        self.machine = Machine(registry(), self.genesis, self.store, -1, 0)
        self.producer = Producer(self.machine, self.store, key("authority"))
        self.producer.begin()
        self._fund()

    def _fund(self) -> None:
        messages: list[Message] = [asset.Define(code=AssetCode("CNY"), scale=Small(2))]
        messages += [
            asset.Issue(
                asset=self.cny,
                amount=Amount("100.00"),
                payee=self.address(name),
                reference=Reference(f"first-{at}"),
            )
            for at, name in enumerate(self.names)
        ]
        at_once = 200
        wires = [
            self.signed(MINT, *messages[at : at + at_once])
            for at in range(0, len(messages), at_once)
        ]
        made = self.make(*wires)
        assert not any(result.number for result in made.results)

    def address(self, name: str) -> Address:
        """The account of a name."""
        return self._address[name]

    def signed(
        self, name: str, *messages: Message, sponsor: str | None = None, as_key: str = ""
    ) -> bytes:
        """A transaction, signed by its sender, or with the key of another name."""
        self.nonces[name] += 1
        payload = payload_bytes(
            self.machine.chain,
            self.address(name),
            self.nonces[name],
            Time(self.begin + 23 * HOUR),
            messages,
            sponsor=None if sponsor is None else self.address(sponsor),
        )
        return sign(payload, [key(as_key or name)])

    def pay(self, name: str, sponsor: str | None = None, as_key: str = "", count: int = 1) -> bytes:
        """Some payments of a cent to the mint, in one transaction."""
        payee = self.address(MINT)
        message = asset.Transfer(asset=self.cny, amount=Amount("0.01"), payee=payee)
        return self.signed(name, *[message] * count, sponsor=sponsor, as_key=as_key)

    def make(self, *transactions: bytes, after_ms: int = 1_000) -> Decided:
        """A block so long after the last one."""
        made = self.producer.make(
            transactions, self.machine.time + after_ms, even_empty=not transactions
        )
        assert made is not None
        return made.decided

    def lay_out(self, folder: Path) -> None:
        """Close the chain, and write what `tongbao run` needs beside it."""
        self.producer.maintain(idle=True)
        self.store.close()
        Folder(folder).lay_out(self.genesis)
        seed = sha256(b"authority").digest()
        Keystore(folder / "keys", CHEAP).store(AUTHORITY, seed, PASSPHRASE)

    def running(self, clock: Callable[[], int], options: Options | None = None) -> Chain:
        """The chain behind a running engine."""
        engine = SoloEngine(self.producer, options, clock)
        engine.start()
        return Chain(engine, self.store, self.genesis)
