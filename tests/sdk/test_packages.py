"""The hash of the code that decides: what changes it, what does not."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import invalidate_caches
from itertools import count
from pathlib import Path

import pytest

import tongbao
from tongbao.kernel import kernel_module
from tongbao.modules import (
    account,
    asset,
    data,
    governance,
    hold,
    mandate,
    member,
    reading,
    sponsor,
    upgrade,
)
from tongbao.modules.registry import registry
from tongbao.sdk.packages import module_hash, package_hash

FILES = {
    "__init__.py": b"",
    "rules.py": b"LIMIT = 5\n",
    "rules/__init__.py": b"# below\n",
    "rules/more.py": b"LIMIT = 6\n",
}
"""A package of which `rules/` comes after `rules.py` only if paths are compared as wholes."""

Change = Callable[[dict[str, bytes]], dict[str, bytes]]

_numbers = count()


@contextmanager
def importable(place: Path) -> Iterator[None]:
    """Let packages in a folder or archive be found, until the `with` statement ends."""
    sys.path.insert(0, str(place))
    invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(place))


def hash_of(folder: Path, files: dict[str, bytes]) -> str:
    """The hash of a package with these files, under a name that no package has had before."""
    name = f"tongbao_package_{next(_numbers)}"
    for path, text in files.items():
        target = folder / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    with importable(folder):
        return package_hash(name)


def as_described(files: dict[str, bytes]) -> str:
    """The hash, by the description alone."""
    digest = sha256(b"tongbao/package/1")
    for path in sorted(path for path in files if path.endswith(".py")):
        digest.update(path.encode())
        digest.update(b"\0")
        digest.update(len(files[path]).to_bytes(8, "big"))
        digest.update(files[path])
    return digest.hexdigest()


def test_the_hash_is_what_its_description_says(tmp_path: Path) -> None:
    """
    Given packages with one file, with several folders, and with names and bytes of all kinds,
    when they are hashed,
    then the hash is that of paths, lengths and bytes in the order of the paths.
    """
    strange = {
        "__init__.py": b"",
        "odd.py": bytes(range(256)) * 300,
        "größe.py": b"\r\n",
        "a b/__init__.py": b"",
    }
    for files in ({"__init__.py": b""}, FILES, strange):
        assert hash_of(tmp_path, files) == as_described(files)


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files | {"rules.py": b"LIMIT = 4\n"},
        lambda files: files | {"rules.py": b"LIMIT = 5\r\n"},
        lambda files: files | {"rules.py": b"LIMIT = 5\n# said\n"},
        lambda files: files | {"new.py": b""},
        lambda files: {path: text for path, text in files.items() if path != "rules/more.py"},
        lambda files: {path.replace("more", "less"): text for path, text in files.items()},
        lambda files: {path.replace("rules/", "ruled/"): text for path, text in files.items()},
        lambda files: (
            files | {"rules.py": files["rules/more.py"], "rules/more.py": files["rules.py"]}
        ),
        lambda files: files | {"__init__.py": b"LIMIT = 5\n", "rules.py": b""},
    ],
    ids=[
        "byte",
        "line end",
        "comment",
        "new file",
        "lost file",
        "other file name",
        "other folder name",
        "exchanged",
        "moved into another",
    ],
)
def test_every_change_of_code_changes_the_hash(tmp_path: Path, change: Change) -> None:
    """
    Given a package and the same with one change to a Python file's bytes, name or place,
    when both are hashed,
    then the hashes differ.
    """
    assert hash_of(tmp_path, change(FILES)) != hash_of(tmp_path, FILES)


def test_what_is_not_code_does_not_change_the_hash(tmp_path: Path) -> None:
    """
    Given a package, and the same with texts, typing marks and Python's own caches,
    when both are hashed,
    then the hashes are one, as it is under another name and in another folder.
    """
    besides = {
        "README.md": b"# read me",
        "py.typed": b"",
        "rules/notes.txt": b"5",
        "__pycache__/rules.cpython-311.pyc": b"\0\0",
    }
    first, second = tmp_path / "first", tmp_path / "second"
    assert hash_of(first, FILES | besides) == hash_of(second, FILES)


def test_a_package_in_an_archive_has_the_same_hash(tmp_path: Path) -> None:
    """
    Given a package that was never unpacked from its archive,
    when it is hashed,
    then it is the hash of the same files in a folder.
    """
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path, text in reversed(FILES.items()):
            packed.writestr(f"tongbao_packed/{path}", text)
    with importable(archive):
        assert package_hash("tongbao_packed") == hash_of(tmp_path, FILES)


def test_a_package_that_is_not_installed_has_no_hash() -> None:
    """
    Given a name that no package has,
    when it is hashed,
    then that is an import error, not a hash of nothing.
    """
    with pytest.raises(ModuleNotFoundError, match="tongbao_absent"):
        package_hash("tongbao_absent")


def test_every_module_has_the_hash_of_its_own_package() -> None:
    """
    Given the modules of this distribution,
    when their hashes are asked for,
    then each is that of its package's files as they are installed, and no two are one.
    """
    home = Path(tongbao.__file__).parent
    wanted = {}
    for module, place in (
        (kernel_module.module, home / "kernel"),
        (account.module, home / "modules" / "account"),
        (asset.module, home / "modules" / "asset"),
        (hold.module, home / "modules" / "hold"),
        (mandate.module, home / "modules" / "mandate"),
        (reading.module, home / "modules" / "reading"),
        (data.module, home / "modules" / "data"),
        (sponsor.module, home / "modules" / "sponsor"),
        (upgrade.module, home / "modules" / "upgrade"),
        (governance.module, home / "modules" / "governance"),
        (member.module, home / "modules" / "member"),
    ):
        found = {path.relative_to(place).as_posix(): path for path in place.rglob("*.py")}
        wanted[module.name] = as_described(
            {path: file.read_bytes() for path, file in found.items()}
        )
    assert {module.name: module_hash(module) for module in registry().modules} == wanted
    assert len(set(wanted.values())) == len(wanted)
