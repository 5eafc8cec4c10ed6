"""What a user writes has the types that a user expects."""

from typing import assert_type

from turnlog import (
    Appended,
    Context,
    Conversation,
    ConversationInfo,
    Message,
    Page,
    Reconciled,
    Settings,
    Text,
    ToolCall,
    Turnlog,
    TurnlogError,
    assistant,
    connect,
    tool,
    user,
)


async def library(settings: Settings) -> None:
    async with connect("ram:", settings=settings) as log:
        assert_type(log, Turnlog)
        talk = await log.create(user("hi"), user_id="ada", tags=["a"], metadata={"n": 1})
        assert_type(talk, Conversation)
        assert_type(await talk.append(assistant("hello"), expect_head=1), Appended)
        assert_type(await talk.messages(limit=10, newest=True), Page[Message])
        assert_type(await talk.context(max_messages=5), Context)
        assert_type(await talk.fork(at=1), Conversation)
        assert_type(await talk.update(title="greetings"), ConversationInfo)
        assert_type(await talk.reconcile([user("hi")], by_id=False, on_divergence="fork"), Reconciled)
        assert_type(await log.conversations(user_id="ada"), Page[ConversationInfo])


def values() -> None:
    call = assistant([Text("let me look"), ToolCall("c1", "look", "{}")])
    assert_type(call.tool_calls, tuple[ToolCall, ...])
    assert_type(tool("c1", "found").text, str)
    assert_type(call.seq, int | None)


def failure(error: TurnlogError) -> bool:
    assert_type(error.code, str)
    return error.retryable
