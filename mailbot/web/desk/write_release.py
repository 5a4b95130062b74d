"""Writing a release: a form that is the file of `release import` in fields, an import of files, and a paste; all by the same reader.

A draft changes at once; a published edition by a correction, of which everybody who got it is told, after it was looked at.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mailbot.database.engine import Tx
from mailbot.inbox import correct as corrections
from mailbot.releases import sign_off_store, store
from mailbot.releases.correction import CannotCorrect
from mailbot.releases.import_set import ImportSet, import_set
from mailbot.releases.release import Edition, Release, State
from mailbot.releases.wish import Wish
from mailbot.web.desk.asked import Asked, Bureau, Go, No, Shown

FIELDS = ("title", "language", "date", "place", "topics", "embargo", "contact", "body", "notes", "translation_of", "slug")
MOST_TEXT = 400_000


def write(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The form of a new release, or of a translation of one."""
    of = store.load(tx, asked.query.get("of", "")) if asked.query.get("of") else None
    language = asked.query.get("language", "")
    fields = dict.fromkeys(FIELDS, "") | {
        "language": language if language in bureau.languages else bureau.languages[0],
        "date": asked.now.astimezone(bureau.zone).date().isoformat(), "translation_of": of.id if of else "",
    }  # fmt: skip
    return _form(bureau, fields, "/desk/release-write", original=_original(of), corrects=False)


def edit(tx: Tx, bureau: Bureau, asked: Asked) -> Shown | None:
    """The same of an edition that there is."""
    release = store.load(tx, asked.path["slug"])
    edition = next((one for one in release.editions if one.slug == asked.path["slug"]), None) if release else None
    if release is None or edition is None or edition.state is State.WITHDRAWN:
        return None
    corrects = edition.state is State.PUBLISHED
    action = f"/desk/releases/{edition.slug}/{'correct' if corrects else 'edit'}"
    original = _original(release) if edition.slug != release.id else None
    return _form(bureau, _fields(edition, bureau), action, original=original, corrects=corrects)


async def read_form(bureau: Bureau, asked: Asked) -> ImportSet:
    """The form as a file, read by the same reader as one; in a thread, for it may be long."""
    known = await bureau.database.read(store.load_all)
    slug = asked.path.get("slug", "")
    content = _file(asked, slug, known, bureau)
    return await _read(bureau, asked, [("release.md", content.encode())], known, Wish())


async def read_files(bureau: Bureau, asked: Asked) -> ImportSet:
    """Files, or what was pasted."""
    known = await bureau.database.read(store.load_all)
    pasted = asked.said("text", MOST_TEXT)
    files = list(asked.files) or ([("pasted.txt", pasted.encode())] if pasted else [])
    if not files:
        raise No("no-file", 400)
    language = asked.said("language", 10)
    wish = Wish(language=language if language in bureau.languages else "", accept_changes=asked.form.get("accept") == "yes")
    return await _read(bureau, asked, files, known, wish)


async def _read(
    bureau: Bureau, asked: Asked, files: Sequence[tuple[str, bytes]], known: Sequence[Release], wish: Wish
) -> ImportSet:
    loaded = bureau.desk.languages
    order = {code: loaded[code] for code in bureau.languages} | dict(loaded)
    return await asyncio.to_thread(import_set, files, order, asked.now.astimezone(bureau.zone), known, wish)


def save(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """Keep the draft. What cannot be read comes back with the form, and nothing is lost."""
    found: ImportSet = asked.prepared
    if found.problems or len(found.editions) != 1:
        return _again(tx, bureau, asked, found)
    return _keep(tx, found.editions, asked, "done-saved")


def take_in(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """The editions of the files, all of them or none."""
    found: ImportSet = asked.prepared
    if found.problems or not found.editions:
        return Shown("import", {"problems": found.problems, "text": asked.said("text", MOST_TEXT), "languages": bureau.languages}, 400)
    return _keep(tx, found.editions, asked, "done-imported")


def importing(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The form for files and a paste."""
    return Shown("import", {"problems": (), "text": "", "languages": bureau.languages})


def correct(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """First what a correction would do and who would be told, then it is done."""
    found: ImportSet = asked.prepared
    if found.problems or len(found.editions) != 1:
        return _again(tx, bureau, asked, found)
    slug, reason = asked.path["slug"], asked.said("reason", 500)
    release = store.load(tx, slug)
    if release is None:
        raise No("no-lost", 404)
    read = replace(found.editions[0], release=release.id, slug=slug)
    try:
        with tx.begin_nested() as rehearsal:
            done = corrections.correct(tx, bureau.desk, slug, read, reason, asked.now)
            if asked.form.get("sure") != "yes":
                rehearsal.rollback()
    except CannotCorrect as problem:
        raise No("no-correct", detail=str(problem)) from problem
    except sign_off_store.NotSigned as problem:
        raise No("no-signed", detail=str(problem)) from problem
    if asked.form.get("sure") == "yes":
        return Go(f"/desk/releases/{release.id}", "done-corrected" if done.correction else "done-same", slug, reason)
    facts = {"id": release.id, "title": read.title, "language": read.language}
    fields = {name: asked.form.get(name, "") for name in FIELDS}
    values = {"release": facts, "done": done, "reason": reason, "changes": done.changes, "fields": fields, "withdraws": False}
    return Shown("rehearsal", {**values, "action": f"/desk/releases/{slug}/correct"}, about=slug)


def _keep(tx: Tx, editions: Sequence[Edition], asked: Asked, told: str) -> Go:
    try:
        for edition in editions:
            store.save(tx, edition, asked.now)
    except store.PublishedEditionChanged as problem:
        raise No("no-published", detail=str(problem)) from problem
    except store.EditionTaken as problem:
        raise No("no-taken", detail=str(problem)) from problem
    return Go(f"/desk/releases/{editions[0].release}", told, " ".join(one.slug for one in editions))


def _again(tx: Tx, bureau: Bureau, asked: Asked, found: ImportSet) -> Shown:
    fields = {name: asked.form.get(name, "") for name in FIELDS}
    here = asked.path.get("slug", "")
    release = store.load(tx, here or fields["translation_of"]) if here or fields["translation_of"] else None
    edition = next((one for one in release.editions if one.slug == here), None) if release else None
    corrects = edition is not None and edition.state is State.PUBLISHED
    action = f"/desk/releases/{here}/{'correct' if corrects else 'edit'}" if here else "/desk/release-write"
    shown = _form(bureau, fields, action, original=_original(release) if fields["translation_of"] else None, corrects=corrects)
    return replace(shown, values={**shown.values, "problems": found.problems or ("",)}, status=400)


def _form(bureau: Bureau, fields: Mapping[str, Any], action: str, *, original: Edition | None, corrects: bool) -> Shown:
    values = {"fields": fields, "action": action, "original": original, "corrects": corrects, "problems": ()}
    return Shown("write", {**values, "languages": bureau.languages})


def _original(release: Release | None) -> Edition | None:
    return next((one for one in release.editions if one.slug == release.id), None) if release else None


def _fields(edition: Edition, bureau: Bureau) -> dict[str, str]:
    day = edition.date.astimezone(bureau.zone).date() if isinstance(edition.date, datetime) else edition.date
    embargo = edition.embargo.astimezone(bureau.zone).strftime("%Y-%m-%dT%H:%M") if edition.embargo else ""
    return {
        "title": edition.title, "language": edition.language, "date": day.isoformat(), "place": edition.place,
        "topics": ", ".join(edition.topics), "embargo": embargo, "contact": edition.contact, "body": edition.body, "notes": edition.notes,
        "translation_of": "" if edition.slug == edition.release else edition.release, "slug": edition.slug,
    }  # fmt: skip


def _file(asked: Asked, slug: str, known: Sequence[Release], bureau: Bureau) -> str:
    """The form in the words of a release file; the hour of an embargo is the office's. Raises No."""
    stored = next((one for release in known for one in release.editions if one.slug == slug), None) if slug else None
    head: dict[str, Any] = {name: asked.said(name, 3000) for name in ("title", "language", "date", "place", "contact")}
    if stored is not None:
        head |= {"slug": slug, "language": stored.language}
        head |= {"translation_of": stored.release} if stored.release != slug else {}
    elif asked.said("translation_of", 120):
        head["translation_of"] = asked.said("translation_of", 120)
    if isinstance(stored and stored.date, datetime) and stored is not None and _fields(stored, bureau)["date"] == head["date"]:
        head["date"] = stored.date.isoformat()
    if embargo := asked.said("embargo", 40):
        try:
            head["embargo"] = datetime.fromisoformat(embargo).replace(tzinfo=bureau.zone).isoformat()
        except ValueError:
            raise No("no-embargo", 400) from None
    if topics := [one.strip() for one in asked.said("topics", 2000).split(",") if one.strip()]:
        head["topics"] = topics
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items() if value]
    notes = asked.said("notes", MOST_TEXT)
    return "\n".join(["---", *lines, "---", asked.said("body", MOST_TEXT), *(["", "***", "", notes] if notes else []), ""])
