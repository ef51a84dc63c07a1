"""The supervisor and a real CometBFT: whatever ends it, it comes back, or it is said why not."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import pytest

from tests.engines.cometbft.looking import until
from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM, serving, write_home
from tests.fixed_chain import FIRST_MODULES, fixed_genesis
from tongbao.engines.cometbft import genesis_document
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.configuration import FILE as CONFIGURATION
from tongbao.engines.cometbft.configuration import (
    Configuration,
    signer_socket,
    write_configuration,
)
from tongbao.engines.cometbft.keys import NODE_KEY, VALIDATOR_STATE
from tongbao.engines.cometbft.rpc import Rpc, RpcUnreachable
from tongbao.engines.cometbft.server import Server
from tongbao.engines.cometbft.supervisor import INHERITED, Pauses, Supervisor
from tongbao.kernel import Machine
from tongbao.kernel.genesis import chain_id
from tongbao.store.errors import FolderInUse
from tongbao.store.store import Store

SECONDS = 60
QUICK = Pauses(first=0.01, longest=0.04, lock=0.0)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path a socket can have, with the home of one validator; CometBFT is there."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_home(
            folder / "home", folder / "abci.sock", folder / "rpc.sock", chain_id(fixed_genesis())
        )
        yield folder


def supervisor(short: Path, pauses: Pauses = QUICK, **variables: str) -> Supervisor:
    """A supervisor of that home, not started."""
    paths = (short / "home", short / "rpc.sock", short / "cometbft.log")
    return Supervisor(PROGRAM, *paths, environment=variables, pauses=pauses)


@contextmanager
def started(supervisor: Supervisor) -> Iterator[Supervisor]:
    """The supervisor at work, and stopped in the end, whatever happens."""
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


@contextmanager
def application(short: Path) -> Iterator[None]:
    """The machine that CometBFT drives, on a folder that may be there already."""
    genesis = fixed_genesis()
    folder = short / "chain"
    folder.mkdir(exist_ok=True)
    with Store.open(folder, chain_id(genesis)) as store:
        last = store.last
        height, at = (-1, 0) if last is None else (last.height, last.time)
        machine = Machine(FIRST_MODULES, genesis, store, height, at)
        answers = MachineApplication(machine, store, lambda: time.time_ns() // 1_000_000)
        with serving(Server(answers, short / "abci.sock")):
            yield


def state(supervisor: Supervisor) -> tuple[bool, str | None, int | None]:
    """Whether it is up, why not, and its process."""
    return supervisor.is_up, supervisor.why, supervisor.pid


def is_up_again(supervisor: Supervisor, starts: int) -> bool:
    """Whether it is up after one start more."""
    return supervisor.is_up and supervisor.starts == starts + 1


def running_process(supervisor: Supervisor) -> int:
    """The process that runs now, as a descriptor that tells of its end."""
    until(lambda: supervisor.pid is not None)
    assert supervisor.pid is not None
    return os.pidfd_open(supervisor.pid)


def has_ended(process: int, seconds: float = SECONDS) -> bool:
    """Whether a process ends in time; closes the descriptor."""
    try:
        return bool(select.select([process], [], [], seconds)[0])
    finally:
        os.close(process)


def test_a_killed_cometbft_comes_back_and_answers(short: Path) -> None:
    """
    Given a CometBFT that is up, before an application,
    when it is killed, then told to begin again, then held and released,
    then each time it is up again as another process with the same chain; while it is held there
    is no process and the reason is the one that was given; and the listener heard of every turn.
    """
    heard: list[bool] = []
    paths = (short / "home", short / "rpc.sock", short / "cometbft.log")
    with (
        application(short),
        started(Supervisor(PROGRAM, *paths, listener=heard.append, pauses=QUICK)) as one,
        closing(Rpc(short / "rpc.sock")) as rpc,
    ):
        assert one.wait_until_up(SECONDS)
        assert state(one)[:2] == (True, None)
        chain = rpc.status().node_info.network
        ends: list[Callable[[], None]] = [
            lambda: os.kill(one.pid or 0, signal.SIGKILL),
            lambda: one.restart("as a trial"),
        ]
        for end in ends:
            before, starts = running_process(one), one.starts
            end()
            assert has_ended(before)
            until(partial(is_up_again, one, starts))
            assert rpc.status().node_info.network == chain
        one.hold("the disk is full")
        until(lambda: one.pid is None)
        assert state(one) == (False, "the disk is full", None)
        with pytest.raises(RpcUnreachable):
            rpc.status()
        one.release()
        assert one.wait_until_up(SECONDS)
    assert heard == [True, False] * 4
    assert state(one) == (False, "CometBFT is stopped", None)


def test_an_application_that_ends_and_returns_finds_cometbft_again(short: Path) -> None:
    """
    Given a CometBFT that is up,
    when its application ends, and begins again,
    then the reason tells of the connection, nothing of the first CometBFT is left, and the next
    one is up.
    """
    with started(supervisor(short)) as one:
        with application(short):
            assert one.wait_until_up(SECONDS)
            before = running_process(one)
        assert has_ended(before)
        until(lambda: one.starts == 2 and one.pid is not None)
        with application(short):
            assert one.wait_until_up(SECONDS)
    log = (short / "cometbft.log").read_text()
    assert "connection terminated. Did the application crash?" in log


def test_stop_leaves_no_process_whatever_state_it_is_in(short: Path) -> None:
    """
    Given a CometBFT that is up, one that waits for its application, and one that takes no signal,
    when the supervisor stops,
    then the process is gone when `stop` returns, and the home is free for another supervisor.
    """
    hasty = Pauses(first=0.01, end=0.1, lock=0.0)
    with application(short), started(supervisor(short)) as up:
        assert up.wait_until_up(SECONDS)
        processes = [running_process(up)]
    with started(supervisor(short)) as waiting:
        processes.append(running_process(waiting))
    with application(short), started(supervisor(short, hasty)) as deaf:
        assert deaf.wait_until_up(SECONDS)
        processes.append(running_process(deaf))
        os.kill(deaf.pid or 0, signal.SIGSTOP)
    assert [has_ended(process, 0) for process in processes] == [True] * 3
    deaf.stop()


def test_a_home_has_one_cometbft(short: Path) -> None:
    """
    Given a supervisor at work,
    when another one is started on the same home,
    then it is refused with the process that has the home, and the first goes on.
    """
    with started(supervisor(short)) as first:
        process = running_process(first)
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
            supervisor(short).start()
        assert not has_ended(process, 0)


def test_cometbft_is_given_no_socket_and_no_secret_of_ours(short: Path) -> None:
    """
    Given a process with an open socket and variables that are not CometBFT's business,
    when CometBFT is started with one variable more,
    then it has neither the socket nor the variables, but that one.
    """
    with socket.create_server(("127.0.0.1", 0)) as ours:
        inode = f"socket:[{os.fstat(ours.fileno()).st_ino}]"
        with started(supervisor(short, TONGBAO_TRIAL="1")) as one:
            until(lambda: "failed to connect" in (short / "cometbft.log").read_text())
            folder = Path("/proc", str(one.pid))
            given = (folder / "environ").read_text().rstrip("\0").split("\0")
            names = {line.partition("=")[0] for line in given}
            links = [str(link.readlink()) for link in (folder / "fd").iterdir()]
    assert "TONGBAO_TRIAL" in names
    assert names <= {*INHERITED, "TONGBAO_TRIAL", "LC_CTYPE"}
    assert inode not in links


def test_cometbft_dies_with_the_process_that_started_it(short: Path) -> None:
    """
    Given another process whose supervisor has started a CometBFT,
    when that process is killed,
    then its CometBFT is gone as well, and the home is free at once.
    """
    program = (
        "import sys; from pathlib import Path\n"
        "from tongbao.engines.cometbft.supervisor import Supervisor\n"
        "one = Supervisor(*map(Path, sys.argv[1:])); one.start()\n"
        "while one.pid is None: pass\n"
        "print(one.pid, flush=True); sys.stdin.read()"
    )
    paths = (PROGRAM, short / "home", short / "rpc.sock", short / "cometbft.log")
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, paths)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    assert has_ended(child)
    with started(supervisor(short, Pauses(first=0.01, lock=2.0))) as next_one:
        running_process(next_one)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (NODE_KEY, "node_key.json: invalid character"),
        (VALIDATOR_STATE, "Error reading PrivValidator state"),
        (genesis_document.FILE, "error reading GenesisDoc"),
        (CONFIGURATION, "While parsing config"),
    ],
)
def test_a_home_that_can_not_run_is_tried_again_and_says_why(
    short: Path, file: Path, complaint: str
) -> None:
    """
    Given a home with a damaged file,
    when CometBFT is started on it,
    then it is tried again and again, the reason is what CometBFT complains of, and once the file is
    mended it is up.
    """
    damaged = short / "home" / file
    good = damaged.read_bytes()
    damaged.write_text("no such thing")
    with application(short), started(supervisor(short)) as one:
        until(lambda: one.starts >= 3 and complaint in (one.why or ""))
        damaged.write_bytes(good)
        assert one.wait_until_up(SECONDS)


def test_a_home_that_waits_for_a_remote_signer_says_so_each_time(short: Path) -> None:
    """
    Given a home whose votes come from a remote signer over a unix socket, and no signer,
    when CometBFT is started, waits some seconds for it, and is started again,
    then the reason is that no key is there, not that its last end has left the socket.
    """
    signer = short / "signer.sock"
    settings = Configuration(
        application=short / "abci.sock",
        rpc=short / "rpc.sock",
        p2p_listen="tcp://127.0.0.1:0",
        remote_signer_listen=f"unix://{signer}",
    )
    write_configuration(short / "home", settings)
    paths = (short / "home", short / "rpc.sock", short / "cometbft.log")
    one = Supervisor(PROGRAM, *paths, pauses=Pauses(first=0.5), signer=signer_socket(settings))
    with application(short), started(one):
        until(lambda: one.starts == 1 and "can't get pubkey" in (one.why or ""))
        until(lambda: one.starts == 2 and signer.is_socket())
    assert "address already in use" not in (short / "cometbft.log").read_text()


def free_address() -> str:
    """`HOST:PORT` on loopback that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"127.0.0.1:{found.getsockname()[1]}"


def test_metrics_and_a_second_rpc_are_there_where_they_are_wanted(short: Path) -> None:
    """
    Given settings with an address for metrics and one for the RPC beside its socket,
    when CometBFT is up,
    then it answers Prometheus at the first, and the RPC's calls at the second.
    """
    metrics, rpc = free_address(), free_address()
    settings = Configuration(
        application=short / "abci.sock",
        rpc=short / "rpc.sock",
        p2p_listen="tcp://127.0.0.1:0",
        metrics_listen=metrics,
        extra_rpc=f"tcp://{rpc}",
    )
    write_configuration(short / "home", settings)
    with application(short), started(supervisor(short)) as one:
        assert one.wait_until_up(SECONDS)
        with urlopen(f"http://{metrics}/metrics", timeout=SECONDS) as answer:
            assert b"\ncometbft_consensus_height{" in answer.read()
        with urlopen(f"http://{rpc}/health", timeout=SECONDS) as answer:
            assert b'"result":{}' in answer.read()


def test_a_program_that_is_not_there_is_said_by_name(short: Path) -> None:
    """
    Given a supervisor of a program that does not exist,
    when it is started,
    then the reason names the program, and stop ends it.
    """
    missing = short / "no-such-program"
    paths = (short / "home", short / "rpc.sock", short / "cometbft.log")
    with started(Supervisor(missing, *paths, pauses=QUICK)) as one:
        until(lambda: f"{missing} does not start" in (one.why or ""))


def test_cometbft_that_dies_at_its_own_crash_point_is_started_again(short: Path) -> None:
    """
    Given CometBFT, told by a variable to die in the making of its first block,
    when the supervisor starts it,
    then it dies there each time, and each time is started again.
    """
    with application(short), started(supervisor(short, FAIL_TEST_INDEX="3")) as one:
        until(lambda: one.starts >= 2)
    assert "*** fail-test 3 ***" in (short / "cometbft.log").read_text()
