"""The demo's web page: write to the press office as a journalist, see the answer arrive, read why mailbot decided so.

Works without a script. Everything shown is escaped; the HTML of a mail appears only in a frame that may run, load and send nothing.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jinja2
import yaml
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from mailbot.demo.explanation import Explanation
from mailbot.demo.guard import guarded
from mailbot.demo.mail_world import INBOX, Arrival, MailWorld, WorldIsFull
from mailbot.demo.question import PAGES, Question, compose, examples, from_form
from mailbot.demo.shown_mail import ShownMail, holds, read

LANGUAGES = ("fr", "en")
MAX_FORM_OCTETS = 100_000
LOOK_SECONDS = 0.05  # a decision with no mail after it makes no noise: look again
WAIT_SECONDS = 1.5  # then the page shows what there is, and reloads itself
LATE_SECONDS = 30.0
SHOWN_AT_MOST = 50  # the newest of a folder, the newest of the journalists
MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)

Explain = Callable[[str], Awaitable[Explanation | None]]


@dataclass(frozen=True, slots=True)
class OfferedRelease:
    """A sample release, listed beside the form so that a newcomer knows what to ask for. `day` is in words of its language."""

    title: str
    language: str
    day: str
    embargoed: bool


@dataclass(frozen=True, slots=True)
class Office:
    """The press office that the page writes to. `reasons`: language -> reason -> a sentence."""

    name: str
    address: str
    colleagues: tuple[str, ...]
    releases: tuple[OfferedRelease, ...] = ()
    reasons: Mapping[str, Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail that was sent from the page."""

    journalist: str
    message_id: str
    arrival: Arrival
    before: int  # how many mails had arrived by then
    raw: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of it so far."""

    explanation: Explanation | None
    answer: Arrival | None
    note: Arrival | None

    @property
    def complete(self) -> bool:
        """Everything that the decision leads to has arrived."""
        wanted = self.explanation.outcome if self.explanation else ""
        answered = wanted not in ("send_release", "subscribe", "unsubscribe") or bool(self.answer)
        return bool(wanted) and answered and (wanted != "hand_off" or bool(self.note))


def page(world: MailWorld, explain: Explain, office: Office) -> Starlette:
    """The web application; `explain` finds what was decided about the mail with that Message-ID, None until it is."""
    desk = Desk(world, explain, office)
    routes = [
        Route("/", desk.write),
        Route("/send", desk.send, methods=["POST"]),
        Route("/asked/{key}", desk.asked),
        Route("/mailboxes", desk.mailboxes),
        Route("/mail", desk.mail),
        Route("/html", desk.html),
        Route("/style.css", lambda _: FileResponse(PAGES / "style.css", media_type="text/css")),
    ]
    return Starlette(routes=routes, middleware=[Middleware(guarded)], exception_handlers={404: desk.lost})


class Desk:
    """The pages, and the mails that were sent from them."""

    def __init__(self, world: MailWorld, explain: Explain, office: Office) -> None:
        self._world, self._explain, self._office = world, explain, office
        self._examples = examples()
        self._words = {code: yaml.safe_load((PAGES / f"{code}.yaml").read_text("utf-8")) for code in LANGUAGES}
        self._asked: dict[str, Asked] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    async def write(self, request: Request) -> Response:
        """The form."""
        words = self._words[_language(request)]
        start = Question(
            name=words["example_name"], address="camille@gazette.example", subject=words["example_subject"], text=words["example_text"]
        )
        return self._form(request, start)

    async def send(self, request: Request) -> Response:
        """Take the form, hand the mail to the SMTP server, go to its page."""
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_FORM_OCTETS:
                return self._trouble(request, "too_big", 413)
        try:
            fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20))
        except ValueError:
            return self._trouble(request, "refused", 400)
        example = self._examples.get(fields.get("example", ""))
        question, fault = (example.question, "") if example else from_form(fields)
        if fault:
            return self._form(request, question, fault, 422)
        key = secrets.token_urlsafe(12)
        message_id = f"<{key}@demo.invalid>"
        raw = compose(question, self._office.address, message_id, datetime.now(UTC))
        before = len(self._world.arrivals)
        try:
            arrival = await self._world.send(question.address, self._office.address, raw, authenticated=question.authenticated)
        except WorldIsFull:
            return self._trouble(request, "full", 503)
        self._asked[key] = Asked(question.address.lower(), message_id, arrival, before, raw)
        return RedirectResponse(f"/asked/{key}?lang={_language(request)}", 303)

    async def asked(self, request: Request) -> Response:
        """What became of a mail; waits a little for it."""
        asked = self._asked.get(request.path_params["key"])
        if asked is None:
            return self._trouble(request, "not_found", 404)
        outcome = await self._outcome(asked)
        explanation, answer, note = outcome.explanation, outcome.answer, outcome.note
        values: dict[str, Any] = {
            "explanation": explanation,
            "sentence": self._sentence(explanation, _language(request)) if explanation else "",
            "asked": read(asked.raw),
            "answer": await self._shown(answer),
            "html_url": _url("/html", user=answer.user, folder=INBOX, uid=answer.uid) if answer else "",
            "note": await self._shown(note),
            "milliseconds": max(1, round((answer.moment - asked.arrival.moment) * 1000)) if answer else 0,
            "wait": not outcome.complete and time.perf_counter() - asked.arrival.moment < LATE_SECONDS,
        }
        return self._render(request, "outcome.html.j2", values)

    async def mailboxes(self, request: Request) -> Response:
        """Every mailbox with its folders."""
        words, office = self._words[_language(request)], self._office
        journalists = [user for user in self._world.users if user not in (office.address, *office.colleagues)]
        groups = [
            (words["of_office"], await self._boxes([office.address])),
            (words["of_colleagues"], await self._boxes(office.colleagues)),
            (words["of_journalists"], await self._boxes(reversed(journalists[-SHOWN_AT_MOST:]))),
        ]
        return self._render(request, "mailboxes.html.j2", {"groups": groups}, here="mailboxes")

    async def mail(self, request: Request) -> Response:
        """One mail of a mailbox."""
        user, folder, uid = _place(request)
        raw = await self._world.mail(user, folder, uid)
        if raw is None:
            return self._trouble(request, "not_found", 404)
        values = {"mail": read(raw), "user": user, "folder": folder, "html_url": _url("/html", user=user, folder=folder, uid=uid)}
        return self._render(request, "one_mail.html.j2", values, here="mailboxes")

    async def html(self, request: Request) -> Response:
        """The HTML of one mail, for the frame alone: no script, no picture from elsewhere, no link that leads out."""
        raw = await self._world.mail(*_place(request))
        if raw is None:
            return self._trouble(request, "not_found", 404)
        return HTMLResponse(read(raw).html, headers={"Content-Security-Policy": MAIL_POLICY})

    async def lost(self, request: Request, _: Exception) -> Response:
        """An address that does not exist."""
        return self._trouble(request, "not_found", 404)

    async def _outcome(self, asked: Asked) -> Outcome:
        """Wait until the mail has had its effect, or for as long as a reader waits for a page.

        An answer that is about to arrive is not slowed down by asking the database for it."""
        ends = time.perf_counter() + WAIT_SECONDS
        if len(self._world.arrivals) == asked.before + 1:
            await self._world.more_than(asked.before + 1, LOOK_SECONDS)
        while True:
            seen = len(self._world.arrivals)
            answer = self._world.answered(asked.journalist, asked.message_id)
            outcome = Outcome(await self._explain(asked.message_id), answer, await self._note(asked))
            if outcome.complete or time.perf_counter() >= ends:
                return outcome
            await self._world.more_than(seen, LOOK_SECONDS)

    async def _note(self, asked: Asked) -> Arrival | None:
        """The note to a colleague about this mail: it carries the original, or refers to it."""
        for arrival in self._world.arrivals[asked.before :]:
            if arrival.user in self._office.colleagues:
                raw = await self._world.mail(arrival.user, INBOX, arrival.uid)
                if asked.message_id in arrival.refers_to or (raw and holds(raw, asked.message_id)):
                    return arrival
        return None

    async def _shown(self, arrival: Arrival | None) -> ShownMail | None:
        raw = await self._world.mail(arrival.user, INBOX, arrival.uid) if arrival else None
        return read(raw) if raw is not None else None

    async def _boxes(self, users: Iterable[str]) -> list[dict[str, Any]]:
        """The folders of these users, the newest mail first."""
        boxes = []
        for user in users:
            for folder in await self._world.folders(user):
                found = await self._world.mails(user, folder)
                newest = [(uid, read(raw)) for uid, raw in reversed(found[-SHOWN_AT_MOST:])]
                mails = [
                    {"subject": mail.subject, "sender": mail.sender, "url": _url("/mail", user=user, folder=folder, uid=uid)}
                    for uid, mail in newest
                ]
                boxes.append({"user": user, "folder": folder, "count": len(found), "mails": mails})
        return boxes

    def _sentence(self, explanation: Explanation, language: str) -> str:
        """The reason as a sentence; the bare word where nobody has written one."""
        sentences = (self._office.reasons or {}).get(language, {})
        return sentences.get(explanation.reason) or explanation.reason.replace("-", " ")

    def _form(self, request: Request, question: Question, fault: str = "", status: int = 200) -> Response:
        office, language = self._office, _language(request)
        values = {
            "examples": list(self._examples.values()), "question": question, "fault": fault,
            "office": office.name, "office_address": office.address,
            "releases": [release for release in office.releases if release.language == language],
        }  # fmt: skip
        return self._render(request, "write.html.j2", values, status, here="write")

    def _trouble(self, request: Request, trouble: str, status: int) -> Response:
        return self._render(request, "trouble.html.j2", {"trouble": trouble}, status)

    def _render(self, request: Request, template: str, values: Mapping[str, Any], status: int = 200, here: str = "") -> Response:
        language = _language(request)
        other = next(code for code in LANGUAGES if code != language)
        path = request.url.path if request.method == "GET" else "/"  # a POST has no address to come back to
        query = {name: value for name, value in request.query_params.items() if request.method == "GET"} | {"lang": other}
        common = {
            "language": language, "other_language": other, "other_url": f"{path}?{urlencode(query)}",
            "words": self._words[language], "here": here,
        }  # fmt: skip
        return HTMLResponse(self._templates.get_template(template).render(common | dict(values)), status)


def _language(request: Request) -> str:
    wanted = request.query_params.get("lang", "")
    return wanted if wanted in LANGUAGES else LANGUAGES[0]


def _place(request: Request) -> tuple[str, str, int]:
    """Which mail of which mailbox; UID 0, which no mail has, where the address was tampered with."""
    query = request.query_params
    uid = query.get("uid", "")
    return query.get("user", ""), query.get("folder", INBOX), int(uid) if uid.isascii() and uid.isdigit() and len(uid) < 10 else 0


def _url(path: str, **query: str | int) -> str:
    return f"{path}?{urlencode(query)}"
