"""Watching a chain: a line for each thing that happens, through restarts, until enough."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from msgspec import Raw

from tests.cli.desk import Desk
from tongbao.cli.book import AccountBook
from tongbao.cli.watch_command import line_of
from tongbao.kernel import Address
from tongbao.sdk.answers import Happening

ISSUE = ("asset", "issue", "--asset", "CNY.operator", "--amount", "5.00", "--payee", "alice")


def without_time(line: str) -> str:
    """A line without the time that it begins with."""
    found = re.fullmatch(r"\d\d:\d\d:\d\d[.]\d{3}  (.*)", line)
    assert found is not None, line
    return found[1]


def test_what_happens_is_shown_through_a_restart_of_the_node(desk: Desk) -> None:
    """
    Given somebody who watches a node,
    when something happens, the node starts again at the same port, and more happens,
    then each is shown once, and Ctrl-C ends with where to go on.
    """
    watching = desk.running("watch", "--type", "asset.moved")
    with desk.node() as (node, address), watching as watch:
        watch.note("watching")
        desk.do(*ISSUE, "--reference", "cash-2")
        first = without_time(watch.line())
        node.end()
        desk.do(*ISSUE, "--reference", "cash-3")
        with desk.running("run", "--port", address.rpartition(":")[2]) as again:
            again.note("is served at")
            second = without_time(watch.line())
            desk.do(*ISSUE, "--reference", "cash-4")
            third = without_time(watch.line())
        ended = watch.end()
    said = "asset.issue amount=5.00 asset=CNY.operator payee=alice reference=cash"
    assert [first, second, third] == [
        f"{height}.0       applied  operator  {said}-{height - 3}" for height in (5, 6, 7)
    ]
    assert ended == (0, [])
    assert watch.note("watched") == "watched 3 happenings; go on with --after 7.0"


def test_a_watch_is_filtered_begins_anywhere_and_ends_by_count(desk: Desk) -> None:
    """
    Given a chain of five blocks behind a node,
    when it is watched from the beginning with filters, as JSON, and into a pipe that closes,
    then the objects are those asked for, and each watch ends with 0.
    """
    desk.do(*ISSUE, "--reference", "cash-2")
    with desk.node():
        all_of_them = desk.run("watch", "--after", "0.0", "--count", "5", "--json")
        found = [msgspec.json.decode(line) for line in all_of_them.stdout.splitlines()]
        assert [each["cursor"] for each in found] == [f"{height}.0" for height in range(1, 6)]
        of_alice = ("watch", "--after", "0.0", "--account", "alice", "--json")
        mine = desk.run(*of_alice, "--asset", "CNY.operator", "--count", "1")
        assert (mine.returncode, msgspec.json.decode(mine.stdout)) == (0, found[3])
        piped = desk.program("bash", "-o", "pipefail", "-c", "tongbao watch --after 0.0 | true")
        assert (piped.returncode, piped.stderr.count("\n")) == (0, 1)
        for words in (("--after", "soon"), ("--type", "money"), ("--asset", "CNY")):
            assert desk.run("watch", "--count", "1", *words).returncode == 2, words


def test_a_line_holds_no_control_characters_of_strangers(tmp_path: Path) -> None:
    """
    Given a refused transaction whose message holds what would steer a terminal,
    when it is written as a line,
    then everything in it is printable ASCII, and remembered accounts have their names.
    """
    book = AccountBook(tmp_path)
    book.remember("mallory", Address("ab" * 20))
    text = "\x1b[2J\u202e\n"
    message = {"@type": "notes.keep", "text": text, "of": ["ab" * 20, text], "n": 1}
    happening = Happening(
        cursor="7.0",
        height=7,
        time=1_790_000_000_123,
        id="5e" * 32,
        number=1_000_001,
        sender="ab" * 20,
        messages=(Raw(msgspec.json.encode(message)),),
    )
    line = line_of(happening, book)

    assert line == (
        "14:13:20.123  7.0       refused 1000001  mallory  notes.keep text=\\x1b[2J\\u202e\\n "
        'of=["abababababababababababababababababababab","\\u001b[2J\\u202e\\n"] n=1'
    )
    assert line.isascii() and line.isprintable()
