"""The doctor at the command line: its lines, its object, its exit codes."""

from __future__ import annotations

from tests.cli.calling import Place
from tests.cli.desk import Desk
from tests.sdk.examined import bytes_of
from tests.store.blocks import flip
from tongbao.cli.doctor_command import REPAIRS
from tongbao.cli.exits import Exit
from tongbao.sdk import doctor
from tongbao.sdk.doctor_checks import CHECKS
from tongbao.sdk.presence import parent_of

LOG = "tongbao-chain/log/00000000.log"


def test_a_sound_folder_has_nothing_broken(desk: Desk) -> None:
    """
    Given a sound chain,
    when the doctor looks at it, also deeply, as text and as JSON,
    then nothing is broken, the code is 0, the last line says so, and no byte has changed.
    """
    before = bytes_of(desk.folder)
    told, report = desk.run("doctor"), desk.do("doctor", "--deep")

    assert bytes_of(desk.folder) == before
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[-1] == "doctor: nothing is broken"
    assert (report["process"], report["removed"], report["exit_code"]) == ("", [], 0)
    assert {each["severity"] for each in report["findings"]} == {"fine"}
    checks = [name for name, _ in CHECKS if name not in ("leftovers", "base")]
    assert list(dict.fromkeys(each["check"] for each in report["findings"])) == checks


def test_a_broken_log_has_its_code_and_what_to_do(desk: Desk) -> None:
    """
    Given a log with a flipped bit in block 1,
    when the doctor looks at it, as text and as JSON, and is told to repair everything,
    then the block is named, the code is 74, and nothing is removed.
    """
    flip(desk.folder / LOG, 6_000)
    before = bytes_of(desk.folder)
    told = desk.run("doctor")
    assert bytes_of(desk.folder) == before
    everything = [word for name in REPAIRS for word in ("--repair", name)]
    repaired = desk.run("doctor", *everything)

    assert told.returncode == repaired.returncode == Exit.FILE
    assert told.stdout.splitlines()[-1] == "doctor: 1 finding broken: log"
    assert "is damaged at byte " in told.stdout
    assert "Restore `log/` from a backup" in told.stdout
    assert repaired.stderr == (
        "removed: nothing, since nothing of what was named is damaged or left over\n"
    )


def test_a_repair_says_what_it_removed_and_the_folder_is_examined_after_it(desk: Desk) -> None:
    """
    Given a copy of the headers that is noise,
    when the doctor is asked, told to repair it, and the chain used,
    then it says that the start would mend it, what was removed, and the headers are there again.
    """
    headers = desk.folder / "tongbao-chain" / "headers"
    good = headers.read_bytes()
    headers.write_bytes(b"noise")
    told = desk.run("doctor")
    assert (told.returncode, told.stdout.splitlines()[-1]) == (
        0,
        "doctor: nothing is broken; the next start mends headers",
    )
    repaired = desk.run("doctor", "--repair", "headers")
    assert (repaired.returncode, repaired.stderr) == (0, "removed: tongbao-chain/headers\n")
    desk.do("status")
    assert headers.read_bytes() == good


def test_beside_a_node_the_doctor_names_it_and_after_its_kill_says_what_it_left(
    desk: Desk,
) -> None:
    """
    Given a node that serves a folder,
    when the doctor looks beside it, is told to repair, and looks again after a kill -9,
    then it names the process that decides and the address, refuses with 75, and then nothing is
    broken.
    """
    with desk.node() as (node, address):
        beside = desk.do("doctor", "--deep")
        refused = desk.run("doctor", "--repair", "rows")
        process = beside["process"]
        killed = str(node.process.pid)
        assert killed in (process, parent_of(process))
        node.process.kill()
        node.process.wait()
    before = bytes_of(desk.folder)
    after = desk.do("doctor")

    unwell = [each["text"] for each in beside["findings"] if each["severity"] != "fine"]
    serves = "and" if process == killed else f"for process {killed}, which"
    assert unwell == [f"process {process} has the folder open {serves} serves it at {address}"]
    assert refused.returncode == Exit.BUSY
    assert f"in use by process {process}" in refused.stderr
    assert (after["process"], after["exit_code"]) == ("", 0)
    assert {each["check"]: each["repair"] for each in after["findings"] if each["repair"]} == {}
    assert f"process {killed} was killed while it served at {address}" in str(after)
    assert bytes_of(desk.folder) == before


def test_a_folder_that_is_not_there_is_told(nowhere: Place) -> None:
    """
    Given no folder,
    when the doctor is asked, or told to repair,
    then both say which command begins a chain, with 66, and no folder is made.
    """
    for words in (("doctor",), ("doctor", "--repair", "rows")):
        told = nowhere.call(*words)
        assert told.code == Exit.NO_INPUT
        assert "holds no chain: begin one with `tongbao init" in told.err
    assert not nowhere.folder.exists()


def test_the_option_offers_every_repair() -> None:
    """
    Given the repairs that the doctor knows,
    when they are compared to those that the command offers without importing it,
    then they are the same.
    """
    assert REPAIRS == doctor.REPAIRS
