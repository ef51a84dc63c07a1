"""The hash of the code that decides, as genesis names it."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from tongbao.kernel import Hash, Module
from tongbao.kernel.registry import package_name

DOMAIN: Final = b"tongbao/package/1"


@cache
def package_hash(package: str) -> Hash:
    """SHA-256("tongbao/package/1" || for each Python file: its path, its length, its bytes).

    Files come in the order of their paths, each path with `/` and a zero byte behind it, each
    length in 8 bytes, big endian.
    """
    digest = sha256(DOMAIN)
    for path, text in sorted(_python_files(resources.files(package), "")):
        digest.update(path.encode() + b"\0" + len(text).to_bytes(8, "big") + text)
    return Hash(digest.hexdigest())


def _python_files(folder: Traversable, inside: str) -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _python_files(entry, f"{inside}{entry.name}/")
        elif entry.name.endswith(".py"):
            found.append((inside + entry.name, entry.read_bytes()))
    return found


def module_hash(module: Module) -> Hash:
    """The hash of the installed package of a module."""
    return package_hash(package_name(module))
