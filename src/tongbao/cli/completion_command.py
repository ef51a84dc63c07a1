"""`tongbao completion SHELL`: the script that lets a shell complete commands, options and names."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

VARIABLE: Final = "_TONGBAO_COMPLETE"
PROGRAM: Final = "tongbao"
SHELLS: Final = ("bash", "zsh", "fish")


@click.command(
    epilog="\b\nExample:\n  tongbao completion bash > ~/.tongbao-completion\n"
    "  echo '. ~/.tongbao-completion' >> ~/.bashrc"
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script for SHELL: bash (4.4 or newer), zsh or fish.

    Load it in each shell, or keep it where the shell looks by itself: zsh in a folder of $fpath as
    _tongbao, fish as ~/.config/fish/completions/tongbao.fish. Names of accounts and keys are those
    of $TONGBAO_FOLDER or --folder; no chain is opened and no passphrase is asked.
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell
    found = kind(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    # What click gives for bash begins by starting bash to learn its version.
    click.echo(found.source_template % found.source_vars())
