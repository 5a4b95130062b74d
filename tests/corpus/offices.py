"""The offices that the voices write to, and what becomes of one of their mails, as `explain` would show it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mailbot import languages
from mailbot.inbox.decision import decide
from mailbot.inbox.explanation import actions
from mailbot.inbox.outcome import Context
from mailbot.languages import Language
from mailbot.message.address import key
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.message.reply_text import marks_from
from mailbot.releases.release import Edition, Release, State
from mailbot.releases.search_index import build

FOLDER = Path(__file__).parent / "voices"
FIRST = "sahel"
LANGUAGES = languages.load([languages.shipped()])
MARKS = marks_from([language.mail for language in LANGUAGES.values()])
HANDED = {"help": "call-for-help"}  # where a label and the word that `explain` prints differ
GRAVE = frozenset({"help", "legal", "complaint", "correction", "someone-else"})  # beside these nothing is granted
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.example")


@dataclass(frozen=True)
class Mail:
    """One mail of a voice to an office of offices.yaml, with its labels (`wanted` says what they mean)."""

    office: str
    voice: str
    language: str
    subject: str
    text: str
    right: tuple[str, ...]


@dataclass(frozen=True)
class Office:
    """Its address, the day on which the voices write to it, and its releases, all of them public."""

    address: str
    now: datetime
    context: Context


def mails(part: str) -> Iterator[Mail]:
    """Those heard, or those put apart. A file for another office than the first is called `..._at_OFFICE.yaml`."""
    for path in sorted(FOLDER.glob(f"{part}*.yaml")):
        to = path.stem.partition("_at_")[2] or FIRST
        for voice in _loaded(path):
            for mail in voice["mails"]:
                yield Mail(to, voice["voice"], mail["language"], mail["subject"], mail["text"], tuple(mail["right"]))


@cache
def office(name: str = FIRST) -> Office:
    told = _loaded(FOLDER / "offices.yaml")[name]
    now = datetime.combine(told["today"], time(10), tzinfo=UTC)
    found = {}
    for entry in _loaded(FOLDER / f"releases_of_{name}.yaml"):
        editions = tuple(_edition(entry, code) for code in ("fr", "en") if code in entry)
        found[entry["slug"]] = Release(entry["slug"], editions)
    context = Context(
        own_addresses=frozenset({key(told["address"])}), colleagues=frozenset(), authentication=Authentication.PASS, releases=found,
        index=build(found.values(), now, LANGUAGES), languages=LANGUAGES, organisation_languages=("fr", "en"),
        organisation_names=tuple(told["names"]), from_a_file=True,
    )  # fmt: skip
    return Office(told["address"], now, context)


def _loaded(path: Path) -> Any:
    return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _edition(entry: dict[str, Any], code: str) -> Edition:
    day = entry["date"] if isinstance(entry["date"], date) else date.fromisoformat(entry["date"])
    return Edition(
        slug=entry["slug"] + ("" if code == "fr" or "fr" not in entry else f"-{code}"), release=entry["slug"], language=code,
        title=entry[code]["title"], body=entry[code]["body"], place=entry["place"], date=day, topics=tuple(entry["topics"]),
        state=State.PUBLISHED,
    )  # fmt: skip


def acted(mail: Mail, spoken: Mapping[str, Language] = LANGUAGES) -> list[dict[str, Any]]:
    """The actions of `explain` for this mail, written by somebody who has not written before."""
    to = office(mail.office)
    return actions(decide(message(mail), replace(to.context, languages=spoken), to.now))


def message(mail: Mail) -> IncomingMessage:
    letter, own = EmailMessage(), office(mail.office).address
    letter["Return-Path"] = f"<{_sender(mail, own)}>"
    letter["From"], letter["To"], letter["Subject"] = _sender(mail, own), own, mail.subject
    letter["Message-ID"] = "<1@voices.example>"
    letter.set_content(mail.text or "\n")
    read = parse(letter.as_bytes(), None, MARKS)
    assert isinstance(read, IncomingMessage)
    return read


def _sender(mail: Mail, office_address: str) -> str:
    """Who gives one address for himself writes from it; who writes for another does not."""
    named = [found for found in _ADDRESS.findall(mail.text.partition("\n>")[0]) if found != office_address]
    others = {"person:someone-else", "person:change-of-address", "spam"}
    own = named if others.isdisjoint(mail.right) or len(named) > 1 else []
    return own[0] if own else "someone@voices.example"


def wanted(mail: Mail) -> set[tuple[str, ...]]:
    """What exactly right would be, as `done` writes it; `?` is any kind."""
    grave = [kind for label in mail.right for kind in [label.removeprefix("person:")] if kind in GRAVE]
    labels = [label for label in mail.right if not grave or label.removeprefix("person:") in GRAVE]
    return {_wanted(label, mail) for label in labels}


def _wanted(label: str, mail: Mail) -> tuple[str, ...]:
    name, _, detail = label.partition(":")
    if name == "latest":
        return _sent(mail, office(mail.office).context.index.newest[0], "latest", detail or mail.language)
    if name == "about" and not detail.startswith("?"):
        slug, _, code = detail.partition(":")
        return _sent(mail, slug, "certain", code or mail.language)
    if name in ("subscribe", "unsubscribe"):
        return (name,)
    if name in ("thanks", "spam"):
        return ("ignore",)
    return ("hand_off", HANDED.get(detail, detail) if name == "person" and detail != "unclear" else "?")


def _sent(mail: Mail, release: str, why: str, code: str) -> tuple[str, ...]:
    """The edition in that language; where there is none, the other one."""
    editions = {edition.language: edition.slug for edition in office(mail.office).context.releases[release].editions}
    return ("send_release", editions.get(code, next(iter(editions.values()))), why)


def done(shown: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    found = set()
    for action in shown:
        match action["type"]:
            case "send_release":
                found.add(("send_release", action["release"], "latest" if action["why"] == "latest" else "certain"))
            case "hand_off":
                found.add(("hand_off", action["why"]))
            case other:
                found.add((other,))
    return found


def is_right(got: set[tuple[str, ...]], want: set[tuple[str, ...]]) -> bool:
    """Exactly: every act that is wanted and no other, and one note for all that is a person's, by the name of one of them."""
    acts, right_acts = ({one for one in each if one[0] != "hand_off"} for each in (got, want))
    kinds, right_kinds = ({one[1] for one in each if one[0] == "hand_off"} for each in (got, want))
    return acts == right_acts and bool(kinds) == bool(right_kinds) and (not kinds or "?" in right_kinds or kinds <= right_kinds)


def is_disposed(got: set[tuple[str, ...]], want: set[tuple[str, ...]]) -> bool:
    """Less strictly: the acts, and whether a person gets it, under whatever name."""
    seen, right = ({one[:2] if one[0] == "send_release" else one[:1] for one in each} for each in (got, want))
    return seen == right


def is_lost(got: set[tuple[str, ...]], want: set[tuple[str, ...]]) -> bool:
    """A person should get it, and none does: a request for an interview beside one for a release, of which the release was sent."""
    return "hand_off" in {one[0] for one in want} - {one[0] for one in got}


def is_wrong(got: set[tuple[str, ...]], want: set[tuple[str, ...]]) -> bool:
    """Something was done that nobody asked for: a release, a place on the list, or a person's mail filed unread."""
    slugs = {one[1].removesuffix("-en") for one in want if one[0] == "send_release"}
    return any(
        one[1].removesuffix("-en") not in slugs if one[0] == "send_release" else one not in want for one in got if one[0] != "hand_off"
    )
