"""The pages of the newsroom. Whatever is not public looks like a page that does not exist: the same words, the same status."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mailbot.broadcast.whatsapp import link_of, whatsapp
from mailbot.database.engine import Database, Tx
from mailbot.inbox.compose import sheet
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.invite import ask_on_the_web
from mailbot.languages import Language
from mailbot.message.address import parse
from mailbot.office import Office, release_url
from mailbot.outbox.print_pdf import NotPrinted, print_pdf
from mailbot.releases import correction_store, photo_store
from mailbot.releases.body import to_text
from mailbot.releases.contact_sheet import contact_sheet
from mailbot.releases.correction import Correction
from mailbot.releases.picture import NeedsPillow
from mailbot.releases.release import Edition, Release, day_of, newest_first, public_editions, public_photos, released_at
from mailbot.releases.search import search
from mailbot.releases.shelf import Shelf
from mailbot.web.form import sent_form
from mailbot.web.news import feed, shown
from mailbot.web.news.shown import ON_A_PAGE, Wanted
from mailbot.web.news.verdict import Altered, Authentic, NotOurs, marks, verdict
from mailbot.web.reader import reading

HEADERS = {
    "Cache-Control": "no-cache", "X-Robots-Tag": "all",
    "Content-Security-Policy":
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}  # fmt: skip
FOUND_AT_MOST = 60
TEXTS_KEPT = 500
SHEETS_KEPT, SHEET_OCTETS = 100, 30_000     # half of what a page may be
ASKS_AN_HOUR = 10       # places on the list, from one address of the network
HOUR = timedelta(hours=1)
LINES = tuple(f"news-{name}" for name in (
    "title", "search", "find", "topic", "month", "written-in", "any", "all", "none", "newer", "older", "subscribe", "verify", "feed",
    "languages", "copy", "copy-hint", "whatsapp", "whatsapp-open", "pdf", "photos", "sheet", "kb", "credit", "contact", "notes",
    "corrected", "corrected-on", "withdrawn", "withdrawn-text", "back", "subscribe-title", "subscribe-text", "subscribe-address",
    "subscribe-language", "subscribe-button", "subscribe-done", "subscribe-fault", "subscribe-often", "verify-title", "verify-text",
    "verify-paste", "verify-button", "verify-authentic", "verify-part", "verify-altered", "verify-ours", "verify-theirs", "verify-none",
    "skip",
))  # fmt: skip


class NewsPages:
    """What answers: the releases in memory, the words, the clock; and who has asked of late."""

    def __init__(
        self, database: Database, desk: Desk, languages: Mapping[str, Language], words: Mapping[str, Mapping[str, str]],
        templates: jinja2.Environment, clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._database, self._desk, self._words, self._templates, self._clock = database, desk, words, templates, clock
        self._shelf = Shelf(languages)
        self._marks: dict[str, tuple[str, frozenset[str]]] = {}     # slug -> content hash, sentences
        self._texts: dict[tuple[str, str], tuple[str, str]] = {}    # slug and content hash -> for a telephone
        self._sheets: dict[str, tuple[tuple[str, ...], bytes]] = {}  # release -> the marks of its photos, and all of them on one sheet
        self._asked: dict[str, deque[datetime]] = {}
        self._seen: object = None                                   # the index that the next four were worked out with
        self._newest: tuple[Release, ...] = ()
        self._topics: list[str] = []
        self._months: list[str] = []
        self._tongues: list[str] = []                               # languages that some public edition is in

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/", self.front), Route("/feed.xml", self.feed), Route("/r/{slug:str}.pdf", self.pdf),
            Route("/r/{slug:str}", self.release),
            Route("/photo/{release:str}/sheet.jpg", self.sheet), Route("/photo/{release:str}/{number:int}", self.photo),
            Route("/verify", self.verify, methods=["GET", "POST"]),
            Route("/subscribe", self.subscribe, methods=["GET", "POST"]),
        ]  # fmt: skip

    @property
    def _office(self) -> Office:
        return self._desk.office

    async def _library(self) -> dict[str, Release]:
        await self._database.read(self._shelf.refresh, self._clock())
        return self._shelf.releases

    def _language(self, request: Request) -> str:
        """The reader's own, by what they chose, else by what their browser says."""
        offered = [code for code in self._office.languages if code in self._words]
        if (chosen := request.query_params.get("lang", "")) in offered:
            return chosen
        return reading(request, offered)

    async def front(self, request: Request) -> Response:
        """The public releases, newest first; or those that are looked for."""
        now, language = self._clock(), self._language(request)
        self._overlook(await self._library(), now)
        given = request.query_params
        page = int(given.get("page", "1")) if given.get("page", "1").isdecimal() and len(given.get("page", "1")) < 5 else 1
        tongue = given.get("in", "") if given.get("in", "") in self._tongues else ""
        wanted = Wanted(language=tongue, topic=given.get("topic", "")[:100], month=given.get("month", "")[:7], page=max(1, page))
        asked = given.get("q", "").strip()[:300]
        kept = [match.release for match in search(self._shelf.index, asked, now, limit=FOUND_AT_MOST)] if asked else None
        found = shown.listed(self._newest, wanted, now, kept=kept)
        start = (wanted.page - 1) * ON_A_PAGE
        entries = [shown.entry(self._office, one, language, now, wanted.language) for one in found[start : start + ON_A_PAGE]]

        def to(number: int) -> str:
            kept = {"lang": language, "q": asked, "in": wanted.language, "topic": wanted.topic, "month": wanted.month, "page": number}
            return "/?" + urlencode(kept)

        values = {
            "entries": entries, "asked": asked, "wanted": wanted,
            "topics": self._topics, "months": self._months,
            "written_in": [(code, self._words.get(code, {}).get("own-name", code)) for code in self._tongues],
            "newer": to(wanted.page - 1) if wanted.page > 1 else "",
            "older": to(wanted.page + 1) if len(found) > start + ON_A_PAGE else "",
        }  # fmt: skip
        return self._page("news_front.html.j2", language, request, values)

    def _overlook(self, library: Mapping[str, Release], now: datetime) -> None:
        """Worked out anew when the shelf is: after any change, and when an embargo ends."""
        if self._seen is not self._shelf.index:
            self._newest, self._seen = newest_first(library.values(), now), self._shelf.index
            self._topics, self._months = shown.topics(self._newest, now), shown.months(self._newest, now)
            self._tongues = shown.tongues(self._newest, now)

    async def release(self, request: Request) -> Response:
        """One release in one language."""
        now, language = self._clock(), self._language(request)

        def look(tx: Tx) -> tuple[Release | None, Edition | None, list[tuple[Correction, int]]]:
            self._shelf.refresh(tx, now)
            release, edition = self._found(self._shelf.releases, request.path_params["slug"])
            return release, edition, correction_store.history(tx, release.id) if release and edition else []

        release, edition, corrections = await self._database.read(look)
        if release is not None and edition is None and (gone := shown.withdrawn(release, request.path_params["slug"])):
            values = {"title": gone.title, "date": shown.in_words(self._office, day_of(gone), language), "language": gone.language}
            return self._page("news_withdrawn.html.j2", language, request, values, status=410)
        if release is None or edition is None:
            raise HTTPException(404)
        text, link = self._forwarded(edition)
        values = shown.whole(self._office, release, edition, language, now) | {
            "url": release_url(self._office, edition.slug), "plain": f"{edition.title}\n\n{to_text(edition.body)}", "whatsapp": text,
            "whatsapp_link": link, "prints": self._office.prints,
            "names": {code: self._words[code]["own-name"] for code in self._words},
            "corrected": [
                shown.in_words(self._office, one.at.date(), language) for one, _ in corrections if one.edition == edition.slug
            ],
        }  # fmt: skip
        return self._page("news_release.html.j2", language, request, values)

    def _forwarded(self, edition: Edition) -> tuple[str, str]:
        """What is forwarded on a telephone, and the link that does it: written once for each text, as it takes a third of a page."""
        which = (edition.slug, edition.content_hash)
        if which not in self._texts:
            if len(self._texts) >= TEXTS_KEPT:
                self._texts.clear()
            text = whatsapp(self._office, edition, None)
            self._texts[which] = text, link_of(text)
        return self._texts[which]

    def _found(self, library: Mapping[str, Release], slug: str) -> tuple[Release | None, Edition | None]:
        """The release with an edition of this slug; the edition only where the world may have it."""
        now = self._clock()
        release = next((one for one in library.values() if any(edition.slug == slug for edition in one.editions)), None)
        edition = next((one for one in public_editions(release, now) if one.slug == slug), None) if release else None
        return release, edition

    async def pdf(self, request: Request) -> Response:
        """The same to be printed."""
        _, edition = self._found(await self._library(), request.path_params["slug"])
        if edition is None or not self._office.prints:
            raise HTTPException(404)
        try:
            made = await print_pdf(sheet(self._office, edition, self._language(request)))
        except NotPrinted:
            raise HTTPException(503) from None
        name = f"{edition.release}-{edition.language}.pdf"
        return Response(made, media_type="application/pdf", headers={**HEADERS, "Content-Disposition": f'inline; filename="{name}"'})

    async def photo(self, request: Request) -> Response:
        """A photo whose consent stands, of a release that is public."""
        library, now = await self._library(), self._clock()
        release = library.get(request.path_params["release"])
        photos = {one.number: one for one in public_photos(release, now)} if release else {}
        photo = photos.get(request.path_params["number"])
        content = await self._database.read(photo_store.content, request.path_params["release"], photo.number) if photo else None
        if photo is None or content is None:
            raise HTTPException(404)
        return Response(content, media_type=photo.media_type, headers=HEADERS)

    async def sheet(self, request: Request) -> Response:
        """All of them on one small picture, with their numbers: what a page can show on a slow line."""
        library, now, slug = await self._library(), self._clock(), request.path_params["release"]
        photos = public_photos(library[slug], now) if slug in library else ()
        which = tuple(one.mark for one in photos)
        if photos and self._sheets.get(slug, ((), b""))[0] != which:
            if len(self._sheets) >= SHEETS_KEPT:
                self._sheets.clear()
            small = await self._database.read(photo_store.thumbnails, slug, [one.number for one in photos])
            try:
                self._sheets[slug] = which, await asyncio.to_thread(contact_sheet, small, SHEET_OCTETS)
            except NeedsPillow:
                raise HTTPException(404) from None
        if not photos:
            raise HTTPException(404)
        return Response(self._sheets[slug][1], media_type="image/jpeg", headers=HEADERS)

    async def feed(self, request: Request) -> Response:
        """The newest in one language."""
        library, now, language = await self._library(), self._clock(), self._language(request)
        entries = [
            (edition, released_at(one, now)) for one in newest_first(library.values(), now)
            for edition in public_editions(one, now) if edition.language == language
        ]  # fmt: skip
        return Response(feed.atom(self._office, entries, language, now), media_type="application/atom+xml", headers=HEADERS)

    async def verify(self, request: Request) -> Response:
        """Is this text ours? Told by what everybody may read, and by nothing else."""
        language, values = self._language(request), {"pasted": "", "verdict": "", "edition": {}, "changes": []}
        if request.method == "POST":
            form = await sent_form(request)
            values["pasted"] = str(form.get("text", ""))[:60_000]
            values |= await self._judged(str(values["pasted"]), language)
        return self._page("news_verify.html.j2", language, request, values)

    async def _judged(self, text: str, language: str) -> dict[str, Any]:
        library, now = await self._library(), self._clock()
        editions = {one.slug: one for release in library.values() for one in public_editions(release, now)}
        for slug, one in editions.items():
            if self._marks.get(slug, ("", frozenset()))[0] != one.content_hash:
                self._marks[slug] = one.content_hash, marks(one)
        found = verdict(text, editions, {slug: self._marks[slug][1] for slug in editions})
        match found:
            case Authentic(edition=edition, whole=whole):
                said, changes = "authentic" if whole else "part", []
            case Altered(edition=edition, changes=differences):
                said, changes = "altered", shown.changed(differences)
            case NotOurs():
                return {"verdict": "none"}
        return {"verdict": said, "changes": changes, "edition": shown.entry(self._office, library[edition.release], edition.language, now)}

    async def subscribe(self, request: Request) -> Response:
        """Ask for a place on the list. The answer is the same for everybody: only a mail to the address says more."""
        language, told = self._language(request), ""
        if request.method == "POST":
            form = await sent_form(request)
            told = await self._subscribed(request, {key: str(value) for key, value in form.items()}, language)
        status = {"often": 429, "fault": 422}.get(told, 200)
        values = {"told": told, "names": {code: self._words[code]["own-name"] for code in self._words if code in self._office.languages}}
        return self._page("news_subscribe.html.j2", language, request, values, status=status)

    async def _subscribed(self, request: Request, form: Mapping[str, str], language: str) -> str:
        now, client = self._clock(), request.client.host if request.client else ""
        of_late = self._asked.setdefault(client, deque(maxlen=ASKS_AN_HOUR))
        if len(of_late) == ASKS_AN_HOUR and now - of_late[0] < HOUR:
            return "often"
        of_late.append(now)
        if len(self._asked) > 10_000:
            self._asked = {client: of_late}
        address = parse(form.get("address", "").strip()[:320])
        if address is None or not address.address.isascii():
            return "fault"
        if form.get("website", ""):  # nobody sees that field: a program has filled it in
            return "done"
        wanted = form.get("language", "") if form.get("language", "") in self._words else language

        def ask(tx: Tx) -> None:
            ask_on_the_web(tx, self._desk, replace(address, name=""), wanted, now)

        await self._database.write(ask)
        return "done"

    def _page(self, template: str, language: str, request: Request, values: Mapping[str, Any], *, status: int = 200) -> Response:
        words = {key: text.format_map({"name": self._office.name, "office": self._office.address.address, "address": ""})
                 for key, text in self._words[language].items() if key.startswith(("news-", "foot"))}  # fmt: skip
        frame = {
            "words": words, "page_language": language, "name": self._office.name, "website": self._office.website,
            "office": self._office.address.address, "path": request.url.path,
            "tongues": [(code, self._words[code]["own-name"]) for code in self._office.languages if code in self._words],
        }  # fmt: skip
        return HTMLResponse(self._templates.get_template(template).render(frame | dict(values)), status, headers=HEADERS)

