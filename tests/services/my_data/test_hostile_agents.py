"""What an agent that lies can do to its owner's view of the market: nothing."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tongbao.services.my_data.agents import AgentError
from tongbao.services.my_data.asked import read_line
from tongbao.services.my_data.consenting import NoConsent, consent
from tongbao.services.my_data.person import Person

AGENT: Final = "0c" * 20
LINE: Final[dict[str, Any]] = {"at": 1, "buyer": "0b" * 20, "request": {"price": "20.00"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"at": 10**17},
        {"at": -1},
        {"buyer": "nobody"},
        {"orders": [{"order": "\x1b[2J"}]},
        {"refused": 10**30},
        {"request": {"price": "\x1b]0;paid\x07"}},
        {"request": {"fields": ["\u202eeggs"]}},
        {"request": {"delete_by": 10**17}},
        {"rule": "x" * 1_000_000},
    ],
)
def test_a_line_that_can_not_be_shown_is_the_agent_s_fault(
    alice: Person, changes: dict[str, Any]
) -> None:
    """
    Given an agent whose log has a time beyond all dates, no account, or what moves a terminal,
    when it is read,
    then the agent is told to be wrong, and neither the page nor a command ends by it.
    """
    owned = alice.owned()
    assert read_line(AGENT, LINE, owned)[0].price == "20.00"
    with pytest.raises(AgentError):
        read_line(AGENT, LINE | changes, owned)


def test_a_source_is_named_by_its_address(alice: Person) -> None:
    """
    Given a name that only the source's own folder knows,
    when alice would consent to it,
    then she is told what to give, before anything is asked of the ledger.
    """
    with pytest.raises(NoConsent, match="address"):
        consent(alice, "shop", "eggs.1", alice.now() + 86_400_000)
