"""CometBFT's `genesis.json`, made from our genesis file: byte-equal on every node.

It names no validators and no state: the application answers both when CometBFT begins. What it adds
to our genesis, CometBFT's consensus parameters, is fixed here and hashed into every header; so a
change here is a change of the network.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from tongbao.engines.cometbft.configuration import write_whole
from tongbao.kernel.genesis import Genesis, GenesisError, chain_id

FILE: Final = Path("config") / "genesis.json"
BLOCK_BYTES: Final = 4 * 1024 * 1024
"""The longest block, with its header, votes and evidence."""
EVIDENCE_BLOCKS: Final = 100_000
EVIDENCE_MS: Final = 48 * 3_600_000
"""Evidence of a double vote counts until it is older than both."""
EVIDENCE_BYTES: Final = 1_048_576
NANOSECONDS: Final = 1_000_000
"""In a millisecond."""

PARAMETERS: Final[dict[str, Any]] = {
    "block": {"max_bytes": str(BLOCK_BYTES), "max_gas": "-1"},
    "evidence": {
        "max_age_num_blocks": str(EVIDENCE_BLOCKS),
        "max_age_duration": str(EVIDENCE_MS * NANOSECONDS),
        "max_bytes": str(EVIDENCE_BYTES),
    },
    "validator": {"pub_key_types": ["ed25519"]},
    "version": {"app": "0"},
    "abci": {"vote_extensions_enable_height": "0"},
    "authority": {"authority": ""},
}
"""The consensus parameters of every network."""


class GenesisMismatch(Exception):
    """The `genesis.json` that is there is of another chain; the text says what to do."""


def first_height(genesis: Genesis) -> int:
    """The height of the first block that CometBFT orders: 1, or the one after the origin's."""
    return 1 if genesis.origin is None else genesis.origin.height + 1


def genesis_document(genesis: Genesis) -> bytes:
    """The bytes of `genesis.json`. Raises GenesisError for a time that CometBFT can't write."""
    document = {
        "genesis_time": rfc3339(genesis.time),
        "chain_id": chain_id(genesis),
        "initial_height": str(first_height(genesis)),
        "consensus_params": PARAMETERS,
        "app_hash": "",
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_genesis_document(home: Path, genesis: Genesis) -> None:
    """Put `genesis.json` into CometBFT's home, where it is not there yet.

    Raises GenesisMismatch where another one is: CometBFT keeps its hash and would not start.
    """
    file, content = home / FILE, genesis_document(genesis)
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, content, 0o644)
    elif file.read_bytes() != content:
        raise GenesisMismatch(
            f"{file} is not of the chain {chain_id(genesis)}: "
            "this folder has CometBFT's blocks of another one; use another folder"
        )


def rfc3339(milliseconds: int) -> str:
    """A time in milliseconds since 1970 as CometBFT writes it: UTC, without idle zeros.

    Raises GenesisError for a time after the year 9999.
    """
    seconds, rest = divmod(milliseconds, 1_000)
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError as error:
        raise GenesisError("the genesis file's time is after the year 9999") from error
    fraction = f".{rest:03}".rstrip("0") if rest else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"
