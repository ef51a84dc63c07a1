"""The pages for operators name places and commands that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.deploy.deployed import ROOT, unknown_words

PAGES: Final = ROOT / "docs" / "operate"


def anchors_of(page: Path) -> set[str]:
    """The places within a page, by its headings."""
    headings = re.findall(r"(?m)^#+ (.*)$", page.read_text(encoding="utf-8"))
    kept = (re.sub(r"[^\w -]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def commands_of(text: str) -> Iterator[str]:
    """Every command line of ours in a page: in blocks, and within sentences."""
    block = re.sub(r"(?m)^ {4,}", "", "\n".join(re.findall(r"(?m)^ {4,}.*$", text)))
    for line in re.findall(r"(?m)^tongbao [^#\n]*(?:'[^']*')?", block):
        yield line
    for line in re.findall(r"`(tongbao [^`]+)`", text):
        yield line


def test_every_place_within_a_page_that_is_linked_is_there() -> None:
    """
    Given the pages for operators,
    when their links to a place within a page are followed,
    then the page has that heading.
    """
    broken = []
    for page in sorted(PAGES.glob("*.md")):
        links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
        for target, place in links:
            there = anchors_of((page.parent / target).resolve() if target else page)
            broken += [(page.name, target, place)] if place not in there else []
    assert broken == []


def test_every_command_of_the_network_pages_exists() -> None:
    """
    Given the pages about networks,
    when their command lines are looked up in the program,
    then it has each command and option.
    """
    found = []
    for name in ("network.md", "alerts.md"):
        lines = list(commands_of((PAGES / name).read_text(encoding="utf-8")))
        assert len(lines) > 2
        for line in lines:
            words = shlex.split(line.replace("\n", " ") + ("'" if line.count("'") % 2 else ""))
            found += [(line, word) for word in unknown_words(words[1:])]
    assert found == []
