"""Keys that never leave a token: a real SoftHSM signs blocks and transactions."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any, Final

import httpx2
import msgspec
import pytest

from tests.cli.calling import PASSPHRASE
from tests.cli.desk import LONG_S, Desk
from tests.softhsm import PROGRAM, Token
from tongbao.cli.exits import Exit
from tongbao.engines.solo.lacks import WHY_UNSIGNED
from tongbao.kernel import Address, Amount, Reference
from tongbao.modules import asset
from tongbao.sdk.http import HttpChain
from tongbao.sdk.opening import operator_wallet

pytestmark = pytest.mark.needs(PROGRAM)

AUTHORITY: Final = Token.address("authority")
TREASURY: Final = Token.address("treasury")
LAYOUTS: Final = ("1", "2")
CENTS: Final = 60


@pytest.fixture
def token(tmp_path: Path) -> Token:
    """A token with the key of a chain's authority, one of an account, and two of one name."""
    return Token(tmp_path, "authority", "treasury", "twin", "twin")


@pytest.fixture
def desk(tmp_path: Path, token: Token) -> Desk:
    """A folder with a chain whose blocks the token signs."""
    desk = Desk(tmp_path, **token.environment)
    begun = desk.do("init", "--name", "tokened", "--signer", AUTHORITY)
    assert begun["authority"] == desk.do("keys", "signer", AUTHORITY)["public"]
    return desk


def readiness(address: str) -> Any:
    """What a node says of its readiness."""
    found = httpx2.get(f"{address}/readyz", timeout=LONG_S)
    return found.status_code, found.json()["reasons"]


def becomes(address: str, wanted: Any) -> None:
    """Ask until a node says of its readiness what is wanted."""
    until = time.monotonic() + LONG_S
    while (found := readiness(address)) != wanted:
        assert time.monotonic() < until, (found, wanted)


def payable(desk: Desk) -> str:
    """Define an asset, and open an account whose key the token has: its address."""
    desk.do("asset", "define", "--code", "CNY", "--scale", "2")
    public = desk.do("keys", "signer", TREASURY)["public"]
    keys = msgspec.json.encode([{"key": public, "weight": 1}]).decode()
    thresholds = ("--ordinary", "1", "--sensitive", "1", "--lanes", "1")
    signers = ("--key", "operator", "--signer", TREASURY)
    made: str = desk.do("account", "open", "--keys", keys, *thresholds, *signers)["made"][0]
    issue = ("asset", "issue", "--asset", "CNY", "--amount", "100.00", "--payee", made)
    desk.do(*issue, "--reference", "cash-1")
    return made


def pay(desk: Desk, payer: str, *more: str) -> Any:
    """A cent to the operator, signed by the token."""
    cent = ("asset", "transfer", "--asset", "CNY", "--amount", "0.01", "--payee", "operator")
    return desk.do(*cent, "--as", payer, "--signer", TREASURY, *more)


def test_a_token_signs_the_blocks_of_a_chain_and_the_payments_of_an_account(desk: Desk) -> None:
    """
    Given a token with two keys,
    when one signs a chain's blocks and the other an account's payment, at once and by a file,
    then all is applied, the audit finds every signature right, and no key lies in the folder but
    the operator's.
    """
    with desk.node("--signer", AUTHORITY) as (node, address):
        payer = payable(desk)
        assert pay(desk, payer)["outcome"] == "applied"
        pay(desk, payer, "--out", "bare.json", "--unsigned")
        desk.do("tx", "sign", "bare.json", "--signer", TREASURY, "--out", "signed.jws")
        both = desk.do("tx", "sign", "bare.json", "--signer", TREASURY, "--signer", AUTHORITY)
        assert both["signatures"] == 2
        assert desk.do("tx", "submit", "signed.jws")["outcome"] == "applied"
        assert readiness(address) == (200, [])
        assert node.end()[0] == 0
    assert desk.run("audit").returncode == 0
    assert [key["name"] for key in desk.do("keys", "list")["keys"]] == ["operator"]


def issue_one_after_the_other(desk: Desk, address: str, applied: Queue[str]) -> None:
    """Issue a cent after the other to alice by a client that tries again, as clients do."""
    with HttpChain(address) as chain:
        bank = operator_wallet(chain, desk.folder / "tongbao-chain", PASSPHRASE)
        cny = bank.asset_id("CNY")
        alice = Address(desk.do("account", "names")["accounts"]["alice"])
        for number in range(CENTS):
            why = Reference(f"cash-{number}")
            cent = asset.Issue(asset=cny, amount=Amount("0.01"), payee=alice, reference=why)
            applied.put(bank.send(cent).id)


@pytest.mark.parametrize("processes", LAYOUTS)
def test_a_token_that_is_pulled_out_loses_nothing_and_payments_go_on_once_it_is_back(
    desk: Desk, token: Token, processes: str
) -> None:
    """
    Given a node whose blocks a token signs, and a client that sends one payment after the other,
    when the token is pulled out in the middle, and put back later,
    then meanwhile the node reads, is not ready and says why; each payment is applied, once, and
    none needs a restart.
    """
    applied: Queue[str] = Queue()
    with desk.node("--signer", AUTHORITY, "--processes", processes) as (node, address):
        desk.do("account", "create", "alice")
        desk.do("asset", "define", "--code", "CNY", "--scale", "2")
        with ThreadPoolExecutor(1) as pool:
            load = pool.submit(issue_one_after_the_other, desk, address, applied)
            for _ in range(CENTS // 3):
                applied.get(timeout=LONG_S)
            token.pull_out()
            becomes(address, (503, [WHY_UNSIGNED]))
            assert httpx2.get(f"{address}/v1/blocks", timeout=LONG_S).status_code == 200
            assert not load.done()
            token.put_back()
            load.result()
        becomes(address, (200, []))
        balance = desk.do("asset", "balance", "--account", "alice", "--asset", "CNY")
        assert balance["value"]["amount"] == f"{CENTS / 100:.2f}"
        assert desk.do("status", applied.get_nowait())["state"] == "applied"
        assert node.end()[0] == 0
    assert desk.run("audit").returncode == 0


def test_a_pin_that_was_changed_meanwhile_stops_the_node_and_not_the_token(
    desk: Desk, token: Token
) -> None:
    """
    Given a node whose token is away, and gets another PIN there,
    when it is put back,
    then the node tries its PIN once, stops taking transactions for good, and says why.
    """
    with desk.node("--signer", AUTHORITY) as (_, address):
        desk.do("asset", "define", "--code", "CNY", "--scale", "2")
        desk.do("asset", "define", "--code", "EUR", "--scale", "2", "--out", "define.jws")
        token.pull_out()
        body = (desk.folder / "define.jws").read_bytes().strip()
        assert submit(address, body).status_code == 503
        token.change_pin_while_away("another-pin")
        token.put_back()
        refused = (
            "the engine has stopped: key authority on token bank: the PIN was refused "
            "(PinIncorrect), and is not tried again: correct it before the token locks itself"
        )
        becomes(address, (503, [refused]))
        assert submit(address, body).status_code == 503


def test_a_node_that_is_killed_without_its_token_has_what_it_answered(
    desk: Desk, token: Token
) -> None:
    """
    Given a node whose token was pulled out,
    when it is killed, started without the token, and started with it,
    then the start without it says so and ends with a code that asks to try again, and with it
    everything that was answered is there.
    """
    with desk.node("--signer", AUTHORITY) as (node, address):
        before = desk.do("account", "create", "alice")
        token.pull_out()
        define = ("asset", "define", "--code", "CNY", "--scale", "2", "--out", "define.jws")
        desk.do(*define)
        body = (desk.folder / "define.jws").read_bytes().strip()
        refused = submit(address, body)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "signer is away" in refused.json()["detail"]
        node.process.kill()
        node.process.wait(LONG_S)
    without = desk.run("run", "--port", "0", "--signer", AUTHORITY)
    assert (without.returncode, "bring the signer back" in without.stderr) == (Exit.BUSY, True)
    token.put_back()
    with desk.node("--signer", AUTHORITY) as (node, address):
        assert desk.do("status", before["id"])["height"] == before["height"]
        assert submit(address, body).status_code == 200
        assert node.end()[0] == 0
    assert desk.run("audit").returncode == 0


def submit(address: str, body: bytes) -> httpx2.Response:
    """Submit a transaction, once."""
    headers = {"content-type": "application/jose"}
    url = f"{address}/v1/transactions"
    return httpx2.post(url, content=body, headers=headers, timeout=LONG_S)


def test_a_pin_that_is_refused_is_told_and_keeps_a_node_from_starting(desk: Desk) -> None:
    """
    Given a wrong PIN in a file that the address names,
    when a node is started,
    then it ends with the code of a key that can't be had, says that the PIN is not tried again,
    and never shows it.
    """
    (desk.folder / "pin").write_text("98765\n")
    address = f"{AUTHORITY}?pin-source=file:{desk.folder}/pin"
    told = desk.run("run", "--port", "0", "--signer", address)
    assert (told.returncode, "98765" in told.stderr + told.stdout) == (Exit.NO_KEY, False)
    assert "the PIN was refused (PinIncorrect), and is not tried again" in told.stderr


@pytest.mark.parametrize(
    ("address", "code", "text"),
    [
        ("pkcs11:token=bank;object=nobody", Exit.BUSY, "the token has no private key"),
        ("pkcs11:token=another;object=authority", Exit.BUSY, "on token another: "),
        ("pkcs11:token=bank;object=twin", Exit.NO_KEY, "names 2 private keys: add id=%XX"),
        (f"{AUTHORITY}?pin-source=file:/nowhere", Exit.CONFIGURATION, "No such file"),
        (f"{AUTHORITY}?module-path=/etc/passwd", Exit.CONFIGURATION, "no PKCS#11 library"),
        ("pkcs11:object=authority", Exit.CONFIGURATION, "say which token it is"),
    ],
)
def test_what_names_no_key_is_told_with_what_to_do(
    tmp_path: Path, token: Token, address: str, code: Exit, text: str
) -> None:
    """
    Given a token,
    when somebody asks for a key by an address that does not lead to one,
    then the command says what is wrong, with a code of its own.
    """
    told = Desk(tmp_path, **token.environment).run("keys", "signer", address)
    assert (told.returncode, text in told.stderr) == (code, True), told


def test_one_of_two_keys_of_a_name_is_named_by_its_id(tmp_path: Path, token: Token) -> None:
    """
    Given a token with two keys of one label,
    when each is named by label and id,
    then each is found, and they are two.
    """
    desk = Desk(tmp_path, **token.environment)
    twins = [desk.do("keys", "signer", f"{Token.address('twin')};id=%0{place}") for place in (2, 3)]
    assert len({twin["public"] for twin in twins}) == 2


def test_another_key_than_the_authoritys_does_not_open_a_chain(desk: Desk) -> None:
    """
    Given a chain whose blocks one key of a token signs,
    when its node is started with the other one, and a command needs the key without a node,
    then both are refused, and say what is missing.
    """
    other = desk.run("run", "--port", "0", "--signer", TREASURY)
    assert "this key is not the authority that genesis names" in other.stderr
    alone = desk.run("account", "create", "alice")
    assert (alone.returncode, "tongbao run --signer" in alone.stderr) == (Exit.NO_KEY, True)


def test_a_network_takes_no_signer_of_blocks(tmp_path: Path, token: Token) -> None:
    """
    Given a folder for a network's node,
    when it is begun with a signer of blocks, or served with one,
    then both are refused, since validators vote there.
    """
    desk = Desk(tmp_path, **token.environment)
    begun = desk.run("init", "--engine", "cometbft", "--signer", AUTHORITY)
    assert (begun.returncode, "validators vote" in begun.stderr) == (Exit.USAGE, True)
    desk.do("init", "--engine", "cometbft")
    served = desk.run("run", "--signer", AUTHORITY)
    assert (served.returncode, "validators vote" in served.stderr) == (Exit.CONFIGURATION, True)
