"""What stands beside the derived commands of `upgrade`: the code installed here, written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tongbao.cli import complete
from tongbao.cli.exits import Exit
from tongbao.cli.options import folder_option, json_option, out_option, terminal_of, write_file
from tongbao.cli.terminal import count
from tongbao.kernel import jcs


@click.command(
    epilog="\b\nExample:\n  tongbao upgrade draft --out code.json\n"
    "  tongbao upgrade schedule --authority authority --height 5000 "
    '--modules "$(cat code.json)"'
)
@click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.modules,
    help="A module of somebody else's that the chain shall have from then on; repeat it.",
)
@click.option(
    "--all", "every", is_flag=True, help="Also modules whose code is that of the genesis file."
)
@out_option
@folder_option
@json_option
@click.pass_context
def draft(
    ctx: click.Context, modules: tuple[str, ...], every: bool, out: Path | None, folder: Path
) -> int:
    """Write down the code that is installed here, as an upgrade names it.

    Run it where the new version is installed; the chain is not opened, and only its genesis file is
    read. Modules are listed whose code is not that of genesis, and those of this distribution that
    genesis does not name. What it writes goes into `tongbao upgrade schedule --modules`.
    """
    from tongbao.sdk.announced import FIRST_NUMBER, registry_with
    from tongbao.sdk.folder import Folder
    from tongbao.sdk.genesis_builder import module_lines

    begun = Folder(folder).genesis().modules
    others = [line.name for line in begun if line.number >= FIRST_NUMBER]
    installed = module_lines(registry_with(tuple(dict.fromkeys((*others, *modules)))))
    lines = tuple(line for line in installed if every or line not in begun)
    text = jcs.encode(lines)
    facts: dict[str, Any] = {"modules": jcs.to_builtins(lines)}
    names = ", ".join(line.name for line in lines)
    verdict = f"{count(len(lines), 'module')}: {names}" if lines else "all code is that of genesis"
    terminal = terminal_of(ctx)
    if out is not None:
        write_file(out, text + b"\n")
        facts["file"] = str(out)
        verdict = f"written to {out}: {verdict}"
    terminal.answer(facts, verdict)
    return Exit.DONE
