"""A release for WhatsApp: short enough for a chat, one bold line, and no dead link."""

import re
from datetime import UTC, datetime

import pytest

from mailbot.broadcast.whatsapp import MOST_CHARACTERS, whatsapp
from tests.samples.littoral import edition
from tests.samples.press_office import EVERY, office

OPENS = datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("language", sorted(EVERY))
@pytest.mark.parametrize("body", ["Un mot.", "Une phrase qui compte. " * 20 + "\n\n" + "Autre. " * 300, "mot " * 2_000, "x" * 5_000, ""])
def test_it_is_short_begins_with_a_bold_title_and_says_where_the_rest_is(language: str, body: str) -> None:
    made = whatsapp(office(), edition("phare", "Le phare *rouvre*", body, language=language), None)
    assert len(made) <= MOST_CHARACTERS
    assert made.splitlines()[0] == "*Le phare rouvre*"
    assert "https://presse.littoral.example/r/phare" in made
    assert "Littoral" in made.splitlines()[1]
    assert re.search(r"phare · presse@littoral\.example$", made.rstrip())


def test_without_a_public_web_the_rest_comes_by_mail_and_no_link_is_printed() -> None:
    made = whatsapp(office(public_url="", website=""), edition("phare", "Le phare", "mot " * 2_000), None)
    assert "http" not in made
    assert "écrivez à presse@littoral.example" in made


def test_what_the_release_says_is_never_a_mark_of_whatsapps() -> None:
    made = whatsapp(office(), edition("phare", "Le phare", r"Un \*astérisque\*, \_deux\_, ~trois~, et presse_info@littoral.example"), None)
    assert len(re.findall(r"(?<!\u2060)\*", made)) == 2
    assert not re.search(r"(?<![\u2060\w])[_~]|(?<!\u2060)[_~](?!\w)", made)
    assert "presse_info@littoral.example" in made


@pytest.mark.parametrize(("language", "says"), [("fr", "SOUS EMBARGO"), ("en", "UNDER EMBARGO"), ("es", "EMBARGADO")])
def test_an_embargo_stands_first_in_office_time_and_utc(language: str, says: str) -> None:
    first = whatsapp(office(), edition("phare", "Le phare", language=language), OPENS).splitlines()[0]
    assert first.startswith(f"*{says}") and first.endswith("*")
    assert "10" in first and "2026-06-01 08:00 UTC" in " ".join(first.split())
