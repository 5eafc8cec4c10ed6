"""The log as a list: what every store has to do, said as plainly as possible."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from support.log_drivers import Said, Shown
from turnlog.context.exchanges import NO_RESULT


@dataclass
class Entry:
    """A message; forks that show it hold the same entry."""

    id: str
    role: str
    content: Any
    salt: int
    erased: bool = False

    def shown(self, seq: int) -> Shown:
        return (seq, self.id, self.role, "" if self.erased else self.content, self.erased)

    def calls(self) -> str | None:
        """The call that this message makes."""
        return (
            self.content[0]["id"]
            if self.role == "assistant" and isinstance(self.content, list) and not self.erased
            else None
        )

    def answers(self) -> str | None:
        """The call that this message answers."""
        return self.content[0]["call_id"] if self.role == "tool" and not self.erased else None


@dataclass
class Talk:
    """A conversation."""

    entries: list[Entry] = field(default_factory=list)
    title: str | None = None
    revision: int = 1
    deleted: bool = False


class Model:
    """Conversations by id."""

    def __init__(self) -> None:
        self.talks: dict[str, Talk] = {}

    def find(self, id: str) -> Talk | str:
        talk = self.talks.get(id)
        if talk is None:
            return "conversation_not_found"
        return "conversation_deleted" if talk.deleted else talk

    def create(self, id: str, said: list[Said]) -> Any:
        if id in self.talks:
            return "conversation_deleted" if self.talks[id].deleted else "conversation_exists"
        self.talks[id] = Talk()
        self.append(id, said, None)
        return len(self.talks[id].entries)

    def append(self, id: str, said: list[Said], expect_head: int | None, salt: int = 0) -> Any:
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        entries = list(talk.entries)
        for id_, role, content in said:
            assert id_ is not None
            there = next((entry for entry in entries if entry.id == id_), None)
            if there is None:
                entries.append(Entry(id_, role, content, salt))
            elif not there.erased and (there.role, there.content, there.salt) != (role, content, salt):
                return "key_reused"
        head, replayed = len(talk.entries), len(entries) == len(talk.entries)
        if not replayed and expect_head not in (None, head):
            return "head_moved", head
        talk.entries = entries
        seqs = {entry.id: seq for seq, entry in enumerate(entries, 1)}
        return [seqs[id_] for id_, _, _ in said if id_], [id_ for id_, _, _ in said], replayed

    def fork(self, id: str, new: str, at: int) -> Any:
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        if at > len(talk.entries):
            return "message_not_found"
        if new in self.talks:
            return "conversation_deleted" if self.talks[new].deleted else "conversation_exists"
        self.talks[new] = Talk(talk.entries[:at], talk.title)
        return at

    def redact(self, id: str, seq: int) -> Any:
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        if not 1 <= seq <= len(talk.entries):
            return "message_not_found"
        talk.entries[seq - 1].erased = True
        return None

    def delete(self, id: str) -> Any:
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        talk.deleted = True
        return None

    def rename(self, id: str, title: str, expect_revision: int | None) -> Any:
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        if expect_revision not in (None, talk.revision):
            return "revision_moved"
        talk.title, talk.revision = title, talk.revision + 1
        return talk.title, talk.revision, len(talk.entries)

    def sync(self, id: str, said: list[Said]) -> Any:
        """By ids; the transcript is the log's beginning, or all of it and more, or differs somewhere."""
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        matched = 0
        for entry, (id_, role, content) in zip(talk.entries, said, strict=False):
            if entry.id != id_ or not (entry.erased or (entry.role, entry.content) == (role, content)):
                return "transcript_diverged"
            matched += 1
        fresh = said[matched:]
        talk.entries += [Entry(id_ or "", role, content, 0) for id_, role, content in fresh]
        return matched, len(fresh), len(talk.entries) if fresh else max(len(talk.entries), matched)

    def read(self, id: str, after: int, before: int | None, limit: int, newest: bool) -> Any:
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        shown = [entry.shown(seq) for seq, entry in enumerate(talk.entries, 1)]
        within = [one for one in shown if after < one[0] and (before is None or one[0] < before)]
        return len(shown), within[-limit:] if newest else within[:limit]

    def check_context(self, id: str, max_messages: int, seen: Any) -> None:
        """Laws 7 and 9 of a context, in which no memory tells of anything: what is not in the window is omitted."""
        talk = self.find(id)
        if isinstance(talk, str):
            assert seen == talk
            return
        head, coverage, shown = len(talk.entries), seen["coverage"], seen["messages"]
        first, dropped = coverage["window_from"], {left["seq"] for left in coverage["dropped"]}
        assert (coverage["head"], coverage["summary_to"], list(coverage["pinned"])) == (head, 0, [])
        assert 1 <= first <= head + 1
        omitted = (first - 1, 1, first - 1) if first > 1 else (0, 0, 0)
        assert (coverage["omitted"], coverage["omitted_from"], coverage["omitted_to"]) == omitted
        window = [entry for seq, entry in enumerate(talk.entries, 1) if seq >= first and seq not in dropped]
        assert [one for one in shown if not is_made_up(one)] == [(entry.role, entry.content) for entry in window]
        for seq in dropped:
            self._check_dropped(talk.entries, first, seq)
        exchanges = list(in_exchanges(shown))
        assert len(shown) <= max_messages or len(exchanges) == 1

    @staticmethod
    def _check_dropped(entries: list[Entry], first: int, seq: int) -> None:
        """Only what was erased is not shown, and a result that no call right before it waits for."""
        assert first <= seq <= len(entries)
        entry = entries[seq - 1]
        if entry.erased:
            return
        assert entry.role == "tool"
        begin = seq - 1
        while begin >= first and entries[begin - 1].role == "tool":
            begin -= 1
        call = entries[begin - 1].calls() if begin >= first else None
        answered = [other.answers() for other in entries[begin : seq - 1]]
        assert entry.answers() != call or entry.answers() in answered


def is_made_up(shown: Any) -> bool:
    """Whether a message stands for a result that was never recorded."""
    role, content = shown
    return role == "tool" and content[0]["content"] == NO_RESULT


def in_exchanges(shown: list[Any]) -> Iterator[list[Any]]:
    """The messages one by one, a call with its result; a call without one only at the end."""
    at = 0
    while at < len(shown):
        role, content = shown[at]
        assert role != "tool", "a result without its call"
        size = 1
        if role == "assistant" and not isinstance(content, str):
            size = 2 if at + 1 < len(shown) else 1
            for _, result in shown[at + 1 : at + size]:
                assert result[0].get("call_id") == content[0]["id"], "a call without its result"
        yield shown[at : at + size]
        at += size
