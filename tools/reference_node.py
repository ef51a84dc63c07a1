"""The pages of the reference about the node: every operation, every setting, every metric."""

from __future__ import annotations

from collections.abc import Callable

from tongbao.console.console import PAGES
from tongbao.console.static import PATH
from tongbao.kernel.registry import Registry
from tongbao.node.metrics import Metrics
from tongbao.node.operations import Operation, errors_of
from tongbao.node.settings import PREFIX, lines
from tongbao.node.table import operations

Table = Callable[..., str]


def http_page(modules: Registry, table: Table) -> str:
    """Every operation of the HTTP interface."""
    rows = [_operation(one) for one in operations(modules)]
    rows.append(("GET", f"`{PATH}`", "", "The files that pages load.", ""))
    head = ("method", "path", "parameters", "what it does", "problems")
    return (
        "# HTTP\n\nAnswers are JSON; errors are problem documents (RFC 9457) whose `number`, where "
        "there is one, is explained at their `type` and in [refusals](refusals.md). A request that "
        "names an unknown parameter is wrong. 429 and 503 carry Retry-After.\n\n"
        + table(head, rows)
        + "\n## Pages\n\nFor people, in HTML; English or Chinese, light or dark, as `?lang=zh` and "
        "`?theme=dark` choose.\n\n"
        + table(("path", "what it shows"), [(f"`{one.path}`", one.meaning) for one in PAGES])
    )


def _operation(one: Operation) -> tuple[str, str, str, str, str]:
    named = one.asks.__struct_encode_fields__
    names = [f"`{name}`" for name in named if f"{{{name}}}" not in one.path]
    problems = ", ".join(map(str, errors_of(one)))
    return one.method, f"`{one.path}`", ", ".join(names), one.summary, problems


def settings_page(table: Table) -> str:
    """Every setting of a node."""
    rows = []
    for line in lines():
        several = isinstance(line.default, tuple | list)
        default = ", ".join(line.default) if several else line.default
        flag = f"`--{line.name.replace('_', '-')}`"
        rows.append((f"`{line.name}`", flag, default, line.meaning))
    return (
        "# Settings of a node\n\nA setting comes from its flag, else from the environment "
        f"(`{PREFIX}` and its name in capitals), else from the TOML file of `--config`, else it is "
        "the default. A name that is not in this table is refused. Several values stand with "
        "commas between them; in TOML they are a list.\n\n"
        + table(("setting", "flag", "default", "meaning"), rows)
    )


def metrics_page(table: Table) -> str:
    """Every metric of a node."""
    rows = [
        (f"`{metric.name}`", metric.type, metric.documentation)
        for metric in Metrics().registry.collect()
    ]
    return (
        "# Metrics\n\nAt `/metrics`, in Prometheus's text format. No label names a person, an "
        "account or an amount.\n\n" + table(("metric", "kind", "meaning"), rows)
    )
