"""Upgrades in the model: what is scheduled by height, and which features begin when."""

from __future__ import annotations

from typing import Any, NamedTuple

from tongbao.simulation.model.books import Turn, need
from tongbao.simulation.model.numbers import GovernanceWhy, KernelWhy, UpgradeWhy


class Agreed(NamedTuple):
    """What genesis and the modules say: who signs blocks, modules as (number, name, version), the
    parameters that genesis sets, and the defaults and bounds of all.
    """

    authorities: frozenset[str]
    modules: tuple[tuple[int, str, int], ...]
    given: dict[str, int]
    defaults: dict[str, int]
    bounds: dict[str, tuple[int, int]]


class Upgrades:
    """The rules of upgrades on one chain."""

    def __init__(self, agreed: Agreed) -> None:
        """By what genesis says."""
        self._agreed = agreed
        self.rules = {"upgrade.schedule": self.schedule, "upgrade.cancel": self.cancel}

    def _authorised(self, turn: Turn, msg: dict[str, Any]) -> None:
        known = msg["authority"] in self._agreed.authorities
        need(known, UpgradeWhy.SIGNER_IS_NOT_AUTHORITY)
        need(not turn.books.council, GovernanceWhy.OPERATORS_DECIDE)

    def schedule(self, turn: Turn, msg: dict[str, Any]) -> None:
        """Something begins at a height, says the authority."""
        self._authorised(turn, msg)
        self.put(turn, msg)

    def put(self, turn: Turn, msg: dict[str, Any]) -> None:
        """Something begins at a height."""
        books, height = turn.books, msg["height"]
        modules, features = msg.get("modules", []), msg.get("features", [])
        need(len(modules) + len(features) > 0, KernelWhy.UPGRADE_IS_EMPTY)
        notice = turn.values["kernel.upgrade_notice"]
        need(height - turn.height >= notice, KernelWhy.UPGRADE_IS_TOO_SOON)
        need(height not in books.upgrades, KernelWhy.UPGRADE_IS_SCHEDULED)
        for member in ("name", "number"):
            said = [line[member] for line in modules]
            need(len(said) == len(set(said)), KernelWhy.UPGRADE_NAME_IS_DOUBLED)
        need(len(features) == len(set(features)), KernelWhy.UPGRADE_NAME_IS_DOUBLED)
        for line in modules:
            need(not self._waits(turn, line), KernelWhy.MODULE_CHANGE_WAITS)
            self._same_module(turn, line, height)
        for name in features:
            need(name not in books.features, KernelWhy.FEATURE_BEGINS_ONCE)
        books.upgrades[height] = {"modules": modules, "features": features}
        books.features.update(dict.fromkeys(features, height))

    def _waits(self, turn: Turn, asked: dict[str, Any]) -> bool:
        """Whether something else is to come under this number or name."""
        return any(
            line["number"] == asked["number"] or line["name"] == asked["name"]
            for height, upgrade in turn.books.upgrades.items()
            if height > turn.height
            for line in upgrade["modules"]
        )

    def _same_module(self, turn: Turn, line: dict[str, Any], height: int) -> None:
        """Numbers and names go together for ever, and versions never sink."""
        versions = {(number, name): version for number, name, version in self._agreed.modules}
        for begins in sorted(turn.books.upgrades):
            if begins <= height:
                for had in turn.books.upgrades[begins]["modules"]:
                    versions[had["number"], had["name"]] = had["version"]
        numbers = dict(versions.keys())
        names = {name: number for number, name in versions}
        goes = numbers.get(line["number"], line["name"]) == line["name"]
        goes = goes and names.get(line["name"], line["number"]) == line["number"]
        least = versions.get((line["number"], line["name"]), 0)
        need(goes and line["version"] >= least, KernelWhy.MODULE_IS_ANOTHER)

    def cancel(self, turn: Turn, msg: dict[str, Any]) -> None:
        """What has not begun never does, says the authority."""
        self._authorised(turn, msg)
        self.take(turn, msg)

    def take(self, turn: Turn, msg: dict[str, Any]) -> None:
        """What has not begun never does."""
        books, height = turn.books, msg["height"]
        known = height in books.upgrades and height > turn.height
        need(known, KernelWhy.UPGRADE_NOT_FOUND)
        for name in books.upgrades.pop(height)["features"]:
            del books.features[name]
