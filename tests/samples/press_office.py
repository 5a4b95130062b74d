"""The office of the coast with the words of every language that there is: its mails are looked at, measured and judged."""

from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailbot import languages, rendering
from mailbot.message.address import Address
from mailbot.office import Office
from mailbot.staffed_hours import Hours
from tests.samples.littoral import LANGUAGES

SPANISH = Path(__file__).parent / "espanol"
EVERY = {**LANGUAGES, **languages.load([languages.shipped(), SPANISH / "languages"])}
ZONE = ZoneInfo("Europe/Paris")


@cache
def words() -> rendering.Words:
    """The shipped templates and the Spanish ones."""
    return rendering.environment([SPANISH / "templates", rendering.shipped()], {code: one.typography for code, one in EVERY.items()}, ZONE)


def office(**more: Any) -> Office:
    """With a public web; `more` comes over it."""
    values: dict[str, Any] = {
        "name": "Office du littoral", "short_name": "Littoral", "address": Address("presse@littoral.example"),
        "website": "https://littoral.example", "contact": "Awa Diallo <presse@littoral.example>, +223 20 00 00 00",
        "languages": tuple(sorted(EVERY)), "colleagues": (), "public_url": "https://presse.littoral.example", "words": words(),
        "hours": Hours((), ZONE), "duty_number": "", "protection": None, "signatory": None, "referral": "", "spoken": EVERY,
        "prints": False,
    }  # fmt: skip
    return Office(**values | more)
