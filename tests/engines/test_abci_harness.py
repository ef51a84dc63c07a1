"""The same machine behind another engine: an ABCI-like harness gives the roots that solo gives."""

from tests.fixed_chain import FIRST_MODULES, FixedChain, fixed_genesis
from tests.golden_file import check_golden
from tongbao.engines.cometbft.light.hashes import app_hash
from tongbao.engines.solo import read_header
from tongbao.engines.solo.header import tree_root
from tongbao.kernel import Block, Count, Decided, InvalidTransaction, Machine, Outcome, Time
from tongbao.store.memory import MemoryStore
from tongbao.store.record import BlockRecord


class Application:
    """What a CometBFT application does, without sockets: the calls of ABCI 2.0 by their names."""

    def __init__(self) -> None:
        """A node that has seen nothing."""
        self.store = MemoryStore()
        self.machine = Machine(FIRST_MODULES, fixed_genesis(), self.store, -1, 0)
        self.decided: Decided | None = None
        self.transactions: tuple[bytes, ...] = ()

    def init_chain(self) -> bytes:
        """Decide genesis; the app hash that block 1's header will carry."""
        self.decided = self.machine.genesis()
        self.commit()
        return self.app_hash()

    def check_tx(self, wire: bytes, time: int) -> int:
        """The mempool's question: 0, or the number that makes it invalid now."""
        try:
            self.machine.check(wire, Time(time))
        except InvalidTransaction as error:
            return error.why.number
        return 0

    def process_proposal(self, transactions: tuple[bytes, ...], time: int) -> bytes:
        """Try a proposal and take it back."""
        decided = self.machine.apply(self._block(transactions, time))
        self.machine.discard()
        return decided.state_root

    def finalize_block(self, transactions: tuple[bytes, ...], time: int) -> tuple[list[int], bytes]:
        """Decide a block in memory: a code for each transaction, and the app hash."""
        self.transactions = transactions
        self.decided = self.machine.apply(self._block(transactions, time))
        codes = [result.number for result in self.decided.results]
        return codes, self.app_hash()

    def commit(self) -> None:
        """Keep what was finalized."""
        decided = self.decided
        assert decided is not None
        self.store.append(
            BlockRecord(
                decided.height,
                decided.time,
                b"",
                self.transactions,
                decided.receipts,
                decided.rows,
                tuple((result.id, result.number) for result in decided.results),
            )
        )
        self.machine.commit()
        if decided.height % 3 == 0:  # the fast copy follows now and then
            self.store.maintain(idle=True)
            self.machine.flushed()

    def app_hash(self) -> bytes:
        """What stands in the next header: only the state, or idle blocks would never stop."""
        return app_hash(self.machine.state_root)

    def _block(self, transactions: tuple[bytes, ...], time: int) -> Block:
        height = Count(self.machine.height + 1)
        return Block(height=height, time=Time(time), transactions=transactions)


def solo_history() -> FixedChain:
    """Payments, refusals, holds that expire, captured ones: a dozen blocks by the solo engine."""
    chain = FixedChain()
    chain.make(chain.pay("12.50"), chain.pay("1.00"), chain.pay("500.00"))
    chain.make(chain.place("5.00", 1_500), chain.place("6.00", 60_000))
    for _ in range(6):
        chain.make(chain.pay("0.25"))
    chain.make(chain.pay("0.25"), chain.pay("99.99"), chain.place("1.00", 1_000))
    chain.make(chain.pay("0.01"))
    chain.make(chain.pay("0.01"))
    return chain


def test_both_engines_give_the_same_roots_and_receipts() -> None:
    """
    Given a history that the solo engine has made,
    when the harness is given the same transactions at the same times, with proposals that are
    tried and dropped in between,
    then every state root, receipt and transaction root is the same.
    """
    solo, node = solo_history(), Application()
    node.init_chain()
    for height in range(1, solo.store.height + 1):
        record = solo.store.block(height)
        header, _ = read_header(record.header)
        assert [node.check_tx(wire, record.time) for wire in record.transactions[:1]] == [0]
        node.process_proposal(record.transactions[::-1], record.time + 7)
        node.process_proposal((), record.time + 8)
        codes, _ = node.finalize_block(record.transactions, record.time)
        assert len(codes) == len(record.transactions)
        node.commit()
        decided = node.decided
        assert decided is not None
        assert decided.state_root.hex() == header.state
        assert tree_root(decided.receipts) == header.receipts
        assert tree_root(record.transactions) == header.transactions
        assert decided.rows == record.rows


def test_what_does_not_decode_has_a_result_and_changes_nothing() -> None:
    """
    Given a block with junk, a doubled payment and a good one, as a careless proposer makes it,
    when it is finalized,
    then there is one result for each, and the root is that of the good one alone.
    """
    chain = FixedChain()
    good = chain.pay("1.00")
    junk = (b"", b"\xff" * 100, b"{}", b"a.b.c", good, good, good[:-1])
    node, clean = Application(), Application()
    for application, transactions in ((node, junk), (clean, (good,))):
        application.init_chain()
        application.finalize_block(chain.store.block(1).transactions, chain.store.block(1).time)
        application.commit()
        application.finalize_block(transactions, chain.store.block(1).time + 1_000)
    assert node.decided is not None and clean.decided is not None
    outcomes = [result.outcome for result in node.decided.results]
    assert outcomes == [Outcome.INVALID] * 4 + [Outcome.APPLIED] + [Outcome.INVALID] * 2
    assert node.app_hash() == clean.app_hash()


def test_idle_blocks_leave_the_app_hash_alone() -> None:
    """
    Given a chain with nothing to do,
    when empty blocks pass,
    then the app hash stays, whatever height and time say.
    """
    node = Application()
    first = node.init_chain()
    for height in range(1, 4):
        assert node.finalize_block((), fixed_genesis().time + height * 1_000) == ([], first)
        node.commit()


def test_the_app_hash_is_frozen() -> None:
    """
    Given a history of constants,
    when the app hash of its end is compared with the golden file,
    then it is the same.
    """
    solo, node = solo_history(), Application()
    node.init_chain()
    for height in range(1, solo.store.height + 1):
        record = solo.store.block(height)
        node.finalize_block(record.transactions, record.time)
        node.commit()
    check_golden("solo.json", "cometbft_app_hash", node.app_hash().hex())
