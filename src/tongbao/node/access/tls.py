"""TLS: a node's certificate, who may show one of their own, and what is agreed on.

TLS 1.3, or 1.2 with forward secrecy and authenticated encryption alone (RFC 9325 section 4.2); no
compression, no renegotiation. Files are looked at again while the node runs, so that a renewed
certificate needs no restart.
"""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any, Final

import structlog

from tongbao.console import forms
from tongbao.node.settings import Settings, SettingsError
from tongbao.services.serving.tls import BadCertificate, said, server_context

log = structlog.get_logger("tongbao.node")

LOOK_S: Final = 10.0
"""How often it is looked whether the files have changed, at most."""
DID: Final = "did:tongbao:"


def make_context(settings: Settings) -> ssl.SSLContext:
    """What a node agrees on. Raises SettingsError where a file is not what it should be."""
    try:
        context = server_context(settings.tls_certificate, settings.tls_key)
    except BadCertificate as error:
        raise SettingsError(
            f"tls_certificate {settings.tls_certificate} and tls_key {settings.tls_key}: {error}"
        ) from error
    if settings.tls_client_ca:
        try:
            context.load_verify_locations(cafile=settings.tls_client_ca)
        except OSError as error:
            raise SettingsError(
                f"tls_client_ca {settings.tls_client_ca}: {said(error)}: give a PEM file with "
                "the certificates that sign those of callers"
            ) from error
        context.verify_mode = ssl.CERT_OPTIONAL  # who shows none may have a token
    return context


class Contexts:
    """The context of a node's settings, made anew when a file of theirs has changed."""

    def __init__(self, settings: Settings) -> None:
        """Read the files. Raises SettingsError."""
        self._settings = settings
        names = (settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        self._files = [Path(name) for name in names if name]
        self._stamp = self._stamps()
        self._looked = time.monotonic()
        self._context = make_context(settings)

    def now(self) -> ssl.SSLContext:
        """The context for a connection that begins now.

        Files that don't go together, as in the middle of being replaced, leave it as it was.
        """
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self.look()
        return self._context

    def look(self) -> bool:
        """Take changed files in; whether there were any that could be."""
        stamp = self._stamps()
        if stamp == self._stamp:
            return False
        try:
            self._context = make_context(self._settings)
        except SettingsError as error:
            log.error("the certificate before goes on", why=str(error))
            return False
        self._stamp = stamp
        log.info("a new certificate is shown")
        return True

    def _stamps(self) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = []
        for file in self._files:
            try:
                stat = file.stat()
            except OSError:
                found.append((0,))
                continue
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        return found


def account_of(certificate: dict[str, Any] | None, chain: str) -> str:
    """The account of a chain that a verified certificate names: its one URI `did:tongbao:...`.

    Empty where it names none, or several (RFC 5280 section 4.2.1.6, subjectAltName).
    """
    names = (certificate or {}).get("subjectAltName", ())
    dids = {name for kind, name in names if kind == "URI" and name.startswith(DID)}
    if len(dids) != 1:
        return ""
    of_chain, _, account = dids.pop().removeprefix(DID).rpartition(":")
    return account if of_chain == chain and forms.ADDRESS.match(account) else ""
