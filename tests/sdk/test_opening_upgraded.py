"""A folder whose code is named by an upgrade and no more by genesis."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import lmdb
import pytest
from msgspec.structs import replace

from tongbao.engines.solo import Producer
from tongbao.kernel import Count, Genesis, GenesisError, Hash, Machine, PublicKey, Time
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.kernel_module import SettingName, upgrades
from tongbao.modules import upgrade
from tongbao.modules.registry import registry
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import module_lines
from tongbao.sdk.opening import open_chain
from tongbao.store.store import Store
from tongbao.testing import alice, named_key
from tongbao.testing.genesis import genesis_of

AUTHORITY: Final = named_key("authority")
FORMER: Final = Hash("ab" * 32)
BEGINS: Final = 3


def former_genesis() -> Genesis:
    """A genesis whose asset module is code that nobody has any more."""
    genesis = genesis_of(registry())
    lines = [replace(x, hash=FORMER) if x.name == "asset" else x for x in genesis.modules]
    return replace(genesis, modules=tuple(lines))


def kept(folder: Path, blocks: int) -> Path:
    """A folder with so many blocks, in whose first the code of today is named from block 3 on.

    No code was asked for, as if that of then had made them.
    """
    genesis = former_genesis()
    Folder(folder).lay_out(genesis)
    with Store.open(folder, chain=chain_id(genesis)) as store:
        producer = Producer(Machine(registry(), genesis, store, -1, 0), store, AUTHORITY)
        producer.begin()
        line = next(line for line in module_lines(registry()) if line.name == "asset")
        message = upgrade.Schedule(
            authority=PublicKey(AUTHORITY.key_id),
            height=Count(BEGINS),
            modules=(line,),
            features=(SettingName("asset.ink"),),
        )
        expires = Time(genesis.time + 60_000)
        payload = payload_bytes(producer.machine.chain, alice, 1, expires, (message,))
        first = (sign(payload, [named_key("alice"), AUTHORITY]),)
        for height in range(1, blocks + 1):
            wires = first if height == 1 else ()
            producer.make(wires, genesis.time + 1_000 * height, even_empty=True)
        producer.maintain(idle=True)
    return folder


def spoil_upgrade(folder: Path, value: bytes | None) -> None:
    """Put something else into the row of the upgrade, or remove it for None."""
    key = upgrades.full_key(Count(BEGINS))
    with lmdb.open(str(folder / "state"), max_dbs=3, create=False) as environment:
        rows = environment.open_db(b"rows", create=False)
        with environment.begin(write=True) as txn:
            if value is None:
                assert txn.delete(key, db=rows)
            else:
                assert txn.put(key, value, db=rows)


@pytest.mark.parametrize("blocks", [BEGINS - 1, BEGINS, BEGINS + 1])
def test_code_that_an_upgrade_names_opens_what_it_may_decide(tmp_path: Path, blocks: int) -> None:
    """
    Given a folder whose last block is the one before the upgrade, its first, or a later one,
    when the code that the upgrade names opens it,
    then it does, and the audit finds nothing.
    """
    folder = kept(tmp_path / "chain", blocks)
    with open_chain(folder) as chain:
        assert chain.head().height == blocks
        assert [line.hash for line in chain.modules] == [
            line.hash for line in module_lines(registry())
        ]
    assert audit_folder(folder).findings == ()


def test_code_that_an_upgrade_names_does_not_open_before(tmp_path: Path) -> None:
    """
    Given the same chain two blocks before the upgrade,
    when the code that it names opens the folder,
    then it is refused in the name of the module, as genesis has it.
    """
    folder = kept(tmp_path / "chain", BEGINS - 2)
    with pytest.raises(GenesisError, match="module asset 2 is not the one that genesis names"):
        open_chain(folder)


@pytest.mark.parametrize("value", [None, b"{", b'{"@version":1}'])
def test_an_upgrade_that_the_disk_has_lost_comes_back_from_the_log(
    tmp_path: Path, value: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a folder in whose state the row of the upgrade is lost, garbage or another,
    when it is opened,
    then the rows are made anew from the log, and the chain opens with the code it named.
    """
    caplog.set_level(logging.WARNING, "tongbao")
    folder = kept(tmp_path / "chain", BEGINS)
    spoil_upgrade(folder, value)
    with open_chain(folder) as chain:
        assert (chain.head().height, chain.audit()) == (BEGINS, [])
    assert caplog.messages == [
        "state/ is not what the last header commits to: it is rebuilt from the log"
    ]
    assert audit_folder(folder).findings == ()
