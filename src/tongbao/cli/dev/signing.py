"""The upgrade that a developer's chain signs for itself whenever other code has played it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tongbao.cli.dev import chain as developer
from tongbao.engines.solo import Producer
from tongbao.engines.solo.header import HeaderSigner
from tongbao.kernel import Count, PublicKey, Time
from tongbao.kernel.code import NOT_FIXED
from tongbao.kernel.kernel_module import nonces
from tongbao.kernel.nonces import Nonces
from tongbao.modules import upgrade
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.genesis_builder import genesis_address, module_lines
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY
from tongbao.sdk.signer import Signer

GOOD_FOR_MS: Final = 60_000


def sign_upgrade(producer: Producer, folder: Path, authority: HeaderSigner) -> bool:
    """Make a block with an upgrade to the code that runs, unless that is what decides already.

    The bank sends it, the authority signs it too. A chain begun by a version without upgrades has
    none; its genesis fixes no code.
    """
    machine = producer.machine
    valid = {line.number: line.hash for line in machine.code.lines(machine.height + 1)}
    changed = tuple(
        line
        for line in module_lines(machine.registry)
        if valid[line.number] not in (NOT_FIXED, line.hash)
    )
    if not changed or upgrade.module not in machine.registry.modules:
        return False
    message = upgrade.Schedule(
        authority=PublicKey(authority.key_id),
        height=Count(machine.height + 2),
        modules=changed,
    )
    bank = genesis_address(0)
    raw = machine.row(nonces, (bank, 0))
    used: Nonces | None = None if raw is None else nonces.decode(raw)
    nonce = 1 if used is None else used.highest + 1
    time = producer.next_time(machine.time)
    payload = payload_bytes(machine.chain, bank, nonce, Time(time + GOOD_FOR_MS), (message,))
    keys: list[Signer] = [
        Keystore(folder / "keys").unlock(name, developer.PASSPHRASE)
        for name in (developer.BANK, AUTHORITY)
    ]
    made = producer.make((sign(payload, keys),), time)
    producer.maintain(idle=True)
    assert made is not None and [result.number for result in made.decided.results] == [0]
    return True
