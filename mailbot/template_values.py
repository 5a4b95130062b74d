"""What each template is given, and of which parts it consists where it has no subject, text and HTML."""

from collections.abc import Mapping

_ANSWER = frozenset({"release", "organisation", "why", "words", "repeat", "passed_on", "alternatives", "offered", "no_pdf"})
_ANNOUNCEMENT = frozenset(
    {
        "release", "organisation", "greeting", "why", "unsubscribe", "preferences", "embargo", "embargo_utc", "waits_for", "event",
        "stop_word", "cut", "kind", "reason",
    }
)
VALUES: Mapping[str, frozenset[str]] = {
    "announcement": _ANNOUNCEMENT,
    "announcement_lite": _ANNOUNCEMENT,
    "greeting": frozenset({"name"}),
    "why": frozenset({"organisation", "origin"}),
    "whatsapp": frozenset({"organisation", "release", "title", "paragraphs", "cut", "embargo", "embargo_utc"}),
    "test_mark": frozenset({"short", "embargo", "embargo_utc"}),
    "answer": _ANSWER | {"reply_subject"},
    "answer_short": _ANSWER | {"cut"},
    "answer_back": frozenset({"release", "organisation", "variant", "offered", "reply_subject", "photos", "photo_word"}),
    "correction": frozenset({"organisation", "release", "received", "changes", "more", "offered", "cut", "reason"}),
    "withdrawal": frozenset({"organisation", "release", "received", "reason"}),
    "offers": frozenset({"organisation", "offers", "reply_subject"}),
    "sheet": frozenset({"organisation", "release"}),
    "hand_off": frozenset(
        {
            "organisation", "sender", "authenticated", "subject", "visible_text", "when", "reason", "draft", "skeleton", "offers",
            "earlier", "original", "deadline", "deadline_words", "urgent", "passed_on", "passed_from", "reference", "can_reply",
            "yes_word", "no_word", "later_word",
        }
    ),
    "skeleton": frozenset({"organisation"}),
    "own_text": frozenset({"organisation", "text", "reply_subject"}),
    "echo": frozenset({"organisation", "recipient", "subject", "text", "when", "minutes", "no_word", "reference"}),
    "told": frozenset({"organisation", "recipient", "subject", "event", "until", "yes_word", "no_word", "reference"}),
    "notice": frozenset({"organisation", "event", "recipient", "title", "subject", "relay_words", "when", "delivery"}),
    "breaker": frozenset({"organisation", "answers", "per_minute", "when"}),
    "alert": frozenset({"organisation", "items"}),
    "acknowledgement": frozenset({"organisation", "reply_subject", "staffed", "opens", "duty_number"}),
    "protection": frozenset({"organisation", "mail", "when", "folder", "referred"}),
    "sign_off": frozenset(
        {"organisation", "title", "editions", "embargo", "differences", "points", "link", "days", "correction"}
    ),
    "sign_off_told": frozenset({"organisation", "event", "release", "title", "signatory", "words", "when"}),
    "round_trip": frozenset({"organisation", "mark", "when"}),
    "digest": frozenset({"organisation", "mode", "since", "until", "entries"}),
    "broadcast_told": frozenset({"organisation", "event", "title", "recipients", "why", "starts", "stop_word", "broadcast"}),
    "invitation": frozenset({"organisation", "origin", "word", "link", "days"}),
    **dict.fromkeys(
        ("confirm_subscription", "subscribed", "confirm_departure", "departed"),
        frozenset({"organisation", "when", "word", "link", "event", "days"}),
    ),
}
PARTS: Mapping[str, tuple[str, ...]] = {
    "answer_short": ("subject", "txt"), "skeleton": ("subject", "txt"), "protection": ("subject", "txt"), "alert": ("subject", "txt"),
    "sheet": ("html",), "announcement_lite": ("html",), "greeting": ("txt",), "why": ("txt",), "test_mark": ("txt",), "whatsapp": ("txt",),
    "round_trip": ("subject", "txt"),
}  # fmt: skip
