"""What the operations guide says of backups is true."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.sdk.kept_chain import PASSPHRASE, keep, pay, reopen, rows_of, whole
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.opening import open_chain, operator_wallet


def test_genesis_log_and_keys_are_the_whole_chain(tmp_path: Path) -> None:
    """
    Given a stopped chain,
    when its genesis file and log are copied to another folder, which is read and audited, and then
    gets the keys,
    then it is the same chain without a finding, and goes on where the other one ended.
    """
    kept = keep(tmp_path / "chain")
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(kept.folder / "genesis.json", restored)
    shutil.copytree(kept.folder / "log", restored / "log")
    with open_chain(restored) as chain:
        assert rows_of(kept, chain) == whole(kept)
    assert audit_folder(restored).findings == ()
    shutil.copytree(kept.folder / "keys", restored / "keys")
    with reopen(restored) as chain:
        operator = operator_wallet(chain, restored, PASSPHRASE)
        assert operator.send(pay(kept.shop, "1.00")).height == kept.head.height + 1
