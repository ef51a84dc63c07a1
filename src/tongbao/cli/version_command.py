"""`tongbao version`: what is installed, down to the hash of the code that decides."""

from __future__ import annotations

import platform

import click

from tongbao import __version__
from tongbao.cli.options import json_option, terminal_of


@click.command(epilog="\b\nExample:\n  tongbao version")
@json_option
@click.pass_context
def version(ctx: click.Context) -> None:
    """Print the versions of Tongbao, of Python, and of the modules with the hash of their code.

    A genesis file names the same hashes: a chain runs only with the code that began it.
    """
    from tongbao.cli.module_groups import installed
    from tongbao.sdk.packages import module_hash

    modules = {
        module.name: f"version {module.version}, code {module_hash(module)}"
        for module in installed().modules
    }
    facts = {"tongbao": __version__, "python": platform.python_version(), **modules}
    terminal_of(ctx).answer(facts, f"tongbao {__version__}")
