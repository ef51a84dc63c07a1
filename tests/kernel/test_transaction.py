"""Payloads: the one spelling, and everything that is not it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.fixed_chain import FixedChain
from tests.golden_file import check_golden
from tongbao.kernel import Invalid, InvalidTransaction, jcs
from tongbao.kernel.transaction import decode_payload, id_of
from tongbao.modules.registry import registry

DECODER = registry().payload_decoder
GOOD: dict[str, Any] = {
    "chain": "demo-1a2b3c4d",
    "expires": 1_790_003_600_000,
    "messages": [
        {
            "@type": "asset.transfer",
            "amount": "12.50",
            "asset": "CNY." + "ab" * 20,
            "payee": "cd" * 20,
        }
    ],
    "nonce": 1,
    "sender": "ef" * 20,
}


def text_of(members: Any) -> bytes:
    """Compact sorted JSON of anything."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def why(text: bytes) -> Invalid:
    """The reason why a payload is invalid."""
    with pytest.raises(InvalidTransaction) as caught:
        decode_payload(DECODER, text)
    return caught.value.why


def test_a_good_payload_is_its_own_rfc_8785_form() -> None:
    """
    Given a payment as another library canonicalizes it,
    when it is decoded and encoded again,
    then the bytes are the same and so is the golden id.
    """
    text = rfc8785.dumps(GOOD)
    assert jcs.encode(decode_payload(DECODER, text)) == text
    check_golden("transactions.json", "payload", text.decode())
    check_golden("transactions.json", "id", id_of(text).hex())


GOLDEN_TRANSACTIONS: dict[str, Callable[[FixedChain], bytes]] = {
    "compact": lambda chain: chain.pay("12.50"),
    "hold": lambda chain: chain.place("1.00", 60_000),
}


@pytest.mark.parametrize("name", GOLDEN_TRANSACTIONS)
def test_the_bytes_of_transactions_are_frozen(name: str) -> None:
    """
    Given fixed keys and inputs,
    when a transaction is made,
    then its bytes are those of the golden file.
    """
    found = GOLDEN_TRANSACTIONS[name](FixedChain()).decode()
    check_golden("transactions.json", name, found)


def changed(**members: Any) -> bytes:
    """The good payload with members replaced, in compact sorted form."""
    return text_of(GOOD | members)


def with_message(**members: Any) -> bytes:
    """The good payload with members of its message replaced."""
    return changed(messages=[GOOD["messages"][0] | members])


def without(name: str) -> bytes:
    """The good payload without a member."""
    return text_of({key: value for key, value in GOOD.items() if key != name})


MALFORMED: dict[str, bytes] = {
    "null": changed(lane=None, reference=5),
    "float": changed(nonce=1.0),
    "fraction": changed(nonce=1.5),
    "negative": changed(nonce=-1),
    "zero nonce": changed(nonce=0),
    "beyond 2^53 - 1": changed(nonce=2**53),
    "huge": text_of(GOOD).replace(b'"nonce":1', b'"nonce":' + b"9" * 400),
    "exponent": text_of(GOOD).replace(b'"nonce":1', b'"nonce":1e2'),
    "true for a number": changed(nonce=True),
    "text for a number": changed(nonce="1"),
    "number for an amount": with_message(amount=12),
    "float for an amount": with_message(amount=12.5),
    "amount without digits": with_message(amount=""),
    "amount with a sign": with_message(amount="-1.00"),
    "amount with a plus": with_message(amount="+1.00"),
    "amount with a leading zero": with_message(amount="01.00"),
    "amount without whole part": with_message(amount=".50"),
    "amount with a bare point": with_message(amount="5."),
    "amount in Arabic digits": with_message(amount="\u0661.\u0660\u0660"),
    "amount with a comma": with_message(amount="1,00"),
    "amount with a space": with_message(amount="1.00 "),
    "amount above 2^63 - 1": with_message(amount="9223372036854775808"),
    "amount with an exponent": with_message(amount="1e3"),
    "unknown member": changed(memo="hello"),
    "unknown message member": with_message(memo="hello"),
    "unknown type": with_message(**{"@type": "asset.wish"}),
    "no type": changed(messages=[{"amount": "1.00"}]),
    "no messages": changed(messages=[]),
    "257 messages": changed(messages=GOOD["messages"] * 257),
    "messages not a list": changed(messages={}),
    "upper case address": changed(sender="EF" * 20),
    "short address": changed(sender="ef" * 19),
    "long address": changed(sender="ef" * 21),
    "address with a newline": changed(sender="ef" * 20 + "\n"),
    "asset without issuer": with_message(asset="CNY"),
    "reference with a space": changed(reference="a b"),
    "reference with a line end": changed(reference="a\n"),
    "empty reference": changed(reference=""),
    "lane 16": changed(lane=16),
    "chain without hash": changed(chain="demo"),
    "deep nesting": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b"[" * 200_000,
    "a list": b"[]",
    "null alone": b"null",
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf" + text_of(GOOD),
    "UTF-16": text_of(GOOD).decode().encode("utf-16"),
    "broken UTF-8": text_of(GOOD).replace(b"demo", b"de\xffo"),
    "a lone surrogate": text_of(GOOD).replace(b'"demo-', b'"\\ud800demo-'),
    "a NUL": text_of(GOOD).replace(b'"demo-', b'"\\u0000demo-'),
    "a raw control character": text_of(GOOD).replace(b'"demo-', b'"\x01demo-'),
    "something behind": text_of(GOOD) + b"x",
    "a second object": text_of(GOOD) * 2,
    "cut": text_of(GOOD)[:-1],
    **{f"no {name}": without(name) for name in GOOD},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_invalid(name: str) -> None:
    """
    Given a payload that breaks one rule of form,
    when it is decoded,
    then it is invalid as malformed.
    """
    assert why(MALFORMED[name]) is Invalid.PAYLOAD_IS_MALFORMED


OTHER_SPELLINGS: dict[str, bytes] = {
    "spaces": json.dumps(GOOD, sort_keys=True).encode(),
    "a space at the end": text_of(GOOD) + b" ",
    "a line end": text_of(GOOD) + b"\n",
    "unsorted": json.dumps(dict(reversed(GOOD.items())), separators=(",", ":")).encode(),
    "a default spelled out": changed(lane=0),
    "null for a default": changed(sponsor=None),
    "a doubled name": text_of(GOOD).replace(b'"nonce":1', b'"nonce":1,"nonce":1'),
    "a doubled name with another value": text_of(GOOD).replace(
        b'"nonce":1', b'"nonce":2,"nonce":1'
    ),
    "an escaped letter": text_of(GOOD).replace(b'"demo-', b'"\\u0064emo-'),
    "an escaped name": text_of(GOOD).replace(b'"nonce"', b'"\\u006eonce"'),
    "an escaped slash type": text_of(GOOD).replace(b"asset.transfer", b"asset\\u002etransfer"),
}


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_another_spelling_of_a_good_payload_is_invalid(name: str) -> None:
    """
    Given a payload that means something good in another spelling,
    when it is decoded,
    then it is invalid: there is one spelling, so an id can't be doubled.
    """
    assert why(OTHER_SPELLINGS[name]) in (
        Invalid.PAYLOAD_IS_NOT_CANONICAL,
        Invalid.PAYLOAD_IS_MALFORMED,
    )


def test_a_message_that_ends_its_account_is_the_last_one() -> None:
    """
    Given a payload that closes its account and then pays,
    when it is decoded,
    then it is invalid; the other way round it is not.
    """
    close = {"@type": "account.close", "heir": "ab" * 20}
    payment = GOOD["messages"][0]
    assert why(changed(messages=[close, payment])) is Invalid.MESSAGE_IS_NOT_LAST
    decode_payload(DECODER, changed(messages=[payment, close]))


@given(
    nonce=st.integers(1, 2**53 - 1),
    lane=st.integers(0, 15),
    units=st.integers(0, 2**63 - 1),
    decimals=st.integers(0, 18),
    reference=st.none() | st.from_regex("[A-Za-z0-9-]{1,35}", fullmatch=True),
)
def test_any_payload_has_the_form_that_another_library_gives_it(
    nonce: int, lane: int, units: int, decimals: int, reference: str | None
) -> None:
    """
    Given a payload with random members,
    when `rfc8785` canonicalizes it,
    then we accept exactly those bytes.
    """
    digits = str(units).rjust(decimals + 1, "0")
    amount = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    members = GOOD | {"nonce": nonce, "messages": [GOOD["messages"][0] | {"amount": amount}]}
    if lane:
        members["lane"] = lane
    if reference is not None:
        members["reference"] = reference
    text = rfc8785.dumps(members)
    payload = decode_payload(DECODER, text)
    assert jcs.encode(payload) == text
    assert payload.messages[0].amount.units == units
