"""The house rule on the order of sets: which expressions are sets, as far as syntax shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.house_source import Found, Function, Source, name_of

SETS = ("AbstractSet", "MutableSet", "Set", "frozenset", "set")
OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
METHODS = ("difference", "intersection", "symmetric_difference", "union")
ANY_ORDER = ("all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum")
IN_ORDER = ("enumerate", "filter", "iter", "list", "map", "next", "reversed", "tuple", "zip")


def set_order(source: Source) -> Found:
    """A walk over a set, whose order differs from one process to the next."""
    yield from _in_scope(source.tree, frozenset())


def _in_scope(scope: ast.Module | Function, outer: frozenset[str]) -> Found:
    """The findings of one scope; names that are sets outside of it are sets inside."""
    own = list(_own_nodes(scope))
    known = outer | _names_of_sets(own, outer)
    harmless = {id(walk) for node in own for walk in _walks_in_any_order(node)}
    for node in own:
        if id(node) in harmless:
            continue
        for walked in _walked(node):
            if _is_set(walked, known):
                yield walked.lineno, "a set has no order: sort it, or use a dict"
        if isinstance(node, Function):
            yield from _in_scope(node, known)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a scope, nested functions as one node each."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, Function):
            yield from _own_nodes(node)


def _names_of_sets(nodes: list[ast.AST], outer: frozenset[str]) -> frozenset[str]:
    """The names that a scope annotates as sets, or binds to one."""
    known = set(outer)
    for node in nodes:
        match node:
            case ast.arg(arg=name, annotation=kind) if _says_set(kind):
                known.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind) if _says_set(kind):
                known.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_set(value, known):
                known.add(name)
    return frozenset(known)


def _says_set(annotation: ast.expr | None) -> bool:
    kind = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return name_of(kind) in SETS


def _is_set(node: ast.expr, known: set[str] | frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(id=name):
            return name in known
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(attr=name, value=owner)) if name in METHODS:
            return _is_set(owner, known)
        case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, OPERATORS):
            return _is_set(left, known) or _is_set(right, known)
        case _:
            return False


def _walks_in_any_order(node: ast.AST) -> list[ast.comprehension]:
    """The walks of a node whose result is the same in every order."""
    match node:
        case ast.SetComp(generators=walks):
            return walks
        case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp(generators=walks)]):
            return walks if name in ANY_ORDER else []
        case _:
            return []


def _walked(node: ast.AST) -> list[ast.expr]:
    """The expressions that a node takes one by one, in the order they come."""
    match node:
        case ast.For(iter=walked) | ast.comprehension(iter=walked):
            return [walked]
        case ast.Starred(value=walked, ctx=ast.Load()):
            return [walked]
        case ast.Call(func=ast.Name(id=name), args=args) if name in IN_ORDER:
            return args
        case ast.Call(func=ast.Attribute(attr="join" | "extend"), args=args):
            return args
        case ast.Call(func=ast.Attribute(attr="pop", value=owner), args=[]):
            return [owner]
        case _:
            return []
