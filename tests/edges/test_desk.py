"""The desk over real HTTP: who gets in, what each role may, what is refused and changes nothing, and that every deed is in the journal."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from structlog.testing import capture_logs

from mailbot.audience import store as audience
from mailbot.cases import store as cases
from mailbot.cases.case import HELD_BACK, CaseState
from mailbot.database import flag
from mailbot.database.all_tables import metadata
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import mail
from mailbot.inbox import arrival_store
from mailbot.inbox.reason import Reason
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.releases import store as releases
from mailbot.releases.release import State, is_public
from mailbot.web.desk import desk_store, user_store
from mailbot.web.desk.dismiss import dismiss
from mailbot.web.desk.door import MOST_OCTETS
from mailbot.web.desk.role import Role, allows
from mailbot.web.desk.user_store import MOST_OF_ACCOUNT, TRIES_WITHIN
from mailbot.web.desk.ways import WAYS
from tests.edges.desk_stand import APPROVER, EDITOR, PASSWORD, PROTECTION, READER, ROLES, Stand, desk_stand
from tests.edges.newsroom import CORRECTED, FOUNTAIN, NEW, SECRET, newsroom

OWN = "Bonjour, la fontaine coule depuis ce matin, et les poissons vont bien."
A_RELEASE = {
    "title": "Le phare est repeint", "language": "fr", "date": "2026-06-01", "place": "Velmora", "body": "Velmora – Le phare est rouge.",
}  # fmt: skip


@pytest.fixture
def stand(database: Database, database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with desk_stand(newsroom(database, database_url, tmp_path)) as stand:
        yield stand


on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def _everything(tx: Tx) -> str:
    """Every row but the tries to log in: to count those is what stops them."""
    tables = [table for table in metadata.sorted_tables if table.name != "login_try"]
    return "\n".join(sorted(repr(tuple(row)) for table in tables for row in tx.execute(sa.select(table))))


def _call_for_help(stand: Stand) -> int:
    """A mail that only who looks after protection may read."""

    def put(tx: Tx) -> int:
        stand.office._mail(tx, Address("aicha@journal.example", "Aïcha"), Authentication.PASS, outcome="hand_off")
        number = tx.execute(sa.select(sa.func.max(mail.c.id))).scalar_one()
        tx.execute(mail.update().where(mail.c.id == number).values(reason=Reason.CALL_FOR_HELP, subject="", waiting=True))
        return int(number)

    return stand.office.database.write_now(put)


def _case_of(stand: Stand, number: int) -> Any:
    return stand.office.database.read_now(cases.load, number)


# --- who gets in ---


def test_the_right_password_opens_and_another_cookie_is_given_each_time(stand: Stand) -> None:
    browser = stand.browser()
    assert browser.get("/desk").status == 303
    answer = browser.log_in(EDITOR)
    cookie = answer.headers["set-cookie"]
    assert (answer.status, answer.headers["location"]) == (303, "/desk")
    assert "HttpOnly" in cookie and "samesite=lax" in cookie.lower() and "Path=/" in cookie
    assert browser.get("/desk").status == 200
    first = next(iter(browser.jar)).value
    browser.post("/desk/logout", {})
    assert browser.get("/desk").status == 303
    browser.log_in(EDITOR)
    assert next(iter(browser.jar)).value != first
    assert [did for _, did, _ in stand.journal()] == ["login", "logout", "login"]


@on_sqlite
def test_somebody_unknown_and_a_wrong_password_are_told_the_same(stand: Stand) -> None:
    answers = [stand.browser().log_in(who, "not the password") for who in (EDITOR, "nobody@office.example")]
    assert [answer.status for answer in answers] == [403, 403]
    assert len({answer.text.replace(EDITOR, "").replace("nobody@office.example", "") for answer in answers}) == 1


def test_after_too_many_wrong_passwords_the_right_one_waits_too(stand: Stand) -> None:
    browser = stand.browser()
    assert [browser.log_in(EDITOR, "wrong wrong wrong").status for _ in range(MOST_OF_ACCOUNT)] == [403] * MOST_OF_ACCOUNT
    assert browser.log_in(EDITOR).status == 429
    assert browser.log_in(READER).status == 303
    stand.office.now += TRIES_WITHIN + timedelta(seconds=1)
    assert stand.browser().log_in(EDITOR).status == 303


def test_a_fault_of_ours_is_a_page_with_a_number_and_the_log_alone_says_what(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("zanzibar")

    monkeypatch.setattr(user_store, "entries", broken)
    with capture_logs() as logged:
        answer = stand.browser(READER).get("/desk/journal")
    number = re.search(r"<p lang=\"en\">([0-9a-f]{8})</p>", answer.text)
    assert (answer.status, "zanzibar" in answer.text, "notre côté" in answer.text) == (500, False, True)
    assert [(one["number"], str(one["exc_info"])) for one in logged] == [(number and number[1], "zanzibar")]
    assert stand.bureau.refused["no-fault"] == 1


def test_the_check_says_of_each_item_whether_it_is_in_order_and_what_to_do(stand: Stand) -> None:
    answer = stand.browser(EDITOR).post("/desk/settings/check", {})
    assert (answer.status, "À corriger" in answer.text, "En ordre" in answer.text) == (200, True, True)
    assert "These settings are missing: imap.host" in answer.text and SECRET not in answer.text
    assert stand.browser(READER).post("/desk/settings/check", {}).status == 403
    assert stand.journal()[-1] == (EDITOR, "settings-check", "")


@on_sqlite
def test_a_release_may_have_any_name_and_its_page_is_found(stand: Stand) -> None:
    for slug in ("write", "import", "edit", "photos"):
        stand.office.database.write_now(releases.save, replace(FOUNTAIN, slug=slug, release=slug, title=f"Nommé {slug}"), stand.office.now)
        assert f"Nommé {slug}" in stand.browser(READER).get(f"/desk/releases/{slug}").text


@on_sqlite
def test_a_session_that_somebody_set_before_is_not_taken_over(stand: Stand) -> None:
    browser = stand.browser(READER)
    before = next(iter(browser.jar)).value
    browser.post("/desk/logout", {})
    assert stand.office.database.read_now(user_store.who, before or "", stand.office.now) is None


@on_sqlite
def test_a_link_opens_once_and_looking_at_it_uses_nothing_up(stand: Stand) -> None:
    stand.office.database.write_now(user_store.offer_link, EDITOR, "link", stand.office.now)
    browser = stand.browser()
    for _ in range(3):
        assert browser.get("/desk/enter/link").status == 200
    assert browser.post("/desk/enter/link", {}).status == 303
    assert browser.get("/desk").status == 200
    other = stand.browser()
    assert (other.post("/desk/enter/link", {}).status, other.get("/desk/enter/link").status) == (410, 410)


def test_who_is_taken_out_is_out_at_once_and_the_cases_go_on(stand: Stand) -> None:
    number = stand.office.case("awa")
    browser = stand.browser(EDITOR)
    assert stand.office.database.write_now(dismiss, stand.office.desk, EDITOR, stand.office.now) == 0   # there is nobody else here
    assert browser.get("/desk").status == 303
    assert _case_of(stand, number).overdue
    assert stand.office.database.read_now(cases.notes_of, number) == []
    assert stand.office.unsound() == []
    assert stand.office.database.write_now(dismiss, stand.office.desk, EDITOR, stand.office.now) is None


# --- roles ---


@pytest.mark.parametrize(("role", "may"), [
    (Role.READER, {Role.READER}), (Role.EDITOR, {Role.READER, Role.EDITOR}), (Role.APPROVER, {Role.READER, Role.EDITOR, Role.APPROVER}),
    (Role.PROTECTION, {Role.READER, Role.PROTECTION}),
], ids=lambda value: str(value) if isinstance(value, Role) else "")  # fmt: skip
def test_a_role_includes_these(role: Role, may: set[Role]) -> None:
    assert {one for one in Role if allows((role,), one)} == may


@on_sqlite
def test_each_way_is_closed_to_who_has_not_its_role(stand: Stand) -> None:
    stand.office.case("awa")
    browsers = {who: stand.browser(who) for who in ROLES}
    before = stand.office.database.read_now(_everything)
    for way in WAYS:
        path = re.sub(r"\{\w+:str\}", "1", way.path)
        for who, browser in browsers.items():
            if not allows((ROLES[who],), way.needs):
                answer = browser.get(path) if way.method == "GET" else browser.post(path, {})
                assert (answer.status, "Votre rôle" in answer.text) == (403, True), (way.name, who)
        stranger = stand.browser()
        answer = stranger.get(path) if way.method == "GET" else stranger.post(path, {})
        assert answer.status == (303 if way.method == "GET" else 403), way.name
    assert stand.office.database.read_now(_everything) == before


def test_a_call_for_help_is_read_by_who_looks_after_those_alone(stand: Stand) -> None:
    number = _call_for_help(stand)
    for who in (READER, EDITOR, APPROVER):
        browser = stand.browser(who)
        for path in ("/desk", "/desk/mail", f"/desk/mail/{number}", "/desk/mail?q=aicha"):
            assert "aicha" not in browser.get(path).text.replace("q=aicha", "").replace('value="aicha"', ""), (who, path)
        assert browser.get(f"/desk/mail/{number}/original.eml").status in (403, 404)
    assert "aicha@journal.example" in stand.browser(PROTECTION).get(f"/desk/mail/{number}").text


def test_no_page_shows_a_token_by_which_a_colleague_answers(stand: Stand) -> None:
    stand.office.case("awa")
    browser = stand.browser(APPROVER)
    assert not [path for path in ("/desk", "/desk/mail", "/desk/mail/1", "/desk/journal") if "[#" in browser.get(path).text]


# --- bad input ---


@on_sqlite
@pytest.mark.parametrize(("how", "status"), [
    pytest.param({"origin": "https://evil.example"}, 403, id="another site"),
    pytest.param({"origin": "null"}, 403, id="a page without an origin"),
    pytest.param({"origin": ""}, 403, id="no origin at all"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="the browser says so"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a neighbouring host"),
    pytest.param({"token": ""}, 403, id="an empty token"),
    pytest.param({"token": "0" * 64}, 403, id="a guessed token"),
    pytest.param({"Host": "evil.example"}, 421, id="another host"),
])  # fmt: skip
def test_what_comes_from_elsewhere_is_refused_and_changes_nothing(stand: Stand, how: dict[str, str], status: int) -> None:
    browser = stand.browser(APPROVER)
    before = stand.office.database.read_now(_everything)
    answer = browser.post("/desk/settings/stop-sending", {}, **how)     # type: ignore[arg-type]
    assert (answer.status, "Rien n’a changé" in answer.text) == (status, True)
    assert stand.office.database.read_now(_everything) == before


@on_sqlite
@pytest.mark.parametrize(("body", "kind", "status"), [
    pytest.param(b"x=1", "application/x-www-form-urlencoded", 403, id="no token"),
    pytest.param(b'{"token": "x"}', "application/json", 403, id="json"),
    pytest.param(b"token=x", "text/plain", 403, id="plain text"),
    pytest.param(b"--b\r\n\r\nnonsense", "multipart/form-data; boundary=b", 400, id="broken parts"),
    pytest.param(b"a;" * 5000, "application/x-www-form-urlencoded", 403, id="semicolons"),
    pytest.param(b"a=1&" * 5000, "application/x-www-form-urlencoded", 400, id="too many fields"),
    pytest.param(b"a=" + b"x" * MOST_OCTETS, "application/x-www-form-urlencoded", 413, id="too long"),
])  # fmt: skip
def test_a_form_that_is_none_of_ours_gets_a_plain_page(stand: Stand, body: bytes, kind: str, status: int) -> None:
    browser = stand.browser(APPROVER)
    before = stand.office.database.read_now(_everything)
    answer = browser.post("/desk/settings/stop-sending", body, kind=kind)
    assert (answer.status, "Rien n’a changé" in answer.text) == (status, True)
    assert stand.office.database.read_now(_everything) == before
    assert "Refusé depuis le démarrage" in browser.get("/desk/journal").text


@on_sqlite
@pytest.mark.parametrize("path", [
    "/desk/nothing", "/desk/mail/999", "/desk/mail/%2e%2e", "/desk/releases/..%2f..%2fetc", "/desk/mail/9" + "9" * 40,
    "/desk/audience/nobody@x.example", "/desk/releases/fontaine/photos/1", "/desk//evil.example", "/desk/broadcasts/1",
])  # fmt: skip
def test_what_there_is_not_is_said_plainly(stand: Stand, path: str) -> None:
    answer = stand.browser(APPROVER).get(path)
    assert (answer.status, "n’existe pas" in answer.text) == (404, True)


@on_sqlite
def test_looking_changes_nothing_and_loads_nothing_from_elsewhere(stand: Stand) -> None:
    stand.office.case("awa")
    browser = stand.browser(APPROVER)
    before = stand.office.database.read_now(_everything)
    for way in (one for one in WAYS if one.method == "GET"):
        path = way.path.replace("{slug:str}", "fontaine")
        path = re.sub(r"\{\w+:str\}", "1", path)
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert answer.status in (200, 404), way.name
        assert "default-src 'none'" in policy and "frame-ancestors" in policy, way.name
        assert "unsafe" not in policy.replace("style-src 'unsafe-inline'", "") and "script" not in policy, way.name
        assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff", way.name
        assert len(answer.content) < 150_000 and not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text), way.name
    assert stand.office.database.read_now(_everything) == before


@on_sqlite
def test_a_mail_is_text_whatever_it_holds(stand: Stand) -> None:
    evil = (
        b"From: awa@journal.example\r\nSubject: <script>alert(1)</script>\r\nContent-Type: text/html\r\n\r\n"
        b"<img src=x onerror=alert(1)>Bonjour<script>a()</script>"
    )

    def put(tx: Tx) -> None:
        arrival = arrival_store.Arrival(mailbox="INBOX", uidvalidity=7, uid=900, content=evil, size=len(evil), received_at=stand.office.now)
        arrival_store.keep(tx, [arrival], stand.office.now)

    stand.office.database.write_now(put)
    browser = stand.browser(EDITOR)
    page, file = browser.get("/desk/mail/1"), browser.get("/desk/mail/1/original.eml")
    assert "Bonjour" in page.text and "<script" not in page.text and "onerror" not in page.text
    assert file.content == evil
    assert file.headers["content-type"] == "application/octet-stream" and file.headers["content-disposition"].startswith("attachment")


# --- what is done here ---


def test_a_colleague_s_own_text_is_echoed_held_back_and_then_leaves(stand: Stand) -> None:
    number = stand.office.case("awa")
    browser = stand.browser(EDITOR)
    page = browser.get("/desk/mail/1")
    sent = {"text": OWN, "once": page.value("once")}
    assert [browser.post("/desk/mail/1/own", sent).status for _ in range(2)] == [303, 303]     # pressed twice
    assert _case_of(stand, number).state is CaseState.ANSWERING
    (letter,) = stand.office.rows("awa", "letter")
    assert (letter["due_at"], letter["state"]) == (stand.office.now + HELD_BACK, "queued")
    assert len(stand.office.rows(EDITOR, "told")) == 1
    assert browser.post("/desk/mail/1/stop", {"once": browser.get("/desk/mail/1").value("once")}).status == 303
    assert (_case_of(stand, number).state, stand.office.rows("awa", "letter")[0]["state"]) == (CaseState.OPEN, "cancelled")
    assert [did for _, did, _ in stand.journal()] == ["mail-own", "mail-own", "mail-stop"]
    assert stand.office.unsound() == []


def test_the_prepared_answer_leaves_once(stand: Stand) -> None:
    number = stand.office.case("awa")
    browser = stand.browser(EDITOR)
    once = browser.get("/desk/mail/1").value("once")
    assert browser.post("/desk/mail/1/draft", {"once": once}).status == 303
    assert browser.post("/desk/mail/1/draft", {"once": once}).status == 409
    assert (_case_of(stand, number).state, len(stand.office.rows("awa", "answer"))) == (CaseState.ANSWERED, 1)
    assert stand.office.unsound() == []


@on_sqlite
@pytest.mark.parametrize(("text", "told"), [
    ("Merci", "trop court"), ("", "vide"), ("Bonjour, voici le texte [#abcdefghijklmnopqrstuvwxyz] de la note", "note interne"),
], ids=["short", "empty", "with our note"])  # fmt: skip
def test_what_a_reply_by_mail_may_not_send_does_not_leave_here_either(stand: Stand, text: str, told: str) -> None:
    stand.office.case("awa")
    browser = stand.browser(EDITOR)
    answer = browser.post("/desk/mail/1/own", {"text": text, "once": browser.get("/desk/mail/1").value("once")})
    assert answer.status == 409
    assert stand.office.rows("awa", "letter") == []


@on_sqlite
def test_a_release_withdrawn_meanwhile_is_not_sent(stand: Stand) -> None:
    stand.office.case("awa")
    browser = stand.browser(EDITOR)
    once = browser.get("/desk/mail/1").value("once")
    stand.office.withdraw()
    assert browser.post("/desk/mail/1/draft", {"once": once}).status == 409
    assert stand.office.rows("awa", "answer") == []


@on_sqlite
def test_a_mail_is_closed_put_off_and_called_wrong(stand: Stand) -> None:
    number = stand.office.case("awa")
    browser = stand.browser(EDITOR)
    assert browser.post("/desk/mail/1/later", {"once": "0" * 16, "until": "15h"}).status == 303
    assert _case_of(stand, number).state is CaseState.SNOOZED
    assert browser.post("/desk/mail/1/wrong", {"should": "C’était une demande d’interview."}).status == 303
    (kept,) = stand.office.database.read_now(desk_store.examples)
    assert (kept["mail"], kept["who"], kept["should"]) == (1, EDITOR, "C’était une demande d’interview.")
    assert browser.post("/desk/mail/1/close", {}).status == 303
    assert _case_of(stand, number).state is CaseState.CLOSED
    assert browser.post("/desk/mail/1/close", {}).status == 409


def test_a_release_is_written_translated_and_published(stand: Stand) -> None:
    editor, approver = stand.browser(EDITOR), stand.browser(APPROVER)
    there = editor.post("/desk/release-write", A_RELEASE).headers["location"]
    assert there == "/desk/releases/le-phare-est-repeint?told=done-saved"
    english = {**A_RELEASE, "title": "Lighthouse repainted", "language": "en", "body": "Velmora – The lighthouse is red since 1912.",
               "translation_of": "le-phare-est-repeint"}  # fmt: skip
    assert editor.post("/desk/release-write", english).status == 303
    page = approver.get("/desk/releases/le-phare-est-repeint").text
    assert "1912" in page and "Lighthouse repainted" in page
    assert approver.post("/desk/releases/le-phare-est-repeint/publish", {}).status == 400    # they differ, and nobody has looked
    assert approver.post("/desk/releases/le-phare-est-repeint/publish", {"seen": "yes"}).status == 303
    release = stand.office.database.read_now(releases.load, "le-phare-est-repeint")
    assert release is not None and is_public(release, stand.office.now)
    assert [did for _, did, _ in stand.journal()] == ["release-new", "release-new", "release-publish"]


@on_sqlite
def test_what_cannot_be_read_comes_back_and_nothing_is_lost(stand: Stand) -> None:
    answer = stand.browser(EDITOR).post("/desk/release-write", {**A_RELEASE, "date": "tomorrow"})
    assert (answer.status, "Le phare est rouge" in answer.text, "role=\"alert\"" in answer.text) == (400, True, True)


@on_sqlite
def test_an_embargo_is_in_the_office_s_own_time(stand: Stand) -> None:
    stand.browser(EDITOR).post("/desk/release-write", {**A_RELEASE, "embargo": "2026-06-02T08:00"})
    stand.browser(APPROVER).post("/desk/releases/le-phare-est-repeint/publish", {})
    release = stand.office.database.read_now(releases.load, "le-phare-est-repeint")
    assert release is not None and release.editions[0].embargo is not None
    assert (release.editions[0].embargo.isoformat(), is_public(release, stand.office.now)) == ("2026-06-02T08:00:00+00:00", False)


def test_a_correction_is_looked_at_before_it_is_done(stand: Stand) -> None:
    stand.office.ask("fatou")
    stand.office.sent()
    browser = stand.browser(APPROVER)
    fields = {**A_RELEASE, "title": CORRECTED.title, "date": "2026-05-04", "body": CORRECTED.body, "contact": CORRECTED.contact}
    look = browser.post("/desk/releases/fontaine/correct", fields)
    assert (look.status, NEW in look.text, "fatou@journal.example" in look.text) == (200, True, True)
    assert stand.office.rows("fatou", "correction") == []
    assert browser.post("/desk/releases/fontaine/correct", {**fields, "sure": "yes", "reason": "Un chiffre."}).status == 303
    assert len(stand.office.rows("fatou", "correction")) == 1
    assert browser.post("/desk/releases/fontaine/withdraw", {"reason": "Faux."}).status == 200
    assert browser.post("/desk/releases/fontaine/withdraw", {"reason": "Faux.", "sure": "yes"}).status == 303
    release = stand.office.database.read_now(releases.load, "fontaine")
    assert release is not None and {one.state for one in release.editions} == {State.WITHDRAWN}


@on_sqlite
def test_releases_come_in_as_files_or_by_paste_and_none_comes_alone_where_one_is_broken(stand: Stand) -> None:
    browser = stand.browser(EDITOR)
    file = b"---\nlanguage: fr\ntitle: Le phare\ndate: 2026-06-01\n---\nIl est rouge.\n"
    assert browser.upload("/desk/release-import", {}, [("files", "../../phare.md", file)]).status == 303
    bridge = ("files", "a.md", file.replace(b"phare", b"pont"))
    broken = browser.upload("/desk/release-import", {}, [bridge, ("files", "b.md", b"---\nx: 1\n---\n")])
    assert (broken.status, stand.office.database.read_now(releases.load, "le-pont")) == (400, None)
    assert browser.upload("/desk/release-import", {}, []).status == 400


@on_sqlite
def test_the_preview_of_a_mail_can_do_nothing(stand: Stand) -> None:
    browser = stand.browser(READER)
    for look in ("desktop", "phone", "dark", "text"):
        answer = browser.get(f"/desk/releases/fontaine/mail?look={look}")
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'") and "fontaine" in answer.text


def test_a_list_is_tried_and_then_taken_in_with_a_word_on_each_line(stand: Stand) -> None:
    browser = stand.browser(APPROVER)
    table = b"email,name\nawa@radio.example,Awa\nnot an address,X\n=cmd@evil,Y\n"
    tried = browser.upload("/desk/audience/import", {"origin": "salon 2026", "try": "yes"}, [("file", "list.csv", table)])
    assert (tried.status, "Ajoutés\u00a0: 1" in tried.text, "<td>3</td>" in tried.text) == (200, True, True)
    assert "n’est pas une adresse électronique" in tried.text, "each line in the reader's language"
    assert stand.office.database.read_now(audience.find, "awa@radio.example") is None
    assert browser.upload("/desk/audience/import", {"origin": "salon 2026"}, [("file", "list.csv", table)]).status == 200
    who = stand.office.database.read_now(audience.find, "awa@radio.example")
    assert who is not None and who.origin == "salon 2026"
    page = browser.get("/desk/audience/awa@radio.example")
    assert "salon 2026" in page.text and browser.post("/desk/audience/awa@radio.example/remove", {}).status == 303


def test_an_export_takes_a_reason_and_no_cell_of_it_acts(stand: Stand) -> None:
    awa = Address("awa@radio.example", '=HYPERLINK("https://evil.example")')
    stand.office.database.write_now(audience.add, awa, "fr", "", None, "salon", stand.office.now)
    assert stand.browser(EDITOR).post("/desk/audience/export", {"reason": "x"}).status == 403
    approver = stand.browser(APPROVER)
    assert approver.post("/desk/audience/export", {"reason": " "}).status == 400
    file = approver.post("/desk/audience/export", {"reason": "Rapport annuel"})
    assert file.headers["content-disposition"].startswith("attachment") and "'=HYPERLINK" in file.text
    rows = stand.office.database.read_now(user_store.entries, 0, 10)
    assert [(row["who"], row["did"], row["words"]) for row in rows] == [(APPROVER, "audience-export", "Rapport annuel")]


@on_sqlite
@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"\x00\x01" * 5000, "n’est pas un texte", id="bytes"),
        pytest.param(b"PK\x03\x04 no workbook", "enregistrez-le de nouveau", id="zip"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ancien fichier Excel", id="xls"),
        pytest.param(b"nom;ville\nAwa;Velmora\n", "la colonne des adresses", id="no addresses"),
        pytest.param(b"email;nom\n", "Il n’y a personne", id="nobody"),
        pytest.param(b"", "Cela n’a pas été fait", id="nothing"),
        pytest.param(b'"' * 100_000, "Cela n’a pas été fait", id="quotes"),
    ],
)  # fmt: skip
def test_a_broken_list_changes_nothing_and_the_page_says_what_to_do(stand: Stand, content: bytes, said: str) -> None:
    before = stand.office.database.read_now(audience.listed)
    answer = stand.browser(APPROVER).upload("/desk/audience/import", {"origin": "x"}, [("file", "list.csv", content)])
    assert (answer.status, stand.office.database.read_now(audience.listed)) == (400, before)
    assert said in answer.text.replace("\u00a0", " ").replace("\u202f", " ")


@on_sqlite
@pytest.mark.parametrize("content", [b"<svg><script/></svg>", b"<html><script>", b"GIF89a"], ids=["svg", "html", "gif"])
def test_what_is_no_photo_is_not_taken(stand: Stand, content: bytes) -> None:
    assert stand.browser(EDITOR).upload("/desk/releases/fontaine/photos", {"caption": "x"}, [("file", "a.jpg", content)]).status == 400


@on_sqlite
def test_a_photo_is_attached_shown_as_we_made_it_and_removed(stand: Stand) -> None:
    file = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(file, "JPEG")
    browser = stand.browser(EDITOR)
    says = {"caption": "La fontaine", "credit": "Velmora", "until": "2027-06-30"}
    assert browser.upload("/desk/releases/fontaine/photos", says, [("file", "../a.jpg", file.getvalue())]).status == 303
    assert "La fontaine" in browser.get("/desk/releases/fontaine").text
    shown = browser.get("/desk/releases/fontaine/photos/1")
    assert (shown.headers["content-type"], shown.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert browser.post("/desk/releases/fontaine/detach", {"number": "1"}).status == 303
    assert browser.get("/desk/releases/fontaine/photos/1").status == 404


def test_the_brakes_are_drawn_by_an_editor_and_let_go_by_an_approver(stand: Stand) -> None:
    editor, approver = stand.browser(EDITOR), stand.browser(APPROVER)
    assert editor.post("/desk/settings/stop-sending", {}).status == 303
    assert stand.office.database.read_now(flag.get, flag.SENDING_STOPPED)
    assert editor.post("/desk/settings/resume-sending", {}).status == 403
    assert approver.post("/desk/settings/resume-sending", {}).status == 303
    assert stand.office.database.read_now(flag.get, flag.SENDING_STOPPED) is None
    assert stand.journal() == [(EDITOR, "stop-sending", ""), (APPROVER, "resume-sending", "")]


@on_sqlite
def test_no_secret_stands_on_the_page_of_the_settings(stand: Stand) -> None:
    text = stand.browser(APPROVER).get("/desk/settings").text
    assert "a key that only this newsroom knows" not in text and PASSWORD not in text and "presse@office.example" in text


def test_an_announcement_leaves_by_the_number_typed_and_is_stopped_by_anybody(stand: Stand) -> None:
    for who in ("awa", "binta", "chaka"):
        stand.office.database.write_now(audience.add, Address(f"{who}@radio.example", who), "fr", "", None, "salon 2026", stand.office.now)
    editor, approver = stand.browser(EDITOR), stand.browser(APPROVER)
    there = editor.post("/desk/broadcasts", {"release": "fontaine", "to": "all"}).headers["location"].partition("?")[0]
    page = editor.get(there)
    assert "awa@radio.example" in page.text and "broadcast-" not in page.text
    mail_page = editor.get(f"{there}/mail?to=awa@radio.example")
    assert "fontaine" in mail_page.text and mail_page.headers["content-security-policy"].startswith("sandbox")
    assert editor.post(f"{there}/approve", {"count": "3"}).status == 403
    assert [approver.post(f"{there}/approve", {"count": count}).status for count in ("", "2", "3", "3")] == [409, 409, 303, 409]
    assert editor.post(f"{there}/stop", {}).status == 303
    assert approver.post(f"{there}/resume", {"count": "2"}).status == 409
    assert approver.post(f"{there}/resume", {"count": "3"}).status == 303
    assert approver.post(f"{there}/cancel", {}).status == 303
    live = editor.get(f"{there}/live")
    assert live.headers["content-type"].startswith("text/event-stream") and "event: over" in live.text and "Annul" in live.text
    assert [did for _, did, _ in stand.journal()] == [f"broadcast-{one}" for one in ("plan", "approve", "stop", "resume", "cancel")]
    assert stand.office.unsound() == []
