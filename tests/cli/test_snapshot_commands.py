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


def test_a_snapshot_begins_a_chain_in_another_folder(place: Place, tmp_path: Path) -> None:
    """
    Given a snapshot and the trust file,
    when it is imported and the new folder asked for its state,
    then the verdict says where the key belongs, and the chain is at the block of the old one.
    """
    target, folder = str(tmp_path / "snapshot"), tmp_path / "imported"
    head = place.do("status")
    taken = place.do("snapshot", "take", "--to", target)
    trust = ("--trust", str(place.folder / "trust.json"))
    told = place.call("snapshot", "import", target, *trust, "--folder", str(folder))
    by_flag = ("--believe-its-own-genesis", "--folder", str(tmp_path / "second"))

    what = f"snapshot: {head['rows']} rows of block {head['height']} of {taken['chain']}"
    missing = f"to make blocks, put the authority's key into {folder / 'keys'}"
    assert (told.code, told.err) == (0, "")
    assert told.last == f"{what}, with history, imported into {folder}; {missing}"
    assert Place(folder).do("status")["state_root"] == head["state_root"]
    assert place.do("snapshot", "import", target, *by_flag) == {
        **taken,
        "folder": str(tmp_path / "second"),
    }


def test_an_import_that_can_not_be_is_told(place: Place, tmp_path: Path) -> None:
    """
    Given a snapshot for which nobody vouches, one without history, and a folder that is there,
    when they are imported,
    then each ends with its code and the words that say what to do, and nothing is made.
    """
    target, folder = tmp_path / "snapshot", str(tmp_path / "imported")
    place.do("snapshot", "take", "--to", str(target))
    believed = ("snapshot", "import", str(target), "--believe-its-own-genesis", "--folder")
    nobody = place.call("snapshot", "import", str(target), "--folder", folder)
    there = place.call(*believed, str(place.folder))
    shutil.rmtree(target / "history")
    rows_only = place.call(*believed, folder)
    verified = place.call("snapshot", "verify", str(target))

    assert nobody.code == Exit.USAGE
    assert "give --trust FILE or --genesis FILE" in nobody.err
    assert (there.code, rows_only.code) == (Exit.NO_INPUT, Exit.WRONG)
    assert "is there already" in there.err
    assert "take a snapshot with this version" in rows_only.err
    assert "rows only, whole by its own genesis file" in verified.last
    assert not (tmp_path / "imported").exists()
