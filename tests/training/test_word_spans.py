"""The words of a text as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.training.explanation.words import find_words, split_words
from gazette.training.networks.tokenizer import train_tokenizer

TEXT = "The  U.S. market-fell: 股市\u3000Ｏmicron ½"


def test_words_are_runs_of_letters_marks_and_han_characters() -> None:
    words = ["the", "u", ".", "s", ".", "market", "-", "fell", ":", "股", "市", "omicron", "1⁄2"]
    assert split_words([TEXT, ""]) == [words, []]


def test_the_places_of_words_are_those_in_the_text_itself() -> None:
    words = ["The", "U", ".", "S", ".", "market", "-", "fell", ":", "股", "市", "Ｏmicron", "½"]
    assert [TEXT[start:end] for start, end in find_words(TEXT)] == words


@given(st.text() | st.text("㏂‥½a. ", max_size=5))
def test_words_are_in_order_never_empty_and_never_twice(text: str) -> None:
    spans = find_words(text)
    assert all(text[start:end].strip() for start, end in spans)
    assert spans == sorted(set(spans))


@pytest.mark.parametrize("text", [TEXT, "&quot;It#39;s &lt;b&gt;", "1,000.50 dollars", "naïve Ünder İ ﬁ"])
def test_words_are_the_tokens_of_a_classifier_that_reads_words(text: str) -> None:
    tokens = train_tokenizer([text], "words", 1000, 1).encode(text).tokens
    assert split_words([text]) == [tokens]
