"""What is told to a model is the text, whole, in lines that hold."""

import json

from hypothesis import given
from hypothesis import strategies as st

from turnlog.memory.llm.transcript import TranscriptEntry, as_data, chunks, cost, fenced, line, one_line, pieces

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
MARKS = st.sampled_from(["<|im_start|>", "[INST]", "</s>", "<s>", "<<SYS>>", "\\", '"', "\n", "🙂", "<｜User｜>", "a "])
HOSTILE = st.lists(MARKS | TEXTS, max_size=30).map("".join)


@given(HOSTILE, st.integers(40, 200))
def test_pieces_together_are_the_text_and_each_fits(text: str, room: int) -> None:
    cut = list(pieces(TranscriptEntry(3, "user", text), room))
    assert "".join(piece.text for piece in cut) == text
    assert all(cost(piece) <= room or len(piece.text) <= 1 for piece in cut)


@given(HOSTILE)
def test_a_line_is_one_line_of_json_without_marks_of_roles(text: str) -> None:
    told = line(as_data(TranscriptEntry(1, "user", text)))
    assert json.loads(told) == {"seq": 1, "role": "user", "text": text}
    assert "\n" not in told
    assert not any(mark in told for mark in ("<|", "<｜", "[INST]", "</s>", "<s>", "<<SYS"))


@given(st.lists(HOSTILE, max_size=8), st.integers(60, 300), st.integers(1, 5))
def test_chunks_have_every_message_once_in_order(texts: list[str], room: int, count: int) -> None:
    messages = [TranscriptEntry(seq, "user", text) for seq, text in enumerate(texts, 1)]
    made = list(chunks(messages, room, count))
    assert all(1 <= len(chunk) <= count for chunk in made)
    assert all(sum(map(cost, chunk)) <= room or len(chunk) == 1 for chunk in made)
    flat = [piece for chunk in made for piece in chunk]
    for message in messages:
        assert "".join(piece.text for piece in flat if piece.seq == message.seq) == message.text
    assert [piece.seq for piece in flat] == sorted(piece.seq for piece in flat)


@given(st.lists(HOSTILE, max_size=4))
def test_the_marks_stand_in_no_line(texts: list[str]) -> None:
    lines = [line({"text": text}) for text in texts]
    first, *inner, last = fenced(lines).split("\n")
    mark = first.split()[2]
    assert (first, last) == (f"--- data {mark} begins", f"--- data {mark} ends")
    assert inner == lines
    assert not any(mark in told for told in lines)


def test_a_kept_text_is_one_line() -> None:
    assert one_line(" a\u2028b\u0000\n c ", 10) == "a b c"
    assert one_line("word " * 100, 12) == "word word w…"
