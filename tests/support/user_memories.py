"""What conversations contribute, made by hand or by chance, for the tests of what is known of a user."""

from collections.abc import Sequence

from hypothesis import strategies as st

from turnlog.memory.entities import Entity
from turnlog.memory.facts import Fact
from turnlog.memory.knowledge import KnowledgeState
from turnlog.memory.profile import Preference, Profile, Task, Topic, UserName
from turnlog.memory.user.items import Correction, fact_id
from turnlog.memory.user.model import Contribution, UserMemory

LISBON = fact_id("home", "Lisbon", "")
PORTO = fact_id("home", "Porto", "")


def home(
    city: str, at: int, *, since: int | None = None, until: int | None = None, seq: int = 1, confidence: float = 0.8
) -> Fact:
    """That the user lives in `city`, said at `at`."""
    return Fact(f"lives in {city}", "home", city, (seq,), confidence, at, at if since is None else since, until)


def fact(text: str, at: int, *, until: int | None = None, seq: int = 1) -> Fact:
    """A fact without a slot."""
    return Fact(text, "", text.split(" ", 1)[1], (seq,), 0.8, at, at, until)


def facts(*stated: Fact, at: int = 0) -> Contribution:
    return Contribution(at, 0, 1, len(stated), KnowledgeState(facts=stated))


def profile(profile: Profile, at: int = 0) -> Contribution:
    return Contribution(at, 0, 1, 1, KnowledgeState(profile))


def known(*corrections: Correction, **contributions: Contribution) -> UserMemory:
    return UserMemory(contributions, {correction.id: correction for correction in corrections})


def told(context: UserMemory) -> list[tuple[str, int | None, int | None]]:
    """The history, oldest first, as text, beginning and end."""
    found = sorted(context.history(), key=lambda it: (it.valid_from or 0, it.text))
    return [(it.text.removeprefix("lives in "), it.valid_from, it.valid_to) for it in found]


def held(context: UserMemory, moment: int, known_at: int | None = None) -> list[str]:
    return sorted(it.text.removeprefix("lives in ") for it in context.facts_at(moment, known_at=known_at))


TIMES = st.integers(0, 9)
_WORDS = st.sampled_from(["jazz", "green tea", "tea", "chess"])
_SEQS = st.lists(st.integers(1, 5), min_size=1, max_size=2, unique=True).map(tuple)
_NAMES = st.builds(UserName, st.sampled_from(["Ada", "Al"]), _SEQS, st.booleans(), TIMES)
_PREFERENCES = st.builds(
    Preference, st.sampled_from(["like", "dislike", "prefer"]), _WORDS, _SEQS, since=st.just(1), until=st.none(), at=TIMES
)
_TASKS = st.builds(Task, _WORDS, _SEQS, opened=st.just(1), closed=st.sampled_from([None, 2]), at=TIMES)
_TOPICS = st.builds(Topic, _WORDS, _SEQS, st.booleans())
_PROFILES = st.builds(
    Profile,
    name=st.none() | _NAMES,
    preferences=st.lists(_PREFERENCES, max_size=2).map(tuple),
    tasks=st.lists(_TASKS, max_size=2).map(tuple),
    topic=st.none() | _TOPICS,
)
_ENTITIES = st.builds(
    Entity,
    st.sampled_from(["Ada", "ada", "Lisbon"]),
    st.just("PERSON"),
    _SEQS,
    st.integers(1, 3),
    st.just(1),
    st.just(2),
    at=TIMES,
)


@st.composite
def _facts(draw: st.DrawFn) -> tuple[Fact, ...]:
    stated = []
    for _ in range(draw(st.integers(0, 3))):
        since, at = sorted((draw(TIMES), draw(TIMES)))
        until = draw(st.none() | st.integers(since, 12))
        city = draw(st.sampled_from(["Lisbon", "Porto", "Faro"]))
        stated.append(home(city, at, since=since, until=until, seq=draw(st.integers(1, 5))))
    return tuple(stated)


_STATES = st.builds(KnowledgeState, _PROFILES, st.lists(_ENTITIES, max_size=2).map(tuple), _facts())
_SMALL = st.integers(0, 1)
CONTRIBUTIONS = st.builds(Contribution, TIMES) | st.builds(Contribution, TIMES, _SMALL, _SMALL, _SMALL, _STATES)
_CORRECTIONS = st.builds(
    Correction,
    st.sampled_from([LISBON, PORTO, fact_id("name", "Ada", ""), "anything"]),
    st.integers(1, 4),
    TIMES,
    st.none() | st.sampled_from(["lives in Faro", "likes chess"]),
    st.sampled_from(["", "home"]),
    st.sampled_from(["", "Faro"]),
    st.none() | TIMES,
    st.none() | TIMES,
)


def contexts() -> st.SearchStrategy[UserMemory]:
    """What is known from up to three conversations, of which others state something else at the same rank."""

    def keyed(corrections: Sequence[Correction]) -> dict[str, Correction]:
        return {correction.id: correction for correction in corrections}

    contributions = st.dictionaries(st.sampled_from("abc"), CONTRIBUTIONS, max_size=3)
    return st.builds(UserMemory, contributions, st.lists(_CORRECTIONS, max_size=2).map(keyed))
