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
    assert html_text.read(html) == text


@pytest.mark.parametrize("quoted", [
    '<br><div class="gmail_quote"><div class="gmail_attr">Le lun. a écrit :</div><blockquote class="gmail_quote">Q</blockquote></div>',
    '<blockquote type="cite">Q</blockquote>',
    '<div class="moz-cite-prefix">On … wrote:</div><blockquote type="cite" cite="mid:x">Q</blockquote>',
    '<hr><div id="divRplyFwdMsg"><b>De :</b> Q</div><div>Q</div><p>Q</p>',
    '<div id="appendonsend"></div><hr><div><b>De :</b> Q</div>',
    '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt"><p><b>From:</b> Q</p></div><p>Q</p>',
    '<div class="yahoo_quoted">Q</div>', '<div class="protonmail_quote">Q</div>', '<div class="gmail_signature">Q</div>',
    '<div id="Signature">Q</div>', '<div id="ms-outlook-mobile-signature">Q</div><div id="mail-editor-reference-message-container">Q</div>',
])
def test_what_the_mail_program_marked_as_quoted_goes(quoted: str) -> None:
    page = f"<html><body><div>Bonjour<div>merci</div></div>{quoted}</body></html>"
    assert html_text.read_unquoted(page) == "Bonjour\nmerci"
    assert "Q" in html_text.read(page)


@pytest.mark.parametrize("html", [
    "<div>" * 40_000, "<a " * 60_000, "<!--" * 50_000, "<" * 100_000, "<p>x" * 20_000, "<b><p>x" * 9_000, "<table>" * 25_000,
    "".join(f"<b id={number}>" for number in range(255)) + "<p>x" * 4_000, '<div><a title="</div>">' * 8_000, "&" * 100_000,
    "<div " + " ".join(f"a{number}" for number in range(30_000)) + ">", "<svg><desc>" * 15_000, "<select>" * 25_000, "a<!--x-->" * 20_000,
], ids=lambda value: value[:20])
def test_no_page_takes_long(html: str) -> None:
    started = perf_counter()
    html_text.read(html)
    html_text.read_unquoted(html)
    assert perf_counter() - started < 1
