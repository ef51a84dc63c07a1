"""What can be wrong with a signer outside this process, whoever asks it to sign."""

from __future__ import annotations

from typing import Final

PROBE: Final = b"tongbao/signer-probe/1"
"""What is signed to see whether a signer is there. No header, no transaction: it has no dot."""


class SignerError(Exception):
    """A signer that can't be used before a person has changed something; the text says what."""

    exit_code = 77
    advice = "see docs/operate/signers.md"


class SignerUnavailable(SignerError):
    """A signer that does not sign now: nothing was signed, and the same may succeed later."""

    exit_code = 75
    advice = "bring the signer back, then try again"
