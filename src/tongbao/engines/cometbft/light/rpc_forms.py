"""Headers, votes and validators as CometBFT's RPC writes them in JSON.

Only what it answers to `commit` and `validators` (`rpc/core/blocks.go`, `consensus.go` at v0.39.4).
What comes out is as unproven as what went in.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.types import (
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
from tongbao.engines.cometbft.messages import PublicKey, Timestamp

KEY_TYPE: Final = "tendermint/PubKeyEd25519"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def light_block_of(signed_header: Any, validators: Iterable[Any]) -> LightBlock:
    """A light block out of `signed_header` of a commit and all validators of that height.

    Raises LightError where something has another form.
    """
    try:
        return LightBlock(
            signed_header=SignedHeader(
                header=header_of(signed_header["header"]), commit=_commit(signed_header["commit"])
            ),
            validator_set=ValidatorSet(validators=tuple(map(_validator, validators))),
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise LightError(Fault.MALFORMED, f"an answer of CometBFT: {error}") from error


def header_of(found: Any) -> Header:
    """A header. Raises KeyError, TypeError, ValueError."""
    version = found["version"]
    return Header(
        version=Consensus(block=int(version["block"]), app=int(version.get("app") or 0)),
        chain_id=found["chain_id"],
        height=int(found["height"]),
        time=timestamp_of(found["time"]),
        last_block_id=_block_id(found["last_block_id"]),
        last_commit_hash=_hex(found["last_commit_hash"]),
        data_hash=_hex(found["data_hash"]),
        validators_hash=_hex(found["validators_hash"]),
        next_validators_hash=_hex(found["next_validators_hash"]),
        consensus_hash=_hex(found["consensus_hash"]),
        app_hash=_hex(found["app_hash"]),
        last_results_hash=_hex(found["last_results_hash"]),
        evidence_hash=_hex(found["evidence_hash"]),
        proposer_address=_hex(found["proposer_address"]),
    )


def timestamp_of(text: str) -> Timestamp:
    """A time of RFC 3339 in UTC, with up to nine digits of a second. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"no time in UTC: {text[:40]!r}")
    moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    seconds = (moment - _EPOCH) // _SECOND
    return Timestamp(seconds, int((found[2] or "").ljust(9, "0")))


def _commit(found: Any) -> Commit:
    return Commit(
        height=int(found["height"]),
        round=int(found["round"]),
        block_id=_block_id(found["block_id"]),
        signatures=tuple(map(_vote, found["signatures"])),
    )


def _vote(found: Any) -> CommitSig:
    return CommitSig(
        block_id_flag=int(found["block_id_flag"]),
        validator_address=_hex(found["validator_address"]),
        timestamp=timestamp_of(found["timestamp"]),
        signature=base64.b64decode(found["signature"] or "", validate=True),
    )


def _block_id(found: Any) -> BlockID:
    parts = found["parts"]
    return BlockID(
        hash=_hex(found["hash"]),
        part_set_header=PartSetHeader(total=int(parts["total"]), hash=_hex(parts["hash"])),
    )


def _validator(found: Any) -> Validator:
    key = found["pub_key"]
    if key["type"] != KEY_TYPE:
        raise ValueError(f"a validator's key is of type {key['type']!r}")
    return Validator(
        address=_hex(found["address"]),
        pub_key=PublicKey(ed25519=base64.b64decode(key["value"], validate=True)),
        voting_power=int(found["voting_power"]),
    )


def _hex(text: str) -> bytes:
    return bytes.fromhex(text)
