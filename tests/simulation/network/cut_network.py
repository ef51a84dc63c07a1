"""A program for a network namespace of its own: two members on the fabric, cut apart and healed."""

from __future__ import annotations

import os
import subprocess
import sys

from msgspec.structs import replace

from tongbao.localnet.plan import FORMAT, Member, Plan
from tongbao.simulation.network.fabric import INSIDE, Namespaces, enter_namespaces

SECONDS = 1
LISTEN = (
    "import socket, sys; server = socket.create_server((sys.argv[1], 26656))\n"
    "print('ready', flush=True)\n"
    "while True: server.accept()[0].close()"
)
CONNECT = f"import socket, sys; socket.create_connection((sys.argv[1], 26656), {SECONDS})"


def reaches(fabric: Namespaces, member: Member, host: str) -> bool:
    """Whether a process of a member can connect to a host."""
    command = [*fabric.prefix(member), sys.executable, "-c", CONNECT, host]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Print who was reached: before, cut apart, by a third member meanwhile, healed; and again."""
    os.environ[INSIDE] = "1"
    enter_namespaces(())
    one = Member(
        name="one", node_id="1" * 40, validator="", operator="", http_port=1, p2p_port=1, rpc_port=1
    )
    members = (one, replace(one, name="two"), replace(one, name="three"))
    with Namespaces() as fabric:
        plan = fabric.placed(Plan(format=FORMAT, chain="c", members=members))
        one, two, three = plan.members
        listening = subprocess.Popen(
            [*fabric.prefix(two), sys.executable, "-c", LISTEN, two.host], stdout=subprocess.PIPE
        )
        assert listening.stdout is not None and listening.stdout.readline() == b"ready\n"
        print("before", reaches(fabric, one, two.host))
        fabric.cut([("one", "two")])
        print("cut", reaches(fabric, one, two.host))
        print("third", reaches(fabric, three, two.host))
        fabric.heal()
        print("healed", reaches(fabric, one, two.host))
        listening.kill()
        listening.wait()
        listening.stdout.close()
    with Namespaces() as fabric:
        plan = fabric.placed(Plan(format=FORMAT, chain="c", members=members))
        print("again", len(plan.members))


if __name__ == "__main__":
    main()
