"""How sponsors come to stand for accounts, and every refusal of the module."""

from tests.modules.governance_steps import done, seats
from tests.modules.sponsor_steps import first, grant, paid, pay, paying, share, tokens
from tongbao.kernel import KernelWhy
from tongbao.kernel.kernel_module import COMMON, SponsoredCount, Tokens
from tongbao.modules import account, sponsor
from tongbao.modules.governance import EndAllowance, Propose, SetAllowance
from tongbao.modules.governance import Why as GovernanceWhy
from tongbao.modules.sponsor import EndTerms, Leave, Revoke, SetTerms, Take, Why
from tongbao.sdk.genesis_builder import single_key
from tongbao.testing import named_key
from tongbao.testing.genesis import ADDRESSES, alice, bank, bob


def allowing(name: str, accounts: int = 3) -> SetAllowance:
    """The action that makes an account a sponsor."""
    return SetAllowance(
        sponsor=ADDRESSES.get(name, bank),
        capacity=Tokens(20),
        per_minute=Tokens(1),
        accounts=SponsoredCount(accounts),
    )


def test_a_grant_lets_a_sponsor_pay_for_an_account() -> None:
    """
    Given a chain with quotas, whose bank is a sponsor,
    when the bank stands for alice,
    then her payments are paid out of its bucket, and the list of those it stands for has her.
    """
    chain = paid()
    assert paying(chain, "alice").payer == COMMON
    chain.apply("bank", grant(chain, "alice"))
    before = tokens(chain, "bank")

    chain.apply("alice", pay())

    assert paying(chain, "alice").payer == bank
    assert tokens(chain, "bank") == before - 1
    listed = sponsor.stood_for(chain.view(sponsor.module), bank)
    assert [address for address, _ in listed.rows] == [alice]


def test_who_has_no_allowance_stands_for_nobody() -> None:
    """
    Given a chain whose bank alone is a sponsor,
    when alice stands for bob, or sets terms,
    then both are refused.
    """
    chain = paid()
    with chain.refuses(Why.SENDER_IS_NOT_SPONSOR):
        chain.apply("alice", grant(chain, "bob"))
        chain.apply("alice", SetTerms())


def test_a_sponsor_stands_for_open_accounts_that_are_no_sponsors() -> None:
    """
    Given two sponsors,
    when one stands for itself, for nobody, and for the other one,
    then each is refused.
    """
    chain = paid(first(), first("bob"))
    with chain.refuses(Why.ACCOUNT_NOT_FOUND):
        chain.apply("bank", grant(chain, "bank"))
        chain.apply("bank", grant(chain, "ff" * 20))
    with chain.refuses(Why.ACCOUNT_IS_SPONSOR):
        chain.apply("bank", grant(chain, "bob"))


def test_a_sponsorship_ends_later_than_its_block() -> None:
    """
    Given a sponsor,
    when it stands for alice until the time of the block,
    then it is refused.
    """
    chain = paid()
    with chain.refuses(Why.EXPIRY_HAS_PASSED):
        chain.apply("bank", grant(chain, "alice", expires_at=chain.time))


def test_a_sponsor_stands_for_as_many_as_it_may() -> None:
    """
    Given a sponsor of one account,
    when it stands for another, before and after the first is revoked,
    then it is refused, and then not.
    """
    chain = paid(first(accounts=1))
    chain.apply("bank", grant(chain, "alice"))
    chain.apply("bank", grant(chain, "alice", share=share()))
    with chain.refuses(Why.TOO_MANY_ACCOUNTS):
        chain.apply("bank", grant(chain, "bob"))
    chain.apply("bank", Revoke(account=alice))

    chain.apply("bank", grant(chain, "bob"))

    assert paying(chain, "bob").payer == bank


def test_an_account_changes_its_sponsor_when_the_other_one_has_offered_to() -> None:
    """
    Given alice, for whom the bank pays,
    when bob, who is a sponsor too, grants, and she takes it,
    then he pays from her next transaction on, and not before.
    """
    chain = paid(first(stands_for=("alice",)), first("bob"))
    with chain.refuses(Why.OFFER_NOT_FOUND):
        chain.apply("alice", Take(by=bob))
    chain.apply("bob", grant(chain, "alice"))
    assert paying(chain, "alice").payer == bank
    view = chain.view(sponsor.module)
    assert [key for key, _ in sponsor.offered_to(view, alice).rows] == [(alice, bob)]
    assert [key for key, _ in sponsor.offered_by(view, bob).rows] == [(alice, bob)]

    chain.apply("alice", Take(by=bob))

    assert paying(chain, "alice").payer == bob
    known = sponsor.show(chain.view(sponsor.module), bank)
    assert known is not None
    assert known.accounts == 0


def test_an_offer_that_has_ended_or_was_taken_back_is_not_taken() -> None:
    """
    Given offers of bob to alice that end, and that he takes back,
    when she takes one,
    then it is refused.
    """
    chain = paid(first(stands_for=("alice",)), first("bob"))
    chain.apply("bob", grant(chain, "alice", expires_at=chain.in_days(1)))
    chain.advance_to(chain.in_days(2))
    with chain.refuses(Why.OFFER_NOT_FOUND):
        chain.apply("alice", Take(by=bob))
    chain.apply("bob", Revoke(account=alice))
    with chain.refuses(Why.OFFER_NOT_FOUND):
        chain.apply("alice", Take(by=bob))
    with chain.refuses(Why.SPONSORSHIP_NOT_FOUND):
        chain.apply("bob", Revoke(account=alice))


def test_an_account_leaves_its_sponsor() -> None:
    """
    Given alice, for whom the bank pays,
    when she leaves it, twice,
    then she pays in common, and the second time is refused.
    """
    chain = paid(first(stands_for=("alice",)))
    chain.apply("alice", Leave())
    assert paying(chain, "alice").payer == COMMON
    with chain.refuses(Why.ACCOUNT_HAS_NO_SPONSOR):
        chain.apply("alice", Leave())


def test_terms_let_a_sponsor_stand_for_whom_it_opens() -> None:
    """
    Given a sponsor of one account, with terms,
    when it opens two accounts, and a third without terms,
    then it stands for the first, the second is refused, and the third pays in common.
    """
    chain = paid(first(capacity=30, accounts=1))
    with chain.refuses(Why.TERMS_NOT_FOUND):
        chain.apply("bank", EndTerms())
    chain.apply("bank", SetTerms(share=share()))
    chain.open_account("dave")
    assert paying(chain, "dave").payer == bank
    found = sponsor.terms_of(chain.view(sponsor.module), bank)
    assert found == sponsor.Terms(share=share())
    with chain.refuses(Why.TOO_MANY_ACCOUNTS):
        chain.apply("bank", single_key(named_key("erin").key_id), also_sign=("erin",))

    chain.apply("bank", EndTerms())

    chain.open_account("erin")
    assert paying(chain, "erin").payer == COMMON


def test_a_sponsor_closes_when_it_is_none_any_more() -> None:
    """
    Given operators, and bob, who is a sponsor,
    when he closes his account, before and after they have ended his allowance,
    then it is refused, and then done; alice, for whom he stood, pays in common.
    """
    chain = paid(first(), first("bob", stands_for=("alice",)), sections=(seats(("bank", "alice")),))
    with chain.refuses(Why.SPONSOR_CANNOT_CLOSE):
        chain.apply("bob", account.Close(heir=bank))
    done(chain, EndAllowance(sponsor=bob))
    assert paying(chain, "alice").payer == COMMON

    chain.apply("bob", account.Close(heir=bank))

    assert sponsor.show(chain.view(sponsor.module), bob) is None


def test_a_closed_account_has_neither_sponsor_nor_terms() -> None:
    """
    Given bob, who had an allowance and terms, and carol, for whom the bank stands,
    when both close their accounts,
    then the bank stands for nobody, and no terms are left.
    """
    chain = paid(first(stands_for=("carol",)), first("bob"), sections=(seats(("bank", "alice")),))
    chain.apply("bob", SetTerms())
    done(chain, EndAllowance(sponsor=bob))
    chain.apply("bob", account.Close(heir=bank))
    chain.apply("carol", account.Close(heir=bank))

    view = chain.view(sponsor.module)

    assert sponsor.stood_for(view, bank).rows == ()
    assert sponsor.terms_of(view, bob) is None


def test_operators_make_sponsors() -> None:
    """
    Given operators, and alice, for whom the bank stands,
    when they give her an allowance,
    then she pays for herself, takes nobody's offer, and the bank has a place again.
    """
    chain = paid(first(stands_for=("alice",)), first("bob"), sections=(seats(("bank", "alice")),))
    chain.apply("bob", grant(chain, "alice"))
    done(chain, allowing("alice"))
    assert paying(chain, "alice").payer == alice
    with chain.refuses(Why.ACCOUNT_IS_SPONSOR):
        chain.apply("alice", Take(by=bob))
    listed = sponsor.sponsors(chain.view(sponsor.module))
    assert sorted(address for address, _ in listed.rows) == sorted((bank, alice, bob))


def test_only_open_accounts_get_an_allowance_and_only_sponsors_lose_one() -> None:
    """
    Given operators,
    when they propose an allowance for nobody, and the end of one that is not there,
    then both are refused.
    """
    chain = paid(sections=(seats(("bank", "alice")),))
    nobody = SetAllowance(
        sponsor=sponsor.module.vault,
        capacity=Tokens(1),
        per_minute=Tokens(1),
        accounts=SponsoredCount(0),
    )
    with chain.refuses(GovernanceWhy.ACCOUNT_NOT_FOUND):
        chain.apply("bank", Propose(actions=(nobody,), closes_at=chain.in_days(1)))
    gone = EndAllowance(sponsor=alice)
    with chain.refuses(KernelWhy.ALLOWANCE_NOT_FOUND):
        chain.apply("bank", Propose(actions=(gone,), closes_at=chain.in_days(1)))
