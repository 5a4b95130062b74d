"""The mail of an announcement: its words, its header fields, its budgets, and what a reader's name can never do."""

import email
import email.policy
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from mailbot.audience.link import list_delivery_of, preferences_delivery_of, stopped_by
from mailbot.broadcast.letters import BUDGETS, LITE, STANDARD, TEXT, VALUES, CannotWrite, Happening, Readers, compose
from mailbot.message.address import Address
from mailbot.message.letter import Letter, marks_of, render_plain
from mailbot.message.outgoing import File, build
from mailbot.message.splice import cut, splice
from mailbot.office import Office
from mailbot.outbox.bulk_store import Recipient
from mailbot.releases.release import Edition
from tests.samples.littoral import edition
from tests.samples.press_office import EVERY, office

SECRET, DELIVERY = b"a key that only this test knows", "00112233445566770000002a"
NOW, OPENS = datetime(2026, 5, 1, 8, tzinfo=UTC), datetime(2026, 6, 1, 8, tzinfo=UTC)
OFFICE, MAILED = office(), office(public_url="", website="")
FORMATS = (STANDARD, LITE, TEXT)
BODY = "Ségou – « Nous attendions ce pont depuis vingt ans ; il change tout », a dit le maire.\n\nIl s’ouvre **lundi**."
NEWS = edition("pont", "Un pont s’ouvre à Ségou", BODY, place="Ségou", contact="Awa <awa@littoral.example>", notes="Photos sur demande.")
LONG = replace(NEWS, body="\n\n".join(f"{number}. {'Une phrase qui compte pour quelqu’un. ' * 12}" for number in range(120)))
EVENT = Happening(starts=OPENS, place="Hôtel de ville, Ségou")


def reader(name: str = "Awa Traoré", language: str = "fr", origin: str = "liste 2023", **more: Any) -> Recipient:
    return Recipient(
        delivery=DELIVERY, broadcast="b1", journalist=1, address="awa@radio.example", name=name, language=language, format=STANDARD,
        waits_for="", release="pont", edition="pont", facts={"origin": origin}, **more,
    )  # fmt: skip


def values(of: Office = OFFICE, **given: Any) -> Mapping[str, str]:
    return Readers(of, SECRET)(reader(**given))


def written(of: Office = OFFICE, what: Edition = NEWS, language: str = "fr", format_: str = STANDARD, **more: Any) -> Letter:
    return compose(of, what, language=language, format_=format_, **more)


def mail(letter: Letter, of: Office = OFFICE, **given: Any) -> EmailMessage:
    """As it is read, spliced as it leaves; the plain way says the same."""
    to, message_id = reader(**given), "<mb.1@littoral.example>"
    about: dict[str, Any] = {"message_id": message_id, "to": Address(to.address, to.name), "date": NOW}
    filled = Readers(of, SECRET)(to)
    read = parsed(splice(cut(letter, of.address), filled, **about).whole)
    plain = parsed(build(render_plain(letter, filled, sender=of.address, **about)))
    assert [(name, str(value)) for name, value in read.items() if name != "Content-Type"] == [
        (name, str(value)) for name, value in plain.items() if name != "Content-Type"
    ]
    assert shown(read) == shown(plain)
    return read


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def shown(read: EmailMessage, kind: str = "") -> str:
    """The texts of a mail, or the one of this kind."""
    return "\n".join(part.get_content() for part in read.walk() if part.get_content_type() in ({f"text/{kind}"} if kind else TEXTS))


TEXTS = {"text/plain", "text/html"}


@pytest.mark.parametrize("language", sorted(EVERY))
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("more", [{}, {"embargo": OPENS}, {"event": EVENT}, {"kind": "correction"}, {"kind": "withdrawal"}], ids=str)
def test_every_letter_asks_only_for_what_each_reader_has_and_leaves_no_hole(language: str, format_: str, more: dict[str, Any]) -> None:
    for of in (OFFICE, MAILED):
        letter = written(of, language=language, format_=format_, **more)
        assert marks_of(letter) <= VALUES
        read = mail(letter, of, language=language)
        assert not re.search(r"[\ue000\ue001]|None|Undefined|\{\{", str(read["Subject"]) + shown(read))
        assert bool(shown(read, "html")) == (format_ != TEXT)
        text = shown(read, "plain")
        assert "Awa Traoré" in text and "liste 2023" in text and "presse@littoral.example" in text
        assert read["Content-Language"] == language


def test_a_mail_to_the_list_says_what_rfc_2369_2919_8058_and_3834_ask() -> None:
    read = mail(written())
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert read["X-Mailbot-Release"] == "pont"
    assert read["List-Id"] == '"Littoral" <press.littoral.example>'
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<mailto:presse@littoral\.example\?subject=\w+>", read["List-Help"])
    assert read["List-Owner"] == "<mailto:presse@littoral.example>"
    assert (read["To"], len(read.get_all("To", []))) == ("Awa Traoré <awa@radio.example>", 1)
    web, by_mail = re.fullmatch(r"<(https://[^<>\s,]+)>, <(mailto:[^<>\s,]+)>", read["List-Unsubscribe"]).groups()  # type: ignore[union-attr]
    assert list_delivery_of(SECRET, web.rpartition("/u/")[2]) == DELIVERY
    (subject,) = parse_qs(urlsplit(by_mail).query)["subject"]
    assert stopped_by(SECRET, subject) == (DELIVERY, "STOP")
    assert unquote(urlsplit(by_mail).path) == "presse@littoral.example"


def test_the_links_in_the_text_and_the_html_are_the_readers_own_and_no_other_is() -> None:
    read = mail(written())
    for link in (f"/u/{DELIVERY}.", f"/p/{DELIVERY}."):
        assert shown(read, "plain").count(link) == shown(read, "html").count(link) == 1
    chosen = re.search(r"/p/(\S+)", shown(read, "plain"))
    assert chosen and preferences_delivery_of(SECRET, chosen[1]) == DELIVERY
    others = [one.attributes["href"] or "" for one in LexborHTMLParser(shown(read, "html")).css("a")]
    assert sum(DELIVERY in one for one in others) == 2


def test_without_a_public_web_it_goes_by_mail_alone_and_no_link_is_dead() -> None:
    for format_ in FORMATS:
        read = mail(written(MAILED, format_=format_), MAILED)
        assert re.fullmatch(r"<mailto:[^<>\s,]+>", read["List-Unsubscribe"])
        assert read["List-Unsubscribe-Post"] is None
        assert "http" not in shown(read)
        assert "répondez STOP" in " ".join(shown(read, "plain").split())


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("Mairie de Ségou", '"Mairie de Segou" <'), ("وزارة", "<press."), ('A, "B" <c@d>', '"A, B c@d" <'), ("X" * 200, f'"{"X" * 60}"'),
    ],
)  # fmt: skip
def test_the_id_of_the_list_is_read_whatever_the_office_is_called(name: str, begins: str) -> None:
    of = office(short_name=name)
    raw = splice(cut(written(of), of.address), values(of), message_id="<mb.1@x.example>", to=Address("a@b.example"), date=NOW).head.decode()
    (found,) = re.findall(r"^List-Id: (.+)", raw.replace("\r\n ", " "), re.MULTILINE)
    assert found.startswith(begins) and re.search(r"<press\.littoral\.example>\s*$", found)


@pytest.mark.parametrize("language", sorted(EVERY))
def test_an_embargo_stands_in_the_subject_and_the_first_line_in_office_time_and_utc(language: str) -> None:
    for format_ in FORMATS:
        read = mail(written(language=language, format_=format_, embargo=OPENS), language=language)
        first = " ".join(shown(read, "plain").replace("\r", "").split("\n\n")[0].split())
        for said in (str(read["Subject"]), first):
            assert "EMBARGO" in said and "2026-06-01 08:00 UTC" in said and "CEST" in said
        assert not shown(read, "html") or "EMBARGO" in LexborHTMLParser(shown(read, "html")).css_first("[role=article] p").text()


@pytest.mark.parametrize("language", sorted(EVERY))
def test_a_missing_edition_is_said_in_the_readers_language(language: str) -> None:
    foreign = replace(NEWS, language="ar", title="جسر")
    texts = {waits: shown(mail(written(what=foreign, language=language, waits_for=waits), language=language)) for waits in ("", language)}
    assert len(texts[language]) > len(texts[""]) + 60
    assert re.search("arab|árabe|Arabic", texts[language])


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("language", sorted(EVERY))
def test_a_withdrawal_says_nothing_of_the_text_but_its_title(language: str, format_: str) -> None:
    read = mail(written(language=language, format_=format_, kind="withdrawal"), language=language)
    assert "Un pont s’ouvre" in str(read["Subject"]) and "Un pont s’ouvre" in shown(read, "plain").replace("\xa0", " ")
    assert not re.search(r"Nous attendions|lundi|Photos sur demande|/r/pont", shown(read))


@pytest.mark.parametrize("language", sorted(EVERY))
@pytest.mark.parametrize("kind", ["correction", "withdrawal"])
def test_what_replaces_or_withdraws_says_so_in_subject_and_text(language: str, kind: str) -> None:
    plain, other = written(language=language), written(language=language, kind=kind)
    assert other.subject.endswith(plain.subject) and len(other.subject) > len(plain.subject) + 5
    assert other.text.split("\n\n")[1] != plain.text.split("\n\n")[1]


@pytest.mark.parametrize("what", [NEWS, LONG], ids=["short", "long"])
@pytest.mark.parametrize("of", [OFFICE, MAILED], ids=["web", "by mail"])
@pytest.mark.parametrize("format_", [LITE, TEXT])
def test_what_is_for_slow_lines_keeps_its_budget(format_: str, of: Office, what: Edition) -> None:
    letter = written(of, what, format_=format_, embargo=OPENS)
    filled = values(of, name="Ω" * 300, origin="é" * 200)
    whole = splice(cut(letter, of.address), filled, message_id="<mb.1@x.example>", to=Address("a@b.example"), date=NOW).whole
    assert len(whole) <= BUDGETS[format_]
    if what is LONG:
        assert len(whole) > BUDGETS[format_] - 6_000  # and wastes little of it
        assert "[...]" in letter.text and "119." not in letter.text
        assert ("https://presse.littoral.example/r/pont" in letter.text) == bool(of.public_url)


def test_the_standard_mail_has_the_whole_release_and_is_refused_where_programs_would_cut_it() -> None:
    assert "119." in written(what=LONG).text and len(written(what=LONG).html.encode()) < 102_000
    with pytest.raises(CannotWrite, match="too long for a mail"):
        written(what=replace(NEWS, body="mot " * 40_000))
    with pytest.raises(CannotWrite, match="too large for a mail"):
        written(files=(File("a.jpg", "image/jpeg", bytes(12_000_000)),))


def test_a_mail_with_a_photo_has_it_beside_the_text_and_fetches_nothing() -> None:
    read = mail(written(files=(File("pont.jpg", "image/jpeg", b"\xff\xd8\xff" * 90),)))
    assert [part.get_filename() for part in read.iter_attachments()] == ["pont.jpg"]
    assert not LexborHTMLParser(shown(read, "html")).css("img, [src], [background], link, script")


HOSTILE = [
    "{{ 7*7 }}", "{% for x in y %}", "Bcc: x@evil.example", "x\r\nBcc: y@evil.example", "a\nb\n.\nc", "<script>alert(1)</script>",
    "\ue000why\ue001",
    "\u202eevil\u2066", "&amp; \"q\" 'q'", "=?utf-8?q?x?=", "x" * 5_000, "محمد علي", "😀", "\x00\x1b[31m", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_changes_nothing_but_the_greeting(name: str, format_: str) -> None:
    letter = written(format_=format_)
    known, odd = mail(letter, name="Awa"), mail(letter, name=name)
    assert [one for one, _ in odd.items() if one != "To"] == [one for one, _ in known.items() if one != "To"]
    assert (odd["Subject"], odd["List-Unsubscribe"], odd["Bcc"]) == (known["Subject"], known["List-Unsubscribe"], None)
    for kind in ("plain", "html"):
        lines, others = shown(known, kind).splitlines(), shown(odd, kind).splitlines()
        assert len(lines) == len(others)
        changed = [(before, after) for before, after in zip(lines, others, strict=True) if before != after]
        assert all("Bonjour" in before and "Bonjour" in after for before, after in changed)
        assert len(changed) <= 1
        said = "".join(after for _, after in changed)
        assert not re.search(r"[\u202a-\u202e\u2066-\u2069\ue000\ue001\x00\x1b]|49", said)
        assert kind == "plain" or "<script" not in said
        assert all(len(after) < 400 for _, after in changed)


def test_nobodys_name_is_a_plain_greeting() -> None:
    assert values(name="")["greeting"] == values(name="\r\n \u202e")["greeting"] == "Bonjour,"
