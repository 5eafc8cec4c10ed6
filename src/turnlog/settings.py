"""Every setting, in one frozen value."""

import logging
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, Self

import msgspec

from turnlog.errors import InvalidInput
from turnlog.validation import JSON_DEPTH_MAX, Limits

logger = logging.getLogger(__name__)
Count = Annotated[int, msgspec.Meta(ge=1)]
PREFIX = "TURNLOG_"
_SECRET = frozenset({"integrity_key", "llm_key"})
_PASSWORD = re.compile(r"(?<=://)([^:/@]*):.*@")
_PASSWORD_PARAMETER = re.compile(r"(password=)[^&\s]*", re.IGNORECASE)
Positive = Annotated[float, msgspec.Meta(gt=0)]
Price = Annotated[float, msgspec.Meta(ge=0)]


class Settings(msgspec.Struct, frozen=True):
    """The settings of a process. `from_env` reads each field from the variable `TURNLOG_<FIELD>`.

    Raises `InvalidInput` with the field for a value of another type or out of bounds. `connect` applies all of them; a
    `Turnlog` that is constructed with a store takes its counter, folds and language model as arguments instead.
    """

    store: str = "sqlite:///data/turnlog.db"
    """URL of the store."""
    tenant: str = "default"
    """The tenant that this process serves."""
    host: str = "127.0.0.1"
    """Address that the service listens on."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8377
    """Port that the service listens on; 0 takes a free one."""
    receive_timeout_s: Positive = 60.0
    """How long a client may take to send the headers of a request, and how long to send its body."""
    cors_origins: str = ""
    """Origins whose pages may use the service from a browser, separated by commas; `*` for all, empty for none."""
    access_log: bool = False
    """Whether the service logs each request on standard error, its path included, which names users."""
    message_bytes: Count = Limits().message_bytes
    """Largest message, as JSON in UTF-8."""
    parts: Count = Limits().parts
    """Most parts of one message."""
    metadata_bytes: Count = Limits().metadata_bytes
    """Largest metadata of a message or a conversation, as JSON in UTF-8."""
    json_depth: Annotated[int, msgspec.Meta(ge=1, le=JSON_DEPTH_MAX)] = Limits().json_depth
    """Deepest nesting of metadata, 1 to 64."""
    body_bytes: Count = 8 << 20
    """Largest body of a request."""
    messages_per_call: Count = 1000
    """Most messages in one append, and in one page of a read."""
    page_bytes: Count = 8 << 20
    """What the messages in one page of a read weigh together, at most; a page has one message at least."""
    transcript_messages: Count = 10_000
    """Most messages of a transcript given to `reconcile`."""
    context_policy: dict[str, Any] = {}
    """What contexts change of the preset `full`: fields of a policy, as a JSON object."""
    context_messages: Count = 5000
    """Most messages that are read for a context."""
    context_bytes: Count = 8 << 20
    """What the messages that are read for a context weigh together, at most."""
    tags: Count = 32
    """Most tags of a conversation."""
    store_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    """How long a call may wait for the store before it fails with `StoreUnavailable`."""
    tokenizer: str = "estimate"
    """What counts the tokens of messages: `estimate`, `o200k_base`, `cl100k_base`, a model or `hf:` and a path."""
    llm_model: str = ""
    """Name of the language model that memory works with; empty for none."""
    llm_url: str = "https://api.openai.com/v1"
    """Where it answers: the base URL of anything that speaks the API of OpenAI."""
    llm_key: str = ""
    """The key for it."""
    llm_timeout_s: Positive = 120.0
    """How long a call of it may take before it fails with `LLMUnavailable`, further tries included."""
    llm_retries: Annotated[int, msgspec.Meta(ge=0, le=10)] = 2
    """How often a call is tried again when the model is busy or out of reach."""
    llm_concurrency: Count = 4
    """How many calls of it may be under way in one process."""
    llm_window: Annotated[int, msgspec.Meta(ge=2000)] = 16_000
    """Most tokens that it takes, its reply included."""
    llm_reply_bytes: Count = 1 << 20
    """Largest answer of its endpoint that is read."""
    llm_request: dict[str, Any] = {}
    """More fields of each request to it, as a JSON object, such as `{"temperature": 0}`."""
    llm_price_input: Price = 0.0
    """Price of a million tokens of input, in any currency."""
    llm_price_cached: Price = 0.0
    """Price of a million tokens of input that the endpoint had in its cache; 0 for the price of other input."""
    llm_price_output: Price = 0.0
    """Price of a million tokens of output."""

    fold: Literal["process", "inline", "off"] = "process"
    """Where `serve` keeps memory up: in a process beside it, in its own (always so with `ram:`), or not at all."""
    folds: str = ""
    """More folds, separated by commas: `package.module:Class` or an entry point; `-summary` leaves a built-in one out."""
    fold_concurrency: Count = 8
    """Conversations that a worker folds at once."""
    fold_pause_s: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """Seconds for which nobody must have touched a conversation before it is folded, unless many messages wait."""
    fold_backlog_min: Count = 50
    """Messages of a busy conversation that are folded without waiting for a pause."""

    postgres_sharded: bool = False
    """Whether PostgreSQL's tables are distributed by `log`: then no statement writes to two conversations."""
    integrity_key: str = ""
    """Secret: with it, only who knows it can make an integrity state that fits a changed log."""

    def __post_init__(self) -> None:
        for field in _fields(type(self)):
            if (value := getattr(self, field.name)) is not field.default:
                _checked(field.name, value, field.type)

    def __repr__(self) -> str:
        shown = {name: _masked(name, value) for name, value in msgspec.structs.asdict(self).items()}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def limits(self) -> Limits:
        """The limits of one message."""
        return Limits(self.message_bytes, self.parts, self.metadata_bytes, self.json_depth)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings in the variables `TURNLOG_<FIELD>` of `environ` (default: `os.environ`); an empty one is not set.

        Raises `InvalidInput` with the name of a variable whose value cannot be used, or whose name looks like a misspelt
        setting. Any other unknown variable with the prefix is logged as a warning.
        """
        environ = os.environ if environ is None else environ
        fields = {PREFIX + field.name.upper(): field for field in _fields(cls)}
        for variable in environ:
            if variable.startswith(PREFIX) and variable not in fields:
                _unknown(variable, list(fields))
        values = {fields[name].name: _read(name, environ[name], fields[name].type) for name in fields if environ.get(name)}
        return cls(**values)


@cache
def _fields(kind: type[Settings]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _unknown(variable: str, known: list[str]) -> None:
    # others may own a variable with the prefix, as Kubernetes does for a service that is named turnlog
    if near := get_close_matches(variable, known, n=1, cutoff=0.9):
        raise InvalidInput(variable, f"is no setting; did you mean {near[0]}?")
    logger.warning("%s in the environment is no setting of turnlog", variable)


def _read(variable: str, value: str, kind: Any) -> Any:
    try:
        given = msgspec.json.decode(value) if kind == dict[str, Any] else value
        return msgspec.convert(given, kind, strict=False)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InvalidInput(variable, f"cannot be {value!r}: {error}") from None


def _checked(name: str, value: Any, kind: Any) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(name, f"cannot be {_masked(name, value)!r}: {error}") from None


def _masked(name: str, value: Any) -> Any:
    if name in _SECRET:
        return "***" if value else value
    if name not in ("store", "llm_url") or not isinstance(value, str):
        return value
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", value))
