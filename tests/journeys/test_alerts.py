"""Alerts of a whole office: a relay that is down, a login refused, an alert that comes back; heard once, and leading to no other."""

import pytest

from mailbot.inbox import imap
from tests.journeys.office import LATEST, Office, read
from tests.journeys.test_reports import failed, report
from tests.servers.relay import Got, LoopbackRelay

KEEPER = "it@office.example"


def heard(second: LoopbackRelay) -> list[str]:
    """The subjects of the alerts that have arrived."""
    return [str(read(got.content)["Subject"]) for got in second.mails]


def alerts(second: LoopbackRelay) -> dict[str, object]:
    """No mail waits longer than half a second without an alert."""
    return {
        "to": KEEPER, "stale_minutes": 0.01, "smtp_host": "127.0.0.1", "smtp_port": second.port, "smtp_security": "plain",
    }  # fmt: skip


async def test_a_relay_that_is_down_is_heard_by_the_second_and_is_well_again_when_the_mail_has_left(
    office: Office, relay: LoopbackRelay
) -> None:
    async with LoopbackRelay() as second:
        office.configure({"alerts": alerts(second)})
        await relay.stop()
        office.ask(LATEST)
        parts = office.parts()
        async with office.running(parts=parts):
            assert parts.alerter is not None
            await office.until(lambda: office.status()["outbox"]["trouble"], "the relay's trouble in status")
            while not second.mails:
                await parts.alerter.once()
            await parts.alerter.once()
            assert heard(second) == ["Alerte : envoi des messages"]
            assert "relay-stale" in (await office.commanded("status")).stdout
            await relay.start()
            await office.settled(1)
            await parts.alerter.once()
            await parts.alerter.once()
    assert heard(second) == ["Alerte : envoi des messages", "Retour à la normale : envoi des messages"]
    assert [got.recipient for got in office.taken(relay)] == ["awa@journal.example"]


async def test_a_refused_login_is_heard_of_a_single_pass_too_and_an_alert_that_comes_back_leads_to_nothing(
    office: Office, relay: LoopbackRelay
) -> None:
    async with LoopbackRelay() as second:
        office.configure({"alerts": alerts(second), "imap": {"password": "not the right one"}})
        for _ in range(2):
            with pytest.raises(imap.ImapLoginRefused):
                await office.once()
        office.configure({"alerts": alerts(second)})
        office.deliver(_bounced(office, second.mails[0]), sender="")
        office.deliver(second.mails[0].content, sender=KEEPER)  # as if somebody sends it on to us
        await office.once()
        await office.once()
    assert heard(second) == ["Alerte : connexion à la boîte", "Retour à la normale : connexion à la boîte"]
    assert [row["outcome"] for row in office.mails()] == ["record_report", "ignore"]
    assert office.deliveries() == []
    assert office.status()["alerts"] == {"open": [], "undelivered": 0, "trouble": ""}


def _bounced(office: Office, alert: Got) -> bytes:
    return report(office.address, str(read(alert.content)["Message-ID"]), failed(KEEPER))
