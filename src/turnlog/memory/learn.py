"""`learn(learned, messages)`: what a conversation teaches about its user, by rules alone.

Laws: only what the user says teaches; what is derived, redacted, quoted or code does not, save that a name, a day or an
address in a quotation is still named. To learn in one go or message by message gives the same,
up to the limits below. Each item names its seqs.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from turnlog.errors import InvalidInput
from turnlog.memory.book import Book
from turnlog.memory.extract.entities import Mention, mentions
from turnlog.memory.extract.names import Said, chosen, names
from turnlog.memory.extract.preferences import Liking, preferences
from turnlog.memory.extract.reading import read
from turnlog.memory.extract.tasks import Closing, Request, answers, closings, requests
from turnlog.memory.extract.topic import Words, named_topic, topic_of, topic_words
from turnlog.memory.learned import Learned, Preference, Question, Task, Topic, UserName
from turnlog.memory.likeness import overlap
from turnlog.message import Message

QUESTION_LENGTH = 600
"""Characters of the assistant's last message that are kept for the user's answer."""
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

T = TypeVar("T", Preference, Task)


def learn(learned: Learned, messages: Iterable[Message]) -> Learned:
    """What is known after `messages`, which go on from what was `learned`, in the order of their seqs.

    Raises `InvalidInput` when a message has no seq, or one that was learned before.
    """
    book = Book(learned.entities)
    for message in messages:
        if message.seq is None or message.seq <= learned.watermark:
            raise InvalidInput("seq", f"must be over {learned.watermark}, the last that was learned")
        learned = _heard(learned, book, message, message.seq)
    return replace(learned, entities=book.entities())


def _heard(learned: Learned, book: Book, message: Message, seq: int) -> Learned:
    if message.role not in ("user", "assistant") or message.derived or message.redacted or not (text := message.text):
        return replace(learned, watermark=seq)
    if message.role == "assistant":
        return _answered(replace(learned, watermark=seq), text, seq)
    reading, question = read(text), learned.question
    asked = question.text if question else ""
    said = names(reading, asked)
    for mention in mentions(reading, [Mention(name.name, "PERSON", name.start, name.end) for name in said]):
        book.note(mention, seq)
    before = (question.seq,) if question else ()
    closed = closings(reading)
    tasks = _asked(_closed(learned.tasks, closed, seq), requests(reading, closed), seq)
    opened = any(task.opened == seq for task in tasks)
    words = (*learned.recent_words, Words(seq, topic_words(reading)))[-RECENT:]
    return replace(
        _called(learned, said, before, seq),
        watermark=seq,
        preferences=_liked(learned.preferences, preferences(reading, asked), before, seq),
        tasks=tasks,
        recent_words=words,
        topic=_topic(learned.topic, named_topic(reading), words, seq),
        question=None,
        exchange=learned.exchange or (seq if opened else 0),
    )


def _called(learned: Learned, said: list[Said], before: tuple[int, ...], seq: int) -> Learned:
    name, former = learned.name, learned.former_names
    given = chosen(said)
    if name is not None and any(denied.denied and denied.name.casefold() == name.text.casefold() for denied in said):
        former, name = (*former, name), None
    if given is not None and (given.asked or name is None or not name.asked):
        if name is not None and name.text == given.name:
            name = replace(name, seqs=_sources(name.seqs, (seq,)), asked=name.asked or given.asked)
        else:
            former = former if name is None else (*former, name)
            name = UserName(given.name, (*(before if given.replies else ()), seq), given.asked)
    return replace(learned, name=name, former_names=former[-FORMER_NAMES_MAX:])


def _liked(known: Sequence[Preference], likings: list[Liking], before: tuple[int, ...], seq: int) -> tuple[Preference, ...]:
    kept = list(known)
    for liking in likings:
        seqs = (*(before if liking.replies else ()), seq)
        repeated = False
        for place, other in enumerate(kept):
            if other.until is not None or overlap(other.text, liking.text) < SAME:
                continue
            same = _is_positive(other) == (liking.polarity != "dislike")
            if same and not liking.ended and not repeated:
                kept[place], repeated = replace(other, seqs=_sources(other.seqs, seqs), polarity=liking.polarity), True
            elif same == liking.ended:
                kept[place] = replace(other, until=seq)
        if not repeated and not liking.ended:
            kept.append(Preference(liking.polarity, liking.text, seqs, since=seq))
    return _within(kept, PREFERENCES_MAX, [item.until is not None for item in kept])


def _sources(known: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    seqs = (*known, *(seq for seq in more if seq not in known))
    return seqs if len(seqs) <= SEQS_MAX else (*seqs[:1], *seqs[1 - SEQS_MAX :])


def _is_positive(preference: Preference) -> bool:
    return preference.polarity != "dislike"


def _closed(tasks: tuple[Task, ...], closed: list[Closing], seq: int) -> tuple[Task, ...]:
    """`tasks` without the open one that each closing is about: by its words, else the newest."""
    kept = list(tasks)
    for closing in closed[:1]:
        pending = [place for place, task in enumerate(kept) if task.closed is None]
        if pending:
            place = max(pending, key=lambda at: (overlap(kept[at].text, closing.about) >= ABOUT, at))
            kept[place] = replace(kept[place], closed=seq, outcome=closing.outcome)
    return tuple(kept)


def _asked(tasks: tuple[Task, ...], asked: list[Request], seq: int) -> tuple[Task, ...]:
    kept = list(tasks)
    for request in asked:
        for place, task in enumerate(kept):
            if task.closed is None and overlap(task.text, request.text) >= SAME_TASK:
                kept[place] = replace(task, seqs=_sources(task.seqs, (seq,)))
                break
        else:
            kept.append(Task(request.text, (seq,), opened=seq))
    return _within(kept, TASKS_MAX, [task.closed is not None for task in kept])


def _within(items: list[T], limit: int, over: list[bool]) -> tuple[T, ...]:
    """The newest `limit` of `items`; those that are `over` go first."""
    if len(items) <= limit:
        return tuple(items)
    drop = set(sorted(range(len(items)), key=lambda place: (not over[place], place))[: len(items) - limit])
    return tuple(item for place, item in enumerate(items) if place not in drop)


def _answered(learned: Learned, text: str, seq: int) -> Learned:
    """What the assistant's reply does to the open tasks; its end is kept for the user's answer."""
    question = Question(text[-QUESTION_LENGTH:], seq)
    if not any(task.closed is None for task in learned.tasks):
        return replace(learned, question=question, exchange=0)
    answer = answers(text)
    if answer == "asks":
        return replace(learned, question=question)
    tasks = learned.tasks
    if answer == "brings":
        tasks = tuple(
            replace(task, closed=seq, outcome="fulfilled")
            if task.closed is None and (0 < learned.exchange <= task.opened or overlap(task.text, text[:400]) >= ABOUT)
            else task
            for task in tasks
        )
    return replace(learned, question=question, tasks=tasks, exchange=0)


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
