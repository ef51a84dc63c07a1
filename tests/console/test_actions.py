"""Actions of proposals in words, and the forms and commands that make them."""

from __future__ import annotations

import re
import shlex
from html import unescape
from pathlib import Path
from typing import get_args, get_type_hints
from urllib.parse import urlencode

import msgspec
import pytest
from msgspec import Struct

from tests.cli.conftest import begun
from tests.cli.test_governance_commands import FOUND
from tests.console.conftest import read
from tests.console.governed import ODD_NAME, GovernedChain
from tests.modules.governance_steps import NODE, governed
from tests.modules.member_steps import FIRST, SECOND
from tongbao.console import Console
from tongbao.console.actions import duration, sentence
from tongbao.console.fields import KINDS
from tongbao.console.proposals_page import ACTIONS, CLOSES_IN
from tongbao.console.words import LANGUAGES, Words
from tongbao.index.history import Index
from tongbao.kernel import Time
from tongbao.modules.governance import Action, AdmitPeer, Propose, ScheduleUpgrade
from tongbao.sdk import open_chain

FILLED = {
    "address": "ab" * 20,
    "lei": FIRST,
    "name": ODD_NAME,
    "role": "issuer",
    "roles": "supervisor, issuer issuer",
    "accounts": " ".join(("cd" * 20, "ab" * 20)),
    "duration": "36h",
    "key": "BRYPfyGKvIsZXn-4jCxkWVYsU4OQSWcYUw8IFpWu3yw",
    "node": "ab" * 20,
    "module": "hold",
    "parameter": "asset.freeze_ms",
    "permission": "asset.define",
    "number": "7",
}
"""A text that each kind of field takes."""


UPGRADE = {
    "height": 70,
    "modules": [{"number": 2, "name": "asset", "version": 2, "hash": "ef" * 32}],
    "features": ["asset.later"],
}


@pytest.fixture(scope="module")
def console() -> Console:
    """The pages of a governed chain that nobody serves."""
    return Console(GovernedChain().reading())


def page_of(console: Console, action: str, given: dict[str, str]) -> str:
    """The page of a form that was sent."""
    query = urlencode({"action": action, "closes": "2d", **given})
    return read(console, f"/proposals/new?{query}")


def filled(name: str) -> dict[str, str]:
    """Every field of an action's form, well filled in."""
    hints = get_type_hints(ACTIONS[name], include_extras=True)
    return {field: FILLED[KINDS.get(hint, "number")] for field, hint in hints.items()}


def command_on(text: str) -> list[str]:
    """The words of the command on a page."""
    [line] = re.findall(r"<pre><code>(.*?)</code></pre>", text)
    return shlex.split(unescape(line))


def proposed_on(text: str) -> Struct:
    """The action that the command on a page proposes."""
    words = command_on(text)
    assert words[:3] == ["tongbao", "governance", "propose"]
    actions = words[words.index("--actions") + 1]
    message: Propose = msgspec.convert(
        {"actions": msgspec.json.decode(actions), "closes_at": 1}, Propose, strict=False
    )
    [action] = message.actions
    return action


def test_every_form_makes_an_action_and_every_action_is_a_sentence(console: Console) -> None:
    """
    Given the form of each action that can be proposed,
    when it is sent well filled in,
    then its command proposes that action, and the sentence of it is one of its own with every
    value in it, in both languages; an upgrade has a sentence and no form.
    """
    actions = [proposed_on(page_of(console, name, filled(name))) for name in ACTIONS]
    upgrade = msgspec.convert(UPGRADE, ScheduleUpgrade)
    assert [type(action) for action in actions] == list(ACTIONS.values())
    assert {type(action) for action in (*actions, upgrade)} == set(get_args(Action))
    for words in map(Words, LANGUAGES):
        written = [sentence(words, action) for action in (*actions, upgrade)]
        assert len(set(written)) == len(written)
        assert not [text for text in written if text.startswith("<code>{")]
        assert "asset 2 <code>" + "ef" * 8 in written[-1] and "asset.later" in written[-1]


@pytest.mark.parametrize("text", ["", "x", "<b>", "-1", "9" * 30, "\u0661", "a" * 2_000])
def test_a_form_refuses_what_is_not_of_its_kind(console: Console, text: str) -> None:
    """
    Given the form of each action,
    when each of its fields has a text that is of no kind,
    then at least one is marked, and there is no command.
    """
    for name in ACTIONS:
        page = page_of(console, name, dict.fromkeys(filled(name), text))
        assert 'aria-invalid="true"' in page, name
        assert "<pre>" not in page


def test_an_action_of_a_later_module_is_shown_as_it_was_signed() -> None:
    """
    Given an action that these pages have no text for,
    when it is written,
    then it is its JSON, as text.
    """

    class Later(Struct, tag="governance.paint_blue", tag_field="@type"):
        """An action of tomorrow."""

        wall: str

    written = sentence(Words("en"), Later(wall="<b>"))

    assert unescape(written) == '<code>{"@type":"governance.paint_blue","wall":"<b>"}</code>'
    assert "<b>" not in written


@pytest.mark.parametrize(
    ("ms", "english", "chinese"),
    [
        (0, "no time", "零时间"),
        (86_400_000, "1 d", "1 天"),
        (5_400_000, "90 min", "90 分钟"),
        (1_500, "1,500 ms", "1,500 毫秒"),
    ],
)
def test_a_duration_has_its_largest_whole_unit(ms: int, english: str, chinese: str) -> None:
    """
    Given a number of milliseconds,
    when it is written in both languages,
    then it is a whole number of the largest unit that allows one.
    """
    assert (duration(Words("en"), ms), duration(Words("zh"), ms)) == (english, chinese)


def test_commands_of_the_pages_do_what_the_pages_say(tmp_path: Path) -> None:
    """
    Given a folder whose operator and alice must agree, and its pages,
    when the command of a filled-in form is typed, then the one to approve from the proposal's
    page as alice,
    then a member of an odd name is admitted with its role and account; its account freezes by
    the desk's command, and ends that by the desk's other one.
    """
    place = begun(tmp_path / "chain")
    names = place.do("account", "names")["accounts"]
    place.do(*FOUND, "--operators", '["operator","alice"]')

    def typed(path: str, number: int = 0) -> list[str]:
        with open_chain(place.folder) as chain:
            text = read(Console(chain, Index.open(None, chain.id)), path)
        lines = re.findall(r"<pre><code>(.*?)</code></pre>", text)
        return shlex.split(unescape(lines[number]))[1:]

    given = {"member": SECOND, "name": ODD_NAME, "accounts": names["bob"], "roles": "supervisor"}
    query = urlencode({"action": "admit_member", "closes": "2d", **given})
    [proposal] = place.do(*typed(f"/proposals/new?{query}"))["made"]
    place.do(*typed(f"/proposals/{proposal}"), "--as", "alice")
    place.do("account", "set-lanes", "--lanes", "16", "--as", "operator")
    found = place.do("member", "show", "--lei", SECOND)["value"]
    assert (found["name"], found["roles"]) == (ODD_NAME, ["supervisor"])

    desk, cny = f"/accounts/{names['bob']}/desk", f"CNY.{names['operator']}"
    about = {"account": names["alice"], "asset": cny, "sent": "yes"}
    order = {"order": "freeze", "scope": "debits", "reason": "3", "lasts": "6h", **about}
    place.do(*typed(f"{desk}?{urlencode(order)}"))
    [stands] = place.do("asset", "controls-on", "--account", "alice")["rows"]
    assert stands["value"]["frozen_by_supervisor"]["reason"] == 3
    place.do(*typed(f"{desk}?{urlencode({'order': 'unfreeze', **about})}"))
    assert place.do("asset", "controls-on", "--account", "alice")["rows"] == []


def test_a_block_behind_the_clock_takes_each_closing_time_of_the_form() -> None:
    """
    Given an operator whose clock is a minute ahead of the last block's time, as on a network,
    when the operator proposes with each closing time that the form offers,
    then each proposal is taken.
    """
    chain = governed()
    for lasts, _ in CLOSES_IN:
        closes_at = Time(chain.time + 60_000 + lasts)
        chain.apply("bank", Propose(actions=(AdmitPeer(node=NODE),), closes_at=closes_at))
