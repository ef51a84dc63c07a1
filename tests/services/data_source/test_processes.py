"""The program as it is run: a process, a folder of its own, a node and a store over HTTP."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from tests.node.process import running
from tests.rights.material import fixed
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tests.services.data_source.shop import (
    CLUB,
    MARCH,
    SCHEMA,
    address_of,
    admit,
    consent_of,
    customer,
    exchange_secret,
    lay,
    opened,
    space_of,
)
from tests.services.data_store.store_process import StoreProcess, data_store
from tests.services.data_store.store_process import running as store_running
from tongbao.modules import data
from tongbao.rights.batch import commitment_of
from tongbao.rights.delivered_batch import read_batch_parcel
from tongbao.rights.parcel import open_parcel
from tongbao.sdk.http import HttpChain
from tongbao.sdk.vault import Vault

CUSTOMERS = 40
LONG_S = 120


class Program:
    """`tongbao data-source` in a folder, asking a node."""

    def __init__(self, folder: Path, node: str) -> None:
        """Know both."""
        self.words = ("--folder", str(folder), "--node", node, "--json")
        self.environment = {"PATH": "/usr/bin:/bin", "TONGBAO_PASSPHRASE": PASSPHRASE}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Begin a command."""
        tongbao = str(Path(sys.executable).with_name("tongbao"))
        return subprocess.Popen(
            (tongbao, "data-source", *words, *self.words),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def do(self, *words: str) -> Any:
        """A command that succeeds."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, (words, out, err)
        return msgspec.json.decode(out)


def club_folder(chain_folder: Path, folder: Path) -> None:
    """The club's own folder: its key and its names, and a vault that costs little."""
    (folder / "keys").mkdir(parents=True, mode=0o700)
    shutil.copy2(chain_folder / "keys" / "club.json", folder / "keys")
    shutil.copy2(chain_folder / "accounts.json", folder)
    Vault.create(folder / "data-source" / "vault", PASSPHRASE, CHEAP).close()
    (folder / "eggs.json").write_bytes(msgspec.json.encode(SCHEMA))


def write_consents(chain_folder: Path, path: Path, store: StoreProcess) -> None:
    """What all customers have signed; each lets parcels be left at the store."""
    with opened(chain_folder) as chain, path.open("wb") as file:
        admit(chain)
        for place in range(CUSTOMERS):
            signed = consent_of(chain, customer(place), store=store.url)
            with store.client(space_of(customer(place))) as space:
                space.allow_drop(bytes.fromhex(signed.consent.drop))
            line = {"consent": signed.text.decode(), "customer": customer(place)}
            file.write(msgspec.json.encode(line) + b"\n")


def test_a_program_that_is_killed_beside_its_node_tells_each_month_once(tmp_path: Path) -> None:
    """
    Given 40 customers, a node and a store, each a process of its own,
    when `month` is killed by SIGKILL as the ledger has its first batch, and is run again,
    then each customer has one batch on the ledger and one parcel in the inbox, which is of it; who
    deletes the drop then gets no further one.
    """
    chain_folder, folder = tmp_path / "chain", tmp_path / "club"
    lay(chain_folder, CUSTOMERS)
    club_folder(chain_folder, folder)
    data_store("init", "--folder", str(tmp_path / "store"), "--open")
    with store_running(tmp_path / "store") as store:
        write_consents(chain_folder, folder / "consents.jsonl", store)
        with running(chain_folder) as node, HttpChain(node.address) as chain:
            program = Program(folder, node.address)
            schema = ("--schema", str(folder / "eggs.json"), "--store", store.url)
            program.do("init", "--account", "club", *schema)
            consents = program.do("consents", "add", str(folder / "consents.jsonl"))
            assert consents == {"new": CUSTOMERS, "known": 0}
            height = chain.head().height
            with program.start("month", MARCH) as killed:
                next(iter(chain.happenings(f"{height}.9999", account=CLUB)))
                killed.kill()
            assert killed.returncode == -9
            made = program.do("month", MARCH)
            assert (made["undone"], made["refused"]) == (0, {})
            assert program.do("push")["delivered"] == CUSTOMERS
            owners = [address_of(customer(place)) for place in range(CUSTOMERS)]
            counts = {len(chain.query(data.batches_of, owner).rows) for owner in owners}
            assert counts == {1}
            for place in range(CUSTOMERS):
                with store.client(space_of(customer(place))) as space:
                    [parcel] = [space.get_parcel(one.name) for one in space.inbox()]
                secret = exchange_secret(customer(place)).private_bytes_raw()
                _, batch = read_batch_parcel(open_parcel("batch", secret, parcel).text)
                [(_, row)] = chain.query(data.batches_of, owners[place]).rows
                assert commitment_of(batch.header).hex() == row.commitment
            with store.client(space_of(customer(0))) as space:
                space.forbid_drop(fixed(f"drop {customer(0)}"))
            assert program.do("month", "2026-04")["committed"] == CUSTOMERS
            pushed = program.do("push")
            assert (pushed["delivered"], pushed["withdrawn"]) == (CUSTOMERS - 1, 1)
            assert program.do("month", "2026-05")["committed"] == CUSTOMERS - 1
