"""Chains that earlier versions have recorded: the code of today comes to the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recording import BYTES_LIMIT, FOLDER, applied, begun_upgrades, play, read
from tongbao import __version__
from tongbao.kernel.schema import wire_name_of
from tongbao.modules.registry import registry

FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recorded_chain_comes_to_the_same_bytes(file: Path) -> None:
    """
    Given a chain that some version has recorded, with every header, receipt and outcome,
    when the code of today plays its transactions at their times,
    then every header (and with it each root), receipt and outcome is the same.
    """
    recording = read(file)
    for made, kept in zip(play(recording), recording.blocks, strict=True):
        assert made == kept


def test_this_version_has_recorded_all_that_it_does() -> None:
    """
    Given the recording of this version,
    when what happens in it is counted,
    then every message was applied, some were refused, work fell due, an upgrade of a module and a
    feature has begun, and the file is small.
    """
    file = FOLDER / f"{__version__}.json"
    recording = read(file)
    counted = applied(recording)
    assert [name for name in map(wire_name_of, registry().messages) if not counted[name]] == []
    refused = {number for block in recording.blocks for _, number in block.outcomes} - {0}
    due = [block for block in recording.blocks if len(block.receipts) > len(block.transactions)]
    begun = [
        upgrade for upgrade in begun_upgrades(recording) if upgrade.modules and upgrade.features
    ]
    assert (len(refused) >= 10, len(due) >= 1, len(begun) >= 1) == (True, True, True)
    assert file.stat().st_size < BYTES_LIMIT
