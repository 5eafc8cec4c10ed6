"""A summary by a language model: it takes notes, chapter by chapter, and shortens those of older ones.

Its notes are accepted as far as they can be checked: each names messages that it was shown, and has no name and no number
that these, or its own earlier notes, do not have. What does not hold is left out.
"""

from collections.abc import Iterable, Sequence

import msgspec

from turnlog.llm.port import Prompt
from turnlog.memory.llm import prompts
from turnlog.memory.llm.reply import folded, invented
from turnlog.memory.llm.structured import SHOWN_MAX, Unfit
from turnlog.memory.llm.transcript import TranscriptEntry, as_data, fenced, one_line
from turnlog.memory.llm.transcript import line as data_line
from turnlog.memory.summary.chapters import KINDS, SPAN, Chapter, Kind, SummaryLine, best, line, share
from turnlog.tokens.tokenizers import estimate

TEXT_MAX = 300
"""Characters of a note."""
NOTES_MAX = 100
OPEN_MAX = 20
"""What was left open and is told beside new messages: the newest."""
ROOM_MIN = 300
"""Tokens that new messages must find in a prompt."""
_ROLES = "user assistant system developer tool"


class ModelNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One note, as the model replies it."""

    kind: Kind
    text: str
    seqs: list[int]


class Notes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model replies."""

    notes: list[ModelNote]
    settled: list[int]


def room(window: int, tokens: int) -> int:
    """The tokens for messages in a prompt for a model of this window and a summary of so many tokens; may be negative."""
    fixed = estimate("\n".join((prompts.SUMMARY, *prompts.SUMMARY_EXAMPLES)))
    again = estimate("a" * SHOWN_MAX) + 200
    return window - reply_tokens(tokens) - fixed - again - 4 * share(tokens)


def reply_tokens(tokens: int) -> int:
    """Most tokens of a reply: the notes of a chapter as JSON."""
    return 3 * share(tokens) + 200


def open_items(closed: Sequence[Chapter], tokens: int) -> list[SummaryLine]:
    """What earlier chapters left open, as far as it has room beside new messages: the newest, in order."""
    found = [item for chapter in closed for item in chapter.lines if item.kind == "open"]
    return list(best(found[-OPEN_MAX:], share(tokens)))


def to_note(items: Sequence[SummaryLine], chapter: Chapter, chunk: Sequence[TranscriptEntry], tokens: int) -> Prompt:
    """The prompt for the notes of `chapter` once the `chunk` is in it; `items` were left open before."""
    lines = [data_line({"open": n, "text": item.text, "seqs": item.seqs}) for n, item in enumerate(items, 1)]
    lines += map(_as_note, chapter.lines)
    lines += [data_line(as_data(piece)) for piece in chunk]
    turns = (*prompts.SUMMARY_EXAMPLES, _asking(lines, tokens))
    return Prompt(prompts.SUMMARY_NAME, prompts.SUMMARY, turns, reply_tokens(tokens))


def to_merge(one: Chapter, other: Chapter, tokens: int) -> Prompt:
    """The prompt for the notes of two chapters in one."""
    turns = (*prompts.MERGE_EXAMPLES, _asking(list(map(_as_note, (*one.lines, *other.lines))), tokens))
    return Prompt(prompts.MERGE_NAME, prompts.MERGE, turns, reply_tokens(tokens))


def check(reply: Notes, before: Sequence[SummaryLine], chunk: Sequence[TranscriptEntry]) -> None:
    """Raise `Unfit` when there are too many notes, or not one of them holds."""
    if len(reply.notes) > NOTES_MAX:
        raise Unfit(f"it has more than {NOTES_MAX} notes")
    if before and not reply.notes:
        raise Unfit("it drops every note")
    if reply.notes and not accepted(reply, before, chunk):
        seqs = sorted({seq for item in before for seq in item.seqs} | {piece.seq for piece in chunk})
        raise Unfit(f"no note can be kept: seqs must be of {_some(seqs)}, names and numbers as in the messages")


def accepted(reply: Notes, before: Sequence[SummaryLine], chunk: Sequence[TranscriptEntry]) -> tuple[SummaryLine, ...]:
    """The notes that hold, of the lines `before` and the messages of the chunk."""
    seqs = {seq for item in before for seq in item.seqs} | {piece.seq for piece in chunk}
    words = "".join(piece.text if piece.seq == last else f"\n{piece.text}" for last, piece in _after(chunk))
    source = folded("\n".join((_ROLES, *(item.text for item in before), words)))
    lines = []
    for note in reply.notes:
        text, told = one_line(note.text, TEXT_MAX), seqs.intersection(note.seqs)
        if text and told and not invented(text, source):
            lines.append(line(note.kind, text, told, len(KINDS) - KINDS.index(note.kind)))
    return tuple(lines)


def without(closed: Sequence[Chapter], settled: Iterable[SummaryLine]) -> tuple[Chapter, ...]:
    """The chapters without what was settled."""
    gone = set(settled)
    if not gone:
        return tuple(closed)
    return tuple(
        msgspec.structs.replace(chapter, lines=tuple(item for item in chapter.lines if item not in gone))
        for chapter in closed
    )


def is_full(chapter: Chapter) -> bool:
    """Whether what comes next begins another chapter."""
    return chapter.last - chapter.first + 1 >= SPAN


def _after(chunk: Sequence[TranscriptEntry]) -> Iterable[tuple[int, TranscriptEntry]]:
    """Each piece with the seq of the one before it: pieces of one message are one text."""
    return zip((0, *(piece.seq for piece in chunk)), chunk, strict=False)


def _as_note(item: SummaryLine) -> str:
    return data_line({"note": item.text, "kind": item.kind, "seqs": item.seqs})


def _asking(lines: Sequence[str], tokens: int) -> str:
    words = max(20, share(tokens) * 2 // 3)
    return f"{fenced(lines)}\nReply with your notes, in {words} words or fewer."


def _some(seqs: Sequence[int]) -> str:
    return ", ".join(map(str, seqs)) if len(seqs) <= 20 else f"{seqs[0]} to {seqs[-1]}"
