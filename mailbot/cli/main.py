"""The command `mailbot`: what there is, and how a failure is said.

Heavy modules are imported inside the commands, so that `mailbot --help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli import database, demo, explain, inbox, outbox, release, run, setup, status

app = typer.Typer(
    name="mailbot", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None,
    help="Runs an organisation's press mailbox: answers journalists with the release they ask for, hands everything else to a person.",
)  # fmt: skip
app.command("demo")(demo.demo)
app.command("init")(setup.init)
app.command("check")(setup.check)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("verify")(status.verify)
app.command("explain")(explain.explain)
app.command("stop-sending")(outbox.stop_sending)
app.command("resume-sending")(outbox.resume_sending)
app.add_typer(release.app, name="release")
app.add_typer(inbox.app, name="inbox")
app.add_typer(outbox.app, name="outbox")
app.add_typer(database.app, name="database")


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="The settings file [MAILBOT_CONFIG, or config/mailbot.toml].")] = None,
) -> None:
    context.obj = config


def main() -> None:
    """Run a command. 0: done; 1: what was asked for failed, and the message says what to do; 2: wrong usage."""
    try:
        app()
    except Exception as problem:
        # Every exception of our own carries a sentence for a person; anything else is a bug and shows where it is.
        if not type(problem).__module__.startswith("mailbot."):
            raise
        print(f"mailbot: {problem}", file=sys.stderr)
        sys.exit(1)
