"""TLS: 1.3, or 1.2 with forward secrecy and authenticated encryption alone (RFC 9325, 4.2)."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from msgspec import Struct

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of 1.3 are all sound."""


class BadCertificate(Exception):
    """Files that are no certificate and its key; the text says what to give."""

    exit_code = 78
    advice = "give --tls-certificate and --tls-key, two PEM files"


class Tls(Struct, frozen=True):
    """Where a service's certificate, with those above it, and its unencrypted key are."""

    certificate: Path
    key: Path

    def stamp(self) -> tuple[tuple[int, ...], ...]:
        """What changes when the files do."""
        found: list[tuple[int, ...]] = []
        for file in (self.certificate, self.key):
            try:
                stat = file.stat()
            except OSError:
                found.append((0,))
                continue
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        return tuple(found)


def server_context(certificate: str | Path, key: str | Path) -> ssl.SSLContext:
    """What a server agrees on. Raises BadCertificate where a file is not what it should be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise BadCertificate(
            f"{said(error)}: give a PEM file with the certificate and those above it, and one "
            "with its key, unencrypted"
        ) from error
    return context


def _no_password() -> str:
    """Nobody is there to be asked when a service starts again by itself."""
    raise ValueError("the key is encrypted")


def said(error: Exception) -> str:
    """What is wrong with a file of TLS, shortly."""
    if isinstance(error, ssl.SSLError):
        return error.reason or "not in PEM, or the key is another's"
    return str(getattr(error, "strerror", None) or error)
