"""Audience: the press list, one person with consent and history, an import with what became of each line."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any

from mailbot import columns
from mailbot.audience import roster, store, suppression_store
from mailbot.audience.forgotten import digest
from mailbot.audience.journalist import Refuse, State
from mailbot.audience.read_table import rows
from mailbot.audience.roster import NotARoster, Roster
from mailbot.audience.roster_store import Brought, bring
from mailbot.audience.spreadsheet import table
from mailbot.audience.suppression import Why
from mailbot.database.engine import Tx
from mailbot.inbox.invite import invite
from mailbot.message.address import Address, parse
from mailbot.message.address import key as key_of
from mailbot.web.desk import desk_store
from mailbot.web.desk.asked import Asked, Bureau, Given, Go, No, Shown
from mailbot.web.desk.role import Role

EXPORTED = (
    "address", "name", "language", "outlet", "medium", "state", "origin", "created_at", "changed_at", "at", "event", "channel", "words",
)  # fmt: skip
MOST_PEOPLE = 20_000    # of one import here: everybody else waits for its transaction
MOST_LINES = 500        # of its report


def listed(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The press list, a page of it."""
    given = {name: asked.query.get(name, "").strip()[:320] for name in ("q", "state", "language", "after")}
    found = desk_store.people(tx, given["q"], given["state"], given["language"], given["after"])
    more = found[-1]["key"] if len(found) == desk_store.ROWS else ""
    values = {"rows": found, "given": given, "more": more, "states": [str(one) for one in State], "counts": desk_store.people_by_state(tx)}
    return Shown("people", {**values, "languages": bureau.languages})


def one(tx: Tx, bureau: Bureau, asked: Asked) -> Shown | None:
    """Everything that is kept of one person."""
    of = key_of(asked.path["address"])
    row = store.shown(tx, of) if of else None
    if row is None:
        return None
    barred = [why for one in (of, digest(bureau.desk.secret, of)) for why in suppression_store.reasons(tx, one)]
    history = desk_store.history(tx, of, asked.user.may(Role.PROTECTION))
    return Shown("person", {"person": row, "history": history, "barred": barred})


def add(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Put an address on the list; not one that has left it, or is not to be written to."""
    parsed, origin = parse(asked.said("address", 320)), asked.said("origin", 200)
    language = asked.said("language", 10)
    if parsed is None or not origin:
        raise No("no-address", 400)
    if any(suppression_store.reasons(tx, one) for one in (parsed.key, digest(bureau.desk.secret, parsed.key))):
        raise No("no-barred")
    given = Address(parsed.address, asked.said("name", 200) or parsed.name)
    _, step = store.add(tx, given, language if language in bureau.languages else bureau.languages[0], asked.said("outlet", 200), None,
                        origin, asked.now)  # fmt: skip
    if isinstance(step, Refuse):
        raise No("no-barred")
    return Go(f"/desk/audience/{parsed.key}", "done-added", parsed.address, origin)


def remove(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Take somebody off the list; only the journalist can come back."""
    key = key_of(asked.path["address"])
    outcome = store.remove(tx, key, asked.now) if key else None
    if outcome is None:
        raise No("no-lost", 404)
    if isinstance(outcome[1], Refuse):
        raise No("no-barred")
    return Go(f"/desk/audience/{key}", "done-removed", key)


def suppress(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Write to an address no more, but to answer what it asks."""
    key = key_of(asked.path["address"])
    if not key or store.find(tx, key) is None:
        raise No("no-lost", 404)
    suppression_store.suppress(tx, key, Why.BY_HAND, asked.now)
    return Go(f"/desk/audience/{key}", "done-suppressed", key)


def export(tx: Tx, bureau: Bureau, asked: Asked) -> Given:
    """The whole list with every step of consent, for a reason that stands in the journal. No cell of it acts in a spreadsheet."""
    reason = asked.said("reason", 300)
    if not reason:
        raise No("no-reason", 400)
    text = table(EXPORTED, store.consents(tx))
    return Given(text.encode(), "text/csv; charset=utf-8", f"press-list-{asked.now:%Y-%m-%d}.csv", words=reason)


def importing(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The form for a list."""
    return Shown("people_import", {"report": None, "origin": "", "problem": ""})


async def read_list(bureau: Bureau, asked: Asked) -> Roster:
    """The file, read in a thread. Raises No."""
    if len(asked.files) != 1 or not asked.said("origin", 200):
        raise No("no-list", 400)
    words = columns.shipped()

    def read() -> Roster:
        return roster.read(rows(asked.files[0][1], words), words, bureau.languages)

    try:
        found = await asyncio.to_thread(read)
    except NotARoster as problem:
        raise No(f"no-list-{problem.kind}", 400, str(problem)) from problem
    if len(found.people) > MOST_PEOPLE:
        raise No("no-list-long", 413)
    return found


def take_in(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The people of the list, with what became of each line; where it is only tried, nothing stays."""
    read: Roster = asked.prepared
    origin, tries, asks_first = asked.said("origin", 200), asked.form.get("try") == "yes", asked.form.get("unconfirmed") == "yes"
    with tx.begin_nested() as rehearsal:
        forgotten = partial(digest, bureau.desk.secret)
        found = bring(tx, read.people, forgotten, bureau.languages[0], origin, asks_first, asked.now)
        if tries:
            rehearsal.rollback()
    if not tries:
        for brought in found:
            who = store.find(tx, brought.person.key) if brought.asks else None
            if who is not None:
                invite(tx, bureau.desk, who, origin, asked.now)
    return Shown("people_import", {"report": _report(read, found) | {"tried": tries}, "origin": origin, "problem": ""}, about=origin)


def _report(read: Roster, found: list[Brought]) -> dict[str, Any]:
    """The counts, and the lines that want to be looked at."""
    counted = Counter(one.became for one in found)
    kept_out = [(one.person.line, one.person.address, one.why, one.value) for one in found if one.became == "refused"]
    lines = sorted([*kept_out, *((one.line, one.what, one.why, one.value) for one in read.problems)])
    refused = len(kept_out) + sum(one.refused for one in read.problems)
    counts = {name: counted[name] for name in ("added", "updated", "unchanged")} | {"refused": refused}
    return {"counts": counts, "lines": lines[:MOST_LINES], "more": max(0, len(lines) - MOST_LINES)}
