"""What a page of the desk is asked, what it shows, and how it says no. Values alone."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from mailbot.database.engine import Database, Tx
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.read_mail import Reader
from mailbot.web.desk.library import Library
from mailbot.web.desk.role import Role, allows
from mailbot.web.style import SHIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who is logged in."""

    key: str
    address: str
    name: str
    language: str
    roles: tuple[Role, ...]

    def may(self, needed: Role) -> bool:
        """Does one of the roles include it?"""
        return allows(self.roles, needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bureau:
    """What every page is made from: who writes, in which words, how it stands. `origin`: scheme, host and port that people see.

    `words`: language -> the lines of desk.yaml; `pages`: those of web.yaml; `reasons`: those of reasons.yaml. `settings`: what the
    settings say, without secrets. `queued` is called where mail may wait to leave."""

    database: Database
    desk: Desk
    reader: Reader
    origin: str
    proxies: frozenset[str]
    words: Mapping[str, Mapping[str, str]]
    pages: Mapping[str, Mapping[str, str]]
    reasons: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, Mapping[str, str]]
    standing: Callable[[Tx], dict[str, Any]]
    queued: Callable[[], None]
    clock: Callable[[], datetime]
    zone: tzinfo
    approvals: int = 1
    hold: timedelta = timedelta(minutes=10)
    pace: tuple[int, int] = (0, 0)      # mails a minute, and a day
    accent: str = SHIPPED
    check: Callable[[bool], Awaitable[Sequence[Any]]]   # the findings of `mailbot check`; True: also of mailbox, relay and DNS
    refused: Counter[str]               # how often what was refused since the start, by the reason
    library: Library = field(default_factory=Library)

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of the office, its own first."""
        return self.desk.office.languages


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of somebody who may make it. `prepared`: what was worked out before the transaction."""

    user: User
    path: Mapping[str, str]
    now: datetime
    language: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    files: tuple[tuple[str, bytes], ...] = ()
    prepared: Any = None

    def said(self, name: str, most: int = 20_000) -> str:
        """A field of the form, as text of one kind of line end; "" where it is not there."""
        return "\n".join(self.form.get(name, "").splitlines()).strip()[:most]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its template and values."""

    template: str
    values: Mapping[str, Any]
    status: int = 200
    about: str = ""     # for the journal, where a form led here
    words: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """Bytes: a picture, a file to keep, or a mail in a frame that may do nothing."""

    content: bytes
    media_type: str
    file: str = ""      # to be kept under this name; empty: to be looked at
    framed: bool = False
    about: str = ""     # for the journal, where a form asked for it
    words: str = ""


@dataclass(frozen=True, slots=True)
class Go:
    """It is done; where to look now. `told`: a key of desk.yaml that says what was done; `about` and `words`: for the journal."""

    to: str
    told: str
    about: str = ""
    words: str = ""


class No(Exception):
    """Refused, and nothing has changed: a key of desk.yaml, with what the page says besides."""

    def __init__(self, why: str, status: int = 409, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.status, self.detail = why, status, detail
