"""The names of fields in JSON, one for each concept, and what makes two names spellings of one.

`faults` takes the names of any face, of HTTP or of the command line. A new name needs an entry in `GLOSSARY`: its author
sees whether there is a word for it already.
"""

from collections import defaultdict
from collections.abc import Iterable

GLOSSARY = {
    # objects
    "id": "what names the object that carries it",
    "conversation_id": "the conversation that another object refers to",
    "user_id": "the user that another object refers to",
    "fact_id": "the fact that a path refers to",
    "title": "the title of a conversation or of a problem",
    "tags": "the tags of a conversation",
    "tag": "one tag, to filter by",
    "metadata": "a JSON object of the client",
    "parent": "where a fork shares its log",
    "archived": "whether a conversation is archived",
    "revision": "how often the header was changed by people",
    "incarnation": "names this history of the log",
    "head": "the seq of the last message",
    "name": "the name of a speaker, a tool or a section",
    "kind": "the kind of an entity",
    "version": "the version of a fold",
    "status": "the status of a message, a service or a problem",
    "type": "the kind of a part, a tool call or a problem",
    # lists
    "data": "the items of a list; of an inline media part, its bytes",
    "next_cursor": "asks for the next page",
    "has_more": "whether there are more items in the direction of reading",
    "cursor": "the next_cursor of the page before",
    "limit": "most items of a page",
    "offset": "items to skip",
    "after": "only what has a higher seq",
    "before": "only what has a lower seq",
    "order": "the direction of a list",
    "more": "whether conversations were not counted",
    # times
    "created_at": "when a conversation or a message was made",
    "updated_at": "when a conversation changed last",
    "updated_since": "only what changed at this time or later",
    "recorded_at": "when an item of memory was learned",
    "erased_at": "when a user was erased",
    "failed_at": "when a fold failed last",
    "retry_at": "when a fold is tried again",
    "valid_from": "since when a fact holds",
    "valid_to": "until when a fact holds",
    "as_of": "the moment for which facts are shown",
    "wait_s": "seconds that a call may take",
    # messages
    "messages": "messages, or how many",
    "seq": "the place of a message in its log",
    "at": "the seq up to which a fork shares the log",
    "role": "who speaks",
    "content": "what is said",
    "text": "the text of a part or of an item of memory",
    "provider": "whose model wrote a message",
    "model": "the model that writes, counts or is called",
    "usage": "what a model call took",
    "input": "tokens that a model read",
    "output": "tokens that a model wrote",
    "cached": "tokens of the input that came from a cache",
    "derived": "whether a message was made by turnlog",
    "redacted": "whether a message was erased",
    "deleted": "whether what was named is erased",
    "receipts": "where messages are stored",
    "url": "where a media part is",
    "media_type": "the type of a media part",
    "filename": "the name of a file part",
    "payload": "what a provider asks to get back unchanged",
    "call_id": "the tool call that a result answers",
    "tool_call_id": "the same in OpenAI's chat format, which is understood in requests",
    "tool_calls": "tool calls in OpenAI's chat format, which are understood in requests",
    "function": "the function of a tool call in OpenAI's chat format",
    "arguments": "the arguments of a tool call, as JSON text",
    "is_error": "whether a tool failed",
    # reconciliation
    "appended": "messages that were appended",
    "matched": "messages that were there",
    "diverged_at": "the seq where a transcript differs from the log",
    "forked_to": "the fork that a differing transcript went to",
    "on_divergence": "what to do with a differing transcript",
    # contexts
    "tokens": "how many tokens something costs",
    "budget": "tokens that a context may cost",
    "budget_tokens": "the budget as a field of a policy",
    "reserve_tokens": "tokens that are kept for the reply",
    "shared_tokens": "tokens at the beginning that the context before had too",
    "prefix_hash": "names the stable beginning of a context",
    "sections": "the sections of a context, or their shares",
    "section": "the section that an entry is of",
    "share": "the part of the budget that a section costs",
    "coverage": "where each message of the log is",
    "summary_to": "the last seq that the summary tells of",
    "window_from": "the first seq of the window",
    "pinned": "seqs that are always shown",
    "dropped": "messages of the window that are left out",
    "omitted": "how many messages are neither shown nor summarised",
    "omitted_from": "the first omitted seq",
    "omitted_to": "the last omitted seq",
    "reason": "why something is in or out",
    "included": "whether an entry is in the context",
    "explain": "an account of every candidate, or whether to give one",
    "rendered": "the keyword arguments of a provider's SDK",
    "format": "the provider's format",
    "policy": "a policy, or changes of it",
    "preset": "the policy that changes start from",
    "max_messages": "most messages of the window",
    "min_turns": "turns that are always shown",
    "high": "how full the budget may become before a compaction",
    "low": "how full a compaction leaves the budget",
    "include_summary": "whether the summary is shown",
    "query": "what recall looks for",
    "tools": "the tool schemas that are sent along",
    # memory
    "memory": "what is remembered",
    "user_name": "what the user is called",
    "user_preferences": "what the user likes, dislikes and prefers",
    "current_topic": "what the conversation is about",
    "pending_tasks": "what the user waits for",
    "entities": "who and what was named, or how many",
    "facts": "statements about the user, or how many",
    "preferences": "how many preferences",
    "conversations": "how many conversations",
    "corrections": "how many corrections",
    "polarity": "like, dislike or prefer",
    "slot": "what has one value at a time",
    "value": "the value of a slot",
    "confidence": "0 to 1",
    "corrected": "whether a person said so",
    "sources": "the messages that an item comes from",
    "aliases": "other names of an entity",
    "count": "in how many messages an entity was named",
    "not_ruled_out": "where erased bytes may be left",
    "fold": "the name of a fold",
    "folds": "the folds, by name or in a list",
    "state": "the state of a fold",
    "watermark": "the seq up to which a fold has seen the log",
    "lag": "messages that a fold is behind",
    "behind": "conversations that a fold is behind with",
    "longest": "the longest lag",
    "failures": "failures, or how many",
    "error": "why a fold failed",
    "retried": "whether a fold was waiting for its next try",
    "spent": "the use of language models by month",
    "calls": "calls of a language model",
    "cost": "what calls cost",
    # problems
    "detail": "what went wrong in this case",
    "code": "the stable name of an error",
    "retryable": "whether the same request may succeed later",
    # files of the API page
    "asset": "a file of the API page",
}

FORBIDDEN = {
    "id": ("message_id", "uuid", "identifier", "_id"),
    "created_at": ("timestamp", "created", "time", "date", "at_time"),
    "updated_at": ("modified", "modified_at", "updated", "last_updated", "changed_at"),
    "recorded_at": ("learned_at", "said_at"),
    "tokens": ("token_estimate", "token_count", "tokens_used", "n_tokens", "num_tokens"),
    "memory": ("context", "remembered", "known", "recall"),
    "data": ("items", "results", "rows", "records", "entries"),
    "next_cursor": ("next", "next_page", "page_token"),
    "cursor": ("page", "page_cursor", "starting_after"),
    "limit": ("page_size", "per_page", "max", "size"),
    "wait_s": ("wait", "timeout", "wait_ms", "timeout_s"),
    "user_id": ("user", "uid", "owner"),
    "conversation_id": ("conversation", "session_id", "thread_id", "log_id"),
    "seq": ("index", "position", "place", "number"),
    "metadata": ("meta", "attributes", "extra"),
    "reason": ("why", "because"),
    "error": ("failure", "fault"),
    "polarity": ("sentiment",),
    "user_preferences": ("likes", "dislikes", "prefers", "likings"),
}
"""Spellings that nobody uses, by the one that stands for them."""

DIFFERENT = (
    {"budget", "budget_tokens"},  # the policy is shared with Python, where a number has its unit in its name
    {"error", "is_error"},  # the text of a fold's error, and the flag of a tool's result
    {"name", "user_name"},  # a speaker's label is not what the user is called
    {"preferences", "user_preferences"},  # a count in the receipt of an erasure
    {"tag", "tags"},  # one to filter by
    {"fold", "folds"},  # one of them
    {"section", "sections"},  # one of them
    {"call_id", "tool_call_id"},  # OpenAI's word, in requests alone
    {"calls", "tool_calls"},  # calls of a model, and of tools
    {"created_at", "updated_at", "recorded_at", "erased_at", "failed_at", "retry_at", "diverged_at"},  # other events
)
"""Names that look like spellings of one concept, and are not."""

_UNITS = {"s", "ms", "tokens", "bytes", "count", "n", "num"}
_OWNERS = {"user", "message", "conversation", "tool", "token", "total", "is", "the"}


def stem(name: str) -> str:
    """What two spellings of one concept have in common: no unit, no owner, no plural, no case."""
    parts = name.lower().replace("-", "_").split("_")
    while len(parts) > 1 and parts[-1] in _UNITS:
        parts.pop()
    while len(parts) > 1 and parts[0] in _OWNERS and parts[1:] != ["id"]:
        parts.pop(0)
    return "_".join(parts).rstrip("s")


def faults(names: Iterable[str]) -> list[str]:
    """What is wrong with the names of fields: unknown ones, forbidden ones, and two spellings of one concept."""
    told = set(names)
    better = {wrong: right for right, all_wrong in FORBIDDEN.items() for wrong in all_wrong}
    found = [f"{name}: write {better[name]}" for name in told & better.keys()]
    found += [f"{name}: not in the glossary" for name in told - GLOSSARY.keys() - better.keys()]
    groups: dict[str, set[str]] = defaultdict(set)
    for name in told:
        groups[stem(name)].add(name)
    doubles = [group for group in groups.values() if len(group) > 1 and not any(group <= each for each in DIFFERENT)]
    return sorted(found + [f"{', '.join(sorted(group))}: spellings of one concept?" for group in doubles])
