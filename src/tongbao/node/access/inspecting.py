"""A supervisor reads what is another's: on a basis that the ledger has, and not unrecorded."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tongbao.console import forms
from tongbao.console.acting import acts_of
from tongbao.kernel import Address, Id, Reason
from tongbao.modules import member, reading
from tongbao.modules.reading import Inspection, Why
from tongbao.node.access.account_keys import newest
from tongbao.node.access.needs import Need
from tongbao.node.problems import ProblemError, reason_page, unavailable
from tongbao.sdk.answers import Problem

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from tongbao.node.api import Api

Found = tuple[Id, Inspection]


async def inspect(api: Api, by: str, need: Need, request: HTTPConnection) -> bool:
    """Let a supervisor read what it inspects, and keep that it did; False for who is none.

    Raises ProblemError: 403 where it has stated no basis, 503 where the read can't be recorded.
    """
    if need.subjects is None or reading.module not in api.chain.registry.modules:
        return False
    of = [Address(one) for one in need.subjects(request) if forms.ADDRESS.match(one)]
    found = await newest(api, lambda: _inspections(api, Address(by), of))
    if found is None:
        return False
    now = api.chain.now()
    going = [name for name, inspection in found if now < inspection.until]
    if not going:
        raise _no_basis(api, Why.INSPECTION_HAS_ENDED if found else Why.INSPECTION_NOT_FOUND)
    recorder = api.callers.recorder
    if recorder is None:
        raise unavailable(
            "this node records no reads, so no supervisor reads here: see the setting reads_account"
        )
    await recorder.note(api, going[0], need.kind)
    return True


def _inspections(api: Api, by: Address, of: list[Address]) -> list[Found] | None:
    """The newest inspections of accounts by a supervisor; None for who is none by now."""
    acting = acts_of(api.chain, by)
    if acting is None or not acting.has_role(member.SUPERVISOR):
        return None
    openings = [api.chain.query(reading.current, by, account) for account in of]
    names = [opening.inspection for opening in openings if opening is not None]
    rows = [(name, api.chain.query(reading.show, name)) for name in names]
    return [(name, row) for name, row in rows if row is not None]


def _no_basis(api: Api, why: Reason) -> ProblemError:
    return ProblemError(
        Problem(
            reason_page(why.number),
            api.chain.why(why.number),
            HTTPStatus.FORBIDDEN,
            "send reading.open_inspection for this account first, then ask again",
            why.number,
        )
    )
