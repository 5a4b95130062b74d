"""Laws of HTML: all that can be seen and nothing that cannot, accents kept, no page slow."""

from time import perf_counter

import pytest

from mailbot.message import html_text


@pytest.mark.parametrize(("html", "text"), [
    ("<p>Événement &eacute;t&eacute;&nbsp;: a<b>b</b>c</p>", "Événement été : abc"),
    ("<div>un<br>deux</div>trois", "un\ndeux\ntrois"),
    ("<p>un</p><p>deux</p>", "un\n\ndeux"),
    ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
    ("<head><title>t</title><style>a{}</style></head><script>x()</script><body>vu</body>", "vu"),
    ("a<!-- <p>not seen</p> -->b<!--[if mso]>no<![endif]-->c", "abc"),
    ("2 < 3 &amp;&lt;p&gt; <p", "2 < 3 &<p>"),
    ('<img src="data:image/png;base64,' + "A" * 100_000 + '">après', "après"),
    ("pas de HTML", "pas de HTML"), ("", ""), ("a<!-- never ends", "a"), ("<ul><li>un<li>deux</ul>", "un\ndeux"),
    ("<div>un</div><div><br></div><div>deux<br></div>trois", "un\n\ndeux\ntrois"),
], ids=lambda value: value[:30])
def test_what_can_be_seen_is_read(html: str, text: str) -> None:
    assert html_text.read(html) == (text, text)


@pytest.mark.parametrize("quoted", [
    '<br><div class="gmail_quote"><div class="gmail_attr">Le lun. a écrit :</div><blockquote class="gmail_quote">Q</blockquote></div>',
    '<blockquote type="cite">Q</blockquote>',
    '<div class="moz-cite-prefix">On … wrote:</div><blockquote type="cite" cite="mid:x">Q</blockquote>',
    '<hr><div id="divRplyFwdMsg"><b>De :</b> Q</div><div>Q</div><p>Q</p>',
    '<div id="appendonsend"></div><hr><div><b>De :</b> Q</div>',
    '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt"><p><b>From:</b> Q</p></div><p>Q</p>',
    '<div class="yahoo_quoted">Q</div>', '<div class="protonmail_quote">Q</div>', '<div class="gmail_signature">Q</div>',
    '<div style="border:none; BORDER-TOP: solid #b5c4df 1.0pt"><p>De : Q</p></div><p>Q</p>',
    '<div style="border-top: 1pt solid rgb(181, 196, 223)"><p>From: Q</p></div><p>Q</p>',
    '<div class="ydp7yahoo_quoted">Q</div>', '<div name="quote">Q</div>', '<div id="x_divRplyFwdMsg">Q</div>Q',
    '<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message</div>Q</div>',
    '<div id="Signature">Q</div>', '<div id="ms-outlook-mobile-signature">Q</div><div id="mail-editor-reference-message-container">Q</div>',
])
def test_what_the_mail_program_marked_as_quoted_goes(quoted: str) -> None:
    page = f"<html><body><div>Bonjour<div>merci</div></div>{quoted}</body></html>"
    everything, unquoted = html_text.read(page)
    assert unquoted == "Bonjour\nmerci"
    assert "Q" in everything


def test_an_answer_within_gmails_quote_is_read() -> None:
    page = '<div class="gmail_quote"><div class="gmail_attr">On … wrote:</div><blockquote class="gmail_quote">Q</blockquote>Yes.</div>'
    assert html_text.read(page)[1] == "Yes."


@pytest.mark.parametrize("hidden", [
    'style="display:none"', 'style="color: red; DISPLAY : none !important"', "style='font-size:0px'", 'style="font-size: 0; color:#fff"',
    'style="visibility:hidden"', 'style="mso-hide:all"', 'style="opacity:0;x:y"', 'style="max-height:0;overflow:hidden"', "hidden",
    f'style="{"a:b;" * 600}display:none"',
], ids=lambda attribute: attribute[:40])
def test_what_nobody_can_see_was_not_written(hidden: str) -> None:
    assert html_text.read(f"<p>vu</p><div {hidden}>Q <b>Q</b></div>") == ("vu", "vu")


@pytest.mark.parametrize("style", [
    "font-size:0.9em", "font-size:10px", "opacity:0.9", "opacity:0.05", "max-height:0", "min-height:0px;overflow:hidden", "display:block",
    "height:0.5em", "line-height:0;overflow:hidden", "border-top:solid 1px black",
])
def test_what_can_be_seen_all_the_same_stays(style: str) -> None:
    assert html_text.read(f'<p>vu</p><div style="{style}">aussi</div>')[1] == "vu\n\naussi"


def test_letters_without_a_size_may_get_one_again() -> None:
    page = '<div style="font-size:0px">Q<div style="font-size:13px">vu <span style="font-size:1em">aussi</span></div>Q</div>'
    assert html_text.read(page)[0] == "vu aussi"


@pytest.mark.parametrize("html", [
    '<p style="display:none;font-size:0">x' * 8_000, '<div style="' + "border-top:" * 100_000 + '">x',
    '<i style="font-size:0">' * 250 + "x" * 100_000, '<div class="gmail_quote">' * 250 + "x",
    "<div>" * 40_000, "<a " * 60_000, "<!--" * 50_000, "<" * 100_000, "<p>x" * 20_000, "<b><p>x" * 9_000, "<table>" * 25_000,
    "".join(f"<b id={number}>" for number in range(255)) + "<p>x" * 4_000, '<div><a title="</div>">' * 8_000, "&" * 100_000,
    "<div " + " ".join(f"a{number}" for number in range(30_000)) + ">", "<svg><desc>" * 15_000, "<select>" * 25_000, "a<!--x-->" * 20_000,
], ids=lambda value: value[:20])
def test_no_page_takes_long(html: str) -> None:
    started = perf_counter()
    html_text.read(html)
    assert perf_counter() - started < 1
