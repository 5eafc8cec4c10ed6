"""Whose turn it is, decided without a store."""

from random import Random
from typing import Any

import pytest

from support.sample_folds import Ids
from turnlog.store import Key, Stale
from turnlog.worker import queue
from turnlog.worker.queue import Lane, next_lane
from turnlog.worker.step import WorkerConfig, micros

ENOUGH = 5


def lane(tenant: str = "t", *ready: str, fold: str = "ids") -> Lane:
    made = Lane(tenant, Ids(name=fold))
    made.ready = list(ready)
    return made


def behind(*ids: str, head: int = 1) -> list[Stale]:
    return [Stale(id_, head, 0, 0) for id_ in ids]


def take_in(to: Lane, found: list[Stale], now: int = 0) -> set[str]:
    wanted = to.wanted(now)
    to.take_in(found, wanted, ENOUGH, 1, begun=now, since=to.since(now))
    return set(to.ready)


def test_what_runs_or_rests_is_not_made_ready() -> None:
    it = lane("t", "a")
    it.begin(1)
    it.resting["b"] = 10
    assert take_in(it, behind("a", "b", "c", head=99)) == {"c"}


def test_a_rest_is_over_at_its_time() -> None:
    it = lane()
    it.resting["b"] = 10
    assert take_in(it, behind("b"), now=9) == set()
    assert take_in(it, behind("b"), now=10) == {"b"}


def test_enough_messages_end_a_pause_but_no_rest() -> None:
    it = lane()
    it.pausing["p"], it.resting["r"] = 10, 10
    assert take_in(it, behind("p", "r", head=ENOUGH - 1)) == set()
    assert take_in(it, behind("p", "r", head=ENOUGH)) == {"p"}


def test_those_that_cannot_be_worked_on_hide_none_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LOOK_AHEAD", 1)
    it = lane("t", "running")
    it.begin(1)
    it.resting["failed"], it.pausing["busy"] = 10, 10
    assert it.wanted(now=0) == 4
    everybody = behind("failed", "busy", "running", "new", "newer")
    assert take_in(it, everybody[: it.wanted(now=0)]) == {"new"}
    assert it.due_at(0) == 0


def test_a_scan_is_due_at_its_time_or_when_there_was_more_or_the_clock_went_back() -> None:
    it = lane()
    it.scanned_at, it.scan_at = 100, 200
    assert it.due_at(100) == 200
    assert it.due_at(99) == 0
    it.cut_short = True
    assert it.due_at(100) == 0


def test_who_has_rested_is_ready_though_the_store_does_not_tell_of_it_again() -> None:
    it = lane("t", "gone", "busy", "failed")
    it.end(it.begin(1), rest_until=10)
    it.end(it.begin(2), rest_until=10, pausing=True)
    it.end(it.begin(3), rest_until=10, idle=True)
    assert take_in(it, [], now=9) == set()
    assert take_in(it, behind("gone"), now=9) == set()
    assert take_in(it, [], now=10) == {"failed", "busy"}


def test_after_a_whole_scan_only_what_was_touched_is_looked_at_until_the_next_one_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "WHOLE", 300)
    monkeypatch.setattr(queue, "SLACK", 20)
    it, looked = lane(), []
    for now in (1000, 1010, 1299, 1300, 1301):
        looked.append(it.since(now))
        take_in(it, [], now=now)
    assert looked == [0, 980, 990, 0, 1280]


def test_a_scan_that_was_cut_short_is_made_again_from_the_same_touch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LOOK_AHEAD", 2)
    it = lane()
    now = 10 * queue.SLACK
    take_in(it, behind("a", "b"), now=now)
    assert it.since(now + 1) == 0
    take_in(it, behind("c"), now=now + 1)
    assert it.since(now + 2) == now + 1 - queue.SLACK
    it.ready.clear()
    take_in(it, behind("d", "e"), now=now + 2)
    assert it.since(now + 3) == now + 1 - queue.SLACK


def test_a_lane_that_forgot_or_whose_clock_went_back_looks_at_everything() -> None:
    it = lane()
    now = it.scanned_at = 10 * queue.SLACK
    take_in(it, [], now=now)
    assert it.since(now + 1) > 0
    it.forget()
    assert it.since(now + 1) == 0
    take_in(it, [], now=now)
    it.wanted(now - 1)
    assert it.since(now - 1) == 0


def test_who_is_tried_by_hand_during_a_scan_stays_ready() -> None:
    it = lane()
    it.resting["r"] = 10
    wanted = it.wanted(0)
    it.retry(Key("t", "r"))
    it.take_in([], wanted, ENOUGH, 1, begun=0, since=0)
    assert it.ready == ["r"]


def test_a_turn_that_was_not_enough_goes_behind_the_others() -> None:
    it = lane("t", "c", "b", "a")
    first = it.begin(1)
    it.end(first, more=True)
    assert [it.begin(n).conversation_id for n in (2, 3, 4)] == ["b", "c", "a"]


def test_a_tenant_with_much_to_do_gets_no_more_places_than_one_with_little() -> None:
    large = lane("large", *map(str, range(100)))
    small = lane("small", *map(str, range(3)))
    order = [(next_lane([large, small]) or large).begin(turn).tenant for turn in range(8)]
    assert order == ["large", "small"] * 3 + ["large", "large"]


def test_a_tenant_with_many_folds_gets_no_more_places_than_one_with_one() -> None:
    many = [lane("many", *map(str, range(10)), fold=f"f{n}") for n in range(3)]
    one = lane("one", *map(str, range(10)))
    order = [(next_lane([*many, one]) or one).begin(turn).tenant for turn in range(12)]
    assert order.count("one") == 6


def test_nothing_is_next_when_nothing_is_ready() -> None:
    assert next_lane([]) is None
    assert next_lane([lane(), lane("u")]) is None


@pytest.mark.parametrize(("failures", "longest"), [(1, 1.0), (2, 2.0), (5, 16.0), (12, 60.0), (10_000, 60.0)])
def test_a_rest_doubles_up_to_its_bound_and_never_falls_on_one_moment(failures: int, longest: float) -> None:
    config = WorkerConfig(backoff_s=1.0, backoff_max_s=60.0)
    rests = {config.rest(failures, Random(seed)) for seed in range(20)}
    assert len(rests) == 20
    assert all(micros(longest / 2) <= rest <= micros(longest) for rest in rests)


@pytest.mark.parametrize("field", ["concurrency", "batch", "backlog_min", "turn_s", "step_s", "poll_s", "backoff_s"])
def test_a_config_is_a_plain_value(field: str) -> None:
    changed: Any = WorkerConfig(**{field: 7})
    assert getattr(changed, field) == 7
    assert changed != WorkerConfig()
