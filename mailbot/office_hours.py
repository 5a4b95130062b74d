"""When this office is staffed, from its settings: in the day names of any installed language."""

from collections.abc import Iterable
from datetime import tzinfo

from mailbot import staffed_hours
from mailbot.languages import Language
from mailbot.settings import Settings, SettingsFault


def office_hours(settings: Settings, languages: Iterable[Language], zone: tzinfo) -> staffed_hours.Hours:
    """Raises SettingsFault, which names the key and shows how it is written."""
    words = staffed_hours.day_words(language.dates for language in languages)
    try:
        return staffed_hours.read(settings.organisation.hours, words, zone)
    except staffed_hours.HoursUnreadable as problem:
        raise SettingsFault(f"organisation.hours: {problem}; write it like {staffed_hours.EXAMPLE!r}.") from problem
