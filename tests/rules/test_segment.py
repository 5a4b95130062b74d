"""The laws of filters: how a sentence is read, and where it breaks."""

import pytest

from mailbot.audience.segment import LONGEST, Both, Either, FilterFault, Is, Not, parse

FR, RADIO, GAO = Is("language", ("fr",)), Is("medium", ("radio",)), Is("place", ("Gao",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("language = fr", FR),
        ('LANGUAGE="fr"', FR),
        ("language != fr", Not(FR)),
        ("language = fr and medium = radio or place = Gao", Either(Both(FR, RADIO), GAO)),
        ("language = fr et (medium = radio ou place = Gao)", Both(FR, Either(RADIO, GAO))),
        ("not language = fr and medium = radio", Both(Not(FR), RADIO)),
        ("place in (Gao, Nioro du Sahel)", Is("place", ("Gao", "Nioro du Sahel"))),
        ('outlet = "L\'Essor (Bamako) and more"', Is("outlet", ("L'Essor (Bamako) and more",))),
        ("email = a+b@c.example", Is("email", ("a+b@c.example",))),
    ],
)
def test_a_filter_is_read_by_its_closest_bonds_first(text: str, expected: object) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "ends at character 0"),
        ("language", "ends at character 8"),
        ("language fr", "'fr' at character 10, where ="),
        ("langage = fr", "'langage' at character 1 is no field"),
        ("language = and", "'and' at character 12, where a value"),
        ("(language = fr", "closing parenthesis"),
        ("language = fr)", "')' at character 14"),
        ("language = fr medium = radio", "'=' at character 22"),
        ('outlet = "never closed', "breaks at character 9"),
        ("place in ()", "')' at character 11"),
        ("(" * 30 + "language = fr" + ")" * 30, "parentheses"),
        ("not " * 30 + "language = fr", "parentheses"),
        ("x" * (LONGEST + 1), "characters"),
    ],
)
def test_a_sentence_that_breaks_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(FilterFault) as fault:
        parse(text)
    assert told in str(fault.value)
