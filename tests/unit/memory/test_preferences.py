"""What the user likes and dislikes, and what only sounds like it."""

import pytest

from support.extraction import after, likes


@pytest.mark.parametrize(
    ("said", "liking"),
    [
        ("I love rainy Sundays.", ("+", "rainy Sundays")),
        ("honestly i really enjoy rowing, it clears my head", ("+", "rowing")),
        ("I prefer trains to planes.", ("+", "trains")),
        ("I can't stand loud keyboards!", ("-", "loud keyboards")),
        ("I don't like raisins in anything sweet", ("-", "raisins in anything sweet")),
        ("never liked karaoke", ("-", "karaoke")),
        ("I'm a big fan of brutalist buildings", ("+", "brutalist buildings")),
        ("not a fan of surprise parties", ("-", "surprise parties")),
        ("I'm really into pottery these days", ("+", "pottery")),
        ("my favourite colour is teal", ("+", "teal")),
        ("I'd rather have herbal tea, thanks", ("+", "herbal tea")),
        ("Spiders give me the creeps", ("-", "Spiders")),
        ("please stop using exclamation marks", ("-", "exclamation marks")),
        ("cardamom buns are my weakness", ("+", "cardamom buns")),
        ("golf bores me", ("-", "golf")),
        ("I have a soft spot for brass bands.", ("+", "brass bands")),
        ("I swear by cold showers", ("+", "cold showers")),
        ("fed up with pop-up windows", ("-", "pop-up windows")),
        ("Always include version numbers when I ask about libraries.", ("+", "version numbers")),
        ("please answer in plain English", ("+", "plain English")),
        ("don't sugarcoat it", ("-", "sugarcoat it")),
        ("could you not use so many headings", ("-", "headings")),
        ("spare me the footnotes", ("-", "footnotes")),
        ("be blunt with me", ("+", "be blunt")),
        ("two sentences will do", ("+", "two sentences")),
        ("there is nothing worse than wet socks", ("-", "wet socks")),
        ("night trains just do it for me", ("+", "night trains")),
        ("email is much easier for me", ("+", "email")),
        ("I used to hate beetroot, now I eat it every day", ("+", "beetroot")),
    ],
)
def test_a_preference_is_the_users_own_words(said: str, liking: tuple[str, str]) -> None:
    assert likes(said) == {liking}


@pytest.mark.parametrize(
    "said",
    [
        "Would you like a second opinion?",
        "I'd like a table for two.",
        "It looks like snow.",
        "My uncle loves accordions.",
        "She hates mornings.",
        "If I liked camping I would own a tent.",
        "I was like, no way.",
        "I'd rather not say.",
        "He said 'I love you' to the parrot.",
        "I don't hate it.",
        "do I like olives? ask my mother",
        "I hate to bother you again.",
        "I like that.",
        "What do you prefer?",
        "can't stand up after leg day",
        "I used to like jazz.",
        "I'll make sure to be specific with Heather.",
        "Help me structure my answers to keep them concise.",
        "Do you have advice for someone who wants to write?",
        "The films I choose are suitable for children.",
    ],
)
def test_what_only_sounds_like_a_preference_is_none(said: str) -> None:
    assert likes(said) == set()


@pytest.mark.parametrize(
    ("asked", "answer", "liking"),
    [
        ("Window or corridor seat?", "window, please", {("+", "window")}),
        ("Do you want the short version or the long one?", "doesn't matter", set()),
        ("Any foods you avoid?", "just coriander and liver", {("-", "coriander"), ("-", "liver")}),
        ("What's your name and how do you like your updates?", "Olumide.", set()),
        ("Would you like a balcony?", "no balcony, I get dizzy", {("-", "balcony")}),
    ],
)
def test_an_answer_to_a_choice_tells_a_preference(asked: str, answer: str, liking: set[tuple[str, str]]) -> None:
    assert likes(f"A: {asked}", answer) == liking


def test_a_contradiction_closes_the_earlier_preference() -> None:
    learned = after("I love spicy ramen.", "A: Noted!", "these days I can't stand spicy ramen")
    assert [(item.polarity, item.since, item.until) for item in learned.profile.preferences] == [
        ("like", 1, 3),
        ("dislike", 3, None),
    ]


def test_what_the_user_used_to_like_ends() -> None:
    learned = after("I enjoy skiing.", "I used to enjoy skiing, before the knee.")
    assert [(item.text, item.until) for item in learned.profile.preferences] == [("skiing", 2)]


def test_a_preference_told_twice_is_one_with_two_sources() -> None:
    (item,) = after("I hate small talk.", "as I said, I hate small talk").profile.current_preferences
    assert item.seqs == (1, 2)
