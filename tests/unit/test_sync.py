"""The blocking face."""

import asyncio
import threading
from inspect import iscoroutinefunction, isfunction
from pathlib import Path

import pytest

import turnlog
import turnlog.sync


def test_a_script_keeps_a_conversation_in_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with turnlog.sync.connect(url) as log:
        chat = log.create(user_id="ana")
        chat.append(turnlog.user("hi"), turnlog.assistant("hello"))
    with turnlog.sync.connect(url) as log:
        again = log.conversation(chat.id)
        assert [message.text for message in again.context().messages] == ["hi", "hello"]
        assert [record.seq for page in again.pages() for record in page.records] == [1, 2]
        assert log.conversations(user_id="ana").headers[0].id == chat.id


def test_a_fork_blocks_too() -> None:
    with turnlog.sync.connect("ram:") as log:
        fork = log.create(turnlog.user("a"), turnlog.user("b")).fork(at=1)
        assert fork.append(turnlog.user("c")).head == 2


def test_errors_come_through_as_they_are() -> None:
    with turnlog.sync.connect("ram:") as log, pytest.raises(turnlog.ConversationNotFound):
        log.conversation("nobody").header()


def test_it_works_where_a_loop_is_running() -> None:
    async def cell() -> int:
        with turnlog.sync.connect("ram:") as log:
            return log.create(turnlog.user("hi")).header().head

    assert asyncio.run(cell()) == 1


def test_closing_ends_the_thread_and_refuses_further_calls() -> None:
    with turnlog.sync.connect("ram:") as log:
        chat = log.create()
    assert "turnlog-sync" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError, match="closed"):
        chat.header()


def test_a_store_that_does_not_open_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(turnlog.StoreUnavailable), turnlog.sync.connect(f"sqlite:///{tmp_path}/file/x.db"):
        pass
    assert "turnlog-sync" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("twin", ["Turnlog", "Conversation", "User"])
def test_every_public_method_is_there_and_blocks(twin: str) -> None:
    theirs = {name for name, value in vars(getattr(turnlog, twin)).items() if isfunction(value) and name[0] != "_"}
    ours = {name: value for name, value in vars(getattr(turnlog.sync, twin)).items() if isfunction(value)}
    assert theirs <= ours.keys()
    assert not any(map(iscoroutinefunction, ours.values()))
