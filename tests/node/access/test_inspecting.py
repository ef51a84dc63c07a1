"""A supervisor reads what is another's on a basis alone, and each such read is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.fixed_chain import BEGIN, key
from tests.modules.member_steps import FIRST
from tests.node.access.supervised import (
    ALICE,
    BANK,
    MINUTE_MS,
    SHOP,
    Supervised,
    opening,
    recorder,
    tally_of,
)
from tests.node.access.test_sessions import ends_by, opened
from tests.node.conftest import Recording, Served, serving_chain
from tests.node.test_submitting import problem
from tongbao.index.history import Index
from tongbao.kernel import (
    Amount,
    AssetCode,
    Count,
    Id,
    Name,
    Reference,
    Small,
    Time,
)
from tongbao.kernel.kernel_module import SettingName
from tongbao.modules import asset, governance, reading
from tongbao.modules.reading import CloseInspection, Tally, Why
from tongbao.node.access.callers import wall_clock_ms
from tongbao.node.access.needs import Kind
from tongbao.node.access.read_log import ReadLog
from tongbao.sdk.local import Chain

PAST = f"/v1/accounts/{ALICE}/movements"
HELD = f"/v1/accounts/{ALICE}/holdings"
PATIENCE_S = 30


def answering(
    fixed: Supervised, chain: Chain, recording: Recording | None = None, **settings: object
) -> AbstractContextManager[Served]:
    """A node with such settings, which records reads where it is told by what."""
    return serving_chain(fixed, chain, Index, None, None, wall_clock_ms, recording, **settings)


@contextmanager
def supervised(
    folder: Path, by: str = "bank", clock: Callable[[], int] | None = None, **settings: object
) -> Iterator[Served]:
    """A node for members, whose recorder acts as somebody; the clock of blocks stands still."""
    fixed = Supervised()
    told = {"read_policy": "members", "reads_batch_ms": 20, **settings}
    with (
        fixed.running(clock or (lambda: BEGIN + MINUTE_MS)) as chain,
        answering(fixed, chain, lambda found: recorder(folder, found, by), **told) as served,
    ):
        yield served


def send(served: Served, name: str, message: reading.OpenInspection | CloseInspection) -> None:
    """Somebody's message is applied."""
    assert served.send(served.fixed.signed(name, message)).status_code == 200


def refused(answer: httpx2.Response, why: Why) -> None:
    """An answer says 403, by a reason of the module, and what to do."""
    assert answer.status_code == 403
    assert answer.json()["number"] == why.number
    assert "reading.open_inspection" in answer.json()["detail"]


def recorded(served: Served, wanted: Tally) -> None:
    """Wait until the supervisor's tally is as it should be, and not for ever."""
    until = time.monotonic() + PATIENCE_S
    while tally_of(served.chain) != wanted:
        assert time.monotonic() < until, tally_of(served.chain)
        served.client.get("/livez")


def test_a_supervisor_reads_on_a_basis_and_the_person_sees_it(tmp_path: Path) -> None:
    """
    Given a supervisor's session,
    when it asks for alice's history and holdings before and after it has opened an inspection,
    then it is refused before, answered after, both reads are counted by kind, and alice reads in
    her own session who has inspected her.
    """
    with supervised(tmp_path) as served:
        session = opened(served, SHOP, key("shop"))
        refused(served.client.get(PAST, headers=session), Why.INSPECTION_NOT_FOUND)
        send(served, "shop", opening(served.chain.now()))

        assert served.client.get(PAST, headers=session).status_code == 200
        assert served.client.get(HELD, headers=session).status_code == 200
        recorded(served, Tally(inspections=Count(1), histories=Count(1), queries=Count(1)))
        hers = opened(served, ALICE, key("alice"))
        path = f"/v1/reading/reads-of?account={ALICE}"
        rows = served.client.get(path, headers=hers).json()["rows"]
        assert {row["value"]["by"] for row in rows} == {SHOP}
        assert {row["value"]["recorder"] for row in rows} == {BANK}
        assert served.client.get(f"/v1/reading/tally?by={SHOP}", headers=hers).status_code == 200


def test_a_supervisor_reads_a_row_whose_key_has_an_asset_beside_the_account(tmp_path: Path) -> None:
    """
    Given a supervisor with an inspection of alice, who holds an asset of the bank's,
    when it asks for the row of her holding and its proof, for such a row of the bank's, and for
    the history of what is no address,
    then hers are told and counted, and the others refused for want of a basis.
    """
    with supervised(tmp_path) as served:
        session = opened(served, SHOP, key("shop"))
        cny = served.fixed.cny
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        issue = asset.Issue(
            asset=cny, amount=Amount("5.00"), payee=ALICE, reference=Reference("cash-1")
        )
        for message in (define, issue):
            assert served.send(served.fixed.signed("bank", message)).status_code == 200
        send(served, "shop", opening(served.chain.now()))

        for path in ("/v1/rows/asset.holdings", "/v1/rows/asset.holdings/proof"):
            hers = served.client.get(f"{path}?key={ALICE}&key={cny}", headers=session)
            assert hers.status_code == 200
            others = served.client.get(f"{path}?key={BANK}&key={cny}", headers=session)
            refused(others, Why.INSPECTION_NOT_FOUND)
        nobody = served.client.get("/v1/accounts/alice/movements", headers=session)
        refused(nobody, Why.INSPECTION_NOT_FOUND)
        recorded(served, Tally(inspections=Count(1), rows=Count(2)))


def test_a_basis_is_for_one_account_one_supervisor_and_a_time(tmp_path: Path) -> None:
    """
    Given a supervisor with an inspection of alice, by a clock that is moved by hand,
    when it asks for the bank's data, others ask for alice's, and it asks again after the end,
    then all are refused, and so are streams and other tables, which no inspection is for.
    """
    clock = [BEGIN + MINUTE_MS]
    with supervised(tmp_path, clock=lambda: clock[0]) as served:
        session = opened(served, SHOP, key("shop"))
        send(served, "shop", opening(served.chain.now()))
        bank = opened(served, BANK, key("bank"))

        other = f"/v1/accounts/{BANK}/movements"
        refused(served.client.get(other, headers=session), Why.INSPECTION_NOT_FOUND)
        problem(served.client.get(PAST, headers=bank), 403)
        problem(served.client.get(f"/v1/events?account={ALICE}", headers=session), 403)
        problem(served.client.get("/v1/search?text=a", headers=session), 403)
        assert served.client.get(PAST, headers=session).status_code == 200
        clock[0] += 2 * MINUTE_MS
        refused(served.client.get(PAST, headers=session), Why.INSPECTION_HAS_ENDED)


def test_an_inspection_that_was_closed_serves_no_more(tmp_path: Path) -> None:
    """
    Given an inspection,
    when the supervisor closes it,
    then its open session reads nothing more of alice's.
    """
    with supervised(tmp_path) as served:
        session = opened(served, SHOP, key("shop"))
        send(served, "shop", opening(served.chain.now()))
        found = served.chain.query(reading.current, SHOP, ALICE)
        assert found is not None
        send(served, "shop", CloseInspection(inspection=found.inspection))

        refused(served.client.get(PAST, headers=session), Why.INSPECTION_HAS_ENDED)


def test_a_suspended_supervisor_s_open_session_reads_no_more(tmp_path: Path) -> None:
    """
    Given a supervisor's session, with a basis that has not ended,
    when the operators suspend its member,
    then the session reads nothing of alice's any more, and still its own.
    """
    with supervised(tmp_path, reads_batch_ms=3_600_000) as served:
        session = opened(served, SHOP, key("shop"))
        send(served, "shop", opening(served.chain.now()))
        assert served.client.get(PAST, headers=session).status_code == 200
        suspending = governance.Propose(
            actions=(governance.SuspendMember(member=FIRST),),
            closes_at=Time(served.chain.now() + MINUTE_MS),
        )
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        for message in (suspending, define):  # what was decided is carried out in the next block
            assert served.send(served.fixed.signed("bank", message)).status_code == 200

        problem(served.client.get(PAST, headers=session), 403)
        own = f"/v1/accounts/{SHOP}/holdings"
        assert served.client.get(own, headers=session).status_code == 200


def test_an_issuer_reads_who_holds_its_asset_and_nobody_else_does(tmp_path: Path) -> None:
    """
    Given an asset of the bank's,
    when the bank's session asks for what alice holds of it and how it moved, and the shop's does,
    then the bank is answered as the issuer, without any basis, and the shop is not.
    """
    with supervised(tmp_path) as served:
        cny = served.fixed.cny
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        assert served.send(served.fixed.signed("bank", define)).status_code == 200
        bank = opened(served, BANK, key("bank"))
        shop = opened(served, SHOP, key("shop"))
        for path in (
            f"/v1/asset/balance?account={ALICE}&asset={cny}",
            f"/v1/asset/statement?asset={cny}",
            f"/v1/assets/{cny}/movements",
        ):
            assert served.client.get(path, headers=bank).status_code == 200, path
            assert served.client.get(path, headers=shop).status_code == 403, path


def test_a_node_that_records_nothing_shows_a_supervisor_nothing() -> None:
    """
    Given a node without an account that records reads,
    when a supervisor with a basis asks,
    then it is told to ask where reads are recorded.
    """
    fixed = Supervised()
    with (
        fixed.running(lambda: BEGIN + MINUTE_MS) as chain,
        answering(fixed, chain, read_policy="members") as served,
    ):
        session = opened(served, SHOP, key("shop"))
        send(served, "shop", opening(served.chain.now()))
        answer = served.client.get(PAST, headers=session)

        assert answer.status_code == 503
        assert "reads_account" in answer.json()["detail"]


def test_who_can_not_record_stops_answering_after_a_bound(tmp_path: Path) -> None:
    """
    Given a node whose account acts for no operator, so that the ledger refuses its records,
    when a supervisor goes on reading after reads have waited for longer than `reads_wait_ms`,
    then it is refused with 503, others are answered, and what was answered is kept.
    """
    clock = [BEGIN + MINUTE_MS]
    with supervised(tmp_path, "alice", lambda: clock[0], reads_wait_ms=1_000) as served:
        session = opened(served, SHOP, key("shop"))
        send(served, "shop", opening(served.chain.now()))
        assert served.client.get(PAST, headers=session).status_code == 200
        clock[0] += 2_000

        answer = served.client.get(PAST, headers=session)
        assert answer.status_code == 503
        assert "can't be recorded" in answer.json()["detail"]
        assert served.client.get(PAST, headers=opened(served, ALICE, key("alice"))).is_success
    kept = [*(tmp_path / "reads").glob("*.jsonl")]
    assert sum(len(file.read_bytes().splitlines()) for file in kept) == 1


def test_a_halt_of_the_module_stops_supervisors_and_loses_no_read(tmp_path: Path) -> None:
    """
    Given a network whose operators have halted the module that records reads,
    when a supervisor with a basis reads on after the bound, and the halt ends,
    then it gets 503 meanwhile, and what it was answered is recorded then.
    """
    clock = [BEGIN + MINUTE_MS]
    settings: dict[str, object] = {"reads_wait_ms": 1_000, "reads_batch_ms": 3_600_000}
    with supervised(tmp_path, "bank", lambda: clock[0], **settings) as served:
        session = opened(served, SHOP, key("shop"))
        send(served, "shop", opening(served.chain.now()))
        halt = governance.Halt(
            module=Name("reading"), duration_ms=governance.Duration(10 * MINUTE_MS)
        )
        closes_at = Time(served.chain.now() + MINUTE_MS)
        halting = governance.Propose(actions=(halt,), closes_at=closes_at)
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        for message in (halting, define):  # what was decided holds from the next block on
            assert served.send(served.fixed.signed("bank", message)).status_code == 200

        assert served.chain.row("kernel.halts", "reading") is not None
        assert served.client.get(PAST, headers=session).status_code == 200
        clock[0] += 2_000
        assert served.client.get(PAST, headers=session).status_code == 503
        assert tally_of(served.chain) == Tally(inspections=Count(1))
        clock[0] += 11 * MINUTE_MS
        recorded(served, Tally(inspections=Count(1), histories=Count(1)))


def test_reads_of_an_inspection_that_the_ledger_never_had_stop_nobody(tmp_path: Path) -> None:
    """
    Given reads beside a chain that was restored from before the inspection which they name,
    when a supervisor reads on a basis that the chain has,
    then that read is recorded, and the others are kept in a file apart.
    """
    lost = ReadLog(tmp_path / "reads")
    lost.add(Id("ab" * 20), Kind.HISTORIES, Time(BEGIN))
    lost.close()
    with supervised(tmp_path) as served:
        session = opened(served, SHOP, key("shop"))
        send(served, "shop", opening(served.chain.now()))
        assert served.client.get(PAST, headers=session).status_code == 200
        recorded(served, Tally(inspections=Count(1), histories=Count(1)))
        (apart,) = (tmp_path / "reads").glob("apart-*.jsonl")
        assert "ab" * 20 in apart.read_text()


def test_reads_that_were_not_recorded_are_when_a_node_comes_back(tmp_path: Path) -> None:
    """
    Given a node that has answered a supervisor, and ended before anything was recorded,
    when another node begins on the same folder,
    then the ledger has the read, once.
    """
    fixed = Supervised()
    hour = {"read_policy": "members", "reads_batch_ms": 3_600_000}
    with fixed.running(lambda: BEGIN + MINUTE_MS) as chain:
        for asks in (True, False):
            with answering(fixed, chain, lambda told: recorder(tmp_path, told), **hour) as served:
                if asks:
                    session = opened(served, SHOP, key("shop"))
                    send(served, "shop", opening(chain.now()))
                    assert served.client.get(PAST, headers=session).status_code == 200
                    assert tally_of(chain) == Tally(inspections=Count(1))
                else:
                    recorded(served, Tally(inspections=Count(1), histories=Count(1)))


@pytest.mark.parametrize(("value", "status"), [(0, 200), (1, 401)])
def test_a_chain_s_policy_narrows_every_node_s(value: int, status: int) -> None:
    """
    Given a chain whose genesis says that members alone read, or says nothing, and a node whose own
    setting is `public`,
    when a stranger asks for an account's holdings,
    then the chain decides.
    """
    fixed = Supervised({"reading.members_only": value} if value else None)
    with (
        fixed.running(lambda: BEGIN + MINUTE_MS) as chain,
        answering(fixed, chain) as served,
    ):
        assert served.client.get(HELD).status_code == status
        if status == 200:
            assert served.client.get("/v1").json()["read_policy"] == "public"
        else:
            hers = opened(served, ALICE, key("alice"))
            assert served.client.get("/v1", headers=hers).json()["read_policy"] == "members"


def test_a_stream_that_a_stranger_began_ends_when_the_chain_s_policy_narrows() -> None:
    """
    Given a chain that everybody reads, and a stranger's stream of all events,
    when its operators decide that members alone read,
    then the stream ends, as a stranger can't begin another one.
    """
    fixed = Supervised()
    with (
        fixed.running(lambda: BEGIN + MINUTE_MS) as chain,
        answering(fixed, chain, heartbeat_ms=50) as served,
        served.client.stream("GET", "/v1/events", timeout=PATIENCE_S) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")
        name = SettingName("reading.members_only")
        narrowing = governance.SetParameter(name=name, value=Count(1))
        closes_at = Time(chain.now() + MINUTE_MS)
        proposing = governance.Propose(actions=(narrowing,), closes_at=closes_at)
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        for message in (proposing, define):  # what was decided holds from the next block on
            assert served.send(fixed.signed("bank", message)).status_code == 200

        ends_by(time.monotonic() + PATIENCE_S, lines)
        problem(served.client.get("/v1/events"), 401)


def test_a_node_in_the_clear_answers_nobody_where_the_chain_is_for_members() -> None:
    """
    Given a chain for members, and a node that other machines reach without TLS,
    when somebody asks,
    then the answer says what the node lacks.
    """
    fixed = Supervised({"reading.members_only": 1})
    everywhere: dict[str, object] = {"host": "0.0.0.0", "allowed_hosts": ["*"]}  # noqa: S104
    with (
        fixed.running(lambda: BEGIN + MINUTE_MS) as chain,
        answering(fixed, chain, None, **everywhere) as served,
    ):
        answer = served.client.get(HELD)
        assert answer.status_code == 503
        assert "tls_certificate" in answer.json()["detail"]
