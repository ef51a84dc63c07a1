"""The audit's verdict."""

from __future__ import annotations

from tests.cli.calling import Place


def test_a_sound_chain_is_counted_whole(place: Place) -> None:
    """
    Given a sound chain,
    when it is audited as text and as JSON,
    then blocks, rows and invariants are counted and nothing is found.
    """
    head = place.do("status")
    report = place.do("audit")
    told = place.call("audit")

    assert (report["height"], report["rows"]) == (head["height"], head["rows"])
    assert (report["state_root"], report["findings"]) == (head["state_root"], [])
    assert told.code == 0
    assert told.last == (
        f"audit: {head['height'] + 1} blocks, {head['rows']} rows, "
        f"{report['invariants']} invariants hold"
    )
