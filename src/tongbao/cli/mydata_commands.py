"""`tongbao mydata`: a person's own side of the market for data."""

from __future__ import annotations

from typing import Final

from tongbao.cli.lazy import Lazy, LazyGroup

FOLDER: Final = "tongbao.cli.mydata_folder_commands"
ROWS: Final = "tongbao.cli.mydata_row_commands"
MARKET: Final = "tongbao.cli.mydata_market_commands"

COMMANDS: Final = {
    "init": Lazy(f"{FOLDER}:init", "Begin a person's folder."),
    "account": Lazy(f"{FOLDER}:account", "Which account the folder is of."),
    "recovery": Lazy(f"{FOLDER}:recovery", "Write a recovery file, and print its code."),
    "recover": Lazy(f"{FOLDER}:recover", "Make a lost folder again from its recovery file."),
    "move": Lazy(f"{FOLDER}:move", "Ask another node, or the store at another address."),
    "consent": Lazy(f"{ROWS}:consent", "Let a source tell what it knows of you, each month."),
    "consents": Lazy(f"{ROWS}:consents", "List the consents that you gave."),
    "end-consent": Lazy(f"{ROWS}:end_consent", "Let a source tell no more."),
    "collect": Lazy(f"{ROWS}:collect", "Take what sources have left for you."),
    "receive": Lazy(f"{ROWS}:receive", "Take a parcel out of a file."),
    "prove": Lazy(f"{ROWS}:prove", "Show the ledger where a source contradicts itself."),
    "import-rows": Lazy(f"{ROWS}:import_rows", "Tell rows of a month yourself."),
    "batches": Lazy(f"{ROWS}:batches", "List your months of rows."),
    "erase": Lazy(f"{ROWS}:erase", "Erase a month of rows, or all, everywhere."),
    "erasures": Lazy(f"{ROWS}:erasures", "List erasures, how far they are, and their receipts."),
    "offer": Lazy(f"{MARKET}:offer", "Offer fields of your rows, for purposes, at a price."),
    "offers": Lazy(f"{MARKET}:offers", "List your offers."),
    "withdraw": Lazy(f"{MARKET}:withdraw", "Take back an offer, or say no to an order."),
    "requests": Lazy(f"{MARKET}:requests", "List who asked for what, the refused too."),
    "statement": Lazy(f"{MARKET}:show_statement", "What you earned, by buyer, purpose and month."),
    "pull": Lazy(f"{MARKET}:pull", "Take what you have earned."),
    "export": Lazy(f"{MARKET}:export", "Write everything into one archive."),
    "import": Lazy(f"{MARKET}:import_archive", "Take the rows of an archive."),
    "page": Lazy(f"{MARKET}:page", "Show all of it on a page of this machine."),
}

mydata = LazyGroup(
    "mydata",
    lazy=COMMANDS,
    no_args_is_help=True,
    help="""Own the data about you: collect, offer, see who asked, be paid, withdraw, erase.

    All keys stay in FOLDER, under your passphrase. Rows lie at a store as ciphertext; an agent gets
    just the fields that your offers name.
    """,
)
