"""Each limit is exceeded by one, and the documented answer comes."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from msgspec import Meta
from msgspec.structs import replace

from tests.fixed_chain import BEGIN, FIRST_MODULES, FixedChain, fixed_genesis, key
from tests.kernel.toil import TOIL_MODULES, Dig, Dug, count_rows, module, toil_genesis
from tongbao.kernel import (
    Amount,
    AssetCode,
    Block,
    Count,
    GenesisError,
    InvalidTransaction,
    Machine,
    Module,
    PublicKey,
    Refusal,
    Registry,
    Small,
    Time,
    jcs,
)
from tongbao.kernel.envelope import assemble, normalise, signing_input
from tongbao.kernel.genesis import Setting, chain_id, read_genesis, section, write_genesis
from tongbao.kernel.kernel_module import NodeId, Power, SettingName
from tongbao.kernel.limits import LIMITS, Limit
from tongbao.kernel.nonces import WINDOW
from tongbao.modules import asset, governance, hold
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.store.memory import MemoryStore
from tongbao.testing import Chain, bank


def payload(**changed: Any) -> dict[str, Any]:
    """A good payment of alice as plain JSON members, with some of them changed."""
    chain = FixedChain()
    members = {
        "chain": chain.producer.machine.chain,
        "sender": chain.alice,
        "nonce": 1,
        "expires": BEGIN + 60_000,
        "messages": [
            {
                "@type": "asset.transfer",
                "amount": "1.00",
                "asset": chain.cny,
                "payee": chain.shop,
            }
        ],
    }
    return members | changed


def payment(**changed: Any) -> dict[str, Any]:
    """The payload with members of its only message changed."""
    members = payload()
    members["messages"][0] |= changed
    return members


def opening(**changed: Any) -> dict[str, Any]:
    """A payload that opens an account."""
    entry = {"key": {"algorithm": 1, "public": key("new").key_id}, "weight": 1}
    message = {
        "@type": "account.open",
        "keys": [entry],
        "ordinary": 1,
        "sensitive": 1,
        "lanes": 1,
    }
    return payload(messages=[message | changed])


def signed(members: dict[str, Any]) -> bytes:
    """The payload as alice signs it, whatever it says."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    alice = key("alice")
    return assemble(text, {alice.key_id: alice.sign(signing_input(alice.key_id, text))})


def invalid(wire: bytes, time: int = BEGIN + 2_000) -> str:
    """The answer of admission."""
    chain = FixedChain()
    with pytest.raises(InvalidTransaction) as caught:
        chain.producer.machine.check(wire, Time(time))
    return f"{caught.value.why.name} ({caught.value.why.number})"


def refused_genesis(**changed: Any) -> str:
    """The answer to a genesis file with members changed."""
    genesis = replace(fixed_genesis(), **changed)
    with pytest.raises(GenesisError):
        Machine(FIRST_MODULES, read_genesis(write_genesis(genesis)), MemoryStore(), -1, 0).genesis()
    return "GenesisError"


def too_many_signatures() -> str:
    """Seventeen signatures in general JSON."""
    text = jcs.encode(payload())
    keys = [key(f"signer {at}") for at in range(17)]
    parts = {one.key_id: one.sign(signing_input(one.key_id, text)) for one in keys}
    with pytest.raises(InvalidTransaction) as caught:
        normalise(assemble(text, parts))
    return f"{caught.value.why.name} ({caught.value.why.number})"


def nonce_behind() -> str:
    """A nonce one below the window."""
    chain = FixedChain()
    message = asset.Transfer(asset=chain.cny, amount=Amount("0.01"), payee=chain.shop)
    for nonce in (WINDOW, 2 * WINDOW):
        chain.make(chain.signed("alice", message, nonce=nonce))
    late = chain.signed("alice", message, nonce=WINDOW - 1)
    with pytest.raises(InvalidTransaction) as caught:
        chain.producer.machine.check(late, Time(BEGIN + 10_000))
    return f"{caught.value.why.name} ({caught.value.why.number})"


class Toil:
    """A chain whose one module reads as many rows as it is told, with small limits."""

    def __init__(self) -> None:
        """Begin it."""
        genesis = toil_genesis({"kernel.transaction_rows": 100, "kernel.block_rows": 10_000})
        self.genesis = genesis
        self.machine = Machine(Registry(TOIL_MODULES), genesis, MemoryStore(), -1, 0)
        self.machine.genesis()
        self.machine.commit()
        self.nonce = 0

    def dig(self, rows: int) -> bytes:
        """A transaction that reads so many rows."""
        self.nonce += 1
        text = payload_bytes(
            chain_id(self.genesis),
            genesis_address(0),
            self.nonce,
            Time(BEGIN + 60_000),
            (Dig(rows=Count(rows)),),
        )
        return sign(text, [key("bank")])

    def numbers(self, wires: list[bytes]) -> list[str]:
        """The answers to a block of them."""
        block = Block(height=Count(1), time=Time(BEGIN + 1), transactions=tuple(wires))
        found = self.machine.apply(block)
        reasons = self.machine.registry.reasons
        return [
            f"{reasons[result.number].name} ({result.number})" if result.number else "applied"
            for result in found.results
        ]


def transaction_work() -> str:
    """One row more than a transaction may read."""
    toil = Toil()
    answers = toil.numbers([toil.dig(100), toil.dig(101)])
    assert answers[0] == "applied"
    return answers[1]


def block_work() -> str:
    """One transaction more after a block's work is spent."""
    toil = Toil()
    answers = toil.numbers([toil.dig(100) for _ in range(101)])
    assert answers[:100] == ["applied"] * 100
    return answers[100]


def due_items() -> str:
    """Three holds due, two items a block."""
    chain = FixedChain(parameters={"kernel.due_items": 2})
    chain.make(*(chain.place("1.00", 1_500) for _ in range(3)))
    machine = chain.producer.machine
    chain.make()
    assert machine.next_due() is not None, "the third waits"
    chain.make()
    assert machine.next_due() is None
    return "the rest waits for the next block"


def page_rows() -> str:
    """One more asset than a page holds."""
    chain = FixedChain()
    codes = [AssetCode(f"A{at}") for at in range(100)]
    chain.make(chain.signed("bank", *(asset.Define(code=code, scale=Small(0)) for code in codes)))
    page = chain.reading().query(asset.issued_by, chain.bank)
    assert (len(page.rows), page.after is not None) == (100, True)
    return "the page ends with a cursor"


def due_work() -> str:
    """More expired holds than the due share of a block's work can return."""
    chain = FixedChain(parameters={"kernel.block_rows": 10_000, "kernel.due_items": 10_000})
    place = hold.Place(
        payee=chain.shop,
        asset=chain.cny,
        amount=Amount("0.01"),
        expires_at=Time(chain.producer.machine.time + 60_000),
    )
    for _ in range(4):
        chain.make(chain.signed("alice", *[place] * 250))
    machine = chain.producer.machine
    chain.producer.make((), machine.time + 60_000)
    due = machine.next_due()
    assert due is not None and due <= machine.time
    return "the rest waits for the next block"


def any_spelling() -> str:
    """A text that could be a transaction, and is longer than any may be written."""
    with pytest.raises(InvalidTransaction) as caught:
        normalise(b"{" * 2_097_153)
    return f"{caught.value.why.name} ({caught.value.why.number})"


def row_key() -> str:
    """A table whose keys may have one byte too many, the end mark of the text included."""
    fits: Any = Annotated[str, Meta(pattern=r"^[a-z]{1,239}\Z")]
    long: Any = Annotated[str, Meta(pattern=r"^[a-z]{1,240}\Z")]
    Module(4_000, "fits").table(1, key=fits, value=Dug)
    with pytest.raises(AssertionError):
        Module(4_001, "long").table(1, key=long, value=Dug)
    return "the module can't be imported"


def query_rows() -> str:
    """A query that reads one row too many."""
    toil = Toil()
    with pytest.raises(Refusal) as caught:
        count_rows(toil.machine.view(module), Count(100_001))
    return f"{caught.value.why.name} ({caught.value.why.number})"


def proposal(most: dict[str, int], *actions: governance.Action) -> str:
    """What becomes of a proposal on a chain with parameters, whose bank governs alone."""
    seats = governance.Start(operators=(bank,), threshold=Small(1), delay_ms=governance.Delay(0))
    chain = Chain(sections=(section("governance", seats),), parameters=most)
    message = governance.Propose(actions=actions, closes_at=chain.in_days(1))
    number = chain.block(chain.sign("bank", message)).results[0].number
    found = chain.machine.registry.reasons[number]
    return f"{found.name} ({number})"


def validator(name: str, power: int = 1) -> governance.SetValidator:
    """An action that lets a key vote on blocks."""
    return governance.SetValidator(key=PublicKey(key(name).key_id), power=Power(power))


def setting(name: str, value: int) -> Setting:
    """A line of genesis."""
    return Setting(name=SettingName(name), value=Count(value))


LONG = "x" * 70_000
ENTRY = {"key": {"algorithm": 1, "public": key("new").key_id}, "weight": 1}
DEEP: Any = []
for _ in range(40):
    DEEP = [DEEP]

CASES: dict[str, Callable[[], str]] = {
    "kernel.transaction_bytes": lambda: invalid(signed(payload(reference=LONG))),
    "kernel.expiry_ms": lambda: invalid(signed(payload(expires=BEGIN + 2_000 + 86_400_001))),
    "kernel.transaction_rows": transaction_work,
    "kernel.block_rows": block_work,
    "kernel.due_items": due_items,
    "kernel.json_depth": lambda: (
        refused_genesis(parameters=(setting("kernel.json_depth", 4),))
        + "; deeper payloads: "
        + invalid(signed(payment(payee=DEEP)))
    ),
    "kernel.validators_limit": lambda: proposal(
        {"kernel.validators_limit": 2}, *map(validator, ("first", "second", "third"))
    ),
    "kernel.peers_limit": lambda: proposal(
        {"kernel.peers_limit": 1},
        *[governance.AdmitPeer(node=NodeId(digits * 20)) for digits in ("aa", "bb")],
    ),
    "power of a validator": lambda: proposal({}, validator("heavy", 1_000_001)),
    "bytes of a transaction in any spelling": any_spelling,
    "bytes of a row's key": row_key,
    "messages of a transaction": lambda: invalid(
        signed(payload(messages=[{"@type": "account.set_lanes", "lanes": 1}] * 257))
    ),
    "signatures of a transaction": too_many_signatures,
    "lanes of an account": lambda: invalid(signed(payload(lane=16))),
    "keys of an account": lambda: invalid(signed(opening(keys=[ENTRY] * 17))),
    "nonce ahead": lambda: invalid(signed(payload(nonce=WINDOW + 1))),
    "nonce behind": nonce_behind,
    "units of an amount": lambda: invalid(signed(payment(amount="92233720368547758.08"))),
    "decimals of an amount": lambda: invalid(signed(payment(amount="0." + "0" * 19))),
    "integers": lambda: invalid(signed(payload(nonce=2**53))),
    "characters of a reference": lambda: invalid(signed(payment(reference="a" * 36))),
    "characters of a transaction's reference": lambda: invalid(signed(payload(reference="a" * 36))),
    "work of what falls due": due_work,
    "characters of an asset's code": lambda: invalid(
        signed(payment(asset="A" * 13 + "." + "0" * 40))
    ),
    "characters of a chain's name": lambda: refused_genesis(chain="a" * 25),
    "lines in a part of genesis": lambda: refused_genesis(
        parameters=(setting("kernel.due_items", 5),) * 1_001
    ),
    "rows of a page": page_rows,
    "rows that a query reads": query_rows,
}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_exceeding_a_limit_gives_the_documented_answer(limit: Limit) -> None:
    """
    Given the table of limits,
    when each is exceeded by the least that exceeds it,
    then the answer is the one that the table documents; a row without a case fails.
    """
    assert CASES[limit.name]() == limit.answer


def test_every_case_has_a_row() -> None:
    """
    Given the cases above,
    when they are compared with the table,
    then neither has one that the other lacks.
    """
    assert set(CASES) == {limit.name for limit in LIMITS}
