"""Folds beside the built-in ones: how they are named, and what contexts show of them."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import turnlog
from support.sample_folds import Facts, Failing, Ids, Questions
from turnlog import ContextPolicy, Conversation, InvalidInput, Memory, Settings, Turnlog, assistant, user
from turnlog.fold import Fold
from turnlog.sync import connect as connect_blocking
from turnlog.testing import DeterministicFoldContract

QUESTIONS = "Open questions:\nIs it far?"


class TestQuestions(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Questions]:
        return Questions


async def asked(log: Turnlog) -> Conversation:
    talk = await log.create(user("Is it far?"), assistant("It is."), user("Go on."), user_id="ada")
    await talk.catch_up()
    return talk


def texts(context: turnlog.Context) -> list[str]:
    return [message.text for message in context.messages]


# In contexts


async def test_a_context_shows_the_section_of_a_fold() -> None:
    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        talk = await asked(log)
        context = await talk.context()
        assert texts(context)[0] == QUESTIONS
        assert context.messages[0].derived
        assert context.messages[0].metadata == {"section": "questions"}
        entry = next(entry for entry in context.explain if entry.section == "questions")
        assert (entry.included, entry.reason) == (True, "as of message 3, the last compaction")
        assert entry.tokens == next(section.tokens for section in context.sections if section.name == "questions")
        assert context.memory.sections["questions"] == ("Is it far?",)
        assert (await talk.memory())["questions"].state == ["Is it far?"]


@pytest.mark.parametrize("policy", [{"sections": {"questions": 0}}, "window", ContextPolicy()])
async def test_a_policy_turns_the_section_off(policy: object) -> None:
    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        context = await (await asked(log)).context(policy=policy)  # type: ignore[arg-type]
        assert QUESTIONS not in texts(context)
        assert ("questions", "off in the policy") in {(entry.section, entry.reason) for entry in context.explain}


async def test_every_layer_of_policies_may_name_the_section() -> None:
    settings = Settings(context_policy={"sections": {"questions": 0}})
    async with turnlog.connect("ram:", settings=settings, folds=[Questions()]) as log:
        talk = await asked(log)
        assert QUESTIONS not in texts(await talk.context())
        assert QUESTIONS in texts(await talk.context(policy={"sections": {"questions": 0.1}}))
        assert QUESTIONS in texts(await talk.context(policy="full"))
        assert QUESTIONS in texts(await talk.context(policy=ContextPolicy(sections={"questions": 0.1})))
        await talk.update(metadata={"context_policy": {"sections": {"questions": 0.1}}})
        assert QUESTIONS in texts(await talk.context())


async def test_lines_that_do_not_fit_in_the_share_are_left_out_from_the_end() -> None:
    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        talk = await log.create(*(user(f"Is it {n} miles to the sea from here?") for n in range(40)))
        await talk.catch_up()
        context = await talk.context(budget=2_000)
        shown = texts(context)[0].splitlines()
        assert shown[:2] == ["Open questions:", "Is it 39 miles to the sea from here?"]
        assert next(section.tokens for section in context.sections if section.name == "questions") <= 100 < 40 * len(shown)


async def test_law_13_the_section_stays_until_a_compaction_and_changes_tell_what_is_new() -> None:
    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        talk = await asked(log)
        before = await talk.context()
        await talk.append(user("And when?"))
        await talk.catch_up()
        after = await talk.context()
        stable = before.records[: before.stable]
        assert [record.body for record in after.records[: before.stable]] == [record.body for record in stable]
        assert texts(after)[0] == QUESTIONS
        assert texts(after)[-1] == "Changed since the above was written:\nAnd when?"
        await talk.append(*(assistant("word " * 200) for _ in range(60)), user("Well."))
        await talk.catch_up()
        assert texts(await talk.context())[0] == "Open questions:\nAnd when?\nIs it far?"


async def test_law_13_another_heading_waits_for_the_next_compaction() -> None:
    class Renamed(Questions):
        section = Questions.section._replace(heading="Asked:")

    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        talk = await asked(log)
        before = await talk.context()
        after = await Turnlog(log.store, folds=[Renamed()]).conversation(talk.id).context()
        assert before.compaction is not None
        assert (after.compaction, texts(after)) == (None, texts(before))


async def test_a_section_goes_with_its_fold() -> None:
    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        talk = await asked(log)
        assert QUESTIONS in texts(await talk.context())
        assert QUESTIONS not in texts(await Turnlog(log.store).conversation(talk.id).context())


async def test_law_11_what_was_erased_is_in_no_section() -> None:
    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        talk = await asked(log)
        assert QUESTIONS in texts(await talk.context())
        await talk.redact(1)
        assert "far" not in " ".join(texts(await talk.context()))
        await talk.catch_up()
        assert "far" not in " ".join(texts(await talk.context()))


async def test_a_caller_may_bring_the_lines() -> None:
    async with turnlog.connect("ram:", folds=[Questions()]) as log:
        talk = await log.create(user("Hi"))
        assert texts(await talk.context(memory=Memory({"questions": ["Who?"]})))[0] == "Open questions:\nWho?"
        with pytest.raises(InvalidInput, match=r"memory\.sections\.gossip: must be one of profile, .*, questions"):
            await talk.context(memory=Memory({"gossip": ["..."]}))
    with pytest.raises(InvalidInput, match=r"memory\.sections\.facts: must be a list of lines"):
        Memory({"facts": "one"})


async def test_a_fold_that_fails_to_show_its_state_costs_no_context(caplog: pytest.LogCaptureFixture) -> None:
    async with turnlog.connect("ram:", folds=[Failing(), Questions()]) as log:
        with caplog.at_level(logging.ERROR):
            assert texts(await (await asked(log)).context())[0] == QUESTIONS
        assert "the section failing is left out of a context" in caplog.text


# How they are named


async def test_the_setting_names_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNLOG_FOLDS", " support.sample_folds:Questions ,, -summary")
    async with turnlog.connect("ram:", folds=[Ids()]) as log:
        names = [fold.name for fold in log.folds]
        assert names[-3:] == ["questions", "ids", "integrity"]
        assert "summary" not in names
        assert QUESTIONS in texts(await (await asked(log)).context())


def test_the_blocking_face_takes_folds() -> None:
    with connect_blocking("ram:", folds=[Questions()]) as log:
        talk = log.create(user("Is it far?"))
        talk.catch_up()
        assert texts(talk.context())[0] == QUESTIONS


async def test_the_setting_names_an_installed_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "farfold.py").write_text("from support.sample_folds import Questions as Far\n")
    installed = tmp_path / "farfold-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: farfold\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[turnlog.folds]\nfar = farfold:Far\n")
    monkeypatch.syspath_prepend(tmp_path)
    async with turnlog.connect("ram:", settings=Settings(folds="far")) as log:
        assert QUESTIONS in texts(await (await asked(log)).context())
    sys.modules.pop("farfold")


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        ("nowhere", "'nowhere' in TURNLOG_FOLDS is neither package.module:Class nor an installed entry point"),
        ("no.such:Fold", "'no.such:Fold' in TURNLOG_FOLDS cannot be imported: ModuleNotFoundError: No module named 'no'"),
        (
            "support.sample_folds:Nothing",
            "'support.sample_folds:Nothing' in TURNLOG_FOLDS cannot be imported: AttributeError",
        ),
        (
            "collections:Counter",
            "'collections:Counter' in TURNLOG_FOLDS is not a class with name, version, initial and step",
        ),
        ("support.sample_folds:NeedsArguments", "'support.sample_folds:NeedsArguments' in TURNLOG_FOLDS takes .* (size)"),
        ("support.sample_folds:Misnamed", "'support.sample_folds:Misnamed' in TURNLOG_FOLDS is not a fold: name: of a fold"),
        ("-nothing", "'-nothing' in TURNLOG_FOLDS is not a built-in fold; those are summary"),
        ("support.sample_folds:Questions,support.sample_folds:Questions", "are both named 'questions'"),
    ],
)
def test_a_name_that_gives_no_fold_is_refused(names: str, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule.replace("(", r"\(").replace(")", r"\)")) as refused:
        turnlog.connect("ram:", settings=Settings(folds=names))
    assert refused.value.field == "folds"


def test_a_module_that_fails_while_it_is_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brokenfold.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidInput, match="'brokenfold:Fold' in TURNLOG_FOLDS cannot be imported: ZeroDivisionError"):
        turnlog.connect("ram:", settings=Settings(folds="brokenfold:Fold"))


@pytest.mark.parametrize(
    ("fold", "rule"),
    [
        (Facts(), "Facts has a section, which cannot be named 'facts'"),
        (type("Recent", (Questions,), {"name": "recent"})(), "cannot be named 'recent'"),
        (Ids(name="integrity"), "are both named 'integrity'"),
        (
            type("Shy", (Questions,), {"section": "Open questions:"})(),
            "section: of fold questions must be a turnlog.fold.Section",
        ),
        (type("Shy", (Questions,), {"section": Questions.section._replace(share=2)})(), "section.share: .* from 0 to 1"),
        (type("Shy", (Questions,), {"section": Questions.section._replace(heading="")})(), "section.heading: must have 1"),
        (
            type("Shy", (Questions,), {"lines": lambda self, state: "one text"})(),
            "lines: of fold questions must return a list",
        ),
    ],
)
def test_a_fold_whose_name_or_section_cannot_be_is_refused(fold: Fold[object], rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        Turnlog(turnlog.connect("ram:").store, folds=[fold])


def test_sections_that_leave_no_room_for_the_window_are_refused() -> None:
    greedy = type("Greedy", (Questions,), {"section": Questions.section._replace(share=0.5)})()
    with pytest.raises(InvalidInput, match="shares that add up to less than low"):
        turnlog.connect("ram:", folds=[greedy])
