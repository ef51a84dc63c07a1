"""Who may read: a policy is asked at the door, before anything of the chain is looked at.

A chain of members alone will have a policy here that knows sessions and roles; whatever it does not
let through never reaches an operation, a page or a stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.types import Scope

from tongbao.node.problems import ProblemError

Policy = Callable[[Scope], ProblemError | None]
"""Why a request (its ASGI scope) may not read, None when it may."""


def public(scope: Scope) -> ProblemError | None:
    """Everybody reads everything."""
    return None


POLICIES: Final[dict[str, Policy]] = {"public": public}
"""By the value of the setting `read_policy`."""
