"""A token of SoftHSM, in a folder of its own: a real PKCS#11 library, in software."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = "softhsm2-util"
"""For `pytest.mark.needs`."""
LABEL: Final = "bank"
PIN: Final = "4321-of-the-bank"
PATIENCE_S: Final = 60
SETTINGS: Final = """
directories.tokendir = {folder}
objectstore.backend = file
log.level = ERROR
"""
CHANGE_PIN: Final = """
import os, sys
import pkcs11

token = pkcs11.lib(os.environ["TONGBAO_PKCS11_MODULE"]).get_token(token_label=sys.argv[1])
old = os.environ["TONGBAO_SIGNER_PIN"]
with token.open(rw=True, user_pin=old) as session:
    session.set_pin(old, sys.argv[2])
"""
MAKE_KEYS: Final = """
import os, sys
import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism

token = pkcs11.lib(os.environ["TONGBAO_PKCS11_MODULE"]).get_token(token_label=sys.argv[1])
with token.open(rw=True, user_pin=os.environ["TONGBAO_SIGNER_PIN"]) as session:
    curve = {Attribute.EC_PARAMS: b"\\x13\\x0cedwards25519"}
    parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
    for place, label in enumerate(sys.argv[2:]):
        parameters.generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=label, id=bytes([place])
        )
"""


class Token:
    """A token with keys. It can be pulled out of everybody's hands, and put back."""

    def __init__(self, place: Path, *labels: str) -> None:
        """Make it in a folder, with a new key of each label; the ids are 00, 01 and so on."""
        self.folder = place / "tokens"
        self.folder.mkdir()
        self._away = place / "tokens-away"
        self._settings = place / "softhsm2.conf"
        self._settings.write_text(SETTINGS.format(folder=self.folder))
        pins = ("--so-pin", "an-officers-pin", "--pin", PIN)
        self._run(PROGRAM, "--init-token", "--free", "--label", LABEL, *pins)
        self._run(sys.executable, "-c", MAKE_KEYS, LABEL, *labels)

    @property
    def environment(self) -> dict[str, str]:
        """By what a process finds the library, the token and its PIN."""
        library = next(
            path for path in Path("/usr/lib").glob("**/softhsm/libsofthsm2.so") if path.is_file()
        )
        return {
            "SOFTHSM2_CONF": str(self._settings),
            "TONGBAO_PKCS11_MODULE": str(library),
            "TONGBAO_SIGNER_PIN": PIN,
        }

    @staticmethod
    def address(label: str) -> str:
        """How a key of the token is named."""
        return f"pkcs11:token={LABEL};object={label}"

    def pull_out(self) -> None:
        """Take the token away, from sessions that are open as well."""
        self.folder.rename(self._away)

    def put_back(self) -> None:
        """Bring it back; sessions stay broken."""
        self._away.rename(self.folder)

    def change_pin_while_away(self, pin: str) -> None:
        """Let somebody else give the token another PIN."""
        settings = self._settings.with_name("softhsm2-away.conf")
        settings.write_text(SETTINGS.format(folder=self._away))
        self._run(sys.executable, "-c", CHANGE_PIN, LABEL, pin, SOFTHSM2_CONF=str(settings))

    def _run(self, *command: str, **environment: str) -> None:
        subprocess.run(
            command,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=PATIENCE_S,
        )
