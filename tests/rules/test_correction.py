"""What a reader finds changed, what a correction may not do, and who has to be told of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mailbot.message.address import Address
from mailbot.releases.correction import CannotCorrect, Correction, Received, corrected, to_be_told
from mailbot.releases.release import Edition, Release, State
from mailbot.releases.sentence_difference import Change, Part, difference, sentences

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = Edition(
    slug="pont", release="pont", language="fr", title="Un pont s’ouvre", date=date(2026, 5, 4), state=State.PUBLISHED, topics=("ponts",),
    body="Ségou – Le pont ouvre. Il a coûté 44 697 florins. « Enfin ! » dit le maire.\n\n- Un bac reste.",
)  # fmt: skip


def changed(**fields: object) -> list[tuple[str, str, str]]:
    return [(change.part, change.before, change.after) for change in difference(OLD, replace(OLD, **fields))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("Ségou – M. Keïta est là. Le Dr. Sy aussi. Fin.", ["Ségou – M. Keïta est là.", "Le Dr. Sy aussi.", "Fin."]),
        ("« Enfin ! » a dit le maire. « C’est fini. » Tous rient.", ["« Enfin ! » a dit le maire.", "« C’est fini. »", "Tous rient."]),
        ("It cost 9.5 million. See https://a.example. 3 died.", ["It cost 9.5 million.", "See https://a.example.", "3 died."]),
        ("The U.S. Army left. “Yes!” J. Smith is at the UN. Done", ["The U.S. Army left.", "“Yes!”", "J. Smith is at the UN.", "Done"]),
        ("", []),
    ],
)  # fmt: skip
def test_a_paragraph_is_cut_where_sentences_end(paragraph: str, expected: list[str]) -> None:
    assert list(sentences(paragraph)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"topics": (), "body": OLD.body.replace("- Un", "* Un")}, []),
        ({"body": OLD.body.replace("44 697", "44 967")}, [("text", "Il a coûté 44 697 florins.", "Il a coûté 44 967 florins.")]),
        (
            {"body": OLD.body.replace("Il a coûté 44 697", "Le ministre est venu. Il a coûté 44 967")},
            [("text", "", "Le ministre est venu."), ("text", "Il a coûté 44 697 florins.", "Il a coûté 44 967 florins.")],
        ),
        ({"body": OLD.body.replace("\n\n- Un bac reste.", "")}, [("text", "- Un bac reste.", "")]),
        (
            {"title": "Un pont ferme", "date": date(2026, 5, 5), "place": "Ségou", "contact": "Awa"},
            [
                ("title", "Un pont s’ouvre", "Un pont ferme"), ("place", "", "Ségou"), ("date", "2026-05-04", "2026-05-05"),
                ("contact", "", "Awa"),
            ],
        ),
    ],
    ids=["nothing", "what no reader sees", "a figure", "a sentence added before it", "a line gone", "around the text"],
)  # fmt: skip
def test_old_and_new_sentence_stand_side_by_side(fields: dict[str, object], expected: list[tuple[str, str, str]]) -> None:
    assert changed(**fields) == expected


def test_in_both_sentences_exactly_the_other_words_are_marked() -> None:
    before, after = Change(Part.TEXT, "Il a coûté 44 697 florins, dit-il.", "Il a coûté 44 967 florins.").pieces()
    assert [one.text for one in before if one.changed] == ["44 697", ", dit-il"]
    assert [one.text for one in after if one.changed] == ["44 967"]
    assert "".join(one.text for one in before) == "Il a coûté 44 697 florins, dit-il."
    assert not any(one.changed for side in Change(Part.TEXT, "", "Tout est neuf.").pieces() for one in side)


def correct(read: Edition, old: Edition = OLD, *others: Edition) -> Edition:
    return corrected(old, read, Release("pont", (old, *others)), NOW)


def test_a_correction_keeps_whose_it_is_and_what_the_file_need_not_say() -> None:
    held = replace(OLD, embargo=NOW + timedelta(days=1))
    read = Edition(slug="un-pont-ferme", release="un-pont-ferme", language="fr", title="Un pont ferme", date=date(2026, 5, 4), body="Non.")
    new = correct(read, held)
    assert (new.slug, new.release, new.state, new.topics, new.embargo, new.title) == (
        "pont", "pont", State.PUBLISHED, ("ponts",), held.embargo, "Un pont ferme",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "read", "says"),
    [
        (replace(OLD, state=State.DRAFT), OLD, "release import"),
        (replace(OLD, state=State.WITHDRAWN), OLD, "release publish"),
        (OLD, replace(OLD, language="en"), "in 'fr', and the file in 'en'"),
        (OLD, replace(OLD, embargo=NOW + timedelta(seconds=1)), "No embargo takes back what is public"),
    ],
    ids=["a draft", "withdrawn", "another language", "an embargo on what is public"],
)
def test_what_is_no_correction_is_refused(old: Edition, read: Edition, says: str) -> None:
    with pytest.raises(CannotCorrect, match=says):
        correct(read, old)


def test_told_is_who_last_got_another_text_than_it_has_now_where_a_reader_sees_it() -> None:
    new, format_only = replace(OLD, body="Autre."), replace(OLD, topics=())
    past = {edition.content_hash: edition for edition in (OLD, replace(new, topics=()))}

    def who(**hashes: str) -> list[str]:
        got = [
            Received(
                recipient=Address(f"{name}@a.example"), edition="pont", content_hash=content, language="fr", full=True, message_id="",
                references=(), at=NOW,
            )
            for name, content in hashes.items()
        ]  # fmt: skip
        made = Correction(id=1, release="pont", edition="pont", content_hash=new.content_hash, reason="", at=NOW)
        return [one.recipient.address[0] for one in to_be_told(made, got, past, new)]

    same = replace(new, topics=()).content_hash
    held = {"a": OLD.content_hash, "b": new.content_hash, "c": "", "d": "a text that nobody kept", "e": same}
    assert who(**held) == ["a", "d"]
    gone = Correction(id=2, release="pont", edition="", content_hash="", reason="", at=NOW)
    assert gone.withdraws
    assert format_only.content_hash != OLD.content_hash
