"""A release that was withdrawn is found by nobody, and who asks for it gets a colleague who knows, and no other release in its place."""

from dataclasses import replace

import pytest

from mailbot.inbox.outcome import HandOff, SendRelease
from mailbot.message.incoming import IncomingMessage
from mailbot.releases.release import Release, State, before_withdrawal
from mailbot.releases.search_index import build
from tests.decisions.test_decision import LATEST, decided, mail
from tests.samples.littoral import LANGUAGES, NOW, RELEASES


def without(gone: str) -> dict[str, object]:
    """What is known once this release is withdrawn, as the shelf gives it."""
    releases = {one.id: one for one in RELEASES.values()}
    editions = tuple(replace(edition, state=State.WITHDRAWN) for edition in releases[gone].editions)
    after = releases | {gone: Release(gone, editions)}
    before = before_withdrawal(after[gone])
    assert before is not None
    index = build(after.values(), NOW, LANGUAGES)
    whole = build((after | {gone: before}).values(), NOW, LANGUAGES, before=index)
    return {"releases": after, "index": index, "withdrawn": {gone: before}, "index_before": whole}


TURTLES = "Bonjour, pourriez-vous m'envoyer votre communiqué sur les tortues de Nosy Hara ?"


def test_who_asks_for_it_by_topic_goes_to_a_colleague_who_is_told_which_it_was() -> None:
    assert isinstance(decided(mail(TURTLES)).decision, SendRelease)
    got = decided(mail(TURTLES), **without("tortues")).decision
    assert isinstance(got, HandOff)
    assert (got.reason, got.draft, got.offers, got.offer) == ("withdrawn", None, ("tortues",), False)


@pytest.mark.parametrize("message", [mail(), mail("Hello, could you send me your latest press release?")], ids=["fr", "en"])
def test_the_latest_is_then_the_newest_that_is_still_served(message: IncomingMessage) -> None:
    got = decided(message, **without(LATEST)).decision
    assert isinstance(got, SendRelease)
    assert got.release != LATEST


def test_another_one_is_had_as_before() -> None:
    got = decided(mail(TURTLES), **without(LATEST)).decision
    assert isinstance(got, SendRelease)
    assert got.release == "tortues"
