"""Addresses of signers: what they name, and what they may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongbao.sdk.signer_address import BadSigner, HttpsAddress, Pkcs11Address, read_address
from tongbao.sdk.signers import open_signer


def test_a_token_is_named_as_rfc_7512_does() -> None:
    """
    Given addresses of RFC 7512 with escapes, ids, a library and a PIN's file,
    when they are read,
    then each attribute is what was meant.
    """
    plain = read_address("pkcs11:token=The%20bank;object=authority;type=private")
    assert plain == Pkcs11Address(token="The bank", label="authority")
    full = "pkcs11:serial=0a1b;id=%01%FF?module-path=/usr/lib/a.so&pin-source=file:///run/pin"
    assert read_address(full) == Pkcs11Address(
        serial="0a1b", id=b"\x01\xff", module="/usr/lib/a.so", pin_file="/run/pin"
    )
    assert read_address("pkcs11:token=a;object=b?pin-source=file:/run/pin") == Pkcs11Address(
        token="a", label="b", pin_file="/run/pin"
    )


def test_a_key_service_is_named_with_our_files() -> None:
    """
    Given an address of a key service,
    when it is read,
    then the parameters are ours and are not part of where it is asked.
    """
    address = "https://kms.example:8443/v1/?key=bank/authority&certificate=/c.pem&authorities=/a"
    assert read_address(address) == HttpsAddress(
        base="https://kms.example:8443/v1",
        key="bank/authority",
        certificate="/c.pem",
        authorities="/a",
    )


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("", "1 to 2000 printable"),
        ("pkcs11:token=the bank;object=a", "printable"),
        ("pkcs11:" + "a" * 2_000, "1 to 2000"),
        ("http://kms.example/?key=a&certificate=/c", "begins with pkcs11: .* or https://"),
        ("keys/authority", "begins with pkcs11: .* or https://"),
        ("pkcs11:object=a", "say which token"),
        ("pkcs11:token=a", "say which key"),
        ("pkcs11:token=a;token=b;object=c", "token stands there twice"),
        ("pkcs11:token=a;colour=b", "may stand token, serial, object, id, type"),
        ("pkcs11:token=a;object", "not object"),
        ("pkcs11:token=a;object=b;type=public", "only a private key"),
        ("pkcs11:token=a;object=b?pin-value=1234", "no PIN in an address"),
        ("pkcs11:token=a;object=b?pin-source=pin.txt", "the whole path"),
        ("https:///?key=a&certificate=/c", "is https://HOST"),
        ("https://kms.example:99999/?key=a&certificate=/c", "is https://HOST"),
        ("https://me:word@kms.example/?key=a&certificate=/c", "no name and no password"),
        ("https://kms.example/?key=a&certificate=/c#x", "has no #"),
        ("https://kms.example/?certificate=/c", "say which key"),
        ("https://kms.example/?key=a", "with which certificate"),
        ("https://kms.example/?key=a&certificate=c.pem", "the whole path"),
        ("https://kms.example/?key=a&token=b&certificate=/c", "not token"),
    ],
)
def test_what_names_no_signer_is_told_with_what_to_write(address: str, text: str) -> None:
    """
    Given an address that names no signer, or that would hold a secret,
    when it is read,
    then the error says what to write, and shows no secret.
    """
    with pytest.raises(BadSigner, match=text) as told:
        read_address(address)
    assert "1234" not in str(told.value) and "word@" not in str(told.value)


def test_a_library_and_a_pin_must_be_named_somewhere(tmp_path: Path) -> None:
    """
    Given an address without them,
    when the environment does not say them either, or the PIN's file is empty or no text,
    then nothing is opened and the error says where they may stand.
    """
    address = "pkcs11:token=a;object=b"
    with pytest.raises(BadSigner, match="TONGBAO_PKCS11_MODULE"):
        open_signer(address, {})
    library = {"TONGBAO_PKCS11_MODULE": "/usr/lib/nothing.so"}
    with pytest.raises(BadSigner, match="TONGBAO_SIGNER_PIN"):
        open_signer(address, library)
    pin = tmp_path / "pin"
    for content, text in ((b"\n1234", "no PIN was given"), (b"\xff\n", "not UTF-8")):
        pin.write_bytes(content)
        with pytest.raises(BadSigner, match=text):
            open_signer(f"{address}?pin-source=file:{pin}", library)
