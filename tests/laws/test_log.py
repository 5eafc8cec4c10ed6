"""Laws 1, 3, 4, 5, 7 and 9: whatever is done to a log, in whatever order, it does what a list would do.

The same machine runs through the library and through HTTP, over each store and each as a tenant of its own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from support.kinds import ALL, SHARED
from support.log_drivers import Driver, Http, Library, Said, Stage
from support.log_model import Model
from support.service import serving
from turnlog import Turnlog, user
from turnlog.log.conversation import keyed

STEPS = 25
WITHIN, BESIDE, BEHIND = 0.5, 0.2, 0.1
"""The part of the usual number of examples for a store in this process, for one beside it, and for a service of its own."""
CALL_IDS = st.sampled_from(["x", "y"])
CONTENT: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(
        st.just("user"), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=5)
    ),
    st.tuples(st.just("assistant"), st.sampled_from(["ok", "no"])),
    st.tuples(
        st.just("assistant"),
        CALL_IDS.map(lambda id_: [{"type": "tool_call", "id": id_, "name": "f", "arguments": "{}"}]),
    ),
    st.tuples(st.just("tool"), CALL_IDS.map(lambda id_: [{"type": "tool_result", "call_id": id_, "content": "42"}])),
)
BATCH = st.lists(CONTENT, min_size=1, max_size=3)
PLACE = st.integers(0, 12)
KEYS = st.sampled_from(["k1", "k2"])


class LogMachine(RuleBasedStateMachine):
    """Does the same to a model and to a log, and compares every answer."""

    stand: ClassVar[Callable[[], Stage]]
    conversations = Bundle("conversations")

    def __init__(self) -> None:
        super().__init__()
        self.stage = type(self).stand()
        self.prefix = f"{uuid4().hex}-"
        self.model = Model()
        self.made = 0
        self.touched: set[str] = set()

    def teardown(self) -> None:
        self.stage.close()

    def both(self, what: str, id: str, *arguments: Any, expected: Any = ...) -> Any:
        """Do it to both; what they agree on."""
        if expected is ...:
            expected = getattr(self.model, what)(id, *arguments)
        answer = self.stage.run(getattr(self.stage.driver, what)(id, *arguments))
        assert answer == expected, f"{what}{(id, *arguments)}"
        self.touched.add(id)
        return answer

    def new_id(self, kind: str) -> str:
        self.made += 1
        return f"{self.prefix if kind == 'c' else ''}{kind}{self.made}"

    def named(self, said: list[tuple[str, Any]]) -> list[Said]:
        return [(self.new_id("m"), role, content) for role, content in said]

    def append(self, id: str, said: list[Said], expect_head: int | None = None) -> None:
        expected = self.model.append(id, said, expect_head)
        self.both("append", id, said, expect_head, None, expected=expected)

    def log(self, id: str) -> list[Said]:
        return [(entry.id, entry.role, entry.content) for entry in self.model.talks[id].entries]

    @initialize(target=conversations, said=BATCH)
    def begin_first(self, said: list[tuple[str, Any]]) -> str:
        id_ = self.new_id("c")
        self.both("create", id_, self.named(said))
        return id_

    @rule(target=conversations, said=st.just([]) | BATCH)
    def begin(self, said: list[tuple[str, Any]]) -> str:
        id_ = self.new_id("c")
        self.both("create", id_, self.named(said))
        return id_

    @rule(id_=conversations, said=BATCH)
    def begin_again(self, id_: str, said: list[tuple[str, Any]]) -> None:
        self.both("create", id_, self.named(said))

    @rule(id_=conversations, said=BATCH)
    def law_1_append(self, id_: str, said: list[tuple[str, Any]]) -> None:
        self.append(id_, self.named(said))

    @rule(id_=conversations, said=BATCH, off=st.sampled_from([0, 0, -1, 1, 5]))
    def law_5_append_on_a_condition(self, id_: str, said: list[tuple[str, Any]], off: int) -> None:
        self.append(id_, self.named(said), max(0, len(self.log(id_)) + off))

    @rule(id_=conversations, start=PLACE, count=st.integers(1, 4), fresh=st.just([]) | BATCH, expect=st.none() | PLACE)
    def law_3_append_again(self, id_: str, start: int, count: int, fresh: list[tuple[str, Any]], expect: int | None) -> None:
        again = self.log(id_)[start : start + count]
        if again:
            self.append(id_, [*again, *self.named(fresh), again[0]], expect)

    @rule(id_=conversations, place=PLACE, fresh=st.just([]) | BATCH)
    def law_3_another_body_under_a_known_id(self, id_: str, place: int, fresh: list[tuple[str, Any]]) -> None:
        if place < len(self.log(id_)):
            self.append(id_, [*self.named(fresh), (self.log(id_)[place][0], "user", "other words")])

    @rule(
        id_=conversations, key=KEYS, said=st.lists(st.sampled_from([("user", "a"), ("user", "b")]), min_size=1, max_size=2)
    )
    def law_3_append_under_a_key(self, id_: str, key: str, said: list[tuple[str, Any]]) -> None:
        ids = [message.id for message in keyed([user("any")] * len(said), key)]
        named: list[Said] = [(id_, role, content) for id_, (role, content) in zip(ids, said, strict=True)]
        expected = self.model.append(id_, named, None, len(said))
        self.both("append", id_, [(None, role, content) for role, content in said], None, key, expected=expected)

    @rule(target=conversations, id_=conversations, at=PLACE)
    def fork(self, id_: str, at: int) -> Any:
        new = self.new_id("c")
        self.both("fork", id_, new, at)
        return new if new in self.model.talks else multiple()

    @rule(id_=conversations, seq=st.integers(1, 12))
    def law_4_redact(self, id_: str, seq: int) -> None:
        self.both("redact", id_, seq)
        self.touched |= self.model.talks.keys()

    @rule(id_=conversations)
    def delete(self, id_: str) -> None:
        self.both("delete", id_)
        self.touched |= self.model.talks.keys()

    @rule(id_=conversations, expect=st.none() | st.integers(1, 3))
    def rename(self, id_: str, expect: int | None) -> None:
        self.both("rename", id_, self.new_id("title"), expect)

    @rule(id_=conversations, upto=PLACE, said=BATCH)
    def sync(self, id_: str, upto: int, said: list[tuple[str, Any]]) -> None:
        self.both("sync", id_, [*self.log(id_)[:upto], *self.named(said)])

    @rule(id_=conversations)
    def sync_what_is_there(self, id_: str) -> None:
        if self.log(id_):
            self.both("sync", id_, self.log(id_))

    @rule(id_=conversations, after=PLACE, before=st.none() | PLACE, limit=st.integers(1, 6), newest=st.booleans())
    def read(self, id_: str, after: int, before: int | None, limit: int, newest: bool) -> None:
        self.both("read", id_, after, before, limit, newest)

    @rule(id_=conversations, max_messages=st.integers(1, 12))
    def law_9_context(self, id_: str, max_messages: int) -> None:
        seen = self.stage.run(self.stage.driver.context(id_, max_messages))
        self.model.check_context(id_, max_messages, seen)

    @rule(id_=conversations, said=BATCH, again=st.booleans(), max_messages=st.integers(1, 12))
    def laws_1_and_9_turn(self, id_: str, said: list[tuple[str, Any]], again: bool, max_messages: int) -> None:
        """What it appends is right there in its context."""
        named = self.log(id_)[-1:] if again and self.log(id_) else self.named(said)
        expected = self.model.append(id_, named, None)
        answer = self.stage.run(self.stage.driver.turn(id_, named, max_messages))
        if isinstance(answer, str):
            assert answer == expected
            return
        appended, seen = answer
        assert appended == expected
        self.model.check_context(id_, max_messages, seen)
        self.touched.add(id_)

    @rule()
    def nobody_knows_an_id_that_never_was(self) -> None:
        self.both("read", "nowhere", 0, None, 1, False)
        self.append("nowhere", [("m", "user", "x")])
        self.touched.discard("nowhere")

    @invariant()
    def every_log_is_as_the_list(self) -> None:
        for id_ in self.touched:
            self.both("read", id_, 0, None, 1000, False)
            if isinstance(self.model.find(id_), str):
                continue
            assert self.stage.run(self.stage.log.conversation(id_).verify()) == []
        self.touched = set()


def run_machine(stand: Callable[[], Stage], share: float) -> None:
    machine = type("Machine", (LogMachine,), {"stand": staticmethod(stand)})
    examples = max(1, round(settings().max_examples * share))
    run_state_machine_as_test(machine, settings=settings(stateful_step_count=STEPS, max_examples=examples))


@pytest.mark.parametrize("drive", [Library, Http.within], ids=["library", "http"])
@pytest.mark.parametrize("store", ALL)
def test_a_log_does_what_a_list_would_do(store: str, store_url: str, drive: Callable[[Turnlog], Driver]) -> None:
    run_machine(lambda: Stage(store_url, f"t-{uuid4().hex}", drive), WITHIN if store == "ram" else BESIDE)


@pytest.mark.parametrize("store", SHARED)
def test_a_log_behind_four_processes_does_what_a_list_would_do(
    store: str, store_url: str, tenant: str, tmp_path: Path
) -> None:
    with serving(store_url, workers=4, directory=tmp_path, tenant=tenant) as service:
        run_machine(lambda: Stage(store_url, tenant, lambda log: Http.at(service.url)), BEHIND)
