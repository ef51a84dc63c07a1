"""What a local network is: its members, their keys' names and their ports, in one file."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tongbao.localnet.errors import LocalnetError
from tongbao.localnet.ports import HOST

FILE: Final = "localnet.json"
SECRET_FILE: Final = "localnet-secret"
FORMAT: Final = 1
MEMBERS_LIMIT: Final = 32
FILE_BYTES_LIMIT: Final = 1_048_576
SECRET_DIGITS: Final = 64

NAME_PATTERN: Final = r"^(?!lock\Z)[a-z][a-z0-9-]{0,15}\Z"
"""A folder has the name, and a file of the network's folder is called `lock`."""
BAD_USAGE: Final = 2

MemberName = Annotated[str, Meta(pattern=NAME_PATTERN)]
Port = Annotated[int, Meta(ge=1, le=65_535)]


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One node: its name is that of its folder. Keys are in that folder, under the one secret.

    `node_id` is CometBFT's, `validator` the public key that it votes with, `operator` the account
    that votes in governance ("" where none does), `host` where it listens.
    """

    name: MemberName
    node_id: str
    validator: str
    operator: str
    http_port: Port
    p2p_port: Port
    rpc_port: Port
    host: str = HOST

    @property
    def address(self) -> str:
        """Where its HTTP interface is."""
        return f"http://{self.host}:{self.http_port}"

    @property
    def rpc(self) -> str:
        """Where light clients of joining nodes ask its CometBFT."""
        return f"tcp://{self.host}:{self.rpc_port}"

    @property
    def peer(self) -> str:
        """How CometBFT names it to others."""
        return f"{self.node_id}@{self.host}:{self.p2p_port}"


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole network."""

    format: int
    chain: str
    members: Annotated[tuple[Member, ...], Meta(min_length=1, max_length=MEMBERS_LIMIT)]

    def member(self, name: str) -> Member:
        """The member of a name. Raises LocalnetError."""
        for member in self.members:
            if member.name == name:
                return member
        known = ", ".join(member.name for member in self.members)
        raise LocalnetError(f"there is no {name!r} here: take one of {known}")


def read_plan(folder: Path) -> Plan:
    """The plan of a folder. Raises LocalnetError."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            plan = msgspec.json.decode(file.read(FILE_BYTES_LIMIT), type=Plan)
    except FileNotFoundError as error:
        raise LocalnetError(
            f"{folder} holds no local network: begin one with `tongbao localnet --folder {folder}`"
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise LocalnetError(f"{path} can't be read: {error}", wipe_advice(folder)) from error
    if plan.format != FORMAT:
        raise LocalnetError(f"{path} has format {plan.format}, not {FORMAT}", wipe_advice(folder))
    return plan


def council_threshold(operators: int) -> int:
    """How many of the operators decide: more than two thirds."""
    return 2 * operators // 3 + 1


def must_be_name(name: str) -> None:
    """Raise LocalnetError unless a member can have a name."""
    if not re.match(NAME_PATTERN, name):
        raise LocalnetError(
            f"{name!r} can't name a node",
            "use 1 to 16 of a-z, 0-9 and -, a letter first, and not `lock`",
            BAD_USAGE,
        )


def write_plan(folder: Path, plan: Plan) -> None:
    """Put a plan in the place of the one before."""
    partial = folder / f"{FILE}.part"
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(plan)) + b"\n")
    partial.replace(folder / FILE)


def wipe_advice(folder: Path) -> str:
    """How to begin anew where nothing can be saved."""
    return f"remove it with `tongbao localnet wipe --folder {folder}`, and begin anew"


def secret_of(folder: Path) -> str:
    """The passphrase of all keys in a folder, made at the first start; it protects nothing else.

    Raises LocalnetError.
    """
    path = folder / SECRET_FILE
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SECRET_DIGITS // 2))
    secret = path.read_text()
    if len(secret) != SECRET_DIGITS:
        raise LocalnetError(f"{path} was cut short", wipe_advice(folder))
    return secret
