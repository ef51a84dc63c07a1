"""Opening the signer that an address names. What it answers is never believed unverified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from tongbao.kernel import ed25519
from tongbao.sdk.signer import Signer
from tongbao.sdk.signer_address import BadSigner, HttpsAddress, Pkcs11Address, read_address

MODULE_VARIABLE: Final = "TONGBAO_PKCS11_MODULE"
PIN_VARIABLE: Final = "TONGBAO_SIGNER_PIN"
PIN_BYTES_LIMIT: Final = 4_096


class OpenSigner(Signer, Protocol):
    """A signer outside this process, with a way to it that is closed again."""

    def close(self) -> None:
        """Give the way to it free. May be called again."""


def open_signer(address: str, environment: Mapping[str, str]) -> OpenSigner:
    """The signer of an address, once it has signed a probe.

    The environment may name the PKCS#11 library and hold the PIN, where the address does not say
    where they are. Raises BadSigner, SignerUnavailable, SignerError, ModuleNotFoundError.
    """
    found = read_address(address)
    if isinstance(found, HttpsAddress):
        from tongbao.sdk.signer_https import HttpsSigner

        return HttpsSigner(found)
    from tongbao.sdk.signer_pkcs11 import Pkcs11Signer

    module = found.module or environment.get(MODULE_VARIABLE, "")
    if not Path(module).is_absolute():
        raise BadSigner(
            "no PKCS#11 library is named: add ?module-path=/PATH/LIBRARY.so to the address, or "
            f"set {MODULE_VARIABLE}; the maker of the token says which it is"
        )
    return Pkcs11Signer(found, module, _pin(found, environment))


def _pin(address: Pkcs11Address, environment: Mapping[str, str]) -> str:
    """The PIN: the first line of the file that the address names, else of the environment."""
    if not address.pin_file:
        found = environment.get(PIN_VARIABLE, "")
        advice = f"add pin-source=file:/PATH to the address, or set {PIN_VARIABLE}"
    else:
        advice = f"write it as the first line of {address.pin_file}"
        try:
            with Path(address.pin_file).open("rb") as file:
                found = file.read(PIN_BYTES_LIMIT).decode().partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise BadSigner(f"the PIN's file {address.pin_file}: {why}") from error
    if not found:
        raise BadSigner(f"no PIN was given for the token: {advice}")
    return found


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signer has signed what it was asked to, by the rule of the ledger itself."""
    return ed25519.verify(public_key, message, signature)
