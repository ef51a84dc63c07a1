"""The bank's list of transactions, and addresses told before their accounts exist."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tongbao.demo.plan import OPENED_AT_ONCE, Plan, funding_reference
from tongbao.demo.purchases import Run
from tongbao.kernel import Address, Amount
from tongbao.modules import account, asset
from tongbao.sdk import create_chain
from tongbao.sdk.local import Chain
from tongbao.sdk.wallet import Wallet

SEED = bytes(range(32))
BANK = Address("ab" * 20)
HOUSEHOLDS = {str(number): 100 + number for number in range(1, 41)}
STORES = ["300", "4", "50"]
MOST_SIGNATURES = 16


def silent(stage: str, done: int, total: int) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chain, Wallet]]:
    """A new chain and the wallet of its bank."""
    folder: Path = tmp_path_factory.mktemp("plan")
    chain, wallet = create_chain(folder, passphrase="correct horse", name="plan")
    with chain:
        yield chain, wallet


def test_the_chain_derives_the_addresses_that_the_plan_tells(bank: tuple[Chain, Wallet]) -> None:
    """
    Given a plan for 40 households and 3 stores, more than one transaction opens,
    when the bank's transactions are applied,
    then every told address is the account of its party's key, and holds what it was funded with.
    """
    chain, wallet = bank
    plan = Plan(wallet.address, SEED, HOUSEHOLDS, STORES)
    Run(chain, wallet, plan, silent).prepare()
    found = {}
    for label, party in plan.parties.items():
        opened = chain.query(account.show, party.address)
        held = chain.query(asset.balance, party.address, plan.usd)
        keys = opened and [member.key.public for member in opened.keys]
        found[label] = keys, held and held.amount
    wanted = {
        f"household/{name}": ([plan.parties[f"household/{name}"].key.key_id], Amount.of(cents, 2))
        for name, cents in HOUSEHOLDS.items()
    }
    stores = {
        f"store/{name}": ([plan.parties[f"store/{name}"].key.key_id], None) for name in STORES
    }
    assert found == wanted | stores


def test_a_second_start_sends_nothing_again(bank: tuple[Chain, Wallet]) -> None:
    """
    Given a chain on which the bank's whole list was applied,
    when it is prepared once more,
    then its height stays.
    """
    chain, wallet = bank
    run = Run(chain, wallet, Plan(wallet.address, SEED, HOUSEHOLDS, STORES), silent)
    run.prepare()
    before = chain.head()
    run.prepare()
    assert chain.head() == before


def test_transactions_are_numbered_and_carry_no_more_signatures_than_allowed() -> None:
    """
    Given a plan,
    when its transactions are listed,
    then nonces count from 1, and accounts are opened in the order of labels, 15 at once.
    """
    plan = Plan(BANK, SEED, HOUSEHOLDS, STORES)
    steps = list(plan.steps())
    assert [step.nonce for step in steps] == list(range(1, len(steps) + 1))
    assert [len(step.keys) for step in steps] == [0, 15, 15, 13, 0]
    assert OPENED_AT_ONCE + 1 <= MOST_SIGNATURES
    signing = [key for step in steps for key in step.keys]
    assert signing == [party.key for party in plan.parties.values()]


def test_each_household_is_funded_once_with_all_that_it_spends() -> None:
    """
    Given a plan,
    when the issues of its transactions are listed,
    then each household gets what it spends in the whole data set, against a reference of its own.
    """
    plan = Plan(BANK, SEED, HOUSEHOLDS, STORES)
    messages = [message for step in plan.steps() for message in step.messages]
    issues = [message for message in messages if isinstance(message, asset.Issue)]
    assert issues == [
        asset.Issue(
            asset=plan.usd,
            amount=Amount.of(HOUSEHOLDS[name], 2),
            payee=plan.parties[f"household/{name}"].address,
            reference=funding_reference(name),
        )
        for name in sorted(HOUSEHOLDS)
    ]


def test_the_same_seed_gives_the_same_plan_and_another_gives_other_keys() -> None:
    """
    Given the same parties in another order,
    when they are planned with the same seed and with another,
    then the transactions of the same seed are the same, and no key of another is.
    """
    households = dict(reversed(HOUSEHOLDS.items()))
    plan = Plan(BANK, SEED, HOUSEHOLDS, STORES)
    again = Plan(BANK, SEED, households, STORES[::-1])
    other = Plan(BANK, bytes(32), HOUSEHOLDS, STORES)
    assert [step.messages for step in plan.steps()] == [step.messages for step in again.steps()]
    assert not keys(plan) & keys(other)
    assert len(keys(plan)) == len(HOUSEHOLDS) + len(STORES)


def keys(plan: Plan) -> set[str]:
    """The ids of all parties' keys."""
    return {party.key.key_id for party in plan.parties.values()}
