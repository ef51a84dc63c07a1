"""The second process: totals out of proofs alone, and what it refuses."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.demo.beginning import new_chain, silent
from tongbao.demo.baskets import Basket
from tongbao.demo.failures import DemoError
from tongbao.demo.plan import Plan
from tongbao.demo.purchases import Run, read_back_elsewhere
from tongbao.demo.read_back import (
    PARTIES,
    PROOFS,
    TRUST,
    ReadBackError,
    Totals,
    collect,
    read_back,
)
from tongbao.demo.serving import Node
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.sdk.http import HttpChain
from tongbao.sdk.verification import Finding, VerificationError

SPENT = {"900": 350, "12": 75, "7": 1}
BASKETS = [
    Basket("1", "900", "330", 100, 2),
    Basket("2", "12", "331", 75, 1),
    Basket("3", "900", "331", 50, 1),
]

Change = Callable[[list[Any]], None]


class Proven(NamedTuple):
    """A folder with proofs, and the totals that they prove."""

    folder: Path
    totals: Totals
    address: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proven]:
    """Three of the baskets paid for; household 7 and store 332 have no part in them."""
    folder = tmp_path_factory.mktemp("read_back")
    bank_key = new_chain(folder)
    with Node(folder, 0) as node, HttpChain(node.address) as chain:
        bank = chain.wallet(genesis_address(0), bank_key)
        run = Run(chain, bank, Plan(bank.address, bytes(32), SPENT, ["330", "331", "332"]), silent)
        run.prepare()
        run.carry(BASKETS[:1])
        run.write_parties(folder)
        collect(folder, node.address)
        (folder / PROOFS).rename(folder / "earlier")
        run.carry(BASKETS)
        collect(folder, node.address)
        head = chain.head()
        totals = Totals(
            chain=head.chain,
            height=head.height,
            households={"900": 150, "12": 75, "7": 0},
            stores={"330": 100, "331": 125, "332": 0},
            proofs=9,
        )
        yield Proven(folder, totals, node.address)


@pytest.fixture
def proven(made: Proven, tmp_path: Path) -> Proven:
    """A copy that a test may spoil."""
    for name in (PROOFS, PARTIES, TRUST, "earlier"):
        shutil.copy(made.folder / name, tmp_path / name)
    return Proven(tmp_path, made.totals, made.address)


def change(folder: Path, change_them: Change) -> None:
    """Read all proofs, change them and write them back."""
    lines = (folder / PROOFS).read_text().splitlines()
    proofs = [json.loads(line) for line in lines]
    change_them(proofs)
    (folder / PROOFS).write_text("".join(json.dumps(proof) + "\n" for proof in proofs))


def test_proofs_add_up_to_what_was_spent_and_received(proven: Proven) -> None:
    """
    Given proofs of every holding and every funding,
    when they are verified and added up,
    then each household spent, and each store received, what the baskets cost; the others nothing.
    """
    assert read_back(proven.folder) == proven.totals


def test_a_second_process_finds_the_same(proven: Proven) -> None:
    """
    Given the same folder,
    when another process asks the node for proofs and reads them back,
    then it prints the same totals, and has kept what the node gave.
    """
    (proven.folder / PROOFS).unlink()
    assert read_back_elsewhere(proven.folder, proven.address) == proven.totals
    assert read_back(proven.folder) == proven.totals


def test_reading_back_needs_neither_store_nor_node(proven: Proven) -> None:
    """
    Given a fresh interpreter,
    when it has read the folder back,
    then it has loaded nothing that keeps or makes a chain.
    """
    program = (
        "import sys; from pathlib import Path; from tongbao.demo.read_back import read_back; "
        "read_back(Path(sys.argv[1])); "
        "print(*[name for name in sys.modules if name.startswith(("
        "'tongbao.store', 'tongbao.engines.solo.engine', 'tongbao.engines.solo.producer', 'lmdb', "
        "'cryptography', 'pyarrow', 'completejourney'))])"
    )
    command = [sys.executable, "-c", program, str(proven.folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def give_more(proofs: list[Any]) -> None:
    """Make a proven amount larger."""
    row = next(proof for proof in proofs if "value" in proof)
    row["value"]["amount"] = "9.99"


def claim_absence(proofs: list[Any]) -> None:
    """Say of a row that it is not there."""
    del next(proof for proof in proofs if "value" in proof)["value"]


def claim_presence(proofs: list[Any]) -> None:
    """Give a value to a row that is not there."""
    row = next(proof for proof in proofs if "value" not in proof)
    row["value"] = {"@version": 1, "amount": "9.99"}


def swap_keys(proofs: list[Any]) -> None:
    """Say of one party's row that it is another's."""
    proofs[0]["key"], proofs[1]["key"] = proofs[1]["key"], proofs[0]["key"]


@pytest.mark.parametrize("lie", [give_more, claim_absence, claim_presence, swap_keys])
def test_a_proof_that_was_tampered_with_is_refused(proven: Proven, lie: Change) -> None:
    """
    Given good proofs, one of which somebody changed,
    when they are read back,
    then the one that lies is refused.
    """
    change(proven.folder, lie)
    with pytest.raises(VerificationError) as caught:
        read_back(proven.folder)
    assert caught.value.finding is Finding.ROW_IS_NOT_PROVEN


def test_what_the_second_process_refuses_stops_the_demonstration(proven: Proven) -> None:
    """
    Given a trust file that does not name who signs this chain,
    when another process asks the node for proofs and reads them back,
    then the demonstration ends with the reason that process gave.
    """
    trust = json.loads((proven.folder / TRUST).read_bytes())
    trust["keys"] = ["A" * 43]
    (proven.folder / TRUST).write_text(json.dumps(trust))
    with pytest.raises(DemoError, match=r"refused a proof:(.|\n)*SIGNER_IS_NOT_TRUSTED"):
        read_back_elsewhere(proven.folder, proven.address)


def test_a_signer_that_is_not_trusted_proves_nothing(proven: Proven) -> None:
    """
    Given a trust file that names another key,
    when proofs are read back with it,
    then they are refused.
    """
    trust = json.loads((proven.folder / TRUST).read_bytes())
    trust["keys"] = ["A" * 43]
    (proven.folder / TRUST).write_text(json.dumps(trust))
    with pytest.raises(VerificationError) as caught:
        read_back(proven.folder)
    assert caught.value.finding is Finding.SIGNER_IS_NOT_TRUSTED


def test_a_missing_proof_is_missed(proven: Proven) -> None:
    """
    Given good proofs but one,
    when they are read back,
    then it says which is not there.
    """
    change(proven.folder, lambda proofs: proofs.pop(0))
    parties = json.loads((proven.folder / PARTIES).read_bytes())
    first = next(iter(parties["addresses"].values()))
    with pytest.raises(ReadBackError) as caught:
        read_back(proven.folder)
    wanted = (first, parties["asset"])
    assert str(caught.value) == f"there is no proof of asset.holdings {wanted}"


def test_proofs_of_two_heights_are_not_added_up(proven: Proven) -> None:
    """
    Given a good proof of an earlier block among those of the last,
    when they are read back,
    then they are refused: money may have moved between the two.
    """
    earlier = (proven.folder / "earlier").read_text().splitlines()
    change(proven.folder, lambda proofs: proofs.append(json.loads(earlier[0])))
    with pytest.raises(ReadBackError) as caught:
        read_back(proven.folder)
    assert str(caught.value) == "the proofs are of 2 heights, not of one"
