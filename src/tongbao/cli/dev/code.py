"""The code that is watched: where it is, whether it has changed, and copies to run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.sdk.announced import GROUP, VARIABLE, Announced, ModuleError, find, in_folder

FILES_LIMIT: Final = 2_000
BYTES_LIMIT: Final = 33_554_432
NOT_COPIED: Final = frozenset({"__pycache__"})

Fingerprint = tuple[tuple[str, int, int], ...]


class Source(Struct, frozen=True):
    """One module that is watched: who announces it, and the folder of its package."""

    announced: Announced
    package: Path

    @property
    def name(self) -> str:
        """The module's name."""
        return self.announced.name

    def fingerprint(self) -> Fingerprint:
        """Paths, times of change (ns) and sizes of its files. Raises ModuleError."""
        found = []
        for path in files_below(self.package):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # an editor is just putting another in its place
            found.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(found)

    def copy(self, into: Path) -> Path:
        """Copy the package into a project of its own that announces it; the project's folder."""
        project = into / self.name
        for path in files_below(self.package):
            target = project / "src" / self.package.name / path.relative_to(self.package)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, target)
            except FileNotFoundError:
                continue
        (project / "pyproject.toml").write_text(
            f'[project.entry-points."{GROUP}"]\n{self.name} = "{self.announced.target}"\n',
            encoding="utf-8",
        )
        return project

    def original(self, text: str, copies: Path) -> str:
        """A traceback that names the files that one edits, not those of a copy."""
        project = copies / self.name
        text = text.replace(str(project / "src" / self.package.name), str(self.package))
        return text.replace(str(project), self.announced.source)


def source_of(text: str) -> Source:
    """What `--module` names: a folder, or a module that is announced. Raises ModuleError."""
    path = Path(text)
    is_path = os.sep in text or path.is_dir() or text.startswith(".")
    one = in_folder(path) if is_path else find(text)
    top = one.target.partition(":")[0].partition(".")[0]
    if one.place is not None:
        package = one.place / top
    else:
        spec = find_spec(top)
        places = [] if spec is None else list(spec.submodule_search_locations or ())
        package = Path(places[0]) if places else Path(top)
    if not package.is_dir():
        raise ModuleError(
            f"module {one.name} of {one.source}: there is no package {package}",
            "check what its pyproject.toml announces",
        )
    return Source(one, package)


def files_below(folder: Path) -> list[Path]:
    """The files of a package, in order, without caches. Raises ModuleError for too much."""
    found, size = [], 0
    for path in _walk(folder):
        found.append(path)
        size += path.lstat().st_size
        if len(found) > FILES_LIMIT or size > BYTES_LIMIT:
            raise ModuleError(
                f"{folder} has more than {FILES_LIMIT} files or {BYTES_LIMIT} bytes",
                "name the folder of the package alone",
            )
    return sorted(found)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in NOT_COPIED and name[:1] != ".")
        for name in names:
            path = Path(parent, name)
            if name[:1] != "." and path.is_file():
                yield path


def environment(projects: list[Path], names: set[str]) -> dict[str, str]:
    """The environment of a worker: the copies, and other modules that are named by folders."""
    others = [
        path
        for path in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))
        if in_folder(Path(path)).name not in names
    ]
    paths = os.pathsep.join([*map(str, projects), *others])
    # A copy's caches help nobody, and an edit within a second must not find an old one.
    return {**os.environ, VARIABLE: paths, "PYTHONDONTWRITEBYTECODE": "1"}
