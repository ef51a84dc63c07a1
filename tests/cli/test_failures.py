"""What is shown of an error."""

from __future__ import annotations

import click
import pytest

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError, Failure, describe
from tongbao.kernel import InvalidTransaction
from tongbao.kernel.reasons import Invalid
from tongbao.sdk.client import Refused


def missing(name: str) -> ModuleNotFoundError:
    """The error of a package that is not installed."""
    return ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            missing("lmdb"),
            Failure(
                "error",
                "this command needs lmdb, which is not installed",
                "pip install 'tongbao[node]'",
                69,
            ),
        ),
        (
            missing("cryptography.hazmat"),
            Failure(
                "error",
                "this command needs cryptography, which is not installed",
                "pip install 'tongbao[node]'",
                69,
            ),
        ),
        (
            Refused("asset.BALANCE_IS_TOO_LOW (2013): too low", 2013, "5e" * 32, 0),
            Failure(
                "refused",
                "asset.BALANCE_IS_TOO_LOW (2013): too low",
                "only the nonce was used; correct the message and send it again",
                1,
                2013,
                "5e" * 32,
            ),
        ),
        (
            InvalidTransaction(Invalid.NONCE_WAS_USED),
            Failure(
                "invalid",
                "kernel.NONCE_WAS_USED (15): a nonce is used once in its lane",
                "correct the transaction and sign it again",
                3,
                15,
            ),
        ),
        (
            FileNotFoundError(2, "No such file or directory", "gone.jws"),
            Failure(
                "error",
                "gone.jws: No such file or directory",
                "check path, permissions and disk; bring a damaged log back from a copy",
                74,
            ),
        ),
        (CommandError("wrong", "right it", Exit.WRONG), Failure("error", "wrong", "right it", 65)),
        (
            click.Abort(),
            Failure(
                "stopped",
                "by Ctrl-C",
                "what was answered is durable; ask `tongbao status ID` about the rest",
                130,
            ),
        ),
    ],
    ids=["extra", "deep extra", "refused", "invalid", "file", "command", "ctrl-c"],
)
def test_an_error_of_a_user_is_described_whole(error: BaseException, failure: Failure) -> None:
    """
    Given an error that its user can do something about,
    when it is described,
    then word, text, advice, code, number and id are those of its kind.
    """
    assert describe(error) == failure


@pytest.mark.parametrize("error", [ValueError("ours"), missing("tongbao.gone"), AssertionError()])
def test_a_bug_of_ours_is_not_described(error: BaseException) -> None:
    """
    Given an error that is our own bug,
    when it is described,
    then there is nothing to show but its traceback.
    """
    assert describe(error) is None
