"""The newest releases as a feed (RFC 4287), for readers and other programs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from mailbot.office import Office, release_url
from mailbot.releases.body import plain_paragraphs
from mailbot.releases.release import Edition

MOST = 30


def atom(office: Office, entries: Sequence[tuple[Edition, datetime]], language: str, now: datetime) -> bytes:
    """`entries` are editions in this language with the moment from which each counts, newest first."""
    home = office.public_url
    updated = max((moment for _, moment in entries), default=now)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={quoteattr(language)}>',
        f"<title>{escape(office.name)}</title><id>{escape(home)}/feed.xml?lang={language}</id><updated>{_time(updated)}</updated>",
        f'<link rel="self" href={quoteattr(f"{home}/feed.xml?lang={language}")}/><link href={quoteattr(f"{home}/?lang={language}")}/>',
        f"<author><name>{escape(office.name)}</name></author>",
    ]
    for edition, moment in entries[:MOST]:
        url = release_url(office, edition.slug)
        lines.append(
            f"<entry><title>{escape(edition.title)}</title><id>{escape(url)}</id><link href={quoteattr(url)}/>"
            f"<updated>{_time(moment)}</updated><summary>{escape(next(iter(plain_paragraphs(edition.body)), '')[:500])}</summary></entry>"
        )
    return "\n".join([*lines, "</feed>", ""]).encode()


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
