"""The page /s/ on which a release is signed: the text as it will be read, what differs between its editions, and two buttons.

Made for a telephone, without a script, without an account: who has the link of the mail may sign, once, and only this text. GET shows
and changes nothing, for scanners open every link; POST acts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mailbot.database.engine import Database
from mailbot.inbox import compose_sign_off, submit
from mailbot.inbox.hand_over import Desk
from mailbot.releases.parity import CONTACT
from mailbot.releases.sign_off import LONGEST_WORDS, Standing, Verdict
from mailbot.typography import date_in_words, moment_in_words, no_break, no_break_html
from mailbot.web.form import sent_form

LINES = (
    *(f"sign-{found}-{part}" for found in Standing for part in ("title", "text")),
    "sign-correction", "sign-embargo", "sign-decide", "sign-go", "sign-approve", "sign-approve-hint", "sign-change", "sign-words",
    "sign-send", "sign-wordless", "sign-notes", "sign-contact", "sign-check", "sign-agree", "sign-nothing", "sign-figure", "sign-date",
    "sign-name", "sign-link", "sign-phone", "sign-quotation-marks", "sign-no-contact",
)  # fmt: skip
_STATUS = {Standing.VOID: 410, Standing.TOO_LATE: 410}
_VERDICTS = {"approve": Verdict.APPROVED, "change": Verdict.CHANGES}


@dataclass(frozen=True, slots=True)
class SignPages:
    """What answers at /s/: the database, who writes, and the words of the office's own language."""

    database: Database
    desk: Desk
    words: Mapping[str, str]
    templates: jinja2.Environment
    clock: Callable[[], datetime]

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/s/{link:str}", self.look, methods=["GET"]), Route("/s/{link:str}", self.act, methods=["POST"])]

    async def look(self, request: Request) -> Response:
        """Show what is to be signed, or how it stands. Changes nothing."""
        found = await self.database.read(submit.asked_by, self.desk.secret, request.path_params["link"], self.clock())
        return self._page(request, found)

    async def act(self, request: Request) -> Response:
        """Sign it, or pass on what has to change."""
        form = await sent_form(request)
        verdict, words = _VERDICTS.get(str(form.get("verdict"))), str(form.get("words", "")).strip()[:LONGEST_WORDS]
        if verdict is None:
            raise HTTPException(400)
        link = request.path_params["link"]
        if verdict is Verdict.CHANGES and not words:
            found = await self.database.read(submit.asked_by, self.desk.secret, link, self.clock())
            return self._page(request, found, wordless=True)
        given = words if verdict is Verdict.CHANGES else ""
        return self._page(request, await self.database.write(submit.sign, self.desk, link, verdict, given, self.clock()))

    def _page(self, request: Request, found: submit.Found | None, *, wordless: bool = False) -> Response:
        if found is None:
            raise HTTPException(404)
        stands = found.stands
        office = self.desk.office
        told = {"name": office.name, "office": office.address.address, "address": ""}
        shown: dict[str, Any] = {
            "language": office.own_language, "name": office.name, "words": {key: line.format_map(told) for key, line in self.words.items()},
            "stands": str(stands), "action": request.url.path, "wordless": wordless and stands is Standing.OPEN, "most": LONGEST_WORDS,
        }  # fmt: skip
        if stands is Standing.OPEN:
            shown |= self._text(found)
        status = _STATUS.get(stands, 400 if shown["wordless"] else 200)
        return HTMLResponse(self.templates.get_template("sign_off.html.j2").render(shown), status)

    def _text(self, found: submit.Found) -> dict[str, Any]:
        """The release, set as its languages are set."""
        office = self.desk.office
        values = compose_sign_off.shown(office, found.release)
        own, rules = office.words.typographies[office.own_language], office.words.typographies
        editions = []
        for one in values["editions"]:
            set_as = rules.get(one["language"], own)
            editions.append({
                **one, "title": no_break(one["title"], set_as), "date": date_in_words(one["date"], own), "direction": set_as.direction,
                "body_html": Markup(no_break_html(one["body_html"], set_as)), "contact": no_break(one["contact"], set_as),  # noqa: S704
                "notes_html": Markup(no_break_html(one["notes_html"], set_as)),  # noqa: S704 - both of releases/body.py, which is safe
            })  # fmt: skip
        embargo = values["embargo"]
        points = tuple({**one, "what": "no-contact" if one["what"] == CONTACT else one["what"]} for one in values["points"])
        return {
            **values, "editions": editions, "points": points, "correction": found.asked.content_hash != found.asked.stored_hash,
            "embargo": no_break(moment_in_words(embargo, own, office.hours.zone), own) if embargo else "",
        }  # fmt: skip
