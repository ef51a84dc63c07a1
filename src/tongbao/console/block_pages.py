"""The overview, the list of blocks, and one block."""

from __future__ import annotations

from itertools import islice
from typing import Final

import msgspec

from tongbao.console import forms
from tongbao.console.asking import Asked, View, follow, gone, missing
from tongbao.console.history import RATE_BLOCKS, briefs
from tongbao.console.site import Site
from tongbao.engines.headers import read_header
from tongbao.store.errors import Pruned

OVERVIEW_BLOCKS: Final = 12
OVERVIEW_TRANSACTIONS: Final = 12
PAGE_BLOCKS: Final = 50
PAGE_TRANSACTIONS: Final = 100


def overview(site: Site, asked: Asked) -> View:
    """The chain's last blocks and transactions, and its rate."""
    head = site.chain.head()
    lines = site.history.lines(head.height, RATE_BLOCKS)
    latest = (brief for line in lines for brief in line.latest)
    facts = {
        "head": head,
        "lines": lines[:OVERVIEW_BLOCKS],
        "chart": [line for line in reversed(lines) if line.height > 0],
        "latest": list(islice(latest, OVERVIEW_TRANSACTIONS)),
        "begin": site.chain.first_block,
        "rate": site.history.rate(head.height),
        "waiting": site.chain.waiting,
        "stopped": site.chain.why_stopped,
        "engine": site.chain.genesis.engine.name,
    }
    return View(
        template="overview.html",
        facts=facts,
        height=head.height,
        follow=follow(head.height),
        json="/v1",
    )


def blocks(site: Site, asked: Asked) -> View:
    """All blocks, the newest first, a page at a time."""
    before = forms.height_in_query(asked, "before")
    head = site.chain.head()
    first = head.height if before is None else min(head.height, before - 1)
    lines = site.history.lines(first, PAGE_BLOCKS)
    low = first - len(lines) + 1
    begin = site.chain.first_block
    return View(
        template="blocks.html",
        facts={
            "lines": lines,
            "older": low if low > begin else None,
            "is_first": before is None,
            "begin": begin if low <= begin else 0,
        },
        height=head.height,
        follow=follow(head.height) if before is None else None,
        json="/v1/blocks" if before is None else f"/v1/blocks?before={before}",
    )


def block(site: Site, asked: Asked) -> View:
    """One block: its header, its transactions, and what fell due in it."""
    height = forms.height(asked.path["height"])
    start = forms.height_in_query(asked, "from") or 0
    last = site.chain.head().height
    try:
        record = site.chain.block(height)
    except Pruned:
        begin = site.chain.first_block
        raise gone("block.pruned_title", "block.pruned", height=height, first=begin) from None
    except LookupError:
        raise missing("block.missing_title", "block.missing", height=last) from None
    header, signer = read_header(record.header)
    count = len(record.transactions)
    shown = briefs(record, start, start + PAGE_TRANSACTIONS)
    due = msgspec.json.decode(record.receipts[-1]) if len(record.receipts) > count else None
    end = min(start + PAGE_TRANSACTIONS, count)
    facts = {
        "block": record,
        "header": header,
        "signer": signer,
        "shown": shown,
        "start": start,
        "following": end if start < end < count else None,
        "due": due,
        "events": [site.reader.said(event) for event in (due or {}).get("events", ())],
        "newer": height + 1 if height < last else None,
    }
    return View(
        template="block.html",
        facts=facts,
        follow=follow(height) if height >= last else None,
        json=f"/v1/blocks/{height}",
    )
