"""What random histories reach rarely, told at the beginning of each recording, a block a step.

Somebody gives a key up, value is retired, upgrades are scheduled and one is taken back, and then
operators decide: what they propose is carried out, fails as it is done already, is voted down, or
is taken back. Bonds are authorised, limited, frozen, clawed back, and held for others in part.
Sponsors come to stand for accounts, and quotas begin. A supervisor inspects an account, and what
was read is recorded. Data is offered, ordered, sold and claimed faulty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tests import recorded_market
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Count,
    Hash,
    Id,
    Machine,
    Message,
    Name,
    PublicKey,
    Reference,
    Small,
    Time,
    WeightedKey,
)
from tongbao.kernel.kernel_module import (
    NodeId,
    Power,
    SettingName,
    Share,
    SponsoredCount,
    Tokens,
)
from tongbao.modules import (
    account,
    asset,
    governance,
    hold,
    mandate,
    member,
    reading,
    sponsor,
    upgrade,
)
from tongbao.modules.governance import Action, Choice, Delay
from tongbao.modules.mandate.messages import PeriodMs
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.testing import named_key
from tongbao.testing.genesis import ADDRESSES
from tongbao.testing.keys import ledger_key

STEP_MS: Final = 1_000
HOUR_MS: Final = 3_600_000
FAR: Final = 1_000
"""Blocks until an upgrade that never begins in a recording."""
NEAR: Final = 5
DELAY_MS: Final = 2 * STEP_MS
AUTHORITY: Final = PublicKey(named_key("authority").key_id)
BANK: Final = ADDRESSES["bank"]
COIN: Final = AssetId(f"COIN.{BANK}")
CAROLS: Final = ("spare", "one", "two")
"""Keys that carol's account comes to have beside her first."""
BOND: Final = AssetId(f"BOND.{ADDRESSES['bank']}")
FLAGS: Final = tuple(map(asset.Flag, ("authorisation", "clawback", "freezing", "limits")))
GROUND: Final = Small(9)
NODE: Final = NodeId("ab" * 20)


class Said(Struct, frozen=True):
    """A transaction of the story: who sends it, which keys sign beside the sender's."""

    sender: str
    message: Message
    also: tuple[str, ...] = ()


class Story:
    """Tells the blocks after genesis; the machine must have made each before the next is asked."""

    def __init__(self, machine: Machine) -> None:
        """Begin after genesis of the usual people."""
        self._machine = machine
        self.nonces: Counter[Address] = Counter()
        """The highest nonce that each has used, in lane 0."""
        self._pause_ms = 0
        self._proposed: list[tuple[Action, ...]] = []

    def blocks(self) -> Iterator[tuple[Time, tuple[bytes, ...]]]:
        """The time of each block, and its transactions."""
        parts = (
            self._keys_and_value,
            self._guardians,
            self._mandates,
            self._upgrades,
            self._council,
            self._controls,
            self._inspections,
            self._market,
            self._sponsors,
        )
        for part in parts:
            for said in part():
                time = Time(self._machine.time + STEP_MS + self._pause_ms)
                self._pause_ms = 0
                yield time, tuple(self._signed(one, time) for one in said)

    def _signed(self, said: Said, time: Time) -> bytes:
        sender = ADDRESSES[said.sender]
        self.nonces[sender] += 1
        payload = payload_bytes(
            self._machine.chain,
            sender,
            self.nonces[sender],
            Time(time + HOUR_MS),
            (said.message,),
        )
        return sign(payload, [named_key(name) for name in (said.sender, *said.also)])

    def _keys_and_value(self) -> Iterator[list[Said]]:
        second = WeightedKey(key=ledger_key(named_key("second")), weight=Small(1))
        coins, why, back = Amount("5.00"), Reference("coins"), Reference("coins-back")
        yield [
            Said("bank", asset.Define(code=AssetCode("COIN"), scale=Small(2))),
            Said("carol", account.AddKey(added=second), ("second",)),
        ]
        yield [
            Said(
                "bank",
                asset.Issue(asset=COIN, amount=coins, payee=ADDRESSES["bank"], reference=why),
            ),
            Said("carol", account.RemoveKey(removed=PublicKey(named_key("second").key_id))),
        ]
        yield [Said("bank", asset.Redeem(asset=COIN, amount=Amount("2.00"), reference=back))]

    def _guardians(self) -> Iterator[list[Said]]:
        """A change taken back, a veto, a recovery and another change, each after its wait."""
        carol = ADDRESSES["carol"]
        first, spare, one, two = (
            WeightedKey(key=ledger_key(named_key(name)), weight=Small(1))
            for name in ("carol", *CAROLS)
        )
        trusted = tuple(ADDRESSES[name] for name in ("alice", "bob"))
        yield [
            Said("carol", account.AddKey(added=spare), ("spare",)),
            Said("carol", account.SetThresholds(ordinary=Small(1), sensitive=Small(2))),
            Said(
                "carol",
                account.SetGuardians(guardians=trusted, threshold=Small(2)),
                ("spare",),
            ),
        ]
        asked = account.ProposeRecovery(
            account=carol, keys=(first, one), ordinary=Small(1), sensitive=Small(2)
        )
        none = account.SetGuardians(guardians=(), threshold=Small(0))
        yield [
            Said("carol", none, ("spare",)),
            Said("carol", account.CancelChange(), ("spare",)),
            Said("alice", asked, ("carol", "one")),
        ]
        name = self._under_way(carol)
        yield [
            Said("bob", account.ApproveRecovery(recovery=name)),
            Said("carol", account.VetoRecovery(recovery=name), ("spare",)),
            Said("alice", asked, ("carol", "one")),
        ]
        yield [Said("bob", account.ApproveRecovery(recovery=self._under_way(carol)))]
        self._pause_ms = account.WAIT_MS.default
        yield [Said("carol", account.AddKey(added=two), ("one", "two"))]
        self._pause_ms = account.WAIT_MS.default
        yield []

    def _under_way(self, address: Address) -> Id:
        view = self._machine.view(account.module)
        [(name, _)] = account.recoveries_under_way(view, address).rows
        return name

    def _mandates(self) -> Iterator[list[Said]]:
        expires_at = Time(self._machine.time + HOUR_MS)
        grants = [
            mandate.Grant(
                holder=ADDRESSES[holder],
                asset=COIN,
                total=Amount("2.00"),
                each_period=Amount("1.00"),
                period_ms=PeriodMs(HOUR_MS),
                expires_at=expires_at,
            )
            for holder in ("alice", "bob")
        ]
        yield [Said("bank", grant) for grant in grants]
        view = self._machine.view(mandate.module)
        names = {row.holder: name for name, row in mandate.granted_by(view, BANK).rows}
        first, second = (names[ADDRESSES[holder]] for holder in ("alice", "bob"))
        paid = mandate.Collect(mandate=first, amount=Amount("0.50"), payee=ADDRESSES["bob"])
        tidy = account.SetIncoming(needs_reference=True)
        yield [
            Said("carol", tidy),
            Said("alice", paid),
            Said("bank", mandate.Revoke(mandate=second)),
        ]

    def _upgrades(self) -> Iterator[list[Said]]:
        height = self._machine.height
        valid = self._machine.genesis_file.modules
        line = next(line for line in valid if line.name == Name("hold"))
        begins = upgrade.Schedule(
            authority=AUTHORITY,
            height=Count(height + NEAR),
            modules=(replace(line, hash=Hash("ab" * 32)),),
            features=(SettingName("later.ink"),),
        )
        never = upgrade.Schedule(
            authority=AUTHORITY, height=Count(FAR), features=(SettingName("later.paper"),)
        )
        yield [Said("alice", begins, ("authority",)), Said("bob", never, ("authority",))]
        back = upgrade.Cancel(authority=AUTHORITY, height=Count(FAR))
        yield [Said("bob", back, ("authority",))]

    def _council(self) -> Iterator[list[Said]]:
        found = governance.Found(
            authority=AUTHORITY,
            operators=tuple(ADDRESSES[name] for name in ("bank", "alice", "bob")),
            threshold=Small(2),
            delay_ms=Delay(DELAY_MS),
        )
        yield [Said("bank", found, ("authority",))]
        yield [
            Said("bank", self._propose(*self._changes())),
            Said("alice", self._propose(governance.AddOperator(operator=ADDRESSES["carol"]))),
            Said("bob", self._propose(governance.SetThreshold(threshold=Small(3)))),
            Said("bob", self._propose(governance.SetThreshold(threshold=Small(1)))),
        ]
        made = {proposal.actions: name for name, proposal in self._waiting()}
        first, second, rejected, taken_back = (made[actions] for actions in self._proposed)
        yield [
            Said("alice", self._vote(first, "approve")),
            Said("bank", self._vote(rejected, "reject")),
            Said("alice", self._vote(rejected, "reject")),
            Said("bob", governance.Cancel(proposal=taken_back)),
        ]
        yield [Said("bob", self._vote(second, "approve"))]
        yield []
        yield []

    def _controls(self) -> Iterator[list[Said]]:
        alice, bob = ADDRESSES["alice"], ADDRESSES["bob"]
        yield [
            Said("bank", asset.Define(code=AssetCode("BOND"), scale=Small(0))),
            Said("bank", asset.SetFlags(asset=BOND, switch_on=FLAGS, lock=FLAGS[:1])),
            Said("bank", asset.Authorise(asset=BOND, account=alice)),
            Said("bank", asset.Authorise(asset=BOND, account=bob)),
            Said("bank", asset.SetLimit(asset=BOND, limit=Amount("500"), reason=GROUND)),
        ]
        issue = asset.Issue(
            asset=BOND, amount=Amount("100"), payee=alice, reference=Reference("bonds")
        )
        yield [Said("bank", issue)]
        until = Time(self._machine.time + HOUR_MS)
        place = hold.Place(payee=bob, asset=BOND, amount=Amount("30"), expires_at=until)
        yield [Said("alice", place)] * 3
        placed = hold.placed_by(self._machine.view(hold.module), alice).rows
        first, second, third = (name for name, _ in placed)
        yield [
            Said("bob", hold.Capture(hold=first, amount=Amount("10"))),
            Said("alice", hold.Extend(hold=first, expires_at=Time(until + HOUR_MS))),
            Said("bob", hold.Release(hold=second)),
            Said("bank", hold.Recall(hold=third, reason=GROUND)),
        ]
        freeze = asset.Freeze(
            asset=BOND, account=alice, scope=asset.Scope("both"), reason=GROUND, until=until
        )
        taken = asset.ClawBack(asset=BOND, account=alice, amount=Amount("5"), reason=GROUND)
        yield [
            Said("bank", freeze),
            Said("alice", asset.Transfer(asset=BOND, amount=Amount("1"), payee=bob)),
            Said("bank", taken),
            Said("bank", asset.Unfreeze(asset=BOND, account=alice)),
            Said("bank", asset.Deauthorise(asset=BOND, account=bob, reason=GROUND)),
        ]

    def _sponsors(self) -> Iterator[list[Said]]:
        bob, carol = ADDRESSES["bob"], ADDRESSES["carol"]
        allowances = tuple(
            governance.SetAllowance(
                sponsor=each,
                capacity=Tokens(1_000),
                per_minute=Tokens(60),
                accounts=SponsoredCount(3),
            )
            for each in (BANK, bob)
        )
        quotas = governance.SetParameter(name=SettingName("kernel.quotas"), value=Count(1))
        yield [Said("bank", self._propose(*allowances, quotas))]
        [name] = [name for name, one in self._waiting() if quotas in one.actions]
        yield [Said("alice", self._vote(name, "approve"))]
        self._pause_ms = DELAY_MS
        yield []
        share = Share(capacity=Tokens(5), per_minute=Tokens(1))
        yield [
            Said("bank", sponsor.Grant(account=carol, share=share)),
            Said("bank", sponsor.SetTerms(share=share)),
            Said("bob", sponsor.Grant(account=carol)),
            Said("bank", sponsor.Grant(account=ADDRESSES["alice"])),
        ]
        yield [
            Said("carol", sponsor.Take(by=bob)),
            Said("alice", sponsor.Leave()),
            Said("bank", sponsor.EndTerms()),
        ]
        closing = account.Close(heir=BANK)
        yield [Said("bob", sponsor.Revoke(account=carol)), Said("mallory", closing)]

    def _inspections(self) -> Iterator[list[Said]]:
        bob, carol = ADDRESSES["bob"], ADDRESSES["carol"]
        base = f"STORY0{0:012d}"
        admitted = governance.AdmitMember(
            member=member.Lei(base + member.check_digits_of(base)),
            name=member.MemberName("Authority"),
            accounts=(bob,),
            roles=tuple(map(member.Role, (member.OPERATOR, member.SUPERVISOR))),
        )
        yield [Said("bank", self._propose(admitted))]
        [name] = [name for name, one in self._waiting() if admitted in one.actions]
        yield [Said("alice", self._vote(name, "approve"))]
        self._pause_ms = DELAY_MS
        yield []
        until, basis = Time(self._machine.time + HOUR_MS), Hash("ab" * 32)
        asked = reading.OpenInspection(
            account=carol, reason=Small(6), basis_hash=basis, until=until
        )
        yield [Said("bob", asked)]
        found = reading.current(self._machine.view(reading.module), bob, carol)
        assert found is not None
        now = Time(self._machine.time)
        counted = reading.Counted(
            inspection=found.inspection, since=now, until=now, statements=Count(2)
        )
        yield [
            Said("bob", reading.RecordReads(batch=Hash("cd" * 32), reads=(counted,))),
            Said("bob", reading.CloseInspection(inspection=found.inspection)),
        ]

    def _market(self) -> Iterator[list[Said]]:
        admitted = recorded_market.admissions()
        yield [Said("bank", self._propose(*admitted))]
        [name] = [name for name, one in self._waiting() if one.actions == admitted]
        yield [Said("alice", self._vote(name, "approve"))]
        self._pause_ms = DELAY_MS
        yield []
        for step in recorded_market.told(self._machine, COIN):
            yield [Said(sender, message) for sender, message in step]

    def _changes(self) -> tuple[Action, ...]:
        key = PublicKey(named_key("validator").key_id)
        return (
            governance.SetValidator(key=key, power=Power(10)),
            governance.AdmitPeer(node=NODE),
            governance.SetParameter(name=SettingName("kernel.upgrade_notice"), value=Count(2)),
            governance.ScheduleUpgrade(height=Count(FAR), features=(SettingName("later.pen"),)),
            governance.AddOperator(operator=ADDRESSES["carol"]),
            governance.SetDelay(delay_ms=Delay(STEP_MS)),
        )

    def _propose(self, *actions: Action) -> Message:
        self._proposed.append(actions)
        closes_at = Time(self._machine.time + HOUR_MS)
        return governance.Propose(actions=actions, closes_at=closes_at)

    def _waiting(self) -> tuple[tuple[Id, governance.Proposal], ...]:
        return tuple(governance.waiting(self._machine.view(governance.module)).rows)

    @staticmethod
    def _vote(proposal: Id, choice: str) -> Message:
        return governance.Vote(proposal=proposal, choice=Choice(choice))
