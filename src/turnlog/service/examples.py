"""The examples that the OpenAPI document shows; the tests check them against the schemas."""

from typing import Any

_ID = "0199f2c8-1c3a-7b52-9d0e-5f6a7b8c9d0e"
_TIME = "2026-11-22T10:15:30.123456Z"

MESSAGE = {"role": "user", "content": "What should I see in Lisbon?"}
RECEIPT = {"id": "0199f2c8-2d4b-7c63-8e1f-6a7b8c9d0e1f", "seq": 1, "created_at": _TIME}
STORED = {"seq": 1, "id": RECEIPT["id"], "created_at": _TIME, "tokens": 11, **MESSAGE}
PAGE = {"data": [STORED], "next_cursor": None, "has_more": False, "head": 1, "incarnation": "5f6a7b8c9d0e1f2a"}
INFO: dict[str, Any] = {
    "id": _ID,
    "user_id": "ana",
    "title": "Lisbon",
    "tags": ["travel"],
    "metadata": {"channel": "web"},
    "parent": None,
    "head": 1,
    "tokens": 11,
    "incarnation": "5f6a7b8c9d0e1f2a",
    "created_at": _TIME,
    "updated_at": _TIME,
    "archived": False,
    "revision": 1,
}
CREATED = INFO | {"head": 0, "tokens": 0}
CONVERSATIONS = {"data": [INFO], "next_cursor": None, "has_more": False}
FORKED = INFO | {
    "id": "0199f2c8-3e5c-7d74-9f20-7b8c9d0e1f2a",
    "parent": {"conversation_id": _ID, "seq": 1},
}
STATE = INFO | {
    "memory": {
        "user_name": "Ana",
        "user_preferences": [{"polarity": "like", "text": "green tea"}],
        "current_topic": "Lisbon",
        "entities": [{"text": "Lisbon"}],
        "facts": [{"text": "lives in Porto"}],
        "pending_tasks": [],
    },
    "messages": [STORED],
    "has_more": False,
}
CONTEXT = {
    "messages": [MESSAGE],
    "memory": STATE["memory"],
    "tokens": 14,
    "budget": 8000,
    "sections": [{"name": "overhead", "tokens": 3, "share": 0.000375}, {"name": "recent", "tokens": 11, "share": 0.001375}],
    "coverage": {
        "head": 1,
        "summary_to": 0,
        "window_from": 1,
        "pinned": [],
        "dropped": [],
        "omitted": 0,
        "omitted_from": 0,
        "omitted_to": 0,
    },
    "prefix_hash": "5f0c6b5e1c7d4a3f9e2b8a1d0c9f8e7d",
    "shared_tokens": 0,
}
TURN = {"receipts": [RECEIPT], **CONTEXT}
RECONCILED = {"conversation_id": _ID, "appended": 1, "matched": 0, "head": 1}

_SOURCES = [{"conversation_id": _ID, "seq": 1}]
FACT = {
    "id": "68a203122c40af55",
    "text": "lives in Lisbon",
    "slot": "home",
    "value": "Lisbon",
    "confidence": 0.8,
    "valid_from": _TIME,
    "valid_to": None,
    "recorded_at": _TIME,
    "sources": _SOURCES,
    "corrected": False,
}
USER_MEMORY = {
    "user_id": "ana",
    "user_name": "Ana",
    "user_preferences": [{"polarity": "like", "text": "green tea", "sources": _SOURCES, "recorded_at": _TIME}],
    "current_topic": "Lisbon",
    "facts": [FACT],
    "pending_tasks": [{"text": "book a table", "sources": _SOURCES, "recorded_at": _TIME}],
    "entities": [{"text": "Lisbon", "kind": "PLACE", "count": 1, "aliases": [], "sources": _SOURCES, "recorded_at": _TIME}],
}
_FAILURE = {
    "conversation_id": _ID,
    "fold": "summary",
    "version": 101,
    "watermark": 0,
    "failures": 2,
    "error": "LLMUnavailable: the language model cannot answer: timed out",
    "failed_at": _TIME,
    "retry_at": _TIME,
}
CONVERSATION_MEMORY = {
    "conversation_id": _ID,
    "folds": {
        "knowledge": {
            "fold": "knowledge",
            "version": 1,
            "watermark": 1,
            "lag": 0,
            "state": {
                "entities": [{"text": "Lisbon", "kind": "PLACE", "seqs": [1], "count": 1, "first_seen": 1, "last_seen": 1}]
            },
        }
    },
    "failures": [_FAILURE],
}
MEMORY_STATUS = {
    "folds": [
        {
            "fold": "summary",
            "version": 101,
            "behind": 1,
            "more": False,
            "messages": 12,
            "longest": 12,
            "failures": [_FAILURE],
        }
    ],
    "spent": {
        "2026-11 gpt-4o-mini": {
            "model": "gpt-4o-mini",
            "calls": 40,
            "failures": 2,
            "input": 52_000,
            "output": 6_100,
            "cached": 20_480,
            "cost": 0.0114,
        }
    },
}
ERASED = {
    "conversations": 2,
    "messages": 24,
    "facts": 3,
    "preferences": 1,
    "entities": 5,
    "corrections": 0,
    "erased_at": _TIME,
    "not_ruled_out": [
        "The write-ahead log keeps bytes until its segments are recycled and written over.",
        "Backups, exports and freed blocks of disks are out of reach.",
    ],
}
EXPORTED = {"id": _ID, "user_id": "ana", "messages": [STORED]}
