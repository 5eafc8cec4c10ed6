"""The log as a list: what every store has to do, said as plainly as possible."""

from dataclasses import dataclass, field
from typing import Any

from drivers import Said, Shown


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

    def context(self, id: str, max_messages: int) -> Any:
        talk = self.find(id)
        if isinstance(talk, str):
            return talk
        window = talk.entries[-max_messages:]
        return [
            (entry.role, entry.content) for at, entry in enumerate(window) if not entry.erased and self._whole(window, at)
        ]

    @staticmethod
    def _whole(window: list[Entry], at: int) -> bool:
        """Whether the call or result at this place has its other half right beside it; a last call may wait for it."""
        entry = window[at]
        if (answered := entry.answers()) is not None:
            begin = at
            while begin and window[begin].role == "tool":
                begin -= 1
            return window[begin].calls() == answered
        if (made := entry.calls()) is not None:
            end = at + 1
            while end < len(window) and window[end].role == "tool":
                end += 1
            return end == len(window) or made in [one.answers() for one in window[at + 1 : end]]
        return True
