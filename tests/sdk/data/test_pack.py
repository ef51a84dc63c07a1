"""Compliance packs: what was granted in a period, proven to whoever holds the trust file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from msgspec.structs import replace

from tests.sdk.data.granted import ALICE, BOB, DAVE, B, Granted, told
from tests.sdk.data.granted_chains import CHAINS, SECOND, Solo
from tests.spoiling import spoiled
from tongbao.kernel import Id, jcs
from tongbao.modules import data
from tongbao.sdk.data import pack as form
from tongbao.sdk.data.pack import Pack, manifest_of
from tongbao.sdk.data.pack_maker import PackError, Wanted, make_pack
from tongbao.sdk.data.pack_verification import VerifiedPack, is_pack, pack_in, verify_pack
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.proofs import to_json
from tongbao.sdk.zip_form import Members, read_zip, zip_pieces

ASSESSMENT: Final = "Who may be hurt, and how we see to it: 已评估。\n".encode()


class Packed:
    """A market's pack of all that bob bought."""

    def __init__(self, engine: str, only: str = "") -> None:
        """Tell the story, and make the pack, of `only` one of the orders if that is named."""
        self.market, self.orders = told(CHAINS[engine]())
        if only:
            order = self.orders[only]
            self.market.receipts = {order: self.market.receipts[order]}
            self.market.deletions = {order: self.market.deletions[order]}
        self.chain = self.market.backing.chain()
        self.trust = self.market.trust
        self.now = self.chain.now()
        self.content, self.found = made(self.market, assessment=ASSESSMENT)
        self.members = read_zip(self.content)

    def verify(self, content: bytes, partly: bool = False) -> VerifiedPack:
        """What a pack proves."""
        return verify_pack(content, self.trust, self.now, partly)

    def finding(self, content: bytes) -> Finding:
        """Why a pack is refused."""
        with pytest.raises(VerificationError) as refused:
            self.verify(content)
        return refused.value.finding


def made(market: Granted, **changes: Any) -> tuple[bytes, VerifiedPack]:
    """The pack of a market, verified."""
    chain = market.backing.chain()
    usual = Wanted(
        account=BOB,
        receipts=tuple(market.receipts.values()),
        deletions=market.deletions,
        before=chain.now(),
        trust=market.trust,
    )
    content, found = make_pack(chain, replace(usual, **changes))
    assert found is not None
    return content, found


def packed(members: Mapping[str, bytes]) -> bytes:
    """An archive of members as they are, whatever its manifest says."""
    return b"".join(zip_pieces(members.items()))


def listed(members: Members, pack: Pack, engine: str) -> bytes:
    """An archive whose manifest is made to fit: what a forger would do."""
    own = {name: text for name, text in members.items() if name != form.MANIFEST}
    own[form.MANIFEST] = jcs.encode(manifest_of(pack, engine, own))
    return packed(own)


@pytest.fixture(scope="module", params=CHAINS)
def any_pack(request: pytest.FixtureRequest) -> Packed:
    """A pack under each engine."""
    return Packed(request.param)


@pytest.fixture(scope="module")
def solo() -> Packed:
    """A pack of a solo chain."""
    return Packed("solo")


def test_a_pack_proves_what_became_of_each_grant(any_pack: Packed) -> None:
    """
    Given grants that were accepted, claimed, called off, left to deadlines, deleted or still held,
    when the buyer's pack is verified with the trust file alone,
    then it says of each what became of it, by whom it was sealed, and that nothing is overdue.
    """
    orders, found = any_pack.orders, any_pack.verify(any_pack.content)
    by_order = {one.receipt.order: one for one in found.grants}
    assert set(by_order) == set(orders.values())
    said = {
        name: (by_order[Id(order)].phase, by_order[Id(order)].deleted_at is not None,
               by_order[Id(order)].held)
        for name, order in orders.items()
    }  # fmt: skip
    assert said == {
        "accepted": ("settled", True, False),
        "upheld": ("upheld", True, False),
        "cancelled": ("cancelled", False, False),
        "withdrawn": ("withdrawn", False, False),
        "lapsed": ("lapsed", False, False),
        "settled": ("settled", True, False),
        "held": ("settled", False, True),
        "sealed": ("sealed", False, False),
    }
    assert found.late == ()
    assert {one.receipt.owner for one in found.grants} == {ALICE, DAVE}
    names = {one.receipt.institution for one in found.grants}
    assert [one.name for one in names if one is not None] == ["House of bob"]
    assert all(one.receipt.purpose == "dpv:AcademicResearch" for one in found.grants)


def test_a_manifest_says_what_law_asks_for_which_members(solo: Packed) -> None:
    """Given a pack, when its manifest is read, then three articles, their members, three years."""
    manifest = json.loads(solo.members[form.MANIFEST])
    assert [line["law"] for line in manifest["law"]] == ["PIPL 23", "PIPL 55", "PIPL 56"]
    assert manifest["law"][1]["members"] == ["assessment.txt"]
    assert solo.members[form.ASSESSMENT] == ASSESSMENT
    assert manifest["keep_until"] - json.loads(solo.members[form.PACK])["to"] == form.KEPT_MS
    without, _ = made(solo.market)
    assert json.loads(read_zip(without)[form.MANIFEST])["law"][1]["members"] == []
    assert form.ASSESSMENT not in read_zip(without)


def test_a_pack_is_made_again_byte_for_byte(solo: Packed) -> None:
    """Given a chain that stands, when a pack is made twice, then the bytes are the same."""
    assert made(solo.market, assessment=ASSESSMENT, before=solo.now)[0] == solo.content
    assert is_pack(solo.content)
    assert not is_pack(packed({"blocks/000000000001.json": b"{}"}))


@pytest.mark.parametrize("name", sorted(read_zip(Packed("solo").content)))
def test_a_changed_byte_of_any_member_is_found(solo: Packed, name: str) -> None:
    """Given a pack, when one byte of one member is another, then the pack is refused."""
    text = solo.members[name]
    for place in {0, len(text) // 2, len(text) - 1}:
        changed = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        found = solo.finding(packed({**solo.members, name: changed}))
        expected = {Finding.PACK_IS_UNREADABLE, Finding.PACK_IS_ALTERED}
        assert found in expected


@pytest.fixture(scope="module")
def small() -> Packed:
    """A pack of one grant, which went through every step."""
    return Packed("solo", "accepted")


def forged(solo: Packed, name: str) -> Iterator[bytes]:
    """Packs with one member spoiled, in RFC 8785 form, under a manifest made to fit."""
    every = list(spoiled(json.loads(solo.members[name])))
    for value in every[:: max(1, len(every) // FORGERIES)]:
        try:
            text = jcs.encode(value)
        except TypeError:
            continue
        if text == solo.members[name]:
            continue
        members = {**solo.members, name: text}
        try:
            pack = pack_in(packed(members))
        except VerificationError:
            pack = pack_in(solo.content)
        yield listed(members, pack, "solo")


ONE_OF_EACH: Final = {
    name.partition("/")[0]: name
    for name in read_zip(Packed("solo", "accepted").content)
    if name.endswith(".json") and name != form.MANIFEST
}
FORGERIES: Final = 150
"""Of each kind of member."""


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_member_that_a_forger_has_rewritten_is_found(small: Packed, kind: str) -> None:
    """
    Given a member of each kind, with any one value in it replaced, left out, added or moved,
    when the manifest is made to fit,
    then the pack is refused all the same, unless it only claims a longer period.
    """
    tried = 0
    for content in forged(small, ONE_OF_EACH[kind]):
        tried += 1
        try:
            found = small.verify(content, partly=True)
        except VerificationError:
            continue
        assert kind == form.PACK
        assert replace(found, pack=small.found.pack) == small.found
        longer = replace(found.pack, first_time=small.found.pack.first_time)
        assert longer == small.found.pack
    assert tried > 30


def test_a_missing_or_foreign_member_is_named(solo: Packed) -> None:
    """Given a pack without a member, or with one more, when verified, then it is named."""
    pack = pack_in(solo.content)
    for name in solo.members:
        if name in (form.PACK, form.MANIFEST):
            continue
        fewer = {other: text for other, text in solo.members.items() if other != name}
        with pytest.raises(VerificationError, match=rf"\(30\).*{name} is missing"):
            solo.verify(listed(fewer, pack, "solo"))
    more = {**solo.members, "receipts/aa.json": b"{}"}
    with pytest.raises(VerificationError, match=r"\(30\).*receipts/aa.json is foreign"):
        solo.verify(listed(more, pack, "solo"))
    turned = dict(sorted(solo.members.items(), key=lambda pair: pair[0] != form.MANIFEST))
    with pytest.raises(VerificationError, match=r"\(30\)"):
        solo.verify(packed(turned))


def test_receipts_of_two_grants_can_t_be_exchanged(solo: Packed) -> None:
    """Given two receipts, each under the other's order, when verified, then neither was sealed."""
    one, other = (f"receipts/{solo.orders[name]}.json" for name in ("accepted", "held"))
    members = {**solo.members, one: solo.members[other], other: solo.members[one]}
    content = listed(members, pack_in(solo.content), "solo")
    assert solo.finding(content) is Finding.RECEIPT_IS_NOT_SEALED


def test_a_deletion_that_was_not_attested_is_found(solo: Packed) -> None:
    """
    Given a grant whose licence ran out, and one whose attestation is another document,
    when their packs are verified,
    then the first is refused with its order, and counted where that is wished; the second is not
    made.
    """
    market = Granted(Solo())
    late, done = market.accept(), market.accept("dave", "dave")
    market.delete(done)
    market.pass_time(90 * SECOND)
    content, found = made(market)
    assert [one.receipt.order for one in found.late] == [late]
    now = market.backing.chain().now()
    with pytest.raises(VerificationError, match=rf"DELETION_IS_NOT_ATTESTED \(36\).*1 .*{late}"):
        verify_pack(content, market.trust, now)
    assert len(verify_pack(content, market.trust, now, partly=True).late) == 1
    other = market.deletions[done].replace(b'"deleted_at":1', b'"deleted_at":2')
    with pytest.raises(PackError, match="another document"):
        made(market, deletions={done: other})
    with pytest.raises(PackError, match="nobody attested"):
        made(market, deletions={late: market.deletions[done]})


def test_a_pack_is_of_its_period(solo: Packed) -> None:
    """Given a period, when a pack is made, then it has what was sealed in it, and says no other."""
    whole = sorted(solo.found.grants, key=lambda one: one.sealed_at)
    first = whole[2].sealed_at
    _, part = made(solo.market, first=first, before=whole[5].sealed_at)
    inside = sorted(part.grants, key=lambda one: one.sealed_at)
    assert [one.receipt for one in inside] == [one.receipt for one in whole[2:5]]
    pack = pack_in(solo.content)
    for change in ({"first_time": first}, {"before_time": first}):
        other = replace(pack, **change)
        members = {**solo.members, form.PACK: jcs.encode(other)}
        assert solo.finding(listed(members, other, "solo")) is Finding.PACK_IS_WRONG


def test_an_owner_has_a_pack_of_its_own(any_pack: Packed) -> None:
    """Given an owner's receipts, when a pack is made of them, then it is the owner's."""
    receipts = tuple(
        text
        for order, text in any_pack.market.receipts.items()
        if any_pack.market.row(order).owner == ALICE
    )
    _, found = made(any_pack.market, account=ALICE, receipts=receipts, deletions={})
    assert (found.pack.role, len(found.grants)) == ("owner", 4)
    assert sum(one.deleted_at is not None for one in found.grants) == 1


def test_what_can_be_no_pack_is_refused_with_what_to_do(solo: Packed) -> None:
    """Given receipts of others, of no seal, of another chain, when asked, then PackError."""
    with pytest.raises(PackError, match="not all receipts are of grants to"):
        made(solo.market, account=ALICE)
    market = Granted(Solo())
    order = market.order()
    receipt = market.receipt(order, "alice", "carol")
    with pytest.raises(PackError, match="never sealed"):
        made(market, receipts=(receipt,), deletions={})
    with pytest.raises(PackError, match="is of chain paper-"):
        made(market, receipts=tuple(Packed("cometbft").market.receipts.values()))


def test_a_pack_of_another_chain_is_refused(solo: Packed) -> None:
    """Given the trust file of another chain or engine, when verified, then it is refused."""
    other = Packed("cometbft").trust
    with pytest.raises(VerificationError) as refused:
        verify_pack(solo.content, other, solo.now)
    assert refused.value.finding is Finding.PACK_IS_ALTERED
    mine = json.loads(solo.trust)
    mine["chain"] = "another-00000000"
    with pytest.raises(VerificationError) as refused:
        verify_pack(solo.content, json.dumps(mine).encode(), solo.now)
    assert refused.value.finding is Finding.CHAIN_IS_ANOTHER


def test_a_network_s_pack_is_not_called_verified_without_a_trust_file() -> None:
    """Given a network's chain and no trust file, when a pack is made, then nothing is claimed."""
    pack = Packed("cometbft")
    wanted = Wanted(
        account=BOB, receipts=tuple(pack.market.receipts.values()), before=pack.chain.now()
    )
    content, found = make_pack(pack.chain, wanted)
    assert found is None
    assert len(verify_pack(content, pack.trust, pack.now).grants) == 8
    late = to_json(pack.chain.trust())
    with pytest.raises(VerificationError, match=r"HEADER_IS_NOT_LATER \(16\)"):
        verify_pack(content, late, pack.now)


def test_several_grants_in_one_transaction_are_told_apart() -> None:
    """Given two orders that one transaction places and one reveals, when packed, then proven."""
    market = Granted(Solo())
    orders = [market.confirm(), market.confirm()]
    made_by = market.say("carol", *(data.Reveal(order=Id(order), b=B) for order in orders))
    market.licences |= dict(zip(orders, made_by, strict=True))
    market.delete(orders[1])
    _, found = made(market)
    assert {one.receipt.order: one.held for one in found.grants} == dict(
        zip(orders, (True, False), strict=True)
    )
