"""Dates in words are understood as a reader would, in French and English, and nothing else is taken for a date."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from mailbot.releases import dates

CONFIG = Path(__file__).parents[2] / "config" / "languages"
SECTIONS = [yaml.safe_load((CONFIG / code / "dates.yaml").read_text(encoding="utf-8")) for code in ("fr", "en")]
GRAMMAR = dates.grammar(SECTIONS)
FRIDAY = datetime(2024, 11, 15, 9, 30, tzinfo=UTC)

DAYS = [
    ("Communiqué du 28 octobre concernant la visite", "2024-10-28"),
    ("le 1er mars 2024", "2024-03-01"),
    ("le premier octobre", "2024-10-01"),
    ("LE 12 DECEMBRE", "2024-12-12"),
    ("le 3 février", "2024-02-03"),
    ("28 oct. 2024", "2024-10-28"),
    ("lundi 28 octobre 2024", "2024-10-28"),
    ("le 28\u00a0octobre\u00a02024", "2024-10-28"),
    ("du 28/10", "2024-10-28"),
    ("le 8/3", "2024-03-08"),
    ("28.10.24", "2024-10-28"),
    ("28-10-2024", "2024-10-28"),
    ("2024-10-28", "2024-10-28"),
    ("10/28/2024", "2024-10-28"),
    ("October 28, 2024", "2024-10-28"),
    ("your release of October 28th", "2024-10-28"),
    ("the 28th of October", "2024-10-28"),
    ("Monday, 28 October 2024", "2024-10-28"),
    ("May 3, 2024", "2024-05-03"),
    ("la visite d'hier", "2024-11-14"),
    ("la visite d’avant-hier", "2024-11-13"),
    ("hier soir", "2024-11-14"),
    ("interview demain à 10h pour le journal de 13h", "2024-11-16"),
    ("after-hours today", "2024-11-15"),
    ("mardi dernier", "2024-11-12"),
    ("votre déclaration de mercredi", "2024-11-13"),
    ("vendredi", "2024-11-15"),
    ("vendredi dernier", "2024-11-08"),
    ("jeudi prochain", "2024-11-21"),
    ("next Tuesday", "2024-11-19"),
    ("last Friday", "2024-11-08"),
    ("il y a trois jours", "2024-11-12"),
    ("2 days ago", "2024-11-13"),
    ("le 29 février", "2024-02-29"),
    ("le 20 janvier", "2024-01-20"),
    ("le 31 décembre", "2024-12-31"),
]
SPANS = [
    ("un communiqué en octobre 2024 au sujet", "2024-10-01", "2024-10-31"),
    ("the September release", "2024-09-01", "2024-09-30"),
    ("le communiqué d'octobre", "2024-10-01", "2024-10-31"),
    ("le communiqué de décembre", "2023-12-01", "2023-12-31"),
    ("septembre dernier", "2024-09-01", "2024-09-30"),
    ("novembre dernier", "2023-11-01", "2023-11-30"),
    ("en mars", "2024-03-01", "2024-03-31"),
    ("le communiqué de mai", "2024-05-01", "2024-05-31"),
    ("mars dernier", "2024-03-01", "2024-03-31"),
    ("the May release", "2024-05-01", "2024-05-31"),
    ("mai 2023", "2023-05-01", "2023-05-31"),
    ("aout 2023", "2023-08-01", "2023-08-31"),
    ("last March", "2024-03-01", "2024-03-31"),
    ("la semaine dernière", "2024-11-04", "2024-11-10"),
    ("cette semaine", "2024-11-11", "2024-11-17"),
    ("next week", "2024-11-18", "2024-11-24"),
    ("le week-end dernier", "2024-11-09", "2024-11-10"),
    ("last month", "2024-10-01", "2024-10-31"),
    ("ce mois-ci", "2024-11-01", "2024-11-30"),
    ("l'année dernière", "2023-01-01", "2023-12-31"),
    ("il y a deux semaines", "2024-10-28", "2024-11-03"),
    ("a month ago", "2024-10-01", "2024-10-31"),
    ("vos communiqués en 2022", "2022-01-01", "2022-12-31"),
    ("du 12 au 15 octobre", "2024-10-12", "2024-10-15"),
    ("12-15 October 2024", "2024-10-12", "2024-10-15"),
]
NOTHING = [
    "je suis journaliste",
    "Ma collègue de mai sera là",
    "Mai Traoré vous remercie",
    "we may visit the march of the migrants",
    "les 44 697 retours",
    "Appelez le 70 12 34 56",
    "01.02.03.04.05",
    "disponible 24/7",
    "31 février 2024",
    "deadline 5pm",
    "dans le 93/94",
    "2030 Agenda",
    "plus de 2000 personnes",
    "version 10.2.1.4",
    "192.168.10.12",
    "les sept communiqués",
    "au second semestre",
    "a decade of marching",
    "il est mardigras",
    "the 50/50 share",
    "Mar Saba",
    "journée du sam et dim",
]


@pytest.mark.parametrize(("text", "day"), DAYS, ids=[text for text, _ in DAYS])
def test_one_day_is_read(text: str, day: str) -> None:
    assert [(found.start, found.end) for found in dates.find(text, GRAMMAR, FRIDAY)] == [(date.fromisoformat(day),) * 2]


@pytest.mark.parametrize(("text", "start", "end"), SPANS, ids=[text for text, _, _ in SPANS])
def test_several_days_are_read(text: str, start: str, end: str) -> None:
    found = dates.find(text, GRAMMAR, FRIDAY)
    assert [(one.start.isoformat(), one.end.isoformat()) for one in found] == [(start, end)]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_date_is_not_taken_for_one(text: str) -> None:
    assert dates.find(text, GRAMMAR, FRIDAY) == ()


def test_the_words_and_their_place_are_told_in_the_text_as_written() -> None:
    (found,) = dates.find("É – la visite du 12 août, merci", SECTIONS, FRIDAY)
    assert found.text == "12 août"
    assert "É – la visite du 12 août, merci"[slice(*found.span)] == found.text


def test_accents_typed_as_two_characters_are_the_same() -> None:
    (found,) = dates.find("12 aou\u0302t", GRAMMAR, FRIDAY)
    assert found.start == date(2024, 8, 12)


def test_several_dates_come_in_the_order_of_the_text() -> None:
    found = dates.find("hier, puis le 28 octobre, then last week", GRAMMAR, FRIDAY)
    assert [one.text for one in found] == ["hier", "28 octobre", "last week"]


def test_a_day_of_a_month_ahead_is_last_years() -> None:
    assert dates.find("le 20 mai", GRAMMAR, datetime(2024, 1, 10, tzinfo=UTC))[0].start == date(2023, 5, 20)


@pytest.mark.parametrize("text", ["1" * 20_000, "12 " * 7_000, "le " * 7_000, "il y a " * 3_000, "- / . " * 4_000, "mars " * 4_000])
def test_hostile_text_is_read_in_a_blink(text: str) -> None:
    start = time.process_time()
    dates.find(text, GRAMMAR, FRIDAY)
    assert time.process_time() - start < 2
