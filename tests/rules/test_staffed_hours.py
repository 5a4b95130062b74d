"""When the office is staffed, as people write it, on the days when clocks jump, too."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from mailbot.staffed_hours import EXAMPLE, HoursUnreadable, day_words, is_staffed, next_staffed, read

WORDS = day_words([
    {"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], "to": ["to", "and"]},
    {"weekdays": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"], "to": ["au", "jusqu'au"]},
])  # fmt: skip
BAMAKO, PARIS, APIA = ZoneInfo("Africa/Bamako"), ZoneInfo("Europe/Paris"), ZoneInfo("Pacific/Apia")
WEEK = tuple((day, 480, 1020) for day in range(5))


def at(text: str, zone: tzinfo = BAMAKO) -> datetime:
    """An instant by the office's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        pytest.param("Mon-Fri 08:00-17:00", WEEK, id="English"),
        pytest.param("lun-ven 8h-17h", WEEK, id="French"),
        pytest.param("lundi au vendredi : 8h00 – 17h00", WEEK, id="French in full"),
        pytest.param("Lun. - Ven. 8-17", WEEK, id="short, with points and spaces"),
        pytest.param("Monday to Friday 8.00-17.00", WEEK, id="English in full"),
        pytest.param(EXAMPLE, (*WEEK, (5, 540, 720)), id="the example"),
        pytest.param("mar, jeu 09:30-12:00, 14:00-16:30", ((1, 570, 720), (1, 840, 990), (3, 570, 720), (3, 840, 990)), id="two and two"),
        pytest.param("Sun-Tue 10-11", ((0, 600, 660), (1, 600, 660), (6, 600, 660)), id="over the end of the week"),
        pytest.param("sat 0-24", ((5, 0, 1440),), id="a whole day"),
        pytest.param("mon 8-12; mon 8-12;", ((0, 480, 720),), id="said twice"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, spans: tuple[tuple[int, int, int], ...]) -> None:
    assert read(text, WORDS, BAMAKO).spans == spans


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("Mon-Fri", "'mon-fri' names no time", id="no time"),
        pytest.param("08:00-17:00", "without a day", id="no day"),
        pytest.param("Lux-Ven 8-17", "'lux' is no day", id="a misspelt day"),
        pytest.param("m 8-17", "'m' is no day", id="one letter"),
        pytest.param("Mon 8", "'8' has no end", id="no end"),
        pytest.param("Mon 17-8", "'17-8' has no end after", id="backwards"),
        pytest.param("Mon 8:75-9", "'8:75' is no time", id="minutes over 59"),
        pytest.param("Mon 8-24:30", "'24:30' is no time", id="after midnight"),
        pytest.param("Mon 8am-5pm", "'8am' is no time", id="half a clock"),
        pytest.param("Mon-Tue-Wed 8-9", "'tue-wed' is no day", id="three ends"),
        pytest.param("x" * 10_000, "too long", id="too long"),
    ],
)
def test_what_cannot_be_read_names_the_piece(text: str, named: str) -> None:
    with pytest.raises(HoursUnreadable, match=named):
        read(text, WORDS, BAMAKO)


def test_a_short_name_that_two_days_share_is_refused() -> None:
    words = day_words([{"weekdays": ["lunes", "martes"]}, {"weekdays": ["x", "y", "martedi"]}])
    with pytest.raises(HoursUnreadable, match="'mar' is more than one day"):
        read("mar 8-9", words, BAMAKO)


@pytest.mark.parametrize(
    ("now", "staffed", "following"),
    [
        pytest.param("2026-03-02T08:00", True, None, id="Monday at eight"),
        pytest.param("2026-03-02T16:59:59", True, None, id="the last second"),
        pytest.param("2026-03-02T17:00", False, "2026-03-03T08:00", id="in the evening"),
        pytest.param("2026-03-02T07:59:59", False, "2026-03-02T08:00", id="before eight"),
        pytest.param("2026-03-06T18:00", False, "2026-03-07T09:00", id="Friday evening"),
        pytest.param("2026-03-07T12:00", False, "2026-03-09T08:00", id="Saturday noon"),
    ],
)
def test_the_next_staffed_hour(now: str, staffed: bool, following: str | None) -> None:
    hours = read(EXAMPLE, WORDS, BAMAKO)
    assert is_staffed(hours, at(now)) is staffed
    assert next_staffed(hours, at(now)) == (at(following) if following else None)


def test_where_nobody_has_said_no_hour_is_promised() -> None:
    hours = read("", WORDS, BAMAKO)
    assert (is_staffed(hours, at("2026-03-07T12:00")), next_staffed(hours, at("2026-03-07T12:00"))) == (None, None)


@pytest.mark.parametrize(
    ("text", "now", "following"),
    [
        pytest.param("Mon 8-9", "2026-03-28T12:00+01:00", "2026-03-30T08:00+02:00", id="over the night when summer time begins"),
        pytest.param("Mon 8-9", "2026-10-24T12:00+02:00", "2026-10-26T08:00+01:00", id="over the night when it ends"),
        pytest.param("Sun 2:30-6", "2026-03-29T01:00+01:00", "2026-03-29T03:30+02:00", id="an opening that the clock leaves out"),
        pytest.param("Sun 2:00-3:00", "2026-03-29T01:00+01:00", "2026-04-05T02:00+02:00", id="a span that it leaves out whole"),
        pytest.param("Sun 2:15-2:45", "2026-10-25T02:50+02:00", "2026-10-25T02:15+01:00", id="a span that it shows twice"),
    ],
)
def test_on_the_days_when_the_clock_jumps(text: str, now: str, following: str) -> None:
    assert next_staffed(read(text, WORDS, PARIS), datetime.fromisoformat(now)) == datetime.fromisoformat(following)


def test_a_day_that_an_island_left_out_is_nobodys() -> None:
    hours = read("Fri 8-9", WORDS, APIA)
    assert next_staffed(hours, at("2011-12-29T12:00", APIA)) == at("2012-01-06T08:00", APIA)
