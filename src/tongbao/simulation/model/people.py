"""Accounts in the model."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model import ids
from tongbao.simulation.model.books import Account, Turn, need
from tongbao.simulation.model.council import keep_operators
from tongbao.simulation.model.guardians import Guardians, planned, wait
from tongbao.simulation.model.holds import keep_payers
from tongbao.simulation.model.mandates import end_all
from tongbao.simulation.model.members import go_on, leave_account
from tongbao.simulation.model.money import inherit
from tongbao.simulation.model.numbers import AccountWhy
from tongbao.simulation.model.sponsors import hear_closing, hear_opened
from tongbao.simulation.model.verdicts import keep_parties

MOST: Final = 16
HEAVIEST: Final = 255
ED25519: Final = 1


class People:
    """The rules of accounts. Which keys are unacceptable is a fact told from outside."""

    def __init__(self, unacceptable: frozenset[str]) -> None:
        """`unacceptable` are the keys that are no points of the large group."""
        self._unacceptable = unacceptable
        self.guardians = Guardians(self.check, close_now)
        self.rules = {
            "account.open": self.open,
            "account.add_key": self.add_key,
            "account.rotate_key": self.rotate_key,
            "account.remove_key": self.remove_key,
            "account.set_thresholds": self.set_thresholds,
            "account.set_lanes": self.set_lanes,
            "account.set_incoming": self.set_incoming,
            "account.close": self.close,
            **self.guardians.rules,
        }

    def check(self, account: Account) -> Account:
        """An account with keys and thresholds that can be."""
        need(len(account.keys) <= MOST, AccountWhy.TOO_MANY_KEYS)
        publics = [public for public, _, _ in account.keys]
        need(len(publics) == len(set(publics)), AccountWhy.KEY_IS_DOUBLED)
        for public, algorithm, weight in account.keys:
            need(algorithm == ED25519, AccountWhy.ALGORITHM_IS_NOT_SUPPORTED)
            need(public not in self._unacceptable, AccountWhy.KEY_IS_NOT_ACCEPTABLE)
            need(0 < weight <= HEAVIEST, AccountWhy.WEIGHT_IS_ZERO)
        heaviest = sum(weight for _, _, weight in account.keys)
        ordered = 0 < account.ordinary <= account.sensitive <= heaviest
        need(ordered, AccountWhy.THRESHOLD_IS_OUT_OF_REACH)
        return account

    def open(self, turn: Turn, msg: dict[str, Any]) -> None:
        """A new account under a derived id."""
        account = self.check(
            Account(
                tuple(map(key_of, msg["keys"])), msg["ordinary"], msg["sensitive"], msg["lanes"]
            )
        )
        need(0 < account.lanes <= MOST, AccountWhy.LANES_OUT_OF_RANGE)
        opened = ids.new(turn)
        turn.books.accounts[opened] = account
        if msg.get("under"):
            assert turn.sender is not None
            turn.books.sub_accounts[turn.sender, opened] = turn.time
        if turn.sender is not None:
            go_on(turn, "sponsor")
            hear_opened(turn, opened)

    def _change(self, turn: Turn, **changes: Any) -> None:
        assert turn.sender is not None
        account = self.check(planned(turn)._replace(**changes))
        if turn.sender in turn.books.guards:
            wait(turn, account)
        else:
            turn.books.accounts[turn.sender] = account

    def add_key(self, turn: Turn, msg: dict[str, Any]) -> None:
        """One more key."""
        self._change(turn, keys=(*planned(turn).keys, key_of(msg["added"])))

    def rotate_key(self, turn: Turn, msg: dict[str, Any]) -> None:
        """A new key in the place of an old one, of the same weight."""
        keys = planned(turn).keys
        old, new = msg["old"], msg["new"]
        need(any(public == old for public, _, _ in keys), AccountWhy.KEY_NOT_FOUND)
        rotated = [
            (new["public"], new["algorithm"], key[2]) if key[0] == old else key for key in keys
        ]
        self._change(turn, keys=tuple(rotated))

    def remove_key(self, turn: Turn, msg: dict[str, Any]) -> None:
        """One key less."""
        keys = planned(turn).keys
        need(any(public == msg["removed"] for public, _, _ in keys), AccountWhy.KEY_NOT_FOUND)
        self._change(turn, keys=tuple(key for key in keys if key[0] != msg["removed"]))

    def set_thresholds(self, turn: Turn, msg: dict[str, Any]) -> None:
        """Other thresholds."""
        self._change(turn, ordinary=msg["ordinary"], sensitive=msg["sensitive"])

    def set_lanes(self, turn: Turn, msg: dict[str, Any]) -> None:
        """As many lanes as before, or more."""
        need(own(turn).lanes <= msg["lanes"] <= MOST, AccountWhy.LANES_OUT_OF_RANGE)
        assert turn.sender is not None
        lanes = own(turn)._replace(lanes=msg["lanes"])
        turn.books.accounts[turn.sender] = lanes

    def set_incoming(self, turn: Turn, msg: dict[str, Any]) -> None:
        """References are asked for, or not."""
        assert turn.sender is not None
        turn.books.incoming.pop(turn.sender, None)
        if msg.get("needs_reference"):
            turn.books.incoming[turn.sender] = True

    def close(self, turn: Turn, msg: dict[str, Any]) -> None:
        """The end of an account; what it owns goes to the heir."""
        heir, sender = msg["heir"], turn.sender
        assert sender is not None
        if sender not in turn.books.guards:
            close_now(turn, sender, heir)
            return
        before, said = turn.books.copy(), len(turn.events)
        close_now(turn, sender, heir)
        turn.books.restore(before)
        del turn.events[said:]
        wait(turn, planned(turn), heir=heir)


def close_now(turn: Turn, closing: str, heir: str) -> None:
    """An account has an heir and nothing else, if nobody minds."""
    need(heir != closing and turn.books.is_open(heir), AccountWhy.HEIR_NOT_FOUND)
    go_on(turn, "member")
    leave_account(turn, closing)
    go_on(turn, "asset")
    inherit(turn, closing, heir)
    go_on(turn, "hold")
    keep_payers(turn, closing)
    go_on(turn, "mandate")
    end_all(turn, closing)
    go_on(turn, "data")
    keep_parties(turn, closing)
    keep_operators(turn, closing)
    go_on(turn, "sponsor")
    hear_closing(turn, closing)
    turn.books.accounts[closing] = Account(heir=heir)


def own(turn: Turn) -> Account:
    """The sender's account."""
    assert turn.sender is not None
    return turn.books.accounts[turn.sender]


def key_of(entry: dict[str, Any]) -> tuple[str, int, int]:
    """A key with its weight."""
    return entry["key"]["public"], entry["key"]["algorithm"], entry["weight"]


def introduced(messages: list[dict[str, Any]]) -> set[str]:
    """The keys that messages bring in; each of them must sign."""
    found: set[str] = set()
    for msg in messages:
        match msg["@type"]:
            case "account.open" | "account.propose_recovery":
                found.update(entry["key"]["public"] for entry in msg["keys"])
            case "account.add_key":
                found.add(msg["added"]["key"]["public"])
            case "account.rotate_key":
                found.add(msg["new"]["public"])
            case "account.veto_recovery":
                found.update(msg.get("older", ()))
            case "upgrade.schedule" | "upgrade.cancel" | "governance.found":
                found.add(msg["authority"])
    return found
