"""Proposals of the operators, one of them with its votes, and the command that makes another."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, get_args

from msgspec import Struct

from tongbao.console import forms
from tongbao.console.acting import Acts, acts_for
from tongbao.console.asking import Asked, View, follow, missing, not_understood
from tongbao.console.commands import cancelling, proposing, voting
from tongbao.console.fields import form
from tongbao.console.site import Site
from tongbao.kernel import Address, Cursor, Id
from tongbao.kernel.schema import wire_name_of
from tongbao.modules import governance
from tongbao.modules.governance import Action, Ballot, ScheduleUpgrade

OPEN: Final = "open"
UNDER_WAY: Final = (OPEN, "approved")
HOUR_MS: Final = 3_600_000
CLOSES_IN: Final = (
    (48 * HOUR_MS, "2d"),
    (HOUR_MS, "1h"),
    (12 * HOUR_MS, "12h"),
    (168 * HOUR_MS, "7d"),
    (336 * HOUR_MS, "14d"),
)
"""How long a proposal of the form is open, as pages and as commands say it; the usual first.

All are less than `governance.voting_ms`, which counts from a block's time: a network's is behind
the clock from which the command counts.
"""


def _every_action() -> dict[str, type[Struct]]:
    """Each action by its name; an upgrade names hashes of code, which no form is for."""
    kinds = [kind for kind in get_args(Action) if kind is not ScheduleUpgrade]
    return {wire_name_of(kind).partition(".")[2]: kind for kind in kinds}


ACTIONS: Final = _every_action()
"""What the form proposes."""


class Voter(NamedTuple):
    """Who may vote on a proposal, for which member, and what was said so far.

    Whose member takes no part is not heard.
    """

    address: Address
    acts: Acts | None
    ballot: Ballot | None

    @property
    def is_heard(self) -> bool:
        """Whether a vote would be counted now."""
        return self.acts is None or self.acts.is_active


def proposals(site: Site, asked: Asked) -> View:
    """Proposals that are under way, then those that have ended, and who decides."""
    _require(site)
    chain = site.chain
    cursors = {name: asked.query.get(name) for name in ("after", "ended")}
    with chain.reading() as height:
        council = chain.query(governance.operators)
        try:
            waiting = chain.query(governance.waiting, _cursor(cursors["after"]))
            ended = chain.query(governance.ended, _cursor(cursors["ended"]))
        except ValueError:
            raise not_understood("account.bad_cursor") from None
        seats = () if council is None else council.operators
        proposers = [row.proposer for _, row in (*waiting.rows, *ended.rows)]
        acting = acts_for(site, (*seats, *proposers))
    is_first = not any(cursors.values())
    return View(
        template="proposals.html",
        facts={
            "council": council,
            "acting": acting,
            "waiting": sorted(waiting.rows, key=lambda row: row[1].closes_at),
            "waiting_after": waiting.after,
            "ended": sorted(ended.rows, key=lambda row: -row[1].closes_at),
            "ended_after": ended.after,
            "is_first": is_first,
            "shows_waiting": cursors["ended"] is None,
            "shows_ended": cursors["after"] is None,
        },
        height=height,
        follow=follow(height) if is_first else None,
        json="/v1/governance/waiting",
    )


def _cursor(text: str | None) -> Cursor | None:
    return None if text is None else Cursor(text)


def _require(site: Site) -> None:
    """Raises PageError on a chain that nobody governs together."""
    if not site.has("governance"):
        raise missing("proposal.none_title", "proposal.none")


def proposal(site: Site, asked: Asked) -> View:
    """One proposal: what it would do, who may vote, who voted what, and when it is decided."""
    _require(site)
    wanted = Id(forms.thing(asked.path["id"]))
    chain = site.chain
    with chain.reading() as height:
        row = chain.query(governance.show, wanted)
        if row is None:
            raise missing("proposal.missing_title", "proposal.missing", id=wanted)
        ballots = {
            voter: ballot for (_, voter), ballot in chain.query(governance.votes, wanted).rows
        }
        acting = acts_for(site, (*row.voters, row.proposer))
        now = chain.head().time
    voters = [Voter(one, acting.get(one), ballots.get(one)) for one in row.voters]
    is_open = row.phase == OPEN and now < row.closes_at
    return View(
        template="proposal.html",
        facts={
            "id": wanted,
            "row": row,
            "acting": acting,
            "voters": voters,
            "is_open": is_open,
            "reason": chain.registry.reasons.get(row.number),
            "approve": voting(wanted, "approve"),
            "reject": voting(wanted, "reject"),
            "cancel": cancelling(wanted) if row.phase in UNDER_WAY else None,
        },
        height=height,
        follow=follow(height, thing=wanted),
        json=f"/v1/governance/show?proposal={wanted}",
    )


def propose(site: Site, asked: Asked) -> View:
    """A form for one action, and the command that proposes it."""
    _require(site)
    query = asked.query
    name = query.get("action", "")
    facts: dict[str, Any] = {
        "actions": tuple(ACTIONS),
        "name": name,
        "closes_in": CLOSES_IN,
        "closes": query.get("closes", CLOSES_IN[0][1]),
        "form": None,
        "line": None,
    }
    if name and name not in ACTIONS:
        raise not_understood("propose.no_action")
    if facts["closes"] not in dict(CLOSES_IN).values():
        raise not_understood("propose.no_closing")
    if name:
        found = form(site, ACTIONS[name], query, "closes" in query)
        facts["form"] = found
        if found.value is not None:
            facts["line"] = proposing(found.value, facts["closes"])
    return View(template="propose.html", facts=facts)
