"""What goes back at once where a person has to answer: an acknowledgement to a journalist, the office's own words to who calls for help."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailbot.database.tables import mail_part, metadata
from tests.journeys.office import COLLEAGUE, LATEST, UNCLEAR, Office, read, text_of
from tests.servers.relay import LoopbackRelay

PROTECTION = "protection@office.example"
REFERRAL = "Si vous êtes en danger, appelez le 116 : c’est gratuit.\nIf you are in danger, call 116."
CANARIES = ("Zanzoubar", "quarantefois")
PLEA = "Aidez-nous svp, nous sommes bloqués dans le désert de Zanzoubar avec des enfants, sans eau. Aidez-nous, quarantefois merci."
HOURS = {"organisation": {"hours": "lun-ven 8h-17h; Sat 09:00-12:00", "duty_number": "+223 20 22 00 00"}}
SATURDAY_AFTERNOON = datetime(2026, 12, 5, 15, tzinfo=UTC)


def everything(message: EmailMessage) -> str:
    """Every header and every part, decoded."""
    parts = [part.get_payload(decode=True) or b"" for part in message.walk() if not part.is_multipart()]
    return "\n".join([*map(str, message.values()), *(part.decode("utf-8", "replace") for part in parts if isinstance(part, bytes))])


def kept_elsewhere(office: Office) -> list[tuple[str, str]]:
    """Tables and columns that hold a word of the plea, besides the bytes of the mail itself."""
    found = []
    with office.database.engine.connect() as tx:
        for table in metadata.sorted_tables:
            for row in tx.execute(sa.select(table)).mappings() if table is not mail_part else ():
                for name, value in row.items():
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    found += [(table.name, name)] if any(canary.lower() in text.lower() for canary in CANARIES) else []
    return found


def shows(text: str) -> bool:
    return any(canary.lower() in text.lower() for canary in CANARIES)


@pytest.mark.parametrize("protection_to", [PROTECTION, ""])
@pytest.mark.parametrize("referral", [REFERRAL, ""])
async def test_a_call_for_help_is_a_pointer_and_the_offices_own_words(
    office: Office, relay: LoopbackRelay, protection_to: str, referral: str
) -> None:
    office.configure({"inbox": {"protection_to": protection_to, "referral": referral}})
    office.ask(PLEA, subject="Zanzoubar, au secours")
    said = await office.commanded("run", "--once")
    number = office.mails()[0]["id"]
    assert not shows(said.stdout + said.stderr)
    back = [got for got in relay.mails if got.recipient == "awa@journal.example"]
    assert [text_of(got.content).split() for got in back] == ([referral.split()] if referral else [])
    (pointer,) = [got for got in relay.mails if got not in back]
    assert pointer.recipient == (protection_to or COLLEAGUE)
    assert f"mailbot inbox show {number} --protected" in text_of(pointer.content)
    assert ("texte d’orientation" in text_of(pointer.content)) == bool(referral)
    assert "awa" not in everything(read(pointer.content)).lower()
    assert not any(shows(everything(read(got.content))) for got in relay.mails)
    assert kept_elsewhere(office) == []
    assert office.unsound() == []
    assert (office.lying("mailbot/attention"), office.mails()[0]["waiting"]) == (1, True)


async def test_a_call_for_help_that_cannot_be_dealt_with_says_no_word_either(office: Office, relay: LoopbackRelay, tmp_path: Path) -> None:
    """Three times an error, which may quote what it failed at; then a note, and no original with it: nobody can say what it is."""
    (tmp_path / "words/fr").mkdir(parents=True)
    (tmp_path / "words/fr/protection.txt.j2").write_text("{# An office's own, which is broken. #}{{ organisation.nothing }}")
    office.configure({"folders": {"templates": str(tmp_path / "words")}, "inbox": {"protection_to": PROTECTION}})
    office.ask(PLEA, subject="Zanzoubar, au secours")
    said = await office.commanded("run", "--once")
    (row,) = office.mails()
    assert (row["reason"], row["fault"], row["waiting"]) == ("unreadable", "TemplateFault", True)
    assert "mail-fault" in said.stderr
    assert not shows(said.stdout + said.stderr)
    assert [got.recipient for got in relay.mails] == [COLLEAGUE]
    assert not any(shows(everything(read(got.content))) for got in relay.mails)
    assert kept_elsewhere(office) == []


async def test_its_words_are_shown_to_who_asks_for_them_and_in_no_list(office: Office) -> None:
    office.ask(PLEA, subject="Zanzoubar, au secours")
    await office.once()
    number = str(office.mails()[0]["id"])
    for command in (["list"], ["list", "--json"], ["show", number], ["show", number, "--json"], ["replay", number]):
        done = await office.commanded("inbox", *command)
        assert not shows(done.stdout + done.stderr), command
    assert "(withheld)" in (await office.commanded("inbox", "list")).stdout
    shown = (await office.commanded("inbox", "show", number, "--protected")).stdout
    assert all(canary in shown for canary in CANARIES)
    assert kept_elsewhere(office) == []


async def test_who_called_for_help_gets_no_release_until_somebody_has_dealt_with_it(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"protection_to": PROTECTION, "referral": REFERRAL}})
    office.ask(PLEA)
    await office.once()
    office.ask(LATEST, subject="Zanzoubar")
    await office.once()
    assert [got.recipient for got in relay.mails] == ["awa@journal.example", PROTECTION, PROTECTION], "one referral, two pointers"
    assert office.mails()[-1]["reason"] == "help-is-open"
    assert kept_elsewhere(office) == []
    for row in office.mails():
        await office.commanded("inbox", "close", str(row["id"]))
    office.ask(LATEST, number=2)
    await office.once()
    assert [row["release"] for row in office.deliveries("answer")] == ["fontaine-rouverte"]


async def test_the_list_of_what_waits_says_no_word_of_it(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_offs_per_hour": 1}})
    shown = [datetime.now(UTC)]
    parts = office.parts(lambda: shown[0])
    await parts.summariser.once()
    parts.database.close()
    for number in range(2):
        office.ask(PLEA, subject="Zanzoubar", number=number)
    await office.once(lambda: shown[0])
    shown[0] += timedelta(hours=2)
    await office.once(lambda: shown[0])
    assert [row["kind"] for row in office.deliveries()] == ["hand_off", "digest"]
    list_ = everything(read(relay.mails[-1].content))
    assert "message n° 2" in list_.replace("\u00a0", " ")
    assert not shows(list_)
    assert "awa@" not in list_


# --- acknowledgements ---


async def test_out_of_hours_a_journalist_reads_when_somebody_will_be_there_and_whom_to_call(
    office_on_either: Office, relay: LoopbackRelay
) -> None:
    office = office_on_either
    office.configure(HOURS)
    office.ask(UNCLEAR, subject="Les hirondelles")
    await office.once(lambda: SATURDAY_AFTERNOON)
    got = next(got for got in relay.mails if got.recipient == "awa@journal.example")
    said, message = " ".join(text_of(got.content).split()), read(got.content)
    assert "Il rouvre lundi 7 décembre 2026 à 8 h 00 (GMT)." in said
    assert "+223 20 22 00 00" in said
    assert COLLEAGUE not in everything(message), "a colleague's own address is nobody's business"
    assert (message["Subject"], message["Auto-Submitted"]) == ("Re: Les hirondelles", "auto-replied")
    assert message["In-Reply-To"] is not None
    assert [len(office.deliveries(kind)) for kind in ("acknowledgement", "hand_off")] == [1, 1]
    assert office.unsound() == []


async def test_it_comes_once_a_day_and_counts_as_no_answer(office: Office, relay: LoopbackRelay) -> None:
    for number in range(3):
        office.ask(UNCLEAR, number=number)
    await office.once()
    office.ask(LATEST)
    await office.once()
    assert [got.recipient for got in relay.mails].count("awa@journal.example") == 2
    assert [len(office.deliveries(kind)) for kind in ("acknowledgement", "answer")] == [1, 1]


async def test_nothing_that_an_unauthenticated_sender_wrote_goes_back(office: Office, relay: LoopbackRelay) -> None:
    office.configure(HOURS)
    office.ask("Pourquoi les hirondelles Zanzoubar ?", subject="Zanzoubar", vouched=False)
    await office.once()
    got = next(got for got in relay.mails if got.recipient == "awa@journal.example")
    assert not shows(everything(read(got.content)))
    assert read(got.content)["Subject"] == "Votre message au service de presse (Ville de Velmora)"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"headers": {"List-Id": "<liste.journal.example>"}}, id="a list"),
        pytest.param({"headers": {"X-Auto-Response-Suppress": "All"}}, id="who wants no replies"),
        pytest.param({"headers": {"Auto-Submitted": "auto-replied"}}, id="an auto-reply"),
        pytest.param({"headers": {"Precedence": "bulk"}}, id="bulk"),
        pytest.param({"sender": f"Chef <{COLLEAGUE}>"}, id="a colleague"),
    ],
)
async def test_no_machine_and_no_colleague_is_acknowledged(office: Office, given: dict[str, Any]) -> None:
    office.ask(UNCLEAR, **given)
    await office.once()
    assert office.deliveries("acknowledgement") == []


@pytest.mark.parametrize("mode", ["draft", "observe"])
async def test_only_automatic_mode_writes_to_journalists(office: Office, relay: LoopbackRelay, mode: str) -> None:
    office.configure({"inbox": {"mode": mode, "referral": REFERRAL}})
    office.ask(UNCLEAR)
    office.ask(PLEA, sender="Moussa <moussa@journal.example>")
    await office.once()
    assert {got.recipient for got in relay.mails} == ({COLLEAGUE} if mode == "draft" else set())
    assert kept_elsewhere(office) == []
