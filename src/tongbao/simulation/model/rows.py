"""The model's books as the rows that the ledger must have, table by table."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from tongbao.simulation.model import mischief
from tongbao.simulation.model.books import (
    Account,
    Mandate,
    Proposal,
    Sponsorship,
    Standing,
    write_amount,
)
from tongbao.simulation.model.clerk import WINDOW, Nonces
from tongbao.simulation.model.data_rows import data_rows
from tongbao.simulation.model.ledger import THING_DUE_INDEX, Model
from tongbao.simulation.model.storage import by_payer

Rows = dict[str, dict[Any, dict[str, Any]]]
"""Rows as JSON members by key, by table."""

VERSION: Final = {"@version": 1}
FREEZERS: Final = ("by_issuer", "by_supervisor")


def rows_of(model: Model) -> Rows:
    """Every row that there should be."""
    return {
        "kernel.nonces": {key: _nonces(used) for key, used in model.clerk.nonces.items()},
        **_kernel_marks(model),
        **_money(model),
        **_controls(model),
        **_others(model),
        **_upgrades(model),
        **_settings(model),
        **_governance(model),
        **_members(model),
        **_sponsors(model),
        **_reading(model),
        **data_rows(model.books, VERSION),
    }


def _kernel_marks(model: Model) -> Rows:
    return {
        "kernel.marks": {
            (mischief.MODULE, THING_DUE_INDEX, name): VERSION | {"due": due, "number": number}
            for name, (due, number) in model.books.stuck.items()
        }
    }


def _money(model: Model) -> Rows:
    books = model.books

    def amount(name: str, units: int) -> dict[str, Any]:
        return {"amount": write_amount(units, books.assets[name].scale)}

    return {
        "asset.definitions": {
            name: VERSION
            | {"issuer": asset.issuer, "scale": asset.scale}
            | ({"cap": write_amount(asset.cap, asset.scale)} if asset.cap is not None else {})
            | ({"metadata_hash": asset.terms} if asset.terms is not None else {})
            for name, asset in books.assets.items()
        },
        "asset.supplies": {
            name: VERSION | {"issued": amount(name, units)["amount"]}
            for name, units in books.issued.items()
        },
        "asset.holdings": {
            key: VERSION | amount(key[1], units) for key, units in books.balances.items()
        },
        "asset.settled": {
            key: VERSION
            | amount(key[0], used.units)
            | {"account": used.account}
            | ({"redeemed": True} if used.redeemed else {})
            for key, used in books.settled.items()
        },
        "hold.holds": {
            name: VERSION
            | amount(held.asset, held.units)
            | {"payer": held.payer, "payee": held.payee, "asset": held.asset}
            | {"expires_at": held.expires}
            for name, held in books.holds.items()
        },
    }


def _controls(model: Model) -> Rows:
    books = model.books

    def written(name: str, **units: int | None) -> dict[str, Any]:
        """Amounts of an asset, but those that are not there."""
        scale = books.assets[name].scale
        return {key: write_amount(count, scale) for key, count in units.items() if count}

    def shares(name: str, stands: Standing) -> dict[str, Any]:
        listed = [{"by": by} | written(name, amount=units) for by, units in stands.shares]
        return {"reserved": listed} if listed else {}

    return {
        "asset.controls": {
            name: VERSION
            | {key: list(of) for key in ("flags", "locked") if (of := getattr(rules, key))}
            | written(name, limit=rules.limit, reserved=rules.reserved)
            for name, rules in books.rules.items()
        },
        "asset.standings": {
            key: VERSION
            | ({"authorised": True} if stands.authorised else {})
            | written(key[1], limit=stands.limit)
            | {
                f"frozen_{of}": freeze._asdict()
                for of in FREEZERS
                if (freeze := getattr(stands, of))
            }
            | shares(key[1], stands)
            for key, stands in books.standings.items()
        },
        "asset.acts": {name: VERSION | act for name, act in books.acts.items()},
        "asset.tallies": {key: VERSION | tally for key, tally in books.tallies.items()},
        "mischief.claims": {
            key: VERSION | written(key[1], amount=units) for key, units in books.claims.items()
        },
    }


def _others(model: Model) -> Rows:
    books = model.books
    return {
        **_accounts(model),
        "mandate.mandates": {
            name: _mandate(one, books.assets[one.asset].scale)
            for name, one in books.mandates.items()
        },
        "mischief.jars": {jar: VERSION | {"drops": drops} for jar, drops in books.jars.items()},
        "mischief.things": {
            name: VERSION
            | {"owner": thing.owner, "habit": thing.habit}
            | ({"due_at": thing.due} if thing.due is not None else {})
            for name, thing in books.things.items()
        },
    }


def _upgrades(model: Model) -> Rows:
    return {
        "kernel.upgrades": {
            height: VERSION | {name: named for name, named in upgrade.items() if named}
            for height, upgrade in model.books.upgrades.items()
        },
        "kernel.features": {
            name: VERSION | {"height": height} for name, height in model.books.features.items()
        },
    }


def _settings(model: Model) -> Rows:
    books = model.books
    return {
        "kernel.parameters": {
            name: VERSION | {"value": value} for name, value in books.parameters.items()
        },
        "kernel.validators": {
            key: VERSION | {"power": power} for key, power in books.validators.items()
        },
        "kernel.peers": dict.fromkeys(books.peers, VERSION),
    }


def _governance(model: Model) -> Rows:
    books = model.books
    return {
        "governance.councils": {0: VERSION | books.council} if books.council else {},
        "governance.proposals": {name: _proposal(one) for name, one in books.proposals.items()},
        "governance.ballots": {
            key: VERSION | {"choice": choice, "at": at}
            for key, (choice, at) in books.ballots.items()
        },
    }


def _members(model: Model) -> Rows:
    books = model.books
    return {
        "member.members": {
            lei: VERSION
            | {"name": member.name, "status": member.status}
            | ({"roles": sorted(member.roles)} if member.roles else {})
            for lei, member in books.members.items()
        },
        "member.acting_accounts": {
            address: VERSION | {"member": lei} for address, lei in books.acting.items()
        },
        "member.permissions": {
            name: VERSION | ({"roles": sorted(roles)} if roles else {})
            for name, roles in books.permissions.items()
        },
        "kernel.halts": {name: VERSION | {"until": until} for name, until in books.halts.items()},
    }


def _sponsors(model: Model) -> Rows:
    books = model.books
    tallied = Counter(one.sponsor for one in books.sponsorships.values())
    tallied.update(one.sponsor for one in books.offers.values())
    return {
        "kernel.allowances": {
            name: VERSION
            | {"capacity": most, "per_minute": flow, "accounts": accounts}
            | ({} if rows is None else {"rows": rows})
            for name, (most, flow, accounts, rows) in books.allowances.items()
        },
        "kernel.sponsorships": {
            name: _sponsorship(one) for name, one in books.sponsorships.items()
        },
        "kernel.offers": {key: _sponsorship(one) for key, one in books.offers.items()},
        "kernel.buckets": {name: _bucket(*one) for name, one in books.buckets.items()},
        "kernel.shares": {name: _bucket(*one) for name, one in books.shares.items()},
        "kernel.carried": {name: VERSION | {"accounts": count} for name, count in tallied.items()},
        "kernel.stored": {name: VERSION | {"rows": rows} for name, rows in books.stored.items()},
        "kernel.stored_by_payer": {
            name: VERSION | {"rows": rows} for name, rows in by_payer(vars(books)).items()
        },
        "sponsor.terms": {
            name: VERSION | ({"lasts_ms": lasts} if lasts is not None else {}) | _share(share)
            for name, (lasts, share) in books.terms.items()
        },
    }


def _sponsorship(one: Sponsorship) -> dict[str, Any]:
    ends = {} if one.expires is None else {"expires_at": one.expires}
    return VERSION | {"sponsor": one.sponsor} | ends | _share(one.share)


def _share(share: tuple[int, int] | None) -> dict[str, Any]:
    if share is None:
        return {}
    return {"share": {"capacity": share[0], "per_minute": share[1]}}


def _bucket(level: int, at: int) -> dict[str, Any]:
    return VERSION | {"level": level, "at": at}


def _reading(model: Model) -> Rows:
    books = model.books
    return {
        "reading.inspections": {name: VERSION | one for name, one in books.inspections.items()},
        "reading.openings": {
            key: VERSION | {"inspection": name} for key, name in books.newest_inspections.items()
        },
        "reading.recorded": {key: VERSION | one for key, one in books.reads.items()},
        "reading.tallies": {by: VERSION | tally for by, tally in books.reading_tallies.items()},
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return (
        VERSION
        | {
            "proposer": proposal.proposer,
            "actions": proposal.actions,
            "closes_at": proposal.closes,
            "voters": list(proposal.voters),
            "threshold": proposal.threshold,
            "delay_ms": proposal.delay,
            "phase": proposal.phase,
            "approvals": proposal.approvals,
            "rejections": proposal.rejections,
        }
        | ({} if proposal.carries is None else {"carries_at": proposal.carries})
        | ({"number": proposal.number} if proposal.number else {})
    )


def _accounts(model: Model) -> Rows:
    books = model.books
    return {
        "account.accounts": {name: _account(row) for name, row in books.accounts.items()},
        "account.guards": {name: VERSION | _guard(guard) for name, guard in books.guards.items()},
        "account.changes": {
            name: VERSION
            | _signing(change.account)
            | _guard(change.guard)
            | {"due_at": change.due}
            | ({} if change.heir is None else {"heir": change.heir})
            | ({"postponed": True} if change.postponed else {})
            for name, change in books.changes.items()
        },
        "account.recoveries": {
            name: VERSION
            | {"account": asked.of, "approvals": list(asked.approvals)}
            | _signing(asked.account)
            | {"asked_at": asked.asked, "due_at": asked.due}
            | ({"waits": True} if asked.waits else {})
            | ({"postponed": True} if asked.postponed else {})
            for name, asked in books.recoveries.items()
        },
        "account.rescues": {
            name: VERSION
            | {"recovered_at": when, "keys": _keys(before), "sensitive": before.sensitive}
            for name, (when, before) in books.rescues.items()
        },
        "account.incoming": dict.fromkeys(books.incoming, VERSION),
        "account.sub_accounts": {
            key: VERSION | {"opened_at": when} for key, when in books.sub_accounts.items()
        },
    }


def _account(account: Account) -> dict[str, Any]:
    if account.heir is not None:
        return VERSION | {"closed_into": account.heir}
    return VERSION | _signing(account) | {"lanes": account.lanes}


def _guard(guard: tuple[tuple[str, ...], int]) -> dict[str, Any]:
    guardians, threshold = guard
    return {"guardians": list(guardians), "threshold": threshold}


def _signing(account: Account) -> dict[str, Any]:
    thresholds = {"ordinary": account.ordinary, "sensitive": account.sensitive}
    return {"keys": _keys(account)} | thresholds


def _keys(account: Account) -> list[dict[str, Any]]:
    return [
        {"key": {"algorithm": algorithm, "public": public}, "weight": weight}
        for public, algorithm, weight in account.keys
    ]


def _mandate(one: Mandate, scale: int) -> dict[str, Any]:
    return (
        VERSION
        | {"owner": one.owner, "holder": one.holder, "asset": one.asset}
        | {"total": write_amount(one.total, scale), "spent": write_amount(one.spent, scale)}
        | {"expires_at": one.expires, "period_began": one.began}
        | {"spent_in_period": write_amount(one.lately, scale)}
        | ({} if one.each is None else {"each_period": write_amount(one.each, scale)})
        | ({"period_ms": one.period} if one.period else {})
    )


def _nonces(nonces: Nonces) -> dict[str, Any]:
    """The highest nonce, and bit i of the map for `highest - 1 - i`."""
    bits = sum(
        1 << (nonces.highest - 1 - nonce)
        for nonce in nonces.used
        if nonces.highest - WINDOW <= nonce < nonces.highest
    )
    return VERSION | {"highest": nonces.highest, "used": f"{bits:x}"}
