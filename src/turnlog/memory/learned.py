"""What was learned from a conversation: values that are stored as JSON. Each names the seqs that it came from."""

import msgspec

from turnlog.memory.extract.entities import Kind
from turnlog.memory.extract.preferencecues import Polarity
from turnlog.memory.extract.tasks import Outcome
from turnlog.memory.extract.topic import Words

RecentWords = tuple[Words, ...]


class UserName(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the user is called; `asked` tells a wish from a mere introduction, which does not replace a wish."""

    text: str
    seqs: tuple[int, ...]
    asked: bool = False


class Preference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user likes or dislikes since the message `since`, until a later one contradicts it."""

    polarity: Polarity
    text: str
    seqs: tuple[int, ...]
    since: int
    until: int | None = None


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user asked for in the message `opened`; `closed` and `outcome` tell when and how it ended."""

    text: str
    seqs: tuple[int, ...]
    opened: int
    closed: int | None = None
    outcome: Outcome | None = None


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Someone or something that the user named in `count` messages, the first and the last of which are told.

    `aliases` are the other forms in which it was named. `seqs` holds the newest `book.SEQS_MAX` messages; older ones lie
    between `first_seen` and the least of them.
    """

    text: str
    kind: Kind
    seqs: tuple[int, ...]
    count: int
    first_seen: int
    last_seen: int
    aliases: tuple[str, ...] = ()


class Topic(msgspec.Struct, frozen=True):
    """What the talk is about; `said` tells whether the user named it or it was guessed from their words."""

    text: str
    seqs: tuple[int, ...]
    said: bool


class Question(msgspec.Struct, frozen=True):
    """The end of what the assistant said last: the user's next message may answer it."""

    text: str
    seq: int


class Learned(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that was learned from the messages up to the seq `watermark`, 0 for none.

    `exchange` is the seq of the first request that the assistant has not yet answered, 0 if there is none.
    """

    watermark: int = 0
    name: UserName | None = None
    former_names: tuple[UserName, ...] = ()
    preferences: tuple[Preference, ...] = ()
    tasks: tuple[Task, ...] = ()
    entities: tuple[Entity, ...] = ()
    topic: Topic | None = None
    recent_words: RecentWords = ()
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

    def relevant_entities(self, count: int) -> tuple[Entity, ...]:
        """The `count` entities that were named most often and most recently, the most relevant first."""
        span = max(1, self.watermark)
        ranked = sorted(self.entities, key=lambda e: (-e.count * (1 + e.last_seen / span), -e.last_seen, e.text))
        return tuple(ranked[:count])
