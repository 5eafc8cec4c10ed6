"""Real chats, turn by turn through the planner: how much of each prompt the one before it began with, and how full it is.

A context is planned at each message of a user, and nothing is stored: what the planner reads is in memory. What two prompts
share is found by comparing their messages as JSON, from the first one on, and the planner's own `shared_tokens` is held
against it. A window that slides, the newest messages that fit, is measured beside.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench.measure import Goal, Options, Table
from turnlog import Limits, Message, codec
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.planner import plan
from turnlog.context.planner_state import View
from turnlog.context.policy import ContextPolicy, override, preset
from turnlog.store import Header
from turnlog.tokens import REPLY_PRIMING, Counter, counter

CHATS = Path(os.environ.get("TURNLOG_CHATS") or Path(__file__).parents[2] / "shared" / "data" / "chats.jsonl")
GROUPS = {"people": ("conv-", (8_000,)), "assistants": ("beam-", (8_000, 32_000))}
"""What the ids of a group's chats begin with, and the budgets to try."""
BOUNDS = {("people", 8_000): 0.93, ("assistants", 8_000): 0.60, ("assistants", 32_000): 0.87}
USE = 0.70
_TITLE = "Replay: what a provider's prompt cache can keep"


class Prompt(msgspec.Struct, frozen=True):
    """What is sent: each message as JSON, and its tokens; `whole` when the log was not longer than the budget."""

    texts: list[bytes]
    costs: list[int]
    whole: bool
    said_shared: int | None = None

    @property
    def tokens(self) -> int:
        return sum(self.costs) + REPLY_PRIMING


class Figures(msgspec.Struct, frozen=True):
    """Means over prompts: the share of one that the prompt before began with, the use of the budget once the log exceeds it,
    and how many compactions a hundred prompts saw; `wrong` counts prompts that share less than the planner said."""

    shared: float
    use: float
    breaks: float
    wrong: int
    prompts: int


def run(options: Options) -> Table:
    if not CHATS.exists():
        return Table(
            _TITLE, f"SKIPPED: there are no chats at {CHATS}; TURNLOG_CHATS may name a file of them.", (), [], [], {}
        )
    count = counter("o200k_base")
    rows, goals = [], []
    for group, (begin, budgets) in GROUPS.items():
        logs = [_records(chat, count) for chat in _chats(begin)]
        for budget in budgets:
            policy = override(preset("window"), {"budget_tokens": budget})
            ours = measured([list(planned(log, policy, count)) for log in logs], budget)
            slid = measured([list(sliding(log, budget)) for log in logs], budget)
            rows += [_row(group, budget, "turnlog", ours), _row(group, budget, "sliding window", slid)]
            goals += [
                Goal(f"{group} at {budget:,}: shared", ours.shared, BOUNDS[group, budget], at_least=True),
                Goal(f"{group} at {budget:,}: use", ours.use, USE, at_least=True),
                Goal(f"{group} at {budget:,}: prompts that share less than was said", ours.wrong, 0),
            ]
    note = "A chat's first prompt counts as sharing nothing. Tokens are those of o200k_base."
    columns = ("chats", "budget", "window", "prompts", "shared with the one before", "use once full", "breaks in 100")
    return Table(_TITLE, note, columns, rows, goals, {})


def _row(group: str, budget: int, name: str, of: Figures) -> tuple[str, ...]:
    return (group, f"{budget:,}", name, f"{of.prompts:,}", f"{of.shared:.3f}", f"{of.use:.3f}", f"{of.breaks:.1f}")


def _chats(begin: str) -> list[list[dict[str, str]]]:
    chats = map(msgspec.json.decode, CHATS.read_bytes().splitlines())
    return [chat["messages"] for chat in chats if chat["conversation_id"].startswith(begin)]


def _records(chat: Sequence[dict[str, str]], count: Counter) -> list[Record]:
    found = []
    for seq, said in enumerate(chat, 1):
        message = Message(said["role"], said["content"], name=said.get("name"), id=f"m{seq}")  # type: ignore[arg-type]
        record = codec.encode(message, tokens=count(message), limits=Limits())
        found.append(msgspec.structs.replace(record, seq=seq))
    return found


def _user_turns(log: Sequence[Record]) -> Iterator[int]:
    return (record.seq for record in log if codec.role(record) == "user")


def planned(log: Sequence[Record], policy: ContextPolicy, count: Counter) -> Iterator[Prompt]:
    """The planner's prompts, each compaction given back to it."""
    frozen: Compaction | None = None
    for head in _user_turns(log):
        start = frozen.start if frozen else 1
        view = View(Header("c", 0, 0, head=head), log[start - 1 : head], log[:2], frozen)
        context = plan(view, policy, count, overhead_tokens=REPLY_PRIMING)
        frozen = context.compaction or frozen
        whole = sum(record.tokens for record in log[:head]) <= policy.budget_tokens
        yield Prompt(*_rendered(context.records), whole, context.shared_tokens)


def sliding(log: Sequence[Record], budget: int) -> Iterator[Prompt]:
    """The newest messages that fit."""
    for head in _user_turns(log):
        start, tokens = head, REPLY_PRIMING
        while start and tokens + log[start - 1].tokens <= budget:
            start -= 1
            tokens += log[start].tokens
        yield Prompt(*_rendered(log[start:head]), start == 0)


def _rendered(records: Sequence[Record]) -> tuple[list[bytes], list[int]]:
    texts, costs = [], []
    for record in records:
        message = codec.decode(record)
        texts.append(msgspec.json.encode({"role": message.role, "name": message.name, "content": message.content}))
        costs.append(record.tokens)
    return texts, costs


def measured(chats: Sequence[Sequence[Prompt]], budget: int) -> Figures:
    """The means over all prompts of `chats`."""
    shares, uses, wrong, breaks = [], [], 0, 0
    for prompts in chats:
        before: list[bytes] = []
        for prompt in prompts:
            common = _common(before, prompt.texts)
            shared = sum(prompt.costs[:common])
            shares.append(shared / prompt.tokens)
            breaks += common < len(before)
            wrong += prompt.said_shared is not None and prompt.said_shared > shared
            if not prompt.whole:
                uses.append(prompt.tokens / budget)
            before = prompt.texts
    return Figures(_mean(shares), _mean(uses), 100 * breaks / len(shares), wrong, len(shares))


def _common(before: Sequence[bytes], now: Sequence[bytes]) -> int:
    """How many messages both begin with."""
    same = 0
    for was, this in zip(before, now, strict=False):
        if was != this:
            break
        same += 1
    return same


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
