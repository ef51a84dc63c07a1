"""The files of keys in CometBFT's home: who a node is to its peers, and with what it votes.

CometBFT reads both in plain, so they are for this user alone; a remote signer keeps the voting key
elsewhere. `priv_validator_state.json` says what was voted for last: it is made once, with the key,
and never written again by this project, because a node that forgets its votes can vote twice.
"""

from __future__ import annotations

import logging
import os
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta
from nacl.signing import SigningKey

from tongbao.engines.cometbft.configuration import write_whole

log = logging.getLogger("tongbao.engines.cometbft")

NODE_KEY: Final = Path("config") / "node_key.json"
VALIDATOR_KEY: Final = Path("config") / "priv_validator_key.json"
VALIDATOR_STATE: Final = Path("data") / "priv_validator_state.json"
FIRST_STATE: Final = b'{"height":"0","round":0,"step":0}'
PRIVATE_TYPE: Final = "tendermint/PrivKeyEd25519"
PUBLIC_TYPE: Final = "tendermint/PubKeyEd25519"
SEED_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
MODE: Final = 0o600
READABLE_BY_OTHERS: Final = 0o044
"""The bits of a mode that let group or others read."""

Kind = TypeVar("Kind")


class KeyFileError(Exception):
    """A file of a key that is there already, or that is not one; the text says what to do."""

    advice = "see docs/operate/validator-keys.md: where keys lie, and what is never copied or made"


class _Typed(msgspec.Struct):
    type: str
    value: bytes


class _NodeKey(msgspec.Struct):
    priv_key: _Typed


class _ValidatorKey(msgspec.Struct):
    address: str
    pub_key: _Typed
    priv_key: _Typed


class _State(msgspec.Struct):
    """CometBFT's memory of its last vote; it writes an int64 as text, smaller numbers as such."""

    height: Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]
    round: Annotated[int, Meta(ge=0)]
    step: Annotated[int, Meta(ge=0)]


def address_of(public_key: bytes) -> bytes:
    """The 20 bytes by which CometBFT names an Ed25519 key: SHA-256 of it, cut."""
    return sha256(public_key).digest()[:ADDRESS_BYTES]


def node_id_of(public_key: bytes) -> str:
    """The 40 hex digits by which peers name a node of this key."""
    return address_of(public_key).hex()


def new_seed() -> bytes:
    """32 random bytes: an Ed25519 private key by RFC 8032."""
    return os.urandom(SEED_BYTES)


def write_node_key(home: Path, seed: bytes | None = None) -> str:
    """Make the node's key, anew or of a seed; its node id. Raises KeyFileError, OSError."""
    public, private = _pair(seed)
    _write(home / NODE_KEY, msgspec.json.encode(_NodeKey(priv_key=private)))
    return node_id_of(public.value)


def write_validator_key(home: Path, seed: bytes | None = None) -> bytes:
    """Make the voting key and its empty state; the public key. Raises KeyFileError, OSError.

    The state is written first. A key beside a state of other votes would be safe as well; but
    where there is a state, a key was here, and somebody should know why it is not any more.
    """
    public, private = _pair(seed)
    address = address_of(public.value).hex().upper()
    for file in (home / VALIDATOR_KEY, home / VALIDATOR_STATE):
        _refuse_existing(file)
    _write(home / VALIDATOR_STATE, FIRST_STATE)
    key = _ValidatorKey(address=address, pub_key=public, priv_key=private)
    _write(home / VALIDATOR_KEY, msgspec.json.encode(key))
    return public.value


def write_validator_state(home: Path) -> None:
    """Make the empty state alone, for a node that a remote signer votes for. Raises as above."""
    _write(home / VALIDATOR_STATE, FIRST_STATE)


def read_node_id(home: Path) -> str:
    """The id of the node key that is there. Raises KeyFileError."""
    return node_id_of(_public_of(_read(home / NODE_KEY, _NodeKey).priv_key, home / NODE_KEY))


def read_validator_key(home: Path) -> bytes:
    """The public key of the voting key that is there. Raises KeyFileError."""
    key = _read(home / VALIDATOR_KEY, _ValidatorKey)
    public = _public_of(key.priv_key, home / VALIDATOR_KEY)
    if key.pub_key.value != public or key.address != address_of(public).hex().upper():
        raise KeyFileError(f"{home / VALIDATOR_KEY}: its public key or address is of another key")
    return public


def check_keys(home: Path, *, has_remote_signer: bool) -> None:
    """Raise KeyFileError unless a node has just the keys that it needs, and can read them.

    CometBFT would make a new voting key in the place of one that is lost, and vote with it as
    nobody. With a remote signer the key must not be here as well: two that vote can vote twice.
    A key that others may read is only told in the log: mounted secrets often are so.
    """
    read_node_id(home)
    _tell_readable(home / NODE_KEY)
    key, state = home / VALIDATOR_KEY, home / VALIDATOR_STATE
    if has_remote_signer:
        if key.exists() or state.exists():
            raise KeyFileError(
                f"a remote signer is to vote, and {key if key.exists() else state} is here too: "
                "move both the key and its priv_validator_state.json to the signer, and leave none"
            )
        return
    read_validator_key(home)
    _tell_readable(key)
    if not state.exists():
        raise KeyFileError(
            f"there is a voting key, but no {state}, its memory of votes: "
            "with an empty one it may vote twice"
        )
    _read(state, _State)


def _tell_readable(file: Path) -> None:
    if file.stat().st_mode & READABLE_BY_OTHERS:
        log.warning("other users of this machine may read a key; do: chmod 600 %s", file)


def _pair(seed: bytes | None) -> tuple[_Typed, _Typed]:
    seed = new_seed() if seed is None else seed
    assert len(seed) == SEED_BYTES
    public = bytes(SigningKey(seed).verify_key)
    return _Typed(PUBLIC_TYPE, public), _Typed(PRIVATE_TYPE, seed + public)


def _public_of(private: _Typed, file: Path) -> bytes:
    seed, public = private.value[:SEED_BYTES], private.value[SEED_BYTES:]
    is_pair = len(seed) == SEED_BYTES and bytes(SigningKey(seed).verify_key) == public
    if private.type != PRIVATE_TYPE or not is_pair:
        raise KeyFileError(f"{file}: not an Ed25519 key of CometBFT")
    return public


def _read(file: Path, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise KeyFileError(f"there is no {file}") from error
    except (OSError, msgspec.DecodeError) as error:
        raise KeyFileError(f"{file} can't be read: {error}") from error


def _refuse_existing(file: Path) -> None:
    if file.exists():
        raise KeyFileError(
            f"{file} is there already and is not written over: a voting key that is used twice, "
            "or without the memory of its votes, is taken for a traitor"
            if file.name.startswith("priv_validator")
            else f"{file} is there already and is not written over"
        )


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_existing(file)
    write_whole(file, content, MODE)
