"""The genesis file: what all parties of a chain agree on before its first block."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final, NewType

import msgspec
from msgspec import Meta

from tongbao.kernel import jcs
from tongbao.kernel.identifiers import ChainId, Count, Hash, Name, PublicKey, Small, Time
from tongbao.kernel.kernel_module import ModuleLine, SettingName
from tongbao.kernel.schema import Value

DOMAIN: Final = b"tongbao/genesis/1"
SECTIONS_LIMIT: Final = 1_000
FORMAT: Final = 1

ChainName = NewType("ChainName", Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,23}\Z")])
"""The name that people give a chain."""


class GenesisError(Exception):
    """A genesis file that no chain can begin with; the text says what to change."""


class Setting(Value):
    """A parameter's value, or the height at which a feature begins."""

    name: SettingName
    value: Count


class EngineLine(Value):
    """Who orders blocks: an engine and the keys that sign, as that engine understands them."""

    name: Name
    keys: Annotated[tuple[PublicKey, ...], Meta(max_length=SECTIONS_LIMIT)] = ()


class Origin(Value):
    """The last block of another chain, from whose state a chain goes on with the next height.

    `header` is the hash by which that chain's next header would have named it: through it this
    genesis commits to the whole history of that chain.
    """

    chain: ChainId
    height: Count
    time: Time
    header: Hash
    state: Hash


class Section(Value):
    """The first rows of one module, in that module's own form."""

    module: Name
    content: msgspec.Raw


class Genesis(Value):
    """The genesis file. Its RFC 8785 bytes are hashed, so it has one spelling."""

    format: Small
    chain: ChainName
    time: Time
    engine: EngineLine
    authentication: Name
    modules: Annotated[tuple[ModuleLine, ...], Meta(min_length=1, max_length=SECTIONS_LIMIT)]
    parameters: Annotated[tuple[Setting, ...], Meta(max_length=SECTIONS_LIMIT)] = ()
    features: Annotated[tuple[Setting, ...], Meta(max_length=SECTIONS_LIMIT)] = ()
    sections: Annotated[tuple[Section, ...], Meta(max_length=SECTIONS_LIMIT)] = ()
    origin: Origin | None = None


_decoder: msgspec.json.Decoder[Genesis] = jcs.decoder(Genesis)


def read_genesis(text: bytes) -> Genesis:
    """Read a genesis file. Raises GenesisError when it is not one in its one spelling."""
    try:
        genesis = jcs.decode_canonical(_decoder, text)
    except (msgspec.DecodeError, ValueError) as error:
        raise GenesisError(f"the genesis file can't be read: {error}") from error
    if genesis.format != FORMAT:
        raise GenesisError(f"genesis format {genesis.format} is not {FORMAT}")
    if genesis.origin is not None and (genesis.parameters or genesis.features or genesis.sections):
        raise GenesisError(
            "a genesis file with an origin has its parameters, features and rows from there: "
            "leave those members out"
        )
    return genesis


def write_genesis(genesis: Genesis) -> bytes:
    """The bytes of a genesis file."""
    return jcs.encode(genesis)


def hash_of(genesis: Genesis) -> bytes:
    """SHA-256("tongbao/genesis/1" || the file's bytes)."""
    return sha256(DOMAIN + write_genesis(genesis)).digest()


def chain_id(genesis: Genesis) -> ChainId:
    """The chain's name and the first 8 hex digits of its genesis hash."""
    return ChainId(f"{genesis.chain}-{hash_of(genesis).hex()[:8]}")


def read_section(section: Section, kind: Any) -> Any:
    """A section in its module's form. Raises GenesisError."""
    text = bytes(section.content)
    try:
        return jcs.decode_canonical(jcs.decoder(kind), text)
    except (msgspec.DecodeError, ValueError) as error:
        raise GenesisError(f"section {section.module}: {error}") from error


def section(module: str, content: Any) -> Section:
    """A section that holds `content`."""
    return Section(module=Name(module), content=msgspec.Raw(jcs.encode(content)))
