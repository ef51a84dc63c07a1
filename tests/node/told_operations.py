"""Every read of a node, with parameters that name what is on its chain: for two nodes to answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tongbao.console.console import PAGES
from tongbao.kernel import Registry
from tongbao.node.operations import Operation, Process
from tongbao.node.table import operations

PERIOD = frozenset({"from", "to"})
STREAMS = frozenset({"events", "events_socket"})
"""They don't end."""


def paths_of(registry: Registry, known: dict[str, str]) -> Iterator[str]:
    """A path with its query for each operation that reads, and for each page.

    `known` has a value for each name of a parameter; an operation that needs another is left out.
    """
    for one in operations(registry):
        if one.method == "GET" and one.name not in STREAMS and one.process is not Process.FRONT:
            yield from _path_of(one, known)
    for page in PAGES:
        path = page.path.format(**known)
        yield path
        yield f"{path}?lang=de"
        yield f"{path}?limit=none"


def _path_of(one: Operation, known: dict[str, str]) -> Iterator[str]:
    fields = msgspec.structs.fields(one.asks)
    names = {each.encode_name for each in fields}
    required = {each.encode_name for each in fields if each.required}
    wanted = required | {name for name in names if f"{{{name}}}" in one.path}
    wanted |= PERIOD & names
    if not wanted <= known.keys():
        return
    path = one.path.format(**known)
    given = "&".join(
        f"{name}={known[name]}" for name in sorted(wanted) if f"{{{name}}}" not in one.path
    )
    yield f"{path}?{given}" if given else path
    yield f"{path}?unknown=1"


def same_of(answer: Any) -> tuple[Any, ...]:
    """What two nodes must say alike: all but the time of the answer."""
    headers = {
        name: value for name, value in answer.headers.items() if name in ("etag", "content-type")
    }
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    if isinstance(body, dict):
        body.pop("now", None)
    return answer.status_code, headers, body
