"""The doctor on chains whose code an upgrade names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sdk.examined import Found, found_in
from tests.sdk.test_opening_upgraded import BEGINS, kept, spoil_upgrade
from tongbao.kernel import GenesisError
from tongbao.sdk.doctor import repair
from tongbao.sdk.doctor_finding import Severity
from tongbao.sdk.opening import open_chain


@pytest.mark.parametrize("has_rows", [True, False])
def test_the_code_of_the_next_block_is_what_the_upgrade_names(
    tmp_path: Path, has_rows: bool
) -> None:
    """
    Given a chain that is upgraded, with its rows or with the log alone,
    when it is examined with the code of today, and two blocks before the upgrade,
    then the first is fine, and of the second the module is named, with the code of the start.
    """
    after, before = kept(tmp_path / "after", BEGINS), kept(tmp_path / "before", BEGINS - 2)
    expected = [("keys", Severity.NOTE)]
    if not has_rows:
        expected.insert(0, ("rows", Severity.MENDS))
        for folder in (after, before):
            shutil.rmtree(folder / "state")
    found, _ = found_in(after)
    assert found == Found(tuple(expected))
    expected.insert(len(expected) - 1, ("modules", Severity.BROKEN))
    found, said = found_in(before)
    assert found == Found(tuple(expected), 78)
    with pytest.raises(GenesisError) as refused:
        open_chain(before)
    assert str(refused.value) in said


@pytest.mark.parametrize("value", [None, b"{", b'{"@version":1}'])
def test_rows_that_have_lost_an_upgrade_are_said_to_be_made_again(
    tmp_path: Path, value: bytes | None
) -> None:
    """
    Given an upgraded chain in whose rows the upgrade is lost, garbage or another,
    when it is examined, repaired and opened,
    then the modules' check says that the rows lack it, `state/` goes, and the chain opens.
    """
    folder = kept(tmp_path / "chain", BEGINS)
    spoil_upgrade(folder, value)
    found, said = found_in(folder)
    assert found == Found((("modules", Severity.MENDS), ("keys", Severity.NOTE)))
    assert "the rows lack what the log says of upgrades" in said
    assert repair(folder, ("rows",)) == [str(folder / "state")]
    with open_chain(folder) as chain:
        assert (chain.head().height, chain.audit()) == (BEGINS, [])
