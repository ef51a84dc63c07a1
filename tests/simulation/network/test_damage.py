"""A node whose CometBFT has lost blocks that its application has is not well again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tongbao.simulation.network.cluster import Cluster
from tongbao.simulation.network.faults_files import truncated_store
from tongbao.simulation.network.ground import lay
from tongbao.simulation.network.history import Book
from tongbao.simulation.network.links import Links
from tongbao.simulation.network.scene import ANEW, BY_ITSELF, Scene

VALIDATORS = 4
SEED = 1


def test_a_node_that_only_has_its_old_blocks_has_not_recovered(tmp_path: Path) -> None:
    """
    Given a network in which nobody sends anything, so that a stopped node has every block there is,
    when the end of the store of its CometBFT is cut off, and it is started again,
    then its height is not taken for recovery: it refuses, is laid anew, decides with the others.
    """
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    with closing(Links()) as links, Cluster.lay(tmp_path, VALIDATORS, links) as cluster:
        cluster.start_all(lambda _: None)
        scene = Scene(cluster, Book(*lay(cluster, SEED, 2, 1)), Random(SEED), 0)
        with closing(scene):
            told = truncated_store(scene, 0)
            assert "it refused (CometBFT has ended" in told and "laid anew" in told
            assert scene.counts[ANEW] == 1 and not scene.counts[BY_ITSELF]
            assert scene.settle() > 0
