"""What connects the nodes of a campaign, and can be cut: network namespaces, or links of our own.

In namespaces each node has an address of its own, a veth pair and a place on one bridge. All of it
lives in a network namespace of the campaign, and in processes that end with it: whatever happens to
the campaign, the kernel cleans up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from tongbao.engines.cometbft.supervisor import LAUNCHER
from tongbao.localnet.plan import Member, Plan
from tongbao.store.closable import Closable

HTTP_PORT: Final = 8632
P2P_PORT: Final = 26656
RPC_PORT: Final = 26657
PORTS: Final = {"http_port": HTTP_PORT, "p2p_port": P2P_PORT, "rpc_port": RPC_PORT}
BRIDGE: Final = "bridge0"
SUBNET: Final = "10.77.0"
HOST_PART: Final = 254
INSIDE: Final = "TONGBAO_JEPSEN_INSIDE"
"""Set in the process that has namespaces of its own."""

Pair = tuple[str, str]


class FabricError(Exception):
    """The machine does not let us do what a fabric needs; the text says what."""


class Fabric(Protocol):
    """Addresses of members, how their processes are started, and cuts between two of them."""

    @property
    def name(self) -> str:
        """For the report."""

    def placed(self, plan: Plan) -> Plan:
        """The plan with each member at its address; a member that is new here gets one."""

    def prefix(self, member: Member) -> tuple[str, ...]:
        """What stands before the command of a member's process."""

    def peers(self, member: Member, others: Iterable[Member]) -> tuple[str, ...]:
        """Where a member finds the others, `ID@HOST:PORT` each."""

    def cut(self, pairs: Sequence[Pair]) -> None:
        """Let nothing pass between the members of each pair, either way."""

    def slow(self, name: str, seconds: float) -> None:
        """Let everything to and from a member take so long one way. Raises FabricError."""

    def heal(self) -> None:
        """Let everything pass again, at once."""

    def close(self) -> None:
        """Take it down."""


def dies_with_us() -> tuple[str, ...]:
    """What makes a process die with the thread that starts it: put before a program's path."""
    return (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()))


def enter_namespaces(arguments: Sequence[str]) -> bool:
    """Start this program again inside namespaces of its own: network, mounts and user.

    Returns False where this machine does not allow it, True when this process is inside. Else it
    does not return.
    """
    if os.environ.get(INSIDE):
        _ip("link", "set", "lo", "up")
        return True
    tools = ("unshare", "nsenter", "ip")
    if any(shutil.which(tool) is None for tool in tools):
        return False
    flags = "-nm" if os.geteuid() == 0 else "-rnm"
    bridge = ["ip", "link", "add", "name", BRIDGE, "type", "bridge"]
    if subprocess.run(["unshare", flags, *bridge], capture_output=True, check=False).returncode:
        return False
    os.environ[INSIDE] = "1"
    command = ["unshare", flags, sys.executable, "-m", "tongbao.simulation.network", *arguments]
    return bool(os.execvp("unshare", command))  # noqa: S606 - it does not return


def _ip(*arguments: str, inside: int = 0) -> None:
    enter = ["nsenter", f"--net=/proc/{inside}/ns/net"] if inside else []
    done = subprocess.run([*enter, "ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FabricError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class Namespaces(Closable):
    """A namespace for each member. Two members are cut apart by routes that lead nowhere."""

    name = "network namespaces, veth pairs and a bridge"

    def __init__(self) -> None:
        """Make the bridge. The process must be in a network namespace of its own."""
        self._holders: dict[str, subprocess.Popen[bytes]] = {}
        self._hosts: dict[str, str] = {}
        self._cuts: list[Pair] = []
        _ip("link", "add", "name", BRIDGE, "type", "bridge", "forward_delay", "0")
        self._is_laid = True
        _ip("address", "add", f"{SUBNET}.{HOST_PART}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")

    def placed(self, plan: Plan) -> Plan:
        """The plan with an address for each member."""
        for member in plan.members:
            if member.name not in self._hosts:
                self._hosts[member.name] = self._lay(member.name, len(self._hosts) + 1)
        members = tuple(
            replace(each, host=self._hosts[each.name], **PORTS) for each in plan.members
        )
        return replace(plan, members=members)

    def _lay(self, name: str, number: int) -> str:
        """A namespace with an address, connected to the bridge."""
        holder = subprocess.Popen(
            [
                *dies_with_us(),
                str(shutil.which("unshare")),
                "-n",
                "sh",
                "-c",
                "echo ready; read end",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._holders[name] = holder
        assert holder.stdout is not None
        if holder.stdout.readline() != b"ready\n":
            raise FabricError(f"no network namespace for {name}")
        host, cable = f"{SUBNET}.{number}", f"cable{number}"
        far = ("peer", "name", "eth0", "netns", str(holder.pid))
        _ip("link", "add", "name", cable, "type", "veth", *far)
        _ip("link", "set", cable, "master", BRIDGE, "up")
        _ip("link", "set", "lo", "up", inside=holder.pid)
        _ip("address", "add", f"{host}/24", "dev", "eth0", inside=holder.pid)
        _ip("link", "set", "eth0", "up", inside=holder.pid)
        return host

    def prefix(self, member: Member) -> tuple[str, ...]:
        """Enter the member's namespace."""
        holder = self._holders[member.name].pid
        enter = str(shutil.which("nsenter"))
        return (*dies_with_us(), enter, f"--net=/proc/{holder}/ns/net")

    def peers(self, member: Member, others: Iterable[Member]) -> tuple[str, ...]:
        """The others themselves."""
        return tuple(other.peer for other in others)

    def cut(self, pairs: Sequence[Pair]) -> None:
        """A route to nowhere on both sides of each pair."""
        for one, other in pairs:
            self._route("add", one, other)
            self._route("add", other, one)
            self._cuts.append((one, other))

    def _route(self, verb: str, at: str, to: str) -> None:
        address = f"{self._hosts[to]}/32"
        _ip("route", verb, "blackhole", address, inside=self._holders[at].pid)

    def slow(self, name: str, seconds: float) -> None:
        """Not here: the kernel's own delay (netem) is not everywhere."""
        raise FabricError("nodes are slowed by links: take a manifest with fabric = 'links'")

    def heal(self) -> None:
        """Remove the routes."""
        for one, other in self._cuts:
            self._route("del", one, other)
            self._route("del", other, one)
        self._cuts.clear()

    def close(self) -> None:
        """Remove cables and bridge, then end the holders; the namespaces end with them.

        The kernel would take the cables down by itself, but some time later: the next fabric could
        still meet them. What is there `ip` alone knows: /sys may be that of another namespace.
        """
        if not self._is_laid:
            return
        self._is_laid = False
        for number in range(1, len(self._holders) + 1):
            _ip("link", "delete", f"cable{number}")
        _ip("link", "delete", BRIDGE)
        for holder in self._holders.values():
            assert holder.stdin is not None and holder.stdout is not None
            holder.stdin.close()
            holder.wait()
            holder.stdout.close()
        self._holders.clear()
