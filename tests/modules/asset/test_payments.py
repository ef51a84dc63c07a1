"""Payments: payers alone pay, payees can be paid, and all of it goes to an heir."""

from __future__ import annotations

import pytest

from tests.modules.asset_steps import GOLD, HUNDRED, MANY, NOBODY, define_gold, issue, pay, units
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Hash,
    Invalid,
    Message,
    Module,
    Reference,
    Small,
)
from tongbao.modules import account, asset, hold
from tongbao.modules.asset import (
    Define,
    Holding,
    Moved,
    Transfer,
    Why,
)
from tongbao.simulation import mischief
from tongbao.testing import CNY, Chain, alice, bob, carol, mallory


def test_a_payment_moves_value_and_says_so(chain: Chain) -> None:
    """
    Given alice with 1000.00,
    when she pays all of it to bob with a reference and a hash of what it is for,
    then he has it, her row is gone, and the receipt has the movement.
    """
    chain.apply(
        "alice",
        Transfer(
            asset=CNY,
            amount=Amount("1000.00"),
            payee=bob,
            reference=Reference("invoice-7"),
            remittance_hash=Hash("1e" * 32),
        ),
    )
    view = chain.view(asset.module)

    assert chain.receipt.events == (
        Moved(asset=CNY, amount=Amount("1000.00"), payer=alice, payee=bob),
    )
    assert asset.balance(view, alice, CNY) is None
    assert asset.held_by(view, bob).rows == (((bob, CNY), Holding(amount=Amount("2000.00"))),)


def test_a_payee_is_an_open_account_and_another(chain: Chain) -> None:
    """
    Given alice, an address of nobody, and bob who has closed his account,
    when she pays to these, and to herself, and the bank issues to these,
    then all are refused.
    """
    chain.apply("bob", account.Close(heir=carol))

    for payee in (NOBODY, bob):
        with chain.refuses(Why.PAYEE_NOT_FOUND):
            chain.apply("alice", pay("1.00", payee))
        with chain.refuses(Why.PAYEE_NOT_FOUND):
            chain.apply("bank", issue("1.00", of=CNY, payee=payee))
    with chain.refuses(Why.PAYEE_IS_PAYER):
        chain.apply("alice", pay("1.00", alice))


@pytest.mark.parametrize("module", [asset.module, hold.module, mischief.module])
def test_users_pay_into_no_vault(chain: Chain, module: Module) -> None:
    """
    Given the vault of a module, installed or not,
    when alice pays to its address,
    then she is refused, so that the module knows what its vault holds.
    """
    with chain.refuses(Why.VAULT_IS_CLOSED):
        chain.apply("alice", pay("1.00", module.vault))


def test_another_module_does_not_debit_who_has_not_agreed() -> None:
    """
    Given a module that pays the sender out of anybody's holding,
    when mallory asks it for alice's money, and for what the vault of holds owns,
    then both are refused, whatever that module wants.
    """
    chain = Chain(mischief.module)
    at = chain.in_days(1)
    chain.apply("alice", hold.Place(payee=bob, asset=CNY, amount=HUNDRED, expires_at=at))

    for victim in (alice, hold.module.vault):
        with chain.refuses(Why.PAYER_HAS_NOT_AGREED):
            chain.apply("mallory", mischief.Rob(payer=victim, asset=CNY, amount=HUNDRED))


def test_an_issuer_does_not_close(chain: Chain) -> None:
    """
    Given the bank, whose CNY others hold,
    when it closes its account,
    then it is refused.
    """
    with chain.refuses(Why.ISSUER_CANNOT_CLOSE):
        chain.apply("bank", account.Close(heir=alice))


def test_all_that_a_closing_account_holds_goes_to_its_heir(chain: Chain) -> None:
    """
    Given bob with CNY and gold,
    when he closes his account into alice's,
    then she has both on top of her own, and each movement is told, in the order of assets.
    """
    define_gold(chain)
    chain.apply("carol", issue("30"))

    chain.apply("bob", account.Close(heir=alice))

    assert chain.receipt.events == (
        Moved(asset=CNY, amount=Amount("1000.00"), payer=bob, payee=alice),
        Moved(asset=GOLD, amount=Amount("30"), payer=bob, payee=alice),
    )
    assert (units(chain, alice), units(chain, alice, GOLD)) == (200_000, 30)
    assert asset.held_by(chain.view(asset.module), bob).rows == ()


def test_an_account_with_too_many_holdings_does_not_close(chain: Chain) -> None:
    """
    Given mallory who was given one of each of 100 assets beside her CNY,
    when she closes her account, and again when she has paid one of them away,
    then she is refused first, and then it closes with all 100.
    """
    codes = [AssetCode(f"TOY{count}") for count in range(MANY - 1)]
    chain.apply("carol", *(Define(code=code, scale=Small(0)) for code in codes))
    toys = [AssetId(f"{code}.{carol}") for code in codes]
    chain.apply("carol", *(issue("1", of=toy, payee=mallory) for toy in toys))

    with chain.refuses(Why.TOO_MANY_HOLDINGS):
        chain.apply("mallory", account.Close(heir=alice))
    chain.apply("mallory", pay("1", bob, toys[0]))
    chain.apply("mallory", account.Close(heir=alice))

    assert len(chain.receipt.events) == MANY - 1


def test_holdings_are_listed_a_page_at_a_time(chain: Chain) -> None:
    """
    Given bob with 100 assets beside his CNY,
    when his holdings are asked for, a page at a time,
    then the first page has 100 and says where to go on, the second has the last and does not.
    """
    codes = [AssetCode(f"TOY{count}") for count in range(MANY - 1)]
    chain.apply("carol", *(Define(code=code, scale=Small(0)) for code in codes))
    chain.apply("carol", *(issue("1", of=AssetId(f"{code}.{carol}")) for code in codes))
    view = chain.view(asset.module)

    first = asset.held_by(view, bob)
    second = asset.held_by(view, bob, first.after)

    listed = [held for (_, held), _ in (*first.rows, *second.rows)]
    assert (len(first.rows), len(second.rows), second.after) == (100, 1, None)
    assert listed == sorted([CNY, *(AssetId(f"{code}.{carol}") for code in codes)])
    with pytest.raises(ValueError, match="another query"):
        asset.held_by(view, alice, first.after)


def test_a_refusal_takes_back_every_payment_before_it(chain: Chain) -> None:
    """
    Given alice with 1000.00,
    when one transaction of hers pays bob, then carol, then more than is left,
    then nobody has been paid.
    """
    with chain.refuses(Why.BALANCE_IS_TOO_LOW):
        chain.apply("alice", pay("400.00", bob), pay("400.00", carol), pay("400.00", bob))

    assert chain.receipt.message == 2
    assert [units(chain, owner) for owner in (alice, bob, carol)] == [100_000] * 3


@pytest.mark.parametrize("member", ["payee", "reference", "code"])
def test_a_text_with_a_newline_at_its_end_is_malformed(chain: Chain, member: str) -> None:
    """
    Given an address, a reference and a code, each with a newline behind it,
    when they stand in messages,
    then the payload is malformed: or one thing would have two names.
    """
    messages: dict[str, tuple[str, Message]] = {
        "payee": ("alice", pay("1.00", Address(f"{bob}\n"))),
        "reference": ("bank", issue("1.00", "first-money-of-bob\n", of=CNY)),
        "code": ("bank", Define(code=AssetCode("CNY\n"), scale=Small(2))),
    }
    sender, message = messages[member]

    with chain.is_invalid(Invalid.PAYLOAD_IS_MALFORMED):
        chain.apply(sender, message)
