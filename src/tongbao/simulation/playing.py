"""One random history, played on the production machine and on the model beside it.

For each block: candidates, dry runs and admissions that must leave no byte; the block itself; then
every receipt against the model's, every row against the model's books, all invariants, indexes and
derived structures; and the same block on a second machine that flushes and restarts at other times.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar, Final

from msgspec import Struct, field

from tongbao.kernel import Decided, Genesis, InvalidTransaction, Machine, Outcome
from tongbao.kernel.genesis import section
from tongbao.kernel.identifiers import Small
from tongbao.kernel.kernel_module import (
    BLOCK_ROWS,
    COMMON_CAPACITY,
    COMMON_PER_MINUTE,
    COMMON_ROWS,
    DUE_ITEMS,
    PEERS_LIMIT,
    QUOTAS,
    TRANSACTION_ROWS,
    VALIDATORS_LIMIT,
    RowCount,
    SponsoredCount,
    Tokens,
)
from tongbao.kernel.state import PREFIX_BYTES
from tongbao.modules import account, data, governance, mandate, member, sponsor
from tongbao.modules.governance import Delay
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.simulation import mischief
from tongbao.simulation.mischief_recipes import CHAPTERS, RECIPES
from tongbao.simulation.model import Rows, rows_of
from tongbao.simulation.modelled import given_of, model_of
from tongbao.testing.checks import check_root
from tongbao.testing.checks import rows_of as rows_of_machine
from tongbao.testing.drafts import Submission
from tongbao.testing.genesis import PEOPLE, genesis_of, registry_with
from tongbao.testing.histories import History, Step, json_bytes
from tongbao.testing.keys import MixedOrderKey, named_key
from tongbao.testing.ledger import Ledger

FIRST_DROPS: Final = (100, 100, 100, 100)
REGISTRY: Final = registry_with(mischief.module)
UNACCEPTABLE: Final = frozenset(MixedOrderKey(name).key_id for name in ("first", "second"))
DUE_SHARES: Final = (1, 2, 5, 1_000)
FEW: Final = {
    VALIDATORS_LIMIT.name: 3,
    PEERS_LIMIT.name: 3,
    governance.OPERATORS_LIMIT.name: 4,
    governance.PROPOSALS_LIMIT.name: 3,
    account.WAIT_MS.name: account.WAIT_MS.low,
    mandate.MANDATES_LIMIT.name: 2,
    data.SEAL_MS.name: 60_000,
    data.CONFIRM_MS.name: 60_000,
    data.TRANSFER_MS.name: 1_000,
    data.REVEAL_MS.name: 60_000,
    data.ACCEPT_MS.name: 60_000,
    data.VERDICT_MS.name: 60_000,
    data.DELETION_MS.name: 10_000,
    data.HALT_MS.name: 30_000,
    data.LEAST_BOND.name: 1,
    data.ORDERS_LIMIT.name: 3,
    data.OFFERS_LIMIT.name: 3,
    data.ADJUDICATORS_LIMIT.name: 3,
}
SEATS: Final = governance.Start(
    operators=tuple(map(genesis_address, range(3))), threshold=Small(2), delay_ms=Delay(1_000)
)
SPONSORS: Final = sponsor.Start(
    sponsors=tuple(
        sponsor.FirstAllowance(
            sponsor=genesis_address(place),
            capacity=Tokens(capacity),
            per_minute=Tokens(6_000),
            accounts=SponsoredCount(4),
            rows=RowCount(20),
        )
        for place, capacity in ((0, 500), (3, 50))
    )
)
QUOTAS_FELT: Final = tuple(
    {
        QUOTAS.name: 1,
        COMMON_CAPACITY.name: capacity,
        COMMON_PER_MINUTE.name: 600,
        COMMON_ROWS.name: rows,
    }
    for capacity, rows in ((16, 2), (200, 10), (10_000, 30))
)
FIRST_ROLES: Final = (
    (member.ADJUDICATOR, data.REGISTRAR, member.DATA_SOURCE, member.SUPERVISOR),
    (member.ADJUDICATOR, member.OPERATOR),
    (member.ADJUDICATOR,),
    (member.ADJUDICATOR,),
)


def first_members() -> member.Start:
    """A supervisor and registrar, an operator and adjudicators, for whom the last people act."""
    found = []
    for place, roles in enumerate(FIRST_ROLES):
        base = f"DOUBT0{place:012d}"
        lei = member.Lei(base + member.check_digits_of(base))
        address = genesis_address(len(PEOPLE) - 1 - place)
        name = member.MemberName(f"Member {place}")
        given = tuple(map(member.Role, roles))
        found.append(member.FirstMember(lei=lei, name=name, accounts=(address,), roles=given))
    return member.Start(members=tuple(found))


USUAL_ROWS: Final = {TRANSACTION_ROWS.name: 3_000}
TIGHT_ROWS: Final = {TRANSACTION_ROWS.name: 10_000, BLOCK_ROWS.name: 10_000}


class Tally(Struct):
    """What one history, or many, have come to."""

    blocks: int = 0
    transactions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    numbers: Counter[int] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    stuck: Counter[int] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        self.blocks += other.blocks
        self.transactions += other.transactions
        for name in ("outcomes", "numbers", "applied", "refused", "due", "stuck"):
            getattr(self, name).update(getattr(other, name))


def genesis_for(seed: str) -> Genesis:
    """A genesis with one of the choices of limits that make limits felt."""
    random = Random(f"{seed}/genesis")
    rows = TIGHT_ROWS if random.random() < 1 / 8 else USUAL_ROWS
    jars = mischief.Start(jars=tuple(mischief.Jar(drops=Small(drops)) for drops in FIRST_DROPS))
    sections = [section("mischief", jars)]
    if random.random() < 1 / 2:
        sections.append(section("member", first_members()))
    if random.random() < 1 / 4:
        sections.append(section("governance", SEATS))
    quotas = {}
    if random.random() < 1 / 4:
        sections.append(section("sponsor", SPONSORS))
        quotas = random.choice(QUOTAS_FELT)
    return genesis_of(
        REGISTRY,
        parameters={**rows, **FEW, **quotas, DUE_ITEMS.name: random.choice(DUE_SHARES)},
        sections=tuple(sections),
        name="doubt",
    )


def history_of(machine: Machine, seed: str, transactions: int) -> History:
    """A history of everything that there is."""
    signers = [named_key(person) for person in PEOPLE]
    return History(machine, seed, transactions, signers, RECIPES, CHAPTERS)


class Play:
    """One history under way."""

    people: ClassVar[tuple[str, ...]] = PEOPLE

    def __init__(
        self,
        seed: str,
        transactions: int,
        genesis: Genesis | None = None,
        write: Callable[[Machine, str, int], History] = history_of,
    ) -> None:
        """Begin both machines and the model; the same seed is the same history.

        Another `genesis` has jars as this one does; what `write` gives writes the blocks.
        """
        self.tally = Tally()
        self._random = Random(f"{seed}/play")
        genesis = genesis or genesis_for(seed)
        self._first = Ledger(REGISTRY, genesis, flush_every=self._random.randint(1, 9))
        self._second = Ledger(REGISTRY, genesis, flush_every=self._random.randint(1, 30))
        machine = self._first.machine
        self._model = model_of(
            machine.genesis_file, REGISTRY, UNACCEPTABLE, FIRST_DROPS, self.people
        )
        self._rows: Rows = {name: {} for name in rows_of(self._model)}
        self._tables = {
            prefix: (f"{table.module.name}.{table.name}", table)
            for prefix, table in REGISTRY.tables.items()
        }
        self._mirror(self._first.live.rows.items())
        self.history = write(self._first.machine, seed, transactions)

    def run(self) -> Tally:
        """Play to the end. Raises AssertionError at the first difference."""
        self._compare_rows()
        for step in self.history.steps():
            self._leave_no_byte(step)
            decided = self._decide(step)
            self._compare(step, decided)
            self._repeat(step, decided)
            self.history.learn(step, decided.results)
        check_root(self._first.machine, self._first.live.rows)
        self._second.restart()
        self._second.check()
        assert self._second.machine.state_root == self._first.machine.state_root
        return self.tally

    def watch(self, step: Step, receipts: list[Any], decided: Decided, due: Any) -> None:
        """For whoever counts more than this does: a block that is as the model has it."""

    # The block

    def _decide(self, step: Step) -> Decided:
        wires = tuple(found.wire for found in step.submissions)
        decided = self._first.machine.apply(self._first.block(step.time, wires))
        self._first.commit(decided)
        self._mirror(decided.rows)
        return decided

    def _leave_no_byte(self, step: Step) -> None:
        """Ask all that changes nothing, and see that nothing has changed."""
        machine = self._first.machine
        wires = tuple(found.wire for found in step.submissions)
        candidates = [*step.others, *([wires] if self._random.random() < 0.5 else [])]
        if not candidates and not step.dry_runs:
            return
        root, rows = machine.state_root, rows_of_machine(machine)
        for payload in step.dry_runs:
            try:
                machine.dry_run(payload, step.time)
            except InvalidTransaction:
                self.tally.outcomes["dry run, invalid"] += 1
        for wire in wires[:2]:
            try:
                machine.check(wire, step.time)
            except InvalidTransaction:
                self.tally.outcomes["admission, invalid"] += 1
        for candidate in candidates:
            machine.apply(self._first.block(step.time, candidate))
            machine.discard()
        assert machine.state_root == root, "what is discarded has changed the root"
        assert rows_of_machine(machine) == rows, "what is discarded has changed rows"

    def _repeat(self, step: Step, decided: Decided) -> None:
        """The same block on the second machine, which now and then begins anew from its rows."""
        second = self._second
        if self._random.random() < 0.05:
            second.restart()
            self.tally.outcomes["restarts"] += 1
        for found, result in zip(step.submissions, decided.results, strict=True):
            if result.outcome is not Outcome.INVALID:
                second.machine.remember(second.machine.parse(found.wire))
        wires = tuple(found.wire for found in step.submissions)
        again = second.machine.apply(second.block(step.time, wires))
        assert again == decided, f"a second machine decides block {decided.height} otherwise"
        second.commit(again)

    # The comparison

    def _compare(self, step: Step, decided: Decided) -> None:
        """Receipts, rows and the next due time against the model; the state against itself."""
        given = [given_of(found) for found in step.submissions]
        receipts, due = self._model.block(decided.height, decided.time, given)
        where = f"block {decided.height} at {decided.time}"
        for found, result, wanted in zip(step.submissions, decided.results, receipts, strict=True):
            receipt = json.loads(result.receipt)
            if isinstance(wanted, tuple):
                agrees = result.outcome is Outcome.INVALID and result.number in wanted
            else:
                agrees = receipt == wanted
            assert agrees, f"{where}: {shown(found)} comes to {receipt}, not {wanted}"
            self._count(found, receipt)
        real_due = None if decided.due is None else json.loads(decided.due)
        assert real_due == due, f"{where}: due work comes to {real_due}, not {due}"
        self._count_due(real_due or {})
        self._compare_rows()
        self._first.check()
        next_due = self._first.machine.next_due()
        assert next_due == self._model.next_due(), f"{where}: next due {next_due}"
        told = [json.loads(result.receipt) for result in decided.results]
        self.watch(step, told, decided, real_due)
        self.tally.blocks += 1
        self.tally.transactions += len(receipts)

    def _compare_rows(self) -> None:
        wanted = rows_of(self._model)
        for name, rows in wanted.items():
            found = self._rows[name]
            if found != rows:
                keys = [key for key in {*rows, *found} if rows.get(key) != found.get(key)]
                told = [(key, found.get(key), rows.get(key)) for key in sorted(keys)[:3]]
                raise AssertionError(f"{name}: (key, ledger's, model's): {told}")

    def _mirror(self, rows: Any) -> None:
        """Follow the rows of the tables that the model has, as plain JSON."""
        for full_key, value in rows:
            named = self._tables.get(full_key[:PREFIX_BYTES])
            if named is None or named[0] not in self._rows:
                continue
            name, table = named
            key = table.key_of(full_key)
            if value is None:
                self._rows[name].pop(key, None)
            else:
                self._rows[name][key] = json.loads(value)

    # The count

    def _count(self, submission: Submission, receipt: dict[str, Any]) -> None:
        outcome = receipt["outcome"]
        self.tally.outcomes[outcome] += 1
        self.tally.numbers[receipt.get("number", 0)] += 1
        messages = submission.payload.get("messages", [])
        if outcome == Outcome.APPLIED.value:
            self.tally.applied.update(msg["@type"] for msg in messages)
        elif outcome == Outcome.REFUSED.value:
            self.tally.refused[messages[receipt.get("message", 0)]["@type"]] += 1

    def _count_due(self, receipt: dict[str, Any]) -> None:
        self.tally.due["done"] += receipt.get("done", 0)
        for event in receipt.get("events", ()):
            if event["@type"] == "kernel.stuck":
                self.tally.stuck[event["number"]] += 1


def shown(submission: Submission) -> str:
    """A transaction for a person to read."""
    damaged = f", damaged to come to {submission.forms}" if submission.forms else ""
    return f"{json_bytes(submission).decode()} signed by {submission.signers}{damaged}"


def play(seed: str, transactions: int) -> Tally:
    """Play one history to its end and give its counts."""
    return Play(seed, transactions).run()
