"""Strategies make values of the declared types and no others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tongbao.kernel import Amount, ChainId, Message, Time
from tongbao.kernel.schema import wire_name_of
from tongbao.kernel.transaction import decode_payload
from tongbao.modules.account import Closing
from tongbao.sdk.builder import payload_bytes
from tongbao.simulation import mischief
from tongbao.testing import alice
from tongbao.testing.genesis import registry_with
from tongbao.testing.strategies import amounts, messages, structs

REGISTRY = registry_with(mischief.module)


def payload(*said: Message) -> bytes:
    """A payload of these messages."""
    return payload_bytes(ChainId("test-00000000"), alice, 1, Time(1), said)


@given(messages(REGISTRY))
def test_every_message_made_is_read_again(message: Message) -> None:
    """
    Given any message that the strategy makes,
    when it is written in a payload and read,
    then it is canonical, and the same; but for what ends an account, which is last alone anyway.
    """
    read = decode_payload(REGISTRY.payload_decoder, payload(message))

    assert read.messages == (message,)


def test_every_type_of_message_is_made() -> None:
    """
    Given the strategy for all messages of a registry,
    when the types that it makes are listed,
    then they are the registry's.
    """
    made: set[str] = set()

    @given(st.data())
    def collect(data: st.DataObject) -> None:
        for kind in REGISTRY.messages:
            message = data.draw(structs(kind))
            made.add(wire_name_of(type(message)))

    collect()

    assert made == {wire_name_of(kind) for kind in REGISTRY.messages}


@given(amounts())
def test_amounts_are_written_and_read_the_same(amount: Amount) -> None:
    """
    Given any amount,
    when it is written and read,
    then it is the same.
    """
    assert Amount(str(amount)) == amount


@given(structs(Closing))
def test_values_outside_of_messages_are_made_too(closing: Closing) -> None:
    """
    Given a value that stands in no message,
    when the strategy makes it,
    then its members have the forms of their types.
    """
    assert len(closing.account) == len(closing.heir) == 40
