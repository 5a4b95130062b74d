"""A Markdown body reads the same as text and as HTML, and nothing in it runs, fetches or misleads."""

import pytest

from mailbot.releases.body import from_plain, plain_paragraphs, to_html, to_text

BODY = """# Grand titre

Un *premier* paragraphe
sur deux lignes, avec [un lien](https://example.org/a) et <presse@example.org>.

1. un
2. deux
   - deux bis

| An | Retours |
|----|---------|
| 2024 | 12 |

> « Une citation »
"""


def test_paragraphs_are_plain_and_links_are_followed_by_their_address() -> None:
    assert plain_paragraphs(BODY) == (
        "Grand titre",
        "Un premier paragraphe sur deux lignes, avec un lien (https://example.org/a) et presse@example.org.",
        "1. un",
        "2. deux",
        "  - deux bis",
        "An | Retours",
        "2024 | 12",
        "« Une citation »",
    )


def test_text_keeps_lists_and_tables_together() -> None:
    assert to_text("Un.\n\n- a\n- b\n\nDeux.") == "Un.\n\n- a\n- b\n\nDeux."


def test_html_has_no_heading_above_the_title() -> None:
    assert "<h1" not in to_html(BODY)
    assert "<h2>Grand titre</h2>" in to_html(BODY)


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ('a <img src="x" onerror="y">', "<p>a &lt;img src=&quot;x&quot; onerror=&quot;y&quot;&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](/relative)", "<p>x</p>"),
        ("[x](ftp://example.org)", "<p>x</p>"),
        ("[a [b](/c) d](https://example.org)", '<p>[a b d](https://example.org)</p>'),
        ("![le phare](https://example.org/p.png)", "<p>le phare</p>"),
        ("[x](mailto:a@example.org)", '<p><a href="mailto:a@example.org">x</a></p>'),
        ("a & b", "<p>a &amp; b</p>"),
    ],
)  # fmt: skip
def test_html_is_safe(body: str, html: str) -> None:
    assert to_html(body) == html


@pytest.mark.parametrize("body", ["[x](/relative)", "[x](javascript:a)", "![x](https://example.org/x.png)"])
def test_text_prints_no_address_that_html_would_not_link(body: str) -> None:
    assert "(/" not in to_text(body)
    assert "png" not in to_text(body)


@pytest.mark.parametrize(
    "line",
    ["# dièse", "1. un", "12) douze", "- tiret", "+ plus", "* astérisque", "> citation", "=====", "-----", "~~~ tilde", "\\*",
     "a_b_c *d* `e` [f](g) <h> &amp;", "| a | b |", "```", "***", "!", "http://example.org/a_b_c",
     "12 000", "« Ça »", "#sansespace", "1.5 million", "[a]: https://example.org"],
)  # fmt: skip
def test_any_line_of_plain_text_reads_as_itself(line: str) -> None:
    assert plain_paragraphs(from_plain(line)) == (line,)
