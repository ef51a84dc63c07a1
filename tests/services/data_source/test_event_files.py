"""Files of events, as a till writes them and as somebody hostile does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.data_source.shop import MARCH, SCHEMA, Shop, customer, egg, shop
from tongbao.rights.limits import LINE_BYTES_LIMIT, ROWS_LIMIT
from tongbao.services.data_source.consents import consent_of_customer, subject_key
from tongbao.services.data_source.event_files import BadLine, Event, read_events
from tongbao.services.data_source.events import add_events, rows_of
from tongbao.services.data_source.settings import SourceError

HEAD = b"note,customer,eggs,event,fresh,day\n"
GOOD = b"hello,customer-0,3,bon-1,true,2026-03-02\n"


def read(tmp_path: Path, text: bytes, name: str = "events.csv") -> list[tuple[int, object]]:
    """What a file says."""
    path = tmp_path / name
    path.write_bytes(text)
    return list(read_events(path, SCHEMA))


def test_a_table_is_read_by_its_header(tmp_path: Path) -> None:
    """Given columns in any order, CRLF, a mark and quotes, when read, then values are theirs."""
    text = (
        b"\xef\xbb\xbf"
        + HEAD.replace(b"\n", b"\r\n")
        + GOOD
        + b"\n"
        + b'"a,""b""",c,-7,e,false,x\n'
    )
    assert read(tmp_path, text) == [
        (2, Event("customer-0", "bon-1", ("2026-03-02", 3, "hello", True))),
        (4, Event("c", "e", ("x", -7, 'a,"b"', False))),
    ]


@pytest.mark.parametrize("formula", ["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "-2+3"])
def test_a_formula_stays_a_text(tmp_path: Path, formula: str) -> None:
    """Given a text that a spreadsheet would run, when read, then it is the same text."""
    line = f'"{formula}",c,3,e,true,2026-03-02\n'.encode()
    [(_, event)] = read(tmp_path, HEAD + line)
    assert isinstance(event, Event)
    assert event.values[2] == formula


@pytest.mark.parametrize(
    "line",
    [
        b"x,c,3.0,e,true,2026-03-02",
        b"x,c,3e9,e,true,2026-03-02",
        b"x,c, 3,e,true,2026-03-02",
        "x,c,\u0663,e,true,2026-03-02".encode(),
        b"x,c,99999999999999999999,e,true,2026-03-02",
        b"x,c,,e,true,2026-03-02",
        b"x,c,3,e,TRUE,2026-03-02",
        b"x,c,3,e,1,2026-03-02",
        b"x,c,3,e,true",
        b"x,c,3,e,true,2026-03-02,more",
        b"x\x00,c,3,e,true,2026-03-02",
        b"\xff,c,3,e,true,2026-03-02",
        b'"x,c,3,e,true,2026-03-02',
        b'x"y,"c"d,3,e,true,2026-03-02',
        b"x,,3,e,true,2026-03-02",
        b"x,c,3,,true,2026-03-02",
        b"x,c\x1b[2J,3,e,true,2026-03-02",
    ],
)
def test_a_wrong_line_is_told_by_its_number_without_its_values(tmp_path: Path, line: bytes) -> None:
    """Given a line with a wrong kind, count, byte or quote, when read, then it is no event."""
    [(_, good), (number, bad)] = read(tmp_path, HEAD + GOOD + line + b"\n")
    assert isinstance(good, Event)
    assert (number, isinstance(bad, BadLine)) == (3, True)
    assert "2026" not in str(bad)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"customer,event,day\n",
        HEAD.replace(b"note", b"customer"),
        HEAD.strip() + b",more\n",
        b"\xff\xfe" + HEAD,
        b"x" * (LINE_BYTES_LIMIT + 1),
        HEAD + b"x" * (LINE_BYTES_LIMIT + 1),
    ],
)
def test_a_file_of_another_form_is_refused_whole(tmp_path: Path, text: bytes) -> None:
    """Given another header, or a line without an end, when read, then nothing of it is taken."""
    with pytest.raises(SourceError):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{",
        b"[" * 20_000,
        b'{"customer":"c","event":"e"}',
        b'{"customer":"c","event":"e","values":{"day":"2026-03-02"}}',
        b'{"customer":"c","event":"e","more":1,"values":{}}',
        b'{"customer":"c","event":"e","values":{"day":"x","eggs":1.5,"note":"","fresh":true}}',
        b'{"customer":"c","event":"e","values":{"day":"x","eggs":null,"note":"","fresh":true}}',
        b'{"customer":"c","event":"e","values":{"day":[],"eggs":1,"note":"","fresh":true}}',
    ],
)
def test_a_wrong_line_of_json_is_none(tmp_path: Path, line: bytes) -> None:
    """Given JSON of another form, when read, then it is no event."""
    good = b'{"customer":"c","event":"e","values":{"day":"x","eggs":1,"note":"","fresh":true}}'
    [(_, first), (_, second)] = read(tmp_path, good + b"\n" + line, "events.jsonl")
    assert isinstance(first, Event)
    assert isinstance(second, BadLine)


def test_one_wrong_line_and_nothing_of_the_file_is_kept(tmp_path: Path) -> None:
    """
    Given a file with good lines and, at its end, kinds and days that are none,
    when it is added,
    then the wrong lines are named, no value of them is told, and nothing was kept.
    """
    with shop(tmp_path / "chain") as club:
        club.consent(customer(0))
        path = tmp_path / "events.csv"
        secret = b"canary"
        path.write_bytes(
            HEAD
            + GOOD
            + secret * 50
            + b",customer-0,3,bon-2,true,2026-03-02\n"
            + secret
            + b",customer-0,3,bon-3,true,2026-02-30\n"
        )
        with pytest.raises(SourceError) as refused:
            add_events(club.source, SCHEMA, MARCH, read_events(path, SCHEMA))
        text = str(refused.value)
        assert ("line 3" in text, "line 4" in text, "canary" in text) == (True, True, False)
        assert rows(club, 0) == 0
        assert club.events(customer(0), 1).new == 1


def rows(club: Shop, number: int) -> int:
    """How many rows a customer's month has."""
    held = consent_of_customer(club.source, customer(number), "eggs.1")
    assert held is not None
    subject = subject_key(club.source.journal, held.signed_consent)
    return len(rows_of(club.source, subject, "eggs.1", MARCH))


def test_a_month_has_at_most_ten_thousand_rows(tmp_path: Path) -> None:
    """
    Given a month of 10,000 rows,
    when one more comes, alone or in a file of its own,
    then it is refused, and the month of 10,000 is attested.
    """
    name = customer(0)
    with shop(tmp_path) as club:
        club.consent(name)
        with pytest.raises(SourceError, match=f"more than {ROWS_LIMIT} rows"):
            club.events(name, ROWS_LIMIT + 1)
        assert rows(club, 0) == 0
        assert club.events(name, ROWS_LIMIT).new == ROWS_LIMIT
        with pytest.raises(SourceError):
            add_events(club.source, SCHEMA, MARCH, [(1, egg(name, ROWS_LIMIT))])
        assert club.month().committed == 1
        assert rows(club, 0) == ROWS_LIMIT
