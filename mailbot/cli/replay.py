"""`mailbot inbox replay`: what today's rules, releases and settings would do with mail that came in. Sends nothing, changes nothing."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import Json, database_to_read, one_line, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.database.engine import Database

BAR_FROM = 20   # mails; fewer are done before a bar is read


def replay(
    context: typer.Context,
    mail_ids: Annotated[list[int] | None, typer.Argument(metavar="[NUMBER]...", help="As `inbox list` prints them; none: all.")] = None,
    as_json: Json = False,
) -> None:
    """Decide stored mails anew, as `explain` does, and show what would be different. Nothing is sent and nothing changes.

    Example: mailbot inbox replay 12
    """
    from mailbot.inbox import store

    with database_to_read(context) as database:
        known = database.read_now(store.arrived)
        for unknown in sorted(set(mail_ids or ()) - set(known)):
            typer.echo(f"mailbot: there is no mail {unknown}. `mailbot inbox list` shows them.", err=True)
            raise typer.Exit(1)
        chosen = mail_ids or known
        different = 0
        for found in _decided_anew(context, database, chosen):
            different += found["changed"]
            if as_json:
                print_json(found)
            elif found["changed"] or mail_ids:
                _print(found)
    if not as_json:
        typer.echo(f"Decided anew: {len(chosen)}; different: {different}.")


def _decided_anew(context: typer.Context, database: "Database", chosen: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The explanation of each, with what was decided before; behind a bar on a terminal that is not printed on."""
    from mailbot.cli.explain import judge_of
    from mailbot.inbox import arrival_store, store
    from mailbot.inbox.explanation import withheld
    from mailbot.inbox.reason import PROTECTED
    from mailbot.message.incoming import HEAD_OCTETS

    shows_bar = len(chosen) >= BAR_FROM and sys.stderr.isatty() and not sys.stdout.isatty()
    bar = typer.progressbar(chosen, file=sys.stderr, label="Deciding") if shows_bar else nullcontext(chosen)
    with judge_of(settings_of(context), database) as judge, bar as numbers:
        for number in numbers:
            row = database.read_now(store.shown, number) or {}
            now = judge(str(number), database.read_now(arrival_store.content, number, HEAD_OCTETS), row["size"])
            explanation: Mapping[str, Any] = row["explanation"] or {}
            before = {"reason": row["reason"], "actions": explanation.get("actions", [])}
            changed = before != {"reason": now["reason"], "actions": now["actions"]}
            kept = withheld(now) if row["reason"] in PROTECTED or now["reason"] in PROTECTED else now
            yield kept | {"before": before, "changed": changed}


def _print(found: dict[str, Any]) -> None:
    before = found["before"]
    if found["changed"]:
        typer.echo(f"{found['file']}: {_told(before)}  ->  {_told(found)}")
    else:
        typer.echo(f"{found['file']}: {_told(found)}, as before")
    if found["evidence"]:
        typer.echo("  because of: " + one_line("; ".join(found["evidence"]), 200))


def _told(decided: Mapping[str, Any]) -> str:
    """The reason, and what is done: `latest-asked (send_release visite-rsue-sahel)`."""
    done = ", ".join(" ".join(filter(None, (action["type"], str(action.get("release", ""))))) for action in decided["actions"])
    return one_line(f"{decided['reason'] or 'not decided yet'}" + (f" ({done})" if done else ""), 200)
