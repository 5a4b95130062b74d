"""A correction of an edition that people may have, or the withdrawal of a release; what they said before, and who has to be told.

Who has to be told: everybody who last got of it something else than what it says now. A person is one address, and is told once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.message.address import Address
from mailbot.releases.release import Edition, Release, State, is_public, public_from
from mailbot.releases.sentence_difference import difference


class CannotCorrect(Exception):
    """The file is no correction of this edition; nothing was changed. The message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One correction of an edition; or, where `edition` is empty, the withdrawal of the whole release for this `reason`."""

    id: int
    release: str
    edition: str
    content_hash: str   # what the edition says from then on; empty: nothing is served any more
    reason: str
    at: datetime

    @property
    def withdraws(self) -> bool:
        """Nothing of it is served from then on."""
        return not self.edition


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What an edition said, from when to when, and the number of the correction that ended it."""

    edition: Edition
    content_hash: str
    since: datetime
    until: datetime
    correction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The last mail that brought this person the release, or told that it is withdrawn (`content_hash` is empty then).

    `full`: a mail with HTML went there, and not the short text for whom nobody vouches."""

    recipient: Address
    edition: str
    content_hash: str
    language: str       # of the words around it
    full: bool
    message_id: str
    references: tuple[str, ...]
    at: datetime


def renewed(old: Edition, read: Edition) -> Edition:
    """What an edition says by this file. What a file need not say again stays: its embargo and its topics."""
    topics, embargo = read.topics or old.topics, read.embargo or old.embargo
    return replace(read, slug=old.slug, release=old.release, state=old.state, topics=topics, embargo=embargo)


def corrected(old: Edition, read: Edition, release: Release, now: datetime) -> Edition:
    """What the published edition becomes. Raises CannotCorrect."""
    new = renewed(old, read)
    if old.state is not State.PUBLISHED:
        draft = old.state is State.DRAFT
        way = "`mailbot release import` changes a draft" if draft else "`mailbot release publish` comes first, if it is to be public again"
        raise CannotCorrect(f"{old.slug} is {old.state}, and nobody is sent it: {way}.")
    if read.language != old.language:
        raise CannotCorrect(f"{old.slug} is in {old.language!r}, and the file in {read.language!r}. Name the edition in that language.")
    opens = public_from(replace(release, editions=tuple(new if one.slug == old.slug else one for one in release.editions)))
    if opens is not None and opens > now and is_public(release, now):
        raise CannotCorrect(
            f"{old.slug} is public, and the file puts it under embargo until {opens:%Y-%m-%d %H:%M} UTC. No embargo takes back what is "
            f"public: leave the line out, or use `mailbot release withdraw {old.slug}`."
        )
    return new


def to_be_told(
    correction: Correction, received: Iterable[Received], past: Mapping[str, Edition], now_says: Edition | None
) -> list[Received]:
    """Of those who got it, who has to hear of this correction. `past`: what it said, by content hash; `now_says`: None once withdrawn.

    Where a reader finds no difference, nobody is written to: a topic or a mark-up may have changed. Who was told that it is withdrawn
    has nothing that could be corrected."""
    told = []
    for one in received:
        if not one.content_hash or (now_says is not None and one.content_hash == correction.content_hash):
            continue
        before = past.get(one.content_hash)
        if now_says is None or before is None or difference(before, now_says):
            told.append(one)
    return told
