"""The profile: how the user is called, what they like, what they asked for and what the conversation is about.

Each item names the seqs that it comes from.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from turnlog.extraction.preferences import Polarity
from turnlog.extraction.tasks import Outcome, answers
from turnlog.extraction.topic import Words, topic_of
from turnlog.memory.extraction import ExtractedClosing, ExtractedName, ExtractedPreference, Extraction, Utterance
from turnlog.memory.similarity import overlap

RECENT = 6
"""Messages of the user whose words tell the topic."""
FORMER_NAMES_MAX = 20
SEQS_MAX = 50
"""Messages that are kept as the sources of one name, preference or task: the first and the newest."""
PREFERENCES_MAX = 500
TASKS_MAX = 500
SAME = 0.5
"""Word overlap (F1) from which two preferences are about one thing."""
SAME_TASK = 0.75
"""Word overlap (F1) from which two requests ask for one thing."""
ABOUT = 0.3
"""Word overlap (F1) from which an answer or a cancellation is about a task."""


class UserName(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the user is called; `asked` tells a wish from a mere introduction, which does not replace a wish.

    `at` is when they last said so. All times are in microseconds since 1970 UTC.
    """

    text: str
    seqs: tuple[int, ...]
    asked: bool = False
    at: int = 0


class Preference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user likes or dislikes since the message `since`, until a later one contradicts it.

    `at` is when they last said so.
    """

    polarity: Polarity
    text: str
    seqs: tuple[int, ...]
    since: int
    until: int | None = None
    at: int = 0


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user asked for in the message `opened`; `closed` and `outcome` tell where and how it ended.

    `at` is when they asked.
    """

    text: str
    seqs: tuple[int, ...]
    opened: int
    closed: int | None = None
    outcome: Outcome | None = None
    at: int = 0


class Topic(msgspec.Struct, frozen=True):
    """What the talk is about; `said` tells whether the user named it or it was guessed from their words."""

    text: str
    seqs: tuple[int, ...]
    said: bool


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of the user.

    `recent_words` and `exchange` are what the next message is understood with: the words of the last messages, and the seq
    of the first request that the assistant has not answered, 0 if there is none.
    """

    name: UserName | None = None
    former_names: tuple[UserName, ...] = ()
    preferences: tuple[Preference, ...] = ()
    tasks: tuple[Task, ...] = ()
    topic: Topic | None = None
    recent_words: tuple[Words, ...] = ()
    exchange: int = 0

    @property
    def current_preferences(self) -> tuple[Preference, ...]:
        """The preferences that hold."""
        return tuple(preference for preference in self.preferences if preference.until is None)

    @property
    def pending_tasks(self) -> tuple[Task, ...]:
        """The tasks that are open."""
        return tuple(task for task in self.tasks if task.closed is None)


T = TypeVar("T", Preference, Task)


def reduced(profile: Profile, utterances: Iterable[Utterance]) -> Profile:
    """The profile after `utterances`."""
    windows: list[_Window] = []
    for utterance in utterances:
        if utterance.extraction is None:
            profile = _answered(profile, utterance)
        else:
            profile = _extended(profile, utterance, utterance.extraction)
            windows.append(_Window(utterance.extraction.topic, profile.recent_words))
    return replace(profile, topic=_topic(profile.topic, windows)) if windows else profile


def _extended(state: Profile, utterance: Utterance, found: Extraction) -> Profile:
    seq = utterance.seq
    tasks = _asked(_closed(state.tasks, found.closings, seq), found.requests, utterance)
    opened = any(task.opened == seq for task in tasks)
    words = (*state.recent_words, Words(seq, found.words))[-RECENT:]
    name, former = _called(state, found.names, utterance)
    return replace(
        state,
        name=name,
        former_names=former,
        preferences=_preferences(state.preferences, found.preferences, utterance),
        tasks=tasks,
        recent_words=words,
        exchange=state.exchange or (seq if opened else 0),
    )


def _called(
    state: Profile, said: Sequence[ExtractedName], utterance: Utterance
) -> tuple[UserName | None, tuple[UserName, ...]]:
    name, former = state.name, state.former_names
    given = chosen(said)
    if name is not None and any(denied.denied and denied.text.casefold() == name.text.casefold() for denied in said):
        former, name = (*former, name), None
    if given is not None and (given.asked or name is None or not name.asked):
        if name is not None and name.text == given.text:
            name = replace(
                name, seqs=_sources(name.seqs, (utterance.seq,)), asked=name.asked or given.asked, at=utterance.at
            )
        else:
            former = former if name is None else (*former, name)
            name = UserName(given.text, utterance.sources(replies=given.replies), given.asked, utterance.at)
    return name, former[-FORMER_NAMES_MAX:]


def chosen(said: Sequence[ExtractedName]) -> ExtractedName | None:
    """The name that the user is to have after a message: the last wish, else the last introduction."""
    given = [name for name in said if not name.denied]
    wishes = [name for name in given if name.asked]
    best = wishes or given
    return best[-1] if best else None


def _preferences(
    before: tuple[Preference, ...], stated: Sequence[ExtractedPreference], utterance: Utterance
) -> tuple[Preference, ...]:
    if not stated:
        return before
    kept, seq = list(before), utterance.seq
    for new in stated:
        seqs = utterance.sources(replies=new.replies)
        repeated = False
        for place, other in enumerate(kept):
            if other.until is not None or overlap(other.text, new.text) < SAME:
                continue
            same = _is_positive(other) == (new.polarity != "dislike")
            if same and not new.ended and not repeated:
                seqs = _sources(other.seqs, seqs)
                kept[place], repeated = replace(other, seqs=seqs, polarity=new.polarity, at=utterance.at), True
            elif same == new.ended:
                kept[place] = replace(other, until=seq)
        if not repeated and not new.ended:
            kept.append(Preference(new.polarity, new.text, seqs, since=seq, at=utterance.at))
    return _within(kept, PREFERENCES_MAX, [item.until is not None for item in kept])


def _sources(known: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    seqs = (*known, *(seq for seq in more if seq not in known))
    return seqs if len(seqs) <= SEQS_MAX else (*seqs[:1], *seqs[1 - SEQS_MAX :])


def _is_positive(preference: Preference) -> bool:
    return preference.polarity != "dislike"


def _closed(tasks: tuple[Task, ...], closed: Sequence[ExtractedClosing], seq: int) -> tuple[Task, ...]:
    """`tasks` without the open one that each closing is about: by its words, else the newest."""
    kept = list(tasks)
    for closing in closed[:1]:
        pending = [place for place, task in enumerate(kept) if task.closed is None]
        if pending:
            place = max(pending, key=lambda at: (overlap(kept[at].text, closing.about) >= ABOUT, at))
            kept[place] = replace(kept[place], closed=seq, outcome=closing.outcome)
    return tuple(kept)


def _asked(tasks: tuple[Task, ...], asked: Sequence[str], utterance: Utterance) -> tuple[Task, ...]:
    kept = list(tasks)
    for request in asked:
        for place, task in enumerate(kept):
            if task.closed is None and overlap(task.text, request) >= SAME_TASK:
                kept[place] = replace(task, seqs=_sources(task.seqs, (utterance.seq,)))
                break
        else:
            kept.append(Task(request, (utterance.seq,), opened=utterance.seq, at=utterance.at))
    return _within(kept, TASKS_MAX, [task.closed is not None for task in kept])


def _within(items: list[T], limit: int, over: list[bool]) -> tuple[T, ...]:
    """The newest `limit` of `items`; those that are `over` go first."""
    if len(items) <= limit:
        return tuple(items)
    drop = set(sorted(range(len(items)), key=lambda place: (not over[place], place))[: len(items) - limit])
    return tuple(item for place, item in enumerate(items) if place not in drop)


def _answered(state: Profile, utterance: Utterance) -> Profile:
    """What the assistant's reply does to the open tasks."""
    if not any(task.closed is None for task in state.tasks):
        return replace(state, exchange=0) if state.exchange else state
    answer = answers(utterance.reply)
    if answer == "asks":
        return state
    tasks = state.tasks
    if answer == "brings":
        tasks = tuple(_fulfilled(task, state.exchange, utterance) for task in tasks)
    return replace(state, tasks=tasks, exchange=0)


def _fulfilled(task: Task, exchange: int, utterance: Utterance) -> Task:
    """`task`, closed by a reply that brings something, if the task is of this exchange or the reply speaks of it."""
    if task.closed is not None or not (0 < exchange <= task.opened or overlap(task.text, utterance.reply[:400]) >= ABOUT):
        return task
    return replace(task, closed=utterance.seq, outcome="fulfilled")


class _Window(NamedTuple):
    """The topic that a message of the user names, and the words of the last messages, its own included."""

    named: str | None
    words: tuple[Words, ...]


def _topic(topic: Topic | None, windows: Sequence[_Window]) -> Topic | None:
    """The topic that the user named, while the words of its message are recent; else the words that weigh most.

    `topic` is the one before the windows. Goes back from the last window to the first that decides: words are weighed for
    one message of a batch instead of each.
    """
    named = [topic if topic and topic.said else None]
    for window in windows:
        named.append(Topic(window.named, (window.words[-1].seq,), said=True) if window.named is not None else named[-1])
    for window, last in zip(reversed(windows), reversed(named), strict=False):
        if last is not None and (window.named is not None or last.seqs[0] >= window.words[0].seq):
            return last
        best = topic_of(window.words)
        if best is not None:
            seqs = tuple(it.seq for it in window.words if not set(best.words).isdisjoint(it.words))
            return Topic(" ".join(best.words), seqs, said=False)
    return topic
