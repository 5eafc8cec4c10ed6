"""The digest of a user: the little of what is known that contexts tell."""

import msgspec
from msgspec.structs import replace

from support.user_memories import fact, facts, home, known, profile
from turnlog.memory.knowledge import extract_all
from turnlog.memory.profile import Preference, Profile, Task, UserName
from turnlog.memory.user.candidates import candidates_of
from turnlog.memory.user.digest import ENTITIES_MAX, FACTS_MAX, PREFERENCES_MAX, TASKS_MAX, UserDigest, digest_of_state
from turnlog.memory.user.digest import digest_of_candidates as _digest_of_candidates
from turnlog.memory.user.items import Correction, fact_id
from turnlog.memory.user.model import Contribution, UserMemory
from turnlog.message import Message, user


def digest_of_candidates(context: UserMemory) -> UserDigest:
    return _digest_of_candidates(candidates_of(context.contributions), context.corrections)


JUNE_2021 = 1_622_505_600_000_000


def test_nothing_known_is_nothing_told() -> None:
    assert digest_of_candidates(known()) == digest_of_state(b"{}") == UserDigest()
    assert UserDigest().profile_lines == ()


def test_the_lines_tell_the_name_then_preferences_then_requests() -> None:
    state = Profile(
        name=UserName("Ada", (1,)),
        preferences=(Preference("like", "jazz", (1,), 1, at=1), Preference("dislike", "noise", (2,), 2, at=2)),
        tasks=(Task("book a flight", (3,), 3, at=3),),
    )
    lines = digest_of_candidates(known(a=profile(state))).profile_lines
    assert lines == ("The user is called Ada.", "Dislikes noise", "Likes jazz", "Open request: book a flight")


def test_a_fact_tells_since_when_if_that_is_not_when_it_was_said() -> None:
    told = digest_of_candidates(
        known(a=facts(home("Lisbon", JUNE_2021 + 5, since=JUNE_2021), fact("owns a cat", JUNE_2021)))
    ).facts
    assert told == ("lives in Lisbon (since 2021-06)", "owns a cat")


def test_what_holds_no_longer_is_not_told() -> None:
    there = known(a=facts(home("Lisbon", 1)), b=facts(home("Porto", 2)), c=facts(fact("owns a cat", 1, until=2)))
    assert digest_of_candidates(there).facts == ("lives in Porto",)


def test_what_was_put_right_is_told_and_what_was_taken_back_is_not() -> None:
    right = Correction(fact_id("home", "Lisbon", ""), 1, 5, "lives in Porto", "home", "Porto")
    assert digest_of_candidates(known(right, a=facts(home("Lisbon", 1)))).facts == ("lives in Porto",)
    assert digest_of_candidates(known(Correction(right.id, 2, 6), a=facts(home("Lisbon", 1)))).facts == ()


def test_a_digest_is_bounded_and_keeps_the_newest() -> None:
    seqs = range(1, 200)
    state = Profile(
        preferences=tuple(Preference("like", f"thing{n}", (n,), n, at=n) for n in seqs),
        tasks=tuple(Task(f"request{n}", (n,), n, at=n) for n in seqs),
    )
    digest = digest_of_candidates(known(a=profile(state), b=facts(*(fact(f"owns item{n}", n) for n in seqs))))
    assert (len(digest.preferences), len(digest.tasks), len(digest.facts)) == (PREFERENCES_MAX, TASKS_MAX, FACTS_MAX)
    assert (digest.preferences[0][1], digest.tasks[0], digest.facts[0]) == ("thing199", "request199", "owns item199")


def test_the_digest_of_one_conversations_state_is_that_of_a_user_with_this_conversation() -> None:
    texts = ["My name is Ada. I live in Lisbon.", "I love jazz.", "Please book a flight to Oslo.", "I work at Initech."]
    found = extract_all([_at(text, seq) for seq, text in enumerate(texts, 1)])
    one = digest_of_state(msgspec.json.encode(found))
    other = digest_of_candidates(known(a=Contribution(0, 0, 1, 4, found)))
    assert (one.user_name, one.preferences, one.tasks) == (
        other.user_name, other.preferences, other.tasks,
    )  # fmt: skip
    assert set(one.facts) == set(other.facts)
    assert (other.topic, other.entities) == (None, ()), "those are the conversation's own"
    assert len(one.entities) <= ENTITIES_MAX
    assert one.user_name == "Ada"


def _at(text: str, seq: int) -> Message:
    return replace(user(text), seq=seq, id=f"m-{seq}")
