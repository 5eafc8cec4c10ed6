"""Whose name is the user's, and whose is not."""

import pytest

from support.extraction import after, named


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Hello there, my name is Tobias and I run a bike shop.", "Tobias"),
        ("my full name is Ines Carvalho, nice to meet you", "Ines Carvalho"),
        ("Please call me Gigi, everyone does.", "Gigi"),
        ("i'm olga, new in the finance team", "olga"),
        ("I'm Petra from the night desk, the printer is jammed again.", "Petra"),
        ("The name's Ignatius. Don't wear it out.", "Ignatius"),
        ("My colleagues know me as Doc Brandt.", "Doc Brandt"),
        ("I usually go by Wren at work.", "Wren"),
        ("Folks call me Mo, short for Mohammed.", "Mo"),
        ("Je m'appelle Solène et je cherche un vélo.", "Solène"),
        ("Hola, me llamo Ximena.", "Ximena"),
        ("Ich heiße Dörte, freut mich!", "Dörte"),
        ("Меня зовут Полина.", "Полина"),
        ("Marisol here, back with another spreadsheet.", "Marisol"),
        ("Could you resend the contract?\n\nKind regards,\nHelga Brandt", "Helga Brandt"),
        ("the heating is off again\n\ncheers\n- Tamsin", "Tamsin"),
        ("It's Renata again, I was cut off.", "Renata"),
        ("I'm not Karl, I'm Karla.", "Karla"),
        ("No, my name isn't Stefan, it's Stefano.", "Stefano"),
        ("I'm her nephew Dominik and I look after the garden.", "Dominik"),
        ("call me Z. just that", "Z"),
        ("My name is Bartholomew but please call me Bart.", "Bart"),
        ("grace is my name, in case you wonder", "grace"),
        ("Two seats under Leopold Haas (that's me).", "Leopold Haas"),
        ("You can put down Łukasz for now.", "Łukasz"),
        ("my whole team says Kasia", "Kasia"),
        ("You wrote Gerard, it's Gerhard.", "Gerhard"),
        ("I no longer go by Billy, it's William nowadays.", "William"),
        ("On paper it is Aleksandra, but to my friends I'm Ola.", "Ola"),
        ("Hello, Chidi from the ground floor, the gate is stuck.", "Chidi"),
        ("Is the pool open on Sunday?\nCheers, Roisin \N{FOUR LEAF CLOVER}", "Roisin"),
        ("This is your loyal customer Matteo.", "Matteo"),
    ],
)
def test_a_name_that_is_given_is_the_users(said: str, name: str) -> None:
    assert named(said) == name


@pytest.mark.parametrize(
    "said",
    [
        "I'm exhausted after that hike.",
        "I'm Tired Of This.",
        "I am not Rupert.",
        "My name isn't important.",
        "call me later, I'm on a train",
        "Call me old-fashioned, but I print my maps.",
        "Call me tomorrow at nine.",
        "Call me on Friday.",
        "you can call me at 555 0199",
        "call me an ambulance!",
        "I'm Portuguese, so the accent is real.",
        "I'm at Frankfurt airport.",
        'He walked in and shouted "my name is Maximus" at the goose.',
        "> My name is Ottilie and I wrote to you in May.\nwhat does this person want?",
        "```\nname = 'I am Harold'\n```\nwhy does it crash?",
        "My sister is called Beatriz and she lives upstairs.",
        "Her name is Agnes.",
        "Gustavo's wife here, he is asleep.",
        "What is your name?",
        "I'm sure Hannah can help.",
        "This is Prague in winter, isn't it pretty?",
        "Is it me or is Ralph always late?",
        "Thanks, Boris!",
        "im frank with you: it is bad",
        "I'M DONE WITH THIS",
        "the variable name is undefined",
        "Everyone uses Excel.",
        "They say Anna is late again.",
        "My gran calls me Sweetheart.",
        "You can use the Paris office.",
        "Your great ideas, Joanna!",
    ],
)
def test_what_only_looks_like_a_name_is_not_the_users(said: str) -> None:
    assert named(said) is None


@pytest.mark.parametrize(
    ("asked", "answer", "name"),
    [
        ("What should I call you?", "Anneliese", "Anneliese"),
        ("May I have your first name?", "sure, it's Ferdinand", "Ferdinand"),
        ("Am I speaking with Cordula?", "yes!", "Cordula"),
        ("What's your name?", "why do you ask", None),
        ("What is your dog's name?", "Pixel", None),
        ("Is this Cordula?", "no", None),
        ("Nice to meet you, Jon!", "Jón, with an accent", "Jón"),
        ("What should I call you?", "my sisters all say Lotte so Lotte it is, i guess", "Lotte"),
        ("Under what name?", "under Baumgartner please", "Baumgartner"),
        ("How was the match?", "Hey Joanna, thanks! We lost.", None),
    ],
)
def test_an_answer_to_the_question_for_a_name_gives_it(asked: str, answer: str, name: str | None) -> None:
    assert named(f"A: {asked}", answer) == name


def test_a_name_from_a_question_names_the_question_too() -> None:
    learned = after("A: Am I speaking with Cordula?", "yes, hello")
    assert learned.profile.name is not None
    assert learned.profile.name.seqs == (1, 2)


def test_a_later_name_replaces_the_earlier() -> None:
    learned = after("My name is Josephine.", "A: Hi!", "Actually, call me Jo.")
    assert learned.profile.name is not None
    assert (learned.profile.name.text, learned.profile.name.seqs) == ("Jo", (3,))
    assert [name.text for name in learned.profile.former_names] == ["Josephine"]


def test_an_introduction_does_not_replace_a_wish() -> None:
    assert named("Call me Teddy.", "I'm Theodore Vance, and I need my invoice.") == "Teddy"


def test_a_name_that_is_denied_is_forgotten() -> None:
    assert named("I'm Edgar.", "Sorry, that was autocorrect, I'm not Edgar.") is None
