"""Pages of a large consortium: thousands of members and proposals, a page at a time."""

from __future__ import annotations

import re
from html import unescape

from tests.console.conftest import read
from tests.console.governed import GovernedChain
from tests.console.test_pages import Outline
from tests.modules.member_steps import lei
from tongbao.console import Console
from tongbao.modules.governance import Action, AdmitMember, Delay, SetDelay
from tongbao.modules.member import MemberName

MEMBERS = 10_000
ACTIONS = 16
AT_ONCE = 100
PROPOSALS = 10_000


def large() -> GovernedChain:
    """A chain on which bank decides alone: all these members, by proposals, and more of these."""
    fixed = GovernedChain(threshold=1, limit=AT_ONCE)
    admitting = [
        tuple(
            AdmitMember(member=lei(place), name=MemberName(f"Institution {place}"))
            for place in range(first, min(first + ACTIONS, MEMBERS))
        )
        for first in range(2, MEMBERS, ACTIONS)
    ]
    quiet = [(SetDelay(delay_ms=Delay(0)),)] * (PROPOSALS - len(admitting))
    every: list[tuple[Action, ...]] = [*admitting, *quiet]
    for first in range(0, len(every), AT_ONCE):
        fixed.make(*(fixed.proposal(*actions) for actions in every[first : first + AT_ONCE]))
    fixed.make(fixed.proposal(SetDelay(delay_ms=Delay(1))))
    return fixed


def followed(console: Console, path: str, pages: int) -> tuple[list[str], list[str]]:
    """The texts of a list's pages, one after the other, and the ways that were gone."""
    texts: list[str] = []
    ways = [path]
    while len(texts) < pages:
        texts.append(read(console, ways[-1]))
        found = re.findall(r'<a href="([^"]*)" rel="next">', texts[-1])
        if not found:
            break
        ways.append(unescape(found[-1]))
    return texts, ways


def test_ten_thousand_members_and_proposals_are_listed_a_page_at_a_time() -> None:
    """
    Given 10,000 members that were admitted by proposals, and 10,000 proposals,
    when the lists are read from page to page,
    then each page has a hundred of them, all members come, each once, and no page is large.
    """
    console = Console(large().reading())
    members, _ = followed(console, "/members", MEMBERS)
    proposals, ways = followed(console, "/proposals", 3)
    seen = [one for text in members for one in re.findall(r'data-key="member-(\w+)"', text)]

    assert seen == sorted({lei(place) for place in range(MEMBERS)})
    assert len(members) == MEMBERS // 100
    counts = [text.count('data-key="proposal-') for text in proposals]
    assert counts == [101, 100, 100] and all("ended=" in way for way in ways[1:])
    assert max(map(len, (*members, *proposals))) < 200_000
    assert all(Outline(text).open == [] for text in (members[0], members[-1], *proposals))
