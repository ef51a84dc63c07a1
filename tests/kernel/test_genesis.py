"""The genesis file: one spelling, one id, nothing in it that the installed code doesn't know."""

import json
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from tests.fixed_chain import BEGIN, FIRST_MODULES, NO_HASH, fixed_genesis, key
from tests.golden_file import check_golden
from tests.kernel.diary.rules import INK, WORDS
from tests.kernel.diary.rules import module as diary
from tongbao.kernel import Count, Genesis, GenesisError, Hash, Machine, Name, Registry, Small
from tongbao.kernel.code import NOT_FIXED
from tongbao.kernel.genesis import (
    EngineLine,
    Section,
    Setting,
    chain_id,
    hash_of,
    read_genesis,
    section,
    write_genesis,
)
from tongbao.kernel.kernel_module import JSON_DEPTH, ModuleLine, SettingName
from tongbao.kernel.module import Parameter
from tongbao.modules import account
from tongbao.modules.registry import registry
from tongbao.sdk.choosing import choose_modules
from tongbao.sdk.genesis_builder import build_genesis, module_lines, single_key
from tongbao.testing.backing import SortedBacking

FIXED = fixed_genesis()
WHOLE = replace(FIXED, modules=module_lines(registry()))
TEXT = write_genesis(FIXED)
LAST = FIXED.modules[-1]


def setting(name: str, value: int) -> Setting:
    """A line of parameters or features."""
    return Setting(name=SettingName(name), value=Count(value))


def begun(genesis: Genesis, modules: Registry | None = None) -> Machine:
    """A machine whose block 0 is made of a genesis file, as it is read."""
    machine = Machine(
        modules or FIRST_MODULES, read_genesis(write_genesis(genesis)), SortedBacking(), -1, 0
    )
    machine.genesis()
    machine.commit()
    return machine


def lines(*changed: ModuleLine) -> dict[str, Any]:
    """The module lines with others in the place of the last."""
    return {"modules": (*FIXED.modules[:-1], *changed)}


def sections(*added: Section) -> dict[str, Any]:
    """The sections with more behind them."""
    return {"sections": (*FIXED.sections, *added)}


def raw(module: str, text: bytes) -> dict[str, Any]:
    """One section whose content is written by hand."""
    built = section(module, {})
    content = type(built.content)(text)
    return {"sections": (replace(built, content=content),)}


class Wrong(NamedTuple):
    """What is changed in a good genesis file, and what the answer says."""

    rule: str
    changed: dict[str, Any]
    says: str


DOUBLED_KEY = account.Start(
    accounts=(replace(single_key(key("x").key_id), keys=single_key(key("x").key_id).keys * 2),)
)
ROWS, ITEMS = setting("kernel.block_rows", 20_000), setting("kernel.due_items", 7)
WRONG = (
    Wrong("module of another version", lines(replace(LAST, version=Small(2))), "hold 7 version 2"),
    Wrong("module of another name", lines(replace(LAST, name=Name("held"))), "held 7 version 1 is"),
    Wrong("module of another number", lines(replace(LAST, number=Small(8))), "hold 8 version 1 is"),
    Wrong("module left out", lines(), "does not name every module that is installed"),
    Wrong(
        "module that is not installed",
        lines(LAST, replace(LAST, number=Small(9), name=Name("loan"))),
        "loan 9 version 1 is not installed",
    ),
    Wrong("module twice", lines(LAST, LAST), "module hold stands twice"),
    Wrong("kernel left out", {"modules": FIXED.modules[1:]}, "does not name every module"),
    Wrong("authentication by nobody", {"authentication": Name("who")}, "names no module: who"),
    Wrong(
        "authentication by a module without keys", {"authentication": Name("asset")}, "asset doe"
    ),
    Wrong("parameter of nobody", {"parameters": (setting("kernel.rows", 1),)}, "parameter kernel."),
    Wrong("parameter of no module", {"parameters": (setting("loan.x", 1),)}, "parameter loan.x"),
    Wrong("parameter twice", {"parameters": (ROWS, ITEMS, ROWS)}, "block_rows stands twice"),
    Wrong("feature of nobody", {"features": (setting("hold.x", 1),)}, "has a feature hold.x"),
    Wrong("feature twice", {"features": (setting("hold.x", 1),) * 2}, "hold.x stands twice"),
    Wrong("section twice", sections(FIXED.sections[0]), "section account stands twice"),
    Wrong("section of nobody", sections(section("loan", {})), "names no module: loan"),
    Wrong("section that is not taken", sections(section("asset", {})), "asset takes no section"),
    Wrong("section of another form", {"sections": (section("account", {}),)}, "section account: "),
    Wrong("section with spaces", raw("account", b'{"accounts": []}'), "section account: not in"),
    Wrong(
        "section that its module refuses",
        {"sections": (section("account", DOUBLED_KEY),)},
        r"section account: account\.KEY_IS_DOUBLED",
    ),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.rule)
def test_no_chain_begins_with_a_file_that_does_not_fit(wrong: Wrong) -> None:
    """
    Given a genesis file that names something wrongly,
    when a chain begins with it,
    then it is refused, and the text says what to change.
    """
    with pytest.raises(GenesisError, match=wrong.says):
        begun(replace(FIXED, **wrong.changed))


def test_code_that_genesis_does_not_name_is_not_run() -> None:
    """
    Given genesis files with the hashes of the installed packages, with another, and with one open,
    when a folder would be opened on them,
    then the second is refused in the name of the module whose code is another.
    """
    built = build_genesis(registry(), "real", BEGIN, key("authority").key_id, ())
    choose_modules(built, {}, -1, to_write=True)
    for at, line in enumerate(built.modules):
        changed = list(built.modules)
        changed[at] = replace(line, hash=Hash("ab" * 32))
        with pytest.raises(GenesisError, match=f"module {line.name} {line.number} is not the one"):
            choose_modules(replace(built, modules=tuple(changed)), {}, -1, to_write=True)
        changed[at] = replace(line, hash=NOT_FIXED)
        choose_modules(replace(built, modules=tuple(changed)), {}, -1, to_write=True)


@pytest.mark.parametrize("parameter", registry().parameters.values(), ids=lambda one: one.name)
def test_a_parameter_stays_within_its_bounds(parameter: Parameter) -> None:
    """
    Given a parameter of any module,
    when genesis sets it to its bounds and one beyond each,
    then the bounds hold for the chain that begins, and what is beyond is refused.
    """
    for value in (parameter.low, parameter.high):
        if parameter is not JSON_DEPTH or value >= registry().json_depth:
            settings = (setting(parameter.name, value),)
            machine = begun(replace(WHOLE, parameters=settings), registry())
            assert machine.parameters[parameter.name] == value
    for value in (parameter.low - 1, parameter.high + 1):
        wrong = replace(WHOLE, parameters=(setting(parameter.name, value),))
        # What is below zero is no value of any parameter: the file can't be read.
        said = f"{parameter.name} is {parameter.low} to" if value >= 0 else ">= 0"
        with pytest.raises(GenesisError, match=said):
            begun(wrong, registry())


def test_settings_outlive_the_process() -> None:
    """
    Given a chain whose genesis sets one of a module's parameters and begins one of its features,
    when a new machine stands up on its rows,
    then it has both, and the declared defaults of all others.
    """
    above = Registry((account.module, diary))
    people = (single_key(key("bank").key_id),)
    limits = {WORDS.name: 2}
    built = build_genesis(above, "diary", BEGIN, key("authority").key_id, people, limits)
    genesis = replace(built, features=(setting(INK.name, 12),))
    rows = SortedBacking()
    machine = Machine(above, genesis, rows, -1, 0)
    rows.put(machine.genesis().rows)
    again = Machine(above, genesis, rows, 0, BEGIN)

    defaults = {name: each.default for name, each in above.parameters.items()}
    assert again.parameters == defaults | limits
    assert again.features == {INK.name: 12}
    with pytest.raises(GenesisError, match="section diary: "):
        begun(replace(genesis, sections=(section("diary", {"pages": -1}),)), above)


def other_spellings() -> dict[str, bytes]:
    """Texts that another JSON reader takes for the same genesis, or nearly."""
    members = json.loads(TEXT)
    backwards = dict(reversed(members.items()))
    tight = (",", ":")
    return {
        "spaces": json.dumps(members, sort_keys=True).encode(),
        "lines": json.dumps(members, sort_keys=True, indent=1).encode(),
        "line end": TEXT + b"\n",
        "space in a section": TEXT.replace(b'"content":{', b'"content": {'),
        "order": json.dumps(backwards, separators=tight).encode(),
        "a member twice": TEXT.replace(b'"format":1', b'"format":1,"format":1'),
        "a default spelled out": TEXT.replace(b'"format":1', b'"features":[],"format":1'),
        "an escape": TEXT.replace(b'"chain":"f', rb'"chain":"\u0066'),
        "a byte order mark": b"\xef\xbb\xbf" + TEXT,
        "a number with a point": TEXT.replace(b'"format":1', b'"format":1.0'),
        "null": TEXT.replace(b'"format":1', b'"features":null,"format":1'),
        "an unknown member": TEXT.replace(b'"format":1', b'"format":1,"formats":1'),
        "a member less": TEXT.replace(b'"format":1,', b""),
        "another format": TEXT.replace(b'"format":1', b'"format":2'),
        "capitals in a hash": TEXT.replace(b"0" * 64, b"A" * 64),
        "no JSON": TEXT[:-1],
        "nothing": b"",
    }


@pytest.mark.parametrize("spelling", other_spellings())
def test_a_genesis_file_has_one_spelling(spelling: str) -> None:
    """
    Given a genesis file that is written in another way,
    when it is read,
    then it is refused: two spellings would be two hashes of one chain.
    """
    text = other_spellings()[spelling]
    assert text != TEXT
    with pytest.raises(GenesisError):
        read_genesis(text)


def test_the_id_names_the_chain_and_every_byte_of_its_file() -> None:
    """
    Given a genesis file and others that differ in one member each,
    when their ids are made,
    then each begins with the chain's name, and no two are the same.
    """
    line = FIXED.modules[0]
    others = (
        replace(FIXED, time=FIXED.time + 1),
        replace(FIXED, authentication=Name("asset")),
        replace(FIXED, engine=EngineLine(name=Name("solo"))),
        replace(FIXED, engine=replace(FIXED.engine, name=Name("other"))),
        replace(FIXED, modules=(replace(line, hash=Hash("1" * 64)), *FIXED.modules[1:])),
        replace(FIXED, modules=FIXED.modules[::-1]),
        replace(FIXED, parameters=(ITEMS,)),
        replace(FIXED, features=(ITEMS,)),
        replace(FIXED, sections=()),
    )
    ids = {chain_id(genesis) for genesis in (FIXED, *others)}

    assert len(ids) == 1 + len(others)
    assert {name.rpartition("-")[0] for name in ids} == {"fixed"}
    named = chain_id(replace(FIXED, chain=type(FIXED.chain)("other")))
    assert named.startswith("other-") and named[6:] != chain_id(FIXED)[6:]


@pytest.mark.parametrize("name", ["", "Fixed", "1st", "a-b", "a_b", "a.b", "ab ", "ä", "a" * 25])
def test_a_chains_name_is_short_and_plain(name: str) -> None:
    """
    Given a name that is empty, long or has more than small letters and digits,
    when a genesis file gives it to a chain,
    then the file is refused.
    """
    text = TEXT.replace(b'"chain":"fixed"', f'"chain":"{name}"'.encode())
    with pytest.raises(GenesisError, match="can't be read"):
        read_genesis(text)


def test_the_bytes_of_genesis_are_frozen() -> None:
    """
    Given a genesis file whose every byte is fixed,
    when its bytes, its hash, its id and the root of its block are compared with the golden file,
    then they are the same.
    """
    assert all(line.hash == NO_HASH for line in FIXED.modules)
    machine = begun(FIXED)
    found = {
        "file": TEXT.decode(),
        "hash": hash_of(FIXED).hex(),
        "chain": chain_id(FIXED),
        "state root": machine.state_root.hex(),
    }
    assert (machine.chain, machine.genesis_hash.hex()) == (found["chain"], found["hash"])
    check_golden("genesis.json", "fixed", found)
