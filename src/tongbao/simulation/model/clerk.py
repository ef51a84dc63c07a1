"""What the model's ledger judges before any message: chain, expiry, who signed, lane, nonce."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model.books import Account, Books, No, need
from tongbao.simulation.model.numbers import Invalid
from tongbao.simulation.model.people import introduced
from tongbao.simulation.model.sponsors import Cashier

WINDOW: Final = 256
SENSITIVE: Final = (
    "account.add_key",
    "account.rotate_key",
    "account.remove_key",
    "account.set_thresholds",
    "account.close",
    "account.set_guardians",
    "account.propose_recovery",
    "account.approve_recovery",
    "account.veto_recovery",
    "account.cancel_change",
    "mandate.grant",
    "data.make_offer",
)
LAST: Final = ("account.close",)


class Nonces:
    """The nonces used in one lane. All of them within the window are remembered one by one."""

    def __init__(self) -> None:
        """None is used."""
        self.highest = 0
        self.used: set[int] = set()

    def check(self, nonce: int) -> None:
        """Say no to a nonce that can't be used any more, or not yet."""
        need(nonce <= self.highest + WINDOW, Invalid.NONCE_IS_TOO_FAR)
        need(nonce >= self.highest - WINDOW, Invalid.NONCE_IS_TOO_OLD)
        need(nonce not in self.used, Invalid.NONCE_WAS_USED)

    def use(self, nonce: int) -> None:
        """Use a nonce."""
        self.used.add(nonce)
        self.highest = max(self.highest, nonce)
        self.used = {used for used in self.used if used >= self.highest - WINDOW}


class Clerk:
    """The judge of one chain's transactions."""

    def __init__(self, books: Books, chain: str) -> None:
        """Look into the books, and keep the nonces."""
        self._books = books
        self._chain = chain
        self.expiry_ms = 0
        """The longest time until a transaction expires, as the block has it."""
        self.cashier = Cashier(books)
        self.nonces: dict[tuple[str, int], Nonces] = {}

    def judge(
        self, payload: dict[str, Any], signers: set[str], signature_is_wrong: bool, time: int
    ) -> None:
        """Use the transaction's nonce, or say no with the first number that holds."""
        for msg in payload["messages"][:-1]:
            need(msg["@type"] not in LAST, Invalid.MESSAGE_IS_NOT_LAST)
        need(payload["chain"] == self._chain, Invalid.CHAIN_IS_ANOTHER)
        need(not signature_is_wrong, Invalid.SIGNATURE_IS_WRONG)
        need(payload["expires"] > time, Invalid.EXPIRY_HAS_PASSED)
        need(payload["expires"] <= time + self.expiry_ms, Invalid.EXPIRY_IS_TOO_FAR)
        sender = self._account(payload["sender"], Invalid.SENDER_IS_UNKNOWN)
        sponsor = None
        if "sponsor" in payload:
            sponsor = self._account(payload["sponsor"], Invalid.SPONSOR_IS_UNKNOWN)
        stands = self.cashier.stands(payload["sender"], payload.get("sponsor", ""))
        check_signers(payload["messages"], signers, sender, sponsor, stands=stands)
        lane = payload.get("lane", 0)
        need(lane < sender.lanes, Invalid.LANE_IS_NOT_DECLARED)
        nonces = self.nonces.get((payload["sender"], lane), Nonces())
        nonces.check(payload["nonce"])
        self.cashier.take(payload)
        nonces.use(payload["nonce"])
        self.nonces[payload["sender"], lane] = nonces

    def _account(self, address: str, number: int) -> Account:
        if not self._books.is_open(address):
            raise No(number)
        return self._books.accounts[address]


def check_signers(
    messages: list[dict[str, Any]],
    signers: set[str],
    sender: Account,
    sponsor: Account | None,
    *,
    stands: bool,
) -> None:
    """Just those have signed who must or may."""
    sensitive = any(msg["@type"] in SENSITIVE for msg in messages)
    needed = sender.sensitive if sensitive else sender.ordinary
    need(weight(sender, signers) >= needed, Invalid.THRESHOLD_IS_NOT_MET)
    new = introduced(messages)
    need(new <= signers, Invalid.NEW_KEY_HAS_NOT_SIGNED)
    may = new | {public for public, _, _ in sender.keys}
    if sponsor is not None:
        has_signed = weight(sponsor, signers) >= sponsor.ordinary
        need(stands or has_signed, Invalid.SPONSOR_HAS_NOT_SIGNED)
        may |= {public for public, _, _ in sponsor.keys}
    need(signers <= may, Invalid.SIGNATURE_IS_NOT_ASKED_FOR)


def weight(account: Account, signers: set[str]) -> int:
    """What the signers weigh together in an account."""
    return sum(heavy for public, _, heavy in account.keys if public in signers)
