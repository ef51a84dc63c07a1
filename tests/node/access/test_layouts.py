"""Who may read, in a real node of one process and of several, and its command line beside it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.fixed_chain import key
from tests.node.access.authority import Authority
from tests.node.layout_of import kill_role
from tests.node.process import ENVIRONMENT, Node, lay, run_to_end, running
from tests.sdk.kept_chain import CNY
from tongbao.console.console import PAGES
from tongbao.localnet.ports import free_ports
from tongbao.modules.registry import registry
from tongbao.node.table import operations
from tongbao.sdk.http import HttpChain
from tongbao.sdk.presence import node_of
from tongbao.sdk.sessions import END_PATH

TONGBAO = str(Path(sys.executable).with_name("tongbao"))


def command(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of a person on the node's machine, or on another one."""
    return subprocess.run(
        [TONGBAO, *arguments, "--folder", str(folder), "--json"],
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def holdings(node: Node, account: str, token: str) -> int:
    """What a node answers to who asks for an account's holdings."""
    headers = {"Authorization": f"Bearer {token}"}
    return node.client.get(f"/v1/accounts/{account}/holdings", headers=headers).status_code


@pytest.mark.parametrize("processes", ["1", "2"])
def test_members_read_their_own_and_operators_everything(tmp_path: Path, processes: str) -> None:
    """
    Given a node for members that speaks TLS,
    when a payer reads in a session, an API key is made, used and revoked, and an operator asks on
    the node's machine and, with another key, from elsewhere,
    then each has what is theirs, and the others nothing.
    """
    ground = lay(tmp_path / "chain")
    folder, (payer, other, *_) = ground.folder, ground.payers
    authority = Authority(tmp_path)
    pair, trusted = authority.for_node(), authority.trusted()
    flags = ["--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key)]
    auditor = ("api-key", "make", "auditor", "--scope", "ledger", "--for", "1h")
    token = json.loads(command(folder, *auditor).stdout)["key"]
    flags += ["--read-policy", "members", "--processes", processes]
    with running(folder, *flags, trusted=trusted) as node:
        session = (payer, key("payer-0"))
        with HttpChain(node.address, tls=trusted, session=session) as chain:
            assert chain.statement(payer, CNY).closing == "200.00"
            refused = chain._client.get(f"/v1/accounts/{other}/holdings")
            assert refused.status_code == 403
            assert chain.submit(ground.payment(0, 1)).height > 0
        assert holdings(node, other, token) == 200
        assert node.client.get(f"/v1/accounts/{other}/holdings").status_code == 401
        assert node.client.get("/readyz").status_code == 200

        here = command(folder, "status")
        assert here.returncode == 0, here.stderr
        elsewhere = {"TONGBAO_API_KEY": token, "SSL_CERT_FILE": str(authority.file)}
        away = tmp_path / "elsewhere"
        asked = command(away, "status", "--node", node.address, **elsewhere)
        assert asked.returncode == 0, asked.stderr
        assert json.loads(asked.stdout)["height"] == json.loads(here.stdout)["height"]
        assert command(folder, "api-key", "revoke", "auditor").returncode == 0
        while holdings(node, other, token) != 401:
            assert node.process.poll() is None
        for line in node.log():
            assert token not in str(line) and payer not in str(line)
        node.stop()


def test_a_session_outlives_no_front_and_clients_open_another(tmp_path: Path) -> None:
    """
    Given a node of several processes, and a client in a session,
    when the front, which has the sessions, is killed and started again,
    then the client goes on in a new one.
    """
    ground = lay(tmp_path / "chain")
    with running(ground.folder, "--read-policy", "members", "--processes", "2") as node:
        session = (ground.payers[0], key("payer-0"))
        with HttpChain(node.address, session=session) as chain:
            before = chain.head().height
            kill_role(node, "front")
            assert chain.head().height == before
        node.stop()


def test_a_node_in_the_clear_says_so_or_does_not_start(tmp_path: Path) -> None:
    """
    Given settings that let other machines reach a node without TLS,
    when it is started for everybody, and for members,
    then the first says that nothing is encrypted, and the second does not start.
    """
    ground = lay(tmp_path / "chain")
    everywhere = ("--host", "0.0.0.0")  # noqa: S104
    with running(ground.folder, *everywhere) as node:
        assert "nothing is encrypted" in node.text()
        node.stop()
    ended = run_to_end(ground.folder, *everywhere, "--read-policy", "members")
    assert (ended.returncode, "needs TLS" in ended.stderr) == (78, True)
    missing = ("--tls-certificate", "none.crt", "--tls-key", "none.key")
    assert run_to_end(ground.folder, *missing).returncode == 78


def test_node_json_is_its_owners_alone(tmp_path: Path) -> None:
    """
    Given a node that runs,
    when the file that says where it is asked is looked at,
    then nobody but the folder's owner may read it, for it lets its reader in.
    """
    ground = lay(tmp_path / "chain")
    with running(ground.folder) as node:
        file = ground.folder / "node.json"
        assert file.stat().st_mode & 0o777 == 0o600
        token = json.loads(file.read_text())["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{node.address}/v1", headers=headers).status_code == 200
        node.stop()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_what_is_not_open_is_closed_to_strangers(tmp_path: Path, processes: str) -> None:
    """
    Given a node for members,
    when somebody whom it does not know asks for every operation and page,
    then each but the open ones says that it has to know who asks, whatever else is wrong.
    """
    ground = lay(tmp_path / "chain")
    asked = [(one.method, one.path, one.needs.scope is None) for one in operations(registry())]
    asked += [("GET", page.path, False) for page in PAGES]
    with running(ground.folder, "--read-policy", "members", "--processes", processes) as node:
        for method, path, is_open in asked:
            filled = re.sub(r"{[^}]*}", "1", path)
            answer = node.client.request(method, filled)
            is_ended = path == END_PATH  # which asks for the session that it ends
            assert (answer.status_code == 401) == (not is_open or is_ended), (method, path)
        node.stop()


def test_who_is_beside_a_node_goes_on_when_it_was_started_again(tmp_path: Path) -> None:
    """
    Given a node for members, and a client on its machine that was let in by its `node.json`,
    when the node is started again at the same port, with another token,
    then the client goes on.
    """
    ground = lay(tmp_path / "chain")
    flags = ("--read-policy", "members", "--processes", "1", "--port", str(free_ports(1)[0]))
    with running(ground.folder, *flags) as node:
        said = node_of(ground.folder, ground.chain)
        assert said is not None
        with said.client(10.0) as client:
            assert client.get("/v1/blocks/1").status_code == 200
            node.stop()
            with running(ground.folder, *flags) as again:
                assert client.get("/v1/blocks/1").status_code == 200
                again.stop()
