"""The program as a whole: help for everything, and two lines for whatever goes wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import click
import pytest

from tests.cli.calling import Place, Told
from tongbao.cli.main import AFTER, BEFORE, root
from tongbao.cli.terminal import Terminal

ELSEWHERE = {"demo"}
"""Commands that live in another folder, and are tested there."""


def leaves(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command below a group."""
    ctx = click.Context(group, info_name="tongbao", obj=Terminal())
    for name in group.list_commands(ctx):
        if name in ELSEWHERE:
            continue
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name)


@pytest.mark.parametrize("words", list(leaves(root)), ids=" ".join)
def test_the_help_of_every_command_has_an_example(words: tuple[str, ...], nowhere: Place) -> None:
    """
    Given no chain at all,
    when a command is asked for help,
    then it tells its use and an example that begins with its own words.
    """
    told = nowhere.call(*words, "--help")

    assert told.code == 0, told
    assert told.out.startswith(f"Usage: tongbao {' '.join(words)} ")
    assert f"Example:\n    tongbao {' '.join(words)}" in told.out


def test_the_help_of_the_program_lists_every_command(nowhere: Place) -> None:
    """
    Given the program,
    when it is asked for help,
    then each command is listed, those of the modules among them.
    """
    told = nowhere.call("--help")
    listed = [line.split()[0] for line in told.out.partition("Commands:")[2].splitlines() if line]

    assert [name for name in listed if name in {*BEFORE, *AFTER, "account", "asset", "hold"}] == [
        *BEFORE,
        "account",
        "asset",
        "hold",
        *AFTER,
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("asset", "transfer"),
            Told(2, "", "do: tongbao asset transfer --help\nerror: Missing option '--asset'.\n"),
        ),
        (
            ("fly",),
            Told(2, "", "do: tongbao --help\nerror: No such command 'fly'.\n"),
        ),
        (
            ("status", "--xyz"),
            Told(2, "", "do: tongbao status --help\nerror: No such option '--xyz'.\n"),
        ),
    ],
    ids=["option", "command", "unknown"],
)
def test_misuse_gets_one_line_of_advice_and_a_verdict(
    words: tuple[str, ...], told: Told, nowhere: Place
) -> None:
    """
    Given no chain,
    when a command is misused,
    then one line says where to read, the last what is wrong, and the code is 2.
    """
    assert nowhere.call(*words) == told


def test_a_folder_without_a_chain_is_said_before_any_passphrase(nowhere: Place) -> None:
    """
    Given a folder that does not exist and no passphrase,
    when somebody asks for its status,
    then the error names the folder and the command that begins a chain.
    """
    told = nowhere.call("status")

    assert (told.code, told.out) == (66, "")
    verdict = told.err.splitlines()[-1]
    assert verdict.startswith(f"error: {nowhere.folder} holds no chain: begin one with `tongbao ")


@pytest.mark.parametrize(
    "words",
    [
        ("asset", "define", "--code", "CNY", "--scale", "2"),
        ("account", "create", "alice"),
        ("asset", "show", "--asset", "CNY.operator"),
        ("tx", "show", "5e" * 32),
        ("proof", "trust"),
        ("audit",),
    ],
    ids=" ".join,
)
def test_every_command_says_that_there_is_no_chain(words: tuple[str, ...], nowhere: Place) -> None:
    """
    Given a folder that does not exist,
    when any command needs a chain there,
    then all say the same, and no folder is made.
    """
    told = nowhere.call(*words)

    assert (told.code, told.out) == (66, "")
    assert "holds no chain: begin one with `tongbao init" in told.err
    assert not nowhere.folder.exists()


def test_with_json_a_failure_is_the_one_object(nowhere: Place) -> None:
    """
    Given a folder that does not exist,
    when its status is asked for with --json,
    then standard output has one object and standard error nothing.
    """
    told = nowhere.call("status", "--json")

    assert told.err == ""
    assert told.json["outcome"] == "error"
    assert told.json["exit_code"] == told.code == 66


class Interrupting(io.RawIOBase):
    """Standard input of somebody who presses Ctrl-C."""

    def readable(self) -> bool:
        """As any input."""
        return True

    def readinto(self, buffer: object) -> int:
        """Press Ctrl-C."""
        raise KeyboardInterrupt


def test_ctrl_c_says_what_is_safe(place: Place) -> None:
    """
    Given a command that reads standard input,
    when Ctrl-C is pressed,
    then the code is 130 and the advice says how to find out what happened.
    """
    told = place.call("tx", "submit", "-", stdin=io.BufferedReader(Interrupting()))

    assert told.code == 130
    assert told.err.strip() == (
        "do: what was answered is durable; ask `tongbao status ID` about the rest\n"
        "stopped: by Ctrl-C"
    )


def test_a_group_without_a_command_shows_its_commands(nowhere: Place) -> None:
    """
    Given a group,
    when no command of it is named,
    then its help is shown, and the code says that nothing was done.
    """
    told = nowhere.call("hold")

    assert told.code == 2
    assert "place" in told.out
    assert "held-for" in told.out


@pytest.mark.parametrize(
    "words",
    [
        ("asset", "transfer", "--json", "--bogus"),
        ("nope", "--json"),
        ("asset", "nope", "--json"),
        ("asset", "balance", "--account", "--json"),
    ],
)
def test_with_json_a_line_that_cannot_be_read_is_one_object_too(
    nowhere: Place, words: tuple[str, ...]
) -> None:
    """
    Given words that are no command, with --json among them,
    when the program is called with them,
    then it prints one object that says what is wrong, with the exit code of misuse.
    """
    told = nowhere.call(*words)
    assert (told.code, told.json["outcome"], told.json["exit_code"]) == (2, "error", 2)


@pytest.mark.parametrize("body", [b"<html>a shop</html>", b"[1]", b"{}", b"\xff\x00"])
@pytest.mark.parametrize("status", [200, 302, 404])
def test_what_is_no_node_is_told_as_such(nowhere: Place, body: bytes, status: int) -> None:
    """
    Given a server that is no node of Tongbao,
    when a command is told to ask it,
    then it ends with an error in words and an exit code that is no answer of a ledger.
    """
    with answering(status, body) as address:
        told = nowhere.call("status", "--node", address, "--json")
    assert (told.code, told.json["outcome"]) == (65, "error")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that answers everything alike."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
