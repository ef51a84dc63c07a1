"""What a new chain agrees on: the installed modules, one authority, the first accounts."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from tests.fixed_chain import BEGIN, key
from tongbao.engines.solo import Producer
from tongbao.kernel import Machine
from tongbao.kernel.genesis import hash_of, read_genesis, section, write_genesis
from tongbao.kernel.kernel_module import parameters as parameter_rows
from tongbao.modules import account
from tongbao.modules.registry import registry
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, module_lines, single_key
from tongbao.sdk.packages import module_hash
from tongbao.store.memory import MemoryStore

PEOPLE = ("bank", "alice", "shop")
OPENINGS = tuple(single_key(key(name).key_id) for name in PEOPLE)
AUTHORITY = key("authority").key_id

FIRST = [
    "fea270aca9f6dcc3aa13abca1979a2af14618ee7",
    "5b7c68d608830ec660abf0cd7373125936d7bb3a",
    "724d4406f58219b9c9436ccbaf770d47b986c645",
]
THOUSAND = "25f42d306ea8b438083d61d9482e7674234e94832b740d4777439c510da8aa96"
"""SHA-256 of the first thousand addresses, one a line."""


def test_a_single_key_has_the_whole_say() -> None:
    """
    Given a public key,
    when the opening of its account is made,
    then that key alone reaches both thresholds, and there is one lane.
    """
    opening = single_key(key("alice").key_id)
    assert msgspec.json.decode(msgspec.json.encode(opening)) == {
        "@type": "account.open",
        "keys": [{"key": {"algorithm": 1, "public": key("alice").key_id}, "weight": 1}],
        "ordinary": 1,
        "sensitive": 1,
        "lanes": 1,
    }


def test_addresses_of_genesis_are_those_that_a_chain_gives_its_first_accounts() -> None:
    """
    Given a genesis with three accounts,
    when a chain begins with it,
    then each account is under the address that was known before, and the address after is free.
    """
    genesis = build_genesis(registry(), "three", BEGIN, AUTHORITY, OPENINGS)
    store = MemoryStore()
    machine = Machine(registry(), genesis, store, -1, 0)
    Producer(machine, store, key("authority")).begin()
    table = registry().table("account.accounts")
    for place, name in enumerate(PEOPLE):
        raw = machine.row(table, genesis_address(place))
        assert raw is not None
        (entry,) = table.decode(raw).keys
        assert entry.key.public == key(name).key_id
    assert machine.row(table, genesis_address(len(PEOPLE))) is None


def test_addresses_of_genesis_never_change_and_never_meet() -> None:
    """
    Given the first thousand places of genesis,
    when their addresses are asked for,
    then all differ, and their hash is the one that was frozen: chains rely on it.
    """
    addresses = [genesis_address(place) for place in range(1_000)]
    assert len(set(addresses)) == len(addresses)
    assert addresses[:3] == FIRST
    assert sha256("\n".join(addresses).encode()).hexdigest() == THOUSAND


def test_every_installed_module_has_its_line() -> None:
    """
    Given the installed modules,
    when their lines for genesis are made,
    then each has number, name, version and the hash of its code, in the registry's order.
    """
    modules = registry().modules
    assert [
        (line.number, line.name, line.version, line.hash) for line in module_lines(registry())
    ] == [(module.number, module.name, module.version, module_hash(module)) for module in modules]


def test_a_built_genesis_says_what_was_given() -> None:
    """
    Given name, time, authority, accounts, parameters out of order and a section,
    when genesis is built,
    then it says just that, parameters by name, and reads back as it is.
    """
    more = section("later", {})
    settings = {"kernel.transaction_rows": 500, "kernel.due_items": 9}
    genesis = build_genesis(registry(), "given", BEGIN, AUTHORITY, OPENINGS, settings, (more,))
    assert read_genesis(write_genesis(genesis)) == genesis
    first = section("account", account.Start(accounts=OPENINGS))
    assert msgspec.json.decode(write_genesis(genesis)) == {
        "format": 1,
        "chain": "given",
        "time": BEGIN,
        "engine": {"name": "solo", "keys": [AUTHORITY]},
        "authentication": "account",
        "modules": [msgspec.to_builtins(line) for line in module_lines(registry())],
        "parameters": [
            {"name": "kernel.due_items", "value": 9},
            {"name": "kernel.transaction_rows", "value": 500},
        ],
        "sections": [
            {"module": "account", "content": msgspec.json.decode(first.content)},
            {"module": "later", "content": {}},
        ],
    }


def test_the_order_in_which_parameters_are_given_changes_nothing() -> None:
    """
    Given the same parameters in two orders,
    when genesis is built with each, and with none in two ways,
    then both chains are one.
    """
    given = {"kernel.transaction_rows": 500, "kernel.due_items": 9}
    turned = dict(reversed(given.items()))
    for one, other in ((given, turned), (None, {})):
        assert hash_of(
            build_genesis(registry(), "one", BEGIN, AUTHORITY, OPENINGS, one)
        ) == hash_of(build_genesis(registry(), "one", BEGIN, AUTHORITY, OPENINGS, other))


def test_a_parameter_of_genesis_holds_from_block_0_on() -> None:
    """
    Given a genesis that sets one parameter,
    when a chain begins with it,
    then that one is set, kept in its row, and all others are as declared.
    """
    genesis = build_genesis(registry(), "set", BEGIN, AUTHORITY, OPENINGS, {"kernel.due_items": 9})
    store = MemoryStore()
    machine = Machine(registry(), genesis, store, -1, 0)
    Producer(machine, store, key("authority")).begin()
    declared = {name: parameter.default for name, parameter in registry().parameters.items()}
    assert machine.parameters == declared | {"kernel.due_items": 9}
    assert machine.row(parameter_rows, "kernel.due_items") == b'{"@version":1,"value":9}'


def test_whatever_parties_agree_on_makes_another_chain() -> None:
    """
    Given geneses of which each differs from the first in one thing,
    when their hashes are compared,
    then no two are of one chain.
    """
    known = registry()
    geneses = [
        build_genesis(known, "one", BEGIN, AUTHORITY, OPENINGS),
        build_genesis(known, "two", BEGIN, AUTHORITY, OPENINGS),
        build_genesis(known, "one", BEGIN + 1, AUTHORITY, OPENINGS),
        build_genesis(known, "one", BEGIN, key("bank").key_id, OPENINGS),
        build_genesis(known, "one", BEGIN, AUTHORITY, OPENINGS[::-1]),
        build_genesis(known, "one", BEGIN, AUTHORITY, OPENINGS[:2]),
        build_genesis(known, "one", BEGIN, AUTHORITY, OPENINGS, {"kernel.due_items": 9}),
    ]
    assert len({hash_of(genesis) for genesis in geneses}) == len(geneses)
