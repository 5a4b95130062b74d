"""The flow that forgets one person: look through every mail, say what there is, then take it out of every table and file."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.archive import forget_store, tally_store
from mailbot.archive.forget_store import Held
from mailbot.archive.person import Person, bytes_pattern, pattern
from mailbot.archive.term import Terms
from mailbot.audience import forgotten
from mailbot.database.engine import Database
from mailbot.database.scrub import files_that_hold, scrub


class NotNow(Exception):
    """A mail that names the person is still to be decided, or just being sent. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """In how many rows of others the name was taken out, and the files that still hold it."""

    swept: int
    files: list[str]


def look(database: Database, who: Person) -> Held:
    """What there is about the person, in every stored mail too. Changes nothing."""
    names = pattern(who)
    return database.read_now(forget_store.held, who, _mails(database, names), _texts(database, names))


def _mails(database: Database, names: re.Pattern[str]) -> list[int]:
    found: list[int] = []
    place: int | None = 0
    while place is not None:
        some, place = database.read_now(forget_store.naming_mails, names, place)
        found += some
    return found


def _texts(database: Database, names: re.Pattern[str]) -> list[str]:
    found: list[str] = []
    place: str | None = ""
    while place is not None:
        some, place = database.read_now(forget_store.naming_deliveries, names, place)
        found += some
    return found


def forget(database: Database, who: Person, terms: Terms, secret: bytes, now: datetime) -> Forgotten:
    """Raises NotNow. What arrives meanwhile is found by the next time."""
    found = look(database, who)
    if found.undecided or found.leaving:
        raise NotNow(
            f"Nothing was changed: {found.undecided} mails that name this person are still to be decided, and {found.leaving} to be sent. "
            "Let `mailbot run` finish with them (or `mailbot outbox drop` what shall not leave), then try again."
        )
    terms = replace(terms, common=database.read_now(tally_store.common_words, terms.noise))
    digest = forgotten.digest(secret, who.key)
    swept = database.write_now(forget_store.forget, who, pattern(who), found, terms, digest, now)
    scrub(database, compact=True)
    return Forgotten(swept, files_that_hold(database, bytes_pattern(who)))
