"""Sell a month of breakfasts: an agent in Python seals it, a buyer in JavaScript opens it."""

import base64
import json
import secrets
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tongbao.kernel.identifiers import Address, Hash
from tongbao.rights.batch import Origin, Period, commitment_of, make_batch
from tongbao.rights.envelope import envelope_info, put_into_envelope
from tongbao.rights.halves import draw_halves
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.rights.seal import seal_package

BUYER_PROGRAM = Path(__file__).parent / "javascript" / "buy_data.mjs"
SCHEMA = Schema(
    SchemaName("eggs.1"),
    (
        Field(FieldName("day"), "date"),
        Field(FieldName("eggs"), "integer"),
        Field(FieldName("with_whom"), "text"),
    ),
)

# The person's agent has a batch from a source, and the source's commitment stands on the ledger.
source_key = secrets.token_bytes(32)
rows = [
    Row(event_hash(source_key, day.encode()), (day, eggs, "my sister"))
    for day, eggs in (("2026-10-01", 2), ("2026-10-02", 0), ("2026-10-04", 3))
]
origin = Origin(
    period=Period("2026-10"), source=Address("11" * 20), subject=Hash(secrets.token_hex(32))
)
batch = make_batch(SCHEMA, origin, rows, secrets.token_bytes(32), secrets.token_bytes(16))

# A buyer has ordered days and eggs, not with whom. The order and its grant are on the ledger.
buyer = X25519PrivateKey.generate()
order, grant_hash = secrets.token_bytes(20), secrets.token_bytes(32)
halves = draw_halves()
chunks: list[bytes] = []
sealed = seal_package(order, halves, [batch], ("day", "eggs"), chunks.append)
info = envelope_info(order, grant_hash, sealed)
envelope = put_into_envelope(buyer.public_key().public_bytes_raw(), halves.a, info)

header = batch.header
ordered = {
    "commitment": commitment_of(header).hex(),
    "source": header.source,
    "subject": header.subject,
    "period": header.period,
}

# What the buyer has: the ledger's rows, the envelope, the chunks, and after Reveal also `b`.
told = {
    "order": {
        "id": order.hex(),
        "schema": SCHEMA.name,
        "schema_fields": SCHEMA.cells[1:],
        "fields": ["day", "eggs"],
        "batches": [ordered],
    },
    "sealed": {
        "package_root": sealed.package_root.hex(),
        "chunk_count": sealed.chunk_count,
        "a_commit": sealed.a_commit.hex(),
        "b_lock": sealed.b_lock.hex(),
    },
    "grant_hash": grant_hash.hex(),
    "buyer_secret": buyer.private_bytes_raw().hex(),
    "envelope": envelope.hex(),
    "b": halves.b.hex(),
    "chunks": [base64.b64encode(chunk).decode() for chunk in chunks],
}
ended = subprocess.run(
    ["node", str(BUYER_PROGRAM)],
    input=json.dumps(told),
    stdout=subprocess.PIPE,
    text=True,
    check=True,
)
bought = json.loads(ended.stdout)
assert bought["verdict"] == "OK"
assert bought["rows"] == [{"day": row.values[0], "eggs": row.values[1]} for row in rows]
print(f"the buyer has {len(bought['rows'])} breakfasts, and not with whom: {bought['rows']}")
