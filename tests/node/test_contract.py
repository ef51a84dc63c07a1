"""The OpenAPI document against the node behind it, judged by schemathesis over a real socket."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response, SerializationContext
from schemathesis.checks import CheckContext, CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.fixed_chain import key
from tests.node.access.test_sessions import challenge_of
from tests.node.conftest import Served, serving
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.schema import wire_name_of
from tongbao.node import examples
from tongbao.node.access.callers import wall_clock_ms
from tongbao.sdk.sessions import sign_challenge

EXAMPLES: Final = 8
"""Requests of each kind, right and wrong, for each operation."""
SEARCH: Final = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
STREAM_S: Final = {"/v1/events": 0.5}
"""How long a stream is listened to."""
ALWAYS_REFUSED: Final = {
    "events_socket": 426,
    "transactions_socket": 426,
    "newest_light_block": 404,
    "light_block": 404,
    "end_session": 401,
}
"""What plain HTTP can't do, and what a chain of one authority has not; and what is told then."""


@schemathesis.serializer("application/jose")
def as_text(context: SerializationContext, value: object) -> bytes:
    """A compact JWS is sent as it is; what is none, as whatever text it has."""
    return str(value).encode()


def no_bug(context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """No answer is a server's error, but those that say "later"."""
    assert response.status_code < 500 or response.status_code in (503, 507), response.text
    return None


CHECKS: Final[list[CheckFunction]] = [
    no_bug,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
    checks.allow_header_conformance,
]


def with_real_examples(served: Served) -> Any:
    """The node's own document, whose examples name what is on its chain."""
    fixed = served.fixed
    hold = served.send(fixed.place("5.00", 120_000)).json()["receipt"]["ids"][0]
    paid = served.send(fixed.pay("1.00")).json()["id"]
    text = served.client.get("/openapi.json").text
    for example, real in (
        (examples.ASSET, fixed.cny),
        (examples.ADDRESS, fixed.alice),
        (examples.THING, hold),
        (examples.TRANSACTION, paid),
    ):
        assert example in text
        text = text.replace(example, real)
    document = json.loads(text)
    signed = sign_challenge(challenge_of(served, fixed.alice), key("alice")).decode()
    opening = document["paths"]["/v1/sessions"]["post"]["requestBody"]["content"]
    opening["application/jose"]["example"] = signed
    bodies = document["paths"]["/v1/transactions"]["post"]["requestBody"]["content"]
    compact, many, general, dry = (fixed.pay("0.01").decode() for _ in range(4))
    protected, payload, signature = general.split(".")
    bodies["application/jose"]["example"] = compact
    bodies["application/json"]["example"] = {"transactions": [many]}
    bodies["application/jose+json"]["example"] = {
        "payload": payload,
        "signatures": [{"protected": protected, "signature": signature}],
    }
    tried = json.loads(decode_envelope(dry.encode()).payload)
    document["components"]["schemas"]["Payload"]["example"] = tried
    return document


class Judge:
    """Sends what schemathesis makes, checks the answers, and counts them by operation."""

    def __init__(self, served: Served) -> None:
        """Judge a node."""
        self.address = served.address
        self.session = requests.Session()
        self.good: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()

    def judge(self, case: Case[Any]) -> None:
        """Send one request. Raises what schemathesis finds wrong."""
        answer = case.call_and_validate(
            self.address, session=self.session, checks=CHECKS, timeout=STREAM_S.get(case.path)
        )
        name = case.operation.definition.raw["operationId"]
        fine = answer.status_code < 400 or ALWAYS_REFUSED.get(name) == answer.status_code
        (self.good if fine else self.bad)[name] += 1

    def play(self, strategy: st.SearchStrategy[Case[Any]], count: int) -> None:
        """Send some of what a strategy makes."""

        @settings(SEARCH, max_examples=count)
        @given(strategy)
        def send(case: Case[Any]) -> None:
            self.judge(case)

        send()


def cases_of(operation: Any) -> Iterator[tuple[st.SearchStrategy[Case[Any]], int]]:
    """What to send: the examples of the document, then right and wrong requests."""
    for example in operation.get_strategies_from_examples():
        yield example, 1
    yield operation.as_strategy(generation_mode=GenerationMode.POSITIVE), EXAMPLES
    if operation.definition.raw["parameters"] or operation.body:
        yield operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), EXAMPLES


def test_every_operation_answers_as_the_document_says() -> None:
    """
    Given a node, and its document with examples that name what is on its chain,
    when schemathesis sends the examples, and right and wrong requests, to every operation,
    then every answer has a status, headers, type and schema that the document names, none is a
    bug, wrong requests are refused, and every operation has been answered well.
    """
    begun = wall_clock_ms()
    with serving(wait_ms=20, now_ms=lambda: begun) as served:  # challenges do not end meanwhile
        schema = schemathesis.openapi.from_dict(with_real_examples(served))
        judge = Judge(served)
        names = []
        for found in schema.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            names.append(operation.definition.raw["operationId"])
            for strategy, count in cases_of(operation):
                judge.play(strategy, count)
        judge.session.close()

    total = judge.good.total() + judge.bad.total()
    print(f"{len(names)} operations, {total} requests, {judge.bad.total()} of them refused")
    assert [name for name in names if not judge.good[name]] == []
    assert len(names) == len(set(names)) > 30


def test_every_message_and_record_is_in_the_document(served: Served) -> None:
    """
    Given the modules of a chain,
    when their messages, records and events are looked for in the document,
    then each message is one that a payload may hold, by its name on the wire, each record one that
    a row may hold, and each event one that a receipt may hold.
    """
    schemas = served.client.get("/openapi.json").json()["components"]["schemas"]
    registry = served.chain.registry

    def names(shape: dict[str, Any]) -> set[str]:
        return {part["$ref"].rpartition("/")[2] for part in shape["anyOf"]}

    messages = schemas["Payload"]["properties"]["messages"]["items"]
    assert names(messages) == {kind.__name__ for kind in registry.messages}
    assert set(messages["discriminator"]["mapping"]) == set(map(wire_name_of, registry.messages))
    assert names(schemas["Record"]) == {table.value.__name__ for table in registry.tables.values()}
    events = {event.__name__ for some in registry.events_of.values() for event in some}
    assert names(schemas["Receipt"]["properties"]["events"]["items"]) == events
