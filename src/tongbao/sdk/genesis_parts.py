"""A network's genesis file out of parts: one file of public keys from each node that is to begin.

Whoever has the same parts, and the same few words beside them, makes the same bytes; so nobody has
to believe the one who made the genesis file, and comparing chain ids in a call is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, NewType

import msgspec
from msgspec import Meta

from tongbao.engines.cometbft.configuration import PORT
from tongbao.kernel import Address, Genesis, GenesisError, Machine, PublicKey, Small, jcs
from tongbao.kernel.kernel_module import NodeId
from tongbao.kernel.schema import Value
from tongbao.modules.governance.messages import COUNCIL_LIMIT
from tongbao.sdk.announced import registry_with
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.genesis_builder import genesis_address, single_key
from tongbao.sdk.network import NodeKeys, keys_of, lay_out_node
from tongbao.sdk.network_genesis import Council, network_genesis
from tongbao.sdk.opening import OPERATOR
from tongbao.store.memory import MemoryStore

FORMAT: Final = 1
DOMAIN: Final = b"tongbao/genesis-part/1"
PART_BYTES_LIMIT: Final = 1_024
LAID_OUT: Final = ("genesis.json", "trust.json", "accounts.json", "cometbft/config/genesis.json")
"""What assembling writes into a node's folder, beside the keys that a part has made."""
PRINT_DIGITS: Final = 32
GROUP: Final = 4

PartName = NewType("PartName", Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")])
"""What the others call a node's institution, and remember its account by."""


PeerAddress = NewType(
    "PeerAddress",
    Annotated[
        str,
        Meta(
            pattern=rf"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):(?!0+\Z){PORT}\Z",
            max_length=260,
        ),
    ],
)
"""`HOST:PORT` under which the other nodes reach one: what all of them can set as a peer."""


class Part(Value):
    """What a node brings to genesis: how others know and reach it, and who operates it.

    `node` is its id among peers, `validator` the public key of its votes on blocks, `operator` the
    public key of the account that votes in governance; None for one more node of somebody whose
    other node brings the account. `address` does not come into genesis: it may change later.
    """

    format: Small
    name: PartName
    node: NodeId
    validator: PublicKey
    address: PeerAddress
    operator: PublicKey | None = None


_decoder: msgspec.json.Decoder[Part] = jcs.decoder(Part)


def must_be_address(address: str) -> None:
    """Raise GenesisError for what other nodes could not connect to."""
    try:
        jcs.convert(address, PeerAddress)
    except msgspec.ValidationError:
        raise GenesisError(
            f"{address!r} is no address: write HOST:PORT, as the other nodes reach this one"
        ) from None


def make_part(name: str, keys: NodeKeys, address: str, operator: str | None) -> Part:
    """The part of a node with these keys. Raises GenesisError for what is no address."""
    must_be_address(address)
    return Part(
        format=Small(FORMAT),
        name=PartName(name),
        node=NodeId(keys.node),
        validator=PublicKey(keys.validator),
        address=PeerAddress(address),
        operator=None if operator is None else PublicKey(operator),
    )


def write_part(part: Part) -> bytes:
    """The bytes of a part's file, with a line's end."""
    return jcs.encode(part) + b"\n"


def read_part(text: bytes) -> Part:
    """A part out of its file. Raises GenesisError."""
    if len(text) > PART_BYTES_LIMIT:
        raise GenesisError(f"no part has more than {PART_BYTES_LIMIT} bytes")
    try:
        part = jcs.decode_canonical(_decoder, text.removesuffix(b"\n"))
    except (msgspec.DecodeError, ValueError) as error:
        raise GenesisError(f"the part can't be read: {error}") from error
    if part.format != FORMAT:
        raise GenesisError(f"a part of format {part.format} is not of {FORMAT}")
    if part.name == OPERATOR:
        raise GenesisError(f"{OPERATOR} is what each calls its own, and no institution's name")
    return part


def fingerprint(part: Part) -> str:
    """Half of the part's SHA-256, in groups of four digits to be read out in a call."""
    digits = sha256(DOMAIN + jcs.encode(part)).hexdigest()[:PRINT_DIGITS]
    return " ".join(digits[at : at + GROUP] for at in range(0, PRINT_DIGITS, GROUP))


def in_order(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts in the order that counts, that of their names. Raises GenesisError."""
    if not parts:
        raise GenesisError("a network needs a part at least")
    if len(parts) > COUNCIL_LIMIT:
        raise GenesisError(f"a network begins with {COUNCIL_LIMIT} parts at most")
    for what in ("name", "node", "validator", "address", "operator"):
        found = [getattr(part, what) for part in parts]
        given = [value for value in found if value is not None]
        twice = next((value for value in given if given.count(value) > 1), None)
        if twice is not None:
            raise GenesisError(f"two parts have the {what} {twice}: each brings its own")
    return tuple(sorted(parts, key=lambda part: part.name))


def accounts_of(parts: Sequence[Part]) -> dict[str, Address]:
    """The account that genesis opens for each part with an operator, by the part's name."""
    named = [part.name for part in in_order(parts) if part.operator is not None]
    return {name: genesis_address(place) for place, name in enumerate(named)}


def peers_of(own: Part, parts: Sequence[Part]) -> list[str]:
    """What a node stays connected to: the nodes of all other parts, `ID@HOST:PORT` each."""
    return [f"{part.node}@{part.address}" for part in in_order(parts) if part != own]


def assemble(
    parts: Sequence[Part],
    *,
    chain: str,
    time: int,
    threshold: int,
    delay_ms: int = 0,
    modules: Sequence[str] = (),
    parameters: Mapping[str, int] | None = None,
) -> Genesis:
    """The genesis of a network whose nodes are these; all vote on blocks with power 1.

    Each part's operator has a vote in governance, where `threshold` of them decide and `delay_ms`
    passes before it is carried out. The order of the parts and parameters changes nothing. Block 0
    is decided, and forgotten: what no chain could begin with is said now. Raises GenesisError,
    ModuleError.
    """
    ordered = in_order(parts)
    operators = [part.operator for part in ordered if part.operator is not None]
    if not operators:
        raise GenesisError("no part names an operator, so nobody could decide anything")
    if not 1 <= threshold <= len(operators):
        raise GenesisError(
            f"a threshold of {threshold} can't be: there are operators of {len(operators)} parts"
        )
    council = Council(operators=len(operators), threshold=threshold, delay_ms=delay_ms)
    nodes = [NodeKeys(part.node, part.validator) for part in ordered]
    accounts = tuple(map(single_key, operators))
    registry = registry_with(tuple(modules))
    genesis = network_genesis(
        registry, chain, time, nodes, accounts, council=council, parameters=parameters
    )
    with MemoryStore() as nothing:
        Machine(registry, genesis, nothing, -1, 0).genesis()
    return genesis


def begin_node(folder: Path, genesis: Genesis, parts: Sequence[Part]) -> Part:
    """Lay out the folder of a node whose part is among those of the genesis; that part.

    Raises FolderError, KeyFileError, OSError.
    """
    if Folder(folder).exists:
        raise FolderError(
            f"{folder} already holds a chain: name another folder; or, where it was assembled of a "
            f"wrong part or word and no node has begun, remove {', '.join(LAID_OUT)} in it, leave "
            "its keys, and assemble again"
        )
    own = keys_of(folder)
    for part in parts:
        if (part.node, part.validator) == (own.node, own.validator):
            lay_out_node(folder, genesis)
            return part
    raise FolderError(
        f"no part is of the node {own.node}, whose keys are in {folder}: give its part too, or "
        "name the folder in which `tongbao genesis part` has made it"
    )
