"""Solo headers: what they commit to, how they are signed, frozen bytes."""

from hashlib import sha256

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec.structs import replace

from tests.fixed_chain import FixedChain, key
from tests.golden_file import check_golden
from tongbao.engines.solo.header import (
    TYPE,
    Header,
    HeaderError,
    header_hash,
    read_header,
    sign_header,
)
from tongbao.kernel import Count, Hash, Time, jcs, merkle
from tongbao.kernel.envelope import encode_base64url


def test_a_header_commits_to_transactions_receipts_rows_and_the_header_before() -> None:
    """
    Given a chain with three blocks,
    when the last header is read,
    then its roots are those of what the store holds and it names the header before.
    """
    chain = FixedChain()
    chain.make(chain.pay("1.00"), chain.pay("2.00"), chain.pay("3.00"))
    first, last = chain.store.block(1), chain.store.block(2)
    header, signer = read_header(last.header)
    assert signer == key("authority").key_id
    assert header == Header(
        chain=chain.producer.machine.chain,
        height=Count(2),
        time=Time(last.time),
        previous=header_hash(read_header(first.header)[0]),
        transactions=Hash(merkle.root(list(last.transactions)).hex()),
        receipts=Hash(merkle.root(list(last.receipts)).hex()),
        state=Hash(chain.producer.machine.state_root.hex()),
    )


def test_block_zero_names_the_genesis_hash() -> None:
    """
    Given a new chain,
    when header 0 is read,
    then its previous hash is the genesis file's.
    """
    chain = FixedChain()
    header, _ = read_header(chain.store.block(0).header)
    assert header.previous == chain.producer.machine.genesis_hash.hex()


def test_the_bytes_of_a_header_are_frozen() -> None:
    """
    Given a chain whose every input is a constant,
    when its headers are compared with the golden file,
    then not a byte has changed.
    """
    chain = FixedChain()
    chain.make(chain.pay("12.50"))
    headers = [chain.store.block(height).header.decode() for height in range(3)]
    hashes = [header_hash(read_header(header.encode())[0]) for header in headers]
    check_golden("solo.json", "headers", headers)
    check_golden("solo.json", "header_hashes", hashes)


def test_any_jose_library_checks_a_header() -> None:
    """
    Given a signed header,
    when another JOSE library verifies it with the authority's key,
    then it accepts it and sees our type.
    """
    signed = FixedChain().store.block(0).header.decode()
    jwk: dict[str, str | list[str]] = {"kty": "OKP", "crv": "Ed25519", "x": key("authority").key_id}
    found = jws.deserialize_compact(signed, OKPKey.import_key(jwk), algorithms=["Ed25519"])
    assert found.protected == {"alg": "Ed25519", "kid": key("authority").key_id, "typ": TYPE}


@pytest.mark.parametrize("place", [0, 40, 200, -1])
def test_a_changed_byte_is_seen(place: int) -> None:
    """
    Given a signed header with one character changed,
    when it is read,
    then it is refused.
    """
    signed = bytearray(FixedChain().store.block(0).header)
    signed[place] = ord("A") if signed[place] != ord("A") else ord("B")
    with pytest.raises(HeaderError):
        read_header(bytes(signed))


def test_a_transaction_is_no_header() -> None:
    """
    Given a transaction signed by the authority's own key,
    when it is read as a header,
    then its type gives it away.
    """
    chain = FixedChain()
    with pytest.raises(HeaderError):
        read_header(chain.pay("1.00"))


def test_a_header_in_another_spelling_is_refused() -> None:
    """
    Given a header whose JSON has a space, signed by the authority,
    when it is read,
    then it is refused: there is one spelling.
    """
    header, _ = read_header(FixedChain().store.block(0).header)
    spaced = jcs.encode(header).replace(b",", b", ")
    signed = sign_header(header, key("authority")).split(b".")
    forged = signed[0] + b"." + encode_base64url(spaced).encode()
    signature = key("authority").sign(forged)
    with pytest.raises(HeaderError, match="RFC 8785"):
        read_header(forged + b"." + encode_base64url(signature).encode())


def test_the_header_hash_has_a_domain_of_its_own() -> None:
    """
    Given a header,
    when its hash is taken by hand,
    then it is SHA-256 over the domain and the RFC 8785 bytes, and a change changes it.
    """
    header, _ = read_header(FixedChain().store.block(0).header)
    by_hand = sha256(b"tongbao/header/1" + jcs.encode(header)).hexdigest()
    assert header_hash(header) == by_hand
    assert header_hash(replace(header, height=Count(1))) != by_hand
