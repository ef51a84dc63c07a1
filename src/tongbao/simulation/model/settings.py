"""Validators, peers and parameters in the model: what a decision of operators sets."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model.books import Turn, need
from tongbao.simulation.model.numbers import KernelWhy


def set_validator(turn: Turn, action: dict[str, Any]) -> None:
    """A key votes with a power."""
    known, key = turn.books.validators, action["key"]
    need(key not in turn.unacceptable, KernelWhy.VALIDATOR_KEY_IS_NOT_ACCEPTABLE)
    most = turn.values["kernel.validators_limit"]
    need(key in known or len(known) < most, KernelWhy.TOO_MANY_VALIDATORS)
    known[key] = action["power"]


def remove_validator(turn: Turn, action: dict[str, Any]) -> None:
    """A key votes no more."""
    known, key = turn.books.validators, action["key"]
    need(key in known, KernelWhy.VALIDATOR_NOT_FOUND)
    need(len(known) > 1, KernelWhy.LAST_VALIDATOR_STAYS)
    del known[key]


def admit_peer(turn: Turn, action: dict[str, Any]) -> None:
    """A node may connect."""
    known, node = turn.books.peers, action["node"]
    most = turn.values["kernel.peers_limit"]
    need(node in known or len(known) < most, KernelWhy.TOO_MANY_PEERS)
    known[node] = True


def remove_peer(turn: Turn, action: dict[str, Any]) -> None:
    """A node may not."""
    known, node = turn.books.peers, action["node"]
    need(node in known, KernelWhy.PEER_NOT_FOUND)
    del known[node]


def set_parameter(turn: Turn, action: dict[str, Any]) -> None:
    """A number from the next block on."""
    name, value = action["name"], action["value"]
    need(name in turn.bounds, KernelWhy.PARAMETER_NOT_FOUND)
    low, high = turn.bounds[name]
    need(low <= value <= high, KernelWhy.PARAMETER_IS_OUT_OF_BOUNDS)
    turn.books.parameters[name] = value


RULES: Final = {
    "governance.set_validator": set_validator,
    "governance.remove_validator": remove_validator,
    "governance.admit_peer": admit_peer,
    "governance.remove_peer": remove_peer,
    "governance.set_parameter": set_parameter,
}
