"""What modules declare: messages, records, events and the values inside them.

Declared once, as typed frozen classes; checked when the class is made and, where types must be
resolved, when its module is registered. Nothing that breaks a rule here can be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Final,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Meta, Struct, StructMeta

from tongbao.kernel import jcs
from tongbao.kernel.amount import Amount
from tongbao.kernel.identifiers import SAFE_INTEGER

DEFAULTS: tuple[object, ...] = (None, False, 0, ())
"""The only defaults: msgspec leaves a member out when it *is* the default, so it must be a
value of which Python has one."""

FACTS: Final = frozenset(
    {
        "wire_tag",
        "record_version",
        "previous_version",
        "is_sensitive",
        "is_last",
        "needs_permission",
    }
)
"""What every class knows about itself; no member may have such a name."""

BOUNDS: Final = (
    "a text's pattern begins with ^, ends with \\Z, repeats nothing for ever and names its "
    "characters: printable ASCII, without . or [^...] or \\w, flags or alternatives outside of a "
    "group; an integer has ge and le within 2^53 - 1; a tuple has max_length"
)

PRINTABLE: Final = range(0x20, 0x7F)
"""The characters that a declared text may have: ASCII from the space to the tilde."""

_parser: Final[Any] = import_module("re._parser")
"""What Python's own `re` reads patterns with; it has no types."""

_BEGINNING: Final = (_parser.AT, _parser.AT_BEGINNING)
_END: Final = (_parser.AT, _parser.AT_END_STRING)


def package_of(module_path: str) -> str:
    """The business module that a file belongs to: `tongbao.modules.hold.messages` -> `hold`."""
    parts = module_path.split(".")
    return parts[-2] if len(parts) > 1 else parts[0]


def wire_name(class_name: str, module_path: str) -> str:
    """The name on the wire: class `SetLanes` of package `account` -> `account.set_lanes`."""
    words = re.findall("[A-Z][a-z0-9]*", class_name)
    return f"{package_of(module_path)}.{'_'.join(map(_small, words))}"


def _small(word: str) -> str:
    """A word with a small first letter; `str.lower` changes with the Unicode version."""
    return chr(ord(word[0]) + 32) + word[1:]


class Wire(StructMeta):
    """Makes the frozen msgspec structs of the schema out of annotated classes."""

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        tag: int | None = None,
        version: int | None = None,
        sensitive: bool = False,
        last: bool = False,
        permission: bool = False,
        previous: type | None = None,
        frozen: bool = True,
    ) -> Wire:
        """Make one class; the keywords are class arguments."""
        assert frozen, f"{name} can be changed"
        assert namespace.get("__doc__"), f"{name} has no docstring"
        for what, number in (("tag", tag), ("version", version)):
            fits = number is None or (type(number) is int and number >= 1)
            assert fits, f"{name} has a {what} that is not an integer of 1 or more: {number!r}"
        options: dict[str, Any] = {
            "frozen": True,
            "kw_only": True,
            "forbid_unknown_fields": True,
            "omit_defaults": True,
            "gc": False,
        }
        if tag is not None:
            options |= {"tag_field": "@type", "tag": wire_name(name, namespace["__module__"])}
        if version is not None:
            options |= {"tag_field": "@version", "tag": version}
        made = super().__new__(mcls, name, bases, namespace, **options)
        clashes = FACTS.intersection(made.__struct_fields__)
        assert not clashes, f"{name} has a member with a name of its class: {sorted(clashes)}"
        for attribute, value in (
            ("wire_tag", tag),
            ("record_version", version),
            ("previous_version", previous),
            ("is_sensitive", sensitive),
            ("is_last", last),
            ("needs_permission", permission),
        ):
            setattr(made, attribute, value)
        return made


# On the class rather than on its metaclass: a type checker asks msgspec's `Struct` first.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Shape(Struct, metaclass=Wire, frozen=True):
    """The base of everything that is declared: frozen, made by naming its members."""


class Value(Shape):
    """A structured value inside a message, record or event."""


class Message(Shape):
    """Something a user asks for and signs: `class Place(Message, tag=1)`.

    `tag` is unique in its module and never used again; `sensitive=True` asks for the sender's
    sensitive threshold; `last=True` lets no message follow in the same transaction;
    `permission=True` lets a chain reserve the message for whom `Module.permits` says.
    """

    wire_tag: ClassVar[int]
    is_sensitive: ClassVar[bool]
    is_last: ClassVar[bool]
    needs_permission: ClassVar[bool]

    def also_signed_by(self) -> tuple[Any, ...]:
        """The keys (`Key`) that this message introduces: each of them must sign too."""
        return ()


class Record(Shape):
    """What a row holds: `class Hold(Record, version=1)`.

    A later version names the one before, `class Hold(Record, version=2, previous=HoldOne)`, and
    makes itself out of it in `migrate`, whenever such a row is read.
    """

    record_version: ClassVar[int]
    previous_version: ClassVar[type[Record] | None]

    @classmethod
    def migrate(cls, old: Any) -> Record:
        """This version of a row that was written in the previous one."""
        raise AssertionError(f"{cls.__name__} declares no migration from {old!r}")


class Event(Shape):
    """What an applied message says beyond itself; kept in receipts, never read by rules."""

    wire_tag: ClassVar[int]


def wire_name_of(kind: type) -> str:
    """The `@type` of a message or event class."""
    return str(kind.__struct_config__.tag)  # type: ignore[attr-defined]


def versions_of(kind: type[Record]) -> list[type[Record]]:
    """A record class and those it migrates from, newest first."""
    found = [kind]
    while (older := found[-1].previous_version) is not None:
        newer = found[-1]
        assert older.record_version == newer.record_version - 1, (
            f"{newer.__name__} skips versions after {older.__name__}"
        )
        assert "migrate" in vars(newer), f"{newer.__name__} declares no migration"
        found.append(older)
    assert found[-1].record_version == 1, f"{kind.__name__} has no version 1"
    return found


def check_fields(kind: type) -> int:
    """Assert that every field has a bounded type and an allowed default; the depth of the JSON."""
    defaults = kind.__struct_defaults__  # type: ignore[attr-defined]
    for default in defaults:
        shared = any(default is allowed for allowed in DEFAULTS)
        assert shared or default is msgspec.NODEFAULT, f"{kind.__name__} has default {default!r}"
    hints = get_type_hints(kind, include_extras=True)
    fields = kind.__struct_fields__  # type: ignore[attr-defined]
    for name in (*fields, *kind.__struct_encode_fields__):  # type: ignore[attr-defined]
        assert name.isascii(), f"{kind.__name__} has a member whose name is not ASCII"
    depth = max((check_type(hints[name], f"{kind.__name__}.{name}") for name in fields), default=0)
    for name, default in zip(reversed(fields), reversed(defaults), strict=False):
        takes = default is msgspec.NODEFAULT or _takes(hints[name], default)
        assert takes, f"{kind.__name__} has default {default!r}, which is no value of {name}"
    return 1 + depth


def _takes(kind: Any, default: object) -> bool:
    """Whether a default is a value of its member's type."""
    try:
        jcs.convert(default, kind)
    except msgspec.ValidationError:
        return False
    return True


def check_type(kind: Any, where: str, *, is_limited: bool = False) -> int:
    """The depth of the JSON of one member or parameter; an assertion when it could be unbounded.

    `is_limited` says that an annotation around it limits the length.
    """
    if kind in (Amount, bool, NoneType):
        return 0
    if isinstance(kind, Wire):
        return check_fields(kind)
    if get_origin(kind) in (Union, UnionType):
        return max(check_type(part, where) for part in get_args(kind))
    if get_origin(kind) is tuple:
        parts = [part for part in get_args(kind) if part is not Ellipsis]
        has_end = is_limited or Ellipsis not in get_args(kind)
        assert has_end, f"{where} has a type without bounds: {kind}"
        return 1 + max(check_type(part, where) for part in parts)
    if hasattr(kind, "__supertype__"):
        return check_type(kind.__supertype__, where)
    metadata = getattr(kind, "__metadata__", ())
    inner = get_args(kind)[0] if metadata else kind
    assert _is_bounded(inner, metadata), f"{where} has a type without bounds: {kind}; {BOUNDS}"
    return check_type(inner, where, is_limited=True) if get_origin(inner) is tuple else 0


def _is_bounded(inner: Any, metadata: tuple[Any, ...]) -> bool:
    """Whether an Annotated type limits its values, by every annotation that it has."""
    metas = list(_metas(metadata))
    if inner is str:
        patterns = [meta for meta in metas if meta.pattern is not None]
        return bool(patterns) and all(map(_has_end, patterns))
    if inner is int:
        lows = [meta.ge for meta in metas if meta.ge is not None]
        highs = [meta.le for meta in metas if meta.le is not None]
        has_both = bool(lows) and bool(highs)
        return has_both and min(lows) >= -SAFE_INTEGER and max(highs) <= SAFE_INTEGER
    return get_origin(inner) is tuple and any(meta.max_length is not None for meta in metas)


def _has_end(meta: Meta) -> bool:
    """Whether a text's pattern covers all of it, limits its length and lets only ASCII through."""
    parsed = _parser.parse(meta.pattern)
    parts: list[tuple[Any, Any]] = list(parsed)
    covers = parts[:1] == [_BEGINNING] and parts[-1:] == [_END]
    has_flags = parsed.state.flags != re.UNICODE
    has_limit = meta.max_length is not None
    return covers and not has_flags and _are_plain(parts[1:-1], has_limit=has_limit)


def _are_plain(parts: Iterable[tuple[Any, Any]], *, has_limit: bool) -> bool:
    """Whether parts of a parsed pattern let only printable ASCII through, and an end of it.

    `has_limit` says that something else limits the length. What is not named here is refused: any
    character, all but some, Unicode's words, digits and spaces, looking around, flags, anchors.
    """
    for operation, value in parts:
        match str(operation):
            case "LITERAL":
                plain = value in PRINTABLE
            case "RANGE":
                plain = value[0] in PRINTABLE and value[1] in PRINTABLE
            case "IN":
                plain = _are_plain(value, has_limit=has_limit)
            case "BRANCH":
                plain = all(_are_plain(branch, has_limit=has_limit) for branch in value[1])
            case "SUBPATTERN":
                _, flags_on, flags_off, inner = value
                plain = not (flags_on or flags_off) and _are_plain(inner, has_limit=has_limit)
            case "MAX_REPEAT":
                _, most, inner = value
                ends = has_limit or most is not _parser.MAXREPEAT
                plain = ends and _are_plain(inner, has_limit=has_limit)
            case _:
                plain = False
        if not plain:
            return False
    return True


def metas_of(kind: Any) -> list[Meta]:
    """The msgspec annotations of a type, also of those that it is a new name of."""
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    return list(_metas(getattr(kind, "__metadata__", ())))


def longest_text(kind: Any) -> int:
    """The most characters that a text of this type has."""
    metas = metas_of(kind)
    lengths = [meta.max_length for meta in metas if meta.max_length is not None]
    patterns = [meta.pattern for meta in metas if meta.pattern is not None]
    return min([*lengths, *(int(_parser.parse(pattern).getwidth()[1]) for pattern in patterns)])


def _metas(metadata: tuple[Any, ...]) -> Iterator[Meta]:
    """The msgspec annotations among an Annotated type's metadata."""
    return (meta for meta in metadata if isinstance(meta, Meta))
