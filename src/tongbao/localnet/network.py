"""A network while it runs: all members started, watched, and changed by orders."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from tongbao.localnet import control, holding, voting
from tongbao.localnet.board import NOT_READY, UP, Seen, look
from tongbao.localnet.control import Done, Order, Tell
from tongbao.localnet.errors import LocalnetError
from tongbao.localnet.joining import state_sync
from tongbao.localnet.laying import PORTS, add_member, begin, must_be_new
from tongbao.localnet.member_process import MemberProcess
from tongbao.localnet.plan import (
    FILE,
    SECRET_FILE,
    Member,
    Plan,
    read_plan,
    secret_of,
    write_plan,
)
from tongbao.localnet.ports import free_ports, is_free
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.store.closable import Closable

SETTINGS: Final = (
    *("--log-level", "warning", "--rate-per-s", "1000000"),
    *("--snapshot-interval", "10"),
)
"""What members are told besides their places: load comes from one address here, and who joins finds
a young snapshot."""


class Network(Closable):
    """The processes of one folder's network. Close it, or use it in a `with` statement."""

    def __init__(self, folder: Path, plan: Plan, settings: Sequence[str] = SETTINGS) -> None:
        """Know the members; nothing is started yet."""
        self.folder = folder
        self.plan = plan
        self.secret = secret_of(folder)
        self._settings = settings
        self._lock_of_folder: int | None = None
        self._lock = threading.Lock()
        self.members = {member.name: MemberProcess(folder, member) for member in plan.members}

    @classmethod
    def open_or_begin(
        cls,
        folder: Path,
        validators: int,
        name: str,
        tell: Tell,
        *,
        parameters: Mapping[str, int] | None = None,
    ) -> Network:
        """Start every member of the folder's network, which begins if there is none.

        `parameters` are those that a new genesis sets otherwise than usual.

        Raises LocalnetError.
        """
        control.must_not_run(folder)
        if not (folder / FILE).exists():
            must_be_new(folder)
            folder.mkdir(parents=True, exist_ok=True)
        lock = holding.hold(folder)
        try:
            return cls._opened(folder, validators, name, tell, lock, parameters)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def _opened(
        cls,
        folder: Path,
        validators: int,
        name: str,
        tell: Tell,
        lock: int,
        parameters: Mapping[str, int] | None,
    ) -> Network:
        for left in holding.end_left_behind(folder):
            tell(f"{left} had been left running, and is ended first")
        if not (folder / FILE).exists():
            tell(f"making {validators} validators in {folder}")
            begin(folder, validators, name, parameters)
        network = cls(folder, _with_free_ports(folder, read_plan(folder)))
        try:
            network.start_all(tell)
        except BaseException:
            network.close()
            raise
        network._lock_of_folder = lock
        return network

    def start_all(self, tell: Tell) -> None:
        """Start all members, wait until each answers and takes part. Raises LocalnetError."""
        processes = list(self.members.values())
        for process in processes:
            self._start(process)
        for process in processes:
            process.wait_until_ready()
            tell(f"{process.member.name} answers at {process.member.address}")
        for process in processes:
            process.wait_until_part()

    def _start(self, process: MemberProcess, *further: str) -> None:
        others = [each.peer for each in self.plan.members if each is not process.member]
        process.start(others, (*self._settings, *further))

    def process(self, name: str) -> MemberProcess:
        """The process of a member. Raises LocalnetError."""
        return self.members[self.plan.member(name).name]

    def up(self) -> list[Member]:
        """The members that answer now, in their order."""
        processes = [each for each in self.members.values() if each.is_running]
        if not processes:
            return []
        with ThreadPoolExecutor(len(processes)) as pool:
            answers = list(pool.map(lambda one: not one.is_paused and one.answers(), processes))
        return [one.member for one, is_up in zip(processes, answers, strict=True) if is_up]

    def look(self) -> list[Seen]:
        """How every member is now."""
        processes = list(self.members.values())
        seen = look(processes)
        for one, process in zip(seen, processes, strict=True):
            if one.state in (UP, NOT_READY):
                with suppress(NodeError, OSError, Unreachable):
                    powers = voting.powers(process.member)
                    return [
                        replace(each, power=powers.get(other.member.validator, 0))
                        for each, other in zip(seen, processes, strict=True)
                    ]
        return seen

    def close(self) -> None:
        """Stop every member. May be called again."""
        processes = list(self.members.values())
        if processes:
            with ThreadPoolExecutor(len(processes)) as pool:
                list(pool.map(MemberProcess.stop, processes))
        if self._lock_of_folder is not None:
            os.close(self._lock_of_folder)
            self._lock_of_folder = None

    # Orders

    def carry_out(self, order: Order, tell: Tell, stop: Callable[[], None]) -> Done:
        """Do what was asked, one order after the other. Raises LocalnetError."""
        with self._lock:
            match order.verb:
                case "status":
                    done = self._status()
                case "stop":
                    stop()
                    done = Done("the network is being stopped")
                case "add":
                    done = self.add(order.name, tell)
                case "remove":
                    done = self.remove(self.process(order.name).member, tell)
                case _:
                    done = self._disturb(order)
            return done

    def _disturb(self, order: Order) -> Done:
        """Kill, pause or revive a member."""
        process = self.process(order.name)
        if order.verb == "kill":
            process.kill()
            return Done(f"{order.name} was killed, and its CometBFT with it")
        if order.verb == "pause":
            process.pause()
            return Done(f"{order.name} is paused")
        return self.revive(process)

    def _status(self) -> Done:
        seen = self.look()
        up = [each for each in seen if each.state in (UP, NOT_READY)]
        voting_power = sum(each.power or 0 for each in up)
        total = sum(each.power or 0 for each in seen)
        verdict = (
            f"{len(up)} of {len(seen)} nodes are up, with {voting_power:,} of {total:,} power"
            + ("" if 3 * voting_power > 2 * total else ": blocks wait for more than two thirds")
        )
        why = next((f"; {each.node} says: {each.why}" for each in up if each.why), "")
        return Done(verdict + why, msgspec.Raw(msgspec.json.encode({"nodes": seen})))

    def revive(self, process: MemberProcess) -> Done:
        """Start a member that was killed, or let a paused one go on, until it has caught up.

        Raises LocalnetError.
        """
        if process.is_paused:
            process.resume()
        self._start(process)
        process.wait_until_ready()
        others = [member for member in self.up() if member is not process.member]
        if others:
            voting.wait_for_height(process.member, voting.height(others[0]))
            process.wait_until_part()
        return Done(f"{process.member.name} is up")

    def add(self, name: str, tell: Tell) -> Done:
        """A new member: admitted by votes, caught up, and a validator by votes.

        Raises LocalnetError.
        """
        if name in self.members and not self._power(self.members[name].member):
            return self.join(self.members[name], tell)  # an earlier attempt came so far
        plan = add_member(self.folder, self.plan, name)
        member = plan.member(name)
        tell(f"{name}: keys and folder are made")
        voting.decide(self, voting.admission(member), f"admit {name}", tell)
        self.plan = plan
        write_plan(self.folder, plan)
        process = self.members[name] = MemberProcess(self.folder, member)
        return self.join(process, tell)

    def _power(self, member: Member) -> int:
        """With what a member votes now. Raises LocalnetError while no node answers."""
        up = self.up()
        if not up:
            raise LocalnetError("no node is up", "revive one with `tongbao localnet revive NAME`")
        return voting.powers(up[0]).get(member.validator, 0)

    def join(self, process: MemberProcess, tell: Tell) -> Done:
        """Start an admitted member, and make it a validator once it has caught up."""
        member = process.member
        snapshots = state_sync(self.folder, self.up_but(member))
        self._start(process, *snapshots)
        process.wait_until_ready()
        tell(f"{member.name}: catching up{' by a snapshot' if snapshots else ', block by block'}")
        voting.wait_for_height(member, voting.height(self.up_but(member)[0]))
        voting.decide(self, voting.promotion(member), f"make {member.name} a validator", tell)
        process.wait_until_part()
        return Done(f"{member.name} is a validator, at {member.address}")

    def up_but(self, member: Member) -> list[Member]:
        """The other members that answer now. Raises LocalnetError when there is none."""
        others = [each for each in self.up() if each is not member]
        if not others:
            raise LocalnetError("no other node is up", "revive one with `tongbao localnet revive`")
        return others

    def remove(self, member: Member, tell: Tell) -> Done:
        """Take a member's power and admission by votes, then stop it. Raises LocalnetError."""
        actions = voting.removal(member, self.plan, self._power(member))
        voting.decide(self, actions, f"remove {member.name}", tell)
        self.members.pop(member.name).stop()
        left = tuple(each for each in self.plan.members if each is not member)
        self.plan = msgspec.structs.replace(self.plan, members=left)
        write_plan(self.folder, self.plan)
        return Done(f"{member.name} is removed; its folder is kept")


def _with_free_ports(folder: Path, plan: Plan) -> Plan:
    """The plan with other ports where somebody else has taken one since."""
    members = tuple(map(_on_free_ports, plan.members))
    if members != plan.members:
        plan = msgspec.structs.replace(plan, members=members)
        write_plan(folder, plan)
    return plan


def _on_free_ports(member: Member) -> Member:
    ports = (member.http_port, member.p2p_port, member.rpc_port)
    if all(is_free(member.host, port) for port in ports):
        return member
    http_port, p2p_port, rpc_port = free_ports(PORTS, member.host)
    return msgspec.structs.replace(
        member, http_port=http_port, p2p_port=p2p_port, rpc_port=rpc_port
    )


def wipe(folder: Path) -> None:
    """Remove a network that does not run, or whose making was cut short. Raises LocalnetError."""
    control.must_not_run(folder)
    if not (folder / SECRET_FILE).exists():
        read_plan(folder)  # says that there is none
    with holding.held(folder):
        holding.end_left_behind(folder)
        # The two files go last: with them, one that was killed meanwhile is done again.
        for path in set(folder.iterdir()) - {folder / FILE, folder / SECRET_FILE}:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.rmtree(folder)
