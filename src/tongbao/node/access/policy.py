"""Who may read, by this node's setting and by its chain: the narrower of both counts.

A chain says so by the parameter `reading.members_only`, from genesis on or by a decision of its
operators. A setting can only narrow it, so no node of a network answers more than was agreed on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tongbao.modules import reading
from tongbao.node.problems import ProblemError, unavailable
from tongbao.node.settings import is_in_the_clear
from tongbao.store.errors import StoreError

if TYPE_CHECKING:
    from tongbao.node.api import Api

MEMBERS: Final = "members"
PUBLIC: Final = "public"
AGAIN_S: Final = 1.0
"""How long what the chain says is believed before it is looked at again, at most."""


def policy_of(api: Api) -> str:
    """The policy that counts now; it reads the chain's rows."""
    is_said = reading.module in api.chain.registry.modules
    is_narrow = api.settings.read_policy == MEMBERS or (
        is_said and api.chain.query(reading.is_for_members)
    )
    return MEMBERS if is_narrow else PUBLIC


class Policy:
    """What counts at a node, looked at again while it answers."""

    def __init__(self) -> None:
        """Nothing is known yet: whoever asks first waits."""
        self._is_for_members = True
        self._until = 0.0

    async def is_for_members(self, api: Api) -> bool:
        """Whether an answer is for those alone who are known. Raises ProblemError, 503.

        Where the chain says so and callers' tokens would be sent in the clear, nobody is answered.
        """
        if api.settings.read_policy == MEMBERS:
            return True
        if reading.module not in api.chain.registry.modules:
            return False
        if time.monotonic() >= self._until:
            await self._look(api)
        if self._is_for_members and is_in_the_clear(api.settings):
            raise unavailable(
                "the chain's policy is that members read, and this node has no TLS: give it "
                "tls_certificate and tls_key, or behind_tls_proxy=true where a proxy takes TLS off"
            )
        return self._is_for_members

    async def _look(self, api: Api) -> None:
        """See what the chain says; while its rows can't be read, what it said before goes on."""
        try:
            self._is_for_members = await api.read(None, policy_of, api) == MEMBERS
        except (StoreError, ProblemError):
            if not self._until:
                raise
        self._until = time.monotonic() + AGAIN_S
