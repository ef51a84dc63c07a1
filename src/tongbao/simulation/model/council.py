"""Governance in the model: operators, what they propose, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tongbao.simulation.model import ids, members, sponsors
from tongbao.simulation.model.books import No, Proposal, Turn, need
from tongbao.simulation.model.numbers import GovernanceWhy
from tongbao.simulation.model.settings import RULES as SETTINGS
from tongbao.simulation.model.upgrades import Upgrades

MODULE: Final = 4
DUE_INDEX: Final = 4
UNDER_WAY: Final = ("open", "approved")

Rule = Callable[[Turn, dict[str, Any]], None]


class Council:
    """The rules of governance on one chain."""

    def __init__(self, authorities: frozenset[str], upgrades: Upgrades) -> None:
        """`authorities`: the keys that name the first operators."""
        self._authorities = authorities
        self.rules: dict[str, Rule] = {
            "governance.found": self.found,
            "governance.propose": self.propose,
            "governance.vote": vote,
            "governance.cancel": cancel,
        }
        self._actions: dict[str, Rule] = {
            **SETTINGS,
            **members.RULES,
            **members.HALTS,
            **sponsors.ACTIONS,
            "governance.end_membership": end_membership,
            "governance.schedule_upgrade": upgrades.put,
            "governance.cancel_upgrade": upgrades.take,
            "governance.add_operator": add_operator,
            "governance.remove_operator": remove_operator,
            "governance.set_threshold": set_threshold,
            "governance.set_delay": set_delay,
        }

    def found(self, turn: Turn, msg: dict[str, Any]) -> None:
        """The first operators."""
        need(msg["authority"] in self._authorities, GovernanceWhy.SIGNER_IS_NOT_AUTHORITY)
        need(not turn.books.council, GovernanceWhy.OPERATORS_ARE_NAMED)
        seat(turn, msg)

    def propose(self, turn: Turn, msg: dict[str, Any]) -> None:
        """Something that could be done now."""
        books, sender = turn.books, turn.sender
        assert sender is not None
        operators = books.council.get("operators", [])
        need(sender in operators, GovernanceWhy.SENDER_IS_NOT_OPERATOR)
        need(members.is_heard(turn, sender), GovernanceWhy.MEMBER_IS_NOT_ACTIVE)
        longest = turn.values["governance.voting_ms"]
        fits = 0 < msg["closes_at"] - turn.time <= longest
        need(fits, GovernanceWhy.CLOSING_TIME_IS_WRONG)
        own = [one for one in books.proposals.values() if one.proposer == sender]
        busy = sum(one.phase in UNDER_WAY for one in own)
        most = turn.values["governance.proposals_limit"]
        need(busy < most, GovernanceWhy.TOO_MANY_PROPOSALS)
        before = books.copy()
        try:
            self._do(turn, msg["actions"])
        finally:
            books.restore(before)
        name = ids.new(turn)
        voters = tuple(one for one in operators if members.is_heard(turn, one))
        threshold, delay = books.council["threshold"], books.council["delay_ms"]
        if {action["@type"] for action in msg["actions"]} == {"governance.halt"}:
            threshold, delay = min(threshold, (len(voters) + 2) // 3), 0
        books.proposals[name] = Proposal(
            sender, msg["actions"], msg["closes_at"], voters, threshold, delay
        )
        count(turn, name, "approve")

    def _do(self, turn: Turn, actions: list[dict[str, Any]]) -> None:
        for action in actions:
            self._actions[action["@type"]](turn, action)
            if action["@type"] in members.RULES:
                _change(turn)

    def fall_due(self, turn: Turn, name: str) -> None:
        """The end of a proposal, one way or another."""
        proposal = turn.books.proposals[name]
        if proposal.phase == "open":
            end(turn, name, "lapsed")
            return
        before = turn.books.copy()
        try:
            self._do(turn, proposal.actions)
        except No as no:
            turn.books.restore(before)
            end(turn, name, "failed", no.number)
        else:
            end(turn, name, "carried_out")


def due_of(proposal: Proposal) -> int | None:
    """When something happens to a proposal by itself."""
    return {"open": proposal.closes, "approved": proposal.carries}.get(proposal.phase)


def end(turn: Turn, name: str, phase: str, number: int = 0) -> None:
    """A proposal comes to another phase, and that is told."""
    proposal = turn.books.proposals[name]
    turn.books.proposals[name] = proposal._replace(phase=phase, number=number)
    told = {"@type": "governance.decided", "proposal": name, "phase": phase}
    turn.events.append(told | ({"number": number} if number else {}))


def count(turn: Turn, name: str, choice: str) -> None:
    """One more vote."""
    books = turn.books
    books.ballots[name, turn.sender] = choice, turn.time
    said = [one for (of, _), (one, _) in books.ballots.items() if of == name]
    yes, no = said.count("approve"), said.count("reject")
    proposal = books.proposals[name]._replace(approvals=yes, rejections=no)
    books.proposals[name] = proposal
    if yes >= proposal.threshold:
        books.proposals[name] = proposal._replace(carries=turn.time + proposal.delay)
        end(turn, name, "approved")
    elif no > len(proposal.voters) - proposal.threshold:
        end(turn, name, "rejected")


def known(turn: Turn, name: str) -> Proposal:
    """The proposal of an id."""
    need(name in turn.books.proposals, GovernanceWhy.PROPOSAL_NOT_FOUND)
    return turn.books.proposals[name]


def vote(turn: Turn, msg: dict[str, Any]) -> None:
    """An operator's word."""
    proposal = known(turn, msg["proposal"])
    is_open = proposal.phase == "open" and proposal.closes > turn.time
    need(is_open, GovernanceWhy.PROPOSAL_IS_CLOSED)
    need(turn.sender in proposal.voters, GovernanceWhy.SENDER_IS_NOT_VOTER)
    has_voted = (msg["proposal"], turn.sender) in turn.books.ballots
    need(not has_voted, GovernanceWhy.SENDER_HAS_VOTED)
    need(members.is_heard(turn, turn.sender), GovernanceWhy.MEMBER_IS_NOT_ACTIVE)
    count(turn, msg["proposal"], msg["choice"])


def cancel(turn: Turn, msg: dict[str, Any]) -> None:
    """Its proposer has thought again."""
    proposal = known(turn, msg["proposal"])
    need(proposal.proposer == turn.sender, GovernanceWhy.SENDER_IS_NOT_PROPOSER)
    need(proposal.phase in UNDER_WAY, GovernanceWhy.PROPOSAL_HAS_ENDED)
    need(members.is_heard(turn, turn.sender), GovernanceWhy.MEMBER_IS_NOT_ACTIVE)
    end(turn, msg["proposal"], "cancelled")


def check(turn: Turn, operators: list[str], threshold: int) -> None:
    """Whether operators could decide anything."""
    heard = sum(members.is_heard(turn, one) for one in operators)
    need(0 < threshold <= heard, GovernanceWhy.THRESHOLD_IS_OUT_OF_REACH)
    need(len(operators) == len(set(operators)), GovernanceWhy.OPERATOR_IS_DOUBLED)
    seated = [turn.books.acting[one] for one in operators if one in turn.books.acting]
    need(len(seated) == len(set(seated)), GovernanceWhy.MEMBER_HAS_TWO_SEATS)


def check_room(turn: Turn, operators: list[str]) -> None:
    """Whether there may be so many operators."""
    most = turn.values["governance.operators_limit"]
    need(len(operators) <= most, GovernanceWhy.TOO_MANY_OPERATORS)


def seat(turn: Turn, told: dict[str, Any]) -> None:
    """Operators where there were none."""
    check(turn, told["operators"], told["threshold"])
    check_room(turn, told["operators"])
    everybody = all(map(turn.books.is_open, told["operators"]))
    need(everybody, GovernanceWhy.ACCOUNT_NOT_FOUND)
    names = ("operators", "threshold", "delay_ms")
    turn.books.council.update({name: told[name] for name in names})


def _change(turn: Turn, **changes: Any) -> None:
    council = turn.books.council | changes
    check(turn, council["operators"], council["threshold"])
    turn.books.council.update(council)


def add_operator(turn: Turn, action: dict[str, Any]) -> None:
    """One more."""
    need(turn.books.is_open(action["operator"]), GovernanceWhy.ACCOUNT_NOT_FOUND)
    heard = members.is_heard(turn, action["operator"])
    need(heard, GovernanceWhy.MEMBER_IS_NOT_ACTIVE)
    operators = [*turn.books.council["operators"], action["operator"]]
    check_room(turn, operators)
    _change(turn, operators=operators)


def remove_operator(turn: Turn, action: dict[str, Any]) -> None:
    """One less."""
    operators = turn.books.council["operators"]
    need(action["operator"] in operators, GovernanceWhy.OPERATOR_NOT_FOUND)
    _change(turn, operators=[one for one in operators if one != action["operator"]])


def set_threshold(turn: Turn, action: dict[str, Any]) -> None:
    """More or fewer must agree."""
    _change(turn, threshold=action["threshold"])


def set_delay(turn: Turn, action: dict[str, Any]) -> None:
    """A longer or a shorter wait."""
    _change(turn, delay_ms=action["delay_ms"])


def end_membership(turn: Turn, action: dict[str, Any]) -> None:
    """A member goes, with its seats."""
    gone = members.leave(turn, action["member"])
    _change(turn, operators=[one for one in turn.books.council["operators"] if one not in gone])


def keep_operators(turn: Turn, closing: str) -> None:
    """Operators stay."""
    is_operator = closing in turn.books.council.get("operators", [])
    need(not is_operator, GovernanceWhy.OPERATOR_CANNOT_CLOSE)
