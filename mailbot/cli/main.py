"""The command `mailbot`: what there is, and how a failure is said.

Heavy modules are imported inside the commands, so that `mailbot --help` answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli import (
    audience,
    broadcast,
    database,
    demo,
    explain,
    inbox,
    language,
    outbox,
    release,
    release_photos,
    release_review,
    report,
    retention,
    run,
    setup,
    status,
    support,
    user,
)

app = typer.Typer(
    name="mailbot", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None,
    help="Runs an organisation's press mailbox: answers journalists with the release they ask for, hands everything else to a person."
    "\n\nExample: mailbot demo",
)  # fmt: skip
app.command("demo")(demo.demo)
app.command("init")(setup.init)
app.command("check")(setup.check)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("verify")(status.verify)
app.command("report")(report.report)
app.command("support-bundle")(support.support_bundle)
app.command("explain")(explain.explain)
app.command("stop-sending")(outbox.stop_sending)
app.command("resume-sending")(outbox.resume_sending)
release.app.command("parity")(release_review.parity)
release.app.command("submit")(release_review.submit)
release.app.command("attach")(release_photos.attach)
release.app.command("photos")(release_photos.photos)
release.app.command("detach")(release_photos.detach)
app.add_typer(release.app, name="release")
app.add_typer(inbox.app, name="inbox")
app.add_typer(outbox.app, name="outbox")
app.add_typer(audience.app, name="audience")
app.add_typer(broadcast.app, name="broadcast")
app.add_typer(user.app, name="user")
app.add_typer(retention.app, name="retention")
app.add_typer(database.app, name="database")
app.add_typer(language.app, name="language")


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="The settings file [MAILBOT_CONFIG, or config/mailbot.toml].")] = None,
) -> None:
    context.obj = config


def main() -> None:
    """Run a command. 0: done; 1: what was asked for failed, and the message says what to do; 2: wrong usage; 130: Ctrl-C."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here, where a full disk or a reader that has gone can still be told
    except BrokenPipeError:
        _drop_output()
        sys.exit(1)
    except Exception as problem:
        # The border of the whole program: sentences of our own for a person; anything else is a bug, and shows where it is.
        _drop_output()
        sentence = sentence_of(problem)
        print(f"mailbot: {sentence}" if sentence else _bug(problem), file=sys.stderr)
        sys.exit(1)


def sentence_of(problem: Exception) -> str:
    """What a person is told; empty for a bug. Of flows that ended together, a bug comes before what we can say."""
    if isinstance(problem, ExceptionGroup):
        sentences = [sentence_of(one) for one in problem.exceptions]
        return sentences[0] if all(sentences) else ""
    if type(problem).__module__.startswith("mailbot."):
        return str(problem)
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}." if problem.filename else f"{problem.strerror}."
    return ""


def _bug(problem: Exception) -> str:
    """Where it happened, without anybody's address: people paste it into reports."""
    import traceback

    from mailbot.logs import without_addresses

    where = without_addresses("".join(traceback.format_exception(problem)))
    return f"{where}mailbot: this is a bug in mailbot. Nothing that was acknowledged is lost. Please report the lines above."


def _drop_output() -> None:
    """Where nobody takes our output any more, Python would try again at its end, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
