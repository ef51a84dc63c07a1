"""A network of CometBFT on paper: headers and votes of fixed keys, without a program that runs.

Everything is fixed, so its bytes can be frozen. It makes what four honest validators would make;
tests spoil it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from msgspec.structs import replace

from tongbao.engines.cometbft.light.form import nanoseconds
from tongbao.engines.cometbft.light.hashes import (
    commit_hash,
    data_hash,
    header_hash,
    in_order,
    results_hash,
    validator,
    validators_hash,
)
from tongbao.engines.cometbft.light.types import (
    ZERO_TIME,
    BlockID,
    Commit,
    CommitSig,
    Consensus,
    Header,
    LightBlock,
    PartSetHeader,
    SignedHeader,
    Validator,
    ValidatorSet,
)
from tongbao.engines.cometbft.light.verifier import Terms, Trusted
from tongbao.engines.cometbft.light.votes import Ballot
from tongbao.engines.cometbft.messages import BlockIDFlag, Timestamp
from tongbao.kernel import ed25519

BEGIN_MS = 1_790_000_000_000
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
DRIFT = 10 * SECOND


def seed(name: str) -> bytes:
    """The secret of a validator, always the same."""
    return sha256(b"validator " + name.encode()).digest()


def key(name: str) -> bytes:
    """Its public key."""
    return ed25519.public_key_of(seed(name))


def moment(milliseconds: int, nanos: int = 0) -> Timestamp:
    """A time of the kernel's, with nanoseconds on top."""
    seconds, rest = divmod(milliseconds, 1_000)
    return Timestamp(seconds, rest * 1_000_000 + nanos)


class Members(NamedTuple):
    """Who votes, by name, and with how much power."""

    powers: tuple[tuple[str, int], ...]

    @property
    def validators(self) -> tuple[Validator, ...]:
        """In the order of CometBFT."""
        return in_order(validator(key(name), power) for name, power in self.powers)

    def name_of(self, address: bytes) -> str:
        """Who has an address."""
        names = {validator(key(name), 1).address: name for name, _ in self.powers}
        return names[address]


def members(*names: str, power: int = 10) -> Members:
    """Validators with equal power."""
    return Members(tuple((name, power) for name in names))


FOUR = members("north", "east", "south", "west")


class PaperNetwork:
    """Headers of heights 1, 2, ... with the votes on them.

    `make` takes what the application decided of the block before, as CometBFT's headers do.
    """

    def __init__(self, chain: str, first: Members = FOUR, begin_ms: int = BEGIN_MS) -> None:
        """Begin before block 1, with the validators of blocks 1 and 2."""
        self.chain = chain
        self.begin_ms = begin_ms
        self.blocks: list[LightBlock] = []
        self._members = [first, first]
        self._results: tuple[tuple[int, bytes], ...] = ()

    def members_of(self, height: int) -> Members:
        """Who votes at a height."""
        return self._members[min(height, len(self._members)) - 1]

    def make(
        self,
        transactions: Sequence[bytes] = (),
        results: Iterable[tuple[int, bytes]] = (),
        app_hash: bytes = b"",
        after: Members | None = None,
        time: Timestamp | None = None,
    ) -> LightBlock:
        """The next block: `app_hash` is of the block before, `results` are told by the next.

        `after` are the validators of the height after the next one.
        """
        height = len(self.blocks) + 1
        self._members.append(after or self._members[-1])
        now = self.members_of(height)
        last = BlockID(part_set_header=PartSetHeader())
        last_commit = Commit()
        if self.blocks:
            last_commit = commit_of(self.blocks[-1])
            assert last_commit.block_id is not None
            last = last_commit.block_id
        header = Header(
            version=Consensus(block=11),
            chain_id=self.chain,
            height=height,
            time=time or moment(self.begin_ms + 1_000 * (height - 1), 0 if height == 1 else height),
            last_block_id=last,
            last_commit_hash=commit_hash(last_commit),
            data_hash=data_hash(transactions),
            validators_hash=validators_hash(now.validators),
            next_validators_hash=validators_hash(self.members_of(height + 1).validators),
            consensus_hash=sha256(b"parameters").digest(),
            app_hash=app_hash,
            last_results_hash=results_hash(self._results),
            evidence_hash=sha256(b"").digest(),
            proposer_address=now.validators[(height - 1) % len(now.validators)].address,
        )
        self._results = tuple(results)
        block = voted(header, now)
        self.blocks.append(block)
        return block

    def tell(self, results: tuple[tuple[int, bytes], ...]) -> None:
        """What the application says of the last block, where it is known only then."""
        self._results = results

    def at(self, height: int) -> LightBlock:
        """The light block of a height."""
        return self.blocks[height - 1]

    def genesis(self) -> Trusted:
        """Trust in the genesis file alone."""
        validators = self.members_of(1).validators
        begin = self.begin_ms * 1_000_000
        return Trusted(self.chain, 0, begin, b"", validators, validators_hash(validators))

    def terms(self, period: int = 14 * DAY) -> Terms:
        """A minute after the last block."""
        return Terms(nanoseconds(time_of(self.blocks[-1])) + 60 * SECOND, period, DRIFT)


def voted(
    header: Header, now: Members, absent: Iterable[str] = (), against: Iterable[str] = ()
) -> LightBlock:
    """A light block with all votes on a header, but for those who are absent or vote for none."""
    parts = PartSetHeader(total=1, hash=sha256(b"parts" + header_hash(header)).digest())
    block_id = BlockID(hash=header_hash(header), part_set_header=parts)
    empty = Commit(height=header.height, block_id=block_id)
    assert header.time is not None
    votes = []
    for place, each in enumerate(now.validators):
        name = now.name_of(each.address)
        if name in absent:
            votes.append(CommitSig(block_id_flag=BlockIDFlag.ABSENT, timestamp=ZERO_TIME))
            continue
        time = replace(header.time, seconds=header.time.seconds + 1, nanos=place)
        commit = replace(empty, block_id=None) if name in against else empty
        flag = BlockIDFlag.NIL if name in against else BlockIDFlag.COMMIT
        votes.append(signed_vote(header.chain_id, commit, name, time, flag))
    return LightBlock(
        signed_header=SignedHeader(header=header, commit=replace(empty, signatures=tuple(votes))),
        validator_set=ValidatorSet(validators=now.validators),
    )


def signed_vote(
    chain: str, commit: Commit, name: str, time: Timestamp, flag: BlockIDFlag = BlockIDFlag.COMMIT
) -> CommitSig:
    """The vote of somebody for the block of a commit."""
    ballot = Ballot(chain, commit)
    return CommitSig(
        block_id_flag=int(flag),
        validator_address=validator(key(name), 1).address,
        timestamp=time,
        signature=ed25519.sign(seed(name), ballot.sign_bytes(time)),
    )


def header_of(block: LightBlock) -> Header:
    """The header of a light block."""
    assert block.signed_header is not None and block.signed_header.header is not None
    return block.signed_header.header


def commit_of(block: LightBlock) -> Commit:
    """The votes of a light block."""
    assert block.signed_header is not None and block.signed_header.commit is not None
    return block.signed_header.commit


def time_of(block: LightBlock) -> Timestamp:
    """The time of a light block's header."""
    time = header_of(block).time
    assert time is not None
    return time


def with_header(block: LightBlock, **changes: Any) -> LightBlock:
    """The same votes under another header."""
    assert block.signed_header is not None
    signed = replace(block.signed_header, header=replace(header_of(block), **changes))
    return replace(block, signed_header=signed)


def with_commit(block: LightBlock, **changes: Any) -> LightBlock:
    """The same header with other votes."""
    assert block.signed_header is not None
    signed = replace(block.signed_header, commit=replace(commit_of(block), **changes))
    return replace(block, signed_header=signed)
