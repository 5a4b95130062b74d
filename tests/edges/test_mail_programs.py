"""Laws of the words of mail programs: every phrase can be found, and says nothing twice."""

from mailbot import mail_programs
from mailbot.inbox.automatic_mail import words_of

SHIPPED = mail_programs.shipped()


def test_every_phrase_of_an_answering_machine_has_words() -> None:
    for phrases in (SHIPPED.automatic_subject, SHIPPED.perhaps_subject, SHIPPED.automatic_text):
        assert [phrase for phrase in phrases if not words_of(phrase).strip()] == []


def test_no_phrase_stands_twice() -> None:
    folded = [words_of(phrase) for phrase in (*SHIPPED.automatic_subject, *SHIPPED.perhaps_subject)]
    assert sorted({phrase for phrase in folded if folded.count(phrase) > 1}) == []


def test_a_phrase_that_a_person_might_write_is_long_enough_to_mean_it() -> None:
    assert [phrase for phrase in SHIPPED.automatic_text if len(words_of(phrase).split()) < 2] == []
