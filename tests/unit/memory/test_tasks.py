"""What the user asked for, until it is done."""

import pytest

from support.extraction import after, pending


@pytest.mark.parametrize(
    ("said", "task"),
    [
        ("remind me to descale the kettle on Monday", "remind me to descale the kettle on Monday"),
        ("Could you please translate the menu into Finnish?", "translate the menu into Finnish"),
        ("hey, can you book a squash court for six", "book a squash court for six"),
        ("Rename the three scans, please.", "Rename the three scans"),
        ("I need you to cancel the window cleaner", "cancel the window cleaner"),
        ("the logo is blurry, so make a sharper one", "make a sharper one"),
        ("You were going to send me the slides", "send me the slides"),
    ],
)
def test_a_request_is_pending(said: str, task: str) -> None:
    assert pending(said) == [task]


@pytest.mark.parametrize(
    "said",
    [
        "Could you tell me how tall giraffes are?",
        "Can you explain tides?",
        "What would you do?",
        "I made a cake and cleaned the oven.",
        "Book two was better than book one.",
        "Thanks for reminding me to water the basil!",
        "Would you like me to start?",
        "He asked me to write the report.",
        "write a poem... no, scrap that",
        "mark my words, it will rain",
        "don't send anything",
    ],
)
def test_a_question_a_tale_or_what_is_taken_back_is_no_task(said: str) -> None:
    assert pending(said) == []


def test_a_list_of_jobs_is_as_many_tasks() -> None:
    assert pending("todo:\n- oil the hinges\n- order new filters") == ["oil the hinges", "order new filters"]


@pytest.mark.parametrize(
    ("reply", "open_after"),
    [
        ("Done: it is on your calendar.", 0),
        ("Here it is:\n\nSpring returns to the lane ...", 0),
        ("Happy to! How long should it be?", 1),
        ("Sorry, I could not reach the printer.", 1),
        ("I'll get back to you on that.", 1),
    ],
)
def test_only_a_reply_that_brings_it_fulfils_a_task(reply: str, open_after: int) -> None:
    assert len(pending("write a short ode to the lane", f"A: {reply}")) == open_after


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("never mind, I'll wait", "cancelled"), ("forget it", "cancelled"), ("no worries, i already did", "done")],
)
def test_the_user_closes_a_task(said: str, outcome: str) -> None:
    learned = after("book a table for nine at the tapas bar", "A: Which day?", said)
    assert [(task.outcome, task.opened, task.closed) for task in learned.profile.tasks] == [(outcome, 1, 3)]


def test_a_cancellation_closes_what_it_speaks_of() -> None:
    assert pending("order a birthday cake for Friday", "and book a taxi to the station", "scrap the birthday cake") == [
        "book a taxi to the station"
    ]


def test_a_later_chat_does_not_fulfil_what_the_assistant_failed_at() -> None:
    talk = (
        "add the vet to my calendar",
        "A: Sorry, the calendar did not answer.",
        "hm. how deep is the sea?",
        "A: About 3.7 km on average.",
    )
    assert len(pending(*talk)) == 1
