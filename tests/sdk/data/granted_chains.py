"""Chains in memory for a data market, solo or a network on paper: the same people on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from msgspec.structs import replace

from tests.fixed_chain import BEGIN, HOUR, key
from tests.modules.member_steps import lei
from tests.paper_chain import PaperChain, network_genesis
from tests.paper_network import FOUR, PaperNetwork, moment
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.solo import Producer, SoloEngine
from tongbao.kernel import Genesis, Machine, Small, Time
from tongbao.kernel.genesis import section
from tongbao.modules import data, governance, member
from tongbao.modules.registry import registry
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, module_lines, single_key
from tongbao.sdk.local import Chain
from tongbao.store.memory import MemoryStore

PEOPLE: Final = ("bank", "alice", "bob", "carol", "ann", "ben", "cid", "dave")
ADDRESSES: Final = {name: genesis_address(place) for place, name in enumerate(PEOPLE)}
SECOND: Final = 1_000
PARAMETERS: Final = {
    data.HALT_MS.name: HOUR,
    data.ACCEPT_MS.name: 20 * SECOND,
    data.REVEAL_MS.name: 20 * SECOND,
    data.DELETION_MS.name: 1,
}
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "bank": (data.REGISTRAR, member.SUPERVISOR),
    "bob": (),
    "ann": (member.ADJUDICATOR,),
    "ben": (member.ADJUDICATOR,),
    "cid": (member.ADJUDICATOR,),
}


def members_section() -> Any:
    """Everybody who is an institution."""
    first = tuple(
        member.FirstMember(
            lei=lei(place),
            name=member.MemberName(f"House of {name}"),
            accounts=(ADDRESSES[name],),
            roles=tuple(map(member.Role, roles)),
        )
        for place, (name, roles) in enumerate(ROLES.items())
    )
    return section("member", member.Start(members=first))


class Backing(Protocol):
    """A chain that makes blocks of what it is given."""

    machine: Machine
    store: MemoryStore
    genesis: Genesis

    def make(self, transactions: Sequence[bytes], time: int) -> None:
        """Make a block of a time in ms UTC."""

    def chain(self) -> Chain:
        """The chain as clients read it."""


class Solo:
    """One authority."""

    def __init__(self) -> None:
        """Begin the chain."""
        self.store = MemoryStore()
        start = governance.Start(
            operators=(ADDRESSES["bank"],), threshold=Small(1), delay_ms=governance.Delay(0)
        )
        self.genesis = build_genesis(
            registry(),
            "granted",
            BEGIN,
            key("authority").key_id,
            tuple(single_key(key(name).key_id) for name in PEOPLE),
            PARAMETERS,
            (members_section(), section("governance", start)),
        )
        self.machine = Machine(registry(), self.genesis, self.store, -1, 0)
        self.producer = Producer(self.machine, self.store, key("authority"))
        self.producer.begin()

    def make(self, transactions: Sequence[bytes], time: int) -> None:
        """Make a block."""
        self.producer.make(tuple(transactions), time, even_empty=True)
        self.producer.maintain(idle=True)

    def chain(self) -> Chain:
        """The chain; its engine makes no blocks."""
        engine = SoloEngine(self.producer, clock=lambda: Time(self.machine.time + 1))
        return Chain(engine, self.store, self.genesis)


class Paper(PaperChain):
    """Four validators."""

    def __init__(self) -> None:
        """Begin the chain, without what `PaperChain` tells first."""
        self.store = MemoryStore()
        base = network_genesis(BEGIN)
        accounts = build_genesis(
            registry(),
            "paper",
            BEGIN,
            key("authority").key_id,
            tuple(single_key(key(name).key_id) for name in PEOPLE),
            PARAMETERS,
        )
        self.genesis = replace(
            base,
            modules=module_lines(registry()),
            parameters=accounts.parameters,
            sections=(*accounts.sections, members_section(), *base.sections[1:]),
        )
        self.machine = Machine(registry(), self.genesis, self.store, -1, 0)
        self.application = MachineApplication(self.machine, self.store, lambda: BEGIN)
        self.network = PaperNetwork(self.machine.chain, FOUR, BEGIN)
        self.listeners = []
        self._nonces = {}
        asked = q.RequestInitChain(chain_id=self.machine.chain, initial_height=1)
        self._app_hash = self.application.init_chain(asked).app_hash


class PaperBacking:
    """The same as `Solo`, of a network."""

    def __init__(self) -> None:
        """Begin the chain."""
        self.paper = Paper()
        self.machine = self.paper.blocks.machine
        self.store, self.genesis = self.paper.store, self.paper.genesis

    def make(self, transactions: Sequence[bytes], time: int) -> None:
        """Make a block; a network says with the next one what this one came to."""
        self.paper.make(*transactions, time=moment(time))

    def chain(self) -> Chain:
        """The chain, once its last block can be proven."""
        self.make((), self.machine.time + SECOND)
        return self.paper.chain()


CHAINS: Final[dict[str, Callable[[], Backing]]] = {"solo": Solo, "cometbft": PaperBacking}
