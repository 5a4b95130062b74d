"""`inbox replay`: what today's rules, releases and settings would make of yesterday's mail, without doing it."""

import json

from mailbot.releases import store as releases
from tests.journeys.office import FOUNTAIN, LATEST, MARKET, UNCLEAR, Office
from tests.servers.relay import LoopbackRelay


async def test_replay_shows_what_would_be_decided_differently_today_and_does_nothing(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    office.ask(UNCLEAR, sender="Bo <bo@paper.example>")
    await office.once()
    before = (office.mails(), office.deliveries(), len(relay.mails))
    same = await office.commanded("inbox", "replay")
    assert same.stdout == "Decided anew: 2; different: 0.\n"
    office.database.write_now(releases.withdraw, FOUNTAIN, before[0][0]["decided_at"])
    told = [json.loads(line) for line in (await office.commanded("inbox", "replay", "--json")).stdout.splitlines()]
    assert [(one["file"], one["changed"]) for one in told] == [("1", True), ("2", False)]
    assert [one["release"] for one in told[0]["before"]["actions"]] == [FOUNTAIN]
    assert [one["release"] for one in told[0]["actions"]] == [MARKET]
    said = (await office.commanded("inbox", "replay")).stdout
    assert f"1: latest-asked (send_release {FOUNTAIN})  ->  latest-asked (send_release {MARKET})" in said
    assert (office.mails(), office.deliveries(), len(relay.mails)) == before
