"""Laws of hard and soft: only what is said of the address or its domain ends a reader's mail at once."""

import pytest

from mailbot import bounces
from mailbot.message.severity import HARD_MEANINGS, SOFT_MEANINGS, severity


@pytest.mark.parametrize(
    ("status", "meaning", "expected"),
    [
        pytest.param("5.1.1", "", "hard", id="nobody there"),
        pytest.param("5.1.2", "", "hard", id="no such domain"),
        pytest.param("5.1.6", "", "hard", id="moved"),
        pytest.param("5.1.10", "", "hard", id="the domain takes no mail"),
        pytest.param("", "unknown-user", "hard", id="in words"),
        pytest.param("5.0.0", "unknown-host", "hard", id="a status that says nothing, and words"),
        pytest.param("5.2.1", "unknown-user", "hard", id="mailbox disabled, and words"),
        pytest.param("5.2.1", "", "soft", id="mailbox disabled"),
        pytest.param("5.1.0", "", "soft", id="something about an address"),
        pytest.param("5.1.7", "unknown-host", "soft", id="our own address"),
        pytest.param("5.1.8", "", "soft", id="our own domain"),
        pytest.param("5.2.2", "unknown-user", "soft", id="full, whatever the words"),
        pytest.param("5.1.1", "full", "soft", id="a wrong status for a full mailbox"),
        pytest.param("5.1.1", "policy", "soft", id="a wrong status for a policy"),
        pytest.param("5.7.1", "", "soft", id="policy"),
        pytest.param("5.7.26", "unknown-user", "soft", id="policy, whatever the words"),
        pytest.param("5.7.509", "takes-no-mail", "soft", id="policy of a large receiver"),
        pytest.param("4.1.1", "unknown-user", "soft", id="for now"),
        pytest.param("5.0.0", "refused", "soft", id="an unknown user that is not proven"),
        pytest.param("", "", "soft", id="nothing said"),
    ],
)
def test_what_follows_from_a_failure(status: str, meaning: str, expected: str) -> None:
    assert severity("failed", status, meaning) == expected


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_did_not_fail_is_never_hard(action: str) -> None:
    assert severity(action, "5.1.1", "unknown-user") == "soft"


@pytest.mark.parametrize("minor", range(0, 1000, 37))
def test_no_policy_is_ever_the_readers_fault(minor: int) -> None:
    assert {severity("failed", f"5.7.{minor}", meaning) for meaning in ("", *HARD_MEANINGS, *SOFT_MEANINGS)} == {"soft"}


def test_every_meaning_of_the_shipped_words_is_in_the_table() -> None:
    named = {name for name, _ in bounces.shipped().meanings}
    assert named | {"refused"} == HARD_MEANINGS | SOFT_MEANINGS
    assert HARD_MEANINGS.isdisjoint(SOFT_MEANINGS)


def test_what_speaks_for_patience_is_asked_before_what_speaks_for_giving_up() -> None:
    meaning = bounces.shipped().meaning
    assert meaning("user unknown or mailbox full") == "full"
    assert meaning("sender address rejected: domain not found") == "sender-refused"
    assert meaning("no such user; blocked using a blocklist") == "policy"
    assert meaning("553 5.3.0 <a@b.example>... Addressee unknown, relay=[192.0.2.1]") == "unknown-user"
    assert meaning("550 relaying denied, user unknown") == "policy"
    assert meaning("This person's account is exceeding their quota. No such user") == "full"
