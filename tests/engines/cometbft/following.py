"""The application of a node that has every block of a chain, with a clock that the test moves."""

from __future__ import annotations

from tests.engines.cometbft.test_application import begin, block
from tests.fixed_chain import FixedChain
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.messages import CheckTxType
from tongbao.kernel import Machine, Registry
from tongbao.store.memory import MemoryStore


class Node:
    """The application of a node that has every block of a chain."""

    def __init__(self, chain: FixedChain, modules: Registry, clock: int) -> None:
        """Carry out all blocks until now."""
        self.chain, self.clock = chain, clock
        store = MemoryStore()
        machine = Machine(modules, chain.genesis, store, -1, 0)
        self.application = MachineApplication(machine, store, lambda: self.clock)
        begin(self.application, chain)
        self.follow()

    def follow(self) -> None:
        """Carry out the blocks that were made since."""
        done = max(0, self.application.blocks.machine.height)
        for height in range(done + 1, self.chain.store.height + 1):
            self.application.finalize_block(block(self.chain, height))
            self.application.commit(q.RequestCommit())

    def check(self, *wires: bytes, kind: CheckTxType = CheckTxType.NEW) -> list[int]:
        """The codes of checks, asked together."""
        asked = [q.RequestCheckTx(tx=wire, type=kind) for wire in wires]
        return [answer.code for answer in self.application.check_txs(asked)]
