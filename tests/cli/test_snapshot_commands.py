"""`tongbao snapshot`: taken, verified by others, and refused in words."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.calling import Place
from tongbao.cli.exits import Exit


def test_a_snapshot_is_taken_and_verified_by_whoever_has_the_trust_file(
    place: Place, tmp_path: Path
) -> None:
    """
    Given a chain,
    when a snapshot is taken, and verified with the trust file, the genesis file, and neither,
    then each tells the same of it, and the last says whose keys it took.
    """
    target = str(tmp_path / "snapshot")
    head = place.do("status")
    taken = place.do("snapshot", "take", "--to", target)
    trust = ("--trust", str(place.folder / "trust.json"))
    genesis = ("--genesis", str(place.folder / "genesis.json"))
    by_trust = place.call("snapshot", "verify", target, *trust)
    by_itself = place.call("snapshot", "verify", target)

    assert (taken["height"], taken["rows"], taken["state_root"]) == (
        head["height"],
        head["rows"],
        head["state_root"],
    )
    assert place.do("snapshot", "verify", target, *trust, *genesis) == taken
    what = (
        f"snapshot: {head['rows']} rows of block {head['height']} of {taken['chain']}, with history"
    )
    assert (by_trust.code, by_trust.last, by_trust.err) == (0, f"{what}, verified", "")
    assert (by_itself.code, by_itself.last) == (0, f"{what}, whole by its own genesis file")
    assert "--trust FILE" in by_itself.err


def test_what_can_not_be_believed_or_written_ends_with_its_code(
    place: Place, tmp_path: Path
) -> None:
    """
    Given a snapshot that somebody has changed, a folder that is there, and one that is not,
    when they are verified and written,
    then each ends with the code and the words that say what to do.
    """
    target = tmp_path / "snapshot"
    place.do("snapshot", "take", "--to", str(target))
    again = place.call("snapshot", "take", "--to", str(target))
    with (target / "chunks" / "all.rows").open("r+b") as file:
        file.write(b"\xff")
    changed = place.call("snapshot", "verify", str(target))
    shutil.rmtree(target)
    missing = place.call("snapshot", "verify", str(target))

    assert (again.code, again.err.splitlines()[-1]) == (
        Exit.NO_INPUT,
        f"error: {target} is there already: name another folder, or remove it",
    )
    assert (changed.code, changed.err.splitlines()[-1]) == (
        Exit.WRONG,
        "error: chunk of the whole state has other bytes than its manifest says: fetch it again",
    )
    assert missing.code == Exit.NO_INPUT
