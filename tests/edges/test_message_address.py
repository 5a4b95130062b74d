"""Laws of addresses: who is the same person, and which spellings are no address at all."""

import pytest

from mailbot.message import address


@pytest.mark.parametrize(("text", "expected", "name"), [
    ("a@b.org", "a@b.org", ""),
    ("  Awa Traoré <Awa.Traore@Example.ORG> ", "Awa.Traore@example.org", "Awa Traoré"),
    ('"Traoré, Awa" <a@b.org>', "a@b.org", "Traoré, Awa"),
    ("=?utf-8?q?Awa_Traor=C3=A9?= <a@b.org>", "a@b.org", "Awa Traoré"),
    ("o'brien+press@b.org", "o'brien+press@b.org", ""),
    ("x@faß.de", "x@xn--fa-hia.de", ""),
    ("x@xn--fa-hia.de", "x@xn--fa-hia.de", ""),
    ("jörg@b.org", "jörg@b.org", ""),
    ("a@localhost", "a@localhost", ""),
])
def test_one_plain_address_is_read(text: str, expected: str, name: str) -> None:
    found = address.parse(text)
    assert found is not None
    assert (found.address, found.name) == (expected, name)


@pytest.mark.parametrize("text", [
    "", "nobody", "a@", "@b.org", "a@b.org, c@d.org", "<a@b.org><c@d.org>", "comms@un.int <evil@evil.com>", '"a b"@c.org', "a@[127.0.0.1]",
    "a@127.0.0.1", "a..b@c.org", ".a@c.org", "a@b..org", "a@-b.org", "a@b_c.org", "a b@c.org", "x@y>\r\nRCPT TO:<evil@z", "a@b.org\0",
    "a" * 65 + "@b.org", "a@" + "b" * 64 + ".org", "a@" + ".".join(["abcdefgh"] * 40), "admin＠un.int", "admin@un。int", "a@ⓤn.int",
    "a@\u212aenya.org", "\u212aofi@un.int", "a\u202e@b.org", "a\u200b@b.org", "team: a@b.org, c@d.org;",
], ids=ascii)
def test_what_is_not_one_plain_address_is_none(text: str) -> None:
    assert address.parse(text) is None


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Awa@Example.org", "awa@EXAMPLE.ORG", True),
    ("e\u0301ric@b.org", "éric@b.org", True),
    ("a@FASS.de", "a@faß.de", False),
    ("a@xn--fa-hia.de", "a@faß.de", True),
    ("a+press@b.org", "a@b.org", False),
    ("a.b@gmail.com", "ab@gmail.com", False),
    ("É@b.org", "é@b.org", False),
    ("kofi@un.int", "\u212aofi@un.int", False),
])
def test_the_key_says_who_is_the_same_person(one: str, other: str, same: bool) -> None:
    assert (address.key(one) == address.key(other)) is same
    assert address.key(one)


def test_an_invalid_address_has_no_key() -> None:
    assert address.key("nobody") == address.cap_key("nobody") == ""


@pytest.mark.parametrize(("one", "other", "same"), [
    ("a+1@b.org", "a+2@b.org", True),
    ("a.b+x@gmail.com", "ab@googlemail.com", False),
    ("a.b+x@gmail.com", "AB@gmail.com", True),
    ("a.b@b.org", "ab@b.org", False),
])
def test_rate_caps_count_the_spellings_of_one_mailbox_together(one: str, other: str, same: bool) -> None:
    assert (address.cap_key(one) == address.cap_key(other)) is same


def test_a_name_is_one_safe_line_of_a_hundred_characters() -> None:
    found = address.parse('"' + "Awa\r\nBcc: x@y\u202e\x00\x9b " * 300 + '" <a@b.org>'[:20])
    assert found is None or not set("\r\n\0\u202e\x9b") & set(found.name)
    long, _ = address.mailboxes('"' + "é" * 5000 + '" <a@b.org>')
    assert long[0] is not None
    assert len(long[0].name) == address.NAME_LIMIT


@pytest.mark.parametrize(("value", "plain"), [
    ("awa@b.org", True),
    ("Awa <awa@b.org>", True),
    ("Awa J. Traoré <awa@b.org>", True),
    ('"Traoré, Awa" <awa@b.org>', True),
    ('"comms@un.int" <evil@evil.com>', True),
    ("=?utf-8?q?Awa?= <awa@b.org>", True),
    ("O'Brien <o'brien@b.org>", True),
    ("comms@un.int <evil@evil.com>", False),
    ("<comms@un.int><evil@evil.com>", False),
    ("comms@un.int, evil@evil.com", False),
    ("alice@example.org)bob@evil.com", False),
    ("comms@un.int (x) <evil@evil.com>", False),
    ("team: awa@b.org;", False),
    ("<@evil.com:comms@un.int>", False),
    ('"awa"@b.org', False),
    ('"a\\"@b.org', False),
    ("=?utf-8?q?comms?=@un.int", False),
    ("<=?utf-8?q?comms=40un.int?=>", False),
    ("awa@été.fr", False),
    ("awa@b.org\ufffd", False),
    ("awa@b.org\x01", False),
    ("Awa < awa@b.org >", False),
    ("A" * 1000 + " <awa@b.org>", False),
])
def test_plain_is_only_what_no_two_programs_read_differently(value: str, plain: bool) -> None:
    assert address.is_plain(value) is plain


def test_every_mailbox_of_a_list_is_found_and_groups_are_named() -> None:
    found, group = address.mailboxes('Press: "A, B" <a@b.org>, (c, d) c@d.org; , e@f.org, undisclosed')
    assert [box and box.address for box in found] == ["a@b.org", "c@d.org", "e@f.org", None]
    assert group
