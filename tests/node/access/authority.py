"""An authority that signs certificates, made anew for each test: for nodes and for callers."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import Struct

DAY = timedelta(days=1)


class Pair(Struct, frozen=True):
    """A certificate's file and its key's."""

    certificate: Path
    key: Path

    def settings(self) -> dict[str, Any]:
        """As a node's settings."""
        return {"tls_certificate": str(self.certificate), "tls_key": str(self.key)}


class Authority:
    """Signs certificates, as files of a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Make its key and its own certificate."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        basic = x509.BasicConstraints(ca=True, path_length=0)
        made = self._builder(self._name, self._key).add_extension(basic, critical=True)
        self.file = folder / f"{name}.pem"
        signed = made.sign(self._key, hashes.SHA256())
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
        )

    def _issue(self, name: str, *others: x509.GeneralName) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName(others)
        made = self._builder(subject, key).add_extension(names, critical=False)
        signed = made.sign(self._key, hashes.SHA256())
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return pair

    def for_node(self, name: str = "node") -> Pair:
        """A certificate of this machine's address."""
        return self._issue(name, x509.IPAddress(ip_address("127.0.0.1")))

    def for_caller(self, *dids: str, name: str = "caller") -> Pair:
        """A certificate that names accounts."""
        return self._issue(name, *map(x509.UniformResourceIdentifier, dids))

    def trusted(self, caller: Pair | None = None) -> ssl.SSLContext:
        """A client's context that believes this authority, and may show a certificate."""
        context = ssl.create_default_context(cafile=str(self.file))
        if caller is not None:
            context.load_cert_chain(caller.certificate, caller.key)
        return context
