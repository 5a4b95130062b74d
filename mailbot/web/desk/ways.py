"""Every way into the desk, and the role that it takes: the only place where that stands."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from mailbot.web.desk import audience, broadcasts, mail, office, releases, today, write_release
from mailbot.web.desk.asked import Bureau, No
from mailbot.web.desk.door import Door, Way
from mailbot.web.desk.live import live
from mailbot.web.desk.login import Entrance
from mailbot.web.desk.printing import FOLDER, HEADERS, Pages
from mailbot.web.desk.role import Role
from mailbot.web.headers import with_headers
from mailbot.web.style import styled

READER, EDITOR, APPROVER = Role.READER, Role.EDITOR, Role.APPROVER
FILES = 10 << 20
WAYS = (
    Way("today", "GET", "/desk", READER, today.today),
    Way("mails", "GET", "/desk/mail", READER, mail.listed),
    Way("mail", "GET", "/desk/mail/{mail:str}", READER, mail.one, mail.read_original),
    Way("mail-file", "GET", "/desk/mail/{mail:str}/original.eml", EDITOR, mail.raw),
    Way("mail-draft", "POST", "/desk/mail/{mail:str}/draft", EDITOR, mail.send_draft),
    Way("mail-own", "POST", "/desk/mail/{mail:str}/own", EDITOR, mail.send_own, mail.read_original),
    Way("mail-stop", "POST", "/desk/mail/{mail:str}/stop", EDITOR, mail.stop),
    Way("mail-later", "POST", "/desk/mail/{mail:str}/later", EDITOR, mail.later),
    Way("mail-close", "POST", "/desk/mail/{mail:str}/close", EDITOR, mail.close),
    Way("mail-wrong", "POST", "/desk/mail/{mail:str}/wrong", EDITOR, mail.wrong),
    Way("releases", "GET", "/desk/releases", READER, releases.listed),
    Way("release-write", "GET", "/desk/release-write", EDITOR, write_release.write),
    Way("release-new", "POST", "/desk/release-write", EDITOR, write_release.save, write_release.read_form),
    Way("release-files", "GET", "/desk/release-import", EDITOR, write_release.importing),
    Way("release-import", "POST", "/desk/release-import", EDITOR, write_release.take_in, write_release.read_files, FILES),
    Way("release", "GET", "/desk/releases/{slug:str}", READER, releases.one),
    Way("release-mail", "GET", "/desk/releases/{slug:str}/mail", READER, releases.preview),
    Way("release-picture", "GET", "/desk/releases/{slug:str}/photos/{number:str}", READER, releases.picture),
    Way("release-form", "GET", "/desk/releases/{slug:str}/edit", EDITOR, write_release.edit),
    Way("release-edit", "POST", "/desk/releases/{slug:str}/edit", EDITOR, write_release.save, write_release.read_form),
    Way("release-correct", "POST", "/desk/releases/{slug:str}/correct", APPROVER, write_release.correct, write_release.read_form),
    Way("release-publish", "POST", "/desk/releases/{slug:str}/publish", APPROVER, releases.publish),
    Way("release-confirm", "POST", "/desk/releases/{slug:str}/confirm", EDITOR, releases.confirm),
    Way("release-submit", "POST", "/desk/releases/{slug:str}/submit", EDITOR, releases.submit),
    Way("release-withdraw", "POST", "/desk/releases/{slug:str}/withdraw", APPROVER, releases.withdraw),
    Way("photo-attach", "POST", "/desk/releases/{slug:str}/photos", EDITOR, releases.attach, releases.read_picture, FILES),
    Way("photo-detach", "POST", "/desk/releases/{slug:str}/detach", EDITOR, releases.detach),
    Way("audience", "GET", "/desk/audience", READER, audience.listed),
    Way("audience-add", "POST", "/desk/audience", EDITOR, audience.add),
    Way("audience-files", "GET", "/desk/audience/import", EDITOR, audience.importing),
    Way("audience-import", "POST", "/desk/audience/import", APPROVER, audience.take_in, audience.read_list, FILES),
    Way("audience-export", "POST", "/desk/audience/export", APPROVER, audience.export),
    Way("person", "GET", "/desk/audience/{address:str}", READER, audience.one),
    Way("person-remove", "POST", "/desk/audience/{address:str}/remove", EDITOR, audience.remove),
    Way("person-suppress", "POST", "/desk/audience/{address:str}/suppress", EDITOR, audience.suppress),
    Way("broadcasts", "GET", "/desk/broadcasts", READER, broadcasts.listed),
    Way("broadcast-plan", "POST", "/desk/broadcasts", EDITOR, broadcasts.plan),
    Way("broadcast", "GET", "/desk/broadcasts/{id:str}", READER, broadcasts.one),
    Way("broadcast-mail", "GET", "/desk/broadcasts/{id:str}/mail", READER, broadcasts.preview),
    Way("broadcast-approve", "POST", "/desk/broadcasts/{id:str}/approve", APPROVER, broadcasts.agree),
    Way("broadcast-stop", "POST", "/desk/broadcasts/{id:str}/stop", EDITOR, broadcasts.stop),
    Way("broadcast-resume", "POST", "/desk/broadcasts/{id:str}/resume", APPROVER, broadcasts.resume),
    Way("broadcast-cancel", "POST", "/desk/broadcasts/{id:str}/cancel", APPROVER, broadcasts.cancel),
    Way("settings", "GET", "/desk/settings", READER, office.settings),
    Way("settings-check", "POST", "/desk/settings/check", EDITOR, office.check, office.look),
    Way("stop-sending", "POST", "/desk/settings/stop-sending", EDITOR, office.stop_sending),
    Way("resume-sending", "POST", "/desk/settings/resume-sending", APPROVER, office.resume_sending),
    Way("resume-answers", "POST", "/desk/settings/resume-answers", APPROVER, office.resume_answers),
    Way("journal", "GET", "/desk/journal", READER, office.journal),
)


def routes(bureau: Bureau) -> list[Route]:
    """Where the desk answers; nothing else under /desk does."""
    pages = Pages(bureau)
    door = Door(bureau, pages)

    async def lost(request: Request) -> Response:
        async def nothing() -> Response:
            raise No("no-lost", 404)

        return await door.guarded(request, nothing)

    async def watched(request: Request) -> Response:
        return await door.guarded(request, lambda: live(door, request))

    inside = [
        Route("/desk/live.js", lambda _: FileResponse(FOLDER / "live.js", media_type="text/javascript"), methods=["GET"]),
        Route("/desk/broadcasts/{id:str}/live", watched, methods=["GET"]),
        Route("/desk/desk.css", styled(FOLDER / "desk.css", bureau.accent), methods=["GET"]),
        *Entrance(door).routes(),
        *(Route(way.path, door.at(way), methods=[way.method]) for way in WAYS),
        Route("/desk", lost), Route("/desk/{rest:path}", lost),
    ]  # fmt: skip
    for route in inside:
        route.app = with_headers(route.app, HEADERS)
    return inside
