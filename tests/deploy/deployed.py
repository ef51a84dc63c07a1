"""The files of `deploy/`, and what is asked of all of them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import yaml

from tongbao.cli.main import root
from tongbao.node.settings import PREFIX, lines

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
SECONDS: Final = 60
METRIC: Final = re.compile(r"\b(?:(?:cometbft|process|tongbao)_[a-z0-9_]+|up)\b(?!\()")


def ended(*command: str | Path, folder: Path = DEPLOY) -> tuple[int, str]:
    """Run a program to its end: its exit code and all that it printed."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def unknown_settings(variables: Sequence[str]) -> list[str]:
    """The variables that look like a node's settings, but are none."""
    known = {PREFIX + line.name.upper() for line in lines()}
    return [name for name in variables if name.startswith(PREFIX) and name not in known]


def unknown_words(command_line: Sequence[str]) -> list[str]:
    """The commands and options of a `tongbao` command line that the program does not have."""
    command: click.Command = root
    context = click.Context(root, info_name="tongbao")
    words = list(command_line)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            # A group may do something by itself, with an argument; otherwise it is misspelt.
            return [] if command.invoke_without_command else [words[0]]
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    options = {name for option in command.get_params(context) for name in option.opts}
    given = [word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1]
    return [option for option in given if option not in options]


def metrics_of(expression: str) -> set[str]:
    """The metrics that an expression of Prometheus asks for, a histogram by its own name."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", expression)
    names = METRIC.findall(bare)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def alert_rules() -> Iterator[dict[str, Any]]:
    """Every alert of the rule file."""
    text = (DEPLOY / "prometheus/rules.yml").read_text(encoding="utf-8")
    for group in yaml.safe_load(text)["groups"]:
        yield from group["rules"]


def dashboard() -> dict[str, Any]:
    """Grafana's dashboard."""
    text = (DEPLOY / "grafana/tongbao.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def asked_metrics() -> set[str]:
    """All metrics that an alert or a panel asks for."""
    expressions = [rule["expr"] for rule in alert_rules()]
    for panel in dashboard()["panels"]:
        expressions += [target["expr"] for target in panel.get("targets", ())]
    return {name for expression in expressions for name in metrics_of(expression)}
