"""A chain whose operators decide, with members, votes, acts of a supervisor, and its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.console.conftest import Shown
from tests.fixed_chain import BEGIN, HOUR, FixedChain, key
from tests.modules.member_steps import FIRST, FIRST_BANK, SECOND, THIRD, lei
from tests.node.access.test_sessions import opened
from tests.node.conftest import Served, serving_chain
from tongbao.engines.solo import Producer
from tongbao.kernel import (
    Amount,
    AssetCode,
    AssetId,
    Hash,
    Id,
    Machine,
    Message,
    Name,
    Reference,
    Registry,
    Small,
    Time,
)
from tongbao.kernel.genesis import section
from tongbao.modules import asset, governance, member
from tongbao.modules.governance import (
    Action,
    Delay,
    Duration,
    GrantPermission,
    Halt,
    SetDelay,
    SetThreshold,
    SuspendMember,
)
from tongbao.modules.member import FirstMember, MemberName, PermissionName, Role
from tongbao.modules.registry import MODULES
from tongbao.sdk.genesis_builder import build_genesis, single_key
from tongbao.store.memory import MemoryStore

ODD_NAME = MemberName("A & B Trust (Asia), Ltd. 'x' /+-")
"""All that the name of an institution may have and HTML has a use for."""


class GovernedChain(FixedChain):
    """As its parent, with every module: bank and alice decide, the shop is a supervisor's."""

    def __init__(self, threshold: int = 2, delay_ms: int = 0, limit: int = 16) -> None:
        """Begin the chain in memory; an operator has at most `limit` proposals under way."""
        self.store = MemoryStore()
        registry = Registry(MODULES)
        council = governance.Start(
            operators=(self.bank, self.alice),
            threshold=Small(threshold),
            delay_ms=Delay(delay_ms),
        )
        members = (
            FirstMember(lei=FIRST, name=FIRST_BANK, accounts=(self.bank,), roles=(Role("issuer"),)),
            FirstMember(
                lei=SECOND, name=ODD_NAME, accounts=(self.shop,), roles=(Role("supervisor"),)
            ),
        )
        self.genesis = build_genesis(
            registry,
            "fixed",
            BEGIN,
            key("authority").key_id,
            tuple(single_key(key(name).key_id) for name in ("bank", "alice", "shop")),
            {"governance.proposals_limit": limit},
            (
                section("member", member.Start(members=members)),
                section("governance", council),
            ),
        )
        machine = Machine(registry, self.genesis, self.store, -1, 0)
        self.producer = Producer(machine, self.store, key("authority"))
        self.producer.begin()
        self.nonces = {}

    def proposal(self, *actions: Action, closes_in: int = HOUR) -> bytes:
        """A proposal of the bank's."""
        closes_at = Time(self.producer.machine.time + closes_in)
        return self.signed("bank", governance.Propose(actions=actions, closes_at=closes_at))


class Governed(Shown):
    """The chain behind a node: proposals in each phase, freezes, a halt; and where each is."""

    def __init__(self, served: Served, fixed: GovernedChain) -> None:
        """Make the chain's history."""
        self.served = served
        self.fixed: GovernedChain = fixed
        self.gold = AssetId(f"GOLD.{fixed.bank}")
        flags = tuple(map(asset.Flag, ("authorisation", "clawback", "freezing", "limits")))
        self.do(
            "bank",
            asset.Define(code=AssetCode("GOLD"), scale=Small(0)),
            asset.SetFlags(asset=self.gold, switch_on=flags[1:]),
            asset.Issue(
                asset=self.gold, amount=Amount("5"), payee=fixed.alice, reference=Reference("one")
            ),
            asset.SetLimit(asset=self.gold, limit=Amount("900"), reason=Small(9)),
            asset.ClawBack(
                asset=self.gold, account=fixed.alice, amount=Amount("2"), reason=Small(6)
            ),
            asset.SetFlags(asset=self.gold, switch_on=flags[:1]),
        )
        self.do("shop", self.freeze("debits", 4, 9), self.freeze("both", 2, 2))
        self.permission = self.propose(
            GrantPermission(permission=PermissionName("asset.define"), role=Role("issuer"))
        )
        self.vote(self.permission)
        self.halt = self.propose(Halt(module=Name("hold"), duration_ms=Duration(HOUR)))
        self.open = self.propose(
            governance.AdmitMember(
                member=THIRD,
                name=MemberName("Third Data (Shanghai) Co., Ltd."),
                accounts=(fixed.alice,),
                roles=(Role("data_source"), Role("operator")),
            ),
            SetDelay(delay_ms=Delay(24 * HOUR)),
        )
        self.rejected = self.propose(SetThreshold(threshold=Small(1)))
        self.vote(self.rejected, "reject")
        self.cancelled = self.propose(SuspendMember(member=SECOND))
        self.do("bank", governance.Cancel(proposal=self.cancelled))
        served.client.get(
            f"/v1/accounts/{fixed.alice}/movements",
            params={"min_height": served.chain.head().height},
        ).raise_for_status()

    def do(self, name: str, *messages: Message) -> list[str]:
        """Apply messages of bank, alice or shop; the ids of what they made."""
        answer = self.served.send(self.fixed.signed(name, *messages))
        answer.raise_for_status()
        assert answer.json()["receipt"]["outcome"] == "applied", answer.text
        return list(answer.json()["receipt"].get("ids", ()))

    def freeze(self, scope: str, ground: int, hours: int) -> asset.Freeze:
        """A supervisor's freeze of alice's gold."""
        return asset.Freeze(
            asset=self.gold,
            account=self.fixed.alice,
            scope=asset.Scope(scope),
            reason=Small(ground),
            until=Time(BEGIN + hours * HOUR),
            as_supervisor=True,
            basis_hash=Hash("cd" * 32),
        )

    def propose(self, *actions: Action) -> Id:
        """A proposal of the bank's, which approves it."""
        made = self.served.send(self.fixed.proposal(*actions)).json()["receipt"]["ids"]
        return Id(made[0])

    def vote(self, proposal: Id, choice: str = "approve") -> None:
        """Alice votes."""
        self.do("alice", governance.Vote(proposal=proposal, choice=governance.Choice(choice)))

    @property
    def desk(self) -> str:
        """The path of the supervisor's desk."""
        return f"/accounts/{self.fixed.shop}/desk"

    @property
    def pages(self) -> dict[str, str]:
        """A path of every kind of page that a consortium has."""
        grant = "action=grant_role&role=issuer"
        about = f"account={self.fixed.alice}&asset={self.gold}"
        return {
            "members": "/members",
            "member": f"/members/{SECOND}",
            "issuer": f"/members/{FIRST}",
            "no-member": f"/members/{lei(77)}",
            "proposals": "/proposals",
            "proposal": f"/proposals/{self.open}",
            "halt": f"/proposals/{self.halt}",
            "rejected": f"/proposals/{self.rejected}",
            "no-proposal": f"/proposals/{'ab' * 20}",
            "propose": "/proposals/new",
            "propose-form": "/proposals/new?action=admit_member",
            "propose-wrong": f"/proposals/new?action=grant_role&member={FIRST[:-1]}9&closes=2d",
            "propose-line": f"/proposals/new?{grant}&member={FIRST}&closes=2d",
            "desk": self.desk,
            "desk-freeze": f"{self.desk}?{about}&scope=both&reason=2&lasts=5d&sent=yes",
            "desk-wrong": f"{self.desk}?order=claw_back&{about}&amount=x&reason=2&sent=yes",
            "no-desk": f"/accounts/{self.fixed.bank}/desk",
            "controlled": f"/accounts/{self.fixed.alice}",
            "asset": f"/assets/{self.gold}",
        }


@contextmanager
def governing(**settings: object) -> Iterator[Governed]:
    """Serve the chain until the `with` statement ends, for alice where it asks who calls."""
    fixed = GovernedChain()
    with (
        fixed.running(lambda: BEGIN + 60_000) as chain,
        serving_chain(fixed, chain, **settings) as served,  # type: ignore[arg-type]
    ):
        served.client.headers.update(opened(served, fixed.alice, key("alice")))
        yield Governed(served, fixed)
