"""The network's story: four institutions carry the purchases, lose members, and win one.

Payments go in while one validator is dead; with two dead nothing is decided, and nothing is lost;
then they come back, and a fifth joins by the others' votes. In the end all nodes, a solo engine
that plays the same blocks, and the data file agree.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from shutil import copyfile
from time import monotonic, perf_counter
from typing import Final

import httpx2
from msgspec import Struct

from tongbao.demo.baskets import Basket, Purchases
from tongbao.demo.failures import STOPPED, DemoError
from tongbao.demo.purchases import Progress, Report, Run, plan_of
from tongbao.demo.read_back import TRUST
from tongbao.demo.solo_replay import replayed_on_solo
from tongbao.localnet import voting
from tongbao.localnet.member_process import MemberProcess
from tongbao.localnet.network import Network
from tongbao.localnet.plan import Member
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR

QUIET_SECONDS: Final = 6.0
"""How long two dead validators of four are watched for a block that must not come."""
PATIENCE_SECONDS: Final = 300.0
JOINS: Final = "node5"
IN_FLIGHT: Final = 2
"""A block may have been decided at the moment of the kill, and be told only then."""
BETWEEN: Final = 5
"""The baskets are carried in so many parts, with something happening between them."""

Tell = Callable[[str], None]


class Story(Struct, frozen=True, kw_only=True):
    """What the story found; `differences` are sentences, none of which should be there.

    `joined_at` is the block of the snapshot by which the fifth joined, 0 where it took all blocks.
    """

    purchases: Report
    validators: int
    joined_at: int
    height: int
    root: str
    blocks_on_solo: int
    differences: tuple[str, ...]


class Teller:
    """Plays the story on a network that runs."""

    def __init__(
        self, network: Network, data: Purchases, limit: int | None, tell: Tell, progress: Progress
    ) -> None:
        """Carry the first `limit` baskets of the data on a network."""
        self._network = network
        self._data = data
        self._asked = data.baskets[:limit]
        self._tell = tell
        self._progress = progress
        self._differences: list[str] = []
        first = network.plan.members[0]
        self._plan = plan_of(genesis_address(0), bytes.fromhex(network.secret), data)
        self._key = Keystore(network.folder / first.name / "keys").unlock(OPERATOR, network.secret)

    def play(self) -> Story:
        """All of it, in order. Raises DemoError, LocalnetError."""
        members = list(self._network.members.values())
        first, third, fourth = members[0], members[2], members[3]
        parts = _parts(self._asked)
        begun = perf_counter()
        now = self._carry(first.member, parts[0], prepare=True)
        fourth.kill()
        self._tell(f"{fourth.member.name} was killed: three of four go on")
        now += self._carry(first.member, parts[1])
        third.kill()
        now += self._stand_still(first.member, third, parts[2])
        self._revive(fourth)
        now += self._carry(fourth.member, parts[3])
        joined = self._join()
        now += self._carry(joined, parts[4])
        seconds = perf_counter() - begun
        return self._reckon(joined, now, seconds)

    def _carry(self, member: Member, baskets: list[Basket], *, prepare: bool = False) -> int:
        """Pay for baskets through one member."""
        with HttpChain(member.address, patience_s=PATIENCE_SECONDS) as chain:
            job = self._job(chain)
            if prepare:
                job.prepare()
            return job.carry(self._until(baskets))

    def _job(self, chain: HttpChain) -> Run:
        bank = chain.wallet(genesis_address(0), self._key)
        return Run(chain, bank, self._plan, self._progress)

    def _until(self, baskets: list[Basket]) -> list[Basket]:
        """All baskets up to the last of some: which of them are paid, the chain knows."""
        return self._asked[: self._asked.index(baskets[-1]) + 1] if baskets else []

    def _stand_still(self, first: Member, dead: MemberProcess, baskets: list[Basket]) -> int:
        """With half of the power dead nothing may be decided; what was sent happens later."""
        with ThreadPoolExecutor(1) as pool:
            height = voting.height(first)
            sent = pool.submit(self._carry, first, baskets)
            moved = _moves(first, height + IN_FLIGHT, QUIET_SECONDS)
            if moved or sent.done():
                self._differences.append("blocks were decided by half of the power")
            self._tell(f"{dead.member.name} was killed too: two of four decide nothing, and wait")
            self._revive(dead)
            return sent.result(PATIENCE_SECONDS)

    def _revive(self, process: MemberProcess) -> None:
        self._network.revive(process)
        self._tell(f"{process.member.name} is back")

    def _join(self) -> Member:
        if JOINS not in self._network.members:
            self._network.add(JOINS, self._tell)
        return self._network.plan.member(JOINS)

    def _reckon(self, member: Member, now: int, seconds: float) -> Story:
        """Proofs from the node that joined, roots of all, and the same blocks on solo."""
        folder = self._network.folder
        copyfile(Folder(folder / "node1").trust_file, folder / TRUST)
        with HttpChain(member.address, patience_s=PATIENCE_SECONDS) as chain:
            report = self._job(chain).reckon(
                self._data, self._asked, now, seconds, folder, member.address
            )
        height, root = self._agreed()
        self._progress("on solo", 0, height)
        blocks = replayed_on_solo(folder / "node1", height)
        self._progress("on solo", blocks, height)
        return Story(
            purchases=report,
            validators=len(self._network.plan.members),
            joined_at=int(httpx2.get(f"{member.address}/v1", timeout=60).json()["first_block"]),
            height=height,
            root=root,
            blocks_on_solo=blocks,
            differences=(*self._differences, *report.differences),
        )

    def _agreed(self) -> tuple[int, str]:
        """The height that every node has reached, and the root that all have there."""
        members = [process.member for process in self._network.members.values()]
        height = max(voting.height(member) for member in members)
        roots = {}
        for member in members:
            voting.wait_for_height(member, height)
            answer = httpx2.get(f"{member.address}/v1/blocks/{height}", timeout=PATIENCE_SECONDS)
            roots[member.name] = str(answer.json()["state_root"])
        if len(set(roots.values())) != 1:
            self._differences.append(f"at block {height} the nodes have other roots: {roots}")
        return height, next(iter(roots.values()))


def _parts(baskets: list[Basket]) -> list[list[Basket]]:
    """Consecutive parts, in the order of time; the last may be longer."""
    size = len(baskets) // BETWEEN
    cuts = [*(place * size for place in range(BETWEEN)), len(baskets)]
    return [baskets[begin:end] for begin, end in pairwise(cuts)]


def _moves(member: Member, height: int, seconds: float) -> bool:
    """Whether a node reaches a height within a time: it answers then, or says that it has not."""
    until = monotonic() + seconds
    while monotonic() < until:
        query = {"min_height": height}
        if httpx2.get(f"{member.address}/v1", params=query, timeout=60).is_success:
            return True
    return False


def open_network(folder: Path, tell: Tell) -> Network:
    """The network of the story, with four validators. Raises LocalnetError, DemoError."""
    network = Network.open_or_begin(folder, 4, "purchases", tell)
    if len(network.plan.members) < 4:
        network.close()
        raise DemoError(
            f"{folder} has a network of {len(network.plan.members)}, and four are needed",
            f"remove it with `tongbao localnet wipe --folder {folder}`, and start again",
            STOPPED,
        )
    return network
