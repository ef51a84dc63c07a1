"""Commands on a chain whose first bodies were pruned, in its folder and at its node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Place, Told
from tests.node.process import running
from tests.sdk.kept_chain import CNY, PASSPHRASE
from tests.sdk.pruned_chain import FIRST, LAST, Pruned, lay
from tongbao.sdk.place import END_OF_BLOCK


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Pruned:
    """A closed chain of blocks 0 to 8 with bodies from block 5 on."""
    return lay(tmp_path_factory.mktemp("pruned") / "chain")


def check(here: Place, pruned: Pruned, payment: Path, *node: str) -> None:
    """Every command says what is known, and what is not here."""

    def call(*words: str) -> Told:
        return here.call(*words, *node)

    status, refused = call("status", pruned.old.id), call("status", pruned.refused)
    assert (status.code, status.last) == (0, "applied in block 3 at place 0")
    assert refused.code == 1 and refused.last.startswith("refused in block 4: ")

    again = call("tx", "submit", str(payment))
    assert (again.code, again.last) == (
        0,
        "it happened before: applied in block 3 at place 0",
    )
    shown, proof = call("tx", "show", pruned.old.id), call("proof", "transaction", pruned.old.id)
    assert (shown.code, proof.code) == (4, 4)
    assert "applied in block 3 at place 0, but what was signed is not here" in shown.err
    for told in (shown, proof):
        assert f"begin with block {FIRST}" in told.err
        assert "ask a node or a backup that has it" in told.err
        assert "Traceback" not in told.err
    assert call("tx", "show", pruned.kept.id).code == 0
    assert call("proof", "transaction", pruned.kept.id).code == 0
    assert here.do("status", *node)["height"] == LAST


def test_commands_in_the_folder_tell_what_was_pruned(pruned: Pruned, tmp_path: Path) -> None:
    """
    Given a folder with bodies from block 5 on,
    when a pruned transaction is asked about, shown, proven and submitted again,
    then its outcome is told as ever, and what was signed is 4 with where to ask.
    """
    payment = tmp_path / "payment.jws"
    payment.write_bytes(pruned.wire)
    check(Place(pruned.folder, PASSPHRASE), pruned, payment)


def test_commands_at_a_node_tell_the_same_and_a_watch_where_to_begin(
    pruned: Pruned, tmp_path: Path
) -> None:
    """
    Given a node with bodies from block 5 on,
    when the same is asked there, and it is watched from before and from where it says,
    then the answers are the same, the watch from before is 4, and the other begins with block 5.
    """
    payment = tmp_path / "payment.jws"
    payment.write_bytes(pruned.wire)
    with running(pruned.folder) as node:
        nowhere = Place(tmp_path / "nothing", passphrase=None)
        check(nowhere, pruned, payment, "--node", node.address)
        begin = f"{FIRST - 1}.{END_OF_BLOCK}"
        early = nowhere.call("watch", "--node", node.address, "--after", "0.0", "--count", "1")
        late = nowhere.call("watch", "--node", node.address, "--after", begin, "--count", "1")

    assert early.code == 4 and f"after the cursor {begin}" in early.err
    assert late.code == 0 and f"  {FIRST}.0 " in late.out


def test_an_audit_of_a_pruned_chain_finds_nothing(pruned: Pruned) -> None:
    """
    Given a chain with bodies from block 5 on,
    when it is audited, and its folder examined,
    then nothing is found, and both count what is there.
    """
    here = Place(pruned.folder, PASSPHRASE)
    audited, examined = here.do("audit"), here.call("doctor")

    assert (audited["findings"], audited["height"]) == ([], LAST)
    assert audited["blocks"] == LAST + 1 - FIRST
    assert examined.code == 0, examined


def test_a_statement_of_what_the_index_does_not_know_is_refused(pruned: Pruned) -> None:
    """
    Given a node whose index was made anew behind pruned bodies,
    when a statement that ends before that is asked for, and one of everything,
    then the first is refused with when the index begins, and the second says with which block.
    """
    here = Place(pruned.folder)
    with running(pruned.folder) as node:
        words = ("account", "statement", pruned.shop, "--asset", CNY, "--node", node.address)
        told = here.call(*words, "--to", "2000-01-01")
        whole = here.do(*words)
    assert (told.code != 0, "index begins at" in told.err) == (True, True), told
    assert "Traceback" not in told.err
    assert whole["from_block"] == FIRST
