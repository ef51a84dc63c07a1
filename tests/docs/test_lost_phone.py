"""The page for people who lost their phone is done word for word, with three days in between."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.calling import PASSPHRASE, Place
from tongbao.modules import account
from tongbao.sdk.folder import Folder
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY, open_producer
from tools.tutorials import blocks_of

PAGE: Final = Path(__file__).parents[2] / "docs" / "operate" / "lost-phone.md"
BEFORE, AFTER = PAGE.read_text().split("<!-- three days later -->")
VETO: Final = ("account", "veto-recovery", "--as", "dave", "--key", "phone", "--key", "paper")


def commands_of(page: str) -> list[list[str]]:
    """The commands of a page's blocks, each as its words behind `tongbao`."""
    lines = "".join(block.text.replace("\\\n", " ") for block in blocks_of(page))
    return [shlex.split(line)[1:] for line in lines.splitlines() if line]


def do_all(place: Place, page: str, recovery: str = "", *more: str) -> Any:
    """Do the commands of a page in order; `RECOVERY` is the id that one of them has told."""
    told: dict[str, Any] = {}
    for words in commands_of(page):
        filled = [word.replace("$RECOVERY", recovery) for word in words]
        told = place.do(*filled, *(more if filled[:2] == ["asset", "transfer"] else ()))
        recovery = told["made"][0] if "propose-recovery" in words else recovery
    return told


def pass_time(place: Place, ms: int) -> int:
    """Make a block of the chain so much later, and tell its time."""
    folder = Folder(place.folder)
    authority = Keystore(folder.keys).unlock(AUTHORITY, PASSPHRASE)
    producer, store = open_producer(folder, folder.genesis(), authority)
    time = producer.next_time(producer.machine.time + ms)
    producer.make((), time, even_empty=True)
    producer.maintain(idle=True)
    store.close()
    return int(time)


@pytest.fixture(scope="module")
def asked_for(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain on which everything until the wait was done, and dave was paid; to be copied."""
    place = Place(tmp_path_factory.mktemp("phones") / "chain")
    place.do("init", "--name", "phones")
    place.do("asset", "define", "--code", "CNY", "--scale", "2")
    preparing, losing = BEFORE.split("## The phone is gone")
    do_all(place, preparing)
    issue = ("asset", "issue", "--asset", "CNY", "--amount", "10.00", "--payee", "dave")
    place.do(*issue, "--reference", "salary")
    do_all(place, losing)
    return place.folder


@pytest.fixture
def place(tmp_path: Path, asked_for: Path) -> Place:
    """A copy of that chain."""
    return Place(shutil.copytree(asked_for, tmp_path / "chain"))


def test_a_lost_phone_as_the_page_says(place: Place) -> None:
    """
    Given dave, who lost his phone and did as the page says, and whose guardians agreed,
    when three days pass,
    then his account has the new phone's key beside the one on paper, and pays with it.
    """
    keys = place.do("account", "show", "--address", "dave")["value"]["keys"]
    time = pass_time(place, account.WAIT_MS.default)
    restored, _ = AFTER.split("## I have lost nothing")
    do_all(place, restored, "", "--tx-expires", str(time + 60_000))

    now = place.do("account", "show", "--address", "dave")["value"]["keys"]
    assert now[0] != keys[0]
    assert now[1] == keys[1]
    held = place.do("asset", "balance", "--account", "bob", "--asset", "CNY")["value"]
    assert held["amount"] == "1.00"


def test_the_owner_says_no_as_the_page_says(place: Place) -> None:
    """
    Given dave, who has lost nothing, and guardians who agreed to other keys for his account,
    when he looks at what is under way and vetoes with both keys,
    then nothing is under way, and three days later his keys are the same.
    """
    keys = place.do("account", "show", "--address", "dave")["value"]
    listing = ("account", "recoveries-under-way", "--address", "dave")
    assert commands_of(AFTER)[-1] == list(listing)
    [row] = place.do(*listing)["rows"]
    assert row["value"]["waits"]
    place.do(*VETO, "--recovery", row["key"])
    pass_time(place, account.WAIT_MS.default)

    assert place.do(*listing)["rows"] == []
    assert place.do("account", "show", "--address", "dave")["value"] == keys
