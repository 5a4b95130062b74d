"""Laws of our signed ids: only we can make one, for one purpose, and it survives what mail systems do to it."""

import pytest

from mailbot.message import token

SECRET = b"s" * 32
ID = token.message_id(SECRET, "d0f3", "press.example.org")


def test_our_message_id_leads_back_to_its_delivery() -> None:
    assert token.own_delivery(SECRET, ID) == "d0f3"
    assert token.own_delivery(SECRET, f" {ID[1:-1]} ") == "d0f3"
    assert token.message_id(SECRET, "d0f3", "press.example.org") == ID


def test_a_seal_holds_at_least_128_bits() -> None:
    assert len(bytes.fromhex(token.seal(SECRET, "x", "y"))) >= 16


@pytest.mark.parametrize("forged", [
    "", "<>", "<a@b>", ID.replace("d0f3", "d0f4"), ID.replace(".", ".0", 2), ID[:-30] + ID[-29:], "<mb.d0f3.@press.example.org>",
    token.message_id(b"another" * 5, "d0f3", "press.example.org"),
    f"<mb.d0f3.{token.seal(SECRET, 'unsubscribe', 'd0f3')}@press.example.org>",
    "<mb.d0f3." + "0" * 32 + "@x>", ID + ID, "<mb." + "a" * 100_000 + ">", "<mb.d0f3." + "é" * 32 + "@x>",
], ids=lambda text: ascii(text)[:40])
def test_what_we_did_not_make_is_not_ours(forged: str) -> None:
    assert token.own_delivery(SECRET, forged) is None


def test_a_seal_is_bound_to_its_purpose_and_value() -> None:
    made = token.seal(SECRET, "unsubscribe", "a")
    assert token.is_sealed(SECRET, "unsubscribe", "a", made)
    assert not token.is_sealed(SECRET, "confirm", "a", made)
    assert not token.is_sealed(SECRET, "unsubscribe", "b", made)
    assert not token.is_sealed(SECRET, "unsubscribe", "a", "é\ud800")


def test_the_token_in_a_subject_is_a_seal_of_its_own_and_is_found_whatever_stands_around_it() -> None:
    made = token.subject_token(b"secret", "d1")
    assert len(made) == 26, "128 bits in base 32"
    assert len({made, token.subject_token(b"secret", "d2"), token.subject_token(b"other", "d1")}) == 3
    assert token.seal(b"secret", "message-id", "d1") != token.seal(b"secret", "subject", "d1")
    for subject in (f"RE: À traiter [#{made}]", f"[EXTERNAL] tr : note [#{made.upper()}] fin"):
        assert token.in_brackets(subject) == made
    for subject in ("", f"#{made}", f"[#{made}a]", f"[#{made[:-1]}]", "[#" + "1" * 26 + "]"):
        assert token.in_brackets(subject) == ""
