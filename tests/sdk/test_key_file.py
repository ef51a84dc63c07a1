"""The format of a kept key is frozen, bounded, and opens for its passphrase and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from unicodedata import normalize

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tongbao.kernel.envelope import decode_base64url, encode_base64url
from tongbao.sdk.key_file import Cost, Derivation, KeyFile, seal, unseal
from tongbao.sdk.keystore_errors import BadKeyFile, WrongPassphrase
from tongbao.sdk.signer import SoftwareKey

PASSPHRASE = "correct horse"
SEED = bytes(range(32))
CHEAP = Cost(memory_kib=64, iterations=2, lanes=2)

# Made by a program of another hand, out of the format's description alone.
FROZEN: dict[str, Any] = {
    "version": 1,
    "name": "frozen",
    "algorithm": "Ed25519",
    "public_key": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
    "kdf": {
        "name": "argon2id",
        "salt": "ZGVmZ2hpamtsbW5vcHFycw",
        "memory_kib": 64,
        "iterations": 2,
        "lanes": 2,
    },
    "cipher": {
        "name": "aes-256-gcm",
        "nonce": "yMnKy8zNzs_Q0dLT",
        "ciphertext": "dysK49R9GXhocmdSVs9EHP3USszjfgBR_mHJmKnDOxPHJ16HIUe70hK7SzDgG4tI",
    },
}

STARVED = """
import resource
from tongbao.sdk.key_file import Cost, seal
from tongbao.sdk.keystore_errors import TooLittleMemory
resource.setrlimit(resource.RLIMIT_AS, (900 * 2**20,) * 2)
try:
    seal("big", bytes(32), "correct horse", Cost(memory_kib=2**20, iterations=1))
except TooLittleMemory as error:
    print(error)
"""


def changed(path: str, value: Any) -> bytes:
    """The frozen file with another value at `path`, such as `kdf.salt`."""
    file = json.loads(json.dumps(FROZEN))
    *folders, last = path.split(".")
    place = file
    for folder in folders:
        place = place[folder]
    place[last] = value
    return json.dumps(file).encode()


def read(text: bytes) -> KeyFile:
    """A key file as the keystore reads it."""
    return msgspec.json.decode(text, type=KeyFile)


def other_base64url(text: str) -> str:
    """The same number of bytes, one bit changed."""
    data = bytearray(decode_base64url(text.encode()))
    data[0] ^= 1
    return encode_base64url(bytes(data))


def test_a_frozen_file_opens_with_its_passphrase() -> None:
    """
    Given a key file that another program made,
    when it is unsealed with its passphrase,
    then the key is the one that was sealed.
    """
    key = unseal(read(json.dumps(FROZEN).encode()), PASSPHRASE)
    assert (key.seed, key.key_id) == (SEED, FROZEN["public_key"])


def test_a_sealed_seed_is_what_the_description_says() -> None:
    """
    Given a seed sealed by us,
    when it is opened by the description: Argon2id, AES-256-GCM over all the other members,
    then the seed comes out, and the members are those of the frozen file.
    """
    file = json.loads(msgspec.json.encode(seal("frozen", SEED, PASSPHRASE, CHEAP)))
    sealed = decode_base64url(file["cipher"].pop("ciphertext").encode())
    kdf, nonce = file["kdf"], decode_base64url(file["cipher"]["nonce"].encode())
    key = Argon2id(
        salt=decode_base64url(kdf["salt"].encode()),
        length=32,
        iterations=kdf["iterations"],
        lanes=kdf["lanes"],
        memory_cost=kdf["memory_kib"],
    ).derive(PASSPHRASE.encode())
    members = json.dumps(file, sort_keys=True, separators=(",", ":")).encode()
    assert AESGCM(key).decrypt(nonce, sealed, b"tongbao/key-file/1" + members) == SEED
    drawn = {"salt": FROZEN["kdf"]["salt"], "nonce": FROZEN["cipher"]["nonce"]}
    file["kdf"]["salt"], file["cipher"]["nonce"] = drawn["salt"], drawn["nonce"]
    cipher = {name: FROZEN["cipher"][name] for name in ("name", "nonce")}
    assert file == FROZEN | {"cipher": cipher}


def test_sealing_twice_repeats_no_salt_and_no_nonce() -> None:
    """
    Given one seed and one passphrase,
    when they are sealed twice,
    then salt, nonce and ciphertext differ, and both files open.
    """
    first, second = (seal("a", SEED, PASSPHRASE, CHEAP) for _ in range(2))
    assert first.kdf.salt != second.kdf.salt
    assert first.cipher.nonce != second.cipher.nonce
    assert first.cipher.ciphertext != second.cipher.ciphertext
    assert [unseal(file, PASSPHRASE).seed for file in (first, second)] == [SEED, SEED]


@pytest.mark.parametrize("passphrase", ["", "correct hors", "Correct horse", "correct horse "])
def test_another_passphrase_opens_nothing(passphrase: str) -> None:
    """
    Given a key file,
    when it is unsealed with another passphrase,
    then it is refused with what to do, and neither passphrase is in the text.
    """
    with pytest.raises(WrongPassphrase, match="wrong passphrase or damaged file") as refused:
        unseal(read(json.dumps(FROZEN).encode()), passphrase)
    assert PASSPHRASE not in str(refused.value)


def test_every_spelling_of_the_same_typed_passphrase_opens() -> None:
    """
    Given a passphrase whose letters one system writes as one code point and another as two,
    when a file sealed under the one is opened with the other,
    then it opens; bytes of an environment that are no text are a passphrase as well.
    """
    one = normalize("NFC", "crème brûlée")
    two = normalize("NFD", one)
    assert one != two
    assert unseal(seal("a", SEED, one, CHEAP), two).seed == SEED
    stray = b"\xff\xfe passphrase".decode("utf-8", "surrogateescape")
    assert unseal(seal("a", SEED, stray, CHEAP), stray).seed == SEED


TAMPERED = {
    "name": "other",
    "public_key": other_base64url(FROZEN["public_key"]),
    "kdf.salt": other_base64url(FROZEN["kdf"]["salt"]),
    "kdf.memory_kib": 65,
    "kdf.iterations": 1,
    "kdf.lanes": 1,
    "cipher.nonce": other_base64url(FROZEN["cipher"]["nonce"]),
    "cipher.ciphertext": other_base64url(FROZEN["cipher"]["ciphertext"]),
}


@pytest.mark.parametrize("path", TAMPERED)
def test_a_changed_member_opens_nothing(path: str) -> None:
    """
    Given a key file of which somebody changed one member to another allowed value,
    when it is unsealed with the right passphrase,
    then it is refused.
    """
    with pytest.raises(WrongPassphrase):
        unseal(read(changed(path, TAMPERED[path])), PASSPHRASE)


def test_a_public_key_of_another_key_is_refused_even_when_it_was_sealed_so() -> None:
    """
    Given a file whose writer knows the passphrase and sealed it with another's public key,
    when it is unsealed,
    then it is refused: a key signs only under its own public half.
    """
    file = json.loads(json.dumps(FROZEN))
    file["public_key"] = SoftwareKey.from_seed(bytes(32)).key_id
    ciphertext = file["cipher"].pop("ciphertext")
    kdf = file["kdf"]
    salt = decode_base64url(kdf["salt"].encode())
    key = Argon2id(salt=salt, length=32, iterations=2, lanes=2, memory_cost=64)
    members = json.dumps(file, sort_keys=True, separators=(",", ":")).encode()
    sealed = AESGCM(key.derive(PASSPHRASE.encode())).encrypt(
        decode_base64url(file["cipher"]["nonce"].encode()), SEED, b"tongbao/key-file/1" + members
    )
    assert len(encode_base64url(sealed)) == len(ciphertext)
    file["cipher"]["ciphertext"] = encode_base64url(sealed)
    with pytest.raises(BadKeyFile, match="another key"):
        unseal(read(json.dumps(file).encode()), PASSPHRASE)


BEYOND = (
    ("version", 2),
    ("version", "1"),
    ("algorithm", "RS256"),
    ("name", 1),
    ("public_key", FROZEN["public_key"][:-1]),
    ("public_key", FROZEN["public_key"] + "="),
    ("public_key", FROZEN["public_key"][:-1] + "h"),
    ("public_key", "店" * 43),
    ("extra", 1),
    ("kdf", None),
    ("kdf.name", "scrypt"),
    ("kdf.extra", 1),
    ("kdf.salt", ""),
    ("kdf.salt", "AAAA"),
    ("kdf.memory_kib", 1_048_577),
    ("kdf.memory_kib", 15),
    ("kdf.memory_kib", 65.5),
    ("kdf.iterations", 0),
    ("kdf.iterations", 17),
    ("kdf.lanes", 0),
    ("kdf.lanes", 17),
    ("kdf.lanes", 9),
    ("cipher.name", "aes-128-gcm"),
    ("cipher.extra", 1),
    ("cipher.nonce", ""),
    ("cipher.ciphertext", ""),
    ("cipher.ciphertext", FROZEN["cipher"]["ciphertext"] + "AAAA"),
)


@pytest.mark.parametrize(("path", "value"), BEYOND)
def test_a_file_beyond_the_format_is_refused_before_any_work(path: str, value: Any) -> None:
    """
    Given a file with an unknown member, another version, or a parameter beyond its limits,
    when it is read,
    then it is refused there, before memory or time is spent on it.
    """
    with pytest.raises(msgspec.ValidationError):
        read(changed(path, value))


def test_the_limits_themselves_are_allowed() -> None:
    """
    Given the dearest and the cheapest parameters that a file may name,
    when the file is read,
    then it is a key file.
    """
    for cost in (
        Cost(memory_kib=1_048_576, iterations=16, lanes=16),
        Cost(memory_kib=8, iterations=1, lanes=1),
    ):
        text = changed("kdf", msgspec.to_builtins(cost) | {"name": "argon2id", "salt": "A" * 22})
        found = read(text).kdf
        assert found == Derivation(salt="A" * 22, **msgspec.to_builtins(cost))


@pytest.mark.parametrize(
    ("memory_kib", "iterations", "lanes"),
    [(7, 1, 1), (15, 1, 2), (1_048_577, 1, 1), (64, 0, 1), (64, 17, 1), (64, 1, 0), (256, 1, 17)],
)
def test_a_cost_that_could_not_be_read_back_is_never_made(
    memory_kib: int, iterations: int, lanes: int
) -> None:
    """
    Given a cost beyond the limits of key files,
    when it is made in Python,
    then it is refused, so that no file is written that does not open.
    """
    with pytest.raises(ValueError, match="Argon2id"):
        Cost(memory_kib=memory_kib, iterations=iterations, lanes=lanes)


def test_the_cost_without_a_choice_is_the_safe_one() -> None:
    """
    Given no choice of a cost,
    when it is made,
    then it is 64 MiB and three iterations, as RFC 9106 recommends for little memory.
    """
    assert msgspec.to_builtins(Cost()) == {"memory_kib": 65_536, "iterations": 3, "lanes": 1}


def test_too_little_memory_is_said_and_is_no_crash() -> None:
    """
    Given a process that may not have the memory that a cost asks for,
    when it seals a key,
    then it is told how much is needed.
    """
    command = [sys.executable, "-c", STARVED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "takes 1024 MiB of memory" in done.stdout
