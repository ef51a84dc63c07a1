"""The programs of the market, each a process: node, store and agent under two users, panels."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from tests.modules.data_steps import COUNT
from tests.node.process import Node, running
from tests.scenarios.casts import Cast
from tests.scenarios.cheats import Cheats, cheats
from tests.scenarios.relay import Relay, relay
from tests.scenarios.town import ADDRESSES, PANEL, Town, lay
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tests.services.data_agent.market import storing
from tests.services.data_agent.programs import Program, program
from tests.services.data_agent.users import give, system_user
from tongbao.cli.data_desk import Desk, keep
from tongbao.modules import data
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.vault import Vault
from tongbao.services.data_agent.folder import Settings, create
from tongbao.testing.keys import named_key


class Programs(Struct, frozen=True):
    """What runs."""

    node: Node
    store: Program
    agent: Program
    relays: tuple[Relay, ...]
    """To node, store and agent: all that goes between programs goes through one."""


class Stage:
    """The running market; whoever plays in it gets a cast of its own."""

    def __init__(
        self, town: Town, place: Path, programs: Programs, cheating: tuple[Cheats, str]
    ) -> None:
        """With a node, an agent and the cheats."""
        self.town = town
        self.place = place
        self.programs = programs
        self.cheats, url = cheating
        self.places = {"carol": programs.relays[-1].url, "cheats": url}

    def cast(self, seals: str, fields: tuple[data.Field, ...] = (COUNT,)) -> Cast:
        """A new cast, whose seller is `carol`, a `cheat`, or the `owner`."""
        found = Cast(self.town, seals, self.places, self.place, fields)
        found.cheats = self.cheats
        return found

    @contextmanager
    def panels(self) -> Iterator[dict[str, str]]:
        """Three adjudicators' programs while they run, and where each is."""
        desk = self.place / f"desk-{secrets.token_hex(4)}"
        desk.mkdir(mode=0o700)
        keys = Keystore(desk / "keys", CHEAP)
        for name in PANEL:
            keys.store(name, named_key(name).seed, PASSPHRASE)
            lay_panel(desk / name)
            keep(desk / name, Desk(account=ADDRESSES[name], key=name))

        def start(name: str) -> Program:
            folders = ("--panel", str(desk / name), "--folder", str(desk))
            words = ("data-panel", "run", "--vote", "--port", "0", *folders)
            return Program(*words, "--node", self.town.node)

        with ThreadPoolExecutor(len(PANEL)) as pool:
            programs = dict(zip(PANEL, pool.map(start, PANEL), strict=True))
        try:
            yield {ADDRESSES[name]: each.address for name, each in programs.items()}
        finally:
            for each in programs.values():
                each.kill()


def lay_panel(path: Path) -> None:
    """An adjudicator's folder whose passphrase costs little."""
    path.mkdir(mode=0o700)
    Vault.create(path / "vault", PASSPHRASE, CHEAP).close()
    (path / "evidence").mkdir(mode=0o700)


@contextmanager
def users() -> Iterator[tuple[str | None, str | None]]:
    """A system user for the store and one for the agent: only root can make them."""
    if os.geteuid():
        yield None, None
        return
    store, agent = f"tbshelf{os.getpid()}", f"tbseals{os.getpid()}"
    with system_user(store), system_user(agent):
        yield store, agent


@contextmanager
def stage(parameters: dict[str, int]) -> Iterator[Stage]:
    """A market that is open, in a folder that every user may go through."""
    place = Path(tempfile.mkdtemp(prefix="tongbao-stage-"))
    place.chmod(0o755)
    lay(place / "chain", parameters)
    try:
        with ExitStack() as ending:
            node = ending.enter_context(running(place / "chain"))
            store_user, agent_user = ending.enter_context(users())
            relays = tuple(ending.enter_context(relay()) for _ in range(3))
            to_node, to_store, to_agent = relays
            town = Town(to_node.lead_to(node.address))
            ending.callback(town.chain.close)
            town.open()
            named = ("--origin", to_store.url)
            store = ending.enter_context(storing(place / "store", store_user, *named))
            to_store.lead_to(store.address)
            folder = place / "agent"
            settings = Settings(
                account=ADDRESSES["carol"],
                chain=town.chain.id,
                node=to_node.url,
                store=to_store.url,
            )
            create(folder, settings, named_key("carol").seed, PASSPHRASE, CHEAP)
            if agent_user is not None:
                give(folder, agent_user)
            words = ("data-agent", "run", "--agent", str(folder), "--port", "0")
            named = ("--origin", to_agent.url)
            agent = ending.enter_context(program(*words, *named, user=agent_user))
            to_agent.lead_to(agent.address)
            cheating = ending.enter_context(cheats(town))
            yield Stage(town, place, Programs(node, store, agent, relays), cheating)
    finally:
        shutil.rmtree(place)
