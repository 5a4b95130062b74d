"""What somebody who mends mailbot has to know, as files for one archive, without a name, a word or a secret of anybody's.

Nothing is taken over because it looks harmless: each setting and each column that is shown is named here, and what is not named is not
shown. People are pseudonyms, made with our own key, so that one can be followed through the files and never found out. Of calls for help
there is nothing but the number, and releases are not named: one may be under embargo.
"""

import json
import platform
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib import metadata as installed
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from mailbot import __version__
from mailbot.check import Finding
from mailbot.database.all_tables import metadata
from mailbot.database.engine import Database, Tx
from mailbot.database.migrate import revision
from mailbot.database.tables import attempt, bounce, case_file, delivery, journalist, mail, suppression
from mailbot.inbox.reason import PROTECTED
from mailbot.message import token
from mailbot.message.address import key, parse
from mailbot.settings import Settings
from mailbot.standing import standing
from mailbot.verify import broken

RECENT = 300
SHOWN_SETTINGS = frozenset(
    {"organisation.languages", "organisation.timezone", "organisation.hours", "imap.host", "imap.security", "smtp.host", "smtp.security",
     "web.listen", "inbox.mode", "inbox.start_from", "inbox.authserv_id"}
)  # fmt: skip
SHOWN_FINDINGS = frozenset({"clock", "mode", "secret key"})
COUNTED = (
    ("mails", (mail.c.state, mail.c.kind, mail.c.outcome, mail.c.mode)), ("deliveries", (delivery.c.kind, delivery.c.state)),
    ("attempts", (attempt.c.verdict, attempt.c.phase, attempt.c.code)), ("cases", (case_file.c.state, case_file.c.how)),
    ("journalists", (journalist.c.state,)), ("suppressions", (suppression.c.reason,)), ("bounces", (bounce.c.grade,)),
)  # fmt: skip
_CODES = re.compile(r"\b[245]\d\d\b|\b[245]\.\d{1,3}\.\d{1,3}\b")
_OUR_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*(?=: )")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9._-]+")
ABOUT = """What is in this archive

It was made by `mailbot support-bundle` on {at}. It holds settings without secrets, versions, how mailbot stands, what `check` and
`verify` say, counts, and the last events. People are pseudonyms (person-...), which only this office's key can make. No name, no address,
no subject, no text, no secret, and nothing of an unpublished release is in it. Look through it before you send it.
"""
Pseudonym = Callable[[str], str]


def bundle(settings: Settings, database: Database, findings: Iterable[Finding], secret: bytes, now: datetime) -> dict[str, str]:
    """Name -> text of each file. `secret`: our key, or any other where there is none yet."""
    def person(address: str) -> str:
        return f"person-{token.seal(secret, 'support', key(address) or address)[:10]}" if address else ""

    facts: dict[str, Any] = {
        "settings.json": shown_settings(settings, person),
        "versions.json": _versions() | {"database": database.read_now(_engine)},
        "status.json": database.read_now(_standing, settings.inbox.mode),
        "check.json": [_found(one) for one in findings],
        "verify.json": Counter(sentence.split()[0].rstrip(":") for sentence in database.read_now(broken, secret)),
        "counts.json": database.read_now(_counts),
        "recent-mails.json": database.read_now(_mails, person),
        "recent-deliveries.json": database.read_now(_deliveries, person),
    }
    texts = {name: json.dumps(value, indent=1, default=_plain, ensure_ascii=True) + "\n" for name, value in facts.items()}
    return {"README.txt": ABOUT.format(at=now.isoformat())} | texts


def shown_settings(settings: Settings, person: Pseudonym) -> dict[str, dict[str, Any]]:
    """Numbers and choices as they are; of everything else whether it is set, and addresses as pseudonyms."""
    return {
        section: {name: _setting(f"{section}.{name}", getattr(getattr(settings, section), name), person) for name in type(one).model_fields}
        for section in type(settings).model_fields for one in (getattr(settings, section),)
    }  # fmt: skip


def _setting(name: str, value: Any, person: Pseudonym) -> Any:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "not set"
    if value is None or isinstance(value, bool | int | float) or name in SHOWN_SETTINGS:
        return value
    if name == "database.url":
        return str(value).partition(":")[0]
    if isinstance(value, list):
        return [one if isinstance(one, int | float) else _setting(name, one, person) for one in value]
    if isinstance(value, str) and "@" in value and (found := parse(value)) is not None:
        return person(found.address)
    return "set" if value else "not set"


def _versions() -> dict[str, Any]:
    wanted = [found[0] for line in installed.requires("mailbot") or () if (found := _DISTRIBUTION.match(line))]
    libraries = {}
    for name in sorted(set(wanted)):
        try:
            libraries[name] = installed.version(name)
        except installed.PackageNotFoundError:
            libraries[name] = "not installed"
    return {"mailbot": __version__, "python": sys.version, "platform": platform.platform(), "sqlite": sqlite3.sqlite_version,
            "libraries": libraries}  # fmt: skip


def _engine(tx: Tx) -> dict[str, Any]:
    return {"kind": tx.dialect.name, "version": list(tx.dialect.server_version_info or ()), "revision": revision(tx)}


def _standing(tx: Tx, mode: str) -> dict[str, Any]:
    """Of a server's words only our own word for the trouble, and the codes: the rest may name somebody."""
    found = standing(tx, mode)
    for part in ("inbox", "outbox"):
        said = found[part]["trouble"]
        word = _OUR_WORD.match(said)
        found[part]["trouble"] = {"is": bool(said), "word": word[0] if word else "", "codes": _CODES.findall(said)}
    return found


def _found(one: Finding) -> dict[str, Any]:
    return {"item": one.item, "green": one.green} | ({"said": one.said} if one.item in SHOWN_FINDINGS else {})


def _counts(tx: Tx) -> dict[str, Any]:
    rows = {table.name: tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in metadata.sorted_tables}
    found: dict[str, Any] = {"rows": rows}
    for name, columns in COUNTED:
        query = sa.select(*columns, sa.func.count().label("number")).group_by(*columns).order_by(*columns)
        found[name] = [dict(row) for row in tx.execute(query).mappings()]
    reasons = tx.execute(sa.select(mail.c.reason, sa.func.count().label("number")).group_by(mail.c.reason)).all()
    found["reasons"] = {row.reason: row.number for row in reasons}
    return found


def _mails(tx: Tx, person: Pseudonym) -> list[dict[str, Any]]:
    names = (
        "id", "size", "received_at", "stored_at", "decided_at", "junk", "rescan", "state", "attempts", "mode", "kind", "outcome", "reason",
        "language", "waiting", "answered_at", "emptied_at",
    )  # fmt: skip
    query = sa.select(*(mail.c[name] for name in (*names, "sender"))).where(mail.c.reason.not_in(list(PROTECTED)))
    rows = tx.execute(query.order_by(mail.c.id.desc()).limit(RECENT)).mappings()
    return [{name: row[name] for name in names} | {"sender": person(row["sender"])} for row in rows]


def _deliveries(tx: Tx, person: Pseudonym) -> list[dict[str, Any]]:
    """With each dialogue: when, how far it came, the code and what became of it."""
    names = ("id", "kind", "state", "mail", "language", "created_at", "due_at", "attempts", "doubts", "fence", "in_doubt_since",
             "finished_at", "last_phase", "last_code", "emptied_at")  # fmt: skip
    ours = sa.or_(delivery.c.mail.is_(None), delivery.c.mail.not_in(sa.select(mail.c.id).where(mail.c.reason.in_(list(PROTECTED)))))
    query = sa.select(*(delivery.c[name] for name in (*names, "recipient"))).where(ours)
    rows = tx.execute(query.order_by(delivery.c.created_at.desc(), delivery.c.id).limit(RECENT)).mappings().all()
    tried: dict[str, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    said = (attempt.c.number, attempt.c.started_at, attempt.c.ended_at, attempt.c.phase, attempt.c.code, attempt.c.verdict)
    dialogues = sa.select(attempt.c.delivery, *said).where(attempt.c.delivery.in_(list(tried))).order_by(attempt.c.number)
    for one in tx.execute(dialogues).mappings():
        tried[one["delivery"]].append({name: one[name] for name in one if name != "delivery"})
    return [{name: row[name] for name in names} | {"recipient": person(row["recipient"]), "tried": tried[row["id"]]} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value)} has no JSON form")
