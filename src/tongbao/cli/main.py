"""The program `tongbao`: its commands, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import describe
from tongbao.cli.interrupts import keep_interrupts
from tongbao.cli.lazy import Lazy, LazyGroup
from tongbao.cli.terminal import Terminal

BEFORE: Final = {
    "init": Lazy("tongbao.cli.init_command:init", "Begin a chain in a new folder."),
    "dev": Lazy("tongbao.cli.dev.command:dev", "A throw-away chain that reloads your module."),
    "new": Lazy("tongbao.cli.new_commands:new", "Write the beginning of a module of your own."),
    "keys": Lazy("tongbao.cli.key_commands:keys", "Make and keep the keys that sign."),
}
AFTER: Final = {
    "tx": Lazy("tongbao.cli.transaction_commands:tx", "Sign, submit, try and show transactions."),
    "status": Lazy("tongbao.cli.chain_commands:status", "The last block, or a transaction's fate."),
    "proof": Lazy("tongbao.cli.proof_commands:proof", "Write proofs that need no trust in a node."),
    "verify": Lazy("tongbao.cli.verify_command:verify", "Check a proof file against a trust file."),
    "data-pack": Lazy(
        "tongbao.cli.data_pack_commands:data_pack", "Show what was granted of data, with proofs."
    ),
    "audit": Lazy("tongbao.cli.audit_command:audit", "Check every block, row and invariant."),
    "snapshot": Lazy(
        "tongbao.cli.snapshot_commands:snapshot", "Write, verify and import all rows of one block."
    ),
    "backup": Lazy("tongbao.cli.backup_commands:backup", "Copy new blocks, and verify them."),
    "restore": Lazy("tongbao.cli.backup_commands:restore", "Make a chain of a backup again."),
    "prune": Lazy("tongbao.cli.prune_command:prune", "Give up the bodies of old blocks."),
    "genesis": Lazy(
        "tongbao.cli.genesis_commands:genesis", "Begin a network of parts, or with another's rows."
    ),
    "index": Lazy("tongbao.cli.index_commands:index", "How far history is; make it anew."),
    "doctor": Lazy("tongbao.cli.doctor_command:doctor", "What is wrong with a folder."),
    "run": Lazy("tongbao.cli.run_command:run", "Serve a chain over HTTP."),
    "localnet": Lazy(
        "tongbao.cli.localnet_commands:localnet", "A network of real nodes on this machine."
    ),
    "api-key": Lazy("tongbao.cli.api_key_commands:api_key", "Make API keys for a node's callers."),
    "watch": Lazy("tongbao.cli.watch_command:watch", "Show live what happens on a chain."),
    "webhooks": Lazy(
        "tongbao.cli.webhooks_commands:webhooks", "Post what happens to endpoints of others."
    ),
    "data-buyer": Lazy(
        "tongbao.cli.data_asking_commands:data_buyer", "Buy data of people, check and delete it."
    ),
    "data-panel": Lazy(
        "tongbao.cli.data_panel_commands:data_panel", "Judge claims about data, and vote."
    ),
    "data-source": Lazy(
        "tongbao.cli.data_source_commands:data_source", "Attest months of rows to customers."
    ),
    "data-store": Lazy(
        "tongbao.cli.data_store_commands:data_store", "Keep ciphertext of others, without a key."
    ),
    "data-agent": Lazy(
        "tongbao.cli.data_agent_commands:data_agent", "Seal for owners what they have offered."
    ),
    "mydata": Lazy("tongbao.cli.mydata_commands:mydata", "Own the data about you."),
    "demo": Lazy("tongbao.demo.commands:demo", "Play a story on real input."),
    "completion": Lazy(
        "tongbao.cli.completion_command:completion", "Completion for bash, zsh or fish."
    ),
    "version": Lazy("tongbao.cli.version_command:version", "Which Tongbao this is."),
}
HELP: Final = """A permissioned ledger for business: keys, accounts, assets, holds, and proofs.

\b
Begin:
  tongbao init
  tongbao account create alice
  tongbao asset define --code CNY --scale 2
  tongbao asset issue --asset CNY --amount 100.00 --payee alice --reference cash-1

Amounts are decimal text, times milliseconds UTC. The last line of every answer is its verdict;
--json prints one object instead. Exit code 0 means done, 1 refused, 2 misused, 3 invalid.
"""


class Root(LazyGroup):
    """All commands: those written by hand, and between them one group per module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of a chain's life."""
        from tongbao.cli.module_groups import module_names

        return [*BEFORE, *module_names(), *AFTER]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; the modules are imported only for theirs."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from tongbao.cli.module_groups import find_module, module_group

        module = find_module(cmd_name)
        return None if module is None else module_group(module)

    def help_of(self, ctx: click.Context, name: str) -> str:
        """One line about a command; a module that can't be used says why, and others go on."""
        from tongbao.sdk.announced import ModuleError

        try:
            return super().help_of(ctx, name)
        except ModuleError as error:
            return str(error)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with its code. Errors of users get two lines, bugs a traceback."""
        terminal = Terminal()
        terminal.json = "--json" in (sys.argv[1:] if args is None else args)
        extra.setdefault("obj", terminal)
        try:
            code = super().main(
                args,
                prog_name or "tongbao",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            sys.exit(Exit.USAGE)
        except BaseException as error:
            failure = describe(error)
            if failure is None or not standalone_mode:
                raise
            terminal.fail(failure)
            sys.exit(failure.exit_code)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else Exit.DONE)


root = Root("tongbao", lazy=BEFORE | AFTER, help=HELP, no_args_is_help=True)


def main() -> None:
    """The entry point of the program."""
    keep_interrupts()
    root.main()


if __name__ == "__main__":
    main()
