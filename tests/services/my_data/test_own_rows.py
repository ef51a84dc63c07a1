"""Rows that a person tells itself: labelled so, corrected, and hostile files refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.modules.data_steps import COUNT
from tests.services.data_agent.market import SCHEMA
from tests.services.my_data.people import People
from tongbao.rights.limits import ROWS_LIMIT
from tongbao.services.my_data.erasing import erase
from tongbao.services.my_data.offering import offer
from tongbao.services.my_data.own_rows import BadFile, read_rows, read_schema, tell
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.refusals import NotTaken

KEY = b"k" * 32
MONTH = "2026-03"
CSV = "day,count,event\n2026-03-01,2,breakfast\n2026-03-02,-1,lunch\n"


def told(person: Person, path: Path, text: str) -> str:
    """Tell the rows of a CSV file; the batch's id."""
    path.write_text(text)
    rows = read_rows(path, SCHEMA, person.keys.signer.public_key, MONTH)
    return tell(person, SCHEMA, rows, MONTH).batch


def test_self_reported_rows_say_so_on_the_ledger_and_at_the_agent(
    people: People, alice: Person, tmp_path: Path
) -> None:
    """Given rows of alice's own, when told and offered, then ledger and notebook have `self`."""
    name = told(alice, tmp_path / "rows.csv", CSV)
    row = alice.owned().batches[name]
    assert (row.method, row.source, row.version) == ("self", alice.account, 1)
    (kept,) = alice.notebook.batches
    assert (kept.method, kept.attestation, kept.count) == ("self", None, 2)
    assert people.market.agent is not None
    _, settled = offer(alice, people.terms(), people.market.agent.address)
    assert [batch for _, batch in settled.given] == [name]
    (agent,) = alice.notebook.agents
    assert alice.door(agent).copies() == {name: (COUNT,)}


def test_telling_a_month_again_is_a_correction(alice: Person, tmp_path: Path) -> None:
    """Given a month, when told again, then a second version supersedes the first."""
    first = told(alice, tmp_path / "rows.csv", CSV)
    second = told(alice, tmp_path / "rows.csv", CSV.replace(",2,", ",3,"))
    row = alice.owned().batches[second]
    assert (row.version, row.supersedes) == (2, first)
    assert not alice.owned().is_live(first)
    erase(alice, second)
    with pytest.raises(NotTaken, match="erased"):
        told(alice, tmp_path / "rows.csv", CSV)


def test_csv_and_json_give_the_same_rows(tmp_path: Path) -> None:
    """Given the same rows as CSV and as JSON, when read, then there is no difference."""
    table, objects = tmp_path / "rows.csv", tmp_path / "rows.json"
    table.write_text("\ufeff" + CSV)
    rows = [
        {"count": 2, "day": "2026-03-01", "event": "breakfast"},
        {"count": -1, "day": "2026-03-02", "event": "lunch"},
    ]
    objects.write_bytes(msgspec.json.encode(rows))
    assert read_rows(table, SCHEMA, KEY, MONTH) == read_rows(objects, SCHEMA, KEY, MONTH)


@pytest.mark.parametrize(
    "text",
    [
        "day,count\n2026-03-01\n",
        "day,count\n2026-03-01,1,2\n",
        "day,count\n2026-02-30,1\n",
        "day,count\n2026-03-01,01\n",
        "day,count\n2026-03-01,1.5\n",
        "day,count\n2026-03-01,99999999999999999\n",
        "day,day\n2026-03-01,1\n",
        "day,eggs\n2026-03-01,1\n",
        "day\n2026-03-01\n",
        'day,count\n2026-03-01,"1\n',
        "day,count\n2026-03-01,1\x00\n",
        f"day,count\n{'9' * 5_000},1\n",
        "day,count\n=HYPERLINK(1),1\n",
    ],
)
def test_a_csv_file_that_is_wrong_is_refused_whole(tmp_path: Path, text: str) -> None:
    """Given a file that is wrong in some way, when read, then its line is named and no value."""
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(BadFile) as refused:
        read_rows(path, SCHEMA, KEY, MONTH)
    assert "HYPERLINK" not in str(refused.value) and "99999" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"[1]",
        b'[{"day":"2026-03-01","count":1.5}]',
        b'[{"day":"2026-03-01","count":null}]',
        b'[{"day":"2026-03-01","count":"1"}]',
        b'[{"day":"2026-03-01","count":true}]',
        b'[{"day":"2026-03-01","count":1,"more":1}]',
        b'[{"day":"2026-03-01","count":1,"event":1}]',
        b"[" * 100_000,
        b'[{"day":"\xff","count":1}]',
    ],
)
def test_a_json_file_that_is_wrong_is_refused_whole(tmp_path: Path, text: bytes) -> None:
    """Given a file that is wrong in some way, when read, then it is refused."""
    path = tmp_path / "rows.json"
    path.write_bytes(text)
    with pytest.raises(BadFile):
        read_rows(path, SCHEMA, KEY, MONTH)


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    """Given a row more than a month may have, when read, then it is refused; one less is taken."""
    path = tmp_path / "rows.csv"
    line = "2026-03-01,1\n"
    path.write_text("day,count\n" + line * ROWS_LIMIT)
    assert len(read_rows(path, SCHEMA, KEY, MONTH)) == ROWS_LIMIT
    path.write_text("day,count\n" + line * (ROWS_LIMIT + 1))
    with pytest.raises(BadFile, match="10000"):
        read_rows(path, SCHEMA, KEY, MONTH)


def test_a_schema_of_other_fields_than_the_ledger_s_is_refused(
    alice: Person, tmp_path: Path
) -> None:
    """Given a schema file with another field, when rows are told by it, then it is refused."""
    path = tmp_path / "schema.json"
    path.write_bytes(msgspec.json.encode(SCHEMA))
    assert read_schema(path) == SCHEMA
    path.write_text('{"name":"eggs.1","fields":[{"name":"eggs","kind":"integer"}]}')
    schema = read_schema(path)
    with pytest.raises(BadFile, match="fields"):
        tell(alice, schema, [], MONTH)
    path.write_text('{"name":"eggs.1","fields":[{"name":"event","kind":"integer"}]}')
    with pytest.raises(BadFile):
        read_schema(path)
