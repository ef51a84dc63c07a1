"""Write the reference out of the code: `docs/reference/`, the tables in module READMEs, and the
types of the TypeScript client.

`python -m tools.reference` writes; `--check` only compares and fails where a page is behind.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_type_hints

from tongbao.kernel.limits import LIMITS
from tongbao.kernel.module import Module
from tongbao.kernel.reasons import Invalid, Reason
from tongbao.kernel.registry import Registry
from tongbao.kernel.schema import wire_name_of
from tongbao.modules.registry import registry
from tools.reference_node import http_page, metrics_page, settings_page
from tools.reference_typescript import typescript_files

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
CLIENT = ROOT / "clients" / "typescript"
HEAD = "<!-- Generated from code by `make reference`: change the code, not this page. -->\n\n"
MARK = re.compile(r"<!-- generated:(\w+) -->\n.*?<!-- end -->", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def first_line(thing: object) -> str:
    """The first sentence of a docstring."""
    text = (thing.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(text.split())


def type_name(kind: Any) -> str:
    """A field's type as readers know it."""
    if hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    arguments = getattr(kind, "__args__", ())
    if arguments and getattr(kind, "__origin__", None) is tuple:
        return f"list of {type_name(arguments[0])}"
    if arguments:
        names = [type_name(part) for part in arguments if part is not type(None)]
        return " or ".join(names)
    return str(getattr(kind, "__name__", kind))


def fields(kind: type) -> str:
    """The members of a message, record or event."""
    hints = get_type_hints(kind)
    names: tuple[str, ...] = kind.__struct_fields__  # type: ignore[attr-defined]
    return ", ".join(f"`{name}` {type_name(hints[name])}" for name in names) or "none"


def messages(module: Module) -> str:
    """The messages of a module."""
    rows = [
        (
            f"`{wire_name_of(message)}`",
            message.wire_tag,
            "sensitive" if message.is_sensitive else "ordinary",
            fields(message),
            first_line(message),
        )
        for message in module.handlers
    ]
    return table(("message", "tag", "threshold", "members", "meaning"), rows)


def state(module: Module) -> str:
    """The tables and indexes of a module."""
    rows = [
        (found.number, f"`{found.name}`", f"`{found.value.__name__}`", fields(found.value))
        for found in module.tables
    ]
    rows += [
        (index.number, f"`{index.name}`", "index", f"over `{index.of.name}`")
        for index in module.indexes
    ]
    return table(("number", "name", "holds", "members"), sorted(rows))


def reasons(found: Iterable[Reason]) -> str:
    """Numbered reasons."""
    rows = [(reason.number, f"`{reason.name}`", reason.rule) for reason in found]
    return table(("number", "name", "the rule that was not kept"), rows)


def queries(module: Module) -> str:
    """The queries of a module."""
    rows = [
        (
            f"`{module.name}.{name}`",
            ", ".join(
                f"`{word}`" for word in get_type_hints(query) if word not in ("view", "return")
            ),
            first_line(query),
        )
        for name, query in module.queries.items()
    ]
    return table(("query", "arguments", "answer"), rows)


def invariants(module: Module) -> str:
    """What is always true of a module's state."""
    found: list[Callable[..., object]] = [*module.invariants, *module.conservations]
    rows = [
        (
            f"`{rule.__name__}`",
            "whole state" if rule in module.invariants else "each transaction",
            first_line(rule),
        )
        for rule in found
    ]
    return table(("rule", "checked over", "meaning"), rows)


SECTIONS: dict[str, Callable[[Module], str]] = {
    "messages": messages,
    "state": state,
    "refusals": lambda module: reasons(module.reasons or ()),
    "queries": queries,
    "invariants": invariants,
}


def module_page(module: Module) -> str:
    """The reference page of one module."""
    text = f"{HEAD}# Module {module.number}: {module.name}\n"
    for title, write in SECTIONS.items():
        text += f"\n## {title.capitalize()}\n\n{write(module)}"
    return text


def refusals_page(modules: Registry) -> str:
    """Every number that says no."""
    text = HEAD + "# Refusals\n\nA number is `module * 1000 + code`. "
    text += "Below 100 a transaction is *invalid*: nothing changed and no status is kept. "
    text += "From 100 on it is *refused*: only its nonce was used.\n"
    text += "\n## Invalid\n\n" + reasons(Invalid)
    for module in modules.modules:
        if module.reasons is not None:
            text += f"\n## {module.name}\n\n" + reasons(module.reasons)
    return text


def parameters_page(modules: Registry) -> str:
    """Parameters that genesis sets."""
    rows = [
        (f"`{item.name}`", item.default, item.low, item.high, item.meaning)
        for item in modules.parameters.values()
    ]
    head = ("parameter", "default", "least", "most", "meaning")
    return HEAD + "# Genesis parameters\n\n" + table(head, rows)


def limits_page() -> str:
    """Every limit in one table."""
    rows = [(item.name, item.value, f"`kernel/{item.where}`", item.answer) for item in LIMITS]
    head = ("limit", "value", "enforced in", "answer when exceeded")
    return HEAD + "# Limits\n\nA test exceeds each row.\n\n" + table(head, rows)


def pages() -> dict[Path, str]:
    """Every generated file and its text."""
    modules = registry()
    found = {
        REFERENCE / "refusals.md": refusals_page(modules),
        REFERENCE / "parameters.md": parameters_page(modules),
        REFERENCE / "limits.md": limits_page(),
        REFERENCE / "http.md": HEAD + http_page(modules, table),
        REFERENCE / "settings.md": HEAD + settings_page(table),
        REFERENCE / "metrics.md": HEAD + metrics_page(table),
        **{CLIENT / "src" / name: text for name, text in typescript_files(modules).items()},
    }
    for module in modules.modules[1:]:
        found[REFERENCE / f"module-{module.name}.md"] = module_page(module)
        readme = ROOT / "src" / module.package.replace(".", "/") / "README.md"
        found[readme] = fill(readme.read_text(), module)
    return found


def fill(text: str, module: Module) -> str:
    """A README with its generated parts renewed."""

    def renew(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"<!-- generated:{name} -->\n{SECTIONS[name](module)}<!-- end -->"

    return MARK.sub(renew, text)


def main() -> int:
    """Write or check all pages."""
    behind = [
        path for path, text in pages().items() if not path.exists() or path.read_text() != text
    ]
    if "--check" in sys.argv:
        for path in behind:
            print(f"{path.relative_to(ROOT)} is behind the code: run `make reference`")
    else:
        REFERENCE.mkdir(parents=True, exist_ok=True)
        for path, text in pages().items():
            path.write_text(text)
    print(f"reference: {len(pages())} pages, {len(behind)} were behind")
    return 1 if behind and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
