"""A chain in memory whose every byte is fixed: seeds, times and module hashes are constants."""

from collections.abc import Callable, Mapping
from hashlib import sha256

from msgspec.structs import replace

from tongbao.engines.solo import Options, Producer, SoloEngine
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Genesis,
    Hash,
    Machine,
    Message,
    Reference,
    Registry,
    Small,
    Time,
)
from tongbao.modules import account, asset, hold
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.local import Chain
from tongbao.sdk.signer import SoftwareKey
from tongbao.store.interface import AnyStore
from tongbao.store.memory import MemoryStore

BEGIN = 1_790_000_000_000
HOUR = 3_600_000
MINUTE = 60_000
NO_HASH = Hash("0" * 64)


def key(name: str) -> SoftwareKey:
    """The key of somebody, always the same."""
    return SoftwareKey.from_seed(sha256(name.encode()).digest())


FIRST_MODULES = Registry((account.module, asset.module, hold.module))
"""The modules that this chain was begun with; later ones don't change what is frozen of it."""


def fixed_genesis(parameters: Mapping[str, int] | None = None) -> Genesis:
    """A genesis for bank, alice and shop that doesn't change with the code's hash."""
    names = ("bank", "alice", "shop")
    accounts = tuple(single_key(key(name).key_id) for name in names)
    authority = key("authority").key_id
    genesis = build_genesis(FIRST_MODULES, "fixed", BEGIN, authority, accounts, parameters)
    lines = tuple(replace(line, hash=NO_HASH) for line in genesis.modules)
    return replace(genesis, modules=lines)


class FixedChain:
    """A producer over a store, with the first asset defined and alice funded in block 1."""

    bank, alice, shop = (genesis_address(place) for place in range(3))
    cny = AssetId(f"CNY.{bank}")

    def __init__(
        self, store: AnyStore | None = None, parameters: Mapping[str, int] | None = None
    ) -> None:
        """Begin the chain, in memory unless a store is given."""
        self.store = store or MemoryStore()
        self.genesis = fixed_genesis(parameters)
        machine = Machine(FIRST_MODULES, self.genesis, self.store, -1, 0)
        self.producer = Producer(machine, self.store, key("authority"))
        self.producer.begin()
        self.nonces: dict[Address, int] = {}
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        issue = asset.Issue(
            asset=self.cny,
            amount=Amount("100.00"),
            payee=self.alice,
            reference=Reference("deposit-1"),
        )
        self.make(self.signed("bank", define, issue))

    def signed(self, name: str, *messages: Message, nonce: int | None = None) -> bytes:
        """A transaction of bank, alice or shop."""
        sender: Address = getattr(self, name)
        if nonce is None:
            nonce = self.nonces[sender] = self.nonces.get(sender, 0) + 1
        expires = Time(BEGIN + 24 * HOUR)
        chain = self.producer.machine.chain
        return sign(payload_bytes(chain, sender, nonce, expires, messages), [key(name)])

    def pay(self, amount: str) -> bytes:
        """Alice's payment to the shop."""
        message = asset.Transfer(asset=self.cny, amount=Amount(amount), payee=self.shop)
        return self.signed("alice", message)

    def place(self, amount: str, for_ms: int) -> bytes:
        """Alice's hold for the shop."""
        expires_at = Time(self.producer.machine.time + for_ms)
        return self.signed(
            "alice",
            hold.Place(
                asset=self.cny, amount=Amount(amount), payee=self.shop, expires_at=expires_at
            ),
        )

    def make(self, *transactions: bytes) -> None:
        """Make a block a second after the last one."""
        self.producer.make(transactions, self.producer.machine.time + 1_000)
        self.producer.maintain(idle=True)

    def reading(self) -> Chain:
        """The chain as clients read it; its engine makes no blocks, and its clock stands."""
        engine = SoloEngine(self.producer, clock=lambda: BEGIN + MINUTE)
        return Chain(engine, self.store, self.genesis)

    def running(self, clock: Callable[[], int], options: Options | None = None) -> Chain:
        """The chain behind a running engine."""
        engine = SoloEngine(self.producer, options, clock)
        engine.start()
        return Chain(engine, self.store, self.genesis)


def forged(wire: bytes) -> bytes:
    """The same transaction under a signature that is well formed and wrong."""
    head, body, _ = wire.split(b".")
    return head + b"." + body + b"." + b"A" * 86
