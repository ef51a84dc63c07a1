"""A buyer in JavaScript, written from the page alone, comes to the same bytes and verdicts."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import (
    HALVES,
    ORDER,
    Case,
    batch,
    fixed,
    honest,
    order_of,
    sealed_text,
    told_batch,
)
from tests.rights.test_golden import verdicts
from tests.rights.test_properties import changed
from tests.rights.test_requests import LONGEST, REQUEST
from tongbao.rights.envelope import envelope_info, put_into_envelope
from tongbao.rights.judge import Verdict
from tongbao.rights.package_text import package_lines
from tongbao.rights.requests import Why, evidence_hash, grant_hash, request_bytes, request_hash

FOLDER = Path(__file__).parents[2] / "examples" / "javascript"
ROUNDS = int(os.environ.get("TONGBAO_FUZZ_ROUNDS", "12000")) // 60
MANY = """
import { createInterface } from "node:readline";
import { judge } from "%s/data_formats.mjs";
const hex = (text) => Buffer.from(text, "hex");
for await (const line of createInterface({ input: process.stdin })) {
  const { order, sealed, a, b, chunks } = JSON.parse(line);
  const given = chunks.map((chunk) => Buffer.from(chunk, "base64"));
  console.log(judge(order, sealed, hex(a), hex(b), given).verdict);
}
"""
HASHES = """
import { readFileSync } from "node:fs";
import { evidenceHash, grantHash, requestHash } from "%s/data_formats.mjs";
const hex = (text) => Buffer.from(text, "hex");
const { requests, receipts, evidence } = JSON.parse(readFileSync(0));
for (const text of requests) console.log(requestHash(JSON.parse(text)).toString("hex"));
for (const text of receipts) console.log(grantHash(Buffer.from(text)).toString("hex"));
for (const one of evidence) console.log(evidenceHash(...one.map(hex)).toString("hex"));
"""

pytestmark = pytest.mark.needs("node")


def told(case: Case) -> dict[str, Any]:
    """A case as the program reads it."""
    order, sealed = case.order, case.commitments.sealed
    return {
        "order": {
            "id": order.id.hex(),
            "schema": order.schema,
            "schema_fields": order.schema_fields,
            "fields": order.fields,
            "batches": [told_batch(one) for one in order.batches],
        },
        "sealed": {
            "package_root": sealed.package_root.hex(),
            "chunk_count": sealed.chunk_count,
            "a_commit": sealed.a_commit.hex(),
            "b_lock": sealed.b_lock.hex(),
        },
        "a": case.a.hex(),
        "b": case.commitments.b.hex(),
        "chunks": [base64.b64encode(chunk).decode() for chunk in case.chunks],
    }


def run(*arguments: str, given: str) -> str:
    """What a Node.js program prints."""
    ended = subprocess.run(
        ["node", *arguments], input=given, stdout=subprocess.PIPE, text=True, check=True
    )
    return ended.stdout


def verdicts_of(cases: list[Case]) -> list[str]:
    """What the program says to each case."""
    program = MANY % FOLDER.as_uri()
    given = "\n".join(json.dumps(told(case)) for case in cases)
    return run("--input-type=module", "--eval", program, given=given).split()


def test_a_buyer_in_javascript_takes_the_half_out_and_reads_the_rows() -> None:
    """Given an envelope and a package, when bought in JavaScript, then the granted values."""
    case = honest(batch(40), batch(0, "2026-11"))
    grant, buyer = fixed("grant"), fixed("buyer")
    info = envelope_info(case.order.id, grant, case.commitments.sealed)
    given = told(case) | {
        "grant_hash": grant.hex(),
        "buyer_secret": buyer.hex(),
        "envelope": put_into_envelope(public_key_of(buyer), HALVES.a, info).hex(),
    }
    del given["a"]
    found = json.loads(run(str(FOLDER / "buy_data.mjs"), given=json.dumps(given)))
    assert found == {
        "verdict": "OK",
        "rows": [{"day": row.values[0], "eggs": row.values[1]} for row in batch(40).rows],
    }


def test_it_names_requests_receipts_and_evidence_as_we_do() -> None:
    """Given requests, receipts and evidence, when hashed in JavaScript, then the same hashes."""
    reasons = ('"\\ /', "蛋 ", "a\u00a0b\uffff", "\U0001f95a" * 9, "</script>")
    requests = [REQUEST, LONGEST, *(replace(REQUEST, why=Why(why)) for why in reasons)]
    receipts = ["{}", '{"why":"蛋"}']
    evidence = [(ORDER, HALVES.a, fixed("root")), (bytes(20), fixed("x"), fixed("y"))]
    given = {
        "requests": [request_bytes(one).decode() for one in requests],
        "receipts": receipts,
        "evidence": [[part.hex() for part in one] for one in evidence],
    }
    program = HASHES % FOLDER.as_uri()
    found = run("--input-type=module", "--eval", program, given=json.dumps(given)).split()
    ours = [request_hash(one) for one in requests]
    ours += [grant_hash(text.encode()) for text in receipts]
    ours += [evidence_hash(*one) for one in evidence]
    assert found == [one.hex() for one in ours]


def test_it_comes_to_the_golden_verdicts() -> None:
    """Given the frozen cases, when judged in JavaScript, then the same verdicts, all seven."""
    cases = list(verdicts().values())
    found = verdicts_of(cases)
    assert found == [case.verdict().name for case in cases]
    assert set(found) == {verdict.name for verdict in Verdict}


def test_it_comes_to_the_same_verdict_on_any_damaged_text() -> None:
    """Given damaged texts that were committed to, when judged by both, then they agree."""
    choose = random.Random(int(os.environ.get("TONGBAO_FUZZ_SEED", "11")))
    months = (batch(3), batch(1, "2026-11"))
    good = b"".join(package_lines(months, ("day", "eggs", "note")))
    order = order_of(*months, fields=("day", "eggs", "note"))
    odd = [
        good.replace(b"canary", one, 1)
        for one in (
            *(b"\\ud800", b"\\u20ac", b"\\u000a", b"\\n", b"\\/", b"\xef\xbb\xbf", b"\xc0\x80"),
            *("店".encode() * 256, "😀".encode() * 240, b"x" * 257, b"\x7f", b"\x01", b"\\u001F"),
        )
    ]
    odd += [good.replace(b",1],", one, 1) for one in (b",-0],", b",1e0],", b",9007199254740992],")]
    odd += [b"\xef\xbb\xbf" + good, b"{}", b"[\n]", b"null", b"[\n1\n]", b"[" * 9_000]
    texts = [*odd, *(changed(choose, good) for _ in range(ROUNDS))]
    cases = [sealed_text(order, text) for text in texts]
    ours = [case.verdict().name for case in cases]
    assert verdicts_of(cases) == ours
    assert len(set(ours)) >= 4
