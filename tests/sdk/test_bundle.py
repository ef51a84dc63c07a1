"""Audit bundles: what they prove, what they say is not proven, and that nothing altered passes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections import Counter

import msgspec
import pytest
from msgspec.structs import replace

from tests.fixed_chain import FixedChain, key
from tests.golden_file import check_golden
from tests.sdk.bundled import (
    AT,
    FIRST,
    LAST,
    Bundled,
    altered,
    bundle_of,
    canonical,
    changed_story,
    counted,
    fixed_story,
    packed,
    paper_story,
)
from tongbao.index.answers import Statement
from tongbao.index.statement import Held
from tongbao.kernel import Address, PublicKey, Time
from tongbao.kernel.amount import text_of
from tongbao.sdk.bundle import MOVEMENTS_LIMIT, BundleStatement, Line, csv_of, units_of
from tongbao.sdk.bundle_maker import BundleError, prove_end, statement_of
from tongbao.sdk.bundle_verification import VerifiedBundle, check_joined, verify_bundle
from tongbao.sdk.folder import trust_file
from tongbao.sdk.proofs import SoloTrust, to_json
from tongbao.sdk.verification import Finding, VerificationError
from tongbao.sdk.zip_form import ZipError, read_zip, zip_pieces

STORIES = {"solo": fixed_story, "cometbft": paper_story}


@pytest.fixture(scope="module")
def solo() -> Bundled:
    """Made once: nothing changes it."""
    return Bundled(fixed_story)


@pytest.fixture(scope="module")
def network() -> Bundled:
    """The same of a network."""
    return Bundled(paper_story)


def finding_of(bundle: bytes, trust: bytes, at: int = AT) -> Finding | None:
    """Why a bundle is not believed; None where it is."""
    try:
        verify_bundle(bundle, trust, at)
    except VerificationError as error:
        return error.finding
    return None


def summary(found: VerifiedBundle) -> list[tuple[str, str, str, str | None, str | None]]:
    """Each movement of a statement in short."""
    return [
        (line.way, line.amount, line.balance, line.reference, line.unproven)
        for line in found.statement.lines
    ]


def test_a_period_is_proven_with_its_balances(solo: Bundled) -> None:
    """
    Given the bundle of blocks 2 and 3 of alice's account, on a chain that has gone on since,
    when it is verified,
    then movements, references and balances of the period are there, and what moved since, up to
    the holding that is proven; due work is proven as well.
    """
    found = verify_bundle(solo.middle, solo.trust)
    said = found.statement
    assert (said.opening, said.total_in, said.total_out, said.closing) == (
        "100.00",
        "0.50",
        "16.50",
        "84.00",
    )
    assert (said.holding, said.height, found.height) == ("85.00", 5, 5)
    assert (found.proven, found.unproven) == (8, 0)
    assert summary(found) == [
        ("out", "1.00", "99.00", "order-1", None),
        ("out", "2.00", "97.00", "-order-2", None),
        ("out", "3.50", "93.50", None, None),
        ("out", "10.00", "83.50", None, None),
        ("in", "0.50", "84.00", None, None),
        ("out", "4.00", "80.00", None, None),
        ("out", "5.00", "75.00", None, None),
        ("in", "10.00", "85.00", None, None),
    ]


def test_due_work_of_a_network_is_said_to_be_unproven(network: Bundled) -> None:
    """
    Given a network's bundle, with a hold that came back by itself,
    when it is verified, and when movements without a proof are taken,
    then it is refused, and then passes with that one movement marked.
    """
    assert finding_of(network.partly, network.trust) is Finding.MOVEMENT_IS_NOT_PROVEN
    found = verify_bundle(network.partly, network.trust, AT, partly=True)
    assert (found.proven, found.unproven) == (8, 1)
    assert [line for line in summary(found) if line[-1]] == [
        ("in", "10.00", "90.00", None, "due_work")
    ]


def test_the_last_votes_make_the_trust_file_of_a_network_s_bundle(network: Bundled) -> None:
    """
    Given a network's bundle and a trust file of its genesis,
    when the bundle's own trust file is looked at,
    then it is of the block of the holding, and makes no bundle before that believable.
    """
    inside = read_zip(network.middle)["trust.json"]
    assert json.loads(inside)["height"] == 6
    assert finding_of(network.middle, inside) is Finding.HEADER_IS_NOT_LATER


@pytest.mark.parametrize("engine", STORIES)
def test_golden_bundles_are_the_same_in_every_later_version(
    engine: str, solo: Bundled, network: Bundled
) -> None:
    """
    Given the bundles of both engines,
    when their bytes are compared with the golden ones,
    then none has changed.
    """
    made = solo if engine == "solo" else network
    found = {
        "at": AT,
        "trust": json.loads(made.trust),
        "middle": b64encode(made.middle).decode(),
        "partly": b64encode(made.partly).decode(),
    }
    check_golden("bundle.json", engine, found)


def test_any_program_reads_the_archive(solo: Bundled) -> None:
    """
    Given a bundle,
    when the standard library's zip reader tests and reads it,
    then it finds the same members, and a CSV in which no cell begins a formula.
    """
    with zipfile.ZipFile(io.BytesIO(solo.middle)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == read_zip(solo.middle)
        lines = archive.read("statement.csv").decode().split("\r\n")
    assert len(lines) == 1 + 5 + 1
    assert lines[1].startswith("2026-09-21T14:13:22.000Z,out,1.00,99.00,")
    assert "'-order-2" in lines[2]


@pytest.mark.parametrize("engine", STORIES)
def test_whatever_is_altered_is_found_out(engine: str, solo: Bundled, network: Bundled) -> None:
    """
    Given bundles altered in one place, most with a manifest that was made again to fit,
    when they are verified,
    then each is refused; but a period that begins earlier says nothing that a proof could deny, and
    a vote that nobody needs changes nothing that is said.
    """
    made = solo if engine == "solo" else network
    whole = verify_bundle(made.middle, made.trust, AT)
    reached: Counter[Finding] = Counter()
    for where, bundle in altered(made.middle, seed=7):
        try:
            found = verify_bundle(bundle, made.trust, AT)
        except VerificationError as error:
            reached[error.finding] += 1
            continue
        assert found.statement.first_time <= FIRST, where
        said = replace(found.statement, first_time=whole.statement.first_time)
        assert replace(found, statement=said) == whole, where
        assert "statement.json" in where or engine == "cometbft", where
    assert set(reached) >= {
        Finding.BUNDLE_IS_UNREADABLE,
        Finding.BUNDLE_IS_ALTERED,
        Finding.STATEMENT_IS_WRONG,
        Finding.TRUST_IS_ANOTHER,
        Finding.TRANSACTION_IS_NOT_PROVEN,
        Finding.ROW_IS_NOT_PROVEN,
    }


def test_a_movement_that_is_left_out_shows_in_sums_or_beside_an_earlier_bundle() -> None:
    """
    Given a node that hides a payment: as it is, or with an opening that makes the sums fit,
    when its bundles are verified, and then beside one that was made before that payment,
    then the first is refused; the second passes alone, and not beside the earlier one, with which
    the honest bundle agrees, whether it begins before or after that one's holding.
    """
    fixed = FixedChain()
    fixed.make(fixed.pay("1.00"), fixed.pay("2.00"))
    chain = fixed.reading()
    trust = to_json(chain.trust())
    earlier = verify_bundle(bundle_of(chain, FixedChain.alice, 0, None), trust)
    fixed.make(fixed.pay("4.00"))
    fixed.make(fixed.pay("8.00"))
    chain = fixed.reading()
    ask = counted(chain, FixedChain.alice)

    def hiding(first: int, before: int, held: Held, after: str | None) -> Statement:
        page = ask(first, before, held, after)
        left = tuple(one for one in page.movements if one.amount != "4.00")
        return replace(page, movements=left)

    def fitting(first: int, before: int, held: Held, after: str | None) -> Statement:
        page = hiding(first, before, held, after)
        late = [one for one in page.movements if one.height > 3]
        rest = [
            replace(one, balance=text_of(units_of(one.balance) - 400, 2))
            for one in page.movements
            if one.height < 3
        ]
        return replace(page, movements=(*rest, *late), opening="96.00", closing="85.00")

    begin = earlier.time
    for lie in (hiding, fitting):
        made = bundle_of(chain, FixedChain.alice, begin, None, lie)
        assert (finding_of(made, trust) is None) == (lie is fitting)
    lying = verify_bundle(bundle_of(chain, FixedChain.alice, begin, None, fitting), trust)
    with pytest.raises(VerificationError, match="BUNDLES_DO_NOT_JOIN"):
        check_joined(earlier, lying)
    for first in (0, begin, begin + 1):
        check_joined(earlier, verify_bundle(bundle_of(chain, FixedChain.alice, first, None), trust))
    others = verify_bundle(bundle_of(chain, FixedChain.shop, 0, None), trust)
    with pytest.raises(VerificationError, match="another account"):
        check_joined(earlier, others)


def test_validators_who_all_changed_are_followed_by_the_blocks_between() -> None:
    """
    Given a network whose validators have all made room for others between two payments,
    when a bundle of both is verified by a trust file of the genesis, whole and without the light
    blocks between,
    then it is believed as it is made, and not without them.
    """
    paper = changed_story()
    chain, trust = paper.chain(), to_json(trust_file(paper.genesis))
    bundle = bundle_of(chain, FixedChain.shop, 0, None)
    assert verify_bundle(bundle, trust, AT).statement.closing == "20.00"
    members = read_zip(bundle)
    led = [name for name, content in members.items() if b'"blocks":[' in content]
    assert led == [list(members)[1]]
    member = json.loads(members[led[0]])
    del member["blocks"]
    cut = packed({**members, led[0]: canonical(member)})
    assert finding_of(cut, trust) is Finding.TRUST_IS_TOO_LITTLE


def test_who_holds_another_trust_file_is_told(solo: Bundled, network: Bundled) -> None:
    """
    Given trust files of another signer, of one more signer, and of another engine,
    when a bundle is verified by each,
    then it is refused for that reason.
    """
    own = msgspec.json.decode(solo.trust, type=SoloTrust)
    stranger = key_of_stranger()
    assert (
        finding_of(solo.middle, to_json(replace(own, keys=(stranger,))))
        is Finding.SIGNER_IS_NOT_TRUSTED
    )
    more = to_json(replace(own, keys=(*own.keys, stranger)))
    assert finding_of(solo.middle, more) is Finding.TRUST_IS_ANOTHER
    assert finding_of(solo.middle, network.trust) is Finding.ENGINE_IS_ANOTHER
    assert finding_of(network.middle, solo.trust) is Finding.ENGINE_IS_ANOTHER


def key_of_stranger() -> PublicKey:
    """A public key that signs nothing here."""
    return PublicKey(key("stranger").key_id)


def test_an_empty_period_is_proven_too(solo: Bundled) -> None:
    """
    Given a period after the last block's movements, and an account that holds nothing,
    when bundles of them are verified,
    then they say that nothing moved, and the holding is proven, its absence too.
    """
    bundle = bundle_of(solo.chain, FixedChain.alice, LAST + 1_501, None)
    found = verify_bundle(bundle, solo.trust)
    assert (found.statement.opening, found.statement.closing) == ("85.00", "85.00")
    nobody = verify_bundle(bundle_of(solo.chain, Address("0" * 40), 0, None), solo.trust)
    assert (nobody.statement.holding, nobody.proven) == ("0.00", 0)


def test_too_many_movements_and_a_period_to_come_are_refused_by_the_maker(solo: Bundled) -> None:
    """
    Given a statement longer than a bundle may be, and a period that begins after the last block,
    when a bundle of it is asked for,
    then it is refused, and what to ask instead is said.
    """
    rows = prove_end(solo.chain, FixedChain.alice, FixedChain.cny)
    ask = counted(solo.chain, FixedChain.alice)

    def long(first: int, before: int, held: Held, after: str | None) -> Statement:
        page = ask(first, before, held, after)
        return replace(page, movements=page.movements * MOVEMENTS_LIMIT)

    with pytest.raises(BundleError, match=r"at most 10,000 movements.*only a later `from`"):
        statement_of(solo.chain, rows, long, 0, None)
    with pytest.raises(BundleError, match="begins after the last block"):
        statement_of(solo.chain, rows, ask, rows.time + 2, None)


def test_pruned_movements_are_the_node_s_word(solo: Bundled) -> None:
    """
    Given a bundle whose first movements say that the bodies of their blocks were pruned,
    when it is verified,
    then it is refused, unless movements without a proof are taken, which are counted.
    """
    members = read_zip(solo.middle)
    said = json.loads(members["statement.json"])
    for line in said["movements"][:3]:
        line["unproven"] = "pruned"
    del members["blocks/000000000002.json"]
    statement = msgspec.json.decode(canonical(said), type=BundleStatement)
    members |= {"statement.json": canonical(said), "statement.csv": csv_of(statement)}
    bundle = packed(members)
    assert finding_of(bundle, solo.trust) is Finding.MOVEMENT_IS_NOT_PROVEN
    found = verify_bundle(bundle, solo.trust, partly=True)
    assert (found.proven, found.unproven) == (5, 3)


def test_an_archive_has_limits() -> None:
    """
    Given members that are too many, too long, or named to lead out of a folder,
    when an archive of them is written or read,
    then it is refused.
    """
    with pytest.raises(ZipError, match="20,000 members"):
        list(zip_pieces((f"blocks/{place}.json", b"") for place in range(20_001)))
    with pytest.raises(ZipError, match="32 MiB"):
        list(zip_pieces([("a.json", bytes(33_554_433))]))
    with pytest.raises(ZipError, match="256 MiB"):
        list(zip_pieces((f"a{place}.json", bytes(33_554_432)) for place in range(9)))
    for name in ("../a.json", "/a.json", "a/../b.json", "c:a.json", "a"):
        with pytest.raises(ZipError, match="has the name"):
            read_zip(b"".join(zip_pieces([(name, b"{}")])))


def test_a_line_takes_no_other_text() -> None:
    """
    Given a movement whose reference, id or amount is text of another kind,
    when it is read,
    then it is refused: the CSV has no cell that needs quotes.
    """
    good = {
        "time": Time(1),
        "height": 1,
        "index": 0,
        "place": 0,
        "way": "in",
        "amount": "1.00",
        "balance": "1.00",
    }
    assert msgspec.convert(good, Line).amount == "1.00"
    for name, text in (("reference", "a,b"), ("id", "=A1"), ("amount", "-1"), ("amount", "1e3")):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(good | {name: text}, Line)


def test_the_verifier_of_bundles_imports_no_store() -> None:
    """
    Given a fresh interpreter,
    when it imports the verifier of bundles,
    then neither store, lmdb, index nor node is loaded.
    """
    code = (
        "import sys, tongbao.sdk.bundle_verification\n"
        "bad = ('lmdb', 'cryptography', 'sqlite3', 'tongbao.store', 'tongbao.node',"
        " 'tongbao.index')\n"
        "print([name for name in sys.modules if name.startswith(bad)])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[]"
