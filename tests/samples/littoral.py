"""A press office that does not exist, with its releases: what the rules and the corpus are tried on."""

from datetime import date, datetime
from pathlib import Path

import yaml

from mailbot import languages
from mailbot.inbox.outcome import Context
from mailbot.message.address import key
from mailbot.message.authentication import Authentication
from mailbot.releases.release import Edition, Release, State
from mailbot.releases.search_index import build

LANGUAGES = languages.load([languages.shipped()])
SAMPLES = yaml.load((Path(__file__).parent / "search.yaml").read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
NOW: datetime = SAMPLES["now"]
QUESTIONS = [(text, set(right)) for text, right in SAMPLES["questions"]]


def edition(slug: str, title: str, body: str = "Texte.", day: str = "2026-01-01", **more: object) -> Edition:
    values: dict[str, object] = {"release": slug, "language": "fr", "state": State.PUBLISHED, **more}
    return Edition(slug=slug, title=title, body=body, date=date.fromisoformat(day), **values)  # type: ignore[arg-type]


def release(slug: str, title: str, body: str = "Texte.", day: str = "2026-01-01", **more: object) -> Release:
    return Release(slug, (edition(slug, title, body, day, **more),))


def corpus() -> list[Release]:
    found = []
    for entry in SAMPLES["releases"]:
        editions = [
            edition(
                f"{entry['id']}{'' if code == 'fr' else '-' + code}", title, body, day,
                release=entry["id"], language=code, place=body.partition(" – ")[0],
            )
            for code in ("fr", "en") if code in entry for day, title, body in [entry[code]]
        ]  # fmt: skip
        found.append(Release(entry["id"], tuple(editions)))
    return found


RELEASES = {release.id: release for release in corpus()}
INDEX = build(RELEASES.values(), NOW, LANGUAGES)
CONTEXT = Context(
    own_addresses=frozenset({key("presse@littoral.example")}), colleagues=frozenset({key("bureau@littoral.example")}),
    authentication=Authentication.PASS, releases=RELEASES, index=INDEX, languages=LANGUAGES, organisation_languages=("fr", "en"),
)  # fmt: skip
