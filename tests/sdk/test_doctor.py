"""The doctor says what a start will do, and changes nothing unless it is told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sdk.damaged_folder import (
    Damage,
    cut,
    damaged_block,
    feed,
    from_stranger,
    in_index,
    in_rows,
    index_behind,
    lose_a_block_that_only_the_index_knows,
    lose_the_last_block,
    missing_segment,
    mode,
    noise,
    other_format,
    tear,
    without,
    write,
)
from tests.sdk.examined import Found, bytes_of, found_in
from tests.sdk.kept_chain import PASSPHRASE, Kept, keep, pay, reopen, rows_of, whole
from tongbao.kernel import GenesisError
from tongbao.sdk.doctor import examine, repair
from tongbao.sdk.doctor_finding import Severity, exit_code_of
from tongbao.sdk.folder import FolderError
from tongbao.sdk.opening import open_chain, operator_wallet
from tongbao.store.errors import FolderInUse, StoreError

BROKEN, MENDS, NOTE = Severity.BROKEN, Severity.MENDS, Severity.NOTE
EXAMINE = """
import sys
from tongbao.sdk.doctor import examine
report = examine(sys.argv[1])
print(report.exit_code, repr(report.process))
"""
HOLD = """
import sys
from tests.sdk.kept_chain import reopen
from pathlib import Path
with reopen(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A closed chain with an index: made once, and only copied."""
    made = keep(tmp_path_factory.mktemp("original") / "chain")
    feed(made, made.head.height)
    return made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Another chain, whose files must not pass for the first one's."""
    made = keep(tmp_path_factory.mktemp("stranger") / "chain", "stranger")
    feed(made, made.head.height)
    return made


LOG_LOST = (("log", BROKEN), ("headers", NOTE), ("rows", NOTE), ("modules", NOTE), ("index", NOTE))

MENDED: dict[str, tuple[Damage, tuple[tuple[str, Severity], ...], str]] = {
    "sound": (lambda kept: None, (), ""),
    "torn": (tear, (("log", MENDS),), "with a block that nobody was told of: it is cut"),
    "no headers": (without("headers"), (("headers", MENDS),), "made again from the log's 6 blocks"),
    "headers cut": (
        lambda kept: cut(kept.folder / "headers", 2_000),
        (("headers", MENDS),),
        "the copy is damaged behind block",
    ),
    "headers of noise": (noise("headers"), (("headers", MENDS),), "or another chain's"),
    "no rows": (without("state"), (("rows", MENDS),), "made again from the log's 6 blocks"),
    "rows of noise": (noise("state/data.mdb"), (("rows", MENDS),), "is damaged ("),
    "rows of another version": (
        lambda kept: in_rows(kept, b"meta", b"format", b"9"),
        (("rows", MENDS),),
        "was written by another version",
    ),
    "rows without a height": (
        lambda kept: in_rows(kept, b"meta", b"height", b"six"),
        (("rows", MENDS),),
        "is damaged (",
    ),
    "no index": (without("index.sqlite"), (), ""),
    "index of noise": (noise("index.sqlite"), (("index", MENDS),), "makes it anew"),
    "index cut": (
        lambda kept: cut(kept.folder / "index.sqlite", 4096),
        (("index", MENDS),),
        "makes it anew",
    ),
    "index of an older version": (
        lambda kept: in_index(kept, "PRAGMA user_version = 0"),
        (("index", MENDS),),
        "older than",
    ),
    "index behind": (
        index_behind,
        (("index", MENDS),),
        "of block 2: a node adds the later ones",
    ),
    "index of another history": (
        lambda kept: in_index(kept, "UPDATE state SET header = x'00'"),
        (("index", MENDS),),
        "of another history",
    ),
    "no keys": (without("keys"), (("keys", NOTE),), "can only be read here"),
    "no authority": (
        without("keys/authority.json"),
        (("keys", NOTE),),
        "none of them is the authority's",
    ),
    "open passphrase": (write("passphrase.txt"), (("keys", NOTE),), "opens the keys"),
    "no trust": (without("trust.json"), (("trust", NOTE),), "`tongbao proof trust` writes it"),
    "room": (write("room"), (("leftovers", MENDS),), "tried for space"),
    "half a file": (write("trust.part"), (("leftovers", NOTE),), "not written to its end"),
    "set aside": (write("index.sqlite.damaged"), (("leftovers", NOTE),), "set aside"),
    "half of the rows": (
        lambda kept: (kept.folder / "state.new").mkdir(),
        (("leftovers", NOTE),),
        "rows that a start had begun",
    ),
    "half a base": (
        lambda kept: (kept.folder / "base.part.new").mkdir(),
        (("leftovers", NOTE),),
        "had begun to make",
    ),
    "half a replay": (
        lambda kept: (kept.folder / "replayed").mkdir(),
        (("leftovers", NOTE),),
        "cut short",
    ),
    "killed node": (
        write("node.json", b'{"chain":"c","address":"http://127.0.0.1:1","process":7}'),
        (("process", MENDS),),
        "process 7 was killed",
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_what_a_start_mends_is_told_and_the_start_mends_it(kept: Kept, name: str) -> None:
    """
    Given a sound folder, or one with a damage that the log or nobody minds,
    when it is examined, and then opened,
    then exactly that is found, no byte has changed, nothing is broken, and it opens whole.
    """
    damage, findings, text = MENDED[name]
    damage(kept)
    found, said = found_in(kept.folder, is_deep=True)
    assert found == Found(findings)
    assert text in said
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)


REFUSED: dict[str, tuple[Damage, tuple[tuple[str, Severity], ...], str]] = {
    "damaged block": (damaged_block, LOG_LOST, "is damaged at byte"),
    "last block lost": (lose_the_last_block, LOG_LOST, "blocks up to 5 were acknowledged"),
    "no log": (without("log"), LOG_LOST, "blocks up to 5 were acknowledged"),
    "another format": (other_format, LOG_LOST, "has format 9, this version reads 1"),
    "a segment is missing": (missing_segment, LOG_LOST, "00000000.log is missing"),
    "no genesis": (
        without("genesis.json"),
        (("genesis", BROKEN),),
        "holds no chain: begin one with",
    ),
    "genesis of noise": (noise("genesis.json"), (("genesis", BROKEN),), "from a copy"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_start_refuses_is_told_with_its_code_and_what_to_do(kept: Kept, name: str) -> None:
    """
    Given a folder with a damage that is not to be mended,
    when it is examined, and then opened,
    then that is found with the exit code of the start's refusal, and no byte has changed by it.
    """
    damage, findings, text = REFUSED[name]
    damage(kept)
    found, said = found_in(kept.folder)
    with pytest.raises((StoreError, FolderError, GenesisError)) as refused:
        open_chain(kept.folder)
    assert found == Found(findings, exit_code_of(refused.value))
    assert text in said
    assert str(refused.value) in said


FOREIGN: dict[str, tuple[str, tuple[tuple[str, Severity], ...], int]] = {
    "log": ("log", LOG_LOST, 65),
    "rows": ("state", (("rows", MENDS),), 0),
    "headers": ("headers", (("headers", MENDS),), 0),
    "index": ("index.sqlite", (("index", BROKEN),), 65),
    "trust": ("trust.json", (("trust", BROKEN),), 65),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_another_chain_are_found(kept: Kept, stranger: Kept, name: str) -> None:
    """
    Given a folder with one file or folder of another chain,
    when it is examined,
    then that one is named, with the code for wrong files unless the log makes it again.
    """
    place, findings, code = FOREIGN[name]
    from_stranger(place)(kept, stranger)
    found, said = found_in(kept.folder)
    assert found == Found(findings, code)
    assert stranger.head.chain in said or "another chain" in said or "not the one" in said


BESIDE: dict[str, tuple[Damage, tuple[tuple[str, Severity], ...], int, str]] = {
    "only the index knows": (
        lose_a_block_that_only_the_index_knows,
        (("headers", MENDS), ("rows", MENDS), ("index", BROKEN)),
        74,
        "knows block 5, but the log ends with block 4",
    ),
    "a newer index": (
        lambda kept: in_index(kept, "PRAGMA user_version = 99"),
        (("index", BROKEN),),
        76,
        "install the newer one",
    ),
    "open keys": (
        mode("keys", 0o755),
        (("keys", BROKEN),) * 2 + (("keys", NOTE),),
        77,
        "chmod 700",
    ),
    "an open key": (mode("keys/operator.json", 0o644), (("keys", BROKEN),), 77, "chmod 600"),
    "a key of noise": (noise("keys/operator.json"), (("keys", BROKEN),), 77, "from a copy"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_wrong_beside_the_log_is_told(kept: Kept, name: str) -> None:
    """
    Given a folder whose index or keys are not what they should be,
    when it is examined,
    then exactly that is broken, with its exit code and what to do, and no byte has changed.
    """
    damage, findings, code, text = BESIDE[name]
    damage(kept)
    found, said = found_in(kept.folder)
    assert found == Found(findings, code)
    assert text in said


def test_rows_that_are_behind_are_caught_up_with(kept: Kept, tmp_path: Path) -> None:
    """
    Given a folder whose rows are those of an earlier moment,
    when it is examined, also deeply, and opened,
    then so many blocks are said to be caught up with, and the root over both is right.
    """
    shutil.copytree(kept.folder / "state", tmp_path / "older")
    with reopen(kept.folder) as chain:
        operator_wallet(chain, kept.folder, PASSPHRASE).send(pay(kept.shop, "1.00"))
        head = chain.head()
    shutil.rmtree(kept.folder / "state")
    shutil.copytree(tmp_path / "older", kept.folder / "state")
    (kept.folder / "index.sqlite").unlink()
    found, said = found_in(kept.folder, is_deep=True)
    assert found == Found((("rows", MENDS),))
    assert f"of block {head.height - 1}: 1 later ones are caught up with" in said


# Beside a process that has the folder


@contextmanager
def held(kept: Kept) -> Iterator[str]:
    """Another process has the chain open; its id."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(kept.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield str(process.pid)
        finally:
            process.communicate("")


def test_beside_a_process_that_has_the_folder_it_names_it_and_repairs_nothing(kept: Kept) -> None:
    """
    Given a folder that another process has open,
    when it is examined deeply, and a repair is asked for,
    then the process is named, all else is fine, no kept byte changes, and the repair is refused.
    """
    with held(kept) as process:
        before = bytes_of(kept.folder)
        report = examine(kept.folder, is_deep=True)
        after = bytes_of(kept.folder)
        with pytest.raises(FolderInUse, match=f"in use by process {process}"):
            repair(kept.folder, ("rows",))
    unwell = [each for each in report.findings if each.severity is not Severity.FINE]
    assert report.process == process
    assert [(each.check, each.text) for each in unwell] == [
        ("process", f"process {process} has the folder open")
    ]
    assert report.exit_code == 0
    assert "root" in {each.check for each in report.findings}
    readers = "state/lock.mdb"  # LMDB's own table, in which a reader stands while it reads
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {readers}


def elsewhere(program: str, folder: Path) -> str:
    """What a program in another process prints about a folder."""
    words = [sys.executable, "-c", program, str(folder)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_nobody_opens_a_folder_while_it_is_looked_through(kept: Kept) -> None:
    """
    Given a folder that nobody has open,
    when it is examined, and meanwhile somebody opens it, and another process examines it, too,
    then opening is refused, both examinations are good, and it opens afterwards.
    """
    told = []

    def meanwhile(stage: str, done: int, total: int) -> None:
        if done == 1:
            with pytest.raises(FolderInUse):
                open_chain(kept.folder)
            told.append(elsewhere(EXAMINE, kept.folder))

    report = examine(kept.folder, progress=meanwhile)
    assert (told, report.process, report.exit_code) == (["0 ''"], "", 0)
    open_chain(kept.folder).close()
