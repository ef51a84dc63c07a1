"""What a module declares wrongly is refused when it is imported: each row breaks one rule."""

from pathlib import Path
from re import search
from typing import NamedTuple

import pytest

from tests.kernel.spoiling import GOOD, registry_of, spoiled
from tongbao.kernel import Module, Registry

TITLE = "    title: Reference\n"
WORDS = "    words: Annotated[tuple[Count, ...], Meta(max_length=3)] = ()\n"
WRITE = 'class Write(Message, tag=1):\n    """Write a page."""\n\n'
LEAF = "class Leaf(Record, version=2, previous=OldLeaf)"
UNTIL = "    kept_until: Time = Time(0)\n"
MODULE = 'module = Module(60_000, "diary", uses=(account.module,), reasons=Why)\n'
TABLE = "pages = module.table(1, key=Id, value=Leaf)\n"
INDEX = "by_writer = module.index(2, of=pages, by=lambda leaf: leaf.writer)\n"
OLD_LEAF = '''class OldLeaf(Record, version=1):
    """A page as it was kept at first."""

'''
PARAMETER = 'module.parameter("words", default=9, low=1, high=9, meaning="others")'
FEATURE = 'module.feature("ink", "another")'
QUERY = '''@module.query
def written_by(view: View, page: Id) -> Leaf | None:
    """Another one."""
    return view[pages].get(page)'''
LIMITS = "default=3, low=1, high=3"
WHY = 'PAGE_IS_ANOTHERS = 2, "one tears'
ACCOUNTS = "from tongbao.modules.account.rules import accounts\n"
DUE = '    """Throw away what was kept long enough."""\n'
HEARS = '    """Pages stay when their writer goes."""\n'
INVARIANT = '    """No page is nobody\'s."""\n'
BEGIN = '    """Nothing is written yet."""\n'
FORM = 'Annotated[str, Meta(pattern=r"^a\\Z")]'
ANY_TEXT = 'Annotated[str, Meta(pattern=r"^.{1,9}\\Z")]'
LONG_TEXT = 'Annotated[str, Meta(pattern=r"^[a-z]{1,240}\\Z")]'
HOLDS = "from tongbao.modules.hold.rules import by_expiry\n"


class Wrong(NamedTuple):
    """One broken rule: what the source says in the place of `old`, and what the answer says."""

    rule: str
    old: str
    new: str
    says: str


def field(rule: str, kind: str) -> Wrong:
    """A field of a message whose type is not allowed."""
    return Wrong(rule, TITLE, f"    title: {kind}\n", r"Write\.title has a type without bounds")


def key(rule: str, kind: str, says: str) -> Wrong:
    """A table whose key is of a type that can't be written for every value."""
    return Wrong(rule, TABLE, TABLE.replace("key=Id", f"key={kind}"), says)


def tag(rule: str, number: str) -> Wrong:
    """A message whose tag is no number of 1 or more."""
    says = r"Tear has a tag that is not an integer of 1 or more"
    return Wrong(rule, "Tear(Message, tag=2)", f"Tear(Message, tag={number})", says)


def default(rule: str, kind: str, value: str) -> Wrong:
    """A field of a record whose default is not allowed."""
    text = f"    kept_until: {kind} = {value}\n"
    return Wrong(rule, UNTIL, text, "Leaf has default")


RULES = (
    Wrong("message docstring", '    """Write a page."""\n\n', "", "Write has no docstring"),
    Wrong("event docstring", '    """A page was written."""\n\n', "", "Written has no docstring"),
    Wrong("record docstring", '    """A page of somebody\'s."""\n\n', "", "Leaf has no docstring"),
    field("float", "float"),
    field("text without a pattern", "str"),
    field("text with a length alone", "Annotated[str, Meta(max_length=9)]"),
    field("integer without bounds", "int"),
    field("integer with one bound", "Annotated[int, Meta(ge=0)]"),
    field("untyped field", "\"__import__('typing').Any\""),
    field("object", "object"),
    field("map", "dict[Reference, Count]"),
    field("list", "list[Count]"),
    field("bytes", "bytes"),
    field("part of a union", "Reference | float | None"),
    field("part of a tuple", "Annotated[tuple[str, ...], Meta(max_length=3)]"),
    Wrong(
        "field of an inner value",
        WRITE + TITLE,
        'class Word(Value):\n    """A word."""\n\n    text: str\n\n\n'
        + WRITE
        + "    title: Word\n",
        r"Word\.text has a type without bounds",
    ),
    Wrong(
        "field of an event",
        '    """A page was torn out."""\n\n    page: Id',
        '    """A page was torn out."""\n\n    page: str',
        r"Torn\.page has a type without bounds",
    ),
    default("default number", "Time", "Time(1)"),
    default("default truth", "bool", "True"),
    default("default text", "Reference", '""'),
    default("default number of another type", "Time", "False"),
    default("default truth of another type", "bool", "0"),
    default("default nothing without `| None`", "Time", "None"),
    default("default tuple of a fixed length", "tuple[Time, Time]", "()"),
    default("default outside its bounds", "Annotated[int, Meta(ge=1, le=9)]", "0"),
    default("default truth for an optional number", "Count | None", "False"),
    Wrong("record without a version", LEAF, "class Leaf(Record)", "Leaf has no version 1"),
    Wrong(
        "record without its first version", LEAF, "class Leaf(Record, version=2)", "no version 1"
    ),
    tag("tag zero", "0"),
    tag("tag below zero", "-2"),
    tag("tag that is a text", '"2"'),
    tag("tag that is a truth", "True"),
    Wrong("tag of an event", "Torn(Event, tag=2)", "Torn(Event, tag=0)", "Torn has a tag that"),
    Wrong(
        "version that is a truth",
        "OldLeaf(Record, version=1)",
        "OldLeaf(Record, version=True)",
        "OldLeaf has a version that is not an integer of 1 or more",
    ),
    Wrong("tag of two messages", "Tear(Message, tag=2)", "Tear(Message, tag=1)", "tag is used twi"),
    Wrong("tag of two events", "Torn(Event, tag=2)", "Torn(Event, tag=1)", "tag is used twice"),
    Wrong("number of two refusals", WHY, WHY.replace("2", "1"), "reason's code is used twice"),
    Wrong(
        "refusal with two names",
        WHY,
        'PAGE_IS_GONE = 1, "the page is there"\n    ' + WHY,
        "reason's code is used twice",
    ),
    Wrong(
        "refusals docstring",
        '    """Every refusal of this module."""\n\n',
        "",
        "Why has no docstring",
    ),
    Wrong(
        "refusal never given",
        WHY,
        'NOBODY_SAYS_THIS = 3, "never"\n    ' + WHY,
        "NOBODY_SAYS_THIS is never given",
    ),
    Wrong("module number taken", "60_000", "1", "number taken"),
    Wrong("module name taken", '60_000, "diary"', '60_000, "account"', "name taken"),
    Wrong("module named otherwise", '60_000, "diary"', '60_000, "book"', "is named for another"),
    Wrong(
        "module before one that it uses",
        "uses=(account.module,)",
        'uses=(account.module, Module(50_000, "below"))',
        "stands before a module that it uses",
    ),
    Wrong("table number taken", TABLE, TABLE + "more = " + TABLE[8:], "table number used twice"),
    Wrong("index number of a table", INDEX, INDEX.replace("2", "1"), "index number used twice"),
    Wrong("index number taken", INDEX, INDEX.replace("2", "3"), "index number used twice"),
    Wrong(
        "index of another's table",
        INDEX,
        ACCOUNTS + INDEX.replace("pages", "accounts").replace("writer)", "lanes)"),
        "can't index another module's table",
    ),
    key("key below zero", "Annotated[int, Meta(ge=-1, le=9)]", "key .* below zero"),
    key("text key without a pattern", "str", "key .* without bounds"),
    key("integer key without bounds", "tuple[Id, int]", "key .* without bounds"),
    key("key of any characters", ANY_TEXT, "key .* without bounds"),
    key("key too long", LONG_TEXT, "key .* 241 bytes"),
    Wrong("key that has no order", TABLE, TABLE.replace("key=Id", "key=float"), "of a row key"),
    Wrong("part of a key", TABLE, TABLE.replace("key=Id", "key=tuple[Id, bool]"), "of a row key"),
    Wrong(
        "message without a handler",
        "@module.handler\ndef tear",
        "def tear",
        "Tear has no handler",
    ),
    Wrong(
        "message with two handlers",
        "@module.handler\ndef tear",
        "@module.handler\n@module.handler\ndef tear",
        "Tear has two handlers",
    ),
    Wrong("handler docstring", '    """Keep a page."""\n', "", "write has no docstring"),
    Wrong("due docstring", DUE, "    pages\n", "forget has no docstring"),
    Wrong("hearing docstring", HEARS, "    pages\n", "keep_writers has no docstring"),
    Wrong("invariant docstring", INVARIANT, "", "every_page_has_a_writer has no docstring"),
    Wrong("genesis docstring", BEGIN, "    pages\n", "begin has no docstring"),
    Wrong(
        "function docstring",
        "@module.query\n",
        "@module.function\ndef helps(view: View) -> int:\n    return 1\n\n\n@module.query\n",
        "helps has no docstring",
    ),
    Wrong(
        "conservation docstring",
        "@module.query\n",
        "@module.conserves\ndef kept(view: object) -> bool:\n    return True\n\n\n@module.query\n",
        "kept has no docstring",
    ),
    Wrong(
        "two functions for one due list",
        "@module.due(by_end)\n",
        "@module.due(by_end)\n" * 2,
        "works off index 3 twice",
    ),
    Wrong(
        "query for an unbounded text", "writer: Address, after", "writer: str, after", "without b"
    ),
    Wrong("query docstring", '    """One writer\'s pages."""\n', "", "written_by has no docstring"),
    Wrong(
        "query without an index",
        "return view.page(by_writer, writer, after)",
        "return Page((), None)",
        "query written_by has no index",
    ),
    Wrong("name of a class fact", TITLE, "    is_last: bool\n", "is_last"),
    Wrong("version skipped", LEAF, LEAF.replace("2", "3"), "OldLeaf"),
    Wrong("refusal number zero", WHY, WHY.replace("2", "0"), "code"),
    Wrong("refusal number too large", WHY, WHY.replace("2", "1000"), "code"),
    Wrong("module number below zero", "60_000", "-1", "number"),
    Wrong("module number too large", "60_000", "65_536", "number"),
    Wrong("parameter below its bounds", LIMITS, "default=0, low=1, high=3", "words"),
    Wrong("parameter above its bounds", LIMITS, "default=4, low=1, high=3", "words"),
    Wrong("bounds the wrong way round", LIMITS, "default=2, low=3, high=1", "words"),
    Wrong(
        "announcement docstring",
        'class Lost(Value):\n    """A page that is no more, for the modules above to hear."""\n',
        "class Lost:\n",
        "docstring",
    ),
    Wrong("handler of no message", "msg: Tear", "msg: Leaf", "Leaf"),
    Wrong("due list of another", "@module.due(by_end)", HOLDS + "@module.due(by_expiry)", "hold"),
    Wrong("handler without `msg`", "ctx: Context, msg: Tear", "ctx: Context, told: Tear", "told"),
    Wrong("table number too large", TABLE, TABLE.replace("1", "65_536"), "table number"),
    Wrong("message without a tag", "Tear(Message, tag=2)", "Tear(Message)", "Tear has no tag"),
    Wrong("event without a tag", "Torn(Event, tag=2)", "Torn(Event)", "Torn has no tag"),
    Wrong("hearing of one not used", "uses=(account.module,)", "uses=()", "account"),
    Wrong(
        "structure over another's table",
        INDEX,
        ACCOUNTS + "module.derived(of=accounts, build=dict, on_write=print)\n" + INDEX,
        "table",
    ),
    Wrong("tuple without an end", WORDS, "    words: tuple[Count, ...] = ()\n", "without bounds"),
    Wrong(
        "text whose pattern has no end",
        TITLE,
        '    title: Annotated[str, Meta(pattern="^[a-z]*")]\n',
        "without bounds",
    ),
    field("text with a second pattern", rf"Annotated[{FORM}, Meta(pattern=r'^.\Z')]"),
    field("integer with second bounds", "Annotated[int, Meta(ge=0, le=9), Meta(le=2**60)]"),
    Wrong(
        "integer that JSON readers lose",
        TITLE,
        "    title: Annotated[int, Meta(ge=0, le=2**53)]\n",
        "without bounds",
    ),
    Wrong("member name that is not ASCII", TITLE, "    título: Reference\n", "ASCII"),
    Wrong(
        "member name in JSON that is not ASCII",
        TITLE,
        "    title: Reference = __import__('msgspec').field(name='título')\n",
        "ASCII",
    ),
    Wrong(
        "field of an old version",
        OLD_LEAF + "    writer: Address",
        OLD_LEAF + "    writer: str",
        r"OldLeaf\.writer has a type without bounds",
    ),
    Wrong("version that can't migrate", "def migrate", "def other", "Leaf declares no migration"),
    Wrong("parameter twice", "WORDS = ", f"FEW = {PARAMETER}\nWORDS = ", "words"),
    Wrong("feature twice", "INK = ", f"DYE = {FEATURE}\nINK = ", "ink"),
    Wrong("query twice", "@module.query\n", f"{QUERY}\n\n\n@module.query\n", "written_by"),
    Wrong("genesis twice", "@module.genesis\n", "@module.genesis\n@module.genesis\n", "genesis"),
    Wrong("parameter that no genesis can name", '"words"', '"Words of a page"', "Words"),
)


def name_of(wrong: Wrong) -> str:
    """What pytest shows."""
    return wrong.rule


def refusal(wrong: Wrong, folder: Path) -> str:
    """What importing the wrong module says; nothing for an assertion without a text of its own."""
    with pytest.raises(AssertionError) as caught:
        registry_of(folder, spoiled(wrong.old, wrong.new))
    text = str(caught.value)
    # pytest writes the condition where an assertion has no text.
    return "" if text.startswith("assert ") else text


def test_a_module_that_keeps_every_rule_loads(tmp_path: Path) -> None:
    """
    Given a module that declares one of everything,
    when it is imported and registered,
    then it is there with its messages: what the rows below change is all that is wrong in them.
    """
    registry = registry_of(tmp_path, GOOD)
    names = [message.__name__ for message in registry.module("diary").handlers]
    assert names == ["Write", "Tear"]


@pytest.mark.parametrize("wrong", RULES, ids=name_of)
def test_a_broken_rule_is_refused_with_its_name(wrong: Wrong, tmp_path: Path) -> None:
    """
    Given a module that breaks one rule,
    when it is imported,
    then it is refused, and the text says which declaration it is and what is wrong with it.
    """
    assert search(wrong.says, refusal(wrong, tmp_path))


@pytest.mark.parametrize("method", ["", "@classmethod", "@staticmethod", "@property"])
def test_a_refusal_given_in_a_method_alone_is_given(method: str, tmp_path: Path) -> None:
    """
    Given a refusal that only a method of a record gives,
    when the module is imported,
    then it loads: the refusal is given.
    """
    said = f"    {method}\n" if method else ""
    said += "    def check(*_: object) -> None:\n        require(False, Why.PAGE_IS_TORN)\n\n"
    text = spoiled("    @classmethod\n", said + "    @classmethod\n")
    text = text.replace(WHY, 'PAGE_IS_TORN = 3, "the page is whole"\n    ' + WHY)
    registry = registry_of(tmp_path, text)
    assert registry.reasons[60_000_003].name == "PAGE_IS_TORN"


def test_a_chain_needs_a_module_that_does_something() -> None:
    """
    Given no module at all, and one that declares nothing,
    when a registry is made of them,
    then it is refused in words.
    """
    with pytest.raises(AssertionError, match="no module has a message"):
        Registry(())
    with pytest.raises(AssertionError, match="does nothing"):
        Registry((Module(60_000, "idle"),))
