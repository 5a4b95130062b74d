"""What the demonstration's desk begins with: a user, a link that lets in once, a press list, a draft in two languages that differ."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from email.utils import formataddr as format_address
from pathlib import Path

from mailbot import clock
from mailbot.audience import store as audience
from mailbot.database.engine import Tx
from mailbot.demo.mail_world import MailWorld
from mailbot.languages import Language
from mailbot.message.address import Address, parse
from mailbot.releases import store as releases
from mailbot.releases.import_set import import_set
from mailbot.web.desk import user_store
from mailbot.web.desk.role import Role

DRAFTS = Path(__file__).parent / "sample_drafts"
FIRST = ("Awa", "Bruno", "Chloé", "David", "Elena", "Farid", "Greta", "Hugo", "Inès", "Jonas")
LAST = ("Keller", "Lopez", "Marchand", "Novak")
OUTLETS = ("Radio Estran", "La Gazette de Valmarine", "Coast Weekly", "Télé Rivage")


MAILS = (
    ("Léa Fontanel", "lea.fontanel@radio-estran.example", "Interview sur le vieux port",
     "Bonjour,\n\nPourrions-nous interviewer la directrice du port demain matin, avant 11 heures ?\n\nLéa Fontanel, Radio Estran"),
    ("Tom Barker", "tom.barker@coastweekly.example", "Latest press release",
     "Hello,\n\nPlease send me your latest press release.\n\nTom Barker, Coast Weekly"),
)  # fmt: skip


async def write_in(world: MailWorld, office: str) -> None:
    """Two journalists have written before anybody looks: one is answered, the other waits for a person."""
    for number, (name, address, subject, text) in enumerate(MAILS):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = format_address((name, address)), office, subject
        mail["Date"], mail["Message-ID"] = format_datetime(clock.now()), f"<sample{number}@{address.partition('@')[2]}>"
        mail.set_content(text)
        await world.send(address, office, mail.as_bytes(policy=SMTP))


def furnish(tx: Tx, colleague: str, language: str, loaded: Mapping[str, Language], now: datetime) -> str:
    """Put all of it there; gives the path of the link."""
    who = parse(colleague)
    assert who is not None
    user_store.put(tx, Address(who.address, "Camille Redon"), language, [Role.APPROVER, Role.PROTECTION], "", now)
    link = secrets.token_urlsafe(24)
    user_store.offer_link(tx, who.key, link, now)
    for number in range(len(FIRST) * len(LAST)):
        first, last, outlet = FIRST[number % len(FIRST)], LAST[number // len(FIRST)], OUTLETS[number % len(OUTLETS)]
        address = Address(f"journaliste{number + 1}@redaction.example", f"{first} {last}")
        audience.add(tx, address, "en" if number % 4 == 2 else "fr", outlet, None, "sample", now)
    drafts = import_set([(path.name, path.read_bytes()) for path in sorted(DRAFTS.glob("*.md"))], loaded, now)
    for edition in drafts.editions:
        releases.save(tx, edition, now)
    return f"/desk/enter/{link}"
