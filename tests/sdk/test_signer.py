"""A key in memory signs as RFC 8032 says, and keeps its secret out of sight."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from tongbao.sdk.signer import Signer, SoftwareKey

# RFC 8032 section 7.1: seed, public key, message, signature of tests 1 and 2.
RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
)

WITHOUT_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None
from tongbao.sdk.signer import SoftwareKey
key = SoftwareKey.derive(bytes(32), "child")
assert len(key.sign(b"message")) == 64 and SoftwareKey.generate().key_id != key.key_id
"""


@pytest.mark.parametrize("case", RFC_8032, ids=("empty message", "one byte"))
def test_signatures_are_those_of_rfc_8032(case: tuple[str, str, str, str]) -> None:
    """
    Given a seed and a message of RFC 8032,
    when the key of the seed signs the message,
    then public key and signature are the RFC's.
    """
    seed, public, message, signature = (bytes.fromhex(text) for text in case)
    key = SoftwareKey.from_seed(seed)
    assert (key.public_key, key.sign(message)) == (public, signature)
    assert key.seed == seed


def test_a_key_tells_what_a_header_needs() -> None:
    """
    Given a key,
    when it is taken as the interface that every kind of key has,
    then algorithm and key id are those of a JWS header, and another library accepts what it signs.
    """
    key: Signer = SoftwareKey.from_seed(bytes.fromhex(RFC_8032[0][0]))
    told = (key.algorithm, key.key_id, len(key.public_key))
    assert told == ("Ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", 32)
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(key.sign(b"message"), b"message")


def test_derived_keys_are_those_of_hkdf_expand() -> None:
    """
    Given one seed,
    when child keys are derived by label,
    then each is the key of HKDF-Expand (RFC 5869), the same every time, and labels differ.
    """
    seed = bytes(range(32))
    labels = ("", "household/1", "household/11", "店")
    for label in labels:
        info = b"tongbao/derived-key/1" + label.encode()
        expected = HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(seed)
        assert SoftwareKey.derive(seed, label).seed == expected
    assert len({SoftwareKey.derive(seed, label).key_id for label in labels}) == len(labels)


def test_generated_keys_are_all_different() -> None:
    """
    Given nothing but the system's randomness,
    when keys are generated,
    then no two are the same.
    """
    assert len({SoftwareKey.generate().key_id for _ in range(64)}) == 64


def test_a_key_shown_or_printed_tells_no_secret() -> None:
    """
    Given a key,
    when it is printed,
    then the text is its public key alone, and there is no dictionary of its members to print.
    """
    key = SoftwareKey.generate()
    assert repr(key) == str(key) == f"SoftwareKey({key.key_id})"
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_another_size_is_refused(size: int) -> None:
    """
    Given bytes that are no seed,
    when a key is made of them,
    then it is refused.
    """
    with pytest.raises(ValueError, match="32 bytes"):
        SoftwareKey.from_seed(bytes(size))


def test_signing_needs_the_base_installation_alone() -> None:
    """
    Given a process in which the package cryptography can't be imported,
    when keys are derived, generated and used,
    then they work.
    """
    command = [sys.executable, "-c", WITHOUT_CRYPTOGRAPHY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
