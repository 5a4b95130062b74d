"""Laws of reports with parts for machines: what they say is read, and their words where they say too little."""

import pytest

from mailbot.message.incoming import IncomingMessage, parse
from mailbot.message.severity import severity

DAEMON = "From: MAILER-DAEMON@relay.example\nSubject: Returned mail"
AWA = "awa@paper.example"
UNKNOWN = "550 User unknown"
MICROSOFTS = "550 5.4.1 Recipient address rejected: Access denied"
FRENCH = "550 5.5.0 Adresse destinataire invalide."
RETURNED = "Content-Type: message/rfc822\n\nMessage-ID: <mb.7.seal@office.example>\nTo: awa@paper.example\nSubject: x\n\nx"


def read(text: str, *parts: str, kind: str = "delivery-status", top: str = DAEMON) -> IncomingMessage:
    head = f"{top}\nTo: media@office.example\nMIME-Version: 1.0\n"
    body = "".join(f"--b\n{part}\n" for part in (f"Content-Type: text/plain\n\n{text}", *parts))
    found = parse(f'{head}Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n{body}--b--\n'.encode())
    assert isinstance(found, IncomingMessage), found
    return found


def status(*groups: str) -> str:
    return "Content-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n" + "\n\n".join(groups) + "\n"


def seen(message: IncomingMessage) -> list[tuple[str, str, str]]:
    return [(one.recipient, one.status, severity(one.action, one.status, one.meaning)) for one in message.reported]


def group(action: str = "failed", code: str = "5.1.1", said: str = "", who: str = AWA) -> str:
    return f"Final-Recipient: rfc822; {who}\nAction: {action}\nStatus: {code}" + (f"\nDiagnostic-Code: smtp; {said}" if said else "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(group(), (AWA, "5.1.1", "hard"), id="nobody"),
        pytest.param(group(said="550 5.7.1 blocked using a blocklist"), (AWA, "5.7.1", "soft"), id="the answer knows better"),
        pytest.param(group(said="552 5.2.2 Over quota"), (AWA, "5.2.2", "soft"), id="full, with the status of an unknown user"),
        pytest.param(group(code="5.0.0", said="550 5.1.1 no"), (AWA, "5.1.1", "hard"), id="a status that says nothing"),
        pytest.param(group(code="5.0.0", said=f"{UNKNOWN} (in reply to RCPT TO command)"), (AWA, "5.0.0", "hard"), id="when named"),
        pytest.param(group(code="5.0.0", said=f"{UNKNOWN} (in reply to end of DATA command)"), (AWA, "5.0.0", "soft"), id="by a filter"),
        pytest.param(group(code="5.0.0", said=UNKNOWN), (AWA, "5.0.0", "soft"), id="not known when"),
        pytest.param(group("delayed", "4.4.1", "connection timed out"), (AWA, "4.4.1", "soft"), id="late"),
        pytest.param(group("delivered", "2.1.5"), (AWA, "", "soft"), id="arrived"),
        pytest.param(group(code="5.1.1 (bad destination mailbox)"), (AWA, "5.1.1", "hard"), id="with a comment"),
        pytest.param(group(code="5.4.1", said=MICROSOFTS), (AWA, "5.4.1", "hard"), id="Microsoft's nobody"),
        pytest.param(group(code="5.5.0", said=FRENCH), (AWA, "5.5.0", "hard"), id="a French provider's"),
        pytest.param(group(code="5.0.0", who="x; y"), ("x; y", "", ""), id="no address"),
    ],
)  # fmt: skip
def test_a_status_part_is_read(fields: str, expected: tuple[str, str, str]) -> None:
    message = read("Sorry.", status(fields), RETURNED)
    assert seen(message) == [expected] if "@" in expected[0] else all("@" in one.recipient for one in message.reported)
    assert message.returned_ids == ("<mb.7.seal@office.example>",)


def test_the_diagnostic_is_kept() -> None:
    message = read("", status(group(said="550 5.1.1 <awa@paper.example>\n not here")))
    assert message.reported[0].diagnostic == "smtp; 550 5.1.1 <awa@paper.example> not here"


def test_the_address_that_failed_and_the_one_we_wrote_to_are_both_named() -> None:
    fields = f"Original-Recipient: rfc822; {AWA}\nFinal-Recipient: rfc822; a.kone@mail.example\nAction: failed\nStatus: 5.1.1"
    assert [one.recipient for one in read("", status(fields)).reported] == ["a.kone@mail.example", AWA]


def test_recipients_are_told_apart_with_and_without_a_blank_line() -> None:
    ben = group(code="5.2.2", who="ben@radio.example")
    for groups in ((group(), ben), (f"{group()}\n{ben}",)):
        assert seen(read("", status(*groups))) == [(AWA, "5.1.1", "hard"), ("ben@radio.example", "5.2.2", "soft")]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("<awa@paper.example>: mailbox is full", status(), id="no recipient in the part"),
        pytest.param("<awa@paper.example>: mailbox is full", RETURNED, id="no part"),
        pytest.param("<awa@paper.example>: mailbox is full", status(group(code="")), id="no status"),
        pytest.param("awa@paper.example\n    The mailbox of Awa is full", status(group(code="5.0.0")), id="a status without a meaning"),
        pytest.param("pipe to |/bin/x awa@paper.example: mailbox is full",
                     status("Final-Recipient: rfc822;|/bin/x awa@paper.example\nAction: failed\nStatus: 5.0.0"), id="a program"),
    ],
)  # fmt: skip
def test_where_the_part_falls_short_the_words_are_read(text: str, part: str) -> None:
    message = read(f"Your message could not be delivered.\n\n{text}\n", part)
    assert [(one.recipient, one.meaning) for one in message.reported] == [(AWA, "full")]


def test_a_gateway_that_wraps_a_report_passes_it_on() -> None:
    inner = f"From: a@b.example\nContent-Type: multipart/report; boundary=c\n\n--c\n{status(group())}--c--\n"
    assert seen(read("", f"Content-Type: message/rfc822\n\n{inner}")) == [(AWA, "5.1.1", "hard")]


@pytest.mark.parametrize("value", ["utf-8; aw\\x{E9}@paper.example", "UTF-8; aw\\x{e9}@paper.example"])
def test_an_international_address_is_decoded(value: str) -> None:
    fields = f"Final-Recipient: {value}\nAction: failed\nStatus: 5.1.1"
    assert read("", status(fields)).reported[0].recipient == "awé@paper.example"


FEEDBACK = "Content-Type: message/feedback-report\n\nFeedback-Type: {}\nVersion: 1\nOriginal-Rcpt-To: <awa@paper.example>\n"


@pytest.mark.parametrize("kind", ["abuse", "fraud", "opt-out", "Not-Spam"])
def test_a_complaint_is_read(kind: str) -> None:
    message = read("A complaint.", FEEDBACK.format(kind), RETURNED, kind="feedback-report")
    assert (message.feedback_type, message.bounce, message.returned_ids) == (kind.lower(), False, ("<mb.7.seal@office.example>",))
    assert [(one.recipient, one.action) for one in message.reported] == [(AWA, "complained")]


def test_a_complaint_without_its_part_is_known_by_the_receivers_field() -> None:
    head = "From: staff@portal.example\nSubject: complaint\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
    returned = RETURNED.replace("\n\nMessage-ID", f"\n\nX-HmXmrOriginalRecipient: {AWA}\nMessage-ID")
    message = parse(f"{head}{returned}\n--b--\n".encode())
    assert isinstance(message, IncomingMessage)
    assert (message.feedback_type, message.reported[0].recipient) == ("abuse", AWA)


def test_the_unsubscribe_button_of_apple_mail_is_an_opt_out() -> None:
    message = parse(b"From: awa@paper.example\nAuto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\nSubject: unsubscribe\n\nx")
    assert isinstance(message, IncomingMessage)
    assert (message.feedback_type, message.bounce) == ("opt-out", False)


def test_somebody_who_passes_a_complaint_on_does_not_complain() -> None:
    part = FEEDBACK.format("abuse")
    message = parse(f"From: awa@paper.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nLook\n--b\n{part}\n--b--\n".encode())
    assert isinstance(message, IncomingMessage)
    assert message.feedback_type == ""


def test_a_receipt_is_no_bounce_but_a_refusal_in_its_form_is() -> None:
    part = "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; awa@paper.example\nDisposition: automatic; displayed"
    receipt = read("Your message was read.", part, kind="disposition-notification", top=f"From: {AWA}\nSubject: Read: A lighthouse")
    assert (receipt.bounce, receipt.reported) == (False, ())
    refused = read("Your message to <awa@paper.example> was automatically rejected:\nQuota exceeded", part, kind="disposition-notification")
    assert seen(refused) == [(AWA, "", "soft")]
