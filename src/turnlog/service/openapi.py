"""The OpenAPI 3.1 document, made from the table of routes."""

import re
from typing import Any

import msgspec

from turnlog.service.problems import RETRY_AFTER_S, TITLES
from turnlog.service.responses import Problem
from turnlog.service.routes import Operation

_TAG = r'"[0-9]{1,18}(\.[0-9]{1,18}(\.[0-9]{1,18}\.[0-9a-f]{16}(\.[0-9a-f]{12})?)?)?"'
_TAGS = rf"^(\*|{_TAG}(, {_TAG})*)$"
_HEADERS = {
    "Idempotency-Key": ("Makes the request safe to repeat.", {"type": "string", "minLength": 1, "maxLength": 255}),
    "If-Match": (
        "Do it only if the conversation still has one of these ETags, or with * if it is there.",
        {"type": "string", "pattern": _TAGS},
    ),
    "If-None-Match": ("Answer 304 if the conversation has one of these ETags.", {"type": "string", "pattern": _TAGS}),
}
_ETAG = {
    "ETag": {
        "description": 'The state after this: "<head>", or "<head>.<revision>.<epoch>.<incarnation>" with a digest of the '
        "memory if the body shows it.",
        "schema": {"type": "string"},
    }
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "const": RETRY_AFTER_S}}}
_PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "conversation_id": {"type": "string", "pattern": r"^[A-Za-z0-9_-][A-Za-z0-9_.:~@|=+-]{0,127}$"},
    "user_id": {"type": "string", "minLength": 1, "maxLength": 256},
    "seq": {"type": "integer", "minimum": 1},
    "fact_id": {"type": "string", "minLength": 1, "maxLength": 64},
    "asset": {"type": "string", "minLength": 1},
}
_TAG_TEXTS = {
    "conversations": "Conversations as a whole.",
    "messages": "The log of a conversation.",
    "contexts": "What to send to the model.",
    "memory": "What is derived from conversations in the background.",
    "users": "What belongs to a user across their conversations.",
    "service": "The service itself.",
}


def document(operations: tuple[Operation, ...], version: str) -> dict[str, Any]:
    """The document that describes `operations`."""
    types = [form for operation in operations for form in operation.request]
    types += [result.schema for operation in operations for result in operation.results.values()]
    found, components = msgspec.json.schema_components([*types, Problem], ref_template="#/components/schemas/{name}")
    schemas = iter(found)
    requests = [[next(schemas) for _ in operation.request] for operation in operations]
    paths: dict[str, dict[str, Any]] = {}
    for operation, forms in zip(operations, requests, strict=True):
        answers = {status: next(schemas) for status in operation.results}
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, forms, answers)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "turnlog",
            "version": version,
            "description": "Keeps the state of conversations for AI assistants.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name, "description": text} for name, text in _TAG_TEXTS.items()],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(operation: Operation, forms: list[Any], answers: dict[int, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": f"{operation.tag}_{operation.handler.__name__}",
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation),
        "responses": _responses(operation, answers),
    }
    if forms:
        schema = forms[0] if len(forms) == 1 else {"anyOf": forms}
        content = {"application/json": {"schema": schema, "example": operation.request_example}}
        entry["requestBody"] = {"required": operation.body_needed, "content": content}
    return entry


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    query = [{"name": p.name, "in": "query", "description": p.says, "schema": p.schema} for p in operation.query]
    headers = [
        {"name": name, "in": "header", "description": _HEADERS[name][0], "schema": _HEADERS[name][1]}
        for name in operation.headers
    ]
    return path + query + headers


def _responses(operation: Operation, answers: dict[int, Any]) -> dict[str, Any]:
    responses = {}
    for status, result in operation.results.items():
        content = {result.media_type: {"schema": answers[status], "example": result.example}}
        body = {} if status == 304 else {"content": content}
        headers = {"headers": _ETAG} if result.etag else {}
        responses[str(status)] = {"description": result.says, **body, **headers}
    for status in operation.errors:
        responses[str(status)] = _problem(status)
    return responses


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    response: dict[str, Any] = {
        "description": TITLES[status],
        "content": {"application/problem+json": {"schema": schema, "example": _example(status)}},
    }
    return response | ({"headers": _RETRY} if status == 503 else {})


def _example(status: int) -> dict[str, Any]:
    code, detail, facts = _PROBLEMS[status]
    start = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": detail, "code": code}
    return {**start, "retryable": status in (408, 503), **facts}


_PROBLEMS: dict[int, tuple[str, str, dict[str, Any]]] = {
    400: ("invalid_json", "body: must be UTF-8", {"field": "body", "rule": "must be UTF-8"}),
    404: ("conversation_not_found", "there is no conversation 'c1'", {"conversation_id": "c1"}),
    408: ("request_timeout", "the body did not arrive within 60 seconds", {"limit_s": 60.0}),
    409: ("conversation_exists", "conversation 'c1' is already there", {"conversation_id": "c1"}),
    410: ("conversation_deleted", "conversation 'c1' was deleted and its id stays dead", {"conversation_id": "c1"}),
    412: ("head_moved", "the head is 3, not 2", {"expected": 2, "actual": 3}),
    413: (
        "too_large",
        "body: must have at most 10 bytes, has 11",
        {"field": "body", "rule": "must have at most 10 bytes, has 11", "limit": 10, "actual": 11, "unit": "bytes"},
    ),
    415: (
        "unsupported_media_type",
        "Content-Type: must be application/json",
        {"field": "Content-Type", "rule": "must be application/json"},
    ),
    422: ("invalid_input", "role: is missing", {"field": "role", "rule": "is missing"}),
    500: ("internal_error", "the service failed; its log says more", {}),
    502: ("llm_refused", "the language model's endpoint refused with HTTP status 401: bad key", {"http_status": 401}),
    503: ("store_unavailable", "the store is unavailable: disk is full", {"reason": "disk is full"}),
}
