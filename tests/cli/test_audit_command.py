"""The audit's verdict."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calling import PASSPHRASE, Place


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


def test_a_trust_file_of_others_is_found_and_noted(tmp_path: Path) -> None:
    """
    Given a chain whose trust file was exchanged,
    when the chain is audited, asked for its status, and the file written anew as it is told to,
    then it is the audit's one finding and the status's note, and then neither.
    """
    here = Place(tmp_path / "chain", PASSPHRASE)
    here.do("init")
    file = here.folder / "trust.json"
    file.write_text(file.read_text().replace('"demo-', '"omed-'))
    audited, status = here.call("audit"), here.call("status")

    assert (audited.code, audited.last) == (65, "audit: 1 finding; don't rely on this chain")
    assert audited.err.startswith(f"found: {file} is not the one of genesis.json: ")
    assert (status.code, status.err) == (0, audited.err.replace("found: ", "note: "))
    command = status.err.split("`tongbao ")[1].split("`")[0]
    assert here.call(*command.split()).code == 0
    assert [here.call(*each).err for each in (("audit",), ("status",))] == ["", ""]
