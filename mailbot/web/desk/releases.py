"""Releases: the list, one release with its editions side by side, what differs, its preview as a mail, and what may be done with it."""

from datetime import date, datetime
from typing import Any

from markupsafe import Markup

from mailbot import rendering
from mailbot.database.engine import Tx
from mailbot.inbox import compose_sign_off
from mailbot.inbox import correct as corrections
from mailbot.inbox import submit as signing
from mailbot.office import release_values
from mailbot.releases import correction_store, photo_store, sign_off_store, store
from mailbot.releases.photo import MOST_CAPTION, MOST_CREDIT, NotPlain, caption, consent_end, consent_stands, last_day, plain
from mailbot.releases.picture import NeedsPillow, NotAPhoto, picture_of
from mailbot.releases.release import Edition, Release, State, day_of, is_public, public_from, stale
from mailbot.typography import no_break_html
from mailbot.web.desk.asked import Asked, Bureau, Given, Go, No, Shown

DARK, LIGHT = "(prefers-color-scheme: dark)", "(prefers-color-scheme: light)"
LOOKS = ("desktop", "phone", "dark", "text")


def listed(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """Every release, the newest first."""
    query = asked.query.get("q", "").strip().lower()[:100]
    found = [_facts(one, asked.now) for one in bureau.library.all(tx)]
    rows = sorted(found, key=lambda one: (one["date"], one["id"]), reverse=True)
    return Shown("releases", {"rows": [one for one in rows if query in one["title"].lower()][:200], "q": query})


def one(tx: Tx, bureau: Bureau, asked: Asked) -> Shown | None:
    """One release."""
    release = store.load(tx, asked.path["slug"])
    return None if release is None else _shown(tx, bureau, asked, release)


def _shown(tx: Tx, bureau: Bureau, asked: Asked, release: Release) -> Shown:
    office = bureau.desk.office
    values = compose_sign_off.shown(office, release)
    states = {edition.slug: edition for edition in release.editions}
    editions = [_set(bureau, one, states[one["slug"]]) for one in values["editions"]]
    look = asked.query.get("look", "") if asked.query.get("look") in LOOKS else "desktop"
    previewed = asked.query.get("edition", "") if asked.query.get("edition", "") in states else release.id
    asks = sign_off_store.questions(tx, release.id) if office.signatory else ()
    photos = [
        {"number": one.number, "caption": caption(one, (asked.language, *bureau.languages)), "credit": one.credit,
         "until": last_day(one, bureau.zone), "stands": consent_stands(one, asked.now)} for one in release.photos
    ]  # fmt: skip
    return Shown("release", {
        "release": _facts(release, asked.now), "editions": editions, "differences": values["differences"], "points": values["points"],
        "parity": bureau.pages[asked.language], "look": look, "looks": LOOKS, "previewed": previewed, "photos": photos,
        "signatory": office.signatory.address if office.signatory else "", "asks": asks[:3], "embargo": values["embargo"],
        "stale": [one.slug for one in stale(release)], "history": correction_store.history(tx, release.id),
        "missing": [code for code in bureau.languages if code not in {one.language for one in release.editions}],
    })  # fmt: skip


def _set(bureau: Bureau, shown: dict[str, Any], edition: Edition) -> dict[str, Any]:
    rules = bureau.desk.office.words.typographies
    set_as = rules.get(edition.language, rules[bureau.languages[0]])
    html = {name: Markup(no_break_html(shown[name], set_as)) for name in ("body_html", "notes_html")}  # noqa: S704 - of releases/body.py
    return {**shown, **html, "direction": set_as.direction, "state": str(edition.state), "topics": edition.topics}


def _facts(release: Release, now: datetime) -> dict[str, Any]:
    original = next((one for one in release.editions if one.slug == release.id), release.editions[0])
    states = {edition.state for edition in release.editions}
    state = next(state for state in (State.PUBLISHED, State.DRAFT, State.WITHDRAWN) if state in states)
    held = state is State.PUBLISHED and not is_public(release, now)
    return {
        "id": release.id, "title": original.title, "language": original.language, "date": day_of(original),
        "stands": "embargoed" if held else str(state), "drafts": State.DRAFT in states, "opens": public_from(release),
        "languages": [edition.language for edition in release.editions], "photos": len(release.photos),
    }  # fmt: skip


def preview(tx: Tx, bureau: Bureau, asked: Asked) -> Given | None:
    """An edition as the mail that a journalist gets: for a frame that may do nothing."""
    edition = _edition(tx, asked)
    if edition is None:
        return None
    office, look = bureau.desk.office, asked.query.get("look")
    values = {
        "organisation": office.values, "release": release_values(office, edition), "why": "", "words": (), "repeat": False,
        "passed_on": False, "alternatives": (), "reply_subject": "", "offered": (), "no_pdf": False,
    }  # fmt: skip
    rendered = rendering.render(office.words, edition.language, "answer", values)
    if look == "text":
        return Given(rendered.text.encode(), "text/plain; charset=utf-8", framed=True)
    html = rendered.html.replace(DARK, "all") if look == "dark" else rendered.html.replace(DARK, "not all")
    return Given(html.encode(), "text/html; charset=utf-8", framed=True)


def picture(tx: Tx, bureau: Bureau, asked: Asked) -> Given | None:
    """A photo as it is sent: we made its bytes ourselves when it was attached."""
    release = store.load(tx, asked.path["slug"])
    number = int(asked.path["number"]) if asked.path["number"].isascii() and asked.path["number"].isdigit() else 0
    photo = next((one for one in release.photos if one.number == number), None) if release else None
    small = photo_store.thumbnails(tx, release.id, [number]) if release and photo else []
    return Given(small[0][1], "image/jpeg") if small else None


def publish(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Every edition. Where they differ, a person says that this was looked at."""
    release, office = _release(tx, asked), bureau.desk.office
    if compose_sign_off.shown(office, release)["differences"] and asked.form.get("seen") != "yes":
        raise No("no-seen", 400)
    signatory = office.signatory.address if office.signatory else ""
    try:
        store.publish(tx, release.id, asked.now, signatory=signatory)
    except store.StaleTranslation as problem:
        raise No("no-stale", detail=str(problem)) from problem
    except sign_off_store.NotSigned as problem:
        raise No("no-signed", detail=str(problem)) from problem
    return Go(f"/desk/releases/{release.id}", "done-published", release.id)


def confirm(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """A translation still says what its original says now."""
    release = _release(tx, asked)
    for edition in stale(release):
        store.confirm(tx, edition.slug, asked.now)
    return Go(f"/desk/releases/{release.id}", "done-confirmed", release.id)


def submit(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Ask the signatory."""
    release = _release(tx, asked)
    try:
        signing.submit(tx, bureau.desk, release, asked.now)
    except signing.CannotSubmit as problem:
        raise No("no-submit", detail=str(problem)) from problem
    return Go(f"/desk/releases/{release.id}", "done-submitted", release.id)


def withdraw(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """First what it would do, then it is done."""
    release, reason = _release(tx, asked), asked.said("reason", 500)
    if asked.form.get("sure") == "yes":
        corrections.withdraw(tx, bureau.desk, release.id, reason, asked.now)
        return Go(f"/desk/releases/{release.id}", "done-withdrawn", release.id, reason)
    with tx.begin_nested() as rehearsal:
        done = corrections.withdraw(tx, bureau.desk, release.id, reason, asked.now)
        rehearsal.rollback()
    values = {"release": _facts(release, asked.now), "done": done, "reason": reason, "changes": (), "fields": {}, "withdraws": True}
    return Shown("rehearsal", {**values, "action": f"/desk/releases/{release.id}/withdraw"}, about=release.id)


async def read_picture(bureau: Bureau, asked: Asked) -> Any:
    """The photo, made anew without what a camera writes into it. Raises No."""
    import asyncio

    if len(asked.files) != 1:
        raise No("no-photo", 400)
    try:
        return await asyncio.to_thread(picture_of, asked.files[0][1])
    except (NotAPhoto, NeedsPillow) as problem:
        raise No("no-photo", 400, str(problem)) from problem


def attach(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Attach a photo, with its caption, its credit and the last day of its consent."""
    release, until = _release(tx, asked), asked.said("until", 10)
    try:
        words = plain(asked.said("caption", 2000), MOST_CAPTION, "caption")
        credit = plain(asked.said("credit", 2000), MOST_CREDIT, "credit")
        ends = (consent_end(date.fromisoformat(until), bureau.zone),) if until else None
        told = photo_store.Told(captions={_language(asked, release): words} if words else {}, credit=credit or None, ends=ends)
        photo_store.attach(tx, release.id, asked.prepared, told, asked.now)
    except (NotPlain, ValueError, photo_store.TooManyPhotos) as problem:
        raise No("no-photo", 400, str(problem)) from problem
    return Go(f"/desk/releases/{release.id}#photos", "done-photo", release.id)


def detach(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Delete a photo."""
    release, number = _release(tx, asked), asked.said("number", 6)
    try:
        photo_store.remove(tx, release.id, int(number) if number.isascii() and number.isdigit() else 0, asked.now)
    except photo_store.NoSuchPhoto as problem:
        raise No("no-lost", 404) from problem
    return Go(f"/desk/releases/{release.id}#photos", "done-photo-gone", f"{release.id} {number}")


def _language(asked: Asked, release: Release) -> str:
    return next((one.language for one in release.editions if one.slug == release.id), release.editions[0].language)


def _edition(tx: Tx, asked: Asked) -> Edition | None:
    release = store.load(tx, asked.path["slug"])
    return next((one for one in release.editions if one.slug == asked.path["slug"]), None) if release else None


def _release(tx: Tx, asked: Asked) -> Release:
    found = store.load(tx, asked.path["slug"])
    if found is None:
        raise No("no-lost", 404)
    return found
