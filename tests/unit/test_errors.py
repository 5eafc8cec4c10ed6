"""One tree of errors: each with a code of its own, the facts as attributes and a sentence for people."""

import json
from collections.abc import Iterator

import pytest

import turnlog
from turnlog import errors
from turnlog.errors import TurnlogError

MADE = [
    TurnlogError("anything"),
    errors.InvalidInput("content", "must not be empty"),
    errors.InvalidJson("it ends in the middle"),
    errors.TooLarge("content", limit=5, actual=6, unit="bytes"),
    errors.NotFound("anything"),
    errors.ConversationNotFound("c1"),
    errors.ConversationDeleted("c1"),
    errors.MessageNotFound("c1", 4),
    errors.FactNotFound("5607e2347621f019"),
    errors.Conflict("anything"),
    errors.HeadMoved(expected=1, actual=2),
    errors.HistoryMoved(expected="00", actual="01"),
    errors.RevisionMoved(expected=1, actual=2),
    errors.KeyReused(message_id="m1", seq=3),
    errors.ConversationExists("c1"),
    errors.SnapshotMoved(watermark=1, epoch=2),
    errors.TranscriptDiverged(7),
    errors.BudgetTooSmall(budget=10, needed=55),
    errors.StoreUnavailable("disk full"),
    errors.StoreFailed("a value is out of range"),
    errors.LLMUnavailable("it is too busy"),
    errors.LLMRefused(status=401, reason="no such key"),
    errors.LLMReplyInvalid("it is no JSON", tries=3),
    errors.MissingExtra("postgres"),
    errors.SchemaTooNew(found=3, supported=2),
    errors.CorruptRecord(seq=5, reason="its checksum does not match"),
]


def tree(root: type[TurnlogError] = TurnlogError) -> Iterator[type[TurnlogError]]:
    yield root
    for leaf in root.__subclasses__():
        if leaf.__module__ != errors.__name__:  # an edge may have one that is of its own making alone
            continue
        yield from tree(leaf)


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in tree()]
    assert len(codes) == len(set(codes))
    assert all(code.islower() and code.replace("_", "").isalpha() for code in codes)


def test_every_error_is_made_here_once() -> None:
    assert sorted(type(error).__name__ for error in MADE) == sorted(kind.__name__ for kind in tree())


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_facts_are_the_attributes_ready_for_json(error: TurnlogError) -> None:
    told = {name: value for name, value in vars(error).items() if name != "record"}  # which may hold somebody's words
    assert json.loads(json.dumps(error.facts)) == told
    taken = {"type", "title", "status", "detail", "code", "retryable"}  # what a problem document says beside them
    assert taken.isdisjoint(error.facts)
    for value in error.facts.values():
        assert str(value) in str(error)


def test_only_what_may_pass_by_itself_is_retryable() -> None:
    assert [type(error).__name__ for error in MADE if error.retryable] == ["StoreUnavailable", "LLMUnavailable"]


def test_the_docstring_draws_the_whole_tree() -> None:
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in tree())


def test_what_turnlog_exports_is_there_sorted_and_whole() -> None:
    exported = turnlog.__all__
    assert exported == sorted(exported)
    assert len(exported) == len(set(exported))
    assert all(hasattr(turnlog, name) for name in exported)
    assert {kind.__name__ for kind in tree()} <= set(exported)
    named = {
        name
        for name, value in vars(turnlog).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("turnlog")
    }
    assert named == set(exported)
