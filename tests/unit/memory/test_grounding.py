"""What a text can have said."""

import pytest

from turnlog.memory.llm.reply import folded, invented, occurs


@pytest.mark.parametrize(
    ("span", "source"),
    [("ada", "I am Ada."), ("São Paulo", "in sao paulo"), ("O'Neil", "Mr O’Neil said"), ("dark  mode", "Dark\nmode!")],
)
def test_a_span_that_stands_there_occurs(span: str, source: str) -> None:
    assert occurs(span, folded(source))


@pytest.mark.parametrize(("span", "source"), [("ad", "I am Ada"), ("", "anything"), ("Bob", ""), ("7", "17 or 71")])
def test_a_span_that_does_not_does_not(span: str, source: str) -> None:
    assert not occurs(span, folded(source))


def test_a_later_place_counts() -> None:
    assert occurs("ann", folded("Annabel and Ann"))


def test_capitals_and_numbers_have_to_come_from_somewhere() -> None:
    source = folded("we moved to Lisbon in 2019 with Ana's 3 cats")
    assert invented("Moved to Lisbon in 2019 with Ana's 3 cats", source) == []
    assert invented("Ana moved, I think, to Porto in 2020 with 30 cats", source) == ["Porto", "2020", "30"]
    assert invented("Nobody in particular", source) == []
