"""Random ABCI messages, and the same message by Google's protobuf library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from tests.engines.cometbft.descriptors import google_class
from tongbao.engines.cometbft import messages
from tongbao.engines.cometbft.fields import FIELDS, REQUESTS, RESPONSES
from tongbao.engines.cometbft.kinds import Field, Kind
from tongbao.engines.cometbft.light import types
from tongbao.engines.cometbft.light.fields import LIGHT_FIELDS
from tongbao.engines.cometbft.messages import Message

PACKAGES: Final[Mapping[type[Message], str]] = {
    messages.Timestamp: "google.protobuf",
    messages.Duration: "google.protobuf",
    messages.PublicKey: "tendermint.crypto",
    messages.ProofOp: "tendermint.crypto",
    messages.ProofOps: "tendermint.crypto",
    messages.BlockParams: "tendermint.types",
    messages.EvidenceParams: "tendermint.types",
    messages.ValidatorParams: "tendermint.types",
    messages.VersionParams: "tendermint.types",
    messages.ABCIParams: "tendermint.types",
    messages.AuthorityParams: "tendermint.types",
    messages.ConsensusParams: "tendermint.types",
    types.Consensus: "tendermint.version",
    **{kind: "tendermint.types" for kind in LIGHT_FIELDS if kind is not types.Consensus},
}
"""Where a message is declared, if not in ABCI's own file."""

SCALARS: Final[Mapping[Kind, st.SearchStrategy[Any]]] = {
    Kind.INT32: st.integers(-(2**31), 2**31 - 1),
    Kind.INT64: st.integers(-(2**63), 2**63 - 1),
    Kind.UINT32: st.integers(0, 2**32 - 1),
    Kind.UINT64: st.integers(0, 2**64 - 1),
    Kind.BOOL: st.booleans(),
    Kind.STRING: st.text(max_size=12),
    Kind.BYTES: st.binary(max_size=200),
}


def name_of(kind: type[Message]) -> str:
    """A message's full name in protobuf."""
    return f"{PACKAGES.get(kind, 'tendermint.abci')}.{kind.__name__}"


def messages_of(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Any message of a class."""
    fields = FIELDS[kind]
    if any(field.choice for field in fields):
        chosen = [st.builds(kind, **{one.name: SCALARS[Kind.BYTES]}) for one in fields]
        return st.one_of(st.just(kind()), *chosen)
    return st.builds(kind, **{field.name: values_of(field) for field in fields})


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Any value of a field."""
    inner = field.kind
    if isinstance(inner, Kind):
        return many_of(SCALARS[inner]) if field.repeated else SCALARS[inner]
    one = st.deferred(lambda: messages_of(inner))
    return many_of(one) if field.repeated else st.none() | one


def many_of(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None to three values."""
    return st.lists(one, max_size=3).map(tuple)


any_request: Final = st.one_of(*map(messages_of, REQUESTS.values()))
any_response: Final = st.one_of(*map(messages_of, RESPONSES.values()))


def twin_of(message: Message) -> Any:
    """The same message by Google's library."""
    twin = google_class(name_of(type(message)))()
    for field in FIELDS[type(message)]:
        value = getattr(message, field.name)
        if value is None:
            continue
        if field.repeated:
            target = getattr(twin, field.name)
            target.extend(twin_of(one) if isinstance(one, Message) else one for one in value)
        elif isinstance(value, Message):
            getattr(twin, field.name).CopyFrom(twin_of(value))
        else:
            setattr(twin, field.name, value)
    return twin


def from_twin(kind: type[Message], twin: Any) -> Message:
    """Our message out of Google's."""
    values: dict[str, Any] = {}
    for field in FIELDS[kind]:
        value = getattr(twin, field.name)
        inner = field.kind
        if field.repeated:
            read = [from_twin(inner, one) if not isinstance(inner, Kind) else one for one in value]
            values[field.name] = tuple(read)
        elif field.choice:
            values[field.name] = value if twin.HasField(field.name) else None
        elif isinstance(inner, Kind):
            values[field.name] = value
        else:
            there = twin.HasField(field.name)
            values[field.name] = from_twin(inner, value) if there else None
    return kind(**values)


def enveloped(envelope: str, numbers: Mapping[int, type[Message]], message: Message) -> Any:
    """Google's `Request` or `Response` that holds a message."""
    outer = google_class(f"tendermint.abci.{envelope}")
    number = {kind: number for number, kind in numbers.items()}[type(message)]
    field = outer.DESCRIPTOR.fields_by_number[number]
    return outer(**{field.name: twin_of(message)})
