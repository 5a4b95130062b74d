"""The links of an announcement: each is worth something for one delivery and one purpose, and what we did not make is worth nothing."""

import pytest

from mailbot.audience import link
from mailbot.audience.journalist import Purpose

SECRET, DELIVERY = b"a key that only this test knows", "00112233445566770000002a"
MADE = link.list_link(SECRET, DELIVERY)
CHOOSES = link.preferences_link(SECRET, DELIVERY)
STOP = link.stop_token(SECRET, DELIVERY)


def test_a_link_names_its_delivery_for_its_own_purpose_alone() -> None:
    assert (link.list_delivery_of(SECRET, MADE), link.preferences_delivery_of(SECRET, CHOOSES)) == (DELIVERY, DELIVERY)
    assert (link.list_delivery_of(SECRET, CHOOSES), link.preferences_delivery_of(SECRET, MADE)) == ("", "")
    assert all(link.delivery_of(SECRET, purpose, one) == "" for purpose in Purpose for one in (MADE, CHOOSES, STOP[2:-1]))
    of_a_question = link.link_to("https://x.example", SECRET, Purpose.LEAVE, DELIVERY).rpartition("/")[2]
    assert link.list_delivery_of(SECRET, of_a_question) == ""


@pytest.mark.parametrize(
    "given",
    [MADE[:-1], MADE + "0", MADE.replace("2a", "2b", 1), "", ".", DELIVERY, MADE * 4, "é" + MADE, MADE.replace(".", "/")],
    ids=["shorter", "longer", "another delivery", "nothing", "a dot", "no seal", "endless", "a letter before it", "no dot"],
)
def test_a_link_that_we_did_not_make_names_nothing(given: str) -> None:
    assert link.list_delivery_of(SECRET, given) == link.preferences_delivery_of(SECRET, given) == ""
    assert link.list_delivery_of(b"another key", MADE) == ""


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (f"STOP {STOP}", (DELIVERY, "STOP")),
        (f"stop {STOP.upper()}", (DELIVERY, "stop")),
        (f"Re: STOP {STOP}", (DELIVERY, "Re: STOP")),
        (STOP, (DELIVERY, "")),
        ("STOP", ("", "")),
        (f"STOP [#{MADE}]", ("", "")),
        (f"STOP [#{CHOOSES}]", ("", "")),
        (f"STOP {STOP} {STOP}", ("", "")),
        (f"STOP {STOP[:-2]}]", ("", "")),
    ],
    ids=["whole", "in capitals", "answered", "alone", "no token", "of the link", "of the preferences", "two", "cut off"],
)
def test_the_token_of_a_stop_is_found_in_the_subject_and_is_no_link(subject: str, expected: tuple[str, str]) -> None:
    assert link.stopped_by(SECRET, subject) == expected
