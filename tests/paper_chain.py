"""A whole chain of a network on paper: a real machine behind the real application, fixed votes.

Everything that CometBFT would do is done here one step after the other, with the headers and votes
of `paper_network.py`; the ledger's side is the code of a node.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from tests.fixed_chain import BEGIN, FIRST_MODULES, HOUR, NO_HASH, FixedChain, fixed_genesis, key
from tests.paper_network import FOUR, Members, PaperNetwork, commit_of, header_of
from tests.paper_network import key as validator_key
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.blocks import Blocks
from tongbao.engines.cometbft.light.hashes import header_hash
from tongbao.engines.cometbft.light.rpc_forms import KEY_TYPE
from tongbao.engines.cometbft.light.types import BlockID, CommitSig, Header, LightBlock
from tongbao.engines.cometbft.messages import Timestamp
from tongbao.engines.cometbft.rpc import RpcError
from tongbao.engines.cometbft.rpc_answers import (
    JsonBlockId,
    JsonCommit,
    JsonHeader,
    JsonParts,
    JsonValidator,
    JsonVersion,
    JsonVote,
    KeyJson,
    NodeInfo,
    SignedHeaderJson,
    Status,
    SyncInfo,
    ValidatorInfo,
)
from tongbao.engines.solo.ticket import Answer, Ticket, tell
from tongbao.kernel import (
    Amount,
    AssetCode,
    Genesis,
    Machine,
    Message,
    Name,
    Outcome,
    PublicKey,
    Reference,
    Registry,
    Small,
    Time,
)
from tongbao.kernel.envelope import encode_base64url
from tongbao.kernel.genesis import ChainName, EngineLine, section
from tongbao.modules import asset, governance, upgrade
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.comet_prover import CometProver
from tongbao.sdk.genesis_builder import module_lines
from tongbao.sdk.local import Chain
from tongbao.store.memory import MemoryStore

NETWORK_MODULES = Registry((*FIRST_MODULES.modules[1:], upgrade.module, governance.module))
"""The modules of this chain; later ones don't change what is frozen of it."""
DAY_MS = 24 * HOUR


def network_genesis(begin_ms: int, first: Members = FOUR) -> Genesis:
    """A genesis for bank, alice and shop under four validators, whatever the code's hash is."""
    base = fixed_genesis()
    keys = {name: PublicKey(encode_base64url(validator_key(name))) for name, _ in first.powers}
    start = {
        "delay_ms": DAY_MS,
        "operators": [FixedChain.bank],
        "threshold": 1,
        "validators": [{"key": keys[name], "power": power} for name, power in first.powers],
    }
    return replace(
        base,
        chain=ChainName("paper"),
        time=Time(begin_ms),
        engine=EngineLine(name=Name("cometbft"), keys=tuple(keys.values())),
        modules=tuple(replace(line, hash=NO_HASH) for line in module_lines(NETWORK_MODULES)),
        sections=(*base.sections, section("governance", start)),
    )


class PaperChain:
    """A chain that CometBFT would order, with the first asset defined and alice funded in block 1.

    `network` has its headers and votes; it is a `LightSource` for the prover.
    """

    bank, alice, shop, cny = FixedChain.bank, FixedChain.alice, FixedChain.shop, FixedChain.cny

    def __init__(self, begin_ms: int = BEGIN, first: Members = FOUR) -> None:
        """Begin the chain, and make block 1 with its proof."""
        self.store = MemoryStore()
        self.genesis = network_genesis(begin_ms, first)
        machine = Machine(NETWORK_MODULES, self.genesis, self.store, -1, 0)
        self.application = MachineApplication(machine, self.store, lambda: begin_ms)
        self.network = PaperNetwork(machine.chain, first, begin_ms)
        self.listeners: list[Callable[[int], None]] = []
        self._nonces: dict[str, int] = {}
        asked = q.RequestInitChain(chain_id=machine.chain, initial_height=1)
        self._app_hash = self.application.init_chain(asked).app_hash
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        deposit = Reference("deposit-1")
        issue = asset.Issue(
            asset=self.cny, amount=Amount("100.00"), payee=self.alice, reference=deposit
        )
        self.make(self.signed("bank", define, issue))

    @property
    def blocks(self) -> Blocks:
        """The machine and its store."""
        return self.application.blocks

    @property
    def id(self) -> str:
        """The chain's id."""
        return self.network.chain

    def signed(self, name: str, *messages: Message) -> bytes:
        """A transaction of bank, alice or shop."""
        sender = getattr(self, name)
        nonce = self._nonces[name] = self._nonces.get(name, 0) + 1
        expires = Time(self.blocks.machine.time + HOUR)
        payload = payload_bytes(self.blocks.machine.chain, sender, nonce, expires, messages)
        return sign(payload, [key(name)])

    def pay(self, amount: str) -> bytes:
        """Alice's payment to the shop."""
        message = asset.Transfer(asset=self.cny, amount=Amount(amount), payee=self.shop)
        return self.signed("alice", message)

    def make(
        self, *transactions: bytes, after: Members | None = None, time: Timestamp | None = None
    ) -> LightBlock:
        """A block, decided and kept; `after` votes from the height after the next on."""
        block = self.network.make(transactions, (), self._app_hash, after, time)
        header = header_of(block)
        found = self.application.finalize_block(
            q.RequestFinalizeBlock(
                txs=transactions,
                hash=header_hash(header),
                height=header.height,
                time=header.time,
            )
        )
        self.application.commit(q.RequestCommit())
        self._app_hash = found.app_hash
        self.network.tell(tuple((one.code, one.data) for one in found.tx_results))
        for function in self.listeners:
            function(header.height)
        return block

    def prover(self) -> CometProver:
        """What makes proofs of this chain."""
        return self.prover_of(PaperEngine(self))

    def prover_of(self, engine: PaperEngine) -> CometProver:
        """The same beside an engine that tells of blocks."""
        return CometProver(engine, self.genesis, PaperSource(self.network))

    def chain(self, clock: Callable[[], int] | None = None) -> Chain:
        """The chain as clients read it; a transaction that is submitted is decided at once."""
        engine = PaperEngine(self, clock)
        return Chain(engine, self.store, self.genesis, self.prover_of(engine))


class PaperEngine:
    """An `Engine` whose network decides each transaction in a block of its own, and proves it."""

    def __init__(self, paper: PaperChain, clock: Callable[[], int] | None = None) -> None:
        """Stand on a chain."""
        self._paper = paper
        self._clock = clock
        self.waiting = 0
        self.why_stopped: str | None = None
        self.is_disk_full = False
        self.misbehaviour: dict[str, int] = {}

    @property
    def machine(self) -> Machine:
        """The machine."""
        return self._paper.blocks.machine

    def now(self) -> Time:
        """The clock's time, or the next block's."""
        return Time(self.machine.time + 1 if self._clock is None else self._clock())

    def listen(self, function: Callable[[int], None], /) -> None:
        """Tell somebody of blocks."""
        self._paper.listeners.append(function)

    def reading(self) -> AbstractContextManager[Blocks]:
        """Between two blocks."""
        return self._paper.blocks.reading()

    def submit(self, wire: bytes, /) -> Ticket:
        """Decide a transaction in the next block, and make the one that proves it."""
        ticket = Ticket(self.machine.decode(wire))
        with self.reading():
            self._paper.make(wire)
            record = self._paper.store.block(self.machine.height)
            identifier, _ = record.outbox[0]
            found = self._paper.store.status(identifier)
            assert found is not None
            self._paper.make()
        outcome = Outcome.REFUSED if found.number else Outcome.APPLIED
        ticket.answer(
            Answer(identifier, record.height, 0, outcome, found.number, record.receipts[0])
        )
        tell([ticket])
        return ticket

    def is_pending(self, transaction_id: bytes, /) -> bool:
        """Nothing waits."""
        return False

    def close(self) -> None:
        """Nothing is to be ended."""


class PaperSource:
    """What CometBFT's RPC would answer of a network on paper: a `LightSource`."""

    def __init__(self, network: PaperNetwork) -> None:
        """Answer for a network."""
        self._network = network

    def status(self) -> Status:
        """How many blocks there are."""
        last = self._network.blocks[-1]
        header = header_of(last)
        key = KeyJson(KEY_TYPE, b"")
        return Status(
            NodeInfo("", header.chain_id, ""),
            SyncInfo(
                latest_block_height=header.height,
                latest_block_hash=hexed(header_hash(header)),
                latest_app_hash=hexed(header.app_hash),
                latest_block_time=written(header.time),
                earliest_block_height=1,
                catching_up=False,
            ),
            ValidatorInfo("", key, 0),
        )

    def commit(self, height: int, /) -> SignedHeaderJson:
        """A header and its votes."""
        if not 0 < height <= len(self._network.blocks):
            raise RpcError(-32603, "Internal error", f"no block {height}")
        block = self._network.at(height)
        commit = commit_of(block)
        return SignedHeaderJson(
            header=as_json(header_of(block)),
            commit=JsonCommit(
                height=commit.height,
                round=commit.round,
                block_id=block_id_as_json(commit.block_id),
                signatures=list(map(vote_as_json, commit.signatures)),
            ),
        )

    def validators(self, height: int, /) -> list[JsonValidator]:
        """Who votes at a height: known one block ahead."""
        if not 0 < height <= len(self._network.blocks) + 1:
            raise RpcError(-32603, "Internal error", f"no validators of {height}")
        return [
            JsonValidator(
                address=hexed(one.address),
                pub_key=KeyJson(KEY_TYPE, one.pub_key.ed25519 or b""),
                voting_power=one.voting_power,
                proposer_priority=0,
            )
            for one in self._network.members_of(height).validators
            if one.pub_key is not None
        ]


def hexed(data: bytes) -> str:
    """As CometBFT writes hashes."""
    return data.hex().upper()


def written(time: Timestamp | None) -> str:
    """As CometBFT writes times."""
    assert time is not None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time.seconds)
    return f"{moment.isoformat().removesuffix('+00:00')}.{time.nanos:09}Z"


def as_json(header: Header) -> JsonHeader:
    """A header as CometBFT's RPC has it."""
    assert header.version is not None
    return JsonHeader(
        version=JsonVersion(header.version.block, header.version.app),
        chain_id=header.chain_id,
        height=header.height,
        time=written(header.time),
        last_block_id=block_id_as_json(header.last_block_id),
        last_commit_hash=hexed(header.last_commit_hash),
        data_hash=hexed(header.data_hash),
        validators_hash=hexed(header.validators_hash),
        next_validators_hash=hexed(header.next_validators_hash),
        consensus_hash=hexed(header.consensus_hash),
        app_hash=hexed(header.app_hash),
        last_results_hash=hexed(header.last_results_hash),
        evidence_hash=hexed(header.evidence_hash),
        proposer_address=hexed(header.proposer_address),
    )


def block_id_as_json(block_id: BlockID | None) -> JsonBlockId:
    """A block's id."""
    assert block_id is not None and block_id.part_set_header is not None
    parts = block_id.part_set_header
    return JsonBlockId(hexed(block_id.hash), JsonParts(parts.total, hexed(parts.hash)))


def vote_as_json(vote: CommitSig) -> JsonVote:
    """A vote."""
    return JsonVote(
        block_id_flag=vote.block_id_flag,
        validator_address=hexed(vote.validator_address),
        timestamp=written(vote.timestamp),
        signature=vote.signature or None,
    )
