"""Guardians, recoveries and changes that wait, in the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tongbao.simulation.model import ids
from tongbao.simulation.model.books import Account, Change, Guard, No, Recovery, Turn, need
from tongbao.simulation.model.mandates import end_all
from tongbao.simulation.model.market import end_offers
from tongbao.simulation.model.numbers import AccountWhy

MODULE: Final = 1
CHANGES_INDEX: Final = 3
RECOVERIES_INDEX: Final = 6
LATE_MS: Final = 60 * 60 * 1000
YOUNG_MS: Final = 30 * 24 * 60 * 60 * 1000

Check = Callable[[Account], Account]
CloseNow = Callable[[Turn, str, str], None]


def is_shared(account: Account) -> bool:
    """Whether no key suffices alone for what is sensitive."""
    return max(weight for _, _, weight in account.keys) < account.sensitive


def recoveries_of(turn: Turn, address: str) -> dict[str, Recovery]:
    """What is under way for an account."""
    return {name: one for name, one in turn.books.recoveries.items() if one.of == address}


def need_no_wait(turn: Turn, address: str) -> None:
    """Say no where enough guardians have agreed to something."""
    waits = any(one.waits for one in recoveries_of(turn, address).values())
    need(not waits, AccountWhy.RECOVERY_WAITS)


def wait(turn: Turn, account: Account, guard: Guard | None = None, heir: str | None = None) -> None:
    """One more thing that the sender's account waits for."""
    books, sender = turn.books, turn.sender
    assert sender is not None
    need_no_wait(turn, sender)
    present = books.guards[sender]
    known = books.changes.get(sender)
    if known is not None:
        heir, guard = heir or known.heir, guard or known.guard
    wanted = guard or present
    need(not wanted[0] or is_shared(account), AccountWhy.ONE_KEY_IS_ENOUGH)
    due = turn.time + turn.values["account.wait_ms"]
    if sender in books.rescues and (heir is not None or wanted != present):
        due = max(due, books.rescues[sender][0] + YOUNG_MS)
    books.changes[sender] = Change(account, wanted, due, heir)


def planned(turn: Turn) -> Account:
    """The sender's account with what waits."""
    assert turn.sender is not None
    account = turn.books.accounts[turn.sender]
    change = turn.books.changes.get(turn.sender)
    if change is None:
        return account
    return change.account._replace(lanes=account.lanes)


def give(turn: Turn, address: str, account: Account) -> None:
    """An account gets keys and thresholds; its lanes are its own."""
    lanes = turn.books.accounts[address].lanes
    turn.books.accounts[address] = account._replace(lanes=lanes)


def set_guard(turn: Turn, address: str, guard: Guard) -> None:
    """Other guardians: what those before have asked for ends."""
    books = turn.books
    if books.guards.get(address, ((), 0)) == guard:
        return
    for name in recoveries_of(turn, address):
        del books.recoveries[name]
    books.guards[address] = guard
    if not guard[0]:
        del books.guards[address]


class Guardians:
    """The rules of guardians. How keys are checked and accounts closed is told from outside."""

    def __init__(self, check: Check, close_now: CloseNow) -> None:
        """Use the rules of accounts."""
        self._check = check
        self._close_now = close_now
        self.rules = {
            "account.set_guardians": set_guardians,
            "account.propose_recovery": self.propose,
            "account.approve_recovery": approve,
            "account.veto_recovery": veto,
            "account.cancel_change": cancel,
        }

    def propose(self, turn: Turn, msg: dict[str, Any]) -> None:
        """A guardian asks."""
        books, sender, of = turn.books, turn.sender, msg["account"]
        assert sender is not None
        guard = books.guards.get(of, ((), 0))
        need(sender in guard[0], AccountWhy.SENDER_IS_NOT_GUARDIAN)
        keys = tuple(
            (entry["key"]["public"], entry["key"]["algorithm"], entry["weight"])
            for entry in msg["keys"]
        )
        account = self._check(Account(keys, msg["ordinary"], msg["sensitive"]))
        need(is_shared(account), AccountWhy.ONE_KEY_IS_ENOUGH)
        need_no_wait(turn, of)
        for name, one in recoveries_of(turn, of).items():
            if one.approvals[0] == sender:
                del books.recoveries[name]
        due = turn.time + turn.values["account.wait_ms"]
        name = ids.new(turn)
        books.recoveries[name] = Recovery(of, account, (), turn.time, due)
        agree(turn, name)

    def make_change(self, turn: Turn, address: str) -> None:
        """The wait is over."""
        books = turn.books
        change = books.changes.pop(address)
        if turn.time - change.due > LATE_MS and not change.postponed:
            due = turn.time + turn.values["account.wait_ms"]
            books.changes[address] = change._replace(due=due, postponed=True)
            return
        before, said, number = books.copy(), len(turn.events), 0
        try:
            if change.heir is not None:
                self._close_now(turn, address, change.heir)
                set_guard(turn, address, ((), 0))
            else:
                give(turn, address, change.account)
                set_guard(turn, address, change.guard)
        except No as no:
            books.restore(before)
            del turn.events[said:]
            number = no.number
        told = {"@type": "account.changed", "account": address}
        turn.events.append(told | ({"number": number} if number else {}))


def set_guardians(turn: Turn, msg: dict[str, Any]) -> None:
    """Whom the sender trusts."""
    books, sender = turn.books, turn.sender
    assert sender is not None
    named = tuple(msg["guardians"])
    need(len(named) == len(set(named)), AccountWhy.GUARDIAN_IS_DOUBLED)
    others = all(one != sender and books.is_open(one) for one in named)
    need(others, AccountWhy.GUARDIAN_NOT_FOUND)
    reachable = min(1, len(named)) <= msg["threshold"] <= len(named)
    need(reachable, AccountWhy.GUARDIANS_ARE_OUT_OF_REACH)
    guard = named, msg["threshold"]
    if sender in books.guards:
        wait(turn, planned(turn), guard)
        return
    need(not named or is_shared(books.accounts[sender]), AccountWhy.ONE_KEY_IS_ENOUGH)
    set_guard(turn, sender, guard)


def agree(turn: Turn, name: str) -> None:
    """The sender's approval; the last one begins the wait."""
    books = turn.books
    assert turn.sender is not None
    asked = books.recoveries[name]
    asked = asked._replace(approvals=(*asked.approvals, turn.sender))
    if len(asked.approvals) >= books.guards[asked.of][1]:
        books.changes.pop(asked.of, None)
        due = turn.time + turn.values["account.wait_ms"]
        asked = asked._replace(due=due, waits=True)
    books.recoveries[name] = asked


def known(turn: Turn, name: str) -> Recovery:
    """A recovery that is under way."""
    need(name in turn.books.recoveries, AccountWhy.RECOVERY_NOT_FOUND)
    return turn.books.recoveries[name]


def approve(turn: Turn, msg: dict[str, Any]) -> None:
    """Another guardian agrees."""
    asked = known(turn, msg["recovery"])
    need(turn.sender in turn.books.guards[asked.of][0], AccountWhy.SENDER_IS_NOT_GUARDIAN)
    need(turn.sender not in asked.approvals, AccountWhy.SENDER_HAS_APPROVED)
    need_no_wait(turn, asked.of)
    agree(turn, msg["recovery"])


def veto(turn: Turn, msg: dict[str, Any]) -> None:
    """The owner says no."""
    asked = known(turn, msg["recovery"])
    need(asked.of == turn.sender, AccountWhy.RECOVERY_NOT_FOUND)
    when, before = turn.books.rescues.get(asked.of, (None, Account()))
    if when is not None and asked.asked < when + YOUNG_MS:
        signed = set(msg.get("older", ()))
        weight = sum(heavy for public, _, heavy in before.keys if public in signed)
        need(weight >= before.sensitive, AccountWhy.KEYS_ARE_TOO_YOUNG)
    del turn.books.recoveries[msg["recovery"]]


def cancel(turn: Turn, msg: dict[str, Any]) -> None:
    """The owner has thought again."""
    assert turn.sender is not None
    need(turn.sender in turn.books.changes, AccountWhy.CHANGE_NOT_FOUND)
    del turn.books.changes[turn.sender]


def end_recovery(turn: Turn, name: str) -> None:
    """Carried out, or too few have agreed."""
    books = turn.books
    asked = books.recoveries.pop(name)
    if asked.waits and turn.time - asked.due > LATE_MS and not asked.postponed:
        due = turn.time + turn.values["account.wait_ms"]
        books.recoveries[name] = asked._replace(due=due, postponed=True)
        return
    if not asked.waits:
        return
    if any(turn.time < turn.halted.get(name, 0) for name in ("mandate", "data")):
        books.recoveries[name] = asked._replace(due=turn.time + LATE_MS, postponed=True)
        return
    when, _ = books.rescues.get(asked.of, (None, None))
    if when is None or turn.time >= when + YOUNG_MS:
        books.rescues[asked.of] = turn.time, books.accounts[asked.of]
    give(turn, asked.of, asked.account)
    end_all(turn, asked.of)
    end_offers(turn, asked.of)
    told = {"@type": "account.recovered", "account": asked.of, "recovery": name}
    turn.events.append(told)
