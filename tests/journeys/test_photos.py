"""Photos from a release to a journalist's mail program: the contact sheet, one photo, and a consent that ends while the answer waits."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO

from PIL import Image

from mailbot import clock, service
from mailbot.outbox import store as outbox
from mailbot.releases import photo_store
from mailbot.releases.picture import picture_of
from tests.journeys.office import COLLEAGUE, FOUNTAIN, Office, read, text_of
from tests.journeys.test_answer_back import AWA, first_answer, gmail, iphone, replied
from tests.samples.pictures import photo
from tests.servers.relay import LoopbackRelay

ENDS = datetime(2099, 7, 1, tzinfo=UTC)


def attach(office: Office, number: int, caption: str, credit: str = "", ends: datetime | None = None) -> None:
    told = photo_store.Told(captions={"fr": caption}, credit=credit, ends=(ends,))
    office.database.write_now(photo_store.attach, FOUNTAIN, picture_of(photo(number)), told, clock.now())


def file_of(mail: EmailMessage) -> tuple[str, Image.Image, int]:
    (part,) = mail.iter_attachments()
    content = part.get_content()
    return f"{part.get_content_type()} {part.get_filename()}", Image.open(BytesIO(content)), len(content)


async def test_photos_by_a_word_one_by_its_number_and_by_a_plain_wish(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"answers_per_address_per_day": 9}})
    attach(office, 1, "La fontaine, au soir", "Ville de Velmora", ENDS)
    attach(office, 2, "Le chantier")
    attach(office, 3, "Les ouvriers", ends=datetime(2026, 1, 1, tzinfo=UTC))
    answer = await first_answer(office, relay)
    assert "Répondez d’un mot : EN, TEXTE, PDF, PHOTOS, CONTACT, STOP ou AIDE." in text_of(relay.mails[-1].content)

    listed = await replied(office, relay, gmail("PHOTOS", answer))
    name, sheet, octets = file_of(listed)
    assert (name, sheet.format, octets < 60_000) == (f"image/jpeg {FOUNTAIN}-photos.jpg", "JPEG", True)
    words = " ".join(text_of(office.taken(relay)[-1].content).split())
    assert "1. La fontaine, au soir Photo : Ville de Velmora 600 × 400 pixels, 0,1 Mo – utilisable jusqu’au 30 juin 2099" in words
    assert "2. Le chantier 600 × 400 pixels" in words
    assert "ouvriers" not in words
    assert "répondez PHOTO et son numéro, par exemple : PHOTO 1." in words

    name, image, _ = file_of(await replied(office, relay, iphone("PHOTO 2", listed)))
    assert (name, image.size) == (f"image/jpeg {FOUNTAIN}-photo-2.jpg", (600, 400))
    (queued,) = [row for row in office.deliveries() if row["variant"] == "photo-2"]
    shown = office.database.read_now(outbox.shown, queued["id"])
    assert shown is not None and shown["raw"] == office.taken(relay)[-1].content

    wished = await replied(office, relay, gmail("Merci beaucoup ! Auriez-vous aussi des photos ?", answer))
    assert file_of(wished)[0] == f"image/jpeg {FOUNTAIN}-photos.jpg"
    office.ask("Bonjour,\n\nPourriez-vous m'envoyer les photos du communiqué sur la fontaine ?\n", sender="bob@paper.example")
    await office.once()
    both = [read(got.content) for got in office.taken(relay) if got.recipient == "bob@paper.example"]
    assert sorted(len(list(mail.iter_attachments())) for mail in both) in ([1], [0, 1])
    assert office.unsound() == []
    gone = await replied(office, relay, gmail("PHOTO 3", listed))
    assert gone["To"].addresses[0].addr_spec == COLLEAGUE


async def test_an_answer_whose_photo_may_not_be_shown_any_more_does_not_leave(office: Office, relay: LoopbackRelay) -> None:
    ends = clock.now() + timedelta(hours=1)
    attach(office, 1, "La fontaine", ends=ends)
    attach(office, 2, "Le chantier")
    answer = await first_answer(office, relay)
    for word in ("PHOTOS", "PHOTO 1"):
        office.deliver(gmail(word, answer).as_bytes(), sender=AWA)
    office.ask("Bonjour,\n\nPourriez-vous m'envoyer les photos de votre dernier communiqué ?\n", sender="bob@paper.example")
    await service.run_once(office.parts(), ("inbox",))
    assert [row["state"] for row in office.deliveries() if row["variant"]] == ["queued"] * 3
    before = len(office.taken(relay))
    await office.once(lambda: ends)
    came = [read(got.content) for got in office.taken(relay)[before:]]
    assert {mail["To"].addresses[0].addr_spec for mail in came} == {COLLEAGUE}
    assert "photo 1 of fontaine-rouverte was changed, or may not be shown any more" in text_of(office.taken(relay)[-1].content)
    assert [row["state"] for row in office.deliveries() if row["variant"]] == ["cancelled"] * 3
    assert office.unsound() == []


async def test_in_draft_mode_a_colleagues_yes_sends_the_photos_that_may_still_be_shown(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    attach(office, 1, "La fontaine", ends=clock.now() + timedelta(hours=1))
    attach(office, 2, "Le chantier")
    office.ask("Bonjour,\n\nPourriez-vous m'envoyer les photos de votre dernier communiqué ?\n")
    await office.once()
    note = read(relay.mails[-1].content)
    assert "1. La fontaine" in text_of(relay.mails[-1].content)
    yes = EmailMessage()
    yes["From"], yes["To"], yes["Subject"] = COLLEAGUE, note["Reply-To"], f"Re: {note['Subject']}"
    yes["Authentication-Results"] = "mx.office.example; dmarc=pass header.from=office.example"
    yes["In-Reply-To"], yes["Message-ID"] = note["Message-ID"], "<yes@office.example>"
    yes.set_content("OUI\n")
    office.deliver(yes.as_bytes(), sender=COLLEAGUE)
    await office.once(lambda: clock.now() + timedelta(hours=2))
    sent = next(got for got in relay.mails if got.recipient == AWA)
    assert file_of(read(sent.content))[0] == f"image/jpeg {FOUNTAIN}-photos.jpg"
    assert "2. Le chantier" in text_of(sent.content)
    assert "La fontaine\r\n" not in text_of(sent.content)
