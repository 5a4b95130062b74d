"""No tracking of any kind: nothing that a mail or a page loads, and no address that tells one reader from another but those that act.

Each rendered mail is looked at in test_rendering.py (`test_no_html_mail_fetches_or_runs_anything`); here it is the sources themselves, so
that a template or page that nobody renders yet is held to it too.
"""

import re
from pathlib import Path

import pytest

from mailbot.web import site

ROOT = Path(__file__).parents[2]


def _is_of_the_site(path: Path) -> bool:
    """The newsroom and the desk: their pages lead to each other."""
    return "desk" in path.parts or path.name.startswith("news_")


SOURCES = sorted(
    path for folder in ("templates", "mailbot") for path in (ROOT / folder).rglob("*")
    if path.suffix in (".j2", ".html", ".css", ".yaml") and "demo" not in path.parts and not _is_of_the_site(path)
)  # fmt: skip
MAILS = [path for path in SOURCES if path.is_relative_to(ROOT / "templates")]
ADDRESS = re.compile(r"""\b(?:href|src|srcset|action|background|poster|data)\s*=\s*"([^"]*)\"""")
# What may stand in a link. Of these `link` alone is made for one reader: it confirms, leaves or signs, and stands where that is asked.
ALIKE_FOR_ALL = {"{{ organisation.website }}", "{{ other.url }}", "{{ release.url }}", "/style.css", "{{ action }}", "#decide"}
TO_WRITE_TO = re.compile(r"\{\{ [\w.]+\|mailto\([\w.]+\) \}\}")
ACTS = {
    **{link: {"announcement", "announcement_lite"} for link in ("{{ unsubscribe }}", "{{ preferences }}")},
    "{{ link }}": {"confirm_subscription", "confirm_departure", "invitation", "sign_off"},
}


SITE = sorted(path for path in (ROOT / "mailbot" / "web").rglob("*.j2") if _is_of_the_site(path))


def _addresses(path: Path) -> list[str]:
    return ADDRESS.findall(path.read_text("utf-8"))


def test_there_are_sources_to_look_at() -> None:
    assert len(MAILS) > 50
    assert any(path.suffix == ".css" for path in SOURCES)
    assert sum(len(_addresses(path)) for path in SOURCES) > 15


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_loaded_and_every_address_is_one_that_is_known_here(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<(?:img|script|iframe|object|embed|video|audio|svg|base)\b|url\(|@import|@font-face|http-equiv=\"?refresh", text)
    for address in _addresses(path):
        known = address in ALIKE_FOR_ALL or TO_WRITE_TO.fullmatch(address) or path.name.split(".")[0] in ACTS.get(address, ())
        assert known, f"{address}: is it alike for all, or does it act? Then say so above"


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_made_for_one_reader_stands_only_where_it_acts(path: Path) -> None:
    if re.search(r"\{\{[^}]*\blink\b", path.read_text("utf-8")):
        assert path.name.split(".")[0] in ACTS["{{ link }}"]


def test_a_page_can_load_nothing_and_remembers_nobody() -> None:
    policy = site.HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"(?:img|script|connect|font|media|frame)-src", policy)
    assert "set-cookie" not in {name.lower() for name in site.HEADERS}
    assert site.HEADERS["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", SITE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_of_the_site_loads_nothing_from_elsewhere_and_leads_to_itself(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<(?:object|embed|video|audio|base)\b|<iframe(?![^>]* sandbox)|@import|@font-face|https?://", text)
    strange = [one for one in _addresses(path) if not one.startswith(("/", "#", "?", "{{")) or (one.startswith("//"))]
    assert strange == []
