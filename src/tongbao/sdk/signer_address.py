"""Addresses of signers: `pkcs11:` by RFC 7512, and `https:` of a key service; nothing is opened.

No address holds a secret: what stands on a command line or in a settings file, others may read.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from msgspec import Struct

from tongbao.engines.solo.signing import SignerError

LENGTH_LIMIT: Final = 2_000
PKCS11: Final = "pkcs11:"
HTTPS: Final = "https://"
PATH_NAMES: Final = ("token", "serial", "object", "id", "type")
QUERY_NAMES: Final = ("module-path", "pin-source")
HTTPS_NAMES: Final = ("key", "certificate", "private-key", "authorities")
PRINTABLE: Final = re.compile(r"[!-~]+")
KEY_NAME: Final = re.compile(r"[A-Za-z0-9._:/-]{1,128}")


class BadSigner(SignerError):
    """An address that names no signer; the text says what to write."""

    exit_code = 78


class Pkcs11Address(Struct, frozen=True, kw_only=True):
    """A key on a token (RFC 7512 section 2.3). Empty texts were not given.

    `module` is the path of the PKCS#11 library, `pin_file` that of the file with the PIN.
    """

    token: str = ""
    serial: str = ""
    label: str = ""
    id: bytes = b""
    module: str = ""
    pin_file: str = ""


class HttpsAddress(Struct, frozen=True, kw_only=True):
    """A key of a key service. `base` has no slash at its end; the others are files of ours."""

    base: str
    key: str
    certificate: str
    private_key: str = ""
    authorities: str = ""


SignerAddress: TypeAlias = Pkcs11Address | HttpsAddress


def read_address(text: str) -> SignerAddress:
    """What an address names. Raises BadSigner."""
    if len(text) > LENGTH_LIMIT or not PRINTABLE.fullmatch(text):
        raise BadSigner(
            f"a signer's address has 1 to {LENGTH_LIMIT} printable characters of ASCII: "
            "write others as %XX"
        )
    if text.startswith(PKCS11):
        return _pkcs11(text)
    if text.startswith(HTTPS):
        return _https(text)
    raise BadSigner(
        "a signer's address begins with pkcs11: (a token, RFC 7512) or https:// (a key service)"
    )


def _pkcs11(text: str) -> Pkcs11Address:
    path, _, query = text.removeprefix(PKCS11).partition("?")
    found = _attributes(path, ";", PATH_NAMES, "before the ?")
    more = _attributes(query, "&", QUERY_NAMES, "after the ?")
    if found.get("type", "private") != "private":
        raise BadSigner("type: only a private key signs: write type=private, or leave it out")
    if not (found.get("token") or found.get("serial")):
        raise BadSigner("say which token it is: pkcs11:token=LABEL;object=KEY")
    if not (found.get("object") or found.get("id")):
        raise BadSigner("say which key it is: pkcs11:token=LABEL;object=KEY, or id=%01")
    return Pkcs11Address(
        token=unquote(found.get("token", "")),
        serial=unquote(found.get("serial", "")),
        label=unquote(found.get("object", "")),
        id=unquote_to_bytes(found.get("id", "")),
        module=unquote(more.get("module-path", "")),
        pin_file=_file(unquote(more.get("pin-source", "")), "pin-source"),
    )


def _https(text: str) -> HttpsAddress:
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        has_host = False
    if not has_host:
        raise BadSigner("an address of a key service is https://HOST:PORT/PATH?key=...")
    if "@" in parts.netloc:
        raise BadSigner("no name and no password in an address: a certificate says who we are")
    if parts.fragment:
        raise BadSigner("an address of a key service has no #: write it as %23")
    found = {
        name: unquote(value)
        for name, value in _attributes(parts.query, "&", HTTPS_NAMES, "after the ?").items()
    }
    if not KEY_NAME.fullmatch(found.get("key", "")):
        raise BadSigner("say which key it is: ?key=NAME, 1 to 128 of A-Z a-z 0-9 . _ : / -")
    if not found.get("certificate"):
        raise BadSigner("say with which certificate to connect: &certificate=FILE (PEM)")
    return HttpsAddress(
        base=f"{HTTPS}{parts.netloc}{parts.path.rstrip('/')}",
        key=found["key"],
        **{
            name.replace("-", "_"): _file(found.get(name, ""), name)
            for name in HTTPS_NAMES
            if name != "key"
        },
    )


def _attributes(text: str, between: str, known: tuple[str, ...], where: str) -> dict[str, str]:
    """`NAME=VALUE` pairs, each name once and known; values stay as they are written."""
    found: dict[str, str] = {}
    for part in text.split(between) if text else ():
        name, has_value, value = part.partition("=")
        if name == "pin-value":
            raise BadSigner("no PIN in an address, which others can read: pin-source=file:/PATH")
        if not has_value or name not in known:
            raise BadSigner(f"{where} may stand {', '.join(known)}, each as NAME=VALUE: not {name}")
        if name in found:
            raise BadSigner(f"{name} stands there twice: once is right")
        found[name] = value
    return found


def _file(text: str, name: str) -> str:
    """The path of a file, which may be written as a `file:` URI with no host (RFC 8089)."""
    path = re.sub(r"^file:(//)?(?=/)", "", text)
    if path and not path.startswith("/"):
        raise BadSigner(f"{name}: the whole path of a file, from / on")
    return path
