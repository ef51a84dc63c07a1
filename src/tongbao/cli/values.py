"""What people type, turned into the values of messages and queries by their declared types.

Nothing here knows a module. A type of the kernel has a form: how it is called, explained, shown in
an example and read; any other type is explained by its own bounds and read as an integer, as text
or as JSON. The kernel's decoder has the last word on every value.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from tongbao.cli.book import AccountBook
from tongbao.cli.failures import CommandError
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Cursor,
    Hash,
    Id,
    Key,
    PublicKey,
    Reference,
    Time,
    Value,
    jcs,
)

UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
ASSET_CODE: Final = re.compile("[A-Z][A-Z0-9]{0,11}")
KEY_EXAMPLE: Final = "BRYPfyGKvIsZXn-4jCxkWVYsU4OQSWcYUw8IFpWu3yw"
ED25519: Final = 1
ANY_ISSUER: Final = Address("0" * 40)


def time_of(text: str) -> int:
    """Ms UTC, ISO 8601, or `+2d` from now. Raises CommandError."""
    matched = re.fullmatch(r"[+]([0-9]{1,9})([smhd])", text)
    if matched is not None:
        return time.time_ns() // 1_000_000 + int(matched[1]) * UNITS_MS[matched[2]]
    if re.fullmatch("[0-9]{1,16}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no time", FORMS[Time].help) from None
    if moment.tzinfo is None:
        raise CommandError(f"{text!r} names no time zone", "write it in UTC with a Z behind it")
    return round(moment.astimezone(UTC).timestamp() * 1_000)


class Resolver:
    """Turns short forms into the values that the ledger knows, for one folder."""

    def __init__(
        self,
        book: AccountBook,
        public_key: Callable[[str], str] | None = None,
        issuers: Callable[[str], list[Address]] | None = None,
    ) -> None:
        """Use a book of names, a look-up of keys by name, and one of a code's issuers.

        Without the latter a bare code stands for an unknown issuer: for checking values early.
        """
        self._book = book
        self._public_key = public_key
        self._issuers = issuers

    def address(self, text: str) -> str:
        """A name or an address."""
        return self._book.address(text)

    def asset(self, text: str) -> str:
        """`CODE`, `CODE.name` or `CODE.address`."""
        code, dot, issuer = text.partition(".")
        if dot:
            return f"{code}.{self._book.address(issuer)}"
        if ASSET_CODE.fullmatch(code) is None:
            raise CommandError(f"{text!r} is no asset", FORMS[AssetId].help)
        found = [ANY_ISSUER] if self._issuers is None else self._issuers(code)
        if len(found) != 1:
            who = "several remembered accounts have" if found else "no remembered account has"
            raise CommandError(f"{who} defined {code}", f"write {code}.NAME or {code}.ADDRESS")
        return f"{code}.{found[0]}"

    def time(self, text: str) -> Any:
        """Ms UTC, ISO 8601, or `+2d` from now."""
        return time_of(text)

    def public(self, text: str) -> str:
        """The name of a key in the keystore, or its 43 characters."""
        if len(text) == len(KEY_EXAMPLE) or self._public_key is None:
            return text
        return self._public_key(text)

    def key(self, text: str) -> Any:
        """A key with its algorithm."""
        return {"algorithm": ED25519, "public": self.public(text)}

    def resolve(self, hint: Any, value: Any) -> Any:
        """A JSON value in which short forms may stand wherever their types do."""
        kind = plain(hint)
        form = FORMS.get(kind)
        if form is not None and form.read is not None and isinstance(value, str):
            return form.read(self, value)
        if get_origin(kind) is tuple and isinstance(value, list):
            return [self.resolve(get_args(kind)[0], item) for item in value]
        if isinstance(value, dict):
            kind = kinds_by_tag(kind).get(value.get("@type"), kind)
        if is_value(kind) and isinstance(value, dict):
            hints = get_type_hints(kind, include_extras=True)
            return {
                name: self.resolve(hints[name], item) if name in hints else item
                for name, item in value.items()
            }
        return value


class Form(NamedTuple):
    """How one type is typed: its name in help, its explanation, an example, its reader."""

    metavar: str
    help: str
    example: Any
    read: Callable[[Resolver, str], Any] | None = None


FORMS: Final[dict[Any, Form]] = {
    Address: Form(
        "ACCOUNT", "a remembered name, or an address of 40 hex characters", "bob", Resolver.address
    ),
    AssetId: Form(
        "ASSET",
        "CODE.ISSUER with a remembered name or an address; CODE alone if one remembered account "
        "has defined it",
        "CNY.operator",
        Resolver.asset,
    ),
    AssetCode: Form("CODE", "1 to 12 of A-Z and 0-9, a letter first", "CNY"),
    Amount: Form("AMOUNT", "decimal text with exactly the asset's decimals", "12.50"),
    Time: Form(
        "TIME",
        "milliseconds since 1970 UTC, or ISO 8601 such as 2030-01-31T12:00:00Z, or +30s, +15m, "
        "+12h, +2d from now",
        "+2d",
        Resolver.time,
    ),
    PublicKey: Form(
        "KEY", "the name of a key in the keystore, or its 43 characters", "alice", Resolver.public
    ),
    Key: Form(
        "KEY",
        "the name of a key in the keystore, its 43 characters, or JSON",
        "alice",
        Resolver.key,
    ),
    Id: Form("ID", "40 hex characters", "2f" * 20),
    Hash: Form("HASH", "SHA-256 in 64 hex characters", "5e" * 32),
    Reference: Form("TEXT", "1 to 35 of A-Z, a-z, 0-9 and -", "invoice-7"),
    Cursor: Form("CURSOR", "where the page before ended, as it says", "00"),
}


def is_value(kind: Any) -> bool:
    """Whether a type is a structured value."""
    return isinstance(kind, type) and issubclass(kind, Value)


def kinds_by_tag(kind: Any) -> dict[Any, Any]:
    """The values of a union by the `@type` that says which of them one is."""
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
    return {part.__struct_config__.tag: part for part in parts if is_value(part)}


def plain(hint: Any) -> Any:
    """The type without `| None` and without bounds; a NewType of the kernel stays one."""
    if get_origin(hint) in (Union, UnionType):
        parts = [part for part in get_args(hint) if part is not NoneType]
        return plain(parts[0]) if len(parts) == 1 else hint
    if hint in FORMS:
        return hint
    if hasattr(hint, "__supertype__"):
        return plain(hint.__supertype__)
    if get_origin(hint) is Annotated:
        return plain(get_args(hint)[0])
    return hint


def bounds(hint: Any) -> list[msgspec.Meta]:
    """The limits that a type carries, outermost first."""
    if get_origin(hint) in (Union, UnionType):
        return [meta for part in get_args(hint) for meta in bounds(part)]
    if hasattr(hint, "__supertype__"):
        return bounds(hint.__supertype__)
    return [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]


def form_of(hint: Any) -> Form:
    """How values of a type are typed, whatever the type."""
    kind = plain(hint)
    if kind in FORMS:
        return FORMS[kind]
    metas = bounds(hint)
    if kind is int:
        low = next((meta.ge for meta in metas if meta.ge is not None), None)
        high = next((meta.le for meta in metas if meta.le is not None), None)
        limits = "" if low is None or high is None else f" of {low} to {high}"
        return Form("INTEGER", f"an integer{limits}", 2)
    if kind is str:
        pattern = next((meta.pattern for meta in metas if meta.pattern is not None), None)
        words = words_of(pattern)
        if words:
            return Form("|".join(words), f"one of {', '.join(words)}", words[0])
        return Form("TEXT", f"text{f' of the form {pattern}' if pattern else ''}", "text")
    if kind is bool:
        return Form("BOOLEAN", "yes when it is given", None)
    told = f"JSON such as {jcs.encode(sample(hint)).decode()}"
    return Form("JSON", told + choices_of(kind), None)


def words_of(pattern: str | None) -> list[str]:
    """The words of a pattern that allows a few and nothing else."""
    matched = re.fullmatch(r"\^\(\?:([a-z_]+(?:[|][a-z_]+)*)\)\\Z", pattern or "")
    return [] if matched is None else matched[1].split("|")


def choices_of(kind: Any) -> str:
    """What the parts of a list may be, where they are of several kinds: each with its members."""
    part = get_args(kind)[0] if get_origin(kind) is tuple else kind
    told = [
        f"{tag} ({', '.join(one.__struct_fields__)})" for tag, one in kinds_by_tag(part).items()
    ]
    return f"; each is one of {', '.join(told)}" if told else ""


def sample(hint: Any) -> Any:
    """An example of a type, as JSON builtins."""
    kind = plain(hint)
    if kind in FORMS:
        return FORMS[kind].example
    if get_origin(kind) is tuple:
        parts = [part for part in get_args(kind) if part is not Ellipsis]
        return [sample(part) for part in parts]
    kind = next(iter(kinds_by_tag(kind).values()), kind)
    if is_value(kind):
        hints = get_type_hints(kind, include_extras=True)
        tag = kind.__struct_config__.tag
        members = {name: sample(hints[name]) for name in kind.__struct_fields__}
        return members if tag is None else {"@type": tag, **members}
    return form_of(hint).example if kind is str else {int: 1, bool: True}.get(kind, "text")


def read(resolver: Resolver, hint: Any, text: str) -> Any:
    """JSON builtins out of what was typed. Raises CommandError."""
    kind = plain(hint)
    form = FORMS.get(kind)
    if form is not None and not (is_value(kind) and text.startswith("{")):
        return text if form.read is None else form.read(resolver, text)
    if kind is str:
        return text
    if kind is int:
        return read_integer(text)
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise CommandError(f"not JSON: {error}", f"write {form_of(hint).help}") from error
    return resolver.resolve(hint, value)


def read_integer(text: str) -> int:
    """An integer in decimal digits. Raises CommandError."""
    if re.fullmatch("-?[0-9]{1,19}", text) is None:
        raise CommandError(f"{text!r} is no integer", "write decimal digits")
    return int(text)
