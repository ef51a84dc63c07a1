"""`tongbao backup` and `tongbao restore`: what they say, and with which code they end."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.calling import PASSPHRASE, Place
from tongbao.cli.exits import Exit


def test_a_chain_is_backed_up_verified_and_restored(
    first_blocks: Path, place: Place, tmp_path: Path
) -> None:
    """
    Given a chain,
    when it is backed up twice, with more blocks in between, verified with the trust file and
    without, and restored,
    then each verdict says the blocks, and how many were new; the restored chain has the same root,
    and goes on with its keys.
    """
    here = Place(Path(shutil.copytree(first_blocks, tmp_path / "chain")))
    backup, trust = str(tmp_path / "backup"), ("--trust", str(here.folder / "trust.json"))
    chain = here.do("status")["chain"]
    first = here.call("backup", "--to", backup)
    here.do("account", "create", "carol")
    again = here.call("backup", "--to", backup)
    by_itself = here.call("backup", "verify", backup)

    what = f"backup: blocks 0 to 4 of {chain}"
    assert (first.code, first.last) == (0, f"{what}, 5 new, verified, in {backup}")
    assert "keys are not in it" in first.err
    what = f"backup: blocks 0 to 5 of {chain}"
    assert (again.code, again.last) == (0, f"{what}, 1 new, verified, in {backup}")
    assert again.err == ""
    assert (by_itself.code, by_itself.last) == (0, f"{what}, whole by its own genesis file")
    assert "--trust FILE" in by_itself.err
    assert here.call("backup", "verify", backup, *trust).last == f"{what}, verified"
    assert here.do("backup", "--snapshot", "--to", backup)["snapshot"] == 5

    new = Place(tmp_path / "restored", PASSPHRASE)
    restored = new.call("restore", backup, *trust)
    what = f"restore: blocks 0 to 5 of {chain}, verified, in {new.folder}"
    assert (restored.code, restored.last) == (0, what)
    assert "put keys/ back" in restored.err
    assert new.do("status") == here.do("status")
    shutil.copytree(here.folder / "keys", new.folder / "keys")
    shutil.copy(here.folder / "accounts.json", new.folder)
    assert new.do("account", "create", "dora")["height"] == 6


def test_a_restore_to_an_earlier_block_says_what_is_left_out(place: Place, tmp_path: Path) -> None:
    """
    Given a backup,
    when it is restored to an earlier height, and to the time of an earlier block,
    then the verdict says how many later blocks are left out, and a warning speaks of two histories.
    """
    backup = str(tmp_path / "backup")
    height = place.do("backup", "--to", backup)["height"]
    at_three = Place(tmp_path / "three").call("restore", backup, "--height", "3")
    last = Place(tmp_path / "last").call("restore", backup, "--height", str(height - 1))
    time = Place(tmp_path / "three").do("status")["time"]
    timed = Place(tmp_path / "timed").do("restore", backup, "--time", str(time))

    count = height - 3
    words = "block that was acknowledged is" if count == 1 else "blocks that were acknowledged are"
    assert at_three.last.endswith(f"; {count} later {words} left out")
    assert last.last.endswith("; 1 later block that was acknowledged is left out")
    assert "two histories" in at_three.err
    assert (timed["height"], timed["left_out"]) == (3, count)


def test_what_can_not_be_done_ends_with_its_code(place: Place, tmp_path: Path) -> None:
    """
    Given a backup, of which a byte is changed afterwards,
    when it is asked for what it does not have, or used for another chain, or verified,
    then each command ends with its code and says what to do.
    """
    backup = tmp_path / "backup"
    place.do("backup", "--to", str(backup))
    other = Place(tmp_path / "other")
    other.do("init", "--name", "other")
    new = Place(tmp_path / "new")

    assert place.call("backup").code == Exit.USAGE
    assert place.call("backup", "--to", str(tmp_path)).code == Exit.NO_INPUT
    foreign = other.call("backup", "--to", str(backup))
    assert (foreign.code, "name another folder" in foreign.err) == (Exit.WRONG, True)
    assert new.call("restore", str(backup), "--height", "999").code == Exit.NO_INPUT
    assert new.call("restore", str(backup), "--time", "+1d").code == Exit.NO_INPUT
    assert new.call("restore", str(backup), "--time", "soon").code == Exit.USAGE
    both = new.call("restore", str(backup), "--height", "1", "--time", "1")
    assert (both.code, "give one" in both.err) == (Exit.USAGE, True)
    assert place.call("restore", str(backup)).code == Exit.NO_INPUT
    trust = ("--trust", str(other.folder / "trust.json"))
    assert new.call("restore", str(backup), *trust).code == Exit.WRONG
    with (backup / "log" / "00000000.log").open("r+b") as file:
        file.seek(200)
        file.write(b"\xff\xff")
    assert place.call("backup", "verify", str(backup)).code in (Exit.WRONG, Exit.FILE)
    assert place.call("backup", "verify", str(tmp_path / "none")).code == Exit.NO_INPUT
    assert not new.folder.exists()
