"""Proofs of a chain that CometBFT orders: its headers and votes around this node's rows and blocks.

Header H + 1 says what block H came to, so a proof of H needs the block after it. CometBFT makes
that one at once when block H has changed the state; until it has its votes, whoever asks waits.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, Protocol

from msgspec import Raw

from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.genesis_document import first_height
from tongbao.engines.cometbft.light.faults import LightError
from tongbao.engines.cometbft.light.form import parts_of
from tongbao.engines.cometbft.light.hashes import app_hash, result_leaf, transaction_leaf
from tongbao.engines.cometbft.light.rpc_forms import header_of, light_block_of
from tongbao.engines.cometbft.light.types import Header, LightBlock
from tongbao.engines.cometbft.rpc import RpcError, RpcUnreachable
from tongbao.engines.cometbft.rpc_answers import JsonValidator, SignedHeaderJson, Status
from tongbao.engines.headers import read_header
from tongbao.engines.interface import Engine
from tongbao.kernel import Genesis, merkle
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.answers import LightBlockAnswer
from tongbao.sdk.joined import check_known
from tongbao.sdk.network_trust import first_trust, trust_after
from tongbao.sdk.proofs import (
    COMETBFT,
    FORMAT,
    NO_VALUE,
    NetworkTrust,
    RowProof,
    TransactionProof,
    key_parts,
)
from tongbao.sdk.prover import NotProven

WAIT_SECONDS: Final = 5.0
"""How long a proof waits for the votes on the next block; a network that stands still has none."""
ATTEMPTS: Final = 3
"""How often rows are proven anew because the chain went on by more blocks than are remembered."""
REMEMBERED: Final = 128
"""Light blocks that are kept in memory; one of 100 validators has 20 KB."""


class LightSource(Protocol):
    """Where headers and votes come from: CometBFT's RPC. Raises RpcError, RpcUnreachable."""

    def status(self) -> Status:
        """How far CometBFT has come."""

    def commit(self, height: int, /) -> SignedHeaderJson:
        """The header of a height, and the votes on it."""

    def validators(self, height: int, /) -> list[JsonValidator]:
        """Who votes at a height."""


class CometProver:
    """Proofs under headers that more than two thirds of the validators' power has voted for."""

    def __init__(self, engine: Engine, genesis: Genesis, source: LightSource | None) -> None:
        """Prove what an engine decides; without a source of votes nothing can be proven."""
        self._engine = engine
        self._genesis = genesis
        self._source = source
        self._first = first_height(genesis)
        self._lock = threading.Lock()
        self._blocks: OrderedDict[int, LightBlock] = OrderedDict()
        self._kept = threading.Condition()
        self._last = -1
        engine.listen(self._keep)

    def prove_row(self, table_name: str, key: Any, /) -> RowProof:
        """The proof of a row in the newest state that has votes. Raises KeyError, NotProven."""
        _, [found] = self.prove_rows([(table_name, key)])
        return found

    def prove_rows(self, rows: Sequence[tuple[str, Any]], /) -> tuple[int, list[RowProof]]:
        """The height of that state, and proofs of several rows. Raises KeyError, NotProven."""
        for name, _ in rows:
            self._engine.machine.registry.table(name)
        for _ in range(ATTEMPTS):
            told = self.light_block(None)
            try:
                return told.height - 1, self._prove_at(told, rows)
            except LookupError:
                continue  # so far behind already: prove the newest
        raise NotProven("blocks are made faster than rows can be proven; ask again")

    def _prove_at(self, told: LightBlockAnswer, rows: Sequence[tuple[str, Any]]) -> list[RowProof]:
        """Rows as of the block before a light block. Raises LookupError when it is too long ago."""
        height = told.height - 1
        found = []
        with self._engine.reading() as standing:
            machine = standing.machine
            for name, key in rows:
                table = machine.registry.table(name)
                value = machine.row(table, key, height)
                proof = RowProof(
                    format=FORMAT,
                    engine=COMETBFT,
                    header=told.light_block,
                    module=table.module.number,
                    table=table.number,
                    name=name,
                    key=key_parts(table.codec.parts, key),
                    proof=machine.prove(table, key, height),
                    value=NO_VALUE if value is None else Raw(value),
                    state=told.state,
                    block=told.block,
                )
                found.append(proof)
        return found

    def prove_transaction(self, transaction_id: str, /) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError, Pruned, NotProven.

        Of a block, CometBFT agrees on the results of its transactions; that of due work is none.
        """
        with self._engine.reading() as standing:
            found = standing.store.status(bytes.fromhex(transaction_id))
            if found is None:
                check_known(standing.store, transaction_id, None)
                raise LookupError(f"no block holds a transaction {transaction_id}")
            record = standing.store.block(found.height)
        self._wait_for(found.height + 1)
        at, size = found.index, len(record.transactions)
        results = zip(record.outbox, record.receipts, strict=False)
        return TransactionProof(
            format=FORMAT,
            engine=COMETBFT,
            header=_text(self._light_block(found.height + 1)),
            transaction=record.transactions[at].decode(),
            receipt=Raw(record.receipts[at]),
            index=at,
            size=size,
            receipts=size,
            transaction_path=_path([transaction_leaf(wire) for wire in record.transactions], at),
            receipt_path=_path([result_leaf(line[1], data) for line, data in results][:size], at),
            block=self._before(found.height + 1),
        )

    def light_block(self, height: int | None, /) -> LightBlockAnswer:
        """Header and votes of a height, or the newest. Raises LookupError, NotProven."""
        if height is None:
            height = self._newest()
        block = self._light_block(height)
        before = height - 1
        with self._engine.reading() as standing:
            lines = standing.store.headers(before, before)
        if not lines:
            raise LookupError(f"there is no block {before} here yet")
        state = read_header(lines[0].header)[0].state
        assert app_hash(bytes.fromhex(state)) == parts_of(block)[0].app_hash, "not the same chain"
        return LightBlockAnswer(height, _text(block), state, self._before(height))

    def trust(self) -> NetworkTrust:
        """The newest block and who votes on the next; the genesis file while there is none."""
        if self._source is None:
            return first_trust(self._genesis)
        try:
            height = self._source.status().sync_info.latest_block_height
            if height < self._first:
                return first_trust(self._genesis)
            block = self._light_block(height)
            following = light_block_of(
                self._source.commit(height), self._source.validators(height + 1)
            ).validator_set
        except (RpcError, RpcUnreachable, NotProven, LookupError):
            return first_trust(self._genesis)
        assert following is not None
        return trust_after(block, following.validators)

    # Headers and votes

    def _newest(self) -> int:
        """The height of the newest header that says what this node's last state is.

        It is the one after the last block; or the last block's own, where that one changed nothing,
        since then no next one may come for a while.
        """
        with self._engine.reading() as standing:
            height, root = standing.machine.height, standing.machine.state_root
        if height >= self._first:
            header, _, _ = parts_of(self._light_block(height))
            if header.app_hash == app_hash(root):
                return height
        self._wait_for(height + 1)
        return height + 1

    def _wait_for(self, height: int) -> None:
        """Wait until a block is kept here: then CometBFT has its votes. Raises NotProven."""
        self._voted()
        with self._engine.reading() as standing:
            self._keep(standing.machine.height)
        with self._kept:
            if not self._kept.wait_for(lambda: self._last >= height, WAIT_SECONDS):
                raise NotProven(f"block {height} has no votes yet: the network stands still")

    def _keep(self, height: int) -> None:
        """A block is durable."""
        with self._kept:
            self._last = max(self._last, height)
            self._kept.notify_all()

    def _voted(self) -> LightSource:
        if self._source is None:
            raise NotProven("a proof needs votes, which a running node has: ask it with --node")
        return self._source

    def _light_block(self, height: int) -> LightBlock:
        """A light block, from memory or CometBFT. Raises LookupError, NotProven."""
        with self._lock:
            known = self._blocks.get(height)
        if known is not None:
            return known
        source = self._voted()
        try:
            found = light_block_of(source.commit(height), source.validators(height))
        except RpcError as error:
            raise LookupError(f"CometBFT has no header {height} any more, or yet") from error
        except (RpcUnreachable, LightError) as error:
            raise NotProven(f"CometBFT does not answer: {error}") from error
        with self._lock:
            self._blocks[height] = found
            if len(self._blocks) > REMEMBERED:
                self._blocks.popitem(last=False)
        return found

    def _before(self, height: int) -> str | None:
        """The header before the one of a height; block 0 has none."""
        if height <= self._first:
            return None
        with self._lock:
            known = self._blocks.get(height - 1)
        header: Header
        if known is not None:
            header, _, _ = parts_of(known)
        else:
            try:
                header = header_of(self._voted().commit(height - 1).header)
            except RpcError as error:
                raise LookupError(f"CometBFT has no header {height - 1} any more") from error
            except (RpcUnreachable, ValueError) as error:
                raise NotProven(f"CometBFT does not answer: {error}") from error
        return encode_base64url(encode(header))


def _text(block: LightBlock) -> str:
    return encode_base64url(encode(block))


def _path(leaves: list[bytes], at: int) -> tuple[str, ...]:
    return tuple(step.hex() for step in merkle.inclusion_proof(leaves, at))
