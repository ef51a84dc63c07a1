"""API keys are made, listed and revoked; each is shown once, when it is made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.calling import Place


@pytest.fixture
def own(tmp_path: Path, first_blocks: Path) -> Place:
    """A chain's folder of this test's own, which knows alice."""
    shutil.copytree(first_blocks, tmp_path / "chain")
    return Place(tmp_path / "chain")


def test_a_key_is_made_listed_and_revoked(own: Place) -> None:
    """
    Given a chain's folder,
    when a key is made for an account, listed and revoked,
    then the key itself is told once, and in the end there is none.
    """
    made = own.do("api-key", "make", "erp", "--account", "alice", "--for", "12h", "--rate", "50")
    token = made.pop("key")
    listed = own.do("api-key", "list")
    shown = own.call("api-key", "list")
    revoked = own.do("api-key", "revoke", "erp")

    assert token.startswith("tongbao_key_")
    assert listed == {"keys": [made]}
    assert made["scopes"] == ["chain"] and made["rate_per_s"] == 50
    assert made["ends"] - made["made"] == 12 * 3_600_000
    assert token not in shown.out
    assert revoked == {"name": "erp", "id": made["id"]}
    assert own.do("api-key", "list") == {"keys": []}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("make", "erp", "--for", "soon"), "write 30m, 12h or 90d"),
        (("make", "ERP"), "no key can be made so"),
        (("make", "ERP"), "a name is 1 to 64 of a-z"),
        (("make", "erp", "--for", "4000d"), "ten years at most"),
        (("make", "erp", "--scope", "all"), "all"),
        (("make", "erp", "--account", "nobody"), "nobody"),
        (("make", "twice"), "there is an API key named twice"),
        (("revoke", "erp"), "no API key is named"),
    ],
)
def test_what_can_not_be_done_is_told(own: Place, arguments: tuple[str, ...], said: str) -> None:
    """
    Given a folder with one key,
    when keys are made or revoked that can't be,
    then it is told what is wrong, and the one key stays.
    """
    own.do("api-key", "make", "twice")
    failed = own.call("api-key", *arguments)

    assert failed.code != 0
    assert said in failed.err
    assert len(own.do("api-key", "list")["keys"]) == 1
