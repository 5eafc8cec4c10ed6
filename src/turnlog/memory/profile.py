"""The fold `profile`: how the user is called, what they like, what they asked for and what the talk is about.

To fold in one go or message by message gives the same. Each item names the seqs that it came from.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from turnlog.extraction.preferences import Polarity
from turnlog.extraction.tasks import Outcome, answers
from turnlog.extraction.topic import Words, topic_of
from turnlog.memory.heard import Heard, HeardClosing, HeardLiking, HeardName
from turnlog.memory.hearing import Heeding, Question, Talk, Turn
from turnlog.memory.similarity import overlap
from turnlog.message import Message

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


class ProfileState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of the user.

    `recent_words`, `question` and `exchange` are what the next message is understood with: the words of the last messages,
    the assistant's last words, and the seq of the first request that the assistant has not answered, 0 if there is none.
    """

    name: UserName | None = None
    former_names: tuple[UserName, ...] = ()
    preferences: tuple[Preference, ...] = ()
    tasks: tuple[Task, ...] = ()
    topic: Topic | None = None
    recent_words: tuple[Words, ...] = ()
    question: Question | None = None
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


class Profile(Heeding):
    """The fold."""

    name = "profile"

    def initial(self) -> ProfileState:
        return ProfileState()

    async def step(self, state: ProfileState, messages: Sequence[Message]) -> ProfileState:
        return await self._taught(profiled, state, state.question, messages)


def profiled(state: ProfileState, talk: Talk) -> ProfileState:
    """The state after `talk`, which goes on from `state`."""
    for turn in talk.turns:
        state = _answered(state, turn) if turn.heard is None else _taught(state, turn, turn.heard)
    return replace(state, question=talk.question)


def _taught(state: ProfileState, turn: Turn, heard: Heard) -> ProfileState:
    seq = turn.seq
    tasks = _asked(_closed(state.tasks, heard.closings, seq), heard.requests, turn)
    opened = any(task.opened == seq for task in tasks)
    words = (*state.recent_words, Words(seq, heard.words))[-RECENT:]
    name, former = _called(state, heard.names, turn)
    return replace(
        state,
        name=name,
        former_names=former,
        preferences=_liked(state.preferences, heard.likings, turn),
        tasks=tasks,
        recent_words=words,
        topic=_topic(state.topic, heard.topic, words, seq),
        exchange=state.exchange or (seq if opened else 0),
    )


def _called(state: ProfileState, said: Sequence[HeardName], turn: Turn) -> tuple[UserName | None, tuple[UserName, ...]]:
    name, former = state.name, state.former_names
    given = chosen(said)
    if name is not None and any(denied.denied and denied.text.casefold() == name.text.casefold() for denied in said):
        former, name = (*former, name), None
    if given is not None and (given.asked or name is None or not name.asked):
        if name is not None and name.text == given.text:
            name = replace(name, seqs=_sources(name.seqs, (turn.seq,)), asked=name.asked or given.asked, at=turn.at)
        else:
            former = former if name is None else (*former, name)
            name = UserName(given.text, (*(turn.before if given.replies else ()), turn.seq), given.asked, turn.at)
    return name, former[-FORMER_NAMES_MAX:]


def chosen(said: Sequence[HeardName]) -> HeardName | None:
    """The name that the user is to have after a message: the last wish, else the last introduction."""
    given = [name for name in said if not name.denied]
    wishes = [name for name in given if name.asked]
    best = wishes or given
    return best[-1] if best else None


def _liked(known: tuple[Preference, ...], likings: Sequence[HeardLiking], turn: Turn) -> tuple[Preference, ...]:
    if not likings:
        return known
    kept, seq = list(known), turn.seq
    for liking in likings:
        seqs = (*(turn.before if liking.replies else ()), seq)
        repeated = False
        for place, other in enumerate(kept):
            if other.until is not None or overlap(other.text, liking.text) < SAME:
                continue
            same = _is_positive(other) == (liking.polarity != "dislike")
            if same and not liking.ended and not repeated:
                seqs = _sources(other.seqs, seqs)
                kept[place], repeated = replace(other, seqs=seqs, polarity=liking.polarity, at=turn.at), True
            elif same == liking.ended:
                kept[place] = replace(other, until=seq)
        if not repeated and not liking.ended:
            kept.append(Preference(liking.polarity, liking.text, seqs, since=seq, at=turn.at))
    return _within(kept, PREFERENCES_MAX, [item.until is not None for item in kept])


def _sources(known: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    seqs = (*known, *(seq for seq in more if seq not in known))
    return seqs if len(seqs) <= SEQS_MAX else (*seqs[:1], *seqs[1 - SEQS_MAX :])


def _is_positive(preference: Preference) -> bool:
    return preference.polarity != "dislike"


def _closed(tasks: tuple[Task, ...], closed: Sequence[HeardClosing], seq: int) -> tuple[Task, ...]:
    """`tasks` without the open one that each closing is about: by its words, else the newest."""
    kept = list(tasks)
    for closing in closed[:1]:
        pending = [place for place, task in enumerate(kept) if task.closed is None]
        if pending:
            place = max(pending, key=lambda at: (overlap(kept[at].text, closing.about) >= ABOUT, at))
            kept[place] = replace(kept[place], closed=seq, outcome=closing.outcome)
    return tuple(kept)


def _asked(tasks: tuple[Task, ...], asked: Sequence[str], turn: Turn) -> tuple[Task, ...]:
    kept = list(tasks)
    for request in asked:
        for place, task in enumerate(kept):
            if task.closed is None and overlap(task.text, request) >= SAME_TASK:
                kept[place] = replace(task, seqs=_sources(task.seqs, (turn.seq,)))
                break
        else:
            kept.append(Task(request, (turn.seq,), opened=turn.seq, at=turn.at))
    return _within(kept, TASKS_MAX, [task.closed is not None for task in kept])


def _within(items: list[T], limit: int, over: list[bool]) -> tuple[T, ...]:
    """The newest `limit` of `items`; those that are `over` go first."""
    if len(items) <= limit:
        return tuple(items)
    drop = set(sorted(range(len(items)), key=lambda place: (not over[place], place))[: len(items) - limit])
    return tuple(item for place, item in enumerate(items) if place not in drop)


def _answered(state: ProfileState, turn: Turn) -> ProfileState:
    """What the assistant's reply does to the open tasks."""
    if not any(task.closed is None for task in state.tasks):
        return replace(state, exchange=0) if state.exchange else state
    answer = answers(turn.reply)
    if answer == "asks":
        return state
    tasks = state.tasks
    if answer == "brings":
        tasks = tuple(_fulfilled(task, state.exchange, turn) for task in tasks)
    return replace(state, tasks=tasks, exchange=0)


def _fulfilled(task: Task, exchange: int, turn: Turn) -> Task:
    """`task`, closed by a reply that brings something, if the task is of this exchange or the reply speaks of it."""
    if task.closed is not None or not (0 < exchange <= task.opened or overlap(task.text, turn.reply[:400]) >= ABOUT):
        return task
    return replace(task, closed=turn.seq, outcome="fulfilled")


def _topic(topic: Topic | None, named: str | None, words: tuple[Words, ...], seq: int) -> Topic | None:
    """The topic that the user named, while the words of its message are recent; else the words that weigh most."""
    if named is not None:
        return Topic(named, (seq,), said=True)
    if topic is not None and topic.said and topic.seqs[0] >= words[0].seq:
        return topic
    best = topic_of(words)
    if best is None:
        return topic
    seqs = tuple(said.seq for said in words if not set(best.words).isdisjoint(said.words))
    return Topic(" ".join(best.words), seqs, said=False)
