"""What can be decided about a mail, and what the rule has to know for it: values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailbot.inbox.reason import Reason
from mailbot.inbox.understanding import Understood
from mailbot.languages import Language
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import ReportedRecipient
from mailbot.releases.release import Release
from mailbot.releases.search import Index


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRelease:
    """Answer with this edition. `full` False: the short text without a word of the sender's. Alternatives are slugs of editions."""

    release: str
    edition: str
    language: str
    why: str
    reason: Reason
    full: bool
    words: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """A person decides; `draft` is what mailbot would have answered, `offers` are slugs that the sender may be offered.

    `deadline`: by when it is wanted, where that could be worked out; `deadline_words` say it as written."""

    reason: Reason
    why: str
    draft: SendRelease | None = None
    offers: tuple[str, ...] = ()
    deadline: datetime | None = None
    deadline_words: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """The sender wants to be on the press list."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """The sender wants to leave it. `certain`: his domain vouches for the mail; otherwise only the address itself can confirm."""

    reason: Reason
    certain: bool


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


Decision = SendRelease | Subscribe | Unsubscribe | HandOff | Ignore | RecordReport


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How often may be answered (INTERFACE.md, inbox)."""

    answer_pause_days: float = 7
    answers_per_address_per_day: int = 3
    answers_per_domain_per_hour: int = 20
    answers_per_minute: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything the rule needs to know besides the mail. The flow gathers it."""

    own_addresses: frozenset[str]               # keys of every address of ours
    colleagues: frozenset[str]                  # keys of hand_off_to
    authentication: Authentication
    own_deliveries: tuple[str, ...] = ()        # named by a valid token in Message-ID, In-Reply-To, References or a returned mail
    earlier_answers: tuple[tuple[str, datetime], ...] = ()     # release and time, to this person
    answers_today_address: int = 0
    answers_hour_domain: int = 0
    answers_last_minute: int = 0
    caps: Caps = Caps()
    rescan_doubt: bool = False                  # after a new UIDVALIDITY: the Message-ID was met before
    older_than_a_day_in_rescan: bool = False
    received_at: datetime | None = None
    releases: Mapping[str, Release]
    index: Index
    languages: Mapping[str, Language]
    organisation_languages: tuple[str, ...]
    organisation_names: tuple[str, ...] = ()    # however the office is called: words that tell nothing about a release
    junk: bool = False
    understood: Understood | None = None        # what its words say, where that was worked out already
    from_a_file: bool = False                   # `explain`: a mail saved as a file may have lost its Return-Path
