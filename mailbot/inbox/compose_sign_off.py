"""Puts a sign-off into words: the release as it will be read, to who signs it; and what they said, to who answers for releases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mailbot.message.address import Address
from mailbot.office import Office, release_values
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.releases.parity import parity
from mailbot.releases.release import Edition, Release, public_from
from mailbot.releases.sign_off import GOOD_FOR, SignOff
from mailbot.rendering import render


def shown(office: Office, release: Release) -> dict[str, Any]:
    """The release as the signatory's mail and page show it: its editions, when it may be read, and what differs between them."""
    found = parity(release, office.spoken, office.contact)
    in_order = sorted(release.editions, key=lambda one: (one.slug != release.id, one.slug))
    return {
        "title": in_order[0].title, "editions": tuple(_edition(office, one) for one in in_order), "embargo": public_from(release),
        "differences": tuple(_row(one.facts, found.languages) for one in found.differences),
        "points": tuple(one.facts for one in found.points),
    }  # fmt: skip


def question(office: Office, signatory: Address, release: Release, link: str, key: str, *, correction: bool) -> Draft:
    """To the signatory: the whole text, the table of what differs, and the link to the page that signs."""
    values = shown(office, release) | {
        "organisation": office.values, "link": link, "days": GOOD_FOR.days, "correction": correction,
    }  # fmt: skip
    rendered = render(office.words, office.own_language, "sign_off", values)
    return Draft(
        key=key, kind=Kind.SIGN_OFF, recipient=signatory, language=office.own_language, release=release.id,
        subject=rendered.subject, text=rendered.text, html=rendered.html,
    )  # fmt: skip


def told(office: Office, event: str, asked: SignOff, title: str, signatory: str, words: str, when: datetime, key: str) -> Draft:
    """To who answers for releases. `event`: approved, changes, or not-delivered (`words` are the relay's then)."""
    values = {
        "organisation": office.values, "event": event, "release": asked.release, "title": title, "signatory": signatory, "words": words,
        "when": when,
    }  # fmt: skip
    rendered = render(office.words, office.own_language, "sign_off_told", values)
    return Draft(
        key=key, kind=Kind.HAND_OFF, recipient=office.colleagues[0] if office.colleagues else office.address,
        language=office.own_language, release=asked.release, subject=rendered.subject, text=rendered.text, html=rendered.html,
    )  # fmt: skip


def _edition(office: Office, edition: Edition) -> dict[str, Any]:
    """As it will be read; the page behind a link that is not public yet is not named."""
    spoken = office.spoken.get(edition.language)
    return release_values(office, edition) | {"url": "", "spoken": spoken.name if spoken else edition.language}


def _row(facts: dict[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    """One difference with its two sides in the order of the editions."""
    sides = [code for code in languages if code in facts["words"]]
    return {
        "kind": facts["kind"],
        "sides": tuple({"code": code, "words": facts["words"][code], "sentence": facts["sentences"][code]} for code in sides),
    }  # fmt: skip
