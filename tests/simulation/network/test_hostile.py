"""The hostile proposer, and the options of a member with something wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixed_chain import BEGIN, FIRST_MODULES, fixed_genesis
from tongbao.engines.cometbft import requests as q
from tongbao.kernel import Machine
from tongbao.simulation.crash.points import Death, Moment
from tongbao.simulation.network.hostile import EMPTY, HUGE_BYTES, HostileApplication
from tongbao.simulation.network.member import death_of, options_of
from tongbao.store.memory import MemoryStore
from tools.cometbft import InstallError
from tools.skewed_cometbft import skewed

ROOM = 4_000_000
WIRES = (b"first", b"second", b"third")
BLOCKS = 60


def test_every_kind_of_harm_comes_and_fits_into_a_block() -> None:
    """
    Given a hostile proposer with a seed,
    when it proposes many blocks,
    then all kinds of harm come, each within the room that CometBFT leaves; the same seed is the
    same harm.
    """

    def proposals() -> list[tuple[bytes, ...]]:
        machine = Machine(FIRST_MODULES, fixed_genesis(), MemoryStore(), -1, 0)
        hostile = HostileApplication(machine, MemoryStore(), lambda: BEGIN, seed=7)
        request = q.RequestPrepareProposal(max_tx_bytes=ROOM, txs=WIRES)
        return [hostile.prepare_proposal(request).txs for _ in range(BLOCKS)]

    found = proposals()
    assert found == proposals()
    assert all(sum(map(len, each)) <= ROOM for each in found)
    assert any(each.count(b"first") == 3 for each in found), "doubled"
    assert any(each.count(b"") == EMPTY for each in found), "many"
    assert any(len(each[0]) == HUGE_BYTES for each in found), "huge"
    assert any(each == tuple(reversed(WIRES)) for each in found), "reversed"
    assert any(len(each) > 3 and each[-3:] == WIRES for each in found), "again"
    assert any(len({*each} - {*WIRES}) > 5 for each in found), "invalid"


def test_a_member_takes_the_options_of_a_node_behind_its_own() -> None:
    """
    Given what is wrong in a member, and the options of `tongbao run`,
    when they are read,
    then each has its own; nothing is taken for the beginning of another's name.
    """
    own, settings = options_of(
        [
            *("--die-at", "FRAME/within/3", "--folder", "node1", "--host", "10.77.0.1"),
            *("--port", "8632", "--persistent-peers", "", "--rate-per-s", "7"),
        ]
    )
    assert own.folder == Path("node1") and own.hostile < 0
    assert (settings.host, settings.rate_per_s, settings.persistent_peers) == ("10.77.0.1", 7, ())
    assert death_of(own.die_at) == Death("FRAME", Moment.WITHIN, 3)
    assert death_of("") is None


def test_only_the_source_that_is_known_gets_a_wrong_clock() -> None:
    """
    Given the source of CometBFT's clock, as it is and changed,
    when it is to be shifted,
    then the known one reads the shift, and another is refused.
    """
    known = 'package time\n\nimport (\n\t"time"\n)\n\n\treturn Canonical(time.Now())\n'
    assert "Add(clockShift)" in skewed(known) and "TONGBAO_CLOCK_SHIFT_MS" in skewed(known)
    with pytest.raises(InstallError, match="not as it was"):
        skewed(known.replace("Canonical", "Rounded"))
