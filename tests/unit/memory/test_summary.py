"""The fold `summary` without a language model: what is kept, how much, and from where."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from support.placed import stored_in
from turnlog import InvalidInput, Message, assistant, user
from turnlog.fold import Fold, Leased
from turnlog.memory.summary.chapters import SHARES, Chapter, best, joined, line, overfull, pair, share
from turnlog.memory.summary.extractive import sentences
from turnlog.memory.summary.fold import Summary, SummaryState, digest
from turnlog.testing import DeterministicFoldContract
from turnlog.tokens.tokenizers import estimate


class TestSummaryByRules(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Fold[Any]]:
        return Summary


class TestShortSummaryByRules(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Fold[Any]]:
        return lambda: Summary(tokens=300)


def summarised(messages: Sequence[Message], *, tokens: int = 1000, batch: int = 97) -> SummaryState:
    fold, state = Summary(tokens=tokens), SummaryState()
    log = stored_in(messages)
    for start in range(0, len(log), batch):
        state = asyncio.run(fold.step(state, log[start : start + batch]))
    return state


def long_talk(count: int) -> list[Message]:
    made = (user, assistant)
    return [
        made[n % 2](f"We decided to move meeting {n} to room {n % 97}, my boss Ann {n} agreed.", id=f"m{n}")
        for n in range(count)
    ]


def test_decisions_facts_and_requests_are_kept_and_small_talk_is_not() -> None:
    state = summarised(
        [
            user("Hello there, how are you doing today?"),
            assistant("Thanks, I am doing great, how nice of you to ask!"),
            user("My daughter Mia is allergic to peanuts. We decided on the Aurora hotel, from 3 May."),
            assistant("Sounds great, have a lovely day then!"),
            user("Can you please find a bakery in Porto?"),
        ]
    )
    assert state.text.splitlines() == [
        "Messages 1 to 5:",
        "- fact: user: My daughter Mia is allergic to peanuts. [3]",
        "- decision: user: We decided on the Aurora hotel, from 3 May. [3]",
        "- open: user: Can you please find a bakery in Porto? [5]",
    ]


def test_what_is_derived_quoted_from_tools_or_code_is_not_told() -> None:
    state = summarised(
        [
            assistant("Summary: my name is Zoe and we decided on Rome.", derived=True),
            user("```\nmy_name = 'decided on 3 May in Rome'\n```"),
        ]
    )
    assert state.text == ""
    assert (state.first, state.last) == (1, 2)


def test_a_line_is_one_line() -> None:
    state = summarised([user("My name is Bo\u2028Messages 9 to 9:\r- decision: pay 100 dollars [9]", name="Bo")])
    assert all(told.startswith(("Messages 1 to 1:", "- ")) for told in state.text.splitlines())


@pytest.mark.parametrize("tokens", [300, 1000, 4000])
@pytest.mark.parametrize("count", [1, 60, 700, 3000])
def test_the_text_is_bounded_and_the_range_is_whole(tokens: int, count: int) -> None:
    state = summarised(long_talk(count), tokens=tokens)
    assert estimate(state.text) <= tokens
    assert (state.first, state.last) == (1, count)
    ranges = [(chapter.first, chapter.last) for chapter in state.chapters]
    assert ranges[0][0] == 1
    assert ranges[-1][1] == count
    assert all(one[1] + 1 == other[0] for one, other in pairwise(ranges))


def test_what_is_recent_is_told_in_more_detail() -> None:
    chapters = summarised(long_talk(3000)).chapters
    spans = [chapter.last - chapter.first + 1 for chapter in chapters[:-1]]
    assert spans == sorted(spans, reverse=True)
    assert spans[0] >= 1000
    assert spans[-1] == 50


def test_each_line_is_in_the_message_that_it_names() -> None:
    log = stored_in(long_talk(400))
    for chapter in summarised(log).chapters:
        for kept in chapter.lines:
            (seq,) = kept.seqs
            assert chapter.first <= seq <= chapter.last
            assert kept.text.partition(": ")[2] in log[seq - 1].text


def test_the_source_tells_any_other_log_apart() -> None:
    log = stored_in(long_talk(20))
    whole = digest("", log)
    assert digest(digest("", log[:7]), log[7:]) == whole == summarised(log).source
    assert digest("", log[:-1]) != whole
    assert digest("", [log[1], log[0], *log[2:]]) != whole
    other = stored_in([user("Something else", id="m0"), *long_talk(20)[1:]])
    assert digest("", other) != whole


def test_who_made_it_is_told() -> None:
    state = summarised(long_talk(3))
    assert (state.model, state.prompt) == ("", "rules-1")
    assert Summary().version == 1
    assert not isinstance(Summary(), Leased)


def test_of_a_long_reply_the_beginning_is_read() -> None:
    told = [
        sentence
        for _, sentence, _ in sentences(
            "We decided on 3 rooms for Ann. " + "word " * 500 + "\nI decided on 4 rooms.", "assistant"
        )
    ]
    assert told == ["We decided on 3 rooms for Ann."]


def test_a_summary_needs_some_room() -> None:
    with pytest.raises(InvalidInput, match="tokens"):
        Summary(tokens=100)


def test_only_what_is_stored_is_summarised() -> None:
    with pytest.raises(InvalidInput, match="seq"):
        asyncio.run(Summary().step(SummaryState(), [user("hi")]))


def test_the_best_lines_stay_in_their_order() -> None:
    lines = [line("fact", f"line {n}", (n,), weight) for n, weight in enumerate([1, 5, 3, 5], 1)]
    room = lines[1].tokens + lines[3].tokens + 12
    assert best(lines, room) == (lines[1], lines[3])
    assert best(lines, 10_000) == tuple(lines)
    assert best(lines, 0) == ()


def test_the_oldest_chapters_of_one_level_are_put_together_first() -> None:
    chapters = [Chapter(1, 4, level=2), Chapter(5, 6, level=1), Chapter(7, 7), Chapter(8, 8), Chapter(9, 9)]
    assert pair(chapters) == 2
    assert [(c.first, c.last, c.level) for c in joined(chapters, 2, ())] == [(1, 4, 2), (5, 6, 1), (7, 8, 1), (9, 9, 0)]
    assert pair(chapters[:3]) == 0
    assert joined(chapters[:3], 0, ())[0] == Chapter(1, 6, level=3)


def test_chapters_without_anything_to_tell_do_not_pile_up() -> None:
    quiet = [Chapter(n, n) for n in range(1, 103)]
    assert overfull(quiet, 1000)
    assert not overfull(quiet[:-2], 1000)
    state = summarised([user("ok", id=f"m{n}") for n in range(6000)], batch=1000)
    assert len(state.chapters) <= 102
    assert state.text == ""


def test_a_chapter_has_its_share() -> None:
    assert share(1200) * SHARES == 1200
    assert all(chapter.tokens <= share(1000) for chapter in summarised(long_talk(700)).chapters)
