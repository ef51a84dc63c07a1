"""The archive: everything goes out, true rows come in, and hostile ones do nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from tests.sdk.kept_chain import CHEAP
from tests.services.my_data.people import People
from tongbao.sdk.zip_form import read_zip, zip_pieces
from tongbao.services.my_data.archive import BadArchive, export, take_archive
from tongbao.services.my_data.beginning import connected
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.erasing import erase
from tongbao.services.my_data.home import Home
from tongbao.services.my_data.notebook import Notebook
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.refusals import Why


@pytest.fixture
def archive(people: People, alice: Person, tmp_path: Path) -> Path:
    """An archive of three months of alice's."""
    given = people.consented(alice)
    for month in ("2026-01", "2026-02", "2026-03"):
        people.told(given, month)
    collect(alice)
    path = tmp_path / "everything.zip"
    export(alice, path)
    return path


def anew(people: People, person: Person) -> Person:
    """Another folder of the same keys and account, that knows nothing."""
    people.lost(person)
    before = person.notebook
    notebook = Notebook(
        account=before.account, chain=before.chain, node=before.node, store=before.store
    )
    root = person.keys.root
    home = Home.create(people.folder(), "another of alice's", notebook, root=root, cost=CHEAP)
    return people.opened(connected(home))


def test_everything_that_went_out_comes_in_again(
    people: People, alice: Person, archive: Path
) -> None:
    """Given an archive, when a folder that knows nothing takes it, then all months are kept."""
    assert archive.stat().st_mode & 0o77 == 0
    before = alice.notebook.batches
    again = anew(people, alice)
    done = take_archive(again, archive)
    assert (done.refused, set(again.notebook.batches)) == ([], set(before))
    assert len(take_archive(again, archive).taken) == 3
    assert len(again.notebook.batches) == 3


def test_any_program_can_read_the_archive(alice: Person, archive: Path) -> None:
    """Given an archive, when a program for zip files opens it, then all is JSON."""
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        texts = {name: msgspec.json.decode(opened.read(name)) for name in opened.namelist()}
    assert set(texts) == {
        "manifest.json",
        *(f"batches/{number:06}.json" for number in (1, 2, 3)),
        *("consents.json", "erasures.json", "ledger.json", "proofs.json", "statement.json"),
    }
    assert texts["manifest.json"]["account"] == alice.account
    assert [row[1][1] for row in texts["batches/000001.json"]["batch"]["rows"]] == [1, 2, 3]


def test_an_erased_month_does_not_come_in_by_an_old_archive(
    people: People, alice: Person, archive: Path
) -> None:
    """Given an archive of before an erasure, when taken, then the erased month is refused."""
    erase(alice, alice.notebook.batches[0].batch)
    done = take_archive(anew(people, alice), archive)
    assert [(one.name, one.number) for one in done.refused] == [
        ("batches/000001.json", Why.IS_ERASED)
    ]
    assert len(done.taken) == 2


def test_another_s_archive_is_refused(people: People, alice: Person, archive: Path) -> None:
    """Given alice's archive, when somebody else takes it, then nothing of it is taken."""
    del alice
    with pytest.raises(BadArchive, match="another account"):
        take_archive(people.new(), archive)


def changed(archive: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """An archive with other members, which its manifest lists."""
    members = dict(read_zip(archive.read_bytes()))
    change(members)
    manifest = msgspec.json.decode(members.pop("manifest.json"))
    manifest["files"] = [
        {"name": name, "sha256": sha256(text).hexdigest()} for name, text in members.items()
    ]
    members = {"manifest.json": msgspec.json.encode(manifest), **members}
    path = archive.with_name("changed.zip")
    path.write_bytes(b"".join(zip_pieces(members.items())))
    return path


def alter_value(members: dict[str, bytes]) -> None:
    """Another number of eggs in a month."""
    name = "batches/000002.json"
    members[name] = members[name].replace(b'["2026-02-01",1]', b'["2026-02-01",9]')


def swap_attestation(members: dict[str, bytes]) -> None:
    """The attestation of another month."""
    one, two = (msgspec.json.decode(members[f"batches/00000{at}.json"]) for at in (1, 2))
    two["attestation"] = one["attestation"]
    members["batches/000002.json"] = msgspec.json.encode(two)


def drop_attestation(members: dict[str, bytes]) -> None:
    """A source's month as if the person had told it."""
    two = msgspec.json.decode(members["batches/000002.json"])
    del two["attestation"]
    members["batches/000002.json"] = msgspec.json.encode(two)


def nest(members: dict[str, bytes]) -> None:
    """JSON that is nested ever deeper."""
    members["batches/000002.json"] = b"[" * 200_000


@pytest.mark.parametrize("change", [alter_value, swap_attestation, drop_attestation, nest])
def test_a_month_that_is_not_the_ledger_s_is_refused_and_the_rest_is_taken(
    people: People, alice: Person, archive: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    """Given an archive with one month changed, when taken, then only that one is refused."""
    done = take_archive(anew(people, alice), changed(archive, change))
    assert [one.name for one in done.refused] == ["batches/000002.json"]
    assert len(done.taken) == 2


def zipped(names: dict[str, bytes], **how: int) -> bytes:
    """An archive as other programs make it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how.get("compression", zipfile.ZIP_STORED)) as opened:
        for name, text in names.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = how.get("attributes", 0)
            entry.compress_type = how.get("compression", zipfile.ZIP_STORED)
            opened.writestr(entry, text)
    return made.getvalue()


HOSTILE = {
    "a path out of the folder": zipped({"../../etc/passwd": b"x"}),
    "an absolute path": zipped({"/etc/passwd": b"x"}),
    "a drive": zipped({"C:\\x.json": b"x"}),
    "a link": zipped({"manifest.json": b"/etc/passwd"}, attributes=0o120777 << 16),
    "a bomb": zipped({"manifest.json": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED),
    "a zip in a zip": zipped({"batches/000001.json": zipped({"manifest.json": b"{}"})}),
    "no zip": b"PK" + bytes(1_000),
    "nothing": b"",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_does_nothing(alice: Person, tmp_path: Path, kind: str) -> None:
    """Given an archive of each hostile kind, when taken, then it is refused, and no file is new."""
    path = tmp_path / "hostile.zip"
    path.write_bytes(HOSTILE[kind])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadArchive):
        take_archive(alice, path)
    assert sorted(tmp_path.rglob("*")) == before
    assert alice.notebook.batches == ()


def test_an_archive_that_lies_about_sizes_is_refused(alice: Person, archive: Path) -> None:
    """Given an archive that claims huge members, or one twice, when taken, then it is refused."""
    text = archive.read_bytes()
    huge = text[:18] + b"\xff\xff\xff\x7f" * 2 + text[26:]
    member = b'{"format":"x"}'
    twice = zipped({"manifest.json": member}) + zipped({"manifest.json": member})
    for wrong in (huge, twice, text + b"more", text[:-1]):
        archive.with_name("wrong.zip").write_bytes(wrong)
        with pytest.raises(BadArchive):
            take_archive(alice, archive.with_name("wrong.zip"))
    assert crc32(text) != crc32(huge)


def test_an_export_never_writes_over_a_file(alice: Person, archive: Path) -> None:
    """Given a file of that name, when exported, then it stays, and links are not followed."""
    before = archive.read_bytes()
    with pytest.raises(FileExistsError):
        export(alice, archive)
    assert archive.read_bytes() == before
    link = archive.with_name("link.zip")
    link.symlink_to(archive.with_name("elsewhere.zip"))
    with pytest.raises(FileExistsError):
        export(alice, link)
    assert not archive.with_name("elsewhere.zip").exists()
