"""The signature under a release: which text it is bound to, how long the question stands, and how it stands with its link.

Signed is a text, not a release: every edition of it together, and the embargo. Whoever changes a word has to have it signed again.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.message import token
from mailbot.releases import markdown
from mailbot.releases.correction import renewed
from mailbot.releases.release import Edition, Release

GOOD_FOR = timedelta(days=14)
LONGEST_WORDS = 4000
LONGEST_LINK = 120
_BOUND_TO = "sign-off"


class Verdict(StrEnum):
    """What the signatory said."""

    NONE = ""
    APPROVED = "approved"
    CHANGES = "changes"


class Standing(StrEnum):
    """How it stands with a link; the names are those of its pages."""

    OPEN = "open"
    APPROVED = "approved"
    CHANGES = "changes"
    VOID = "void"           # the text was changed since, or was sent again
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """One question to the signatory. `files`: the editions as they will read, as files that could be imported."""

    release: str
    number: int
    content_hash: str
    stored_hash: str
    files: tuple[str, ...]
    signatory: str          # the key of an address
    delivery: str
    asked_at: datetime
    verdict: Verdict = Verdict.NONE
    words: str = ""
    answered_at: datetime | None = None


def content_hash(release: Release) -> str:
    """Of all editions together; the same whatever their states are."""
    return hashlib.sha256(json.dumps(sorted((one.slug, one.content_hash) for one in release.editions)).encode()).hexdigest()


def files_of(release: Release) -> tuple[str, ...]:
    """The editions as files, the original first."""
    in_order = sorted(release.editions, key=lambda one: (one.slug != release.id, one.slug))
    return tuple(markdown.to_markdown(one) for one in in_order)


def release_of(asked: SignOff) -> Release:
    """What was to be signed, as it was shown."""
    return Release(asked.release, tuple(markdown.parse(file, lambda _: "").edition(asked.release) for file in asked.files))


def with_edition(release: Release, read: Edition) -> Release:
    """The release as it will be with this correction."""
    return Release(release.id, tuple(renewed(one, read) if one.language == read.language else one for one in release.editions))


def standing(asked: SignOff, stored: Release | None, newest: int, now: datetime) -> Standing:
    """`stored`: the release as it is now; `newest`: the number of its last question."""
    unchanged = stored is not None and content_hash(stored) in (asked.stored_hash, asked.content_hash)
    if not unchanged or asked.number != newest:
        return Standing.VOID
    if asked.verdict is not Verdict.NONE:
        return Standing(asked.verdict)
    return Standing.OPEN if now - asked.asked_at <= GOOD_FOR else Standing.TOO_LATE


def seal_of(secret: bytes, delivery: str) -> str:
    """What nobody but us can make: for this mail, and for a signature alone."""
    return token.seal(secret, _BOUND_TO, delivery)


def link_to(public_url: str, secret: bytes, delivery: str) -> str:
    """The whole link."""
    return f"{public_url}/s/{delivery}.{seal_of(secret, delivery)}"


def seal_in(secret: bytes, link: str) -> str:
    """The seal in the last part of a link; empty where we did not make it."""
    delivery, _, given = link[: LONGEST_LINK + 1].partition(".")
    return given if len(link) <= LONGEST_LINK and token.is_sealed(secret, _BOUND_TO, delivery, given) else ""


def why_unsigned(release: str, signatory: str, asked: Sequence[SignOff], hashed: str) -> str:
    """A sentence for who wants to publish. `asked`: every question about the release, the newest first."""
    submit = f"`mailbot release submit {release}`"
    newest = next(iter(asked), None)
    if newest is None or newest.signatory != signatory:
        return f"{release} is not signed, and {signatory} has not been asked: import it without --publish, then {submit}."
    if newest.content_hash != hashed:
        return f"{release} was changed after {signatory} was asked to sign it: {submit} asks again."
    if newest.verdict is Verdict.CHANGES:
        words = " ".join(newest.words.split())
        return f"{signatory} has not signed {release}, and asks for changes: “{words}”. Import the changed text, then {submit}."
    if newest.verdict is Verdict.APPROVED:
        return f"{release} is signed by somebody else than {signatory}: {submit} asks."
    return f"{signatory} was asked to sign {release} on {newest.asked_at:%Y-%m-%d %H:%M} UTC, and has not answered yet."
