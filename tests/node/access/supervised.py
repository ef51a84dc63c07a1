"""A chain with a supervisor and an operator, in memory and in a folder of a real node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.fixed_chain import BEGIN, FixedChain, key
from tests.modules.member_steps import FIRST, SECOND
from tests.sdk.kept_chain import PASSPHRASE, with_cheap_keys
from tongbao.engines.solo import Producer
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Hash, Machine, Small, Time
from tongbao.kernel.genesis import section
from tongbao.modules import governance, member, reading
from tongbao.modules.member import FirstMember, MemberName, Role, Start
from tongbao.modules.reading import OpenInspection
from tongbao.modules.registry import registry
from tongbao.node.access.recorder import Recorder
from tongbao.node.settings import Settings
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, single_key
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY, OPERATOR, open_chain
from tongbao.store.memory import MemoryStore

ALICE, SHOP, BANK = FixedChain.alice, FixedChain.shop, FixedChain.bank
BASIS: Final = Hash("ab" * 32)
MINUTE_MS: Final = 60_000


def members() -> Start:
    """The shop acts for a supervisor, the bank for an operator."""
    watching = FirstMember(
        lei=FIRST,
        name=MemberName("Authority"),
        accounts=(SHOP,),
        roles=(Role(member.SUPERVISOR),),
    )
    running = FirstMember(
        lei=SECOND, name=MemberName("Bank"), accounts=(BANK,), roles=(Role(member.OPERATOR),)
    )
    return Start(members=(watching, running))


def opening(now: int, lasts_ms: int = MINUTE_MS) -> OpenInspection:
    """The message by which an inspection of alice begins."""
    until = Time(now + lasts_ms)
    return OpenInspection(account=ALICE, reason=Small(6), basis_hash=BASIS, until=until)


def seats() -> governance.Start:
    """The bank alone decides, at once."""
    delay = governance.Delay(0)
    return governance.Start(operators=(BANK,), threshold=Small(1), delay_ms=delay)


class Supervised(FixedChain):
    """The fixed chain with all modules, a supervisor (shop) and an operator (bank)."""

    def __init__(self, parameters: Mapping[str, int] | None = None) -> None:
        """Begin it, in memory, with nothing issued."""
        self.store = MemoryStore()
        accounts = tuple(single_key(key(name).key_id) for name in ("bank", "alice", "shop"))
        self.genesis = build_genesis(
            registry(),
            "fixed",
            BEGIN,
            key("authority").key_id,
            accounts,
            parameters,
            (section("member", members()), section("governance", seats())),
        )
        machine = Machine(registry(), self.genesis, self.store, -1, 0)
        self.producer = Producer(machine, self.store, key("authority"))
        self.producer.begin()
        self.nonces = {}


def recorder(folder: Path, settings: Settings, name: str = "bank") -> Recorder:
    """What a node of the bank's records with; or of somebody's who is no operator."""
    return Recorder(folder / "reads", settings, getattr(FixedChain, name), key(name))


def tally_of(chain: Chain) -> reading.Tally | None:
    """The supervisor's tally now."""
    return chain.query(reading.tally, SHOP)


def lay_supervised(folder: Path) -> Path:
    """A folder with such a chain, its keys under the passphrase, and the file that names that."""
    with_cheap_keys(folder)
    keys = Keystore(folder / "keys")
    bank = keys.unlock(OPERATOR, PASSPHRASE)
    authority = keys.unlock(AUTHORITY, PASSPHRASE)
    opened = tuple(map(single_key, (bank.key_id, key("alice").key_id, key("shop").key_id)))
    genesis = build_genesis(
        registry(),
        "kept",
        wall_clock(),
        authority.key_id,
        opened,
        None,
        (section("member", members()),),
    )
    Folder(folder).lay_out(genesis)
    open_chain(folder, authority=authority).close()
    (folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    return folder


def recording_flags(folder: Path) -> tuple[str, ...]:
    """What `tongbao run` is told so that it records as the bank, at once."""
    return (
        *("--reads-account", BANK, "--reads-key", OPERATOR),
        *("--reads-passphrase-file", str(folder / "passphrase"), "--reads-batch-ms", "50"),
    )
