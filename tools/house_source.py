"""A file as the house rules see it, and where rules look in it: paths, syntax, comments."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

Found = Iterator[tuple[int, str]]
"""What a rule finds: line numbers, from 1, each with what is wrong there."""

Applies = Callable[[str], bool]
"""Whether a rule looks into the file at a path, which is relative to the project's root."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """One text file; its syntax tree and comments are there for Python files alone."""

    def __init__(self, path: str, text: str) -> None:
        """Keep the text; nothing is parsed before a rule asks."""
        self.path = path
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        return self.text.split("\n")

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; raises SyntaxError for what is not Python."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree."""
        return list(ast.walk(self.tree))

    @cached_property
    def functions(self) -> list[Function]:
        """Every function, method and nested function."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Every comment of a Python file with its line."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [
            (token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT
        ]


class Rule(NamedTuple):
    """One rule: its name, the files it looks into, and what it finds wrong there."""

    name: str
    applies: Applies
    find: Callable[[Source], Found]


def under(*folders: str, but: tuple[str, ...] = ()) -> Applies:
    """Python files under one of the folders, and under none of `but`."""

    def applies(path: str) -> bool:
        return path.endswith(".py") and path.startswith(folders) and not path.startswith(but)

    return applies


def ending(*ends: str) -> Applies:
    """Files whose path ends in one of the ends."""

    def applies(path: str) -> bool:
        return path.endswith(ends)

    return applies


def everything(path: str) -> bool:
    """Every text file."""
    return bool(path)


def test_files(path: str) -> bool:
    """The files that pytest collects."""
    return path.startswith("tests/") and path.rsplit("/", 1)[-1].startswith("test_")


def name_of(node: ast.AST | None) -> str:
    """The last name of `name` or `owner.name`; empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def owner_of(node: ast.AST) -> str:
    """The name before the dot of `owner.name`; empty for anything else."""
    return name_of(node.value) if isinstance(node, ast.Attribute) else ""
