"""What each house rule looks for: one function a rule, of a source to its findings."""

from __future__ import annotations

import ast
import re

from tools.house_source import Found, Function, Source, name_of, owner_of

FILE_LINES = 400
FUNCTION_LINES = 70
COLUMNS = 100
CONTEXTS = ("Audit", "Context", "View", "Work")
PRETENCES = ("MagicMock", "Mock", "MonkeyPatch", "mocker", "monkeypatch")
PRETENDERS = ("mock", "pytest_mock", "unittest.mock")
TEXT_METHODS = (
    *("capitalize", "casefold", "isalnum", "isalpha", "isdecimal", "isdigit", "isidentifier"),
    *("islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "lower"),
    *("swapcase", "title", "upper"),
)
TEXT_PACKAGES = ("locale", "unicodedata")
STORY = re.compile(r"\bgiven\b.*\bwhen\b.*\bthen\b", re.IGNORECASE | re.DOTALL)
EXPORTED = re.compile(r"export (async |abstract )*(function|class|interface|type \w|const)\b")
UNFINISHED = re.compile("|".join((r"\bTO" r"DO\b", r"\bFIX" r"ME\b")))
UNFINISHED_COMMENT = re.compile(r"\bX{3}\b|\bHACK\b")
ELSEWHERE = re.compile(
    r"(?<![\w.])/(root|work|home|farm)/"
    r"|/tmp/(?=bash)"
    r"|pypi\.org|pythonhosted\.org|registry\.npmjs|proxy\.golang|crates\.io"
    r"|repo1\.maven|deb\.debian"
)


def long_file(source: Source) -> Found:
    """More lines than a reader holds in mind."""
    count = source.text.count("\n")
    if count > FILE_LINES:
        yield FILE_LINES + 1, f"{count} lines; {FILE_LINES} at most: split it by what it does"


def long_function(source: Source) -> Found:
    """A function of more lines than fit a screen."""
    for node in source.functions:
        count = (node.end_lineno or node.lineno) - node.lineno + 1
        if count > FUNCTION_LINES:
            yield node.lineno, f"{node.name} has {count} lines; {FUNCTION_LINES} at most"


def wide_line(source: Source) -> Found:
    """A line beyond the last column."""
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns; {COLUMNS} at most"


def no_module_docstring(source: Source) -> Found:
    """A file that does not say what it is for."""
    if ast.get_docstring(source.tree) is None:
        yield 1, "the file has no docstring"


def no_docstring(source: Source) -> Found:
    """A public class, function or method without its meaning."""
    yield from _undocumented(source.tree)


def _undocumented(owner: ast.Module | ast.ClassDef) -> Found:
    for node in owner.body:
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        if any(name_of(mark) in ("overload", "setter") for mark in node.decorator_list):
            continue
        if ast.get_docstring(node) is None:
            yield node.lineno, f"{node.name} is public and has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node)


def no_doc_comment(source: Source) -> Found:
    """What a TypeScript file gives to others, or the file itself, without its meaning."""
    before = ""
    for number, line in enumerate(source.lines, 1):
        if number == 1 and not line.startswith("/**"):
            yield 1, "the file has no doc comment"
        if EXPORTED.match(line) and not before.endswith("*/"):
            yield number, "what is exported has a doc comment"
        before = line


def float_arithmetic(source: Source) -> Found:
    """A float, or what makes one."""
    for node in source.nodes:
        match node:
            case ast.Constant(value=float() | complex() as value):
                yield node.lineno, f"{value} is a float"
            case ast.Name(id="float" | "complex"):
                yield node.lineno, f"{node.id}: amounts are integers of units"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "/ makes a float; // and % are exact"


def blind_except(source: Source) -> Found:
    """A handler that also hides our own bugs."""
    for node in source.nodes:
        if not isinstance(node, ast.ExceptHandler):
            continue
        if _goes_on(node):
            continue
        if node.type is None:
            yield node.lineno, "except without a class hides bugs: name what can happen"
        for name in ("Exception", "BaseException"):
            if name in _caught(node):
                yield node.lineno, f"except {name} hides bugs: name what can happen"


def caught_refusal(source: Source) -> Found:
    """A module that goes on after a refusal, with half of another's writes."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and "Refusal" in _caught(node):
            yield node.lineno, "a refusal ends the transaction: the kernel alone catches it"


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler only cleans up: what was raised is raised on."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _caught(handler: ast.ExceptHandler) -> list[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [name_of(kind) for kind in kinds]


def sleep(source: Source) -> Found:
    """A wait for time to pass instead of for what is awaited."""
    for node in source.nodes:
        match node:
            case ast.Attribute(attr="sleep") if owner_of(node) == "time":
                yield node.lineno, "time.sleep: wait for the event itself"
            case ast.ImportFrom(module="time") if any(name.name == "sleep" for name in node.names):
                yield node.lineno, "time.sleep: wait for the event itself"


def any_sleep(source: Source) -> Found:
    """In tests, also the sleeps of event loops."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and name_of(node.func) == "sleep":
            yield node.lineno, "a test that sleeps is slow or wrong: wait for the event itself"


def pretence(source: Source) -> Found:
    """A test of something that stands in for the code."""
    for node in source.nodes:
        names: list[str] = []
        match node:
            case ast.Import():
                names = [name.name for name in node.names if name.name in PRETENDERS]
            case ast.ImportFrom(module=str(module)):
                full = [module, *(f"{module}.{name.name}" for name in node.names)]
                names = [name for name in full if name in PRETENDERS]
            case ast.arg(arg=name) | ast.Attribute(attr=name) if name in PRETENCES:
                names = [name]
        for name in names:
            yield getattr(node, "lineno", 1), f"{name}: test the production code itself"


def unfinished(source: Source) -> Found:
    """Work that was put off, in the code instead of in an issue."""
    for number, line in enumerate(source.lines, 1):
        if UNFINISHED.search(line):
            yield number, "unfinished work: do it, or file an issue"


def unfinished_code(source: Source) -> Found:
    """The same in the ways of Python files."""
    for number, comment in source.comments:
        if UNFINISHED_COMMENT.search(comment):
            yield number, "unfinished work: do it, or file an issue"
    for node in source.nodes:
        if isinstance(node, ast.Raise):
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if name_of(raised) == "NotImplementedError":
                yield node.lineno, "a stub: write it, or use an abstract class or a Protocol"


def text_tables(source: Source) -> Found:
    """A decision that depends on the Unicode tables of one Python."""
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[]) if name in TEXT_METHODS:
                yield node.lineno, f".{name}() follows Python's Unicode tables: compare with ASCII"
            case ast.Attribute(value=ast.Name(id="str"), attr=name) if name in TEXT_METHODS:
                yield node.lineno, f"str.{name} follows Python's Unicode tables"
            case ast.Import(names=packages):
                for package in packages:
                    if package.name in TEXT_PACKAGES:
                        yield node.lineno, f"{package.name} differs between versions of Python"
            case ast.ImportFrom(module=module) if module in TEXT_PACKAGES:
                yield node.lineno, f"{module} differs between versions of Python"


def handmade_context(source: Source) -> Found:
    """A capability that somebody gave themselves."""
    imported = {
        name.asname or name.name
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tongbao.kernel")
        for name in node.names
        if name.name in CONTEXTS
    }
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        name = name_of(node.func)
        of_kernel = name in CONTEXTS and owner_of(node.func) in ("kernel", "context")
        if of_kernel or (isinstance(node.func, ast.Name) and name in imported):
            yield node.lineno, f"{name}(...): only the kernel makes contexts; ask the Machine"


def no_story(source: Source) -> Found:
    """A test without Given / When / Then."""
    for node in _tests(source):
        if not STORY.search(ast.get_docstring(node) or ""):
            yield node.lineno, f"{node.name}: its docstring says Given, when, then"


def no_sentence(source: Source) -> Found:
    """A test whose name does not say what holds."""
    for node in _tests(source):
        if len(node.name.split("_")) < 4:
            yield node.lineno, f"{node.name}: a test's name is a sentence"


def _tests(source: Source) -> list[Function]:
    return [node for node in source.functions if node.name.startswith("test_")]


def elsewhere(source: Source) -> Found:
    """A path of one machine, or a registry's address, which only hold at one place."""
    for number, line in enumerate(source.lines, 1):
        for match in ELSEWHERE.finditer(line):
            yield number, f"{match[0]} names a place outside of the project"


def hash_of_process(source: Source) -> Found:
    """A number that differs from one process to the next."""
    own = [node for node in source.functions if node.name == "__hash__"]
    kept = {id(node) for function in own for node in ast.walk(function)}
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and id(node) not in kept:
            if node.func.id == "hash":
                yield node.lineno, "hash() differs between processes: use SHA-256"
            if node.func.id == "id" and len(node.args) == 1:
                yield node.lineno, "id() differs between processes"
