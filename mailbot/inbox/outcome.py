"""What can be decided about a mail, and what the rule has to know for it: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from mailbot.audience.journalist import Asked, Journalist, Leaver, Purpose
from mailbot.cases.case import Note
from mailbot.cases.colleague_reply import Meaning
from mailbot.inbox.reason import PROTECTED, Reason
from mailbot.inbox.understanding import Understood
from mailbot.languages import Language
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import ReportedRecipient
from mailbot.outbox.delivery import OurMail
from mailbot.releases.release import Release
from mailbot.releases.search_index import Index


class Variant(StrEnum):
    """What of a release is sent."""

    FULL = "full"
    TEXT = "text"
    PDF = "pdf"
    PHOTOS = "photos"       # the contact sheet, and the list of them
    PHOTO = "photo"         # one of them
    CONTACT = "contact"
    HELP = "help"           # what the answer-back words do
    EDITIONS = "editions"   # there is none in the language asked for: those that there are


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRelease:
    """Answer with this edition. `full` False: the short text without a word of the sender's. Alternatives are slugs of editions.

    `photos`: the numbers of those that go along, of which at least one is needed by the variants PHOTOS and PHOTO."""

    release: str
    edition: str
    language: str
    why: str
    reason: Reason
    full: bool
    words: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    repeat: bool = False
    variant: Variant = Variant.FULL
    photos: tuple[int, ...] = ()
    second: bool = False  # of two that one mail asked for

    @property
    def wanted(self) -> str:
        """The variant as it is counted: each photo is one of its own."""
        return f"{self.variant}-{self.photos[0]}" if self.variant is Variant.PHOTO else str(self.variant)

    @property
    def brings_photos(self) -> bool:
        """Whether photos are what it is about."""
        return self.variant in (Variant.PHOTOS, Variant.PHOTO)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """A person decides; `draft` is what mailbot would have answered, `offers` are slugs that the sender may be offered.

    `offer`: these titles go to the sender at once, in a mail of their own. `deadline`: by when it is wanted, where that could be
    worked out; `deadline_words` say it as written."""

    reason: Reason
    why: str
    draft: SendRelease | None = None
    offers: tuple[str, ...] = ()
    deadline: datetime | None = None
    deadline_words: str = ""
    urgent: bool = False
    offer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """The sender wants to be on the press list."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """The sender wants to leave it. `certain`: his domain vouches for the mail; otherwise only the address itself can confirm.

    `reader`: not the sender, but whose announcement's token the mail brings, whoever sent it."""

    reason: Reason
    certain: bool
    reader: Journalist | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """The address that we asked says yes: it joins the list, leaves it, or comes back to it (asked.purpose); in these words."""

    reason: Reason
    asked: Asked
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """File it: nothing is to be done."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """A bounce or a complaint. `ours`: the deliveries of ours that it names by a valid token; nobody's state changes without."""

    reason: Reason
    reported: tuple[ReportedRecipient, ...]
    feedback_type: str
    ours: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColleagueReply:
    """What a colleague, or a colleague's answering machine, says to a note of ours about a case."""

    reason: Reason
    note: Note
    meaning: Meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class StopBroadcast:
    """A colleague says STOP to the announcement that we said was about to leave."""

    reason: Reason
    broadcast: str
    by: Address


Decision = SendRelease | Subscribe | Unsubscribe | Confirm | HandOff | Ignore | RecordReport | ColleagueReply | StopBroadcast


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What is to be done, and what was seen of the mail. `kind`: request, report, automatic, command or unreadable.

    A mail may want several things; at most one of them is a HandOff: a colleague gets one note. Never empty."""

    decisions: tuple[Decision, ...]
    kind: str
    language: str
    confidence: float = 1.0
    evidence: tuple[str, ...] = ()

    @property
    def decision(self) -> Decision:
        """The first, which names the reason."""
        return self.decisions[0]

    @property
    def protected(self) -> bool:
        """A call for help: of its words none may go on."""
        return any(decision.reason in PROTECTED for decision in self.decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How often may be answered (INTERFACE.md, inbox)."""

    answer_pause_days: float = 7
    answers_per_address_per_day: int = 3
    answers_per_domain_per_hour: int = 20
    answers_per_minute: int = 30
    addresses_per_text_per_hour: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything the rule needs to know besides the mail. The flow gathers it."""

    own_addresses: frozenset[str]               # keys of every address of ours
    colleagues: frozenset[str]                  # keys of hand_off_to
    authentication: Authentication
    note: Note | None = None                    # to a colleague, named by its own token: the one that this mail replies to
    zone: tzinfo = UTC                          # the office's: what hour "15h" is
    own_deliveries: tuple[str, ...] = ()        # named by a valid token in Message-ID, In-Reply-To, References or a returned mail
    our_mails: tuple[OurMail, ...] = ()         # those of them that are known, or the last one with the edition that the subject names
    earlier_variants: tuple[tuple[str, str], ...] = ()         # edition and variant, to this person within the pause
    earlier_answers: tuple[tuple[str, datetime], ...] = ()     # release and time, to this person
    answers_today_address: int = 0
    answers_hour_domain: int = 0
    answers_last_minute: int = 0
    same_words_from: int = 0                    # other addresses that were answered to the very same words within the hour
    same_words_answered: bool = False           # this person wrote them before, and was answered
    silenced: bool = False                      # this person has complained
    answers_stopped: bool = False               # the breaker has tripped
    caps: Caps = Caps()
    help_is_open: bool = False                  # this person asked for help, and nobody has closed that yet
    answered_already: bool = False              # a colleague answered this mail from the media mailbox
    rescan_doubt: bool = False                  # after a new UIDVALIDITY: the Message-ID was met before
    older_than_a_day_in_rescan: bool = False
    received_at: datetime | None = None
    releases: Mapping[str, Release]
    index: Index
    withdrawn: Mapping[str, Release] = field(default_factory=dict)      # as they were before, to tell that somebody asks for one
    index_before: Index | None = None           # with those among the others
    languages: Mapping[str, Language]
    organisation_languages: tuple[str, ...]
    organisation_names: tuple[str, ...] = ()    # however the office is called: words that tell nothing about a release
    unready_languages: frozenset[str] = frozenset()    # whose folders lack something: nothing can be written in them
    junk: bool = False
    understood: Understood | None = None        # what its words say, where that was worked out already
    journalist: Journalist | None = None        # who has the sender's address
    last_asked: Mapping[Purpose, datetime] = field(default_factory=dict)    # our last mail about the list to that address
    list_mails_hour_domain: int = 0
    leaver: Leaver | None = None                # whose announcement's token its subject brings
    asked: Asked | None = None                  # what we asked in the newest mail of ours that it names
    from_a_file: bool = False                   # `explain`: a mail saved as a file may have lost its Return-Path
