"""The types of every module for the TypeScript client: messages, records, tables, reasons."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, structs

from tongbao.kernel import Amount, Registry
from tongbao.kernel.module import Module, Table
from tongbao.kernel.reasons import Invalid, Reason
from tongbao.kernel.schema import Message, Record, Value, wire_name_of

HEAD = "/** Generated from the modules by `make reference`: change those, not this file. */\n"
COLUMNS = 100
TABLES_TOGETHER = 12
"""A module with more tables has its records in a file of its own."""
PLAIN = {str: "string", int: "number", bool: "boolean", Amount: "Amount"}
AMOUNT = "Decimal text with exactly the decimals of its asset."


class Writer:
    """Collects declarations as the types that need them are met."""

    def __init__(self) -> None:
        """Begin with amounts, which are a class of their own in the kernel."""
        self.aliases = {"Amount": _alias("Amount", "string", AMOUNT)}
        self.values: dict[str, str] = {}

    def type_of(self, kind: Any) -> str:
        """A type as TypeScript has it; whatever it names is declared."""
        if hasattr(kind, "__metadata__"):
            return self.type_of(get_args(kind)[0])
        if kind in PLAIN:
            return PLAIN[kind]
        if hasattr(kind, "__supertype__"):
            base = self.type_of(kind.__supertype__)
            meaning = _meaning(kind)
            self.aliases.setdefault(kind.__name__, _alias(kind.__name__, base, meaning))
            return str(kind.__name__)
        if get_origin(kind) is tuple:
            part = self.type_of(get_args(kind)[0])
            lines = part.replace(" | ", "\n    | ")
            return f"readonly (\n    | {lines}\n  )[]" if " | " in part else f"readonly {part}[]"
        if get_origin(kind) in (Union, types.UnionType):
            parts = [part for part in get_args(kind) if part is not type(None)]
            return " | ".join(map(self.type_of, parts))
        assert issubclass(kind, Value), kind
        if kind.__name__ not in self.values:
            name = kind.__struct_config__.tag
            tag = "" if name is None else f'"@type": "{name}"'
            self.values[kind.__name__] = self.interface(kind, kind.__name__, tag)
        return str(kind.__name__)

    def interface(self, kind: type, name: str, tag: str) -> str:
        """A message, record or value; members that have a default may be left out."""
        hints = get_type_hints(kind, include_extras=True)
        lines = [f"  readonly {tag};"] if tag else []
        for field in structs.fields(kind):
            has_default = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
            mark = "?" if has_default else ""
            lines.append(f"  readonly {field.name}{mark}: {self.type_of(hints[field.name])};")
        body = "".join(f"{line}\n" for line in lines)
        return f"{_comment(inspect.getdoc(kind) or '')}export interface {name} {{\n{body}}}\n"


def typescript_files(modules: Registry) -> dict[str, str]:
    """The files by name; `registry.ts` gives out what is in the others."""
    writer = Writer()
    messages: dict[str, dict[str, str]] = {}
    records: dict[str, dict[str, str]] = {"records": {}}
    for module in modules.modules[1:]:
        for message in module.handlers:
            name = _name(module, message)
            tag = f'"@type": "{wire_name_of(message)}"'
            of_module = messages.setdefault(f"{module.name}_messages", {})
            of_module[name] = writer.interface(message, name, tag)
        for table in module.tables:
            name = _name(module, table.value)
            tag = f'"@version": {table.value.record_version}'
            own = len(module.tables) > TABLES_TOGETHER
            of_kind = records.setdefault(f"{module.name}_records" if own else "records", {})
            of_kind[name] = writer.interface(table.value, name, tag)
    union = "".join(f"\n  | {name}" for of_module in messages.values() for name in of_module)
    last = f"/** Every message of the modules here. */\nexport type Message ={union};\n"
    given = (*messages, *records, "reasons", "tables", "values")
    taken = [_import(names, file) for file, names in messages.items()]
    exports = "".join(f'export * from "./{file}.js";\n' for file in given)
    aliases = [writer.aliases[name] for name in sorted(writer.aliases)]
    return {
        "registry.ts": "\n".join([HEAD, "".join(taken), exports, last]),
        **{f"{file}.ts": _using(writer, of_module) for file, of_module in messages.items()},
        **{f"{file}.ts": _using(writer, of_kind) for file, of_kind in records.items()},
        "reasons.ts": "\n".join([HEAD, _reasons(modules)]),
        "tables.ts": "\n".join([HEAD, _tables(modules)]),
        "values.ts": "\n".join([HEAD, *aliases, *writer.values.values()]),
    }


def _import(names: Iterable[str], file: str) -> str:
    """The import of types from a file beside."""
    lines = "".join(f"  {name},\n" for name in sorted(names))
    return f'import type {{\n{lines}}} from "./{file}.js";\n'


def _using(writer: Writer, declared: Mapping[str, str]) -> str:
    """A file of declarations that imports what it uses of `values.ts`."""
    body = "\n".join(declared.values())
    code = re.sub(r"/\*\*.*?\*/", "", body, flags=re.DOTALL)
    known = {*writer.aliases, *writer.values}.intersection(re.findall(r"\w+", code))
    return f"{HEAD}\n{_import(known, 'values')}\n{body}"


def _name(module: Module, kind: type[Message] | type[Record]) -> str:
    """`asset.Transfer` is `AssetTransfer`; no name says a word twice."""
    prefix = module.name.capitalize()
    return prefix if kind.__name__ == prefix else f"{prefix}{kind.__name__}"


def _meaning(kind: Any) -> str:
    """What a type of the kernel stands for, by its pattern or bounds."""
    metas = getattr(kind.__supertype__, "__metadata__", ())
    told = [meta.pattern.removesuffix(r"\Z") + "$" for meta in metas if meta.pattern]
    told += [f"{meta.ge} to {meta.le}" for meta in metas if meta.ge is not None]
    return "; ".join(told)


def _alias(name: str, base: str, meaning: str) -> str:
    return f"{_comment(meaning)}export type {name} = {base};\n"


def _comment(text: str) -> str:
    """A comment of one line where it fits, else of several."""
    plain = " ".join(text.split())
    if len(plain) + len("/**  */") <= COLUMNS:
        return f"/** {plain} */\n" if plain else ""
    lines = textwrap.wrap(plain, COLUMNS - len(" * "))
    return "".join(["/**\n", *(f" * {line}\n" for line in lines), " */\n"])


def _tables(modules: Registry) -> str:
    """The names of tables by their two numbers."""
    found = sorted(
        (table.module.number, table.number, f"{table.module.name}.{table.name}")
        for table in modules.tables.values()
    )
    lines = "".join(f'  "{module}.{table}": "{name}",\n' for module, table, name in found)
    keys = "".join(
        f'  "{table.module.number}.{table.number}": {json.dumps(_key_parts(table))},\n'
        for table in sorted(
            modules.tables.values(), key=lambda table: (table.module.number, table.number)
        )
    )
    return (
        "/** The names of tables, by the numbers of module and table. */\n"
        f"export const TABLES: Readonly<Record<string, string>> = {{\n{lines}}};\n\n"
        "/** What the parts of their keys are: `id`, `integer`, or the pattern of a text. */\n"
        f"export const KEYS: Readonly<Record<string, readonly string[]>> = {{\n{keys}}};\n"
    )


def _key_parts(table: Table[Any, Any]) -> list[str]:
    """The parts of a table's key; a text is said by its pattern as ECMA 262 has it."""
    found = []
    for form, kind in zip(table.codec.parts, table.codec.kinds, strict=True):
        metas = getattr(getattr(kind, "__supertype__", kind), "__metadata__", ())
        patterns = [meta.pattern for meta in metas if meta.pattern]
        found.append(patterns[0].removesuffix(r"\Z") + "$" if form == "text" else form)
    return found


def _reasons(modules: Registry) -> str:
    """The numbers of reasons by module and name."""
    body = _numbers("invalid", Invalid)
    for module in modules.modules:
        if module.reasons is not None:
            body += _numbers(module.name, module.reasons)
    return (
        "/** Why a transaction is invalid, or refused by a module: numbers by name. */\n"
        f"export const WHY = {{\n{body}}} as const;\n"
    )


def _numbers(name: str, reasons: Iterable[Reason]) -> str:
    lines = "".join(f"    {reason.name}: {reason.number},\n" for reason in reasons)
    return f"  {name}: {{\n{lines}  }},\n"
