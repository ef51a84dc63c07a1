"""What a local network's operators decide together: members come and go by governance alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2

from tongbao.kernel import Address, Id, Small, Time
from tongbao.kernel.identifiers import PublicKey
from tongbao.kernel.kernel_module import NodeId
from tongbao.localnet.control import Tell
from tongbao.localnet.errors import STOPPED, LocalnetError
from tongbao.localnet.member_process import GOOD
from tongbao.localnet.plan import Member, Plan, council_threshold
from tongbao.modules import governance
from tongbao.sdk.client import Refused
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.network_genesis import POWER
from tongbao.sdk.opening import OPERATOR
from tongbao.sdk.wallet import Wallet

if TYPE_CHECKING:
    from tongbao.localnet.network import Network

CLOSES_MS: Final = 3_600_000
PATIENCE_SECONDS: Final = 120.0
BLOCK_SECONDS: Final = 5.0
"""How long the next block is waited for before the proposal is looked at again."""
LATER: Final = 503
REFUSED: Final = 1
PAGES_LIMIT: Final = 16
UNDER_WAY: Final = ("open", "approved")


def powers(member: Member) -> dict[str, int]:
    """The power of every validator by its key, as a node knows it.

    Raises NodeError, Unreachable.
    """
    found: dict[str, int] = {}
    with HttpChain(member.address, patience_s=2.0) as chain:
        after = None
        for _ in range(PAGES_LIMIT):
            page = chain.query(governance.validators, after)
            found |= {key: row.power for key, row in page.rows}
            after = page.after
            if after is None:
                break
    return found


def height(member: Member) -> int:
    """The last block that a node has."""
    with HttpChain(member.address) as chain:
        return chain.head().height


def wait_for_height(member: Member, wanted: int, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a node has a block. Raises LocalnetError."""
    until = time.monotonic() + seconds
    with httpx2.Client(base_url=member.address, timeout=PATIENCE_SECONDS) as client:
        while time.monotonic() < until:
            # The node answers as soon as it has the block, or that it is still to come.
            found = client.get("/v1", params={"min_height": wanted})
            if found.status_code == GOOD:
                return
            if found.status_code != LATER:
                break
    raise LocalnetError(
        f"{member.name} has not reached block {wanted}", f"see the log of {member.name}", STOPPED
    )


def admission(member: Member) -> tuple[governance.Action, ...]:
    """Let a node connect."""
    return (governance.AdmitPeer(node=NodeId(member.node_id)),)


def promotion(member: Member) -> tuple[governance.Action, ...]:
    """Let a node vote on blocks."""
    return (governance.SetValidator(key=PublicKey(member.validator), power=POWER),)


def removal(member: Member, plan: Plan, power: int) -> tuple[governance.Action, ...]:
    """Let a node neither vote nor connect, and its operator decide nothing any more.

    `power` is what the node votes with now. Those who are left decide by more than two thirds of
    them. Raises LocalnetError for the last operator, without whom nothing is decided.
    """
    actions: list[governance.Action] = [governance.RemovePeer(node=NodeId(member.node_id))]
    if power:
        actions.append(governance.RemoveValidator(key=PublicKey(member.validator)))
    if member.operator:
        left = sum(1 for each in plan.members if each.operator) - 1
        if left == 0:
            raise LocalnetError(
                f"{member.name} has the last operator, and nobody could decide any more",
                f"keep {member.name}, or remove the network with `tongbao localnet wipe`",
                REFUSED,
            )
        actions.append(governance.SetThreshold(threshold=Small(council_threshold(left))))
        actions.append(governance.RemoveOperator(operator=Address(member.operator)))
    return tuple(actions)


def decide(network: Network, actions: Sequence[governance.Action], what: str, tell: Tell) -> None:
    """Propose, let as many operators approve as it takes, and wait until it is carried out.

    The operators' keys are all in the network's folder, so they vote through any node that is up.
    Raises LocalnetError when it is refused, fails, or no block is made.
    """
    up = network.up()
    voters = [member for member in network.plan.members if member.operator]
    if not up:
        raise LocalnetError("no node is up", "revive one with `tongbao localnet revive NAME`")
    with HttpChain(up[0].address) as chain:
        try:
            proposal = _propose(chain, network, voters[0], actions)
            for member in voters[1:]:
                if _phase(chain, proposal) != "open":
                    break
                vote = governance.Vote(proposal=proposal, choice=governance.Choice("approve"))
                _wallet(chain, network, member).send(vote)
            _wait(chain, up[0], proposal, what)
        except Refused as error:
            raise LocalnetError(f"could not {what}: {error}", "", 1) from error
    tell(f"the operators have decided to {what}")


def _propose(
    chain: HttpChain, network: Network, member: Member, actions: Sequence[governance.Action]
) -> Id:
    closes_at = Time(chain.now() + CLOSES_MS)
    message = governance.Propose(actions=tuple(actions), closes_at=closes_at)
    return Id(_wallet(chain, network, member).send(message).made)


def _wallet(chain: HttpChain, network: Network, member: Member) -> Wallet:
    key = Keystore(Path(network.folder) / member.name / "keys").unlock(OPERATOR, network.secret)
    return chain.wallet(member.operator, key)


def _phase(chain: HttpChain, proposal: Id) -> str:
    found = chain.query(governance.show, proposal)
    return "unknown" if found is None else found.phase


def _wait(chain: HttpChain, member: Member, proposal: Id, what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while (phase := _phase(chain, proposal)) in UNDER_WAY:
        if time.monotonic() > until:
            raise LocalnetError(
                f"nobody has carried out the decision to {what}",
                "see `tongbao localnet status`: blocks need more than two thirds of the power",
                STOPPED,
            )
        with suppress(LocalnetError):
            wait_for_height(member, height(member) + 1, BLOCK_SECONDS)
    if phase != "carried_out":
        raise LocalnetError(f"the decision to {what} has {phase}", "", 1)
