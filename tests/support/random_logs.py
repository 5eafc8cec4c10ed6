"""What a careless client may log, in any order, and policies and memories of every kind: what contexts are tested with."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from turnlog import (
    Image,
    Limits,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    codec,
    developer,
    system,
    tool,
    user,
)
from turnlog.codec import Record
from turnlog.context.policy import SECTIONS, ContextPolicy
from turnlog.context.sections import Memory, Recalled
from turnlog.tokens import Counter

COUNT = Counter("characters", True, len, image=lambda size: 10, schemas=lambda schemas, text: 0)


def cost(content: Any) -> int:
    """Tokens of a message's content from its JSON, one a character: another sum than the planner's to check it by."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, list | tuple):
        return sum(map(cost, content)) + len(content) - 1
    told = sum(len(content.get(key, "")) for key in ("text", "name", "arguments", "payload"))
    around = {"tool_call": 12, "tool_result": 12, "image": 10}.get(content["type"], 0)
    return told + around + cost(content.get("content", ""))


WORDS = [
    "a",
    "ok",
    "hello there",
    "日本語のテキスト",
    "🙂" * 7,
    "\u202eright to left",
    "line\nbreak " * 5,
    "x" * 60,
    "long " * 90,
]
TEXTS = [*WORDS, "huge " * 5_000]


def calls(*ids: str, arguments: str = "{}") -> tuple[ToolCall, ...]:
    return tuple(ToolCall(id_, "f", arguments) for id_ in ids)


POOL: list[Message] = [
    *[user(text) for text in TEXTS],
    *[assistant(text) for text in TEXTS],
    *[system(text) for text in WORDS[:4]],
    developer("be brief"),
    developer([Text("in"), Text("parts")]),
    user([Text("look"), Image(url="https://example.com/a.png")]),
    assistant([Text("well"), Reasoning("r"), *calls("a")]),
    assistant([Reasoning("thinking")]),
    assistant([Refusal("no")]),
    assistant("", status="partial"),
    user("", status="incomplete"),
    assistant("cut o", status="partial"),
    *[assistant(calls(*ids)) for ids in ("a", "b", "ab", "ba", "aa", "abc", "aab")],
    assistant(calls("a", arguments="w " * 300)),
    *[tool(id_, text) for id_ in "abc" for text in ("", "result", "r" * 200)],
    Message("tool", (ToolResult("a", "1"), ToolResult("b", "2"))),
    Message("tool", (ToolResult("a", "1"), ToolResult("a", "again"))),
    Message("tool", (ToolResult("c", (Text("t"), Image(url="https://example.com/b.png"))), ToolResult("z", "?"))),
]
"""Anything that a careless client may log; conversations are drawn from it, in any order."""
for _message in POOL:
    msgspec.structs.force_setattr(_message, "created_at", POOL[0].created_at)
_ENCODED = [codec.encode(message, tokens=COUNT(message), limits=Limits()) for message in POOL]
_ERASED = [codec.tombstone(record) for record in _ENCODED]
_TOOLS = [place for place, message in enumerate(POOL) if message.role == "tool" or message.tool_calls]


def stored(places: Sequence[int], erased: frozenset[int] = frozenset()) -> list[Record]:
    """The log of the messages at `places` of the pool; those at the seqs in `erased` as tombstones."""
    found = []
    for seq, place in enumerate(places, 1):
        record = (_ERASED if seq in erased else _ENCODED)[place]
        named = msgspec.structs.replace(record, id=f"m{seq}", seq=seq)
        found.append(msgspec.structs.replace(named, checksum=codec.checksum(named)))
    return found


PLACES = st.lists(st.integers(0, len(POOL) - 1) | st.sampled_from(_TOOLS), max_size=24)
ITEMS = ["name: Ann", "likes tea", "日本", "y" * 30, "z" * 120, "born in 1990"]
SEED = st.integers(0, 2**32)
"""Policies and memories follow from a seed: drawing them piece by piece would take most of the time."""


def a_policy(seed: int) -> ContextPolicy:
    rng = Random(seed)
    low = rng.choice([0.2, 0.4, 0.6])
    names = rng.sample(list(SECTIONS), rng.randrange(7))
    budget = rng.choice([rng.randint(10, 300), rng.randint(10, 900), rng.randint(900, 60_000)])
    return ContextPolicy(
        budget_tokens=budget,
        reserve_tokens=rng.choice([0, rng.randint(0, budget // 4)]),
        sections={name: low * rng.randint(0, 10) / 61 for name in names},
        min_turns=rng.choice([0, 0, 0, 1, 2, 3]),
        max_messages=rng.choice([None, rng.randint(1, 12)]),
        pinned=tuple(rng.randint(1, 26) for _ in range(rng.choice([0, 0, 1, 3]))),
        high=rng.choice([0.7, 0.9, 1.0]),
        low=low,
    )


def a_memory(seed: int) -> Memory:
    rng = Random(seed)
    return Memory(
        {
            "profile": rng.sample(ITEMS, rng.randrange(5)),
            "facts": rng.sample(ITEMS, rng.randrange(5)),
            "summary": rng.choice([[], ["they spoke"], ["s" * 80]]),
            "time": rng.choice([[], ["2026-11-23T01:00:00Z"]]),
        },
        rng.randint(0, 24),
        tuple(Recalled(rng.choice(WORDS), rng.randint(0, 24)) for _ in range(rng.randrange(3))),
    )


POLICIES = SEED.map(a_policy)
MEMORIES = SEED.map(a_memory)
FIXED = st.tuples(st.integers(0, 12), st.integers(0, 30))
