"""A key service as docs/operate/signers.md describes it: HTTPS with certificates on both sides."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tongbao.kernel.envelope import decode_base64url, encode_base64url
from tongbao.sdk.signer import SoftwareKey
from tongbao.sdk.signer_https import SignAnswer, SignRequest

HOST: Final = "127.0.0.1"
PATIENCE_S: Final = 30
DAY: Final = datetime.timedelta(days=1)


class Certificates:
    """An authority of certificates, and what it has certified, as files."""

    def __init__(self, folder: Path) -> None:
        """Make the authority."""
        folder.mkdir()
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self.authorities = folder / "authorities.pem"
        self._made = self._certificate("tests", self._key)
        self._write(self.authorities, self._made)

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate and its private key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self._write(certificate, self._certificate(name, key))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, private

    def _certificate(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        is_authority = key is self._key
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(HOST))]
                ),
                critical=False,
            )
        )
        return builder.sign(self._key, hashes.SHA256())

    @staticmethod
    def _write(path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


class KeyService:
    """Keeps keys by name and signs for whoever has a certificate, until it is stopped."""

    def __init__(self, certificates: Certificates, **keys: SoftwareKey) -> None:
        """Begin to listen."""
        self.keys = keys
        self.asked = 0
        """How often it was asked to sign."""
        self.says: tuple[int, bytes] | None = None
        """What it answers in the place of a signature."""
        self._told = threading.Condition()
        self._certificates = certificates
        self._own = certificates.issue("service")
        self._client = certificates.issue("client")
        self._port = 0
        self.start()

    def start(self) -> None:
        """Listen, at the address that it had before."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, content = service.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = _Server((HOST, self._port), Handler)
        self._port = self._server.server_port
        context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(self._certificates.authorities)
        )
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(*self._own)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def await_asked(self, count: int) -> None:
        """Wait until it was asked so often."""
        with self._told:
            assert self._told.wait_for(lambda: self.asked >= count, PATIENCE_S), self.asked

    def address(self, key: str, *, client: tuple[Path, Path] | None = None) -> str:
        """How a key of the service is named, with a client's certificate."""
        certificate, private = client or self._client
        return (
            f"https://{HOST}:{self._port}/keys/?key={key}&certificate={certificate}"
            f"&private-key={private}&authorities={self._certificates.authorities}"
        )

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """What a request is answered with."""
        with self._told:
            self.asked += 1
            self._told.notify_all()
        asked = msgspec.json.decode(body, type=SignRequest)
        if self.says is not None:
            return self.says
        if path != "/keys/sign" or asked.key not in self.keys:
            return HTTPStatus.NOT_FOUND, b""
        key = self.keys[asked.key]
        signature = key.sign(decode_base64url(asked.message.encode()))
        return HTTPStatus.OK, msgspec.json.encode(
            SignAnswer(key.key_id, encode_base64url(signature))
        )


class _Server(ThreadingHTTPServer):
    """Its connections end with it, so that none is kept alive past `stop`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients without a certificate."""

    def server_close(self) -> None:
        """Close all."""
        for request in list(self._open):
            self.shutdown_request(request)
        super().server_close()


@contextmanager
def key_service(folder: Path, **keys: SoftwareKey) -> Iterator[KeyService]:
    """A key service until the end of the `with` statement."""
    service = KeyService(Certificates(folder), **keys)
    try:
        yield service
    finally:
        service.stop()
