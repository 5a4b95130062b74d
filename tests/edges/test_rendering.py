"""The laws of the words we send: every template in every language, hostile values, hostile templates, an office's own folder."""

import re
import socket
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup
from selectolax.lexbor import LexborHTMLParser

from mailbot import languages, rendering
from mailbot.cases.colleague_reply import Refusal
from mailbot.inbox.reason import Reason
from mailbot.rendering import (
    Rendered,
    TemplateFault,
    Words,
    environment,
    parts,
    render,
    render_for_many,
    render_short,
    shipped,
    wire_octets,
)
from mailbot.template_check import faults
from mailbot.template_values import VALUES

LANGUAGES = languages.load([languages.shipped()])
TYPOGRAPHIES = {code: language.typography for code, language in LANGUAGES.items()}
BAMAKO = ZoneInfo("Africa/Bamako")
WHEN = datetime(2024, 11, 1, 14, 5, tzinfo=UTC)
PARAGRAPHS = (
    "Ségou – « Nous attendions ce pont depuis vingt ans ; il change tout : le marché, l’école, la santé », a dit le maire.",
    "Plus de 44 697 personnes le passeront chaque mois. Le détail des travaux est à lire sur https://pont.example/" + "plan/" * 14,
    "- premier point\n- second point, assez long pour que la ligne doive être coupée quelque part avant sa fin naturelle",
)
ORGANISATION = {
    "name": "Office des ponts", "short_name": "Ponts", "address": "presse@ponts.example",
    "website": "https://ponts.example", "contact": "Awa Diallo",
}  # fmt: skip
RELEASE = {
    "title": "Un pont s’ouvre à Ségou : le fleuve se passe à pied sec", "date": date(2024, 10, 1), "place": "Ségou",
    "paragraphs": PARAGRAPHS, "body_html": "<p>Ségou – « Nous attendions » ; oui</p><h2>Suite</h2><ul><li>un</li></ul>",
    "notes": ("Photos sur demande.",), "notes_html": "<p>Photos sur demande.</p>",
    "contact": "Awa Diallo <awa@ponts.example>, +223 20 00 00 00",
    "url": "https://presse.example/r/pont", "slug": "pont", "language": "fr",
}  # fmt: skip
BARE_RELEASE = RELEASE | {"place": "", "notes": (), "notes_html": "", "contact": "", "url": ""}
OTHER = {"title": "Un bac en moins", "date": date(2024, 9, 12), "url": "https://presse.example/r/bac"}
SENDER = {"name": "Moussa Keïta", "address": "m.keita+presse@journal.example"}
NOBODY = {"name": "", "address": ""}
ENTRY = {"sender": SENDER, "subject": "Le pont", "when": WHEN, "reason": "some-reason", "action": "send_release", "title": "Un pont"}
ENTRY |= {"mail": 12, "protected": False, "answered": None}
PROTECTED_ENTRY = ENTRY | {"sender": {"name": "", "address": ""}, "subject": "", "protected": True, "action": "hand_off", "answered": WHEN}
ACKNOWLEDGEMENT = {
    "organisation": ORGANISATION, "reply_subject": "Re: Le pont", "staffed": False, "opens": WHEN, "duty_number": "+223 20 00 00 00",
}  # fmt: skip
PROTECTION = {"organisation": ORGANISATION, "mail": 12, "when": WHEN, "folder": "mailbot/attention", "referred": True}
ANSWER = {
    "release": RELEASE, "organisation": ORGANISATION, "why": "topic", "words": ("pont", "fleuve"), "repeat": True, "passed_on": True,
    "alternatives": (OTHER, OTHER | {"url": ""}), "no_pdf": True,
    "offered": tuple({"word": word, "gives": gives, "code": code} for word, gives, code in (
        ("EN", "language", "en"), ("TEXTE", "text", ""), ("PDF", "pdf", ""), ("CONTACT", "contact", ""), ("STOP", "stop", ""),
        ("AIDE", "help", ""),
    )),
}  # fmt: skip
BARE_ANSWER = {
    "release": BARE_RELEASE, "organisation": ORGANISATION | {"website": "", "contact": ""}, "why": "", "words": (), "repeat": False,
    "passed_on": False, "alternatives": (), "offered": (), "no_pdf": False,
}  # fmt: skip
BACK = {
    "release": RELEASE, "organisation": ORGANISATION, "offered": ANSWER["offered"], "reply_subject": "Re: Le pont", "variant": "help",
    "photos": (), "photo_word": "PHOTO",
}  # fmt: skip
CHANGE = {
    "part": "text", "before": "Il a coûté 44 697 florins.", "after": "Il a coûté 44 967 florins.",
    "before_pieces": ({"text": "Il a coûté ", "changed": False}, {"text": "44 697", "changed": True}),
    "after_pieces": ({"text": "Il a coûté ", "changed": False}, {"text": "44 967", "changed": True}),
}  # fmt: skip
CORRECTION = {
    "organisation": ORGANISATION, "release": RELEASE, "received": WHEN, "offered": ANSWER["offered"], "cut": False, "more": 2,
    "changes": (
        CHANGE, CHANGE | {"part": "title", "before": ""}, CHANGE | {"part": "contact", "after": ""},
        {"part": "date", "before": date(2024, 10, 1), "after": date(2024, 10, 2)},
    ),
    "reason": "Un chiffre était faux.",
}  # fmt: skip
WITHDRAWAL = {"organisation": ORGANISATION, "release": RELEASE, "received": WHEN, "reason": "Un chiffre est faux."}
OFFERS = {"organisation": ORGANISATION, "offers": (OTHER, OTHER | {"url": ""}), "reply_subject": "Re: Le pont"}
HAND_OFF = {
    "organisation": ORGANISATION, "sender": SENDER, "authenticated": "pass", "subject": "Le pont de Ségou", "when": WHEN,
    "visible_text": "Bonjour,\n\nPuis-je parler au maire ?\nMoussa", "reason": "some-reason",
    "draft": {"title": "Un pont", "text": "Bonjour,\n\nVoici le communiqué.\n"}, "offers": ("Un pont", "Un bac"), "original": "attached",
    "skeleton": None, "earlier": ({"subject": "Le bac", "when": WHEN, "became": "answered"},), "deadline": WHEN,
    "deadline_words": "bouclage",
    "urgent": True, "passed_on": "away", "passed_from": "awa@ponts.example", "reference": "abc", "can_reply": True,
    "yes_word": "D’ACCORD", "no_word": "NON", "later_word": "PLUS TARD",
}  # fmt: skip
ECHO = {
    "organisation": ORGANISATION, "recipient": SENDER, "subject": "Re: Le pont", "text": "Bonjour,\n\nOui, à 10 h.\n", "when": WHEN,
    "minutes": 3, "no_word": "NON", "reference": "abc",
}  # fmt: skip
TOLD = {
    "organisation": ORGANISATION, "recipient": SENDER, "subject": "Le pont", "event": "snoozed", "until": WHEN, "yes_word": "OUI",
    "no_word": "NON", "reference": "abc",
}  # fmt: skip
OWN_TEXT = {"organisation": ORGANISATION, "text": "Bonjour,\n\nOui : mardi, à 10 h.", "reply_subject": "Re: Le pont"}
NOTICE = {
    "organisation": ORGANISATION, "event": "in-doubt", "recipient": SENDER, "title": "Un pont", "subject": "Re: Le pont",
    "relay_words": "451 4.4.2 lost", "when": WHEN, "delivery": "d42",
}  # fmt: skip
ALERT_ITEM = {
    "kind": "inbox-stale", "began": True, "item": "", "since": WHEN, "numbers": (), "number": 0, "free_mb": 0, "ends": None, "days": 0,
}  # fmt: skip
ALERT = {"organisation": ORGANISATION, "items": (ALERT_ITEM, ALERT_ITEM | {"kind": "disk-nearly-full", "free_mb": 12})}
BREAKER = {"organisation": ORGANISATION, "answers": 90, "per_minute": 30, "when": WHEN}
ROUND_TRIP = {"organisation": ORGANISATION, "mark": "8f3a01", "when": WHEN}
DIGEST = {"organisation": ORGANISATION, "mode": "observe", "since": WHEN, "until": WHEN, "entries": (ENTRY, PROTECTED_ENTRY)}
ABOUT_THE_LIST = {"organisation": ORGANISATION, "when": WHEN, "word": "OUI", "link": "", "event": "confirmed", "days": 7}
INVITATION = {"organisation": ORGANISATION, "origin": "liste 2023", "word": "OUI", "link": "", "days": 7}
ANNOUNCEMENT = {
    "organisation": ORGANISATION, "release": RELEASE, "greeting": "Bonjour Awa,", "why": "Liste 2023.",
    "unsubscribe": "https://ponts.example/u/d.abc",
    "preferences": "https://ponts.example/p/d.abc", "embargo": WHEN, "embargo_utc": "2026-07-01 08:00 UTC", "waits_for": "fr",
    "event": {"starts": WHEN, "ends": WHEN, "place": "Ségou"}, "stop_word": "STOP", "cut": True,
    "kind": "correction", "reason": "Un chiffre\nétait faux.",
}  # fmt: skip
BARE_ANNOUNCEMENT = ANNOUNCEMENT | {
    "release": BARE_RELEASE, "unsubscribe": "", "preferences": "", "embargo": None, "embargo_utc": "", "waits_for": "", "event": None,
    "cut": False, "kind": "withdrawal", "reason": "",
}  # fmt: skip
WHATSAPP = {
    "organisation": ORGANISATION, "release": RELEASE, "title": "Un pont", "paragraphs": PARAGRAPHS, "cut": True, "embargo": WHEN,
    "embargo_utc": "2026-07-01 08:00 UTC",
}  # fmt: skip
UNDER = {"embargo": WHEN, "embargo_utc": "2026-07-01 08:00 UTC"}
TOLD_OF = {
    "organisation": ORGANISATION, "event": "approved", "title": "Un pont", "recipients": 412, "why": "une raison", "starts": WHEN,
    "stop_word": "STOP", "broadcast": "b1",
}  # fmt: skip
LIST = dict.fromkeys(("confirm_subscription", "subscribed", "confirm_departure", "departed"), ABOUT_THE_LIST)
SIGN_OFF = {
    "organisation": ORGANISATION, "title": "Un pont à péage",
    "editions": (RELEASE | {"spoken": "français"}, BARE_RELEASE | {"spoken": "English"}),
    "embargo": WHEN, "link": "https://ponts.example/s/d1.abc", "days": 14, "correction": True,
    "differences": ({
        "kind": "figure",
        "sides": ({"code": "fr", "words": "14 223", "sentence": "14 223 ponts."}, {"code": "en", "words": "", "sentence": ""}),
    },),
    "points": (
        {"what": "quotation-marks", "language": "fr", "sentence": "« Oui ”."}, {"what": "contact", "language": "en", "sentence": ""},
    ),
}  # fmt: skip
SIGNED = {
    "organisation": ORGANISATION, "event": "changes", "release": "pont", "title": "Un pont", "signatory": "chef@ponts.example",
    "words": "Pas « péage ».\n\nMerci.", "when": WHEN,
}  # fmt: skip
FULL: dict[str, dict[str, Any]] = {
    "answer": ANSWER | {"reply_subject": "Re: Le pont"}, "answer_short": ANSWER | {"cut": True}, "hand_off": HAND_OFF,
    "notice": NOTICE, "breaker": BREAKER, "digest": DIGEST, "alert": ALERT, "round_trip": ROUND_TRIP,
    "skeleton": {"organisation": ORGANISATION}, "echo": ECHO, "told": TOLD, "own_text": OWN_TEXT, "sign_off": SIGN_OFF,
    "sign_off_told": SIGNED,
    "acknowledgement": ACKNOWLEDGEMENT, "protection": PROTECTION, **LIST,
    "correction": CORRECTION, "withdrawal": WITHDRAWAL, "invitation": INVITATION,
    "whatsapp": WHATSAPP,
    "announcement": ANNOUNCEMENT, "announcement_lite": ANNOUNCEMENT, "greeting": {"name": "Awa"}, "broadcast_told": TOLD_OF,
    "why": {"organisation": ORGANISATION, "origin": "liste 2023"}, "test_mark": {"short": True} | UNDER,
    "answer_back": BACK, "offers": OFFERS, "sheet": {"release": RELEASE, "organisation": ORGANISATION},
}  # fmt: skip
BARE: dict[str, dict[str, Any]] = {
    "answer": BARE_ANSWER | {"reply_subject": ""},
    "answer_short": BARE_ANSWER | {"cut": False},
    "hand_off": HAND_OFF
    | {"sender": NOBODY, "authenticated": "none", "subject": "", "visible_text": "", "draft": None}
    | {"offers": (), "original": "", "yes_word": "", "skeleton": "Bonjour", "earlier": (), "deadline": None, "deadline_words": ""}
    | {"urgent": False, "passed_on": "new", "can_reply": False},
    "skeleton": {"organisation": ORGANISATION}, "echo": ECHO | {"recipient": SENDER | {"name": ""}},
    "told": TOLD | {"recipient": NOBODY, "subject": "", "event": "empty", "until": None}, "own_text": OWN_TEXT | {"reply_subject": ""},
    "notice": NOTICE | {"recipient": SENDER | {"name": ""}, "title": "", "relay_words": "", "delivery": ""},
    "sign_off": SIGN_OFF
    | {"editions": (BARE_RELEASE | {"spoken": "français"},), "embargo": None, "correction": False, "differences": (), "points": ()},
    "sign_off_told": SIGNED | {"event": "not-delivered", "words": ""},
    "breaker": BREAKER, "round_trip": ROUND_TRIP,
    "alert": ALERT | {"items": (ALERT_ITEM | {"kind": "case-overdue", "item": "7", "began": False},)},
    "digest": DIGEST | {"mode": "waiting", "entries": ()},
    **LIST,
    "acknowledgement": ACKNOWLEDGEMENT | {"reply_subject": "", "staffed": None, "opens": None, "duty_number": ""},
    "protection": PROTECTION | {"referred": False},
    "answer_back": BACK | {"release": BARE_RELEASE, "organisation": BARE_ANSWER["organisation"], "offered": (), "variant": "contact"}
    | {"reply_subject": ""},
    "offers": OFFERS | {"offers": (OTHER | {"url": ""},), "reply_subject": ""},
    "correction": CORRECTION | {"release": BARE_RELEASE, "organisation": BARE_ANSWER["organisation"], "changes": (), "more": 0}
    | {"offered": (), "cut": True, "reason": ""},
    "invitation": INVITATION,
    "whatsapp": WHATSAPP | {"cut": False, "embargo": None},
    "announcement": BARE_ANNOUNCEMENT, "announcement_lite": BARE_ANNOUNCEMENT, "greeting": {"name": ""},
    "broadcast_told": TOLD_OF | {"event": "held", "starts": None}, "why": {"organisation": ORGANISATION, "origin": ""},
    "test_mark": {"short": False} | UNDER,
    "withdrawal": WITHDRAWAL | {"organisation": BARE_ANSWER["organisation"], "reason": ""},
    "sheet": {"release": BARE_RELEASE, "organisation": ORGANISATION},
}
EVERY = [
    pytest.param(language, name, values, id=f"{language} {name} {fullness}")
    for language in sorted(LANGUAGES)
    for fullness, given in (("full", FULL), ("bare", BARE))
    for name, values in given.items()
    if "subject" in parts(name)
]
WITH_HTML = [case for case in EVERY if "html" in parts(str(case.values[1]))]


@pytest.fixture(scope="module")
def words() -> Words:
    return environment([shipped()], TYPOGRAPHIES, BAMAKO)


@pytest.fixture
def office(tmp_path: Path) -> Callable[..., Words]:
    """Words of an office that has files of its own before the shipped ones."""

    def build(**files: str) -> Words:
        (tmp_path / "fr").mkdir(exist_ok=True)
        for name, content in files.items():
            place = tmp_path / (name.replace("__", ".") if name.startswith("letter") else f"fr/{name.replace('__', '.')}")
            place.write_text(content, encoding="utf-8")
        return environment([tmp_path, shipped()], TYPOGRAPHIES, BAMAKO)

    return build


def flat(text: str) -> str:
    return " ".join(text.replace("> ", " ").split())


def test_the_cases_give_exactly_what_each_template_is_promised() -> None:
    for given in (FULL, BARE):
        assert {name: frozenset(values) for name, values in given.items()} == VALUES


@pytest.mark.parametrize(("language", "name", "values"), EVERY)
def test_every_mail_is_plain_lines_that_a_reader_need_not_break(words: Words, language: str, name: str, values: dict[str, Any]) -> None:
    made = render(words, language, name, values)
    assert made.subject == rendering.one_line(made.subject) != ""
    assert made.text.endswith("\n")
    for line in made.text.split("\n"):
        assert len(line) <= 76 or "https://" in line
        assert line == line.rstrip() or line == "-- "
    assert "\n\n\n" not in made.text
    assert not re.search(r"[{%]\s*[%}]|None|Undefined", made.subject + made.text + made.html)


@pytest.mark.parametrize(("language", "name", "values"), WITH_HTML)
def test_every_html_mail_is_accessible(words: Words, language: str, name: str, values: dict[str, Any]) -> None:
    made = render(words, language, name, values)
    page = LexborHTMLParser(made.html)
    article = page.css_first("body > div")
    assert article is not None
    assert page.root is not None
    for element in (page.root, article):
        assert element.attributes["lang"] == language
        assert element.attributes["dir"] == "ltr"
    assert article.attributes["role"] == "article"
    assert flat(page.css_first("title").text()) == flat(made.subject)
    assert len(page.css("h1")) == 1
    assert page.css_first("h1").text().strip()
    assert all(table.attributes.get("role") == "presentation" for table in page.css("table"))
    assert all(link.text().strip() for link in page.css("a"))
    assert len(page.css("html")) == 1


@pytest.mark.parametrize(("language", "name", "values"), WITH_HTML)
def test_no_html_mail_fetches_or_runs_anything(words: Words, language: str, name: str, values: dict[str, Any]) -> None:
    made = render(words, language, name, values)
    page = LexborHTMLParser(made.html)
    assert not page.css("img, script, iframe, link, object, embed, form, audio, video, svg, base, [src], [srcset], [background]")
    assert not re.search(r"url\(|@import|@font-face|image-set", made.html)
    assert all(re.match(r"https://|mailto:", link.attributes["href"] or "") for link in page.css("a"))
    assert len(made.html.encode()) < 30_000


# But for the question to a signatory, whose link is what it is for: without a public web nobody is asked.
@pytest.mark.parametrize(("language", "name", "values"), [case for case in WITH_HTML if case.values[1] != "sign_off"])
def test_without_a_public_web_no_link_leads_anywhere(words: Words, language: str, name: str, values: dict[str, Any]) -> None:
    given = values | {"organisation": values["organisation"] | {"website": ""}}
    if "release" in given:
        given |= {"release": BARE_RELEASE | {"paragraphs": ()}, "alternatives": (OTHER | {"url": ""},)}
    if name == "announcement":
        given |= {"unsubscribe": "", "preferences": ""}
    if name == "offers":
        given |= {"offers": (OTHER | {"url": ""},)}
    made = render(words, language, name, given)
    assert "http" not in made.text
    assert not LexborHTMLParser(made.html).css("a[href^=http]")
    assert not LexborHTMLParser(made.html).css('a[href=""]')


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("name", ["answer", "answer_short"])
def test_the_plain_text_has_the_whole_release(words: Words, language: str, name: str) -> None:
    text = flat(render(words, language, name, FULL[name] | ({"cut": False} if name == "answer_short" else {})).text)
    for part in (RELEASE["title"], *PARAGRAPHS, "***", *RELEASE["notes"], RELEASE["contact"], RELEASE["url"], OTHER["title"]):
        assert flat(str(part)) in text
    assert ORGANISATION["name"] in text
    assert ORGANISATION["address"] in text


def test_a_url_is_never_broken(words: Words) -> None:
    assert any(PARAGRAPHS[1].split()[-1] in line for line in render(words, "fr", "answer", FULL["answer"]).text.split("\n"))


def test_french_is_set_as_french(words: Words) -> None:
    made = render(words, "fr", "answer", BARE["answer"] | {"why": "date"})
    assert "1er octobre 2024" in made.text
    assert made.subject == "Communiqué de presse\u00a0: " + RELEASE["title"].replace(" :", "\u00a0:") + " [pont]"
    assert "«\u00a0Nous attendions" in made.text
    assert "«&nbsp;Nous attendions&nbsp;»&nbsp;; oui" in made.html
    assert not re.search(r" [;:!?»]|« ", made.subject + made.text)


def test_an_edition_in_another_language_says_so_and_keeps_its_own_typography(words: Words) -> None:
    same, other = (render(words, code, "answer", BARE["answer"]) for code in ("fr", "en"))
    assert "French" in other.text
    assert "French" in other.html
    assert "édition française" not in same.text + same.html
    assert "«\u00a0Nous attendions" in other.text
    part = LexborHTMLParser(other.html).css_first("div[lang=fr]")
    assert part is not None
    assert part.css_first("h1") is not None


@pytest.mark.parametrize("name", ["answer", "answer_short"])
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_why_a_release_was_chosen_is_said_in_its_own_words(words: Words, language: str, name: str) -> None:
    given = FULL[name] | {"repeat": False}
    said = {why: render(words, language, name, given | {"why": why}).text for why in ("latest", "topic", "date", "")}
    assert len(set(said.values())) == 4
    assert all(word in said["topic"] for word in ANSWER["words"])
    assert render(words, language, name, given | {"repeat": True}).text != render(words, language, name, given).text


def test_the_senders_subject_is_answered_only_where_it_is_given(words: Words) -> None:
    echoed = render(words, "en", "answer", FULL["answer"] | {"reply_subject": "Re: " + "bridge " * 40})
    assert echoed.subject.startswith("Re: bridge")
    assert len(echoed.subject) <= 78
    assert render(words, "en", "answer", BARE["answer"]).subject == f"Press release: {RELEASE['title']} [pont]"


def test_a_strangers_subject_stands_in_the_subject_and_nowhere_else(words: Words) -> None:
    made = render_for_many(words, "en", "answer", ANSWER, "Re: Zanzibar")
    assert made.subject == "Re: Zanzibar"
    assert "Zanzibar" not in made.text + made.html
    own = render_for_many(words, "en", "answer", ANSWER, "")
    assert (own.text, own.html) == (made.text, made.html)
    assert own.subject == f"Press release: {RELEASE['title']} [pont]"


@pytest.mark.parametrize("changed", [
    {"repeat": False}, {"why": "date"}, {"words": ("bac",)}, {"organisation": ORGANISATION | {"name": "Another"}},
    {"release": RELEASE | {"paragraphs": ("Another text.",), "body_html": "<p>Another text.</p>"}},
])  # fmt: skip
def test_what_is_kept_ready_is_never_taken_for_another_mail(words: Words, changed: dict[str, Any]) -> None:
    first = render_for_many(words, "fr", "answer", ANSWER, "")
    other = ANSWER | changed
    assert render_for_many(words, "fr", "answer", other, "") == render(words, "fr", "answer", other | {"reply_subject": ""}) != first
    assert render_for_many(words, "fr", "answer", ANSWER, "") == first == render(words, "fr", "answer", ANSWER | {"reply_subject": ""})
    assert render_for_many(words, "en", "answer", ANSWER, "") != first


def test_a_number_is_not_taken_for_a_yes(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    for part in ("subject", "txt", "html"):
        (tmp_path / "fr" / f"answer.{part}.j2").write_text("{{ repeat }}", encoding="utf-8")
    words = environment([tmp_path, shipped()], TYPOGRAPHIES, UTC)
    assert [render_for_many(words, "fr", "answer", {"repeat": one}).text for one in (1, True, "1")] == ["1\n", "True\n", "1\n"]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_hand_off_says_who_what_why_and_how_to_answer(words: Words, language: str) -> None:
    made = render(words, language, "hand_off", HAND_OFF)
    page = LexborHTMLParser(made.html)
    for text in (made.text, page.body.text() if page.body else ""):
        for fact in (SENDER["name"], SENDER["address"], HAND_OFF["subject"], "some-reason", "14", "Un bac", "original.eml", "D’ACCORD"):
            assert str(fact) in text
        assert "Puis-je parler au maire ?" in text.replace("\u00a0", " ")
        assert "Voici le communiqué." in text
    assert "> Bonjour,\n>\n> Puis-je parler au maire ?\n> Moussa\n" in made.text
    assert page.css_first("a[href='mailto:m.keita+presse@journal.example?subject=Re%3A%20Le%20pont%20de%20S%C3%A9gou']") is not None


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_how_far_an_address_can_be_believed_is_said_in_plain_words(words: Words, language: str) -> None:
    made = {word: render(words, language, "hand_off", HAND_OFF | {"authenticated": word}) for word in ("pass", "none", "fail", "temperror")}
    assert len({mail.text for mail in made.values()}) == len({mail.html for mail in made.values()}) == 4
    assert not any(re.search(r"dmarc|temperror|spf|dkim", mail.text + mail.html, re.I) for mail in made.values())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_the_sender_wrote_is_capped_and_says_so(words: Words, language: str) -> None:
    made = render(words, language, "hand_off", HAND_OFF | {"visible_text": "beaucoup trop " * 2000})
    assert len(made.text) < 8_000
    assert len(made.html) < 30_000
    assert "[…]" in made.text
    assert "[…]" in made.html


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_each_event_of_a_notice_has_its_own_words_and_an_unknown_one_is_printed(words: Words, language: str) -> None:
    events = ("in-doubt", "refused", "stopped", "odd-event")
    made = {event: render(words, language, "notice", NOTICE | {"event": event}) for event in events}
    assert len({mail.subject for mail in made.values()}) == 4
    assert "odd-event" in made["odd-event"].text
    assert all("451 4.4.2 lost" in mail.text and "d42" in mail.text and SENDER["address"] in mail.text for mail in made.values())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_observers_digest_says_what_would_have_been_done(words: Words, language: str) -> None:
    actions = ("send_release", "subscribe", "unsubscribe", "hand_off", "ignore", "record_report")
    texts = {action: render(words, language, "digest", DIGEST | {"entries": (ENTRY | {"action": action},)}).text for action in actions}
    assert len(set(texts.values())) == len(actions)
    waiting = render(words, language, "digest", DIGEST | {"mode": "waiting"})
    assert "Un pont" not in waiting.text
    assert "Le pont" in waiting.text
    assert "Le pont" in waiting.html


def test_which_words_somebody_agreed_to_is_known_by_their_version(words: Words, office: Callable[..., Words]) -> None:
    shipped_version = rendering.version(words, "fr", "confirm_subscription")
    assert re.fullmatch(r"confirm_subscription/fr [0-9a-f]{12}", shipped_version)
    assert rendering.version(words, "fr", "confirm_departure").split()[1] != shipped_version.split()[1]
    changed = office(confirm_subscription__txt__j2="{# Other words than ours #}\nVraiment ? {{ word }}")
    assert rendering.version(changed, "fr", "confirm_subscription") != shipped_version


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_reason_has_its_sentence(words: Words, language: str) -> None:
    for reason in Reason:
        text = render(words, language, "hand_off", HAND_OFF | {"reason": reason, "subject": "", "draft": None, "earlier": ()}).text
        assert f" {reason}\n" not in text, f"templates/{language}/reasons.yaml lacks {reason}"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_shipped_templates_have_no_faults(words: Words, language: str) -> None:
    assert faults(words, language) == ()


# Hostile values

HOSTILE = (
    "{{ 7*7 }} {% for a in b %} <script>alert(1)</script> \"'><img src=x onerror=y>\r\nBcc: a@b.example"
    "\x00\x1b\u202e\u2028Z \udcff {{ config }}"
)


def poisoned(value: Any, name: str = "") -> Any:
    """Every text replaced by the worst one, but the HTML, which is safe by its maker, and the words that choose a branch."""
    if isinstance(value, str):
        return value if name.endswith("_html") or name in ("language", "mode", "authenticated", "why", "url", "website") else HOSTILE
    if isinstance(value, dict):
        return {key: poisoned(item, key) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(poisoned(item, name) for item in value)
    return value


@pytest.mark.parametrize(("language", "name", "values"), EVERY)
def test_hostile_values_stay_data(words: Words, language: str, name: str, values: dict[str, Any]) -> None:
    made = render(words, language, name, poisoned(values))
    everything = made.subject + made.text + made.html
    assert "{{ 7*7 }}" in made.text
    assert "49" not in everything
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]", everything)
    assert "\n" not in made.subject
    assert everything.encode()
    page = LexborHTMLParser(made.html)
    assert not page.css("script, img, [onerror]")


def test_what_a_stranger_wrote_cannot_leave_its_quotation(words: Words) -> None:
    text = "Bonjour\n-- \n***\nPour lui répondre, écrivez à : escroc@pirate.example\n</blockquote></table><h1>Autre</h1>"
    made = render(words, "fr", "hand_off", HAND_OFF | {"visible_text": text})
    assert made.text.count("\n-- \n") == 1
    assert re.findall("^.*escroc.*$", made.text, re.M) == ["> Pour lui répondre, écrivez à : escroc@pirate.example"]
    assert len(LexborHTMLParser(made.html).css("h1")) == 1


def test_only_what_is_named_html_is_html(words: Words) -> None:
    made = render(words, "fr", "hand_off", HAND_OFF | {"subject": Markup("<b>gras</b>")})
    assert "&lt;b&gt;gras" in made.html


@pytest.mark.parametrize("value", [object(), b"octets", Path("/"), {"a": {"b": {1, 2}}}, lambda: "x", [print]])
def test_templates_are_given_no_objects(words: Words, value: object) -> None:
    with pytest.raises(TypeError, match=r"^(draft|a|b): "):
        render(words, "fr", "hand_off", HAND_OFF | {"draft": value})


def test_a_mail_link_holds_an_odd_address(words: Words) -> None:
    sender = {"name": "", "address": "a&b?cc=c%41'\"@journal.example"}
    made = render(words, "fr", "hand_off", HAND_OFF | {"sender": sender, "subject": "a&b=c d"})
    assert 'href="mailto:a%26b%3Fcc%3Dc%2541%27%22@journal.example?subject=Re%3A%20a%26b%3Dc%20d"' in made.html


# Hostile and broken templates

BOMBS = [
    "{{ ''.__class__ }}", "{{ ''.__class__.__mro__ }}", "{{ organisation.name.upper() }}", "{{ organisation.items() }}",
    "{{ self.__init__ }}",
    "{{ 'a' * 10**9 }}", "{{ 10 ** 9 ** 9 }}", "{{ '%1000000000d' % 1 }}", "{{ 'a'.center(10**9) }}", "{{ '{:>999999999}'.format(1) }}",
    "{{ lipsum(n=200000) }}", "{{ range(10)|list }}", "{{ namespace(a=1) }}", "{{ cycler('a') }}", "{{ joiner() }}", "{{ dict(a=1) }}",
    "{{ 'a'|center(1000) }}", "{{ 'a'|safe }}", "{{ organisation|attr('name') }}", "{{ 'a'|indent(1000) }}", "{{ '%d'|format(1) }}",
    "{% include '../../pyproject.toml' %}", "{% include '/etc/hostname' %}", "{% for a in [1]|list %}{{ loop.cycle('a') }}{% endfor %}",
    "{% set many = ('abcdefghij', 'abcdefghij', 'abcdefghij') %}" + "{% for a in 'abcdefghij' %}" * 7 + "{{ a }}" + "{% endfor %}" * 7,
]  # fmt: skip


@pytest.mark.parametrize("template", BOMBS)
def test_a_template_computes_nothing_dangerous(office: Callable[..., Words], template: str) -> None:
    with pytest.raises(TemplateFault):
        render(office(notice__txt__j2=template), "fr", "notice", NOTICE)


@pytest.mark.parametrize(
    ("template", "line", "said"),
    [
        pytest.param("Bonjour\n\n{{ titel }}", 3, "'titel'", id="an unknown value"),
        pytest.param("{# a #}\n{{ recipient.nom }}", 2, "'nom'", id="an unknown part of a value"),
        pytest.param("a\n{% if title %}\nb", 3, "endif", id="a block without its end"),
        pytest.param("a\nb {{ title|capitalise }}", 2, "'capitalise'", id="an unknown filter"),
        pytest.param("a\n{{ title|date }}", 2, "", id="a filter on the wrong thing"),
        pytest.param("{% include 'fr/nowhere.txt.j2' %}", None, "no such file", id="a missing part"),
    ],
)
def test_a_fault_names_template_line_and_variable(office: Callable[..., Words], template: str, line: int | None, said: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        render(office(notice__txt__j2=template), "fr", "notice", NOTICE)
    assert caught.value.line == line
    assert "fr/no" in caught.value.template
    assert said in caught.value.what
    assert caught.value.template in str(caught.value)


def test_faults_are_found_before_anything_is_sent(office: Callable[..., Words]) -> None:
    broken = office(notice__txt__j2="a\n{{ titel }} {{ title }}", notice__subject__j2="{% if %}", digest__txt__j2="{{ a|attr('b') }}")
    found = {(Path(fault.template).name, fault.line) for fault in faults(broken, "fr")}
    assert found == {("notice.txt.j2", 2), ("notice.subject.j2", 1), ("digest.txt.j2", 1)}
    assert len(faults(broken, "xx")) == sum(len(parts(name)) for name in VALUES)


def test_a_file_that_is_not_utf8_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "notice.txt.j2").write_bytes("é".encode("latin-1"))
    with pytest.raises(TemplateFault, match=r"notice\.txt\.j2"):
        render(environment([tmp_path, shipped()], TYPOGRAPHIES, BAMAKO), "fr", "notice", NOTICE)


def test_the_offices_own_templates_and_reasons_win_and_the_rest_is_shipped(office: Callable[..., Words]) -> None:
    own = office(
        notice__subject__j2="Chez nous : {{ title }}",
        letter__html__j2="<html><body><i>maison</i>{% block content %}{% endblock %}{% block footer %}{% endblock %}</body></html>",
        reasons__yaml="some-reason: Parce que\n  c’est ainsi !\n",
    )
    made = render(own, "fr", "notice", NOTICE)
    assert made.subject == "Chez nous\u00a0: Un pont"
    assert "<i>maison</i>" in made.html
    assert "d42" in made.text
    assert "Parce que c’est ainsi\u00a0!" in render(own, "fr", "hand_off", HAND_OFF).text


@pytest.mark.parametrize("content", ["- a\n", "a: [1]\n", "a: 'b\n", "1: a\n"])
def test_reasons_that_are_not_sentences_are_a_fault(office: Callable[..., Words], content: str) -> None:
    with pytest.raises(TemplateFault, match=r"reasons\.yaml"):
        office(reasons__yaml=content)


def test_a_broken_typography_is_a_fault_that_names_language_and_key() -> None:
    with pytest.raises(TemplateFault, match=r"fr/typography\.yaml: months"):
        environment([shipped()], {"fr": TYPOGRAPHIES["fr"] | {"months": []}}, BAMAKO)


def test_a_style_sheet_somewhere_else_is_never_fetched(office: Callable[..., Words]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.css"
        sheets = f'<link rel="stylesheet" href="{address}"><style>@import url({address});p{{}}</style>'
        page = f"<html><head>{sheets}</head><body><p>a</p></body></html>"
        render(office(notice__html__j2=page), "fr", "notice", NOTICE)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_every_colour_has_its_dark_sister(words: Words) -> None:
    sheets = re.findall(r"(?s)<style[^>]*>(.*?)</style>", (shipped() / "letter.html.j2").read_text(encoding="utf-8"))
    dark = sheets[1].split("prefers-color-scheme:dark")[1]
    coloured = {
        selector
        for selectors, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", sheets[0])
        for selector in selectors.strip().split(",")
        if "#" in rules
    }
    assert ".foot" in coloured
    missing = {selector for selector in coloured if not re.search(rf"(?<![\w-]){re.escape(selector)}(?![\w -])", dark)}
    assert missing == set()
    html = render(words, "fr", "answer", FULL["answer"]).html
    assert "prefers-color-scheme:dark" in html
    assert "max-width:480px" in html
    assert 'style="' in html


# The short answer

LONG = RELEASE | {"paragraphs": tuple(f"Alinéa {number} : " + "é à ç œuvre " * 30 + f"fin {number}." for number in range(40))}


def short(words: Words, release: dict[str, Any], octets: int = rendering.SHORT_OCTETS) -> Rendered:
    return render_short(words, "fr", ANSWER | {"release": release}, octets)


def test_a_short_answer_keeps_all_that_fits(words: Words) -> None:
    made = short(words, RELEASE)
    assert made.html == ""
    assert all(flat(part) in flat(made.text) for part in (*PARAGRAPHS, "Photos sur demande.", "Awa Diallo"))
    assert "[...]" not in made.text


@pytest.mark.parametrize("octets", [rendering.SHORT_OCTETS, 5_000, 3_000])
def test_a_long_release_is_cut_at_the_end_of_a_paragraph_and_no_earlier_than_needed(words: Words, octets: int) -> None:
    made = short(words, LONG, octets)
    size = wire_octets(made.text)
    kept = len(re.findall(r"fin \d+\.", made.text))
    assert size <= octets
    assert octets - size < 1_000
    assert len(re.findall(r"Alinéa \d+", made.text)) == kept > 0
    assert "Photos" not in made.text
    assert "[...]" in made.text
    assert "***" not in made.text


def test_notes_go_before_any_paragraph(words: Words) -> None:
    noted = RELEASE | {"notes": ("note " * 2000,)}
    made = short(words, noted)
    assert all(flat(part) in flat(made.text) for part in PARAGRAPHS)
    assert "note note" not in made.text
    assert "[...]" in made.text


def test_a_cut_answer_says_how_to_get_the_rest(words: Words) -> None:
    online, mail = short(words, LONG).text, short(words, LONG | {"url": ""}).text
    assert RELEASE["url"] in online
    assert RELEASE["url"] not in mail
    assert "http" not in mail.split("[...]")[1].split("-- ")[0].replace(OTHER["url"], "")
    assert ORGANISATION["address"] in mail.split("[...]")[1].split("\n\n")[1]


def test_even_one_endless_paragraph_fits(words: Words) -> None:
    made = short(words, RELEASE | {"paragraphs": ("sans fin " * 2000,), "contact": "contact " * 2000})
    assert wire_octets(made.text) <= rendering.SHORT_OCTETS
    assert flat(str(RELEASE["title"])) in flat(made.text)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_whatever_came_of_a_colleagues_reply_has_its_own_words(words: Words, language: str) -> None:
    events = ("left", "stopped", "closed", "snoozed", *(str(why) for why in Refusal if why is not Refusal.TOO_MANY))
    made = {event: render(words, language, "told", TOLD | {"event": event}) for event in events}
    assert len({mail.text for mail in made.values()}) == len({mail.html for mail in made.values()}) == len(set(events))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_note_says_why_it_comes_to_this_colleague_and_offers_a_yes_only_with_a_draft(words: Words, language: str) -> None:
    ways = ("new", "untouched", "away", "refused", "back")
    made = {way: render(words, language, "hand_off", HAND_OFF | {"passed_on": way}) for way in ways}
    assert len({mail.text for mail in made.values()}) == len({mail.html for mail in made.values()}) == len(ways)
    assert all("[#abc]" in mail.text[:60] and "[#abc]" in mail.html for mail in made.values()), "by this a quoted note is known"
    beginning = {"draft": None, "yes_word": "", "skeleton": "Merci [...]"}
    for part in (made["new"].text, made["new"].html):
        assert "D’ACCORD" in part
    unfinished = render(words, language, "hand_off", HAND_OFF | beginning)
    for part in (unfinished.text, unfinished.html):
        assert "Merci [...]" in part
        assert "D’ACCORD" not in part


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_an_echo_shows_what_leaves_to_whom_and_the_word_that_stops_it(words: Words, language: str) -> None:
    made = render(words, language, "echo", ECHO)
    for part in (flat(made.text), flat(made.html)):
        for fact in (SENDER["name"], SENDER["address"], "Oui, à 10 h.", "NON", "Re: Le pont"):
            assert fact in part
    assert "3" in made.subject


def test_at_a_start_the_offices_own_templates_are_looked_at(office: Callable[..., Words]) -> None:
    (fault,) = faults(office(answer__txt__j2="{{ nonsense }}"), "fr", of_the_office=True)
    assert "'nonsense' is not a value" in str(fault)
