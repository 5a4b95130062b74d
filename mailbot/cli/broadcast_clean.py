"""`mailbot broadcast clean`: the dead addresses that an announcement met, named and taken off the press list."""

from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.opening import DryRun, Json, Yes, answer, confirmed, database_of, database_to_read

if TYPE_CHECKING:
    from datetime import datetime

    from mailbot.database.engine import Tx

Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement's number, or the beginning of it.")]


def clean(context: typer.Context, broadcast: Id, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Name the addresses that turned out to be dead, and take them off the press list. `resume` goes on, and counts anew.

    Example: mailbot broadcast clean 3f2a --dry-run
    """
    from mailbot.broadcast import store
    from mailbot.cli.broadcast import found
    from mailbot.clock import now

    moment = now()
    with (database_to_read if dry_run else database_of)(context) as database:
        one = database.read_now(found, broadcast)
        dead = database.read_now(store.hard_bounces, one.id)
        if not as_json:
            for address in dead:
                typer.echo(f"  {address}")
        if dead and not dry_run:
            confirmed(f"Take {len(dead):,} dead addresses off the press list?", yes)
        removed = [] if dry_run else database.write_now(lambda tx: [address for address in dead if _removed(tx, address, moment)])
    facts = {"id": one.id, "state": one.state, "dead_addresses": dead, "removed": removed, "dry_run": dry_run}
    more = f" Go on: mailbot broadcast resume {one.id} --count {one.recipients}" if one.state == "held" and not dry_run else ""
    told = f"{one.id}: {len(dead):,} dead, {len(removed):,} taken off the press list."
    answer(as_json, facts, told + more)


def _removed(tx: "Tx", address: str, moment: "datetime") -> bool:
    """Its owner alone can bring it back. False where it was off the list already."""
    from mailbot.audience import store, suppression_store
    from mailbot.audience.journalist import Change
    from mailbot.audience.suppression import Why
    from mailbot.message.address import key

    if not suppression_store.is_suppressed(tx, key(address)):
        suppression_store.suppress(tx, key(address), Why.HARD_BOUNCE, moment)
    outcome = store.remove(tx, key(address), moment)
    return outcome is not None and isinstance(outcome[1], Change)
