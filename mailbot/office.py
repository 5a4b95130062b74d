"""The press office as its mails know it: who writes, in which words, to whom inside; and what they know of a release."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailbot.languages import Language
from mailbot.message.address import Address
from mailbot.releases.body import plain_paragraphs, to_html
from mailbot.releases.release import Edition, day_of
from mailbot.rendering import Words
from mailbot.staffed_hours import Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who writes, in which words."""

    name: str
    short_name: str
    address: Address
    website: str
    contact: str
    languages: tuple[str, ...]  # the first is the office's own
    colleagues: tuple[Address, ...]
    public_url: str
    words: Words
    hours: Hours
    duty_number: str
    protection: Address | None  # who hears of a call for help; None: the first colleague
    signatory: Address | None   # who signs releases before they are published; None: nobody has to
    referral: str
    spoken: Mapping[str, Language]
    prints: bool  # PDF files

    @property
    def values(self) -> dict[str, str]:
        """What every template knows of the organisation."""
        return {
            "name": self.name, "short_name": self.short_name or self.name, "address": self.address.address,
            "website": self.website, "contact": self.contact,
        }  # fmt: skip

    @property
    def insiders(self) -> frozenset[str]:
        """Keys of who is never answered: the colleagues, who hears of calls for help, and who signs."""
        return frozenset(one.key for one in (*self.colleagues, self.protection, self.signatory) if one is not None)

    @property
    def own_language(self) -> str:
        """What colleagues are written to in."""
        return self.languages[0]


def release_url(office: Office, slug: str) -> str:
    """Where the public page of an edition is; empty where there is no public web, so that no dead link is printed."""
    return f"{office.public_url}/r/{slug}" if office.public_url else ""


def release_values(office: Office, edition: Edition) -> dict[str, Any]:
    """What every template knows of a release."""
    notes = plain_paragraphs(edition.notes)
    return {
        "title": edition.title, "date": day_of(edition), "place": edition.place, "language": edition.language, "slug": edition.slug,
        "paragraphs": plain_paragraphs(edition.body), "body_html": to_html(edition.body),
        "notes": notes, "notes_html": to_html(edition.notes) if notes else "",
        "contact": edition.contact or office.contact, "url": release_url(office, edition.slug),
    }  # fmt: skip
