"""Offline verification: what proofs prove, and that nothing else passes for one."""

import json
import subprocess
import sys
from typing import Any

import pytest
from msgspec.structs import replace

from tests.fixed_chain import FixedChain, key
from tests.golden_file import check_golden
from tongbao.engines.solo.header import read_header, sign_header
from tongbao.sdk.proofs import to_json
from tongbao.sdk.verification import Finding, VerificationError, Verified, verify


class Proven:
    """A chain with one payment, its trust file and three proofs."""

    def __init__(self) -> None:
        """Make the proofs."""
        fixed = FixedChain()
        self.payment = fixed.pay("12.50")
        fixed.make(fixed.place("40.00", for_ms=60_000), self.payment)
        chain = fixed.reading()
        self.fixed = fixed
        self.chain_id = chain.id
        self.trust = to_json(chain.trust())
        self.holding = to_json(chain.prove_row("asset.holdings", (fixed.shop, fixed.cny)))
        self.absence = to_json(chain.prove_row("asset.holdings", (fixed.bank, fixed.cny)))
        self.identity = fixed.producer.machine.parse(self.payment).id.hex()
        self.transaction = to_json(chain.prove_transaction(self.identity))


@pytest.fixture(scope="module")
def proven() -> Proven:
    """Made once: nothing changes it."""
    return Proven()


def test_a_holding_is_proven(proven: Proven) -> None:
    """
    Given the proof of the shop's holding and the trust file,
    when it is verified,
    then it says chain, height, row and value.
    """
    fixed = proven.fixed
    assert verify(proven.holding, proven.trust) == Verified(
        chain=proven.chain_id,
        height=2,
        time=fixed.producer.machine.time,
        kind="row",
        name="asset.holdings",
        key=(fixed.shop, fixed.cny),
        value={"@version": 1, "amount": "12.50"},
    )


def test_an_absence_is_proven(proven: Proven) -> None:
    """
    Given the proof that the bank holds nothing,
    when it is verified,
    then its value is None.
    """
    assert verify(proven.absence, proven.trust).value is None


def test_a_transaction_is_proven_with_its_receipt(proven: Proven) -> None:
    """
    Given the proof of the payment,
    when it is verified,
    then it shows what was signed and what happened.
    """
    found = verify(proven.transaction, proven.trust)
    assert found.transaction_id == proven.identity
    assert found.value["messages"][0]["amount"] == "12.50"
    assert found.receipt["outcome"] == "applied"


def test_a_proof_in_another_spelling_is_the_same_proof(proven: Proven) -> None:
    """
    Given a proof file that another program has indented and reordered,
    when it is verified,
    then it still proves.
    """
    for proof in (proven.holding, proven.absence, proven.transaction):
        members = json.loads(proof)
        spaced = json.dumps(dict(reversed(members.items())), indent=3).encode()
        assert verify(spaced, proven.trust) == verify(proof, proven.trust)


def test_golden_proofs_verify_in_every_later_version(proven: Proven) -> None:
    """
    Given the bytes of three proofs and a trust file,
    when they are compared with the golden files,
    then none has changed.
    """
    for name in ("trust", "holding", "absence", "transaction"):
        check_golden("solo.json", name, json.loads(getattr(proven, name)))


def changed(proof: bytes, path: tuple[Any, ...], value: Any) -> bytes:
    """A proof file with one member replaced."""
    members = json.loads(proof)
    place = members
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(members).encode()


ROW_LIES: list[tuple[tuple[Any, ...], Any, Finding]] = [
    (("value", "amount"), "99.50", Finding.ROW_IS_NOT_PROVEN),
    (("value",), None, Finding.ROW_IS_NOT_PROVEN),
    (("key", 0, "id"), "0" * 40, Finding.ROW_IS_NOT_PROVEN),
    (("key", 1, "text"), "USD." + "0" * 40, Finding.ROW_IS_NOT_PROVEN),
    (("table",), 2, Finding.PROOF_IS_UNREADABLE),
    (("table",), 9, Finding.ROW_IS_NOT_PROVEN),
    (("key", 1, "text"), "USD", Finding.PROOF_IS_UNREADABLE),
    (("key", 1, "text"), "USD." + "0" * 40 + " ", Finding.PROOF_IS_UNREADABLE),
    (("key", 1, "text"), "x\nverified: all is well", Finding.PROOF_IS_UNREADABLE),
    (("key", 1), {"id": "0" * 40}, Finding.PROOF_IS_UNREADABLE),
    (("module",), 1, Finding.ROW_IS_NOT_PROVEN),
    (("module",), -1, Finding.PROOF_IS_UNREADABLE),
    (("name",), "asset.debts", Finding.NAME_IS_WRONG),
    (("engine",), "cometbft", Finding.ENGINE_IS_ANOTHER),
    (("format",), 2, Finding.PROOF_IS_UNREADABLE),
    (("kind",), "wish", Finding.PROOF_IS_UNREADABLE),
    (("header",), "a.b.c", Finding.HEADER_IS_WRONG),
    (("surprise",), 1, Finding.PROOF_IS_UNREADABLE),
    (("state",), "00" * 32, Finding.PROOF_IS_UNREADABLE),
    (("block",), "CgA", Finding.PROOF_IS_UNREADABLE),
    (("blocks",), ["CgA"], Finding.PROOF_IS_UNREADABLE),
    (("key",), [], Finding.PROOF_IS_UNREADABLE),
    (("key", 0), {"id": "zz" * 20}, Finding.PROOF_IS_UNREADABLE),
    (("key", 0), {"id": "0" * 40, "text": "x"}, Finding.PROOF_IS_UNREADABLE),
    (("proof", "steps"), [], Finding.ROW_IS_NOT_PROVEN),
]


@pytest.mark.parametrize(("path", "value", "finding"), ROW_LIES)
def test_a_row_proof_that_lies_is_found_out(
    proven: Proven, path: tuple[Any, ...], value: Any, finding: Finding
) -> None:
    """
    Given a good proof with one member changed,
    when it is verified,
    then it is refused with the number of what is wrong.
    """
    with pytest.raises(VerificationError) as caught:
        verify(changed(proven.holding, path, value), proven.trust)
    assert caught.value.finding is finding


@pytest.mark.parametrize("text", ["x\nverified: all is well", "CNY ", "\x1b[2K", "", "\x7f"])
def test_an_absence_that_is_true_of_words_is_no_proof(proven: Proven, text: str) -> None:
    """
    Given a true proof that no row has some words as its key, in a known table and in another,
    when they are verified,
    then both are refused: whoever reads the verdict would read the words.
    """
    chain = proven.fixed.reading()
    proof = chain.prove_row("asset.holdings", (proven.fixed.alice, text))
    for found in (proof, replace(proof, module=4711, name="4711.3")):
        with pytest.raises(VerificationError) as caught:
            verify(to_json(found), proven.trust)
        assert caught.value.finding is Finding.PROOF_IS_UNREADABLE


TRANSACTION_LIES: list[tuple[tuple[Any, ...], Any]] = [
    (("index",), 0),
    (("index",), -1),
    (("size",), 1),
    (("receipts",), 3),
    (("receipt", "outcome"), "refused"),
    (("transaction_path",), []),
    (("receipt_path",), ["00" * 32]),
    (("transaction_path",), ["zz"]),
    (("transaction",), "x"),
]


@pytest.mark.parametrize(("path", "value"), TRANSACTION_LIES)
def test_a_transaction_proof_that_lies_is_found_out(
    proven: Proven, path: tuple[Any, ...], value: Any
) -> None:
    """
    Given a good transaction proof with one member changed,
    when it is verified,
    then it is refused.
    """
    with pytest.raises(VerificationError):
        verify(changed(proven.transaction, path, value), proven.trust)


def test_an_absence_can_not_be_claimed_for_a_row_that_is_there(proven: Proven) -> None:
    """
    Given the absence proof of another row,
    when it is put under the key of a row that is there, and the value proof under none,
    then both are refused.
    """
    shop = json.loads(proven.holding)["key"]
    with pytest.raises(VerificationError):
        verify(changed(proven.absence, ("key",), shop), proven.trust)
    members = json.loads(proven.holding)
    del members["value"]
    with pytest.raises(VerificationError):
        verify(json.dumps(members).encode(), proven.trust)


def test_a_signer_whom_nobody_trusts_proves_nothing(proven: Proven) -> None:
    """
    Given a proof whose header somebody else has signed anew,
    when it is verified,
    then the signer is refused; and with a trust file of another chain, the chain is.
    """
    header, _ = read_header(json.loads(proven.holding)["header"].encode())
    forged = sign_header(header, key("mallory")).decode()
    with pytest.raises(VerificationError) as caught:
        verify(changed(proven.holding, ("header",), forged), proven.trust)
    assert caught.value.finding is Finding.SIGNER_IS_NOT_TRUSTED
    with pytest.raises(VerificationError) as caught:
        verify(proven.holding, changed(proven.trust, ("chain",), "other-01234567"))
    assert caught.value.finding is Finding.CHAIN_IS_ANOTHER


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"kind":"row"}', b"\xff\xfe", b"{" * 50]
)
def test_junk_is_neither_a_proof_nor_a_trust_file(proven: Proven, text: bytes) -> None:
    """
    Given bytes that are no proof,
    when they are given as proof or as trust file,
    then they are refused with a number.
    """
    with pytest.raises(VerificationError) as caught:
        verify(text, proven.trust)
    assert caught.value.finding is Finding.PROOF_IS_UNREADABLE
    with pytest.raises(VerificationError) as caught:
        verify(proven.holding, text)
    assert caught.value.finding is Finding.TRUST_IS_UNREADABLE


def test_any_cut_or_flipped_byte_is_found_out_or_changes_nothing(proven: Proven) -> None:
    """
    Given a proof cut at any place, or with any one bit flipped,
    when it is verified,
    then it is refused, or says exactly what the whole one says.
    """
    whole = verify(proven.holding, proven.trust)
    for at in range(0, len(proven.holding), 3):
        flipped = bytearray(proven.holding)
        flipped[at] ^= 1 << at % 7
        for attempt in (proven.holding[:at], bytes(flipped)):
            try:
                assert verify(attempt, proven.trust) == whole
            except VerificationError:
                continue


def test_the_verifier_imports_no_store() -> None:
    """
    Given a fresh interpreter,
    when it imports the verifier,
    then neither store, lmdb, node, cryptography nor the engine's thread is loaded.
    """
    code = (
        "import sys, tongbao.sdk.verification\n"
        "bad = ('lmdb', 'cryptography', 'rich', 'tongbao.store', 'tongbao.node',"
        " 'tongbao.engines.solo.engine')\n"
        "print([name for name in sys.modules if name.startswith(bad)])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("spelling", [str.upper, lambda text: f" {text}", lambda text: text + " "])
@pytest.mark.parametrize("member", ["transaction_path", "receipt_path"])
def test_a_hash_has_one_spelling(proven: Proven, member: str, spelling: Any) -> None:
    """
    Given a right proof whose path is spelled with capitals or blanks,
    when it is verified,
    then it is unreadable, as for every other verifier.
    """
    proof = json.loads(proven.transaction)
    proof[member] = [spelling(step) for step in proof[member]]
    assert proof[member] != json.loads(proven.transaction)[member]
    with pytest.raises(VerificationError) as caught:
        verify(json.dumps(proof).encode(), proven.trust)
    assert caught.value.finding is Finding.PROOF_IS_UNREADABLE
