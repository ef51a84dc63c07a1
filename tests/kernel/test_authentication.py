"""Who must sign: each row is judged by admission first, and then in a block."""

from typing import NamedTuple

import pytest

from tongbao.kernel import (
    Address,
    Amount,
    Invalid,
    InvalidTransaction,
    Keys,
    Message,
    Outcome,
    Small,
    WeightedKey,
)
from tongbao.kernel.authentication import weight_of
from tongbao.kernel.envelope import Envelope, assemble, decode_envelope
from tongbao.modules import account, asset
from tongbao.modules.account import AddKey, Open, RotateKey, SetThresholds
from tongbao.testing import CNY, Chain, alice, bob, ledger_key, named_key
from tongbao.testing.chain import How

NOBODY: str = Address("0f" * 20)
PAY: Message = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)
TOO_MUCH: Message = asset.Transfer(asset=CNY, amount=Amount("9999.00"), payee=bob)
SENSITIVE: Message = SetThresholds(ordinary=Small(2), sensitive=Small(4))


def weighted(name: str, weight: int) -> WeightedKey:
    """A key by name, with its weight."""
    return WeightedKey(key=ledger_key(named_key(name)), weight=Small(weight))


def opening(ordinary: int, sensitive: int, **weights: int) -> Open:
    """An account of named keys."""
    return Open(
        keys=tuple(weighted(name, weight) for name, weight in weights.items()),
        ordinary=Small(ordinary),
        sensitive=Small(sensitive),
        lanes=Small(1),
    )


ADD: Message = AddKey(added=weighted("new", 9))
OPEN: Message = opening(1, 1, new=1, newer=1)


class Row(NamedTuple):
    """Who signs what, and why that is invalid; None where it is applied."""

    rule: str
    signers: tuple[str, ...]
    why: Invalid | None = None
    messages: tuple[Message, ...] = (PAY,)
    sponsor: str | None = None
    sender: str = "firm"


TOO_LITTLE = Invalid.THRESHOLD_IS_NOT_MET
NOT_ASKED = Invalid.SIGNATURE_IS_NOT_ASKED_FOR
NO_SPONSOR = Invalid.SPONSOR_HAS_NOT_SIGNED
NOT_NEW = Invalid.NEW_KEY_HAS_NOT_SIGNED
ROWS = (
    Row("one key above the ordinary threshold", ("heavy",)),
    Row("two keys that just reach it", ("red", "green")),
    Row("one key below it", ("red",), TOO_LITTLE),
    Row("more of the sender's keys than are needed", ("heavy", "red", "green", "blue")),
    Row("a stranger alone", ("stranger",), TOO_LITTLE),
    Row("a stranger who would make up the weight", ("red", "stranger"), TOO_LITTLE),
    Row("a stranger beside enough", ("heavy", "stranger"), NOT_ASKED),
    Row("the payee beside enough", ("heavy", "bob"), NOT_ASKED),
    Row("one below the sensitive threshold", ("heavy",), TOO_LITTLE, (SENSITIVE,)),
    Row("all light keys", ("red", "green", "blue"), TOO_LITTLE, (SENSITIVE,)),
    Row("just the sensitive threshold", ("heavy", "red"), None, (SENSITIVE,)),
    Row("a sensitive message behind another", ("heavy",), TOO_LITTLE, (PAY, SENSITIVE)),
    Row("a sensitive message before another", ("heavy",), TOO_LITTLE, (SENSITIVE, PAY)),
    Row("a new key that has not signed", ("heavy", "red"), NOT_NEW, (ADD,)),
    Row("a new key that has", ("heavy", "red", "new"), None, (ADD,)),
    Row("a new key's own weight", ("red", "green", "new"), TOO_LITTLE, (ADD,)),
    Row("one of two new keys", ("heavy", "new"), NOT_NEW, (OPEN,)),
    Row("both new keys, and another's account", ("heavy", "new", "newer"), None, (OPEN,)),
    Row("the keys of two messages", ("heavy", "red", "new"), NOT_NEW, (ADD, OPEN)),
    Row("a new key that nothing introduces", ("heavy", "new"), NOT_ASKED),
    Row("a sponsor that has not signed", ("heavy",), NO_SPONSOR, sponsor="guild"),
    Row("a sponsor's light key", ("heavy", "south"), NO_SPONSOR, sponsor="guild"),
    Row("a sponsor's threshold", ("heavy", "north"), sponsor="guild"),
    Row("a sponsor's spare key", ("heavy", "north", "south"), sponsor="guild"),
    Row("a sponsor in the sender's place", ("north", "south"), TOO_LITTLE, sponsor="guild"),
    Row("a sponsor that is not named", ("heavy", "north"), NOT_ASKED),
    Row("another sponsor's keys", ("heavy", "north", "bob"), NOT_ASKED, sponsor="guild"),
    Row("a sponsor of what is sensitive", ("heavy", "red", "north"), None, (SENSITIVE,), "guild"),
    Row("a sender that sponsors itself", ("heavy",), sponsor="firm"),
    Row("a sponsor without an account", ("heavy",), Invalid.SPONSOR_IS_UNKNOWN, sponsor=NOBODY),
    Row("a sender without an account", ("heavy",), Invalid.SENDER_IS_UNKNOWN, sender=NOBODY),
    Row(
        "a module's vault as the sender",
        ("heavy",),
        Invalid.SENDER_IS_UNKNOWN,
        sender=asset.module.vault,
    ),
)


@pytest.fixture
def firm(chain: Chain) -> Chain:
    """A firm with four keys (2 to pay, 4 for what is sensitive), and a guild that sponsors."""
    firm_keys = {"heavy": 3, "red": 1, "green": 1, "blue": 1}
    guild_keys = {"north": 2, "south": 1}
    for name, sensitive, weights in (("firm", 4, firm_keys), ("guild", 3, guild_keys)):
        opened = chain.apply("bank", opening(2, sensitive, **weights), also_sign=tuple(weights))
        assert opened is not None
        chain.name(name, opened, *weights)
    fund = asset.Transfer(asset=CNY, amount=Amount("10.00"), payee=chain.address("firm"))
    chain.apply("alice", fund)
    return chain


def admission(chain: Chain, wire: bytes) -> Invalid | None:
    """What `Machine.check` says of a transaction; None when it may come in."""
    try:
        chain.machine.check(wire, chain.time)
    except InvalidTransaction as error:
        return error.why
    return None


def in_block(chain: Chain, *wires: bytes) -> list[tuple[Outcome, int]]:
    """What a block of the transactions comes to."""
    return [(result.outcome, result.number) for result in chain.block(*wires).results]


def parted(wire: bytes) -> tuple[Envelope, dict[str, bytes]]:
    """A transaction's envelope, and its signatures by key."""
    envelope = decode_envelope(wire)
    return envelope, {each.kid: each.signature for each in envelope.signatures}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_exactly_those_sign_who_must(firm: Chain, row: Row) -> None:
    """
    Given a firm, a guild that sponsors, and somebody's choice of keys,
    when the transaction is checked at the door, and again in a block without that,
    then both say the same: the row's reason and nothing written, or applied.
    """
    how: How = {"signed_by": row.signers}
    if row.sponsor is not None:
        how["sponsor"] = row.sponsor
    wire = firm.sign(row.sender, *row.messages, **how)

    assert admission(firm, wire) is row.why

    if row.why is None:
        firm.submit(wire)
        assert firm.decided.results[0].outcome is Outcome.APPLIED
    else:
        with firm.is_invalid(row.why):
            firm.submit(wire)


def test_a_stripped_copy_burns_nobodys_nonce(firm: Chain) -> None:
    """
    Given a sponsored payment that three keys have signed,
    when copies without one of the signatures come first, each in a block,
    then those that lack one that was needed are invalid under the same id, and the whole one is
    applied afterwards.
    """
    whole = firm.sign("firm", PAY, signed_by=("red", "green", "north"), sponsor="guild")
    envelope, signatures = parted(whole)
    found = {}
    for name in ("red", "green", "north"):
        kid = named_key(name).key_id
        rest = {other: value for other, value in signatures.items() if other != kid}
        stripped = assemble(envelope.payload, rest)
        result = firm.block(stripped).results[0]
        found[name] = result.id == firm.machine.decode(whole).id, result.outcome, result.number

    assert found == {
        "red": (True, Outcome.INVALID, TOO_LITTLE.number),
        "green": (True, Outcome.INVALID, TOO_LITTLE.number),
        "north": (True, Outcome.INVALID, NO_SPONSOR.number),
    }
    assert in_block(firm, whole) == [(Outcome.APPLIED, 0)]


@pytest.mark.parametrize("name", ["red", "green", "north"])
def test_every_signature_is_checked_whosever_it_is(firm: Chain, name: str) -> None:
    """
    Given a sponsored payment that was checked once and is remembered,
    when one of its signatures is put in that was made over another payment,
    then the copy is invalid, and the payment itself is not.
    """
    signers = ("red", "green", "north")
    good, other = (
        firm.sign("firm", PAY, signed_by=signers, sponsor="guild", nonce=nonce) for nonce in (1, 2)
    )
    assert admission(firm, good) is None
    envelope, signatures = parted(good)
    kid = named_key(name).key_id
    forged = assemble(envelope.payload, signatures | {kid: parted(other)[1][kid]})

    assert admission(firm, forged) is Invalid.SIGNATURE_IS_WRONG
    wrong = (Outcome.INVALID, Invalid.SIGNATURE_IS_WRONG.number)
    assert in_block(firm, forged, good) == [wrong, (Outcome.APPLIED, 0)]


def test_a_doubled_signature_counts_for_nothing(firm: Chain) -> None:
    """
    Given a payment that two light keys have signed,
    when the one's signature stands in the other's place as well,
    then the envelope is invalid, and a key's weight counts once wherever it is added up.
    """
    wire = firm.sign("firm", PAY, signed_by=("red", "green"))
    first, second = wire[wire.index(b"[") + 1 : wire.rindex(b"]")].split(b"},{")
    doubled = wire.replace(second.rstrip(b"}"), first.lstrip(b"{"))

    assert doubled != wire
    assert admission(firm, doubled) is Invalid.SIGNATURES_ARE_NOT_SORTED
    not_sorted = Invalid.SIGNATURES_ARE_NOT_SORTED.number
    assert in_block(firm, doubled) == [(Outcome.INVALID, not_sorted)]
    red = named_key("red").key_id
    keys = Keys(keys=(weighted("red", 1),), ordinary=Small(2), sensitive=Small(2), lanes=Small(1))
    assert weight_of(keys, [red, red]) == 1


def test_only_a_transaction_that_all_have_signed_can_be_refused(firm: Chain) -> None:
    """
    Given a payment of more than the firm has,
    when it lacks a signature, and when it does not,
    then the first is invalid and leaves the nonce, the second is refused and uses it.
    """
    unsigned = firm.sign("firm", TOO_MUCH, signed_by=("red",), nonce=1)
    signed = firm.sign("firm", TOO_MUCH, signed_by=("red", "green"), nonce=1)
    good = firm.sign("firm", PAY, signed_by=("heavy",), nonce=1)

    assert [admission(firm, wire) for wire in (unsigned, signed)] == [TOO_LITTLE, None]
    assert in_block(firm, unsigned, signed, good) == [
        (Outcome.INVALID, TOO_LITTLE.number),
        (Outcome.REFUSED, asset.Why.BALANCE_IS_TOO_LOW.number),
        (Outcome.INVALID, Invalid.NONCE_WAS_USED.number),
    ]


def test_keys_are_those_of_the_transaction_before(chain: Chain) -> None:
    """
    Given bob, whose payments by his old and by his next key were checked at the door,
    when one block has his change of keys between two by the old one, and one by the next,
    then the old key counts before the change alone and the next one after it.
    """
    rotate = RotateKey(old=ledger_key(named_key("bob")).public, new=ledger_key(named_key("next")))
    pay = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=alice)
    before = chain.sign("bob", pay, nonce=1)
    change = chain.sign("bob", rotate, nonce=2, also_sign=("next",))
    late = chain.sign("bob", pay, nonce=3)
    after = chain.sign("bob", pay, nonce=4, signed_by=("next",))

    wires = before, change, late, after
    assert [admission(chain, wire) for wire in wires] == [None, None, None, TOO_LITTLE]
    invalid = (Outcome.INVALID, TOO_LITTLE.number)
    applied = (Outcome.APPLIED, 0)
    assert in_block(chain, *wires) == [applied, applied, invalid, applied]
    assert [admission(chain, wire) for wire in (late, chain.sign("bob", pay))] == [
        TOO_LITTLE,
        TOO_LITTLE,
    ]


def test_an_account_may_send_in_the_block_that_opens_it(chain: Chain) -> None:
    """
    Given the opening of an account by the bank, and a transaction of that account,
    when both are in one block that is discarded, and the opening alone in one that is kept,
    then both are applied, and the account is unknown at the door until its opening is kept.
    """
    opened = chain.sign("bank", opening(1, 1, new=1), also_sign=("new",))
    lanes = account.SetLanes(lanes=Small(2))
    machine = chain.machine
    block = chain.ledger.block(chain.time, (opened,))
    receipt = machine.registry.receipt_decoder.decode(machine.apply(block).results[0].receipt)
    machine.discard()
    chain.name("new", receipt.ids[0])
    own = chain.sign("new", lanes)

    assert admission(chain, own) is Invalid.SENDER_IS_UNKNOWN
    results = machine.apply(chain.ledger.block(chain.time, (opened, own))).results
    assert [result.outcome for result in results] == [Outcome.APPLIED, Outcome.APPLIED]
    machine.discard()
    assert admission(chain, own) is Invalid.SENDER_IS_UNKNOWN
    assert in_block(chain, opened) == [(Outcome.APPLIED, 0)]
    assert admission(chain, own) is None
