"""A key that a service keeps: what it answers is used only if it is a signature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.fixed_chain import key
from tests.key_service import Certificates, KeyService, key_service
from tongbao.engines.solo.signing import SignerUnavailable
from tongbao.kernel import ed25519
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.signer_address import BadSigner
from tongbao.sdk.signer_https import SignAnswer
from tongbao.sdk.signers import OpenSigner, open_signer

MESSAGE = b"what is to be signed"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[KeyService]:
    """A service with the authority's key."""
    with key_service(tmp_path / "certificates", authority=key("authority")) as service:
        yield service


@pytest.fixture
def signer(service: KeyService) -> Iterator[OpenSigner]:
    """The authority's key, by the service."""
    signer = open_signer(service.address("authority"), {})
    yield signer
    signer.close()


def test_a_service_signs_as_the_key_itself_does(signer: OpenSigner) -> None:
    """
    Given a service that keeps a key,
    when it is asked for a signature,
    then that is the key's, and nothing of the key but its public half is told.
    """
    assert signer.public_key == key("authority").public_key
    assert signer.sign(MESSAGE) == key("authority").sign(MESSAGE)
    assert ed25519.verify(signer.public_key, MESSAGE, signer.sign(MESSAGE))
    assert repr(signer) == f"HttpsSigner({key('authority').key_id})"
    assert signer.algorithm == "Ed25519"


def lie(public: str, signature: bytes) -> tuple[int, bytes]:
    """An answer in the right form."""
    return 200, msgspec.json.encode(SignAnswer(public, encode_base64url(signature)))


ANOTHER = key("mallory")
OWN = key("authority")


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (lie(OWN.key_id, OWN.sign(b"another message")), "signature is wrong: it was not used"),
        (lie(OWN.key_id, ANOTHER.sign(MESSAGE)), "signature is wrong: it was not used"),
        (lie(ANOTHER.key_id, ANOTHER.sign(MESSAGE)), "signs with another key than before"),
        (lie(OWN.key_id, b"short"), "other sizes than Ed25519's"),
        (lie("+/+/", b""), "not base64url"),
        ((200, b'{"signature":'), "is no answer"),
        ((200, b"[1]"), "is no answer"),
        ((200, b"\xff" * 5_000), "more than 4096 bytes"),
        ((403, b"no"), "status 403"),
        ((307, b""), "status 307"),
        ((503, b""), "status 503"),
    ],
)
def test_what_is_no_signature_of_the_key_is_never_used(
    service: KeyService, signer: OpenSigner, says: tuple[int, bytes], text: str
) -> None:
    """
    Given a service that lies, or refuses,
    when it is asked for a signature,
    then there is none, the error says why, and the next one counts again.
    """
    service.says = says
    with pytest.raises(SignerUnavailable, match=text):
        signer.sign(MESSAGE)
    service.says = None
    assert signer.sign(MESSAGE) == OWN.sign(MESSAGE)


def test_a_service_that_went_away_signs_again_once_it_is_back(
    service: KeyService, signer: OpenSigner
) -> None:
    """
    Given a service to which a connection is open,
    when it is stopped, and started again,
    then in between it can't be asked, and afterwards it signs over a connection that is new.
    """
    service.stop()
    with pytest.raises(SignerUnavailable, match="can't be asked"):
        signer.sign(MESSAGE)
    service.start()
    assert signer.sign(MESSAGE) == OWN.sign(MESSAGE)


def test_who_has_no_certificate_or_trusts_another_authority_gets_no_signature(
    service: KeyService, tmp_path: Path
) -> None:
    """
    Given a service and certificates of another authority,
    when they are shown to the service, or the service's is judged by them,
    then nothing is signed.
    """
    foreign = Certificates(tmp_path / "foreign")
    address = service.address("authority", client=foreign.issue("stranger"))
    with pytest.raises(SignerUnavailable, match="can't be asked"):
        open_signer(address, {})
    distrusting = service.address("authority").rpartition("=")[0] + f"={foreign.authorities}"
    with pytest.raises(SignerUnavailable, match="can't be asked"):
        open_signer(distrusting, {})
    assert service.asked == 0


def test_a_key_that_the_service_does_not_have_is_told(service: KeyService) -> None:
    """
    Given a service,
    when a key that it does not have is opened,
    then its answer is told.
    """
    with pytest.raises(SignerUnavailable, match="status 404"):
        open_signer(service.address("nobody"), {})


def test_files_that_are_no_certificates_are_named(service: KeyService, tmp_path: Path) -> None:
    """
    Given files that are missing or no certificates,
    when they are named,
    then the one that can't be used is told.
    """
    certificate, private = Certificates(tmp_path / "own").issue("client")
    for client in ((tmp_path / "missing.pem", private), (certificate, certificate)):
        with pytest.raises(BadSigner, match=f"{client[0].name} can't be used"):
            open_signer(service.address("authority", client=client), {})
