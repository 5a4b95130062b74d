"""A newsroom for the tests of corrections: releases, journalists who asked, colleagues, and the dispatcher that sends to a relay."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mailbot import languages, office_terms, terms
from mailbot.cases import store as cases
from mailbot.cases.case import Opening
from mailbot.cases.colleague_reply import SendDraft
from mailbot.database import lease
from mailbot.database.engine import Database, Tx
from mailbot.inbox import arrival_store, compose, compose_case, kept_draft
from mailbot.inbox import correct as corrections
from mailbot.inbox import store as inbox
from mailbot.inbox.aftermath import Aftermath
from mailbot.inbox.hand_over import Desk, hand_over
from mailbot.inbox.outcome import ColleagueReply, HandOff, SendRelease, Variant
from mailbot.inbox.reason import Reason
from mailbot.inbox.take_reply import take_reply
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Phase, Reply, Sent
from mailbot.outbox.dispatch import Dispatcher
from mailbot.releases import store as releases
from mailbot.releases.release import Edition
from mailbot.settings import load
from mailbot.verify import broken
from tests.edges import announced
from tests.servers.relay import LoopbackRelay

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
SECRET = "a key that only this newsroom knows"
COLLEAGUE = "colleague@office.example"
OLD, NEW = "Le chantier a coûté 44 697 florins.", "Le chantier a coûté 44 967 florins."
FOUNTAIN = Edition(
    slug="fontaine", release="fontaine", language="fr", title="La grande fontaine est rouverte", date=date(2026, 5, 4), place="Velmora",
    body=f"Velmora – La grande fontaine coule de nouveau.\n\n{OLD} Les poissons vont bien.", contact="Presse : presse@office.example",
)  # fmt: skip
FOUNTAIN_EN = Edition(
    slug="fontaine-en", release="fontaine", language="en", title="The great fountain flows again", date=date(2026, 5, 4),
    body="Velmora – The great fountain flows again.\n\nThe works cost 44,697 florins.", contact="Press: press@office.example",
)  # fmt: skip
MARKET = Edition(
    slug="marche", release="marche", language="fr", title="Le marché de nuit ouvre sur le port", date=date(2026, 3, 2),
    body="Quarante étals.",
)
CORRECTED = replace(FOUNTAIN, body=FOUNTAIN.body.replace(OLD, NEW))


@dataclass
class Newsroom:
    """`now` is what every clock of it shows."""

    database: Database
    desk: Desk
    settings: Any
    now: datetime = NOW
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def ask(self, who: str, **how: Any) -> str:
        """A journalist asked, and the answer is queued; gives its id. `edition`, `full`, `variant`, `mentions` are of the answer."""
        return self.database.write_now(self._ask, f"{who}@journal.example", **how)

    def _ask(
        self, tx: Tx, who: str, *, edition: Edition = FOUNTAIN, full: bool = True, variant: Variant = Variant.FULL,
        mentions: tuple[str, ...] = (), offers: tuple[str, ...] = (), passed_on: bool = False,
    ) -> str:  # fmt: skip
        to = Address(who, "Awa Traoré")
        vouched = Authentication.PASS if full else Authentication.NONE
        subject = self._mail(tx, to, vouched, offers=offers)
        back = Reason.TOPIC_ASKED if variant is Variant.FULL else Reason.ANSWER_BACK
        decision = SendRelease(
            release=edition.release, edition=edition.slug, language=edition.language, why="topic", reason=back, full=full,
            words=("fontaine", "44 697"), alternatives=mentions, variant=variant,
        )  # fmt: skip
        library = {one.id: one for one in releases.load_all(tx)}
        if offers:
            draft = compose.offers(self.desk.office, subject, HandOff(reason=Reason.NO_MATCH, why="no-match", offers=offers), library, "fr")
        else:
            draft = compose.answer(self.desk.office, subject, decision, library, edition.language, passed_on=passed_on)
        delivery_id = self.desk.new_id()
        assert self.desk.queue(tx, draft, delivery_id, self.now)
        return delivery_id

    def case(self, who: str, edition: Edition = FOUNTAIN) -> int:
        """A mail that a colleague has, with a prepared answer; gives the case's number."""
        return self.database.write_now(self._case, Address(f"{who}@journal.example"), edition)

    def _case(self, tx: Tx, to: Address, edition: Edition) -> int:
        subject = self._mail(tx, to, Authentication.PASS, outcome="hand_off")
        decision = SendRelease(
            release=edition.release, edition=edition.slug, language="fr", why="topic", reason=Reason.DRAFT_MODE, full=True
        )
        handed = HandOff(reason=Reason.DRAFT_MODE, why="draft-mode", draft=decision)
        library = {one.id: one for one in releases.load_all(tx)}
        opening = Opening(
            mail=subject.mail, reason="draft-mode", journalist=to, language="fr", authenticated=True, draft=kept_draft.kept(decision),
            note=compose_case.note_values(self.desk.office, subject, handed, library, "fr", []),
        )  # fmt: skip
        case_id = cases.open_case(tx, opening, self.now)
        assert case_id is not None
        assert hand_over(tx, self.desk, cases.load(tx, case_id), Address(COLLEAGUE), "new", self.now)
        return case_id

    def yes(self, case_id: int) -> None:
        """The colleague who has the case replies OUI to its note."""
        self.database.write_now(self._yes, case_id)

    def _yes(self, tx: Tx, case_id: int) -> None:
        note = cases.by_delivery(tx, cases.notes_of(tx, case_id))
        assert note is not None
        library = {one.id: one for one in releases.load_all(tx)}
        reply = ColleagueReply(reason=Reason.COLLEAGUE_SENDS, note=note, meaning=SendDraft())
        take_reply(tx, self.desk, reply, 1000 + case_id, library, self.now)

    def _mail(
        self, tx: Tx, to: Address, vouched: Authentication, *, outcome: str = "send_release", offers: tuple[str, ...] = ()
    ) -> compose.Subject:
        number = next(self.numbers)
        content = f"From: {to.address}\r\n\r\n{number}".encode()
        arrival = arrival_store.Arrival(
            mailbox="INBOX", uidvalidity=7, uid=number, content=content, size=len(content), received_at=self.now
        )  # fmt: skip
        arrival_store.keep(tx, [arrival], self.now)
        stored = inbox.next_stored(tx, 1, ())[0].id
        handed = bool(offers) or outcome == "hand_off"
        made = inbox.Record(
            kind="request", outcome="hand_off" if handed else outcome, reason="topic-asked", explanation={}, language="fr",
            sender=to.address, sender_key=to.key, subject="Demande", message_id="", identity="", words="", waiting=handed, folder="mailbot",
        )  # fmt: skip
        assert inbox.record(tx, stored, made, "automatic", self.now)
        return compose_case.remembered_mail(stored, to, "Demande", self.now, vouched)

    def correct(self, new: Edition = CORRECTED) -> corrections.Done:
        return self.database.write_now(corrections.correct, self.desk, new.slug, new, "", self.now)

    def withdraw(self, reason: str = "Rien n’est vrai.") -> corrections.Done:
        return self.database.write_now(corrections.withdraw, self.desk, "fontaine", reason, self.now)

    def sent(self) -> None:
        """Whatever waits has left, as far as the queue knows."""
        taken = Reply(phase=Phase.DONE, code=250, text="ok")
        while (claimed := self.database.write_now(outbox.claim, "worker", self.now)) is not None:
            self.database.write_now(outbox.freeze, claimed, "worker", self.now, b"bytes")
            self.database.write_now(outbox.enter_doubt, claimed, "worker", self.now)
            self.database.write_now(outbox.outcome, claimed, "worker", taken, Sent(), self.now)

    def dispatcher(self, relay: LoopbackRelay, clock: Callable[[], datetime] | None = None, **changed: Any) -> Dispatcher:
        """As service.build makes it; its holder lives."""
        sending = replace(terms.sending_terms(self.settings, self.desk.office), **changed)
        self.database.write_now(lease.acquire, "process:worker", "worker", NOW, 1e9)
        return Dispatcher(
            self.database, relay.server(), sending, "worker", aftermath=Aftermath(self.desk), original=arrival_store.content,
            values=announced.values, clock=clock or (lambda: self.now),
        )  # fmt: skip

    def rows(self, who: str = "", kind: str = "") -> list[dict[str, Any]]:
        """What was queued, oldest first."""
        found = sorted(self.database.read_now(outbox.listed), key=lambda row: (row["created_at"], row["kind"], row["id"]))
        return [row for row in found if row["recipient"].startswith(who) and row["kind"].startswith(kind)]

    def unsound(self) -> list[str]:
        return self.database.read_now(broken, SECRET.encode())


def newsroom(database: Database, url: str, folder: Path) -> Newsroom:
    """Three editions of two releases, published."""
    (folder / "mailbot.toml").write_text(
        f'[organisation]\nname = "Ville de Velmora"\naddress = "presse@office.example"\nlanguages = ["fr", "en"]\n'
        f'timezone = "Africa/Bamako"\n'
        f'[inbox]\nmode = "automatic"\nhand_off_to = ["{COLLEAGUE}"]\n[database]\nurl = "{url}"\n[security]\nsecret_key = "{SECRET}"\n'
        '[smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "plain"\nrate_per_minute = 0\n[outbox]\nretry_seconds = [60, 60, 60]\n'
    )
    settings = load(folder / "mailbot.toml", {})
    loaded = languages.load([languages.shipped()])
    ids = (f"{number:016x}" for number in itertools.count(1))
    desk = terms.desk_of(settings, office_terms.office_of(settings, loaded), SECRET.encode(), loaded, lambda: next(ids))
    for edition in (FOUNTAIN, FOUNTAIN_EN, MARKET):
        database.write_now(releases.save, edition, NOW)
    for release in ("fontaine", "marche"):
        database.write_now(releases.publish, release, NOW, signatory="")
    return Newsroom(database, desk, settings)
