"""A person's program is killed again and again, and loses nothing; its page runs as a process."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx2

from tests.node.process import ENVIRONMENT
from tests.services.my_data.people import PASSPHRASE, People
from tests.services.my_data.test_selling import agent_of
from tongbao.services.my_data.beginning import open_person
from tongbao.services.my_data.offering import offer
from tongbao.services.my_data.person import Person

TONGBAO: Final = str(Path(sys.executable).with_name("tongbao"))
KILLS: Final = 6
LONG_S: Final = 120
MONTHS: Final = tuple(f"2026-{month:02}" for month in range(1, 7))


def program(folder: Path, *words: str) -> subprocess.Popen[str]:
    """`tongbao mydata` in a process of its own."""
    return subprocess.Popen(
        [TONGBAO, "mydata", *words, "--folder", str(folder)],
        env={**ENVIRONMENT, "TONGBAO_PASSPHRASE": PASSPHRASE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed_often(folder: Path, *words: str) -> str:
    """Run a command and kill it at random moments, then let it end; what it said."""
    chance = random.Random(7)
    for _ in range(KILLS):
        running = program(folder, *words)
        try:
            running.communicate(timeout=chance.uniform(0.6, 2.4))
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()
    ended = program(folder, *words)
    said, wrong = ended.communicate(timeout=LONG_S)
    assert ended.returncode == 0, said + wrong
    return said


def test_a_program_that_is_killed_loses_and_doubles_nothing(people: People, alice: Person) -> None:
    """
    Given six parcels and an offer,
    when `collect` is killed at random moments, then `erase --all`,
    then after each has ended once every month is kept once and opens, and then none is left.
    """
    given = people.consented(alice)
    told = [people.told(given, month) for month in MONTHS]
    offer(alice, people.terms(), agent_of(people))
    folder = alice.home.folder
    people.lost(alice)
    killed_often(folder, "collect")
    again = people.opened(open_person(folder, PASSPHRASE))
    assert sorted(one.period for one in again.notebook.batches) == list(MONTHS)
    for one in told:
        assert again.shelf.fetch(one.commitment.hex()) == one.batch
    (agent,) = again.notebook.agents
    assert len(again.door(agent).copies()) == len(MONTHS)
    people.lost(again)
    killed_often(folder, "erase", "--all", "--yes")
    again = people.opened(open_person(folder, PASSPHRASE))
    assert again.notebook.batches == () and again.owned().offers == {}
    assert again.door(agent).copies() == {}
    assert len(again.shelf.names()) == 1
    assert {one.left for one in again.notebook.erasures} == {()}


def test_the_page_is_served_by_a_process_until_it_is_told_to_stop(
    people: People, alice: Person
) -> None:
    """Given `tongbao mydata page`, when its address is opened, then the page is there; once."""
    folder = alice.home.folder
    people.lost(alice)
    running = program(folder, "page")
    assert running.stdout is not None
    entrance = running.stdout.readline().strip()
    with httpx2.Client(follow_redirects=True, timeout=LONG_S) as client:
        assert alice.notebook.account is not None
        assert alice.notebook.account in client.get(entrance).text
    assert httpx2.get(entrance).status_code == 403
    running.send_signal(signal.SIGTERM)
    said, wrong = running.communicate(timeout=LONG_S)
    assert (running.returncode, said) == (0, "stopped\n"), wrong
    assert "token" not in wrong
